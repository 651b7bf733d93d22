"""A question that leans on the one before asks what its whole form would."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.model import steps_of
from tool_use_om.agent.offline.talk.follow import follow
from tool_use_om.agent.offline.talk.frame import Frame, next_frame

Cards = list[dict[str, Any]]


def after(cards: Cards, *questions: str, head: str = "prototypes") -> Query:
    """Return what the last of some questions asks."""
    frame, query = Frame(), Query()
    for question in questions:
        query = follow(question, cards, frame, parse)
        answered = bool(steps_of(query, cards))
        state = {
            "outcome": "answer" if answered else "question", "understood": query.to_json(),
            "question": question, "choices": list(query.choices), "frame": frame.to_json(),
        }  # fmt: skip
        ran = ToolMessage(json.dumps({"head": head}), tool_call_id="1", name="run_task")
        frame = next_frame(state, [ran] if answered else [])
    return query


def calls(query: Query, cards: Cards) -> list[Any]:
    return [(s.tool, s.args) for s in steps_of(query, cards)]


LEANING = [
    (("Find walking",), "and running?", "Find running"),
    (("Find walking",), "what about standing", "Find standing"),
    (("Find walking",), "same for running please", "Find running"),
    (("Find walking",), "no, I meant badminton", "Find badminton"),
    (("Find walking",), "with knn", "Find walking with knn"),
    (("Find walking", "and running?"), "with knn instead", "Find running with knn"),
    (
        ("What is the mean of accelerometer.x while walking?",),
        "what about the y axis?",
        "What is the mean of accelerometer.y while walking?",
    ),
    (
        ("What is the mean of accelerometer.x while walking?", "and running?"),
        "and the maximum?",
        "What is the maximum of accelerometer.x while running?",
    ),
    (
        ("What is the mean of accelerometer.x while walking?",),
        "only the first 5 seconds",
        "What is the mean of accelerometer.x while walking in the first 5 seconds?",
    ),
    (
        ("What is the mean of accelerometer.x while walking?",),
        "forget the filter",
        "What is the mean of accelerometer.x?",
    ),
    (
        ("Predict the next 5 seconds of the accelerometer",),
        "now only 1 s",
        "Predict the next 1 second of the accelerometer",
    ),
    (
        ("Predict the next 5 seconds of the accelerometer",),
        "how about the gyroscope?",
        "Predict the next 5 seconds of the gyroscope",
    ),
    (
        ("Find walking and predict the next 5 seconds of accelerometer data",),
        "and running?",
        "Find running and predict the next 5 seconds of accelerometer data",
    ),
    (
        ("Find walking and predict the next 5 seconds of accelerometer data",),
        "make it 2 seconds",
        "Find walking and predict the next 2 seconds of accelerometer data",
    ),
    (("How many sessions are there?",), "and running?", "How many running sessions are there?"),
    (
        ("How many sessions are there?",),
        "how many of them are in the test split?",
        "How many sessions are in the test split?",
    ),
    (("Plot accelerometer.x",), "and gyroscope.z?", "Plot gyroscope.z"),
    (
        ("What is the mean of gyroscope.x while walking?",),
        "predict it",
        "Predict gyroscope.x of walking",
    ),
    (("Classify the labels",), "why not knn?", "Compare prototypes and knn"),
    (("What does standing look like?",), "Find walking", "Find walking"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "question", "whole"), LEANING)
def test_leaning_question_plans_what_its_whole_form_does(
    cards: Cards, before: tuple[str, ...], question: str, whole: str
) -> None:
    assert calls(after(cards, *before, question), cards) == calls(parse(whole, cards), cards)


@pytest.mark.parametrize("question", ["Find walking", "How many channels are there?"])
def test_question_of_its_own_takes_nothing_over(cards: Cards, question: str) -> None:
    asked = after(cards, "What is the mean of accelerometer.x in the test split?", question)
    assert asked == parse(question, cards)
    assert not asked.taken


def test_what_is_taken_over_is_told(cards: Cards) -> None:
    asked = after(cards, "What is the mean of accelerometer.x while walking?", "and running?")
    assert asked.taken == "as before: mean, accelerometer.x, but walking → running"


def test_name_that_is_not_there_is_refused_by_name(cards: Cards) -> None:
    asked = after(cards, "Find walking", "and swimming?")
    assert '"swimming"' in asked.refused[0]
    assert not calls(asked, cards)


def test_start_over_forgets(cards: Cards) -> None:
    asked = after(cards, "Find walking", "start over", "and running?")
    assert not asked.taken
    assert not calls(asked, cards)


def test_refused_turn_leaves_the_frame_as_it_was(cards: Cards) -> None:
    asked = after(cards, "Find walking", "and swimming?", "and running?")
    assert calls(asked, cards) == calls(parse("Find running", cards), cards)


@pytest.mark.parametrize(
    ("reply", "taken"),
    [("1", 0), ("the second", 1), ("2.", 1), ("the last one", 1), ("Find running", 1)],
)
def test_reply_takes_an_offered_question(cards: Cards, reply: str, taken: int) -> None:
    choices = ("Find walking", "Find running")
    frame = Frame(choices=choices)
    asked = follow(reply, cards, frame, parse)
    assert calls(asked, cards) == calls(parse(choices[taken], cards), cards)


def test_yes_takes_the_only_offered_question(cards: Cards) -> None:
    def own(text: str, known: Any) -> Query:
        return parse(text, known)

    assert follow("yes", cards, Frame(choices=("Find walking",)), own).asks
    assert not follow("yes", cards, Frame(choices=("Find walking", "Find running")), own).asks


def test_change_of_nothing_is_asked_about(cards: Cards) -> None:
    asked = after(cards, "Find walking", "how many?")
    assert asked.refused
    assert not calls(asked, cards)


def test_frame_keeps_head_and_results() -> None:
    ran = ToolMessage('{"head": "knn", "result_id": "r-1"}', tool_call_id="1", name="run_task")
    state = {"outcome": "answer", "understood": {"asks": [{"kind": "find"}]}, "question": "q"}
    frame = next_frame(state, [HumanMessage("q"), AIMessage(""), ran])
    assert (frame.head, frame.results) == ("knn", ("r-1",))
    assert Frame.from_json(frame.to_json()) == frame
