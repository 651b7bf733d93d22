"""A word that is a part of a name means what is so called; several are asked back about."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.offline.language.parse import parse

CARD: dict[str, Any] = {
    "name": "lab",
    "channels": [
        {"id": "fridge_A.Temperature", "unit": "degC"},
        {"id": "freezer_minus80.Temperature", "unit": "degC"},
        {"id": "freezer_minus80.Battery", "unit": "V"},
        {"id": "room.temp_f", "unit": "degF"},
        {"id": "room.rh", "unit": "%"},
        {"id": "bath_1.level", "unit": "V"},
        {"id": "bath_2.level", "unit": "V"},
    ],
    "labels": {},
    "session_ids": ["LOG"],
    "duration_s": {"min": 1000.0, "max": 1000.0},
}


@pytest.mark.parametrize(
    ("question", "channels"),
    [
        ("what is the mean of the fridge", ("fridge_A.Temperature",)),
        ("how long was the fridge over 8", ("fridge_A.Temperature",)),
        ("mean fridge temperature", ("fridge_A.Temperature",)),
        ("what is the mean temperature of the fridge", ("fridge_A.Temperature",)),
        ("what is the maximum of the freezer", ("freezer_minus80",)),
        ("what was the mean room temp", ("room.temp_f",)),
        ("what is the minimum of the battery", ("freezer_minus80.Battery",)),
    ],
)
def test_a_part_of_one_name_means_it(question: str, channels: tuple[str, ...]) -> None:
    query = parse(question, [CARD])
    (ask,) = query.asks
    assert ask.channels == channels
    assert not query.not_understood
    assert not query.refused


def test_a_part_of_several_names_is_asked_back_with_them() -> None:
    query = parse("what is the mean of the bath", [CARD])
    assert "`bath_1.level` or `bath_2.level`" in query.refused[0]


def test_another_modality_s_channel_is_not_taken_for_one_s_own() -> None:
    """No temperature of the pond is named so: it is asked which of its channels is meant."""
    channels = [{"id": "pond.a"}, {"id": "pond.b"}, {"id": "shed.temperature", "unit": "degC"}]
    query = parse("mean pond temperature", [{**CARD, "channels": channels}])
    assert "`pond.a` or `pond.b`" in query.refused[0]


def test_another_word_for_the_short_name_of_one_channel_means_it() -> None:
    channels = [{"id": "signal.heart_rate"}, {"id": "signal.speed_m_s"}]
    (ask,) = parse("how high did my pulse go", [{**CARD, "channels": channels}]).asks
    assert (ask.statistic, ask.channels) == ("max", ("signal.heart_rate",))


def test_a_unit_that_values_are_not_in_is_refused_and_their_own_is_not() -> None:
    other = parse("what is the mean of room.temp_f in celsius", [CARD])
    assert "`room.temp_f` is in degF, and values are not converted to degC" in other.refused[0]
    own = parse("what is the mean of fridge_A.Temperature in celsius", [CARD])
    assert (own.refused, own.not_understood) == ((), ())


@pytest.mark.parametrize(
    ("unit", "understood"), [("", True), ("a.u.", True), ("degC", True), ("%", False)]
)
def test_a_quantity_beside_a_channel_names_it_where_the_unit_may_be_so(
    unit: str, understood: bool
) -> None:
    """Room_c may be a temperature where its unit is one or not known, and not a percentage."""
    card = {**CARD, "channels": [{"id": "night.room_c", "unit": unit}, {"id": "night.hr"}]}
    query = parse("mean room temp", [card])
    assert (not query.refused and not query.not_understood) is understood
