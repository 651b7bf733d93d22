"""What is read of a table: channels of one clock each, whose rows they are, and their labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from tool_use_om.data.converters.table.columns import Column, slug
from tool_use_om.data.converters.table.files.cells import Cells
from tool_use_om.data.converters.table.labels import LabelColumn
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.roles import Roles
from tool_use_om.data.converters.table.times.clock import read_clock
from tool_use_om.data.converters.table.times.column import TimeColumn
from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import check_name


@dataclass(frozen=True, kw_only=True)
class Readings:
    """Channels that share a clock: one modality.

    Parameters
    ----------
    name : the modality's name
    columns : the channels and the columns they come from
    cells : the rows
    clock : their times
    keys : (n,) object, the session of each row
    masked : column → the values of it that stand for "missing"
    """

    name: str
    columns: tuple[Column, ...]
    cells: Cells
    clock: TimeColumn
    keys: np.ndarray
    masked: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def values(self) -> np.ndarray:
        """Return the channels (n, C) float64, NaN = missing."""
        found = np.empty((len(self.cells), len(self.columns)))
        for i, column in enumerate(self.columns):
            numbers = self.cells.numbers(column.source)
            found[:, i] = np.nan if numbers is None else numbers
            if column.source in self.masked:
                found[np.isin(found[:, i], self.masked[column.source]), i] = np.nan
        return found


@dataclass(frozen=True, kw_only=True)
class Understood:
    """One table: its readings, whose they are, and what was said of it.

    Parameters
    ----------
    facts : use ("subject", "split") → (n,) object of the table's rows
    labels : the sets of labels of the table's rows
    keys : (n,) object, the session of each of the table's rows
    clock : the times of the table's rows; of sensors with clocks of their own None
    """

    readings: tuple[Readings, ...]
    facts: Mapping[str, np.ndarray]
    labels: tuple[LabelColumn, ...]
    roles: Roles
    keys: np.ndarray
    clock: TimeColumn | None
    n_rows: int
    said: tuple[str, ...]
    notes: tuple[str, ...]


def clock_of(
    cells: Cells, roles: Roles, options: TableOptions, groups: np.ndarray | None
) -> TimeColumn:
    """Return the times of rows; local ones of several groups are read group by group.

    The doubled hour of a change of the clock is told by the order of rows, which has a meaning
    within one session, subject or sensor only.

    Parameters
    ----------
    groups : (n,) object, whose row each is; None = all are of one
    """
    asked = options.clock(cells)
    if options.tz is None or groups is None:
        return read_clock(cells, roles.time, asked)
    by_group = rows_by(groups)
    if len(by_group) < 2:
        return read_clock(cells, roles.time, asked)
    seconds = np.empty(len(cells))
    parts = {k: read_clock(taken(cells, rows), roles.time, asked) for k, rows in by_group.items()}
    for key, rows in by_group.items():
        seconds[rows] = parts[key].seconds
    first = next(iter(parts.values()))
    return TimeColumn(
        seconds=seconds, absolute=first.absolute, form=first.form, zone=first.zone,
        of_day=first.of_day,
    )  # fmt: skip


def even_clock(keys: np.ndarray, rate_hz: float) -> TimeColumn:
    """Return the time of evenly spaced rows, each session from zero."""
    seconds = np.empty(len(keys))
    for rows in rows_by(keys).values():
        seconds[rows] = np.arange(len(rows)) / rate_hz
    form = f"none in the file: rows are {1 / rate_hz:g} s apart, as --rate says"
    return TimeColumn(seconds=seconds, absolute=False, form=form)


def rows_by(keys: np.ndarray) -> dict[str, np.ndarray]:
    """Return key → its row numbers, keys in order of their first row."""
    codes = pa.array(keys, pa.string()).dictionary_encode()
    of = codes.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(of, kind="stable")
    names = codes.dictionary.to_pylist()
    edges = np.searchsorted(of[order], np.arange(len(names) + 1))
    return {n: order[edges[i] : edges[i + 1]] for i, n in enumerate(names)}


def taken(cells: Cells, rows: np.ndarray) -> Cells:
    """Return some rows of a table."""
    at = pa.array(rows)
    columns = {name: column.take(at) for name, column in cells.columns.items()}
    return Cells(
        columns=columns, decimal=cells.decimal, thousands=cells.thousands,
        spreadsheet=cells.spreadsheet,
    )  # fmt: skip


def session_keys(
    cells: Cells, roles: Roles, clock: TimeColumn, stem: str, subjects: np.ndarray | None
) -> tuple[np.ndarray, list[str]]:
    """Return the session of each row, and how it was told.

    Numbers that are unique only within a subject, or within a day, get the subject or the day in
    front.
    """
    n = len(cells)
    if roles.session is None:
        return _restarts(clock, n, slug(stem), subjects)
    column = cells.columns[roles.session]
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise DataError(
            f"Column {roles.session!r} names no session in row {row}. Fill it or drop the row, or "
            "say --session none."
        )
    texts = cells.text(roles.session)
    said: list[str] = []
    if subjects is not None and _shared(texts, subjects):
        texts = _prefixed(texts, subjects)
        said = [f"{roles.session!r} is unique only within a subject: ids are subject-session"]
    elif clock.absolute and (days := _days_apart(texts, clock)) is not None:
        texts = _prefixed(texts, days)
        said = [f"{roles.session!r} is unique only within a day: ids are day-session"]
    return checked_ids(texts), said


def _restarts(
    clock: TimeColumn, n: int, stem: str, subjects: np.ndarray | None
) -> tuple[np.ndarray, list[str]]:
    """Return one session, or one a run of time that starts anew, or one a subject."""
    if subjects is not None and len(set(subjects)) > 1 and not any(s is None for s in subjects):
        return checked_ids(subjects), ["each subject is one session"]
    back = np.flatnonzero(np.diff(clock.seconds) < 0) + 1
    low = float(clock.seconds.min(initial=0.0))
    near = np.abs(clock.seconds[back] - clock.seconds[0]) if len(back) else np.empty(0)
    span = float(np.ptp(clock.seconds)) if n else 0.0
    fresh = len(back) and not clock.absolute and (near <= 0.01 * span + 1e-9).all()
    if not fresh or clock.seconds[0] > low + 0.01 * span:
        return np.full(n, stem, dtype=object), []
    number = np.searchsorted(back, np.arange(n), side="right") + 1
    width = len(str(len(back) + 1))
    keys = np.array([f"{stem}-{i:0{width}d}" for i in number.tolist()], dtype=object)
    return keys, [f"time starts anew {len(back)} times: each run is a session"]


def _shared(texts: np.ndarray, others: np.ndarray) -> bool:
    """Whether one session id occurs with several of `others`."""
    pairs = {(t, o) for t, o in zip(texts, others, strict=True)}
    return len(pairs) > len(set(texts))


def _days_apart(texts: np.ndarray, clock: TimeColumn) -> np.ndarray | None:
    """Return each row's day where ids come again on other days, after other ids; else None."""
    changes = np.flatnonzero(texts[1:] != texts[:-1]) + 1
    starts = np.concatenate([[0], changes])
    if len(starts) <= len(set(texts)):
        return None
    days = (clock.seconds // 86400).astype(np.int64).astype("datetime64[D]").astype(str)
    runs = [(texts[i], days[i]) for i in starts]
    each = {day for _, day in runs}
    repeated = len(runs) > len(set(runs))
    return None if repeated or len(each) < 2 else days.astype(object)


def _prefixed(texts: np.ndarray, before: np.ndarray) -> np.ndarray:
    return np.array([f"{b}-{t}" for b, t in zip(before, texts, strict=True)], dtype=object)


def checked_ids(texts: np.ndarray) -> np.ndarray:
    """Return ids as names; what was written differently stays different."""
    names: dict[str, str] = {}
    came_from: dict[str, str] = {}
    for text in dict.fromkeys(texts):
        name = check_name("A session id", slug(str(text)))
        if name in came_from:
            raise DataError(
                f"Sessions {came_from[name]!r} and {text!r} would both be {name!r}. Rename one."
            )
        names[text], came_from[name] = name, text
    return np.array([names[t] for t in texts], dtype=object)


MOST_LOOKED = 1_000_000  # values in which decimals are looked for


def needs_double(values: np.ndarray) -> bool:
    """Whether 32-bit numbers would lose what was written in a column of (n, C).

    That is decimals closer than two steps of such a number, or a narrow range far from zero.
    """
    known = np.where(np.isfinite(values), values, np.nan) if np.isinf(values).any() else values
    with np.errstate(all="ignore"):
        low, high = np.fmin.reduce(known, axis=0), np.fmax.reduce(known, axis=0)  # NaN: no value
    top = np.maximum(np.abs(low), np.abs(high))
    held = np.isfinite(top) & (top > 0) & (top < np.finfo(np.float32).max)
    if not held.any():
        return False
    rows = min(400, max(20, MOST_LOOKED // known.shape[1]))
    sample = known[:: max(1, len(known) // rows), held]
    top, span = top[held], (high - low)[held]
    apart = np.spacing(top.astype(np.float32)).astype(np.float64)
    left = np.ones(len(top), dtype=bool)
    for places in range(7):
        off = np.abs(sample[:, left] - np.round(sample[:, left], places))
        plain = np.flatnonzero(left)[~(off > 1e-9 * np.maximum(top[left], 1.0)).any(axis=0)]
        if (10.0**-places < 2 * apart[plain]).any():
            return True
        left[plain] = False
        if not left.any():
            return False
    return bool(((apart > 1e-5 * span) & (span > 0) & left).any())
