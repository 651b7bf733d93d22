"""What kind of end a run has, and whose words its answer holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from tool_use_om.agent.answering import check_draft, final_update, guarded, results_of
from tool_use_om.agent.offline.answer import interpret
from tool_use_om.agent.state import AgentState

EMPTY: dict[str, Any] = {
    "dataset": "x", "n_sessions": 0, "n_sessions_total": 1, "n_subjects": 0, "sessions": [],
    "duration_s": {"min": None, "max": None, "median": None, "total": 0.0}, "channels": [],
    "sessions_per_label": {}, "sessions_per_split": {}, "result_id": "r-1",
}  # fmt: skip


def state(
    tool: str, content: Any, *, plan: tuple[str, ...], prose: str | None = None
) -> AgentState:
    """Return a run of one call, with our own words as its draft unless `prose` is given."""
    failed = isinstance(content, str)
    call = {"name": tool, "args": {"split": "test"}, "id": "1"}
    message = ToolMessage(content if failed else json.dumps(content), name=tool, tool_call_id="1",
                          status="error" if failed else "success")  # fmt: skip
    messages = [HumanMessage("Is anything unusual?"), AIMessage("", tool_calls=[call]), message]
    facts = {"question": "Is anything unusual?", "results": results_of(messages)}
    draft = {"prose": prose or interpret(facts)["prose"], "claims": [], "readable": True}
    return {
        "question": "Is anything unusual?", "messages": messages, "datasets": [], "rounds": 2,
        "plan": [{"tool": t} for t in plan], "draft": draft | {"by_rules": prose is None},
    }  # type: ignore[typeddict-item,return-value]  # a test's shorthand # fmt: skip


def ended(given: AgentState) -> dict[str, Any]:
    results = results_of(given["messages"])
    return final_update(given, check_draft(given, results, ()), results)


def test_a_run_that_never_reached_its_step_is_a_refusal() -> None:
    """ "None of the sessions are in the test split" is no answer to what is unusual."""
    end = ended(state("show_session_stats", EMPTY, plan=("show_session_stats", "run_task")))
    assert "one of the 1 session" in end["answer"]
    assert end["outcome"] == "refusal"
    assert "This is not the answer" in end["answer"]


def test_a_run_whose_only_call_failed_is_a_refusal() -> None:
    """The reason is told; nothing was found."""
    end = ended(state("show_session_stats", "Error: too short", plan=("show_session_stats",)))
    assert end["outcome"] == "refusal"
    assert "too short" in end["answer"]


def test_a_run_that_did_what_was_planned_is_an_answer() -> None:
    """The same result, asked for itself, answers."""
    end = ended(state("show_session_stats", EMPTY, plan=("show_session_stats",)))
    assert end["outcome"] == "answer"
    assert end["verification"]["sourced"]


def test_a_cut_sentence_makes_the_answer_partial() -> None:
    """What stands is shown, what does not is counted."""
    prose = "There are {r1#/n_sessions_total} sessions. There are 99 sessions."
    end = ended(state("show_session_stats", EMPTY, plan=("show_session_stats",), prose=prose))
    assert end["outcome"] == "partial"
    assert "99" not in end["answer"]


@pytest.mark.parametrize(
    ("args", "question", "foreign"),
    [
        ({"min_duration_s": 30.0}, "longer than 30 s?", False),
        ({"min_duration_s": 41.0}, "longer than 30 s?", True),
        ({"statistic": "variance"}, "the variance?", False),
        ({"labels": ["accuracy 99"]}, "the variance?", True),
        ({"labels": ["Walk"]}, "the variance?", False),
        ({"descriptions": [{"name": "99 percent"}]}, "find it", True),
    ],
)
def test_calls_with_values_of_a_models_own_are_told_apart(
    args: dict[str, Any], question: str, foreign: bool
) -> None:
    """Numbers and texts must stand in the question or the cards; names of settings may not."""
    results = [{"result_id": "r", "tool": "t", "args": args, "content": {"n": 1}}]
    cards = [{"name": "homes", "labels": {"activity": ["Walk"]}}]
    assert guarded(results, question, cards)[0]["foreign"] is foreign
