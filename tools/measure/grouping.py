"""The groups of amounts: days, nights, weeks, parts of the day, periods, sessions, subjects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.tools.look.clock import MONTHS, WEEKDAYS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

CALENDAR = frozenset({
    "hour", "date", "night", "week", "weekday", "month", "year", "weekend", "parts", "periods",
})  # fmt: skip
"""Groups that need sessions with dates."""
LENGTH_S: Mapping[str, float] = {
    "hour": 3600.0, "date": 86_400.0, "night": 86_400.0, "week": 604_800.0,
}  # fmt: skip
"""How long a whole group is, where that is always the same."""
_NOON_H = 12
_SATURDAY = 5
Parts = Sequence[Sequence[int]]
Periods = Sequence[Sequence[str]]


def names_of(
    table: pd.DataFrame, by: str, parts: Parts | None, periods: Periods | None
) -> pd.Series[str]:
    """Return the name of each row's group; rows of no group (between two periods) have "".

    Parameters
    ----------
    table : with `session`, `subject`, `label`, `moment` (local datetime64) and `at` (0 to 1, how
        far into its session)
    parts : hours of the day, from and to: (6, 14), (14, 22), (22, 6)
    periods : first and last dates, both included

    Raises
    ------
    DataError : parts or periods are asked for and not given
    """
    import pandas as pd

    if by in {"session", "subject", "label"}:
        own: pd.Series[str] = table[by].astype(str)
        return own
    if by == "whole":
        return pd.Series("", index=table.index, dtype=str)
    if by == "half":
        return _named(table["at"].lt(0.5), "first half", "second half")
    moment = table["moment"]
    if by == "parts":
        return _of_parts(moment, parts)
    if by == "periods":
        return _of_periods(moment, periods)
    return _CALENDAR[by](moment)


def _date(moment: pd.Series) -> pd.Series[str]:
    found: pd.Series[str] = moment.dt.strftime("%Y-%m-%d")
    return found


def _night(moment: pd.Series) -> pd.Series[str]:
    """A night goes from noon to noon and is called after the day it ends on."""
    import pandas as pd

    return _date(moment + pd.Timedelta(hours=24 - _NOON_H))


def _week(moment: pd.Series) -> pd.Series[str]:
    import pandas as pd

    return _date(moment - pd.to_timedelta(moment.dt.weekday, unit="D"))


def _named(holds: pd.Series[bool], yes: str, no: str) -> pd.Series[str]:
    found: pd.Series[str] = holds.map({True: yes, False: no})
    return found


def _weekday(moment: pd.Series) -> pd.Series[str]:
    found: pd.Series[str] = moment.dt.weekday.map(dict(enumerate(WEEKDAYS)))
    return found


def _month(moment: pd.Series) -> pd.Series[str]:
    named: pd.Series[str] = moment.dt.month.map(dict(enumerate(MONTHS, 1)))
    found: pd.Series[str] = named + moment.dt.strftime(" %Y")
    return found


_CALENDAR: dict[str, Callable[[pd.Series], pd.Series[str]]] = {
    "hour": lambda m: m.dt.strftime("%H:00"),
    "date": _date,
    "night": _night,
    "week": _week,
    "weekday": _weekday,
    "month": _month,
    "year": lambda m: m.dt.strftime("%Y"),
    "weekend": lambda m: _named(m.dt.weekday.ge(_SATURDAY), "weekends", "working days"),
}


def _of_parts(moment: pd.Series, parts: Parts | None) -> pd.Series[str]:
    import pandas as pd

    if not parts:
        raise DataError("Groups by parts of the day need `parts`, such as [[6, 14], [14, 22]].")
    found = pd.Series("", index=moment.index, dtype=str)
    hour = moment.dt.hour
    for begin, end in parts:
        inside = hour.ge(begin) & hour.lt(end) if begin < end else hour.ge(begin) | hour.lt(end)
        found[inside] = f"{begin:02d}:00 to {end:02d}:00"
    return found


def _of_periods(moment: pd.Series, periods: Periods | None) -> pd.Series[str]:
    import pandas as pd

    if not periods:
        raise DataError('Groups by periods need `periods`, such as [["2024-01-01", "2024-01-31"]].')
    found = pd.Series("", index=moment.index, dtype=str)
    for first, last in periods:
        day = _date(moment)
        found[day.ge(first) & day.le(last)] = period_name(first, last)
    return found


def period_name(first: str, last: str) -> str:
    """Return how a period is called: a whole year or month by its name."""
    year, month = first[:4], first[5:7]
    if (first, last) == (f"{year}-01-01", f"{year}-12-31"):
        return year
    if first[8:] == "01" and last == _month_end(first):
        return f"{MONTHS[int(month) - 1]} {year}"
    return first if first == last else f"{first} to {last}"


def _month_end(first: str) -> str:
    import pandas as pd

    return str((pd.Timestamp(first) + pd.offsets.MonthEnd(0)).date())


def places(
    by: str, names: Sequence[str], parts: Parts | None, periods: Periods | None
) -> list[int]:
    """Return each group's place in time, for those of the calendar; else by name."""
    if by == "weekday":
        return [WEEKDAYS.index(n) for n in names]
    if by == "month":
        return [int(n[-4:]) * 12 + MONTHS.index(n[:-5]) for n in names]
    if by == "parts":
        order = [f"{a:02d}:00 to {b:02d}:00" for a, b in parts or ()]
        return [order.index(n) for n in names]
    if by == "periods":
        order = [period_name(a, b) for a, b in periods or ()]
        return [order.index(n) for n in names]
    order = sorted(set(names))
    return [order.index(n) for n in names]


def cuts(start: np.datetime64, end: np.datetime64, by: Sequence[str]) -> np.ndarray:
    """Return the local moments at which groups of the calendar change between two moments."""
    import numpy as np

    hourly = bool({"hour", "parts"} & set(by))
    step = np.timedelta64(1, "h") if hourly else np.timedelta64(12, "h")
    first = start.astype("datetime64[D]")
    found = np.arange(first, end + step, step, dtype="datetime64[us]")
    return found[(found > start) & (found < end)]
