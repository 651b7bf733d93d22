"""Dates written as text become seconds: days and months told apart, offsets read, zones applied."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tool_use_om.data.converters.table.times.column import ClockOptions, TimeColumn
from tool_use_om.data.converters.table.times.spellings import COMPACT, DATE, MONTH_ONLY, one_form
from tool_use_om.data.converters.table.times.zones import in_zone, zone_by_offsets
from tool_use_om.data.errors import DataError

_NO_ZONE = 10**6


def read_dates(name: str, column: pa.Array, options: ClockOptions) -> TimeColumn:
    """Return the seconds that dates tell.

    Raises
    ------
    DataError : cells that are no date, days and months that cannot be told apart, a zone in some
        cells only, local times that a clock change left out
    """
    plain = one_form(column)
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
        zone, told = zone_by_offsets(seconds, fields["zone"])
        return TimeColumn(
            seconds=seconds, absolute=True, form=f"dates with their zone{told}{how}", zone=zone
        )
    return in_zone(seconds, f"dates{how}", options)


def _fields(plain: pa.Array) -> dict[str, np.ndarray]:
    """Return the numbers of each date; -1 in all of "a" where a cell is none."""
    n = len(plain)
    first = str(plain[0].as_py()) if n else ""
    forms = (DATE, COMPACT, MONTH_ONLY)
    form = next((f for f in forms if re.match(f, first)), DATE)
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
