"""A table's time column: dates of many forms, local time, Unix time, counts from the start."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tool_use_om.data.converters.table.files.cells import Cells
from tool_use_om.data.converters.table.times.column import (
    EPOCH_FROM,
    ClockOptions,
    TimeColumn,
    TimeUnit,
    read_time,
)
from tool_use_om.data.converters.table.times.dates import read_dates
from tool_use_om.data.converters.table.times.elapsed import is_elapsed, read_elapsed
from tool_use_om.data.converters.table.times.spellings import (
    are_dates,
    are_times_of_day,
    of_day,
    one_form,
)
from tool_use_om.data.converters.table.times.zones import in_zone
from tool_use_om.data.errors import DataError

_PER_UNIT_S = {"min": 60.0, "h": 3600.0, "day": 86400.0}
_EXCEL_ZERO = -25569.0  # days from 1970-01-01 back to the zero of spreadsheets, 1899-12-30
_MS_STEPS = frozenset({2, 4, 5, 8, 10, 16, 17, 20, 25, 33, 40, 50, 100, 125, 200, 250, 500})
_NAMED = re.compile(
    r"(?i)date|datum|day|tag|time|zeit|jour|fecha|stamp|when|period|heure|hora|uhr|clock|ora|tijd"
)


_HOUR = re.compile(r"(?i)h|hr|hours?|he|hour.?ending|hour.?of.?day|stunde|heure|hora|ora|uur")


def _texts(cells: Cells, name: str) -> list[str]:
    """Return a column's first filled cells as text; whole numbers without a point."""
    values = [v for v in cells.columns[name].slice(0, 50).to_pylist() if v is not None and v != ""]
    if cells.is_text(name):
        return values
    whole = all(math.isfinite(v) and v == int(v) for v in values)
    return [str(int(v)) for v in values] if whole else []


def is_dates(cells: Cells, name: str) -> bool:
    """Whether a column's first filled cells look like dates."""
    kind = cells.columns[name].type
    if pa.types.is_temporal(kind):
        return not pa.types.is_duration(kind)
    plain = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if not (plain or cells.is_text(name)):
        return False
    texts = _texts(cells, name)
    if texts and all(t.isdigit() for t in texts) and not _NAMED.search(name):
        return False
    return are_dates(texts)


def is_time_of_day(cells: Cells, name: str) -> bool:
    """Whether a column holds times of day without a date."""
    named = bool(_NAMED.search(name))
    return cells.is_text(name) and are_times_of_day(_texts(cells, name), named=named)


def is_without_date(cells: Cells, name: str) -> bool:
    """Whether a column holds times without a date: of a stop watch, or of one day."""
    kind = cells.columns[name].type
    if pa.types.is_duration(kind) or pa.types.is_time(kind):
        return True
    if not cells.is_text(name):
        return False
    texts = _texts(cells, name)
    return is_elapsed(texts) or are_times_of_day(texts, named=False)


def read_clock(cells: Cells, names: tuple[str, ...], options: ClockOptions) -> TimeColumn:
    """Return the seconds that a time column (or a date and a time column) tells.

    Raises
    ------
    DataError : empty or unreadable cells; days and months, or a unit, that cannot be told apart;
        local times that a clock change left out
    """
    cells = cells if len(names) == 1 else _joined(cells, names)
    name = names[0] if len(names) == 1 else " ".join(names)
    column = cells.columns[name]
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise DataError(
            f"Time column {name!r} is empty in row {row}. Fill it or drop the row, or name another "
            "column with --time."
        )
    if is_dates(cells, name):
        if pa.types.is_temporal(column.type):
            return _typed(column.to_pandas().rename(name), options)
        return read_dates(name, pa.array(cells.text(name), pa.string()), options)
    numbers = cells.numbers(name)
    if numbers is not None and np.isfinite(numbers).all():
        return _counted(cells, name, numbers, options)
    if pa.types.is_duration(column.type):
        spans = column.cast(pa.duration("us")).cast(pa.int64()).to_numpy(zero_copy_only=False)
        form = "time from the source's own zero"
        return TimeColumn(seconds=spans / 1e6, absolute=False, form=form)
    if is_without_date(cells, name):
        return read_elapsed(name, column, options.unit)
    return read_dates(name, column, options)


def are_hours(cells: Cells, name: str) -> bool:
    """Whether a column holds the hours of a day: whole numbers, 0 to 23 or 1 to 24."""
    numbers = cells.plain(name) if _HOUR.fullmatch(name.strip()) else None
    if numbers is None or not np.isfinite(numbers).all():
        return False
    whole = (numbers == np.round(numbers)).all() and len(np.unique(numbers)) > 1
    return bool(whole and numbers.min() >= 0 and numbers.max() - numbers.min() <= 23
                and numbers.max() <= 24)  # fmt: skip


def _hours(cells: Cells, name: str) -> pa.Array:
    """Return hours as times of day; of hours 1 to 24 each begins one earlier."""
    numbers = cells.numbers(name)
    hours = np.zeros(len(cells)) if numbers is None else numbers
    return pa.array([f"{h:.0f}:00" for h in hours - (hours.max() == 24)], pa.string())


def _joined(cells: Cells, names: tuple[str, ...]) -> Cells:
    """Return the cells with a column of a date and a time of day in one."""
    date = _as_text(cells, names[0])
    clocks = [
        _hours(cells, n) if are_hours(cells, n) else of_day(_as_text(cells, n), named=True)
        for n in names[1:]
    ]
    both = pc.binary_join_element_wise(date, *clocks, " ")
    return replace(cells, columns={**cells.columns, " ".join(names): both})


def _as_text(cells: Cells, name: str) -> pa.Array:
    column = cells.columns[name]
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.date32(), safe=False)
    return one_form(column if cells.is_text(name) else column.cast(pa.string()))


def _counted(cells: Cells, name: str, numbers: np.ndarray, options: ClockOptions) -> TimeColumn:
    unit = options.unit
    if unit == "auto":
        unit = _unit_by_evidence(name, numbers, options)
    if unit == "excel":
        days = numbers + _EXCEL_ZERO
        return in_zone(np.round(days * 86400.0, 3), "spreadsheet days", options)
    if unit in _PER_UNIT_S:
        seconds = numbers * _PER_UNIT_S[unit]
        form = f"numbers, time from the source's own zero, in {unit}"
        return TimeColumn(seconds=seconds, absolute=False, form=form)
    column = cells.columns[name]
    series = pd.Series(numbers, name=name)
    if not pa.types.is_floating(column.type):
        whole = series.astype(np.int64)
        if (whole == series).all():
            exact = pd.to_numeric(pd.Series(cells.text(name)), errors="coerce", downcast=None)
            series = exact.rename(name) if exact.dtype.kind in "iu" else whole
    return read_time(series, unit)


_UNIT_WORDS: dict[TimeUnit, set[str]] = {
    "ms": {"ms", "msec", "millis", "milliseconds", "millisecond", "millisec"},
    "us": {"us", "µs", "micros", "microseconds"},
    "ns": {"ns", "nanos", "nanoseconds"},
    "min": {"min", "mins", "minutes", "minute", "minuten"},
    "h": {"h", "hours", "hour", "hrs", "stunden"},
    "s": {"s", "sec", "secs", "seconds", "second", "sekunden"},
}


def read_length(cells: Cells, name: str) -> np.ndarray | None:
    """Return how long a column says something lasted (n,) seconds; None if it does not.

    Numbers count in the unit that the column's name has, texts are times such as 1:30:00 or 1h 30m.
    """
    words = set(re.split(r"[^a-zµ]+", name.casefold()))
    unit = next((u for u, those in _UNIT_WORDS.items() if those & words), None)
    numbers = cells.numbers(name)
    if numbers is not None:
        sizes = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
        return None if unit is None else numbers * (_PER_UNIT_S | sizes)[unit]
    column = cells.columns[name]
    if column.null_count or not is_without_date(cells, name):
        return None
    return read_clock(cells, (name,), ClockOptions()).seconds


def _unit_by_evidence(name: str, numbers: np.ndarray, options: ClockOptions) -> TimeUnit:
    """Return the unit that the column's name, the step and the range speak for.

    Raises
    ------
    DataError : whole numbers that count milliseconds or seconds, and spreadsheet days; asked back
    """
    words = re.split(r"[^a-zµ]+", name.casefold())
    found = next((unit for unit, those in _UNIT_WORDS.items() if those & set(words)), None)
    if any(start <= numbers.min() < 10 * start for start in EPOCH_FROM.values()):
        return "auto"  # Unix time says its own unit
    if found is not None:
        return found
    steps = np.abs(np.diff(numbers))
    steps = steps[steps > 0]
    step = float(np.median(steps)) if steps.size else 1.0
    low, high = float(numbers.min()), float(numbers.max())
    if (
        low > 20000
        and high < 80000
        and step < 32
        and {"date", "datum", "zeit", "time", "datetime", "timestamp"} & set(words)
    ):
        if options.spreadsheet:
            return "excel"
        raise DataError(
            f"Time column {name!r} holds {numbers[0]:g}: days as spreadsheets count them, or "
            "seconds? Say --time-unit excel or --time-unit s."
        )
    if (numbers == np.round(numbers)).all() and steps.size:
        if step in _MS_STEPS:
            span = high - low
            raise DataError(
                f"Time column {name!r} counts in steps of {step:g}: with milliseconds that is "
                f"{1000 / step:g} Hz over {span / 1000:g} s, with seconds a sample every {step:g} "
                f"s over {span:g} s. Say --time-unit ms or --time-unit s."
            )
        if step >= 1000 and step % 1000 == 0:
            return "ms"
    return "s"


def _typed(series: pd.Series, options: ClockOptions) -> TimeColumn:
    stamps = pd.Series(pd.to_datetime(series))
    if getattr(stamps.dtype, "tz", None) is not None:
        return read_time(stamps, "auto")
    ticks = stamps.dt.as_unit("ns").astype("int64").to_numpy()
    return in_zone(ticks // 10**9 + (ticks % 10**9) / 1e9, "dates", options)
