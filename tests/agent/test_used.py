"""Every word of a question is used, or said not to be, whichever model plans."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.nodes import judged
from tool_use_om.agent.offline.model import plan_of
from tool_use_om.agent.replies import PlanReply
from tool_use_om.agent.used import first_sentence, leftover, unmet, unused

Cards = list[dict[str, Any]]


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("average heart rate while walking", ["heart rate"]),
        ("How many sessions are there, please?", []),
        ("What is the mean of accelerometer.x while running?", []),
        ("Compare the wuzzle of walking and running", ["wuzzle"]),
        ("Plot bm-test-003 in beautiful turquoise", ["beautiful turquoise"]),
    ],
)
def test_leftover_words_of_a_model_that_does_not_parse(
    question: str, left: list[str], cards: Cards
) -> None:
    """What neither the data nor the trade know is left over; small words never are."""
    assert leftover(question, cards, None) == left


def test_leftover_keeps_what_a_model_admits_if_it_was_asked(cards: Cards) -> None:
    """A model's own list counts, but for words that the question does not have."""
    question = "How many sessions feel blue?"
    assert leftover(question, cards, None, ["blue", "purple"])[0] == "blue"
    assert "purple" not in leftover(question, cards, None, ["blue", "purple"])


def test_leftover_of_a_parsed_question_is_what_the_parser_left(cards: Cards) -> None:
    """Who parses has accounted for each word already."""
    query, _ = plan_of("Find the most marvellous walking", cards)
    assert leftover("Find the most marvellous walking", cards, query) == ["marvellous"]


def test_unused_drops_words_that_stand_in_a_call() -> None:
    """A word that a tool was called with was used, in whatever form."""
    calls = [{"tool": "a", "args": {"labels": ["swim"], "note": "heart.rate"}}]
    assert unused(["heart rate", "swimming", "wuzzle"], calls) == ["wuzzle"]
    assert unused(["wuzzle"], []) == ["wuzzle"]


def test_first_sentence_names_each_phrase() -> None:
    """Nothing left, nothing said."""
    assert first_sentence([]) == ""
    assert '"heart rate", "blue"' in first_sentence(["heart rate", "blue"])


def test_plan_is_stopped_where_the_question_cannot_be_met(cards: Cards) -> None:
    """Code stops it, even where the model has written steps."""
    query, _ = plan_of("average heart rate while walking", cards)
    reply = PlanReply.model_validate(
        {"steps": [{"tool": "show_channel_stats"}], "understood": query.to_json()}
    )
    update = judged("average heart rate while walking", cards, reply, [{"tool": "x", "why": ""}])
    assert update["plan"] == []
    assert update["outcome"] == "question"
    assert update["answer"] == unmet(query)
    assert 'no channel "heart rate"' in update["answer"]
    for choice in update["choices"]:
        assert plan_of(choice, cards)[1], choice
