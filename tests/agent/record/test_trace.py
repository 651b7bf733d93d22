"""Traces: what a run leaves behind, line by line."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from pydantic import ValidationError

from tool_use_om.agent.record.trace import (
    Trace,
    append_trace,
    digest,
    read_traces,
    trace_from_state,
    traces_path,
)
from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace

TOOLS = [{"type": "function", "function": {"name": "list_datasets", "parameters": {}}}]


def state(content: str = "{}", **changes: Any) -> dict[str, Any]:
    call = {"name": "list_datasets", "args": {"a": 1}, "id": "c1"}
    reply = ToolMessage(
        content=content, tool_call_id="c1", artifact={"result_id": "r-1", "seconds": 0.5}
    )
    messages = [HumanMessage("which data?"), AIMessage("", tool_calls=[call]), reply]
    return {
        "question": "which data?",
        "messages": [*messages, AIMessage("One.")],
        "answer": "One.",
        "plan": [{"tool": "list_datasets", "why": "look"}],
        "verification": {"ok": True},
        **changes,
    }


def make(tmp_path: Path, **changes: Any) -> Trace:
    return trace_from_state(state(**changes), workspace=Workspace.at(tmp_path), tools=TOOLS, seed=3)


def test_trace_records_each_answered_call_with_arguments_result_and_seconds(tmp_path: Path) -> None:
    """A call is its name, its arguments, the digest of what came back, its result and its time."""
    (call,) = make(tmp_path, content='{"n": 1}').calls
    assert (call.tool, call.arguments, call.result_id, call.seconds, call.ok) == (
        "list_datasets",
        {"a": 1},
        "r-1",
        0.5,
        True,
    )
    assert call.observation == digest({"n": 1})


def test_trace_leaves_out_a_call_that_was_never_answered(tmp_path: Path) -> None:
    """A call whose reply is missing (a killed run) is in the messages but not among the calls."""
    asked = state()
    asked["messages"] = asked["messages"][:2]
    trace = trace_from_state(asked, workspace=Workspace.at(tmp_path), tools=TOOLS)
    assert trace.calls == ()
    assert len(trace.messages) == 2


def test_trace_messages_are_in_openai_form(tmp_path: Path) -> None:
    """Roles are user, assistant and tool; arguments are JSON text, as OpenAI writes them."""
    trace = make(tmp_path)
    assert [m["role"] for m in trace.messages] == ["user", "assistant", "tool", "assistant"]
    arguments = trace.messages[1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"a": 1}


def test_trace_survives_the_file_it_is_appended_to(tmp_path: Path) -> None:
    """What is read back equals what was written, in order."""
    workspace = Workspace.at(tmp_path)
    first, second = make(tmp_path), make(tmp_path, question="again")
    append_trace(workspace, first)
    append_trace(workspace, second)
    assert read_traces(workspace) == [first, second]


def test_trace_reading_skips_a_torn_last_line_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A run killed while writing costs its own line, no other, and the reader says so."""
    workspace = Workspace.at(tmp_path)
    append_trace(workspace, make(tmp_path))
    whole = traces_path(workspace).read_bytes()
    traces_path(workspace).write_bytes(whole + whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING):
        assert len(read_traces(workspace)) == 1
    assert "line 2 is torn" in caplog.text


def test_trace_appended_after_a_torn_line_is_kept(tmp_path: Path) -> None:
    """The next run's line starts on its own line, whatever stood before it."""
    workspace = Workspace.at(tmp_path)
    traces_path(workspace).parent.mkdir(parents=True)
    traces_path(workspace).write_bytes(b'{"query": "ha')
    trace = make(tmp_path)
    append_trace(workspace, trace)
    assert read_traces(workspace) == [trace]


def test_trace_reading_refuses_a_whole_line_that_is_not_a_trace(tmp_path: Path) -> None:
    """Valid JSON of another shape is an error that names the line, not something to skip."""
    path = tmp_path / "other.jsonl"
    path.write_text('{"query": "x"}\n')
    with pytest.raises(DataError, match="line 1 is not a trace"):
        read_traces(path)


def test_trace_reading_names_the_file_when_missing(tmp_path: Path) -> None:
    """A file that is asked for and not there is an error; a workspace without runs is not."""
    with pytest.raises(DataError, match=r"nothing\.jsonl"):
        read_traces(tmp_path / "nothing.jsonl")
    assert read_traces(Workspace.at(tmp_path / "fresh")) == []


def test_trace_is_frozen_and_refuses_unknown_fields(tmp_path: Path) -> None:
    """A trace cannot be changed after the fact, nor carry what the format does not know."""
    trace = make(tmp_path)
    with pytest.raises(ValidationError):
        trace.query = "other"
    with pytest.raises(ValidationError):
        Trace.model_validate({**trace.model_dump(), "mood": "good"})


def test_digest_ignores_time_and_result_ids_at_every_depth() -> None:
    """Two executions that differ in how long they took are the same observation."""
    a = {"rows": [{"fit_s": 1.0, "value": 2}], "seconds": {"fit_s": 1}, "result_id": "r-1"}
    b = {"rows": [{"fit_s": 9.0, "value": 2}], "result_id": "r-2"}
    assert digest(a) == digest(b)
    assert digest(a) != digest({"rows": [{"value": 3}]})
