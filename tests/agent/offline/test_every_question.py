"""No path of the answer writer is unrun: every question of the suite goes to its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tool_use_om.agent.cards import dataset_cards
from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.agent.offline.answer import interpret
from tool_use_om.agent.offline.model import plan_of
from tool_use_om.evals.suites.questions.load import load_questions

SETS = ("basic-motions", "synthetic-days")
ORDINARY = (
    "How many walking sessions are there?",
    "Which subject walks fastest?",
    "What happened at 12 seconds in session 4?",
    "What happened at 5 seconds in session bm-test-004?",
    "Who was recorded?",
    "Which sessions are there?",
    "How long is everything in total?",
    "How much time in all is walking?",
    "What share of the time is walking?",
    "Are the labels balanced?",
    "Which dates do the data cover?",
    "What is the sampling period?",
    "Which is the longest session?",
    "Which parts have no label?",
    "Which recordings may be mislabelled?",
    "What is the median of each channel?",
    "What is the 95th percentile of accelerometer x?",
    "When was accelerometer x highest?",
    "During which activity is accelerometer x highest?",
    "How often was accelerometer x above 3?",
    "Does accelerometer x rise over time?",
    "How are accelerometer x and accelerometer y related?",
    "Is there a daily pattern in accelerometer x?",
    "What is the mean of accelerometer x per hour of the day?",
    "What is the mean of accelerometer x on weekends?",
    "What is the mean of accelerometer x in April?",
    "What is the mean of accelerometer x without the first 2 seconds?",
    "What is the mean of accelerometer x in the last 2 seconds?",
)


def ask(question: str, dataset: str, workspace: Path) -> dict[str, Any]:
    context = AgentContext(dataset=dataset, workspace=str(workspace))
    state: dict[str, Any] = build_graph().invoke({"question": question}, context=context)
    return state


def check(state: dict[str, Any]) -> None:
    """An answer is prose: no JSON, no traceback, and nothing of it had to be cut."""
    answer = str(state["answer"])
    assert answer.strip()
    assert not answer.lstrip().startswith(("{", "["))
    assert "Traceback" not in answer
    assert not (state["verification"] or {}).get("cut")


@pytest.mark.slow
@pytest.mark.parametrize("dataset", SETS)
def test_ordinary_questions_are_answered(dataset: str, sample_workspace: Path) -> None:
    """Asked for real, on both samples."""
    for question in ORDINARY:
        check(ask(question, dataset, sample_workspace))


@pytest.mark.slow
@pytest.mark.parametrize("dataset", SETS)
def test_every_question_about_data_is_answered(dataset: str, sample_workspace: Path) -> None:
    """All of the suite's questions that only look at data, run for real on either sample."""
    for row in load_questions():
        if row["phase"] == "eda":
            check(ask(row["question"], dataset, sample_workspace))


@pytest.mark.parametrize("dataset", SETS)
def test_every_question_is_planned_and_its_failure_told(
    dataset: str, sample_workspace: Path
) -> None:
    """Whatever step fails, the answer says so in words."""
    context = AgentContext(dataset=dataset, workspace=str(sample_workspace))
    cards = dataset_cards(context, "")
    for row in load_questions():
        _, steps = plan_of(row["question"], cards)
        results = [
            {"result_id": None, "tool": s.tool, "args": s.args, "content": {"error": "no luck"}}
            for s in steps
        ]
        reply = interpret({"question": row["question"], "results": results})
        json.dumps(reply)
        assert reply["prose"].strip(), row["question"]
