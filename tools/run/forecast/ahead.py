"""Tomorrow, next week, next month: the calendar's own periods past the end of a session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from tool_use_om.data.format.calendar import STEP_S, Calendar, advance, zone_of
from tool_use_om.tools.look.clock import starts

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet

Period = Literal["tomorrow", "next_week", "next_month", "next_year"]
_MOST_STEPS = 1000
_NOMINAL_S = {
    "tomorrow": STEP_S["day"], "next_week": STEP_S["week"], "next_month": STEP_S["month"],
    "next_year": STEP_S["year"],
}  # fmt: skip


def span_ahead(dataset: DataSet, session_id: str, period: Period) -> tuple[float, float]:
    """Return from when to when a period lasts, in seconds past the session's end.

    Tomorrow is the day after that of the last sample, next week begins on the Monday after it, next
    month on the first after it, by the clock of the set's own zone. On a calendar of steps it is
    the steps whose dates lie in the period, the next step where none does. Without dates it is the
    nominal length from the end on.
    """
    calendar = dataset.manifest.calendar
    start = starts(dataset.sessions()).get(session_id)
    if start is None:
        return 0.0, _NOMINAL_S[period]
    duration = dataset.duration_of(session_id)
    rate = max(m.rate_hz for m in dataset.manifest.modalities)
    last = calendar.stamps(start, [max(duration - 1 / rate, 0.0)])[0].astype(object)
    first, after = _days(last.date(), period)
    if calendar.step is not None:
        return _steps(last, first, after, calendar)
    zone = UTC if calendar.zone is None else zone_of(calendar.zone)
    end = start.timestamp() + duration
    edges = [datetime(d.year, d.month, d.day, tzinfo=zone).timestamp() for d in (first, after)]
    return max(edges[0] - end, 0.0), edges[1] - end


def _days(last: date, period: Period) -> tuple[date, date]:
    """Return the period's first day, and the first day behind it."""
    ends: dict[Period, Callable[[], tuple[date, date]]] = {
        "tomorrow": lambda: (last + timedelta(1), last + timedelta(2)),
        "next_week": lambda: _week_from(last + timedelta(7 - last.weekday())),
        "next_month": lambda: (_month_after(last), _month_after(_month_after(last))),
        "next_year": lambda: (date(last.year + 1, 1, 1), date(last.year + 2, 1, 1)),
    }
    return ends[period]()


def _week_from(monday: date) -> tuple[date, date]:
    return monday, monday + timedelta(7)


def _month_after(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _steps(last: datetime, first: date, after: date, calendar: Calendar) -> tuple[float, float]:
    import numpy as np

    if calendar.step is None:
        return 0.0, 0.0
    dates = advance(np.datetime64(last, "us"), calendar.step, np.arange(1, _MOST_STEPS))
    inside = np.flatnonzero((dates >= np.datetime64(first)) & (dates < np.datetime64(after)))
    low, high = (int(inside[0]), int(inside[-1]) + 1) if inside.size else (0, 1)
    return low * STEP_S[calendar.step], high * STEP_S[calendar.step]
