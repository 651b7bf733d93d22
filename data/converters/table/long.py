"""Tables of one row a reading: turned to one row a moment, or a clock for each sensor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tool_use_om.data.converters.table.columns import Column, slug
from tool_use_om.data.converters.table.files.cells import Cells
from tool_use_om.data.converters.table.files.marks import assumed
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.readings import (
    Readings,
    Understood,
    clock_of,
    even_clock,
    rows_by,
    session_keys,
    taken,
)
from tool_use_om.data.converters.table.roles import Roles
from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.format.schema import check_part
from tool_use_om.data.units import own_or_known, unit_in_name

_SHARED = 0.9  # of all moments × sensors, a reading is there: they have one clock


@dataclass(frozen=True, kw_only=True)
class Wide:
    """A table in long form with a row a moment; `units` by its new columns."""

    cells: Cells
    roles: Roles
    units: Mapping[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Sensor:
    name: str
    rows: np.ndarray
    numbers: np.ndarray
    unit: str


def widened(cells: Cells, roles: Roles, options: TableOptions) -> Wide | None:
    """Return the table with a column a sensor; None if the sensors do not share their times.

    Raises
    ------
    DataError : no sensor has numbers
    """
    used = (*roles.time, roles.session, roles.subject)
    ids = [column for column in used if column is not None]
    moments = pd.factorize(cells.joined(ids))[0]
    found, notes = _sensors(cells, roles, options)
    if any(len(np.unique(moments[s.rows])) < len(s.rows) for s in found):
        return None
    n = int(moments.max()) + 1
    if sum(len(s.rows) for s in found) < _SHARED * n * len(found):
        return None
    first = np.full(n, len(cells))
    np.minimum.at(first, moments, np.arange(len(cells)))
    kept = (*ids, roles.label, *roles.labels)
    whole = taken(cells, first)
    columns: dict[str, Any] = {c: whole.columns[c] for c in kept if c is not None}
    for sensor in found:
        values = np.full(n, np.nan)
        values[moments[sensor.rows]] = sensor.numbers
        columns[sensor.name] = pa.array(values)
    said = [*roles.said, "all sensors share their times"] if len(found) > 1 else [*roles.said]
    return Wide(
        cells=replace(cells, columns=columns, _numbers={}, _marks={}, _suffixes={}),
        roles=replace(roles, sensor=None, value=None, unit=None, left_out=(), said=tuple(said)),
        units={s.name: s.unit for s in found if s.unit != "a.u."},
        notes=tuple(notes),
    )


def _sensors(cells: Cells, roles: Roles, options: TableOptions) -> tuple[list[_Sensor], list[str]]:
    """Return the sensors that have numbers, their missing readings left out, and notes."""
    value = roles.value or ""
    found: list[_Sensor] = []
    notes: list[str] = []
    for sensor, rows in rows_by(cells.text(roles.sensor or "")).items():
        part = taken(cells, rows)
        numbers = part.numbers(value)
        if numbers is None:
            _, text = part.bad_row(value)
            notes.append(f"Left out: sensor {sensor!r}, whose values are text ({text[:20]!r}).")
            continue
        if used := part.suffix(value):
            notes += assumed({}, {sensor: used})
        held = np.flatnonzero(np.isfinite(numbers))
        if not len(held):
            notes.append(f"Left out: sensor {sensor!r} has no value.")
            continue
        if len(held) < len(numbers):
            words = sorted({str(v) for v in np.delete(part.text(value), held)})
            notes.append(
                f"{len(numbers) - len(held)} readings of {sensor!r} are {', '.join(words[:3])}: "
                "missing."
            )
        unit = _unit_of(part, roles, options, sensor)
        found.append(_Sensor(name=sensor_name(sensor), rows=rows, numbers=numbers, unit=unit))
    if not found:
        raise DataError(
            f"No sensor of {roles.sensor!r} has numbers in {value!r}. Name the readings' "
            "column with --value, or say --sensor none if rows are moments."
        )
    return found, notes


def sensor_name(sensor: str) -> str:
    """Return a sensor's name as a channel's; the "sensor." of home automation goes."""
    plain = re.sub(r"^(sensor|binary_sensor|input_number)\.", "", sensor)
    return check_part(slug(plain.replace(".", "_")))


def _unit_of(cells: Cells, roles: Roles, options: TableOptions, sensor: str) -> str:
    for key in (sensor, sensor_name(sensor), roles.value or ""):
        if key in options.units:
            return own_or_known(options.units[key])
    if roles.unit is not None:
        said = next((t for t in cells.text(roles.unit) if t), None)
        try:
            return own_or_known(said) if said else "a.u."
        except NotFoundError:
            return "a.u."
    return unit_in_name(sensor) or "a.u."


def apart(cells: Cells, roles: Roles, options: TableOptions, stem: str) -> Understood:
    """Return the readings of sensors that have times of their own: a modality a clock.

    Raises
    ------
    DataError : no sensor has numbers, unreadable time
    """
    subjects = cells.text(roles.subject) if roles.subject else None
    groups = cells.joined([c for c in (roles.sensor, roles.session, roles.subject) if c])
    if roles.time:
        clock = clock_of(cells, roles, options, groups)
    else:
        clock = even_clock(groups, options.rate_hz or 1.0)
    keys = np.full(len(cells), slug(stem), dtype=object)
    how: list[str] = []
    if roles.session is not None or subjects is not None:
        keys, how = session_keys(cells, roles, clock, stem, subjects)
    sensors, notes = _sensors(cells, roles, options)
    parts = [
        Readings(
            name=options.modality,
            columns=(Column(source=roles.value or "", name=s.name, unit=s.unit),),
            cells=taken(cells, s.rows),
            clock=replace(clock, seconds=clock.seconds[s.rows]),
            keys=keys[s.rows],
        )
        for s in sensors
    ]
    whole, clocks = _by_clock(parts, options)
    bare = [c.name for r in whole for c in r.columns if c.unit == "a.u."]
    notes += [f"No unit was given for {', '.join(bare)[:200]}: a.u."] if bare else []
    uses = {"subject": roles.subject, "split": options.split}
    return Understood(
        readings=whole,
        facts={use: cells.text(column) for use, column in uses.items() if column},
        labels=(),
        roles=roles,
        keys=keys,
        clock=None,
        n_rows=len(cells),
        said=(*cells.said, *roles.said, f"time: {clock.form}", *how, *clocks),
        notes=tuple(notes),
    )


def _by_clock(
    parts: list[Readings], options: TableOptions
) -> tuple[tuple[Readings, ...], list[str]]:
    """Join sensors that have the very same times; the others are a modality each."""
    groups: dict[tuple[bytes, tuple[str, ...]], list[Readings]] = {}
    for part in parts:
        key = (part.clock.seconds.tobytes(), tuple(part.keys))
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
        columns[column.name] = pa.array(part.cells.numbers(column.source))
        named.append(replace(column, source=column.name))
    return replace(group[0], cells=Cells(columns=columns), columns=tuple(named))
