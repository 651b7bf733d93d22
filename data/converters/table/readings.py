"""From a table's cells to readings: channels of one clock each, whatever the table's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from tool_use_om.data.converters.table.columns import Column, name_channels, slug
from tool_use_om.data.converters.table.files.cells import Cells
from tool_use_om.data.converters.table.files.marks import assumed
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.roles import Roles, find_roles
from tool_use_om.data.converters.table.times.clock import read_clock
from tool_use_om.data.converters.table.times.column import TimeColumn
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import check_part
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
    """

    name: str
    columns: tuple[Column, ...]
    cells: Cells
    clock: TimeColumn
    keys: np.ndarray

    def values(self) -> np.ndarray:
        """Return the channels (n, C) float64, NaN = missing."""
        found = np.empty((len(self.cells), len(self.columns)))
        for i, column in enumerate(self.columns):
            numbers = self.cells.numbers(column.source)
            found[:, i] = np.nan if numbers is None else numbers
        return found


@dataclass(frozen=True, kw_only=True)
class Understood:
    """One table: its readings, whose they are, and what was said of it.

    Parameters
    ----------
    facts : use ("subject", "label", "split") → (n,) object of the table's rows
    keys : (n,) object, the session of each of the table's rows
    clock : the times of the table's rows; of a table in long form None
    """

    readings: tuple[Readings, ...]
    facts: Mapping[str, np.ndarray]
    roles: Roles
    keys: np.ndarray
    clock: TimeColumn | None
    n_rows: int
    said: tuple[str, ...]
    notes: tuple[str, ...]


def understand(cells: Cells, options: TableOptions, stem: str) -> Understood:
    """Return what a table means.

    Raises
    ------
    NotFoundError : a named column that the table does not have, an unknown unit
    DataError : text among the channels, unreadable time, an empty session id
    """
    check_part(options.modality)
    skip = (*options.skip, *([options.split] if options.split else []))
    if options.split:
        cells.has(options.split)
    roles = find_roles(cells, options.roles(cells), skip, even=options.rate_hz is not None)
    uses = {"subject": roles.subject, "label": roles.label, "split": options.split}
    facts = {use: cells.text(column) for use, column in uses.items() if column}
    if roles.sensor is not None:
        return _long(cells, roles, options, stem, facts)
    said = [*cells.said, *roles.said]
    clock = _clock(cells, roles, options, None)
    keys, how = _keys(cells, roles, clock, stem, facts.get("subject"))
    if not roles.time:
        clock = _even(keys, options.rate_hz or 1.0)
    left = [c for c in cells.names if c not in roles.named and c not in skip]
    columns, notes = name_channels(cells, left, options.units)
    readings = Readings(
        name=options.modality, columns=tuple(columns), cells=cells, clock=clock, keys=keys
    )
    return Understood(
        readings=(readings,),
        facts=facts,
        roles=roles,
        keys=keys,
        clock=clock,
        n_rows=len(cells),
        said=(*said, f"time: {clock.form}", *how),
        notes=notes,
    )


def _clock(cells: Cells, roles: Roles, options: TableOptions, name: str | None) -> TimeColumn:
    if not roles.time:
        return _even(np.full(len(cells), name, dtype=object), options.rate_hz or 1.0)
    return read_clock(cells, roles.time, options.clock(cells))


def _even(keys: np.ndarray, rate_hz: float) -> TimeColumn:
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


def _keys(
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
            f"Column {roles.session!r} names no session in row {row}. Fill it or drop the row."
        )
    texts = cells.text(roles.session)
    said: list[str] = []
    if subjects is not None and _shared(texts, subjects):
        texts = _prefixed(texts, subjects)
        said = [f"{roles.session!r} is unique only within a subject: ids are subject-session"]
    elif clock.absolute and (days := _days_apart(texts, clock)) is not None:
        texts = _prefixed(texts, days)
        said = [f"{roles.session!r} is unique only within a day: ids are day-session"]
    return _checked(texts), said


def _restarts(
    clock: TimeColumn, n: int, stem: str, subjects: np.ndarray | None
) -> tuple[np.ndarray, list[str]]:
    """Return one session, or one a run of time that starts anew, or one a subject."""
    if subjects is not None and len(set(subjects)) > 1 and not any(s is None for s in subjects):
        return _checked(subjects), ["each subject is one session"]
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


def _checked(texts: np.ndarray) -> np.ndarray:
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


def _long(
    cells: Cells, roles: Roles, options: TableOptions, stem: str, facts: dict[str, np.ndarray]
) -> Understood:
    """Return a table of one row a reading: each sensor keeps its own times and rate."""
    sensors = rows_by(cells.text(roles.sensor or ""))
    session = None if roles.session is None else cells.text(roles.session)
    parts: list[Readings] = []
    notes: list[str] = []
    for sensor, rows in sensors.items():
        part = _taken(cells, rows)
        numbers = part.numbers(roles.value or "")
        if numbers is None:
            _, text = part.bad_row(roles.value or "")
            notes.append(f"Left out: sensor {sensor!r}, whose values are text ({text[:20]!r}).")
            continue
        if used := part.suffix(roles.value or ""):
            notes += assumed({}, {sensor: used})
        kept = np.flatnonzero(np.isfinite(numbers))
        if not len(kept):
            notes.append(f"Left out: sensor {sensor!r} has no value.")
            continue
        if len(kept) < len(numbers):
            words = sorted({str(v) for v in np.delete(part.text(roles.value or ""), kept)})
            notes.append(
                f"{len(numbers) - len(kept)} readings of {sensor!r} are {', '.join(words[:3])}: "
                "missing."
            )
        clock = _clock(part, roles, options, stem)
        keys = np.full(len(part), slug(stem), dtype=object)
        if session is not None:
            keys = _checked(session[rows])
        unit = _unit_of(part, roles, options, sensor)
        column = Column(source=roles.value or "", name=_sensor_name(sensor), unit=unit)
        parts.append(
            Readings(name=options.modality, columns=(column,), cells=part, clock=clock, keys=keys)
        )
    if not parts:
        raise DataError(
            f"No sensor of {roles.sensor!r} has numbers in {roles.value!r}. Name the readings' "
            "column with --value, or say --sensor none if rows are moments."
        )
    joined, clocks = _by_clock(parts, options)
    bare = [c.name for r in joined for c in r.columns if c.unit == "a.u."]
    notes += [f"No unit was given for {', '.join(bare)[:200]}: a.u."] if bare else []
    return Understood(
        readings=joined,
        facts=facts,
        roles=roles,
        keys=np.full(len(cells), slug(stem), dtype=object)
        if session is None
        else _checked(session),
        clock=None,
        n_rows=len(cells),
        said=(*cells.said, *roles.said, f"time: {parts[0].clock.form}", *clocks),
        notes=tuple(notes),
    )


def _taken(cells: Cells, rows: np.ndarray) -> Cells:
    at = pa.array(rows)
    columns = {name: column.take(at) for name, column in cells.columns.items()}
    return Cells(columns=columns, decimal=cells.decimal, thousands=cells.thousands)


def _sensor_name(sensor: str) -> str:
    """Return a sensor's name as a channel's; the "sensor." of home automation goes."""
    plain = re.sub(r"^(sensor|binary_sensor|input_number)\.", "", sensor)
    return check_part(slug(plain.replace(".", "_")))


def _unit_of(cells: Cells, roles: Roles, options: TableOptions, sensor: str) -> str:
    from tool_use_om.data.errors import NotFoundError
    from tool_use_om.data.units import own_or_known, unit_in_name

    for key in (sensor, _sensor_name(sensor), roles.value or ""):
        if key in options.units:
            return own_or_known(options.units[key])
    if roles.unit is not None:
        said = [t for t in cells.text(roles.unit)[:1] if t]
        try:
            return own_or_known(said[0]) if said else "a.u."
        except NotFoundError:
            return "a.u."
    return unit_in_name(sensor) or "a.u."


def _by_clock(
    parts: list[Readings], options: TableOptions
) -> tuple[tuple[Readings, ...], list[str]]:
    """Join sensors that have the very same times; the others are a modality each."""
    groups: dict[tuple[bytes, tuple[str, ...]], list[Readings]] = {}
    for part in parts:
        key = (part.clock.seconds.tobytes(), tuple(part.keys[:1]))
        groups.setdefault(key, []).append(part)
    joined = [_side_by_side(group) for group in groups.values()]
    if len(joined) == 1:
        return (joined[0],), ["all sensors share their times"] if len(parts) > 1 else []
    named = [
        replace(
            r,
            name=r.columns[0].name if len(r.columns) == 1 else f"{options.modality}{i}",
            columns=r.columns if len(r.columns) > 1 else (replace(r.columns[0], name="value"),),
        )
        for i, r in enumerate(joined, 1)
    ]
    return tuple(named), [f"{len(named)} clocks: each sensor keeps its own times"]


def _side_by_side(group: list[Readings]) -> Readings:
    if len(group) == 1:
        return group[0]
    columns: dict[str, Any] = {}
    named: list[Column] = []
    for part in group:
        (column,) = part.columns
        numbers = part.cells.numbers(column.source)
        columns[column.name] = pa.array(numbers)
        named.append(replace(column, source=column.name))
    return replace(group[0], cells=Cells(columns=columns), columns=tuple(named))


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
