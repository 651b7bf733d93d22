"""What is read of everyday questions, and what is left over and said so."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.offline.everyday.channels import channels_meant, parts_of
from tool_use_om.agent.offline.everyday.read import read_everyday
from tool_use_om.agent.offline.everyday.spelling import corrected
from tool_use_om.agent.offline.everyday.text import Words
from tool_use_om.agent.offline.language.names import Names

HOME: dict[str, Any] = {
    "name": "home",
    "channels": [
        {"id": "signal.PV-Leistung", "unit": "W"}, {"id": "signal.Hausverbrauch", "unit": "W"},
        {"id": "signal.Netzbezug", "unit": "W"}, {"id": "signal.Akkustand", "unit": "%"},
    ],
    "dates": {"from": "2024-06-01", "to": "2024-06-30"}, "n_subjects": 1,
}  # fmt: skip
WATCH: dict[str, Any] = {
    "name": "watch",
    "channels": [{"id": "signal.hr", "unit": "bpm"}, {"id": "signal.steps", "unit": "count"}],
    "labels": {"sleep": ["deep", "light", "rem"]},
    "dates": {"from": "2024-07-01", "to": "2024-07-21"}, "n_subjects": 1,
}  # fmt: skip
PRESS: dict[str, Any] = {
    "name": "press", "channels": [{"id": "signal.temp", "unit": "degC"}],
    "labels": {"state": ["RUN", "FAULT"]},
    "dates": {"from": "2024-05-02", "to": "2024-06-01"}, "n_subjects": 1,
}  # fmt: skip
STOCK: dict[str, Any] = {
    "name": "stock",
    "channels": [
        {"id": f"signal.{c}", "unit": "a.u."} for c in ("Open", "High", "Close", "Volume")
    ],
    "dates": {"from": "2022-01-03", "to": "2024-08-30"}, "n_subjects": 1,
}  # fmt: skip
JUNE = {"first_date": "2024-06-01", "last_date": "2024-06-30"}


@pytest.mark.parametrize(
    ("card", "question", "want", "amounts", "calendar"),
    [
        (HOME, "which day did we produce the most solar energy?", "most",
         {"of": "energy", "channel": "signal.PV-Leistung", "by": "date"}, {}),
        (HOME, "wieviel Strom haben wir im Juni insgesamt aus dem Netz gezogen", "value",
         {"of": "energy", "channel": "signal.Netzbezug", "by": "whole"}, JUNE),
        (HOME, "is our consumption higher on the weekend than during the week", "most",
         {"statistic": "mean", "channel": "signal.Hausverbrauch", "by": "weekend"}, {}),
        (HOME, "average PV between 10 and 12 o'clock", "value",
         {"statistic": "mean", "channel": "signal.PV-Leistung", "by": "whole"},
         {"hours": [10, 11]}),
        (HOME, "what was the lowest battery %", "least",
         {"statistic": "min", "channel": "signal.Akkustand", "by": "whole"}, {}),
        (HOME, "at what time of day is the battery normally lowest", "least",
         {"statistic": "mean", "channel": "signal.Akkustand", "by": "hour"}, {}),
        (WATCH, "how many steps did i do yesterday lol", "value",
         {"statistic": "sum", "channel": "signal.steps", "by": "whole"},
         {"first_date": "2024-07-20", "last_date": "2024-07-20"}),
        (WATCH, "how many days did I hit 10k", "passed",
         {"channel": "signal.steps", "passing": 10000.0, "statistic": "sum", "by": "date"}, {}),
        (WATCH, "hw long was my heart rate abvoe 150", "value",
         {"of": "time", "channel": "signal.hr", "above": 150.0, "by": "whole"}, {}),
        (WATCH, "how much deep sleep per night", "mean",
         {"of": "time", "label": "deep", "by": "night"}, {}),
        (PRESS, "how many hours was the machine in FAULT in may", "value",
         {"of": "time", "label": "FAULT", "by": "whole"},
         {"first_date": "2024-05-01", "last_date": "2024-05-31"}),
        (PRESS, "on how many days did it get above 80 °C?", "passed",
         {"channel": "signal.temp", "passing": 80.0, "statistic": "max", "by": "date"}, {}),
        (PRESS, "how often does a FAULT come per day", "mean",
         {"of": "events", "label": "FAULT", "by": "date"}, {}),
        (STOCK, "2022 vs 2023 return", "most",
         {"of": "return", "channel": "signal.Close", "by": "periods",
          "periods": [["2022-01-01", "2022-12-31"], ["2023-01-01", "2023-12-31"]]}, {}),
        (STOCK, "more volume on mondays or fridays", "most",
         {"statistic": "mean", "channel": "signal.Volume", "by": "weekday"}, {"weekdays": [0, 4]}),
        (STOCK, "whats the all time high", "value",
         {"statistic": "max", "channel": "signal.Close", "by": "whole"}, {}),
    ],
)  # fmt: skip
def test_everyday_question_is_read(
    card: dict[str, Any], question: str, want: str, amounts: dict[str, Any],
    calendar: dict[str, Any],
) -> None:  # fmt: skip
    found = read_everyday(question, [card])
    (ask,) = found.asks
    assert dict(ask.amounts) == amounts
    assert (ask.want, dict(ask.calendar)) == (want, calendar)
    assert found.left in {(), ("hw",)}


@pytest.mark.parametrize(
    ("card", "question"),
    [
        (HOME, "how many euros did we earn with the solar panels"),
        (WATCH, "how many calories did I burn yesterday in steps"),
        (PRESS, "how many parts were made during RUN"),
        (STOCK, "which dividend was the highest close"),
    ],
)
def test_what_is_counted_and_not_there_is_no_fair_answer(
    card: dict[str, Any], question: str
) -> None:
    """The rest of such a question would answer another one."""
    found = read_everyday(question, [card])
    assert not found.whole
    assert not found.fair


def test_a_word_of_no_weight_may_be_left_and_is_named() -> None:
    found = read_everyday("what is my resting heart rate on average in july", [WATCH])
    assert found.left == ("resting",)
    assert found.fair


def test_a_time_outside_the_data_is_refused_with_what_there_is() -> None:
    found = read_everyday("how many steps in march 2020", [WATCH])
    assert found.refused == (
        "The data go from 2024-07-01 to 2024-07-21; they have nothing of 2020-03-01 to 2020-03-31."
    )


def test_several_things_are_asked_at_once() -> None:
    found = read_everyday("min max avg temperature last week pls", [PRESS])
    assert [dict(a.amounts)["statistic"] for a in found.asks] == ["min", "max", "mean"]
    assert all(dict(a.calendar)["first_date"] == "2024-05-20" for a in found.asks)


def test_a_clause_about_the_same_thing_adds_nothing() -> None:
    found = read_everyday(
        "which day was the best for solar energy, and how much kWh was that?", [HOME]
    )
    assert len(found.asks) == 1


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("the battery", "signal.Akkustand"), ("our consumption", "signal.Hausverbrauch"),
        ("from the grid", "signal.Netzbezug"), ("solar", "signal.PV-Leistung"),
    ],
)  # fmt: skip
def test_people_call_channels_otherwise(said: str, meant: str) -> None:
    assert channels_meant(Words(f"how high is {said}"), Names.of([HOME])) == (meant,)


def test_words_of_statistics_name_no_channel() -> None:
    card = {"name": "x", "channels": [{"id": "a.load_mean"}, {"id": "b.load_total"}]}
    assert len(channels_meant(Words("the mean of load"), Names.of([card]))) == 2


def test_names_are_cut_where_people_read_them() -> None:
    assert parts_of("signal.OutdoorTemp_2") == ("outdoor", "temp", "2")


def test_slips_are_mended_and_names_are_not() -> None:
    names = Names.of([{"name": "x", "channels": [{"id": "signal.avove"}]}])
    assert corrected("avarage abvoe avove", names) == "average above avove"


def test_months_and_periods_are_compared() -> None:
    """Winter begins in the year before it ends; "I mean" asks for no mean."""
    card = {**PRESS, "dates": {"from": "2023-05-01", "to": "2024-10-28"}}
    (ask,) = read_everyday(
        "is the temperature higher June to August 2023 compared with December to February, i mean",
        [card],
    ).asks
    assert dict(ask.amounts)["periods"] == [
        ["2023-06-01", "2023-08-31"], ["2023-12-01", "2024-02-29"],
    ]  # fmt: skip


def test_shifts_may_stand_behind_the_question() -> None:
    (ask,) = read_everyday("which shift worst? 6-14, 14-22, night", [PRESS]).asks
    assert dict(ask.amounts) == {
        "of": "time", "label": "FAULT", "by": "parts", "parts": [[6, 14], [14, 22], [22, 6]],
    }  # fmt: skip


def test_two_channels_that_go_together() -> None:
    card = {**HOME, "channels": [{"id": "s.Wind", "unit": "mph"},
                                 {"id": "s.Rel_Pressure", "unit": "inHg"}]}  # fmt: skip
    (ask,) = read_everyday("does the wind pick up when the barometer falls?", [card]).asks
    assert (ask.statistic, ask.channels) == ("correlation", ("s.Wind", "s.Rel_Pressure"))


def test_a_clause_that_is_not_read_is_named_whole() -> None:
    """What a question also asks must not be dropped in silence."""
    found = read_everyday(
        "what is the max temperature, and when does the pump typically leak?", [PRESS]
    )
    assert not found.whole
    assert "leak" in " ".join(found.left)


def test_a_month_left_over_is_no_fair_answer() -> None:
    found = read_everyday(
        "what was the average temperature around Lichtmess february mood", [PRESS]
    )
    assert not found.fair


def test_words_of_questions_name_no_channel_by_a_part_of_its_name() -> None:
    """A column may be called anything; "sessions" in a question are sessions."""
    card = {"name": "x", "channels": [{"id": "signal.n_sessions and c1"}, {"id": "signal.plain"}]}
    words = Words("How many sessions are there of each label?")
    assert channels_meant(words, Names.of([card])) == ()


def test_channels_that_measure_alike_are_told_side_by_side() -> None:
    card = {"name": "plugs", "n_sessions": 1, "channels": [
        {"id": f"s.{one}_power", "unit": "W"} for one in ("fridge", "tv", "washer")]}  # fmt: skip
    found = read_everyday("which thing eats most power in total, kwh for all 3", [card])
    assert [dict(a.amounts)["channel"] for a in found.asks] == [c["id"] for c in card["channels"]]
    assert {dict(a.amounts)["of"] for a in found.asks} == {"energy"}


def test_a_band_of_values_is_no_hours() -> None:
    (ask,) = read_everyday(
        "what % of the time was the temperature between 3.9 and 10", [PRESS]
    ).asks
    assert dict(ask.amounts) == {
        "of": "time", "channel": "signal.temp", "above": 3.9, "below": 10.0, "by": "whole",
    }  # fmt: skip


@pytest.mark.parametrize("question", [
    "total temperature per day", "how many hours of temperature",
    "what share of the temperature is it",
])  # fmt: skip
def test_no_mean_is_told_for_a_total_a_time_or_a_share(question: str) -> None:
    asks = read_everyday(question, [PRESS]).asks
    assert all(dict(a.amounts).get("statistic") not in {"mean", "max", "min"} for a in asks)
