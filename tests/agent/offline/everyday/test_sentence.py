"""Choices that are offered run as they stand, and ask just what was read."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.offline.everyday.agree import measured
from tool_use_om.agent.offline.everyday.read import read_everyday
from tool_use_om.agent.offline.everyday.sentence import sentence_of
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.reader.forms import REFUSED

CARD: dict[str, Any] = {
    "name": "home",
    "channels": [
        {"id": "signal.power", "unit": "kW"}, {"id": "signal.temp_in", "unit": "degC"},
        {"id": "signal.steps", "unit": "count"},
    ],
    "labels": {"state": ["RUN", "FAULT"]}, "session_ids": ["a", "b"], "n_sessions": 2,
    "dates": {"from": "2024-05-02", "to": "2024-06-30"}, "n_subjects": 1,
}  # fmt: skip
GROUPS = ("whole", "date", "hour", "night", "week", "weekday", "month", "year", "session")
AMOUNTS: tuple[dict[str, Any], ...] = (
    {"of": "energy", "channel": "signal.power"},
    *({"statistic": s, "channel": "signal.temp_in"} for s in ("min", "max", "mean", "median")),
    {"statistic": "sum", "channel": "signal.steps"},
    {"of": "time", "label": "FAULT"}, {"of": "events", "label": "RUN"},
    {"of": "time", "channel": "signal.temp_in", "above": 25.0},
    {"of": "events", "channel": "signal.temp_in", "below": 3.5},
)  # fmt: skip


@pytest.mark.parametrize("by", GROUPS)
@pytest.mark.parametrize("amounts", AMOUNTS, ids=lambda a: "-".join(map(str, a.values())))
@pytest.mark.parametrize(
    "calendar",
    [(), (("first_date", "2024-06-01"), ("last_date", "2024-06-10")), (("hours", [10, 11]),)],
    ids=["always", "dates", "hours"],
)
def test_offered_question_is_read_as_what_it_offers(
    amounts: dict[str, Any], by: str, calendar: tuple[tuple[str, Any], ...]
) -> None:
    ask = Ask(kind="amounts", amounts=tuple({**amounts, "by": by}.items()), calendar=calendar)
    text = sentence_of(ask, [CARD])
    if not text:
        return  # nothing is offered, so nothing can be wrong
    (again,) = read_everyday(text, [CARD]).asks
    assert dict(again.amounts) == dict(ask.amounts)
    assert dict(again.calendar) == dict(ask.calendar)


def test_most_of_what_can_be_asked_can_be_offered() -> None:
    asks = [
        Ask(kind="amounts", amounts=tuple({**amounts, "by": by}.items()))
        for amounts in AMOUNTS for by in GROUPS
    ]  # fmt: skip
    offered = [text for ask in asks if (text := sentence_of(ask, [CARD]))]
    assert len(offered) > 0.6 * len(asks)


def test_a_part_that_was_read_is_offered_with_what_was_not() -> None:
    other = Query(dataset="home", not_understood=("euros", "earn"))
    found = measured("how many euros did the total energy of power earn in june", other, [CARD])
    assert found.asks == ()
    assert found.choices == ("What is the energy of signal.power from 2024-06-01 to 2024-06-30?",)
    assert found.refused == ('I read only a part of this, without "euros", "earn".',)


def test_refusals_stay_refusals() -> None:
    other = Query(dataset="home", refused=(REFUSED["advice"],))
    assert measured("should I buy more power in june, total?", other, [CARD]) == other
