"""A set whose source calls a session a night or a cycle is asked about by that word."""

from __future__ import annotations

import pytest

from tool_use_om.agent.offline.language.parse import parse


def _card(name: str, noun: str) -> dict[str, object]:
    return {
        "name": name,
        "channels": [{"id": "signal.heart_rate", "unit": "bpm", "rate_hz": 1.0}],
        "labels": {"state": ["ok", "faulty"]},
        "session_noun": noun,
    }


@pytest.mark.parametrize(
    ("question", "kind", "by"),
    [
        ("In which night was the heart rate highest?", "stats", "session"),
        ("What is the average heart rate per night?", "stats", "session"),
        ("Was one of the nights different from the others?", "unlike", None),
        ("How many nights are there?", "sessions", None),
        ("How long is one night?", "facts", None),
    ],
)
@pytest.mark.parametrize("name", ["nights", "sleep"])
def test_own_noun_means_sessions(name: str, question: str, kind: str, by: str | None) -> None:
    """Also where the data set is called by the same word."""
    query = parse(question, [_card(name, "night")])
    assert [(ask.kind, ask.by) for ask in query.asks] == [(kind, by)]
    assert not query.not_understood
    assert not query.refused


def test_cycle_is_a_session_unless_it_is_a_rhythm() -> None:
    """A daily cycle stays a period; one cycle is one session."""
    card = _card("pump", "cycle")
    assert parse("How long is one cycle?", [card]).asks[0].kind == "facts"
    assert parse("Is there a daily cycle in the heart rate?", [card]).asks[0].kind == "stats"


def test_all_and_some_are_two_counts() -> None:
    """The first count keeps no filter of the second."""
    question = "How many cycles are there and how many of them were faulty?"
    asks = parse(question, [_card("pump", "cycle")]).asks
    assert [(ask.kind, ask.labels) for ask in asks] == [("sessions", ()), ("sessions", ("faulty",))]
