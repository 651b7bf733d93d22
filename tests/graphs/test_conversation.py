"""Threads: a turn leans on the one before, goes back, leaves what was open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.agent.state import answered
from tool_use_om.data.errors import DataError
from tool_use_om.graphs.runner import frame_of, run_question, unfinished


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    """Return what asks a question of one thread."""
    context = AgentContext(dataset="basic-motions", workspace=str(tmp_path / "ws"))
    saver = tmp_path / "checkpoints.sqlite"

    def run(question: str, **options: Any) -> dict[str, Any]:
        return run_question(question, context, thread_id="t", saver_path=saver, **options)

    run.saver = saver  # type: ignore[attr-defined]  # where its threads are
    return run


def test_turns_lean_on_each_other_and_go_back(ask: Any) -> None:
    """The second turn keeps statistic and channel; one turn back, walking is meant again."""
    first = ask("What is the mean of accelerometer.x while walking?")
    second = ask("and running?")
    assert first["outcome"] == second["outcome"] == "answer"
    assert second["answer"].startswith("*As before: mean, accelerometer.x, but walking → running*")
    assert "while running" in second["answer"]
    assert [f["value"] for f in second["findings"]] != [f["value"] for f in first["findings"]]
    again = ask("and the maximum?", back=1)
    whole = ask("What is the maximum of accelerometer.x while walking?")
    assert again["findings"] == whole["findings"]
    frame = frame_of("t", ask.saver)
    assert frame.query.asks[0].labels == ("walking",)


def test_going_back_too_far_says_how_far_there_is(ask: Any) -> None:
    ask("How many sessions are there?")
    with pytest.raises(DataError, match="1 turn"):
        ask("and running?", back=2)
    assert ask("How many channels are there?", back=1)["outcome"] == "answer"


def test_abandoned_question_to_a_person_leaves_no_open_call(ask: Any) -> None:
    """A thread that waits for labels takes another question, and its history is whole."""
    waiting = ask("Ask me for 2 labels")
    assert waiting["__interrupt__"]
    assert unfinished("t", ask.saver) == "Ask me for 2 labels"
    state = ask("How many sessions are there?", abandon=True)
    assert state["outcome"] == "answer"
    calls = [c["id"] for m in state["messages"] if isinstance(m, AIMessage) for c in m.tool_calls]
    replies = [m.tool_call_id for m in state["messages"] if isinstance(m, ToolMessage)]
    assert sorted(calls) == sorted(replies)
    assert any("not answered" in m.text for m in state["messages"] if isinstance(m, ToolMessage))


def test_label_that_is_none_is_asked_for_again(ask: Any) -> None:
    """One invalid label is asked again alone; the valid ones are kept."""
    asked = ask("Ask me for 2 labels")["__interrupt__"][0]
    one, two = (w["window_id"] for w in asked["windows"])
    again = ask("", reply={one: "walking", two: "wlaking about"})["__interrupt__"][0]
    assert [w["window_id"] for w in again["windows"]] == [two]
    assert "wlaking about" in again["error"]
    state = ask("", reply={two: "running"})
    assert state["outcome"] == "answer"
    assert "2" in state["answer"]


def test_incoming_history_with_an_open_call_is_answered(tmp_path: Path) -> None:
    """A caller's history may hold a call that nothing answered."""
    call = {"name": "run_task", "args": {}, "id": "open", "type": "tool_call"}
    history = [HumanMessage("before"), AIMessage("", tool_calls=[call])]
    mended = answered(history)
    assert [m.type for m in mended] == ["human", "ai", "tool"]
    assert answered(mended) == []
    context = AgentContext(dataset="basic-motions", workspace=str(tmp_path))
    question = HumanMessage("How many sessions are there?")
    state = build_graph().invoke({"messages": [*history, question]}, context=context)
    assert [m.type for m in state["messages"]][:4] == ["human", "ai", "tool", "human"]
    assert state["outcome"] == "answer"
