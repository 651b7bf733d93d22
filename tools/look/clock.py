"""Sessions on the calendar: which hours, weekdays, months and dates their seconds are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.calendar import STEP_S, Calendar, date_text, zone_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tools.call.working_set import WorkingSet

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
CALENDAR_GROUPS = ("hour", "weekday", "month", "date")
_TOUCH_S = 1e-6  # a stretch that begins at an hour's end is in the next hour


@dataclass(frozen=True, kw_only=True)
class CalendarFilter:
    """Which times of the calendar are meant; empty = all.

    Parameters
    ----------
    hours : of the day, 0 to 23
    weekdays : 0 = Monday to 6 = Sunday
    months : 1 to 12
    first, last : dates, both included; None = open
    """

    hours: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    first: date | None = None
    last: date | None = None

    @classmethod
    def of(cls, ws: WorkingSet) -> CalendarFilter | None:
        """Return the working set's calendar filter, None if it has none."""
        found = cls(
            hours=frozenset(ws.hours), weekdays=frozenset(ws.weekdays), months=frozenset(ws.months),
            first=date.fromisoformat(ws.first_date) if ws.first_date else None,
            last=date.fromisoformat(ws.last_date) if ws.last_date else None,
        )  # fmt: skip
        return None if found == cls() else found

    def takes(self, moment: datetime) -> bool:
        """Say whether a moment (of whole hours) is meant."""
        return self.takes_day(moment) and (not self.hours or moment.hour in self.hours)

    def takes_day(self, moment: datetime) -> bool:
        """Say whether a moment's day is meant."""
        day = moment.date()
        return (
            (not self.weekdays or moment.weekday() in self.weekdays)
            and (not self.months or moment.month in self.months)
            and (self.first is None or day >= self.first)
            and (self.last is None or day <= self.last)
        )


def start_of(value: object) -> datetime | None:
    """Return a session's start as the index has it; None where it has no date."""
    import pandas as pd

    if pd.isna(value):  # type: ignore[call-overload]
        return None
    found: datetime = pd.Timestamp(value).to_pydatetime()  # type: ignore[arg-type]
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def starts(sessions: pd.DataFrame) -> dict[str, datetime]:
    """Return session → start of those that have a date."""
    pairs = zip(sessions["session_id"], sessions["start_utc"], strict=True)
    return {str(s): found for s, value in pairs if (found := start_of(value)) is not None}


def dated(dataset: DataSet, sessions: pd.DataFrame) -> dict[str, datetime]:
    """Return session → start; refuse sessions without dates.

    Raises
    ------
    DataError : no session has a date, so there is no hour, weekday or month
    """
    found = starts(sessions)
    if not found:
        raise DataError(
            f"{dataset.name} has no dates: its sessions count seconds from their own start, so "
            "there is no time of day, weekday, month or date. Ask by seconds instead, or import "
            "the data again with a column of dates."
        )
    return found


def pieces(
    start: datetime, low_s: float, high_s: float, wanted: CalendarFilter, calendar: Calendar
) -> list[tuple[float, float]]:
    """Return the parts of a stretch (seconds from `start`) that lie in the calendar filter.

    Hours, weekdays, months and dates are those of the calendar's own zone and steps.
    """
    found: list[tuple[float, float]] = []
    for begin, end, moment in _blocks(start, low_s, high_s, calendar, hours=bool(wanted.hours)):
        if not wanted.takes(moment):
            continue
        if found and math.isclose(found[-1][1], begin, abs_tol=1e-6):
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def _blocks(
    start: datetime, low_s: float, high_s: float, calendar: Calendar, *, hours: bool
) -> Iterator[tuple[float, float, datetime]]:
    """Yield the hours, days or calendar steps that a stretch touches: from, to, local moment."""
    if calendar.step is not None:
        yield from _steps(start, low_s, high_s, calendar, STEP_S[calendar.step])
        return
    zone = UTC if calendar.zone is None else zone_of(calendar.zone)
    zero = start.timestamp()
    begin = low_s
    while begin < high_s:
        local = datetime.fromtimestamp(zero + begin + _TOUCH_S, zone)
        end = (_next_hour(local) if hours else _next_day(local)).timestamp() - zero
        yield begin, min(end, high_s), local
        begin = end


def _next_hour(local: datetime) -> datetime:
    """Return when a local hour ends; the clock may have changed meanwhile."""
    passed = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return (local.astimezone(UTC) - passed + timedelta(hours=1)).astimezone(local.tzinfo)


def _next_day(local: datetime) -> datetime:
    """Return the next local midnight: a day in which the clock changes has 23 or 25 hours."""
    after = local.date() + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=local.tzinfo)


def _steps(
    start: datetime, low_s: float, high_s: float, calendar: Calendar, length_s: float
) -> Iterator[tuple[float, float, datetime]]:
    import numpy as np

    steps = np.arange(math.floor(low_s / length_s + 1e-9), math.ceil(high_s / length_s - 1e-9))
    moments = calendar.stamps(start, steps * length_s).astype(object)
    for step, moment in zip(steps.tolist(), moments.tolist(), strict=True):
        begin, end = step * length_s, (step + 1) * length_s
        yield max(begin, low_s), min(end, high_s), moment


def codes(start: datetime, time_s: np.ndarray, by: str, calendar: Calendar) -> np.ndarray:
    """Return each sample's hour (0-23), weekday (0-6), month (1-12) or date (days since 1970).

    On a calendar of business days or months a sample's date is a whole step of it; in a time zone
    it is the local one.
    """
    moments = calendar.stamps(start, time_s)
    days = moments.astype("datetime64[D]")
    found: np.ndarray
    if by == "hour":
        found = (moments.astype("datetime64[h]") - days).astype(int)
    elif by == "weekday":
        found = (days.astype(int) + 3) % 7
    elif by == "month":
        found = moments.astype("datetime64[M]").astype(int) % 12 + 1
    else:
        found = days.astype(int)
    return found


def group_name(by: str, code: int) -> str:
    """Return how a group is called: "14:00", "Monday", "April", "2025-03-01"."""
    if by == "hour":
        return f"{code:02d}:00"
    if by == "weekday":
        return WEEKDAYS[code]
    if by == "month":
        return MONTHS[code - 1]
    return (date(1970, 1, 1) + timedelta(days=int(code))).isoformat()


def group_order(by: str, names: Sequence[str]) -> list[int]:
    """Return each name's place on the calendar."""
    known = {"weekday": WEEKDAYS, "month": MONTHS}.get(by)
    return [known.index(n) for n in names] if known else _ranks(names)


def _ranks(names: Sequence[str]) -> list[int]:
    places = {name: i for i, name in enumerate(sorted(set(names)))}
    return [places[n] for n in names]


def moment_text(start: datetime | None, at_s: float, calendar: Calendar) -> str | None:
    """Return a moment on the set's own calendar, "2025-03-01 14:05", "1961-01"; None undated."""
    if start is None:
        return None
    return date_text(calendar.stamps(start, [round(at_s, 3)])[0], calendar.step)


def told_zone(calendar: Calendar) -> dict[str, str]:
    """Return the zone that times of day are told in, as results show it; nothing for UTC."""
    if calendar.step is not None or calendar.zone in {None, "UTC"}:
        return {}
    return {"zone": str(calendar.zone)}
