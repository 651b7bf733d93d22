"""A time column in seconds: Unix time, a count from the source's own zero, dates of ISO 8601."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import pandas as pd

from tool_use_om.data.errors import DataError

TimeUnit = Literal["auto", "s", "ms", "us", "ns", "min", "h", "day", "excel", "hh:mm", "mm:ss"]
Order = Literal["auto", "day-first", "month-first"]
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


# Unix time in these units lies above these numbers from 2001 on (1e9 s) and below them times 10
EPOCH_FROM = {"s": 1e9, "ms": 1e12, "us": 1e15, "ns": 1e18}


@dataclass(frozen=True, kw_only=True)
class ClockOptions:
    """How a time column is to be read; "auto" and None leave it to evidence."""

    unit: TimeUnit = "auto"
    order: Order = "auto"
    zone: str | None = None
    european: bool = False  # a decimal comma: days come before months
    spreadsheet: bool = False  # a workbook's cells: days may be numbers


@dataclass(frozen=True, kw_only=True)
class TimeColumn:
    """`seconds` (n,) float64: since 1970 UTC if `absolute`, else since the source's own zero.

    `zone` is the zone that the column's own offsets speak for, None where they say nothing or UTC.
    `of_day` says that the zero is a midnight whose date the column does not tell.
    """

    seconds: np.ndarray
    absolute: bool
    form: str
    zone: str | None = None
    of_day: bool = False

    def start_utc(self, rows: np.ndarray) -> datetime | None:
        """Return when the first of `rows` was, if the column says so."""
        if not self.absolute:
            return None
        return moment(float(self.seconds[rows].min()))


def moment(seconds: float) -> datetime:
    """Return Unix seconds as a date in UTC; raise DataError outside the years 1 to 9999."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (OverflowError, ValueError) as error:
        raise DataError(
            f"A time of {seconds:g} s since 1970 is no date. Say --time-unit ms, us or ns."
        ) from error


def read_time(column: pd.Series, unit: str) -> TimeColumn:
    """Return the column in seconds and how it was understood.

    Parameters
    ----------
    column : Series of dates, ISO 8601 text or numbers
    unit : "auto", "s", "ms", "us" or "ns"; dates take no unit

    Raises
    ------
    DataError : empty or unreadable cells, with the first row that has one
    """
    if column.isna().any():
        row = int(np.flatnonzero(column.isna())[0])
        raise DataError(
            f"Time column {column.name!r} is empty in row {row}. Fill it or drop the row."
        )
    if pd.api.types.is_bool_dtype(column.dtype) or not pd.api.types.is_numeric_dtype(column.dtype):
        return _read_dates(column)
    numbers = column.to_numpy(np.float64)
    low = float(numbers.min())
    epoch = {u for u, start in EPOCH_FROM.items() if start <= low < 10 * start}
    if unit == "auto":
        unit = next(iter(epoch), "s")
    absolute = unit in epoch
    if absolute and column.dtype.kind in "iu":
        seconds = _exact_seconds(column.to_numpy(np.int64), int(_PER_SECOND[unit]))
    else:
        seconds = numbers / _PER_SECOND[unit]
    start = "Unix time" if absolute else "time from the source's own zero"
    return TimeColumn(seconds=seconds, absolute=absolute, form=f"numbers, {start}, in {unit}")


def _exact_seconds(ticks: np.ndarray, per_second: int) -> np.ndarray:
    return np.asarray(ticks // per_second + (ticks % per_second) / per_second)


def _read_dates(column: pd.Series) -> TimeColumn:
    try:
        stamps = pd.to_datetime(column, utc=True, format="ISO8601")
    except (ValueError, TypeError) as error:
        raise DataError(
            f"Time column {column.name!r} must hold numbers or ISO 8601 dates such as "
            "2026-01-31T08:00:00Z. Name another column with --time."
        ) from error
    ticks = stamps.dt.as_unit("ns").astype("int64").to_numpy()
    zone = "with their zone" if _has_zone(column) else "without a zone, read as UTC"
    seconds = _exact_seconds(ticks, 10**9)
    return TimeColumn(seconds=seconds, absolute=True, form=f"dates {zone}")


def _has_zone(column: pd.Series) -> bool:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return getattr(column.dtype, "tz", None) is not None
    text = str(column.iloc[0]).strip()
    return text.endswith(("Z", "z")) or "+" in text or text[10:].count("-") == 1
