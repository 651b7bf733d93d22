"""A scripted chat model, a small tool that stores real results, a stand-in for data-set cards."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool, ToolException, tool
from langgraph.prebuilt import ToolRuntime
from langgraph.types import Command
from pydantic import Field

from tool_use_om.agent.context import AgentContext, coerce_context
from tool_use_om.agent.prompts import prompt_facts
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.results import ResultStore

Script = Callable[[str, dict[str, Any], list[BaseMessage]], AIMessage | str]

PLAN = {"steps": [{"tool": "measure", "why": "to know"}], "not_understood": [], "reply": None}


class ScriptedModel(BaseChatModel):
    """Answers by a function of (phase, the prompt's facts, the messages)."""

    script: Any
    asked: list[Any] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self.bind(tools=[t.name for t in tools], **kwargs)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        facts = prompt_facts(messages[0])  # type: ignore[arg-type]  # the first is the system one
        self.asked.append((facts["phase"], messages))
        reply = self.script(facts["phase"], facts, messages)
        message = AIMessage(reply) if isinstance(reply, str) else reply
        return ChatResult(generations=[ChatGeneration(message=message)])


def call(name: str, **arguments: Any) -> AIMessage:
    """Return a message with one tool call."""
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"c-{name}"}])


def done(messages: Sequence[BaseMessage]) -> int:
    """Return how many tool results follow the last human message."""
    last = max(i for i, m in enumerate(messages) if isinstance(m, HumanMessage))
    return sum(isinstance(m, ToolMessage) for m in messages[last:])


def honest(calls: Sequence[AIMessage], prose: str = "It is {r1#/value}.") -> Script:
    """Return a script that plans, makes `calls` in order, and writes `prose`."""

    def script(phase: str, facts: dict[str, Any], messages: list[BaseMessage]) -> AIMessage | str:
        if phase == "plan":
            return json.dumps(PLAN)
        if phase == "act":
            n = done(messages)
            return calls[n].model_copy() if n < len(calls) else "done"
        return json.dumps({"prose": prose, "claims": []})

    return script


@tool
def measure(height: float, runtime: ToolRuntime[AgentContext, dict[str, Any]]) -> Command[Any]:
    """Measure a height in metres."""
    if height < 0:
        raise ToolException("`height` must be >= 0, got -1.0.")
    if height > 1e6:
        raise RuntimeError("the instrument broke: secret detail")
    runtime.stream_writer({"progress": {"phase": "measure", "done": 1, "total": 1, "unit": "m"}})
    context = coerce_context(runtime.context)
    content = {"value": height, "unit": "m", "n": 3, "share_frac": 0.25, "length_s": 12.0}
    result = ResultStore(Workspace.at(context.workspace)).put("measure", content)
    message = ToolMessage(
        json.dumps({**content, "result_id": result.id}),
        name="measure",
        tool_call_id=runtime.tool_call_id or "",
        artifact=result.artifact,
    )
    working_set = {**(runtime.state.get("working_set") or {}), "last_result_id": result.id}
    return Command(
        update={"working_set": working_set, "result_ids": [result.id], "messages": [message]}
    )


@pytest.fixture
def tools() -> list[BaseTool]:
    """Return the one small tool."""
    return [measure]


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the data-set cards, so that no data set is opened."""
    card = {"name": "towers", "title": "Towers", "channels": [], "n_sessions": 7}
    monkeypatch.setattr("tool_use_om.agent.nodes.dataset_cards", lambda *_a: [card])


@pytest.fixture
def context(tmp_path: Path, cards: None) -> AgentContext:
    """Return a context with a workspace of its own."""
    return AgentContext(workspace=str(tmp_path / "ws"))


@pytest.fixture
def scripted() -> Callable[[Script], ScriptedModel]:
    """Return what makes a model from a script."""
    return lambda script: ScriptedModel(script=script, asked=[])


@pytest.fixture
def says() -> Any:
    """Return the helpers of this file: call, done, honest."""
    from types import SimpleNamespace

    return SimpleNamespace(call=call, done=done, honest=honest, PLAN=PLAN)
