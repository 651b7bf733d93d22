"""Times without a date: what a stop watch shows (1:02:03, 62:03, 1h 02m), and clocks of one day."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tool_use_om.data.converters.table.times.column import TimeColumn, TimeUnit
from tool_use_om.data.converters.table.times.spellings import OF_DAY, of_day
from tool_use_om.data.errors import DataError

_DAY_S = 86_400.0
_THREE = r"^(?:(?P<d>\d+) ?d(?:ays?)?,? ?)?(?P<h>\d+):(?P<m>\d{1,2}):(?P<s>\d{1,2}(?:[.,]\d+)?)$"
_TWO = r"^(?P<a>\d+):(?P<b>\d{2}(?:[.,]\d+)?)$"
_UNITS = (
    r"^(?:P?(?P<d>\d+) ?[dD](?:ays?)? ?)?(?:P?T)?(?:(?P<h>\d+) ?[hH](?:rs?|ours?)? ?)?"
    r"(?:(?P<m>\d+) ?(?:[mM](?:in(?:utes?)?)?|'|′) ?)?"
    r"(?:(?P<s>\d+(?:[.,]\d+)?) ?(?:[sS](?:ec(?:onds?)?)?|\"|″))?$"
)
_WATCH = re.compile(r"elapsed|duration|lap|dauer|dur[ée]e|stopwatch|split|offset|since|from.?start")
_NEAR_S = 300.0  # from its first row so far a watch may have run already
_LATE_S = 12 * 3600.0  # a fall by more than that is a midnight, not a new start


def is_elapsed(texts: list[str]) -> bool:
    """Whether texts are times without a date: 0:02:03, 62:03, 1h 02m, PT1M30S."""
    return bool(texts) and all(_form(t) is not None for t in texts)


def _form(text: str) -> str | None:
    if re.match(_THREE, text):
        return _THREE
    if re.match(_TWO, text):
        return _TWO
    units = re.match(_UNITS, text)
    return _UNITS if units and any(g is not None for g in units.groups()) else None


def read_elapsed(name: str, column: pa.Array, unit: TimeUnit) -> TimeColumn:
    """Return the seconds that a column of times without a date tells, from its own zero.

    Clocks that pass midnight go on; those that start anew do so.

    Parameters
    ----------
    unit : "hh:mm" or "mm:ss" for two numbers; else what name and numbers say

    Raises
    ------
    DataError : a cell of another form; two numbers that may be hours or minutes
    """
    first = str(column[0].as_py())
    daily = bool(re.match(OF_DAY, str(of_day(column.slice(0, 1), named=False)[0].as_py())))
    form = _form(first)
    if form is None or (daily and form == _UNITS and not _WATCH.search(name.casefold())):
        column = of_day(column, named=True)
        form = _form(str(column[0].as_py())) or _THREE
    found = pc.extract_regex(column, form)
    lost = ~found.is_valid().to_numpy(zero_copy_only=False)
    if form == _TWO and lost.any():  # 59:58, 1:00:00
        return _mixed(name, column)
    if lost.any():
        raise _odd(name, column, int(np.flatnonzero(lost)[0]))
    if form != _TWO:
        return _ended(name, _seconds(found), "h:mm:ss" if form == _THREE else "h, m and s")
    whole, rest = _part(found, "a"), _part(found, "b")
    minutes = unit == "mm:ss" or (unit == "auto" and _are_minutes(name, whole, rest))
    if minutes:
        return _ended(name, 60 * whole + rest, "mm:ss")
    return _ended(name, 3600 * whole + 60 * rest, "h:mm")


def _mixed(name: str, column: pa.Array) -> TimeColumn:
    """Return the seconds of minutes and seconds to which hours come later: 59:58, 1:00:00."""
    padded = pc.replace_substring_regex(column, r"^(\d+:\d{2}(?:[.,]\d+)?)$", r"0:\1")
    found = pc.extract_regex(padded, _THREE)
    lost = ~found.is_valid().to_numpy(zero_copy_only=False)
    if lost.any():
        raise _odd(name, column, int(np.flatnonzero(lost)[0]))
    return _ended(name, _seconds(found), "mm:ss and h:mm:ss")


def _odd(name: str, column: pa.Array, row: int) -> DataError:
    return DataError(
        f"Time column {name!r} must hold times such as 0:02:03 or 1h 02m; row {row} holds "
        f"{str(column[row].as_py())[:40]!r}. Mend that row, or name another column with --time."
    )


def _part(found: pa.Array, key: str) -> np.ndarray:
    texts = pc.replace_substring(pc.struct_field(found, key), ",", ".")
    texts = pc.if_else(pc.equal(texts, ""), "0", pc.fill_null(texts, "0"))
    return np.asarray(texts.cast(pa.float64()).to_numpy(zero_copy_only=False))


def _seconds(found: pa.Array) -> np.ndarray:
    sizes = {"d": _DAY_S, "h": 3600.0, "m": 60.0, "s": 1.0}
    return np.asarray(sum(_part(found, key) * size for key, size in sizes.items()))


def _are_minutes(name: str, whole: np.ndarray, rest: np.ndarray) -> bool:
    """Whether two numbers are minutes and seconds, by the name, the sizes and the fractions.

    Raises
    ------
    DataError : they may be hours and minutes as well
    """
    if (whole >= 24).any() or (rest != np.round(rest)).any() or _WATCH.search(name.casefold()):
        return True
    rises = np.diff(60 * whole + rest)
    falls = rises[rises < 0]
    if (falls < -_LATE_S / 60).any() or re.search(r"uhr|clock|of.?day|heure|hora", name.casefold()):
        return False
    if whole[0] > 0 and rises.size and float(np.median(np.abs(rises))) >= 5:
        return False  # a clock of the day in steps of five minutes and more
    raise DataError(
        f"Time column {name!r} begins {int(whole[0])}:{rest[0]:02g}: hours and minutes, or minutes "
        "and seconds? Say --time-unit hh:mm or --time-unit mm:ss."
    )


def _ended(name: str, seconds: np.ndarray, written: str) -> TimeColumn:
    """Return the time, with the days that a clock's midnights count."""
    steps = np.diff(seconds)
    a_day = bool(seconds.size) and float(seconds.max()) <= _DAY_S
    watch = bool(_WATCH.search(name.casefold())) or (seconds.size and seconds[0] < _NEAR_S)
    if a_day and (steps < -_LATE_S).any():
        seconds = seconds + _DAY_S * np.concatenate([[0], np.cumsum(steps < -_LATE_S)])
    if a_day and not watch:
        form = f"times of day ({written}) without a date"
        return TimeColumn(seconds=seconds, absolute=False, form=form, of_day=True)
    form = f"time from the source's own zero, written {written}"
    return TimeColumn(seconds=seconds, absolute=False, form=form)
