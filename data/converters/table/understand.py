"""From a table's cells to readings and labels, whatever the table's form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from tool_use_om.data.converters.table.columns import name_channels, slug
from tool_use_om.data.converters.table.evidence import numbers_rows, taken_as_missing
from tool_use_om.data.converters.table.files.cells import Cells
from tool_use_om.data.converters.table.labels import (
    LabelColumn,
    filled,
    lengths,
    tells_changes,
)
from tool_use_om.data.converters.table.long import apart, widened
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
from tool_use_om.data.converters.table.repeats import said_once, told_apart
from tool_use_om.data.converters.table.roles import Roles, find_roles
from tool_use_om.data.converters.table.times.clock import is_dates, read_clock, read_length
from tool_use_om.data.converters.table.times.column import TimeColumn
from tool_use_om.data.format.schema import check_part

_PAUSE = 5.0  # usual steps from which a pause may part two stretches
_FEWEST_PAUSES = 3
_MOST = 0.95  # of the pauses, for a counter that starts anew after each


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
    notes: list[str] = []
    n_rows = len(cells)
    if roles.sensor is not None:
        wide = widened(cells, roles, options)
        if wide is None:
            if roles.time and (once := _readings_once(cells, roles, options)) is not None:
                return replace(understand(once, options, stem), n_rows=n_rows)
            return apart(cells, roles, options, stem)
        cells, roles = wide.cells, wide.roles
        options = options.model_copy(update={"units": dict(wide.units)})
        notes += wide.notes
        skip = ()
    found = _by_moment(cells, roles, options, stem, skip)
    return replace(found, n_rows=n_rows, notes=(*notes, *found.notes))


def _by_moment(
    cells: Cells, roles: Roles, options: TableOptions, stem: str, skip: Sequence[str]
) -> Understood:
    """Return what a table of one row a moment, a change or a stretch means."""
    uses = {"subject": roles.subject, "split": options.split}
    facts = {use: cells.text(column) for use, column in uses.items() if column}
    ids = [c for c in (roles.session, roles.subject) if c]
    if roles.time:
        clock = clock_of(cells, roles, options, cells.joined(ids) if ids else None)
    else:
        clock = even_clock(np.full(len(cells), stem, dtype=object), options.rate_hz or 1.0)
    keys, how = session_keys(cells, roles, clock, stem, facts.get("subject"))
    if not roles.time:
        clock = even_clock(keys, options.rate_hz or 1.0)
    elif roles.end is None:
        again = _again(cells, roles, options, clock, keys)
        if again is not None:
            return understand(*again, stem)
    labels, told = _labels(cells, roles, options, clock)
    said = [*cells.said, *roles.said, f"time: {clock.form}", *how, *told]
    left = [c for c in cells.names if c not in roles.named and c not in skip]
    numbered = [c for c in left if (v := cells.numbers(c)) is not None and numbers_rows(c, v)]
    if numbered and len(left) > len(numbered):
        left = [c for c in left if c not in numbered]
        said.append(f"{numbered[0]!r} numbers the rows: left out")
    if not left and any(s.holds or s.end_s is not None for s in labels):
        cells, left = _with_lengths(cells, clock, keys, labels)
        options = options.model_copy(update={"units": {left[0]: "s"}})
    columns, notes = name_channels(cells, left, options.units)
    named = {c.source: (c.name, v) for c in columns if (v := cells.numbers(c.source)) is not None}
    masked, missing = taken_as_missing(named, options.missing)
    readings = Readings(
        name=options.modality, columns=tuple(columns), cells=cells, clock=clock, keys=keys,
        masked=masked,
    )  # fmt: skip
    if (cut := _at_restarts(readings)) is not None:
        keys, words = cut
        readings = replace(readings, keys=keys)
        said.append(words)
    if any(s.end_s is not None for s in labels):
        readings = _once(readings)
    return Understood(
        readings=(readings,), facts=facts, labels=tuple(labels), roles=roles, keys=keys,
        clock=clock, n_rows=len(cells), said=tuple(said), notes=(*notes, *missing),
    )  # fmt: skip


def _readings_once(cells: Cells, roles: Roles, options: TableOptions) -> Cells | None:
    """Return readings without those that come again word for word; None if none do."""
    whose = cells.joined([c for c in (roles.sensor, roles.session, roles.subject) if c])
    once = said_once(cells, whose, clock_of(cells, roles, options, whose))
    return None if once is None else replace(once[0], said=(*cells.said, once[1]))


def _again(
    cells: Cells, roles: Roles, options: TableOptions, clock: TimeColumn, keys: np.ndarray
) -> tuple[Cells, TableOptions] | None:
    """Return cells and options to start anew with; None if each row has a time of its own.

    Rows that come again word for word are left out; those of several are sessions by the one
    column that tells them apart.
    """
    once = said_once(cells, keys, clock)
    if once is not None:
        return replace(once[0], said=(*cells.said, once[1])), options
    asked = options.session or roles.session or roles.subject
    if asked or len(set(keys.tolist())) > 1:
        return None
    skip = {*options.skip, options.split, *roles.time, options.label}
    free = [n for n in cells.names if n not in skip]
    found = told_apart(cells, free, clock, str(keys[0]))
    if found is None:
        return None
    name, words = found
    said = replace(cells, said=(*cells.said, words))
    return said, options.model_copy(update={"session": name})


def _labels(
    cells: Cells, roles: Roles, options: TableOptions, clock: TimeColumn
) -> tuple[list[LabelColumn], list[str]]:
    """Return the sets of labels, and what is said of logs of changes or of stretches."""
    names = [c for c in (roles.label, *roles.labels) if c]
    texts = {c: filled(cells, c) for c in names}
    if roles.end is not None:
        end = _ends(cells, roles, options, clock)
        if not names:
            texts = {"event": np.full(len(cells), "event", dtype=object)}
        to = "to" if is_dates(cells, roles.end) else "for"
        said = [f"each row is a stretch from {roles.time[0]!r} {to} {roles.end!r}"]
        return [_set(c, t, end_s=end) for c, t in texts.items()], said
    if roles.time and tells_changes(list(texts.values()), clock.seconds):
        last = ", ".join(str(t[int(np.argmax(clock.seconds))]) for t in texts.values())
        said = [
            f"a row a change: {' and '.join(map(repr, names))} until the next row (the last, "
            f"{last}, has no length)"
        ]
        return [_set(c, t, holds=True) for c, t in texts.items()], said
    return [_set(c, t) for c, t in texts.items()], []


def _set(
    column: str, texts: np.ndarray, *, holds: bool = False, end_s: np.ndarray | None = None
) -> LabelColumn:
    return LabelColumn(name=slug(column) or "label", texts=texts, holds=holds, end_s=end_s)


def _ends(cells: Cells, roles: Roles, options: TableOptions, clock: TimeColumn) -> np.ndarray:
    """Return when each row's stretch ends (n,), NaN where no end was written."""
    column = roles.end or ""
    length = None if is_dates(cells, column) else read_length(cells, column)
    if length is not None:
        return np.asarray(clock.seconds + length)
    held = np.flatnonzero(cells.columns[column].is_valid().to_numpy(zero_copy_only=False))
    found = np.full(len(cells), np.nan)
    found[held] = read_clock(taken(cells, held), (column,), options.clock(cells)).seconds
    return found


def _with_lengths(
    cells: Cells, clock: TimeColumn, keys: np.ndarray, labels: Sequence[LabelColumn]
) -> tuple[Cells, list[str]]:
    """Return the cells with a column of how long each row holds, for tables without numbers."""
    end = labels[0].end_s
    held = lengths(clock.seconds, rows_by(keys)) if end is None else end - clock.seconds
    name = next(n for n in ("length", "length of row") if n not in cells.columns)
    return replace(cells, columns={**cells.columns, name: pa.array(held)}), [name]


def _once(readings: Readings) -> Readings:
    """Return readings with one row a moment: stretches may begin together."""
    seen: dict[tuple[str, float], int] = {}
    for row, at in enumerate(zip(readings.keys, readings.clock.seconds.tolist(), strict=True)):
        seen.setdefault(at, row)
    rows = np.array(sorted(seen.values()))
    if len(rows) == len(readings.keys):
        return readings
    return replace(
        readings, cells=taken(readings.cells, rows), keys=readings.keys[rows],
        clock=replace(readings.clock, seconds=readings.clock.seconds[rows]),
    )  # fmt: skip


def _at_restarts(readings: Readings) -> tuple[np.ndarray, str] | None:
    """Return sessions cut at long pauses after each of which a counter starts anew; else None.

    Such are charges, trips and batches: the source itself counts each from its own zero.
    """
    seconds = readings.clock.seconds
    number = np.zeros(len(seconds), dtype=np.int64)
    before: list[int] = []
    after: list[int] = []
    for rows in rows_by(readings.keys).values():
        order = rows[np.argsort(seconds[rows], kind="stable")]
        steps = np.diff(seconds[order])
        if not len(steps) or (steps <= 0).any():
            return None
        breaks = np.flatnonzero(steps > _PAUSE * np.sort(steps)[(len(steps) - 1) // 2])
        number[order] = np.searchsorted(breaks, np.arange(len(order)), side="left")
        before += order[breaks].tolist()
        after += order[breaks + 1].tolist()
    if len(before) < _FEWEST_PAUSES:
        return None
    values = readings.values()
    keys = np.array([f"{k}-{n + 1:03d}" for k, n in zip(readings.keys, number, strict=True)],
                    dtype=object)  # fmt: skip
    for i, column in enumerate(readings.columns):
        one = values[:, i]
        top = float(np.nanmax(one)) if np.isfinite(one).any() else 0.0
        fresh = (one[after] < one[before]) & (np.abs(one[after]) <= 0.02 * top)
        runs = [one[r[np.argsort(seconds[r])]] for r in rows_by(keys).values()]
        rises = [bool((np.diff(run[np.isfinite(run)]) >= 0).all()) for run in runs]
        if top > 0 and fresh.mean() >= _MOST and np.mean(rises) >= _MOST:
            words = (f"{column.name!r} starts anew after each of {len(before)} pauses: each "
                     "stretch between pauses is a session")  # fmt: skip
            return keys, words
    return None
