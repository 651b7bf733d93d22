"""Fixtures shared by all folders: a workspace of one's own, samples built once a run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from langchain_core.messages import AnyMessage

    from tool_use_om.agent.record.trace import Trace
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.tokenizers.moment.model import MomentConfig

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("LANGSMITH_TRACING", "false")
os.environ.setdefault("MPLBACKEND", "Agg")
# Most tests state laws of the rules; those of the reader turn it on (tests/agent/offline/reader).
os.environ.setdefault("TUOM_READER", "off")


@pytest.fixture(scope="session")
def sample_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root of a workspace shared by all tests of a run: samples are built once."""
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture
def samples(sample_workspace: Path) -> Workspace:
    """Return the workspace of samples."""
    from tool_use_om.data.workspace import Workspace

    return Workspace.at(sample_workspace)


@pytest.fixture(scope="session")
def small_config() -> MomentConfig:
    """Return the shape of an encoder that takes no time."""
    from tool_use_om.tokenizers.moment.model import MomentConfig

    return MomentConfig(d_model=32, d_ff=48, n_layers=2, n_heads=4, d_kv=8)


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


def _answered(name: str, args: dict[str, Any], call_id: str, outcome: Any) -> list[AnyMessage]:
    from langchain_core.messages import AIMessage, ToolMessage

    call = {"name": name, "args": args, "id": call_id}
    text, artifact = json.dumps(outcome.content), outcome.result.artifact
    reply = ToolMessage(text, tool_call_id=call_id, artifact=artifact)
    return [AIMessage("I look.", tool_calls=[call]), reply]


@pytest.fixture(scope="session")
def recorded(sample_workspace: Path) -> Trace:
    """Return the trace of a finished run of two calls on the sample."""
    from langchain_core.messages import AIMessage, HumanMessage

    from tool_use_om.agent.record.trace import trace_from_state
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.tools.call.context import ToolContext
    from tool_use_om.tools.call.working_set import WorkingSet
    from tool_use_om.tools.registry import run_tool

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
        "verification": {
            "ok": True,
            "form": {"prose": "There are {r1#/n_sessions} sessions.", "claims": []},
        },
    }
    return trace_from_state(state, workspace=place, tags={"template": "count"})
