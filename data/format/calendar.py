"""Dates of a data set whose steps are days, business days or months: even steps, exact dates.

Such a set keeps its samples one nominal step apart (a month counts 30.436875 days, a business day
1.4), so that everything that works in seconds works on it; this file turns the steps into dates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pydantic import BaseModel, ConfigDict, field_validator

from tool_use_om.data.errors import DataError

Step = Literal["day", "business_day", "week", "month", "quarter", "year"]
DAY_S = 86400.0
MONTH_S = 365.2425 / 12 * DAY_S
STEP_S: dict[Step, float] = {
    "day": DAY_S,
    "business_day": 7 / 5 * DAY_S,
    "week": 7 * DAY_S,
    "month": MONTH_S,
    "quarter": 3 * MONTH_S,
    "year": 12 * MONTH_S,
}
STEP_WORDS: dict[Step, str] = {
    "day": "days",
    "business_day": "business days",
    "week": "weeks",
    "month": "months",
    "quarter": "quarters",
    "year": "years",
}
_MONTHS: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}
_FEWEST = 3  # dates from which a calendar is believed
_SATURDAY = 5


class Calendar(BaseModel):
    """What a set's time means on a calendar.

    Parameters
    ----------
    step : the calendar step that one sample takes, None where time is plain seconds
    zone : IANA name of the zone that dates are told in, or "UTC+01:00"; None = UTC
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: Step | None = None
    zone: str | None = None

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str | None) -> str | None:
        if zone is not None:
            zone_of(zone)
        return zone

    def stamps(self, start_utc: datetime, time_s: np.ndarray | Sequence[float]) -> np.ndarray:
        """Return local dates (n,) datetime64[us] of times in seconds from a session's start."""
        first = np.datetime64(self.local(start_utc), "us")
        time = np.asarray(time_s, float)
        if self.step is None:
            if self.zone is None:
                return np.asarray(first + np.round(time * 1e6).astype("timedelta64[us]"))
            moments = [start_utc.timestamp() + float(t) for t in time]
            local = [datetime.fromtimestamp(m, tz=zone_of(self.zone)) for m in moments]
            return np.array([np.datetime64(m.replace(tzinfo=None), "us") for m in local])
        steps = np.rint(time / STEP_S[self.step]).astype(np.int64)
        return advance(first, self.step, steps)

    def local(self, moment: datetime) -> datetime:
        """Return a moment as the zone's own date and time, without the zone."""
        zone = UTC if self.zone is None else zone_of(self.zone)
        return moment.astimezone(zone).replace(tzinfo=None)


_OFFSET = re.compile(r"UTC([+-])(\d{2}):(\d{2})")


def offset_zone(seconds: int) -> str:
    """Return the name of a zone so many seconds ahead of UTC all year: "UTC+01:00"."""
    minutes = abs(seconds) // 60
    return f"UTC{'-' if seconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name, or by its offset as `offset_zone` writes it.

    Raises
    ------
    DataError : there is no such zone
    """
    if fixed := _OFFSET.fullmatch(name):
        ahead = timedelta(hours=int(fixed[2]), minutes=int(fixed[3]))
        if ahead < timedelta(hours=24):
            return timezone(-ahead if fixed[1] == "-" else ahead, name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DataError(
            f"There is no time zone {name[:60]!r}. Use a name such as Europe/Berlin, "
            "America/New_York or UTC."
        ) from error


def advance(first: np.datetime64, step: Step, steps: np.ndarray) -> np.ndarray:
    """Return the dates (n,) datetime64[us] so many calendar steps after `first`.

    A day that a month does not have (31 April) becomes the month's last one.
    """
    day = first.astype("datetime64[D]")
    clock = first - day
    if step in _MONTHS:
        month = day.astype("datetime64[M]")
        months = month + steps * _MONTHS[step]
        last = (months + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
        at_end = (month + 1).astype("datetime64[D]") - np.timedelta64(1, "D") == day
        days = last if at_end else np.minimum(months.astype("datetime64[D]") + (day - month), last)
    elif step == "business_day":
        days = np.busday_offset(day, steps, roll="forward")
    else:
        days = day + steps * (7 if step == "week" else 1)
    return np.asarray(days.astype("datetime64[us]") + clock)


def steps_between(dates: np.ndarray, step: Step) -> np.ndarray:
    """Return how many steps (n,) each date lies after the first; dates as `find_step` took them."""
    days = dates.astype("datetime64[D]")
    if step in _MONTHS:
        months = days.astype("datetime64[M]").astype(np.int64)
        return np.asarray((months - months[0]) // _MONTHS[step])
    if step == "business_day":
        return np.asarray(np.busday_count(days[0], days), dtype=np.int64)
    passed = (days - days[0]).astype(np.int64)
    return np.asarray(passed // (7 if step == "week" else 1))


def find_step(dates: np.ndarray) -> Step | None:
    """Return the calendar step of local dates, None where they are spaced in plain seconds.

    Parameters
    ----------
    dates : (n,) datetime64, ascending

    Dates at one time of day only: months apart on one day of the month (or each month's last),
    whole weeks, days, or days of which none is a Saturday or Sunday over at least two weekends.
    """
    stamps = np.unique(dates.astype("datetime64[s]"))
    days = stamps.astype("datetime64[D]")
    if len(days) < _FEWEST or len(np.unique(stamps - days)) > 1:
        return None
    if months := _month_step(days):
        return months
    gaps = np.diff(days).astype(np.int64)
    usual = int(np.median(gaps))
    if usual == 7 and not (gaps % 7).any():
        return "week"
    if usual != 1:
        return None
    weekday = (days.astype(np.int64) + 3) % 7  # Monday = 0; 1970-01-01 was a Thursday
    over_weekends = int((gaps >= 3).sum()) >= 1 and int((days[-1] - days[0]).astype(int)) >= 7
    return "business_day" if over_weekends and (weekday < _SATURDAY).all() else "day"


def _month_step(days: np.ndarray) -> Step | None:
    months = days.astype("datetime64[M]")
    number = (days - months).astype(np.int64)
    last = ((months + 1).astype("datetime64[D]") - np.timedelta64(1, "D")) == days
    gaps = np.diff(months.astype(np.int64))
    if (gaps < 1).any() or not (len(np.unique(number)) == 1 or last.all()):
        return None
    sizes: tuple[tuple[Step, int], ...] = (("year", 12), ("quarter", 3), ("month", 1))
    usual = int(np.median(gaps))
    found = [step for step, size in sizes if usual == size and not (gaps % size).any()]
    return found[0] if found else None


def date_text(stamp: np.datetime64, step: Step | None) -> str:
    """Return a date as people write it: "1961-01", "2025-03-14", "2025-03-14 08:00"."""
    if step == "year":
        return str(stamp.astype("datetime64[Y]"))
    if step in {"month", "quarter"}:
        return str(stamp.astype("datetime64[M]"))
    if step is not None:
        return str(stamp.astype("datetime64[D]"))
    whole = stamp.astype("datetime64[s]")
    text = str(whole).replace("T", " ")
    return text.removesuffix(":00") if text.endswith(":00") else text
