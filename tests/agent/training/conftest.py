"""A tiny orchestrator trained once for all tests of this folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from tool_use_om.agent.trace import Trace, trace_from_state
from tool_use_om.agent.training.sft import SftConfig, SftReport, train
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.context import ToolContext
from tool_use_om.tools.registry import run_tool
from tool_use_om.tools.working_set import WorkingSet


def tool(name: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"a": {"type": "integer"}}}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [tool("show_stats"), tool("select_channels")]


def row(question: str, name: str, arguments: dict[str, Any], dataset: str) -> dict[str, Any]:
    """Return one TRL row: a question and the one call that answers it."""
    call = {"type": "function", "function": {"name": name, "arguments": arguments}}
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": "", "tool_calls": [call]},
    ]
    return {"messages": messages, "tools": TOOLS, "meta": {"dataset": dataset}}


ROWS = [
    row("how many?", "show_stats", {"a": 1}, "one"),
    row("use x", "select_channels", {"channels": ["x"]}, "two"),
    row("how many there?", "show_stats", {"a": 2}, "held"),
]


@pytest.fixture(scope="session")
def tiny_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a JSONL file of three rows, one of them of the data set "held"."""
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in ROWS))
    return path


@pytest.fixture(scope="session")
def tiny_sft(tiny_rows: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SftReport]:
    """Return (folder, report) of a random-weight Llama overfitted on two rows, one held out."""
    out = tmp_path_factory.mktemp("sft") / "out"
    config = SftConfig(steps=70, learning_rate=1e-2, batch_size=2, hold_out=("dataset=held",))
    return out, train(tiny_rows, "random", out, config)


def _answered(name: str, args: dict[str, Any], call_id: str, outcome: Any) -> list[AnyMessage]:
    call = {"name": name, "args": args, "id": call_id}
    text, artifact = json.dumps(outcome.content), outcome.result.artifact
    reply = ToolMessage(text, tool_call_id=call_id, artifact=artifact)
    return [AIMessage("I look.", tool_calls=[call]), reply]


@pytest.fixture(scope="session")
def recorded(sample_workspace: Path) -> Trace:
    """Return the trace of a finished run of two calls on the sample."""
    place = Workspace.at(sample_workspace)
    context, chosen = ToolContext(workspace=place, dataset="basic-motions"), WorkingSet()
    messages: list[AnyMessage] = [HumanMessage("How many are there?")]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("show_session_stats", {}),
        ("select_channels", {"channels": ["gyroscope"]}),
    ]
    for number, (name, args) in enumerate(calls):
        outcome = run_tool(name, args, context, chosen)
        chosen = outcome.working_set
        messages += _answered(name, args, f"c{number}", outcome)
    state = {
        "question": "How many are there?",
        "messages": [*messages, AIMessage("There are 80 sessions.")],
        "datasets": [{"name": "basic-motions"}],
        "working_set": chosen.to_state(),
        "plan": [{"tool": name, "why": "look"} for name, _ in calls],
        "findings": [{"statement": "80 sessions", "value": 80}],
        "answer": "There are 80 sessions.",
        "verification": {"ok": True},
    }
    return trace_from_state(state, workspace=place, tags={"template": "count"})
