"""Replay: a recorded run is run again, and what differs is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from tool_use_om.agent.record.replay import difference, replay
from tool_use_om.agent.record.trace import Trace, trace_from_state
from tool_use_om.data.errors import TuomError
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("show_session_stats", {}),
    ("select_channels", {"channels": ["accelerometer"]}),
    ("select_channels", {"channels": ["acelerometer.q"]}),
    ("filter_by_time", {"labels": ["walking"], "end_s": 5.0}),
    ("show_channel_stats", {"statistic": "variance"}),
]


@pytest.fixture(scope="module")
def workspace(sample_workspace: Path) -> Workspace:
    return Workspace.at(sample_workspace)


@pytest.fixture(scope="module")
def recorded(workspace: Workspace) -> Trace:
    """Return the trace of a run of five calls on the sample, one of them a mistake."""
    context, chosen = ToolContext(workspace=workspace, dataset="basic-motions"), WorkingSet()
    messages: list[AnyMessage] = [HumanMessage("how lively is walking?")]
    for number, (name, args) in enumerate(CALLS):
        call_id = f"c{number}"
        messages.append(AIMessage("", tool_calls=[{"name": name, "args": args, "id": call_id}]))
        try:
            outcome = run_tool(name, args, context, chosen)
        except TuomError as error:
            text = f"Error: {error}"
            messages.append(ToolMessage(text, tool_call_id=call_id, status="error"))
            continue
        chosen = outcome.working_set
        content = json.dumps(outcome.content)
        artifact = outcome.result.artifact
        messages.append(ToolMessage(content, tool_call_id=call_id, artifact=artifact))
    state = {"messages": messages, "working_set": chosen.to_state(), "question": "how lively?"}
    return trace_from_state(state, workspace=workspace, tools=[])


def test_replay_of_an_honest_trace_gives_the_same_observations(
    recorded: Trace, workspace: Workspace
) -> None:
    """Each call, mistakes included, returns what was recorded, filters and selections in force."""
    found = replay(recorded, workspace)
    assert (found.same, found.n_calls, found.reason) == (True, len(CALLS), None)


def test_replay_names_the_call_and_the_value_that_differ(
    recorded: Trace, workspace: Workspace
) -> None:
    """A number changed in the record is found, with the call and the path to it."""
    messages = [dict(m) for m in recorded.messages]
    content = json.loads(messages[-1]["content"])
    content["rows"][0]["value"] *= 1.01
    messages[-1]["content"] = json.dumps(content)
    found = replay(recorded.model_copy(update={"messages": tuple(messages)}), workspace)
    assert not found.same
    assert found.reason is not None
    assert found.reason.startswith("call 5 (show_channel_stats) at /rows/0/value")


def test_replay_refuses_a_trace_of_other_data(recorded: Trace, workspace: Workspace) -> None:
    """A data set whose content hash changed cannot confirm what was seen before."""
    found = replay(recorded.model_copy(update={"dataset_hash": "0" * 64}), workspace)
    assert not found.same
    assert "other content" in str(found.reason)


def test_replay_says_when_the_data_set_is_gone(recorded: Trace, workspace: Workspace) -> None:
    """The reason names the data set that cannot be opened."""
    found = replay(recorded.model_copy(update={"dataset": "gone"}), workspace)
    assert "'gone' cannot be opened" in str(found.reason)


@pytest.mark.parametrize(
    ("recorded_value", "replayed_value", "same"),
    [
        ({"a": [1.0, None]}, {"a": [1.00001, None]}, True),
        ({"a": 1.0}, {"a": 1.01}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": True}, {"a": 1.5}, False),
        ("Error: x", "Error: y", False),
    ],
)
def test_difference_tolerates_the_last_digits_and_nothing_else(
    recorded_value: Any, replayed_value: Any, *, same: bool
) -> None:
    """Rounding is no difference; a missing key, another length, text or number is."""
    assert (difference(recorded_value, replayed_value) is None) is same
