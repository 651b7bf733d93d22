"""A quantity named by what it is, a noun the data lack, and what happens to a channel."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.offline.forms.registry import plan_steps
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.parse import parse

Card = dict[str, Any]


def card(name: str, **units: str) -> Card:
    channels = [{"id": f"{c}.value", "unit": u, "rate_hz": 1 / 3600} for c, u in units.items()]
    length = dict.fromkeys(("min", "median", "max"), 864_000.0)
    return {"name": name, "channels": channels, "session_ids": ["s1"], "duration_s": length}


PLANT = card("plant", oven_temp="degC", line_pressure="bar", meter="kWh")
OVENS = card("ovens", oven_temp="degC", hall_temp="degC")
CLOSE = {**card("close", Close="a.u."), "channels": [{"id": "signal.Close", "unit": "a.u."}]}
PHONE = {**card("phone", motion="g"), "labels": {"activity": ["walking", "sitting"]}}


def planned(question: str, data: Card) -> list[tuple[str, dict[str, Any]]]:
    query = parse(question, [data])
    assert not query.refused, query.refused
    return [(s.tool, s.args) for s in plan_steps(query, Names.of([data]), ())]


@pytest.mark.parametrize(
    ("question", "data", "channel", "args"),
    [
        ("How much electricity did we use altogether?", PLANT, "meter.value", {"statistic": "sum"}),
        ("What was the latest closing price?", CLOSE, "signal.Close", {"statistic": "last"}),
        ("What was the average oven temperature on each day?", OVENS, "oven_temp.value",
         {"statistic": "mean", "by": "date"}),
        ("What is the maximum pressure?", PLANT, "line_pressure.value", {"statistic": "max"}),
    ],
)  # fmt: skip
def test_quantity_finds_its_channel(
    question: str, data: Card, channel: str, args: dict[str, Any]
) -> None:
    """By a part of a name or by its unit, with the word beside it where several fit."""
    found = planned(question, data)
    assert ("select_channels", {"channels": [channel]}) in found
    assert any(t == "show_channel_stats" and args.items() <= a.items() for t, a in found)


def test_forecast_of_a_quantity_is_of_its_channel() -> None:
    """The word of the name tells one oven's temperature from the hall's."""
    asked = parse("What will the oven temperature be in the next hour, on average?", [OVENS])
    assert next((a.kind, a.channels) for a in asked.asks) == ("forecast", ("oven_temp.value",))


def test_quantity_of_several_channels_is_asked_back() -> None:
    """Which temperature is meant is not guessed."""
    query = parse("What was the average temperature?", [OVENS])
    assert "Which one is meant?" in query.refused[0]
    assert "What was the average hall_temp.value?" in query.choices


@pytest.mark.parametrize(
    ("question", "data", "noun"),
    [
        ("Which day had the highest trading volume?", CLOSE, "trading volume"),
        ("How many parts did we produce per shift?", PLANT, "parts"),
        ("What is the mean blood oxygen?", PLANT, "blood oxygen"),
        ("average blood pressure", PLANT, "blood pressure"),
    ],
)
def test_noun_that_the_data_lack_is_refused(question: str, data: Card, noun: str) -> None:
    """The object of a measure is what a question is about."""
    assert f'has no channel "{noun}' in parse(question, [data]).refused[0]


@pytest.mark.parametrize(
    ("question", "by"),
    [("Which activity has the strongest movement?", "label"), ("Who moves most?", "subject")],
)
def test_strength_of_movement_is_a_spread(question: str, by: str) -> None:
    """Movement is how much a signal varies."""
    (ask,) = parse(question, [PHONE]).asks
    assert (ask.kind, ask.statistic, ask.by) == ("stats", "std", by)


@pytest.mark.parametrize(
    "question",
    [
        "Did anything go wrong with the line pressure?",
        "Is anything off with the line pressure?",
        "Did something happen to the line pressure?",
    ],
)
def test_what_went_wrong_with_a_channel_is_an_anomaly(question: str) -> None:
    """The data check looks for faults of recording, not for a drop of what was recorded."""
    (ask,) = parse(question, [PLANT]).asks
    assert (ask.kind, ask.channels) == ("anomaly", ("line_pressure",))


def test_what_went_wrong_with_the_data_is_a_check() -> None:
    """Without a channel it is still the data that are checked."""
    assert parse("Is anything wrong with the data?", [PLANT]).asks[0].kind == "check"
