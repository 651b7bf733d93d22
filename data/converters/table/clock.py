"""A table's time column: dates of many forms, local time, Unix time, counts from the start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tool_use_om.data.converters.table.cells import Cells
from tool_use_om.data.converters.table.columns import TimeColumn, read_time
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.calendar import offset_zone, zone_of

TimeUnit = Literal["auto", "s", "ms", "us", "ns", "min", "h", "day", "excel"]
Order = Literal["auto", "day-first", "month-first"]

_PER_UNIT_S = {"min": 60.0, "h": 3600.0, "day": 86400.0}
_EXCEL_ZERO = -25569.0  # days from 1970-01-01 back to the zero of spreadsheets, 1899-12-30
_MS_STEPS = frozenset({2, 4, 5, 8, 10, 16, 17, 20, 25, 33, 40, 50, 100, 125, 200, 250, 500})
_MONTH_NAMES = (
    ("jan",), ("feb",), ("mar", "mär", "mrz"), ("apr",), ("may", "mai"), ("jun",), ("jul",),
    ("aug",), ("sep",), ("oct", "okt"), ("nov",), ("dec", "dez"),
)  # fmt: skip
_ZONE = r"(?P<z>[Zz]|(?:(?:GMT|UTC) ?)?[+-]\d{1,2}(?::?\d{2})?|GMT|UTC)?"
_CLOCK = r"(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
_DATE = (
    r"^(?P<a>\d{1,4})[-./ ](?P<b>\d{1,2})[-./ ](?P<c>\d{1,4})"
    rf"(?:(?:[Tt_]|,? +){_CLOCK} ?(?P<p>[AaPp])?\.?[Mm]?\.? ?{_ZONE})?$"
)
_COMPACT = (
    r"^(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})"
    r"(?:[Tt_ ]?(?P<h>\d{2}):?(?P<m>\d{2})(?::?(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"(?P<p>[AaPp])? ?" + _ZONE + r")?$"
)
_MONTH_ONLY = r"^(?P<a>\d{4})[-./](?P<b>\d{1,2})$"


@dataclass(frozen=True, kw_only=True)
class ClockOptions:
    """How a time column is to be read; "auto" and None leave it to evidence."""

    unit: TimeUnit = "auto"
    order: Order = "auto"
    zone: str | None = None
    european: bool = False  # a decimal comma: days come before months


def is_dates(cells: Cells, name: str) -> bool:
    """Whether a column's first filled cells look like dates."""
    if not cells.is_text(name):
        return bool(pa.types.is_temporal(cells.columns[name].type))
    first = cells.columns[name][0].as_py() if len(cells) else None
    if first and re.fullmatch(r"-?\d+(?:\.\d+)?", first):
        return False  # a plain number; most columns are left here
    texts = [t for t in cells.columns[name].slice(0, 50).to_pylist() if t]
    if not texts or any(re.fullmatch(r"\d{1,3}(?:\.\d{3})+", t) for t in texts):
        return False
    plain = _named_months(pa.array(texts, pa.string())).to_pylist()
    forms = (_DATE, _MONTH_ONLY)
    return all(any(re.match(f, t) for f in forms) for t in plain)


def is_time_of_day(cells: Cells, name: str) -> bool:
    """Whether a column holds times of day without a date."""
    texts = [t for t in cells.columns[name].slice(0, 50).to_pylist() if t]
    return bool(texts) and all(isinstance(t, str) and re.fullmatch(_CLOCK, t) for t in texts)


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
    numbers = None if is_dates(cells, name) else cells.numbers(name)
    if numbers is not None and np.isfinite(numbers).all():
        return _counted(cells, name, numbers, options)
    if not cells.is_text(name):
        return _typed(column.to_pandas().rename(name), options)
    return _dated(name, column, options)


def _joined(cells: Cells, names: tuple[str, ...]) -> Cells:
    both = pc.binary_join_element_wise(*(cells.columns[n].cast(pa.string()) for n in names), " ")
    return Cells(columns={**cells.columns, " ".join(names): both}, decimal=cells.decimal)


def _counted(cells: Cells, name: str, numbers: np.ndarray, options: ClockOptions) -> TimeColumn:
    unit = options.unit
    if unit == "auto":
        unit = _unit_by_evidence(name, numbers)
    if unit == "excel":
        days = numbers + _EXCEL_ZERO
        return _in_zone(np.round(days * 86400.0, 3), "spreadsheet days", options)
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


def _unit_by_evidence(name: str, numbers: np.ndarray) -> TimeUnit:
    """Return the unit that the column's name, the step and the range speak for.

    Raises
    ------
    DataError : whole numbers that count milliseconds or seconds, and spreadsheet days; asked back
    """
    words = re.split(r"[^a-zµ]+", name.casefold())
    named: dict[TimeUnit, set[str]] = {
        "ms": {"ms", "msec", "millis", "milliseconds", "millisecond", "millisec"},
        "us": {"us", "µs", "micros", "microseconds"},
        "ns": {"ns", "nanos", "nanoseconds"},
        "min": {"min", "mins", "minutes", "minute"},
        "h": {"hours", "hour", "hrs"},
        "s": {"s", "sec", "secs", "seconds", "second", "sekunden"},
    }
    found = next((unit for unit, those in named.items() if those & set(words)), None)
    if float(numbers.min(initial=0.0)) >= 1e9:
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
    return _in_zone(ticks // 10**9 + (ticks % 10**9) / 1e9, "dates", options)


def _named_months(column: pa.Array) -> pa.Array:
    """Return dates with month names as numbers: "1 Mar 2024" and "Mar 1, 2024" as "1.3.2024"."""
    sample = next((t for t in column.to_pylist()[:1] if t), "")
    if not re.search(r"[A-Za-zä]{3}", sample) or re.search(r"\d[T ]\d{2}:", sample[:14]):
        return column
    for number, names in enumerate(_MONTH_NAMES, 1):
        for word in names:
            month = rf"(?i){word}[a-zä]*\.?"
            column = pc.replace_substring_regex(
                column, rf"^(\d{{1,2}})[-. /]+{month}[-. /,]+(\d{{2,4}})", rf"\1.{number}.\2"
            )
            column = pc.replace_substring_regex(
                column, rf"^{month}[-. /]+(\d{{1,2}}),? +(\d{{4}})", rf"\1.{number}.\2"
            )
    return column


def _dated(name: str, column: pa.Array, options: ClockOptions) -> TimeColumn:
    plain = _named_months(column)
    fields = _fields(plain)
    good = fields["a"] >= 0
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise DataError(
            f"Time column {name!r} must hold numbers or dates such as 2026-01-31T08:00:00Z or "
            f"31.01.2026 08:00; row {row} holds {str(column[row].as_py())[:40]!r}. Mend that row, "
            "or name another column with --time."
        )
    year, month, day, how = _ordered(name, plain, fields, options)
    seconds = _since_epoch(name, column, year, month, day, fields)
    zoned = fields["zone"] != _NO_ZONE
    if zoned.any() and not zoned.all():
        row = int(np.flatnonzero(~zoned)[0])
        raise DataError(
            f"Time column {name!r} mixes times with a zone and without one (row {row} holds "
            f"{str(column[row].as_py())[:40]!r}). Write all of them alike."
        )
    if zoned.all():
        seconds = seconds - fields["zone"]
        zone, told = _zone_by_offsets(seconds, fields["zone"])
        return TimeColumn(
            seconds=seconds, absolute=True, form=f"dates with their zone{told}{how}", zone=zone
        )
    return _in_zone(seconds, f"dates{how}", options)


_NO_ZONE = 10**6
# zones whose changes of the clock offsets are compared with, one for each rule in wide use
_ZONES = (
    "Europe/Berlin", "Europe/London", "Europe/Athens", "America/New_York", "America/Chicago",
    "America/Denver", "America/Los_Angeles", "America/Halifax", "America/Anchorage",
    "Australia/Sydney", "Australia/Adelaide", "Pacific/Auckland",
)  # fmt: skip


def _zone_by_offsets(seconds: np.ndarray, offsets: np.ndarray) -> tuple[str | None, str]:
    """Return the zone that the offsets of the times speak for, and the words for it.

    One offset is a clock of its own; several are a zone whose clock changes when they do.
    """
    found = np.unique(offsets)
    if found.tolist() == [0]:
        return None, ""
    if len(found) == 1:
        zone = offset_zone(int(found[0]))
        return zone, f", told by it: {zone}"
    change = np.flatnonzero(np.diff(offsets))
    rows = np.unique(np.concatenate([[0, len(offsets) - 1], change, change + 1]))
    times = pd.DatetimeIndex(
        np.round(seconds[rows]).astype(np.int64).astype("datetime64[s]"), tz="UTC"
    )
    for zone in _ZONES:
        local = times.tz_convert(zone).tz_localize(None)
        ahead = (local - times.tz_localize(None)).total_seconds()
        if (ahead == offsets[rows]).all():
            return zone, f", told by the clock of {zone}, which changes as they do"
    named = ", ".join(offset_zone(int(o)) for o in found[:4])
    return None, f" ({named}: no one clock, so told in UTC; --tz names one)"


def _fields(plain: pa.Array) -> dict[str, np.ndarray]:
    """Return the numbers of each date; -1 in all of "a" where a cell is none."""
    n = len(plain)
    first = str(plain[0].as_py()) if n else ""
    forms = (_DATE, _COMPACT, _MONTH_ONLY)
    form = next((f for f in forms if re.match(f, first)), _DATE)
    found = pc.extract_regex(plain, form)
    held = found.is_valid().to_numpy(zero_copy_only=False)
    names = {field.name for field in found.type}

    def number(key: str, missing: int) -> np.ndarray:
        if key not in names:
            return np.full(n, missing, np.int64)
        texts = pc.struct_field(found, key)
        texts = pc.if_else(pc.equal(texts, ""), None, texts)
        return np.asarray(
            pc.fill_null(texts.cast(pa.int64()), missing).to_numpy(zero_copy_only=False)
        )

    out = {key: number(key, 0) for key in ("b", "h", "m", "s")}
    out["a"] = np.where(held, number("a", -1), -1)
    out["c"] = number("c", 1)
    out["b"] = np.where(out["b"] == 0, 1, out["b"])
    out["f"] = np.zeros(n)
    if "f" in names:
        texts = pc.struct_field(found, "f")
        padded = pc.utf8_rpad(pc.fill_null(texts, ""), 9, "0")
        out["f"] = padded.cast(pa.int64()).to_numpy(zero_copy_only=False) / 1e9
    out["pm"] = np.zeros(n, np.int64)
    if "p" in names:
        letter = pc.utf8_lower(pc.fill_null(pc.struct_field(found, "p"), ""))
        letters = letter.to_numpy(zero_copy_only=False)
        out["pm"] = np.where(letters == "p", 2, np.where(letters == "a", 1, 0))
    out["zone"] = np.full(n, _NO_ZONE, np.int64)
    if "z" in names:
        texts = pc.fill_null(pc.struct_field(found, "z"), "").dictionary_encode()
        offsets = np.array([_offset(t) for t in texts.dictionary.to_pylist()], np.int64)
        out["zone"] = offsets[texts.indices.to_numpy(zero_copy_only=False)]
    return out


def _offset(text: str) -> int:
    """Return the seconds that a zone is ahead of UTC; `_NO_ZONE` for none."""
    plain = text.upper().replace("GMT", "").replace("UTC", "").strip()
    if not text:
        return _NO_ZONE
    if plain in {"", "Z"}:
        return 0
    digits = plain[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    return (-1 if plain[0] == "-" else 1) * (int(hours) * 3600 + int(minutes) * 60)


def _ordered(
    name: str, plain: pa.Array, fields: dict[str, np.ndarray], options: ClockOptions
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Return year, month and day, and how that was told."""
    a, b, c = fields["a"], fields["b"], fields["c"]
    first = str(plain[0].as_py())
    if len(re.split(r"\D", first, maxsplit=1)[0]) >= 4:
        return a, b, c, ""
    year = np.where(c < 70, c + 2000, np.where(c < 100, c + 1900, c))
    if options.order != "auto":
        day_first = options.order == "day-first"
        how = ", the day first" if day_first else ", the month first"
    elif (a > 12).any() and not (b > 12).any():
        day_first, how = True, f", the day first (a date has {int(a.max())} in that place)"
    elif (b > 12).any() and not (a > 12).any():
        day_first, how = False, f", the month first (a date has {int(b.max())} in the second place)"
    elif re.match(r"\d{1,2}\.", first):
        day_first, how = True, ", the day first (as dates with points are written)"
    elif options.european:
        day_first, how = True, ", the day first (as beside a decimal comma)"
    else:
        raise DataError(
            f"Time column {name!r} holds {first!r}: is the day or the month first? No date in it "
            "tells. Say --day-first or --month-first."
        )
    return (year, b, a, how) if day_first else (year, a, b, how)


def _since_epoch(  # noqa: PLR0917 - the three parts of a date
    name: str, column: pa.Array, year: np.ndarray, month: np.ndarray, day: np.ndarray,
    fields: dict[str, np.ndarray],
) -> np.ndarray:  # fmt: skip
    hour = fields["h"].copy()
    pm = fields["pm"]
    hour = np.where((pm == 2) & (hour < 12), hour + 12, np.where((pm == 1) & (hour == 12), 0, hour))
    months = (year - 1970) * 12 + month - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]")
    last = (months + 1).astype("datetime64[M]").astype("datetime64[D]") - days
    bad = (month < 1) | (month > 12) | (day < 1) | (day > last.astype(np.int64))
    bad |= (hour > 24) | (fields["m"] > 59) | (fields["s"] > 60) | (year < 1700) | (year > 2200)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"Time column {name!r}: row {row} holds {str(column[row].as_py())[:40]!r}, which is no "
            "date. Mend that row, or say --day-first or --month-first if days and months are "
            "swapped."
        )
    whole = days.astype(np.int64) + day - 1
    return np.asarray(whole * 86400.0 + hour * 3600 + fields["m"] * 60 + fields["s"] + fields["f"])


def _in_zone(local: np.ndarray, form: str, options: ClockOptions) -> TimeColumn:
    """Return local seconds as UTC; clock changes of the zone are counted right.

    Raises
    ------
    DataError : a time that a change to summer time left out
    """
    if options.zone is None:
        said = f"{form} without a zone, read as UTC (--tz names another)"
        return TimeColumn(seconds=local, absolute=True, form=said)
    zone_of(options.zone)
    falling = bool((np.diff(local) < 0).mean() > 0.5) if len(local) > 1 else False
    ordered = local[::-1] if falling else local
    ticks = np.round(ordered * 1e9).astype(np.int64).astype("datetime64[ns]")
    times = pd.DatetimeIndex(ticks)
    zone = options.zone
    clear = times.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    lost = times.tz_localize(zone, ambiguous=True, nonexistent="NaT").isna()
    if lost.any():
        row = int(np.flatnonzero(lost)[0])
        raise DataError(
            f"{times[row]} does not exist in {zone}: the clock went forward there. If the logger "
            "does not change its clock, import it without --tz."
        )
    summer = _summer(np.asarray(clear.isna()), times)
    found = times.tz_localize(zone, ambiguous=summer)
    seconds = np.asarray(found.as_unit("ns").asi8 / 1e9)
    told = f"{form} in {zone}"
    return TimeColumn(seconds=seconds[::-1] if falling else seconds, absolute=True, form=told)


def _summer(doubtful: np.ndarray, times: pd.DatetimeIndex) -> np.ndarray:
    """Return which times of a doubled hour are the first of the two, from the order of rows."""
    first = np.ones(len(times), dtype=bool)
    ticks = times.asi8
    second = False
    for row in np.flatnonzero(doubtful):
        if row and doubtful[row - 1] and ticks[row] <= ticks[row - 1]:
            second = True
        elif not row or not doubtful[row - 1]:
            second = False
        first[row] = not second
    return first
