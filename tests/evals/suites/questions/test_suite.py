"""The tool suite, on a chat model that says what it is told to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.runner import run_suite
from tool_use_om.evals.suites.questions.suite import RECORDED, ToolSuite, recording_tools


class Scripted(BaseChatModel):
    """Plans one step and makes the calls it was given, one after the other."""

    calls: list[tuple[str, dict[str, Any]]]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._reply(messages))])

    def _reply(self, messages: list[BaseMessage]) -> AIMessage:
        if str(messages[0].content).startswith("PHASE: plan"):
            steps = [{"tool": name, "why": "told"} for name, _ in self.calls]
            return AIMessage(json.dumps({"steps": steps, "reply": None if steps else "No."}))
        done = sum(isinstance(m, ToolMessage) for m in messages)
        if done == len(self.calls):
            return AIMessage("Done.")
        name, args = self.calls[done]
        return AIMessage("", tool_calls=[{"name": name, "args": args, "id": f"c{done}"}])


def question(number: int, split: str, expect: list[dict[str, Any]]) -> dict[str, Any]:
    fields = {"dataset": "basic-motions", "phase": "eda", "template": f"t{number}", "split": split}
    return {"id": f"q{number}", "question": "How lively?", "expect": expect, **fields}


STATS = {"tool": "show_channel_stats", "args": {"statistic": "variance"}}
QUESTIONS = [
    question(0, "dev", [STATS]),
    question(1, "heldout", [{"tool": "show_channel_stats", "args": {"statistic": "mean"}}]),
    question(2, "heldout", [{"tool": "list_datasets", "args": {}}]),
]


@pytest.fixture
def make(sample_workspace: Path) -> Any:
    def suite(*calls: tuple[str, dict[str, Any]]) -> ToolSuite:
        place = Workspace.at(sample_workspace)
        model = Scripted(calls=list(calls))
        return ToolSuite(model="told", workspace=place, questions=QUESTIONS, chat_model=model)

    return suite


def test_tool_suite_tells_right_arguments_from_right_tools(make: Any) -> None:
    """Two measures: the tools alone, and the tools with the arguments that matter."""
    suite = make(("show_channel_stats", {"statistic": "variance"}))
    rows = {i: suite.run(i) for i in suite.items()}
    assert [rows[i]["tools_right"] for i in rows] == [True, True, False]
    assert [rows[i]["right"] for i in rows] == [True, False, False]


def test_tool_suite_does_not_count_a_call_that_failed(make: Any) -> None:
    """A call that the tool refused is not a right call, and is not among those made."""
    suite = make(("select_channels", {"channels": ["nothing-like-it"]}))
    assert suite.run("q0")["calls"] == []


@pytest.mark.parametrize("name", RECORDED)
def test_recording_tools_check_the_arguments_and_compute_nothing(make: Any, name: str) -> None:
    """What is only recorded still refuses arguments it does not have."""
    suite = make((name, {"budget": 1} if name == "request_labels" else {}), (name, {"no_such": 1}))
    (call,) = suite.run("q0")["calls"]
    assert call["tool"] == name


def test_recording_tools_show_the_model_what_the_real_ones_show() -> None:
    """Names, descriptions and schemas are those of the real tools: the model cannot tell."""
    from tool_use_om.tools.langchain import build_tools

    shown = [(t.name, t.description, t.tool_call_schema) for t in recording_tools()]
    assert shown == [(t.name, t.description, t.tool_call_schema) for t in build_tools()]


def test_tool_suite_report_has_intervals_and_what_went_wrong(make: Any, tmp_path: Path) -> None:
    """The report gives each share with its interval, by phase and split, and lists the misses."""
    suite = make(("show_channel_stats", {"statistic": "variance"}))
    text = run_suite(suite, tmp_path, command="tuom eval tools").read_text()
    assert "| all | all | 3 | 0.667 [" in text
    assert "| eda | heldout | 2 |" in text
    assert 'show_channel_stats({"statistic": "variance"})' in text
