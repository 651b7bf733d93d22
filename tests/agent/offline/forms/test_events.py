"""Which model could tell: read, tried, answered with ranking and doubt, or that nothing can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.offline.model import plan_of
from tool_use_om.data.synthetic.sets.chances import NAME, convert
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.runner import run_question

CARD = {
    "name": NAME,
    "channels": [
        {"id": f"market.{name}", "unit": unit}
        for name, unit in (("high", "USD"), ("close", "USD"), ("volume", "count"))
    ],
    "labels": {},
}


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        (
            "Which model could tell whether high rises above 1 % within 1 day?",
            {"channel": "market.high", "threshold": 1.0, "relative": True, "direction": "above",
             "horizon_s": 86400.0},
        ),
        (
            "Can any model tell whether close falls below -2 % within 3 days?",
            {"channel": "market.close", "threshold": -2.0, "relative": True, "direction": "below",
             "horizon_s": 259200.0},
        ),
        (
            "Which kind of model can tell whether volume exceeds 500 within 2 days?",
            {"channel": "market.volume", "threshold": 500.0, "direction": "above",
             "horizon_s": 172800.0},
        ),
    ],
)  # fmt: skip
def test_question_becomes_one_call(question: str, wanted: dict[str, Any]) -> None:
    query, steps = plan_of(question, [CARD])
    assert [step.tool for step in steps] == ["show_session_stats", "compare_event_models"]
    assert steps[1].args == wanted
    assert not query.not_understood


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What is the chance that high rises above 120 USD within the next 3 days?", "forecast"),
        ("Which model is best?", "heads"),
    ],
)
def test_questions_like_it_stay_what_they_were(question: str, kind: str) -> None:
    query, _ = plan_of(question, [CARD])
    assert [ask.kind for ask in query.asks] == [kind]


def _answered(place: Workspace, question: str) -> dict[str, Any]:
    context = AgentContext(workspace=str(place.root), dataset=NAME)
    state: dict[str, Any] = run_question(
        question, context, thread_id="events", saver_path=place.root / "saver.sqlite"
    )
    return state


@pytest.mark.slow
def test_answer_ranks_models_and_says_how_sure(tmp_path: Path) -> None:
    place = Workspace.at(tmp_path)
    convert(place.folder("datasets") / NAME, days=1500)
    question = "Which model could tell whether high rises above 1 % within 1 day?"
    answer = str(_answered(place, question)["answer"])
    assert "could best tell whether" in answer
    assert answer.index("last_day") < answer.index("base_rate")
    assert "Not used of your question" not in answer
    assert "in which" not in answer.partition("How sure")[0]


@pytest.mark.slow
def test_answer_says_that_nothing_beats_the_base_rate(tmp_path: Path) -> None:
    """The sign of a price's step without drift cannot be told, and no model is made to."""
    place = Workspace.at(tmp_path)
    convert(place.folder("datasets") / NAME, days=1500)
    question = "Which model could tell whether close rises above 0 % within 1 day?"
    answer = str(_answered(place, question)["answer"])
    assert "nothing beats the base rate" in answer.casefold()
