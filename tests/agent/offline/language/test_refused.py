"""Names that the data do not have, and times that cannot be, are said plainly."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.model import plan_of

Cards = list[dict[str, Any]]


@pytest.mark.parametrize(
    ("question", "kind", "name", "valid"),
    [
        ("What is the mean of the barometer?", "channel", "barometer", "`gyroscope.z`"),
        ("Predict the next 5 seconds of the barometer", "channel", "barometer", "`gyroscope.z`"),
        ("Show the std while swimming", "label", "swimming", "`walking`"),
        ("find swimming", "label", "swimming", "`walking`"),
        ("Find walking and plot the wuzzle", "channel", "wuzzle", "`gyroscope.z`"),
        ("Plot the wuzzle of bm-test-003", "channel", "wuzzle", "`gyroscope.z`"),
        ("find hand-washing", "label", "hand-washing", "`walking`"),
    ],
)
def test_parse_refused_names_the_unknown_and_the_valid(
    question: str, kind: str, name: str, valid: str, cards: Cards
) -> None:
    """An unknown channel or label stops the plan and is said with what there is instead."""
    query, steps = plan_of(question, cards)
    (said,) = query.refused
    assert f'has no {kind} "{name}"' in said
    assert valid in said
    assert steps == []


@pytest.mark.parametrize(
    "question",
    [
        "What is the mean of the accelerometer?",
        "Find the most marvellous walking",
        "Compute the std of all recorded sessions",
        "What is the capital of France?",
        "Show the variance observed while running",
        "Change the window from 4 s to 2 s",
    ],
)
def test_parse_refused_leaves_other_words_alone(question: str, cards: Cards) -> None:
    """An unknown word that names neither channel nor label refuses nothing."""
    assert parse(question, cards).refused == ()


@pytest.mark.parametrize(
    "words", ["seconds 5 to 3", "from 5 s to 3 s", "between 5 and 3 seconds", "seconds 3 to 3"]
)
def test_parse_refused_when_a_stretch_ends_before_it_begins(words: str, cards: Cards) -> None:
    """A backwards or empty range is refused with what is expected, not dropped."""
    query, steps = plan_of(f"Plot {words} of session bm-test-003", cards)
    (said,) = query.refused
    assert "earlier time first" in said or "must be after its start" in said
    assert steps == []


def test_parse_keeps_an_unknown_session_id(cards: Cards) -> None:
    """A session that is not there is asked for by its name, so that the tool can say so."""
    _, steps = plan_of("Is there anything unusual in session day-01?", cards)
    (run,) = [step for step in steps if step.tool == "run_task"]
    assert run.args["query_session"] == "day-01"
