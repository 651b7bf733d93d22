"""Several tables as one set: a modality each, at its own rate, all on one clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from tool_use_om.data.converters.table.columns import slug
from tool_use_om.data.converters.table.convert import (
    TableOptions,
    TablePlan,
    label_runs,
    plan_table,
    read_frame,
)
from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.progress import Progress, track

_OPTIONAL = ("subject", "label", "split")


@dataclass(frozen=True, kw_only=True)
class Table:
    """One of the tables: its rows and what they mean."""

    frame: pd.DataFrame
    plan: TablePlan
    label: str | None

    def rows_of(self, session_id: str) -> np.ndarray:
        """Return the rows of a session; none if the table does not have it."""
        named = (s.rows for s in self.plan.sessions if s.session_id == session_id)
        return next(named, np.empty(0, np.intp))

    def seconds(self, session_id: str) -> np.ndarray:
        """Return the session's times on the table's clock, as the file has them."""
        seconds: np.ndarray = self.plan.time.seconds[self.rows_of(session_id)]
        return seconds


def plan_tables(sources: Sequence[Path], options: TableOptions, name: str) -> list[Table]:
    """Return what the tables mean together; the first says whose sessions they are.

    Modalities are named after the files. The other tables may lack the columns of subject, label
    and split, and a session; without a session column all of them are one session `name`.

    Raises
    ------
    DataError : what `plan_table` refuses, dates in one table and counts in another, --rate
    NotFoundError : a session that the first table does not have, a unit that fits no table
    """
    if options.rate_hz is not None:
        raise DataError("--rate holds for one table; of several, each rate is measured.")
    frames = [read_frame(source) for source in sources]
    columns = [str(c) for frame in frames for c in frame.columns]
    for key in options.units:
        if not any(c.startswith(key) for c in columns):
            raise unknown("column", key, columns)
    tables: list[Table] = []
    for source, frame in zip(sources, frames, strict=True):
        own = _options_for(frame, options, first=not tables)
        own = own.model_copy(update={"modality": slug(source.stem)})
        tables.append(Table(frame=frame, plan=plan_table(frame, own, name), label=own.label))
    first = tables[0].plan
    known = {s.session_id for s in first.sessions}
    for source, table in zip(sources, tables, strict=True):
        if table.plan.time.absolute != first.time.absolute:
            raise DataError(
                f"{source.name} counts time as {table.plan.time.form}, {sources[0].name} as "
                f"{first.time.form}. Bring them to one clock."
            )
        for session in table.plan.sessions:
            if session.session_id not in known:
                raise unknown(f"session of {source.name}", session.session_id, known)
    return tables


def convert_tables(
    sources: Sequence[Path],
    target: Path,
    *,
    options: TableOptions,
    progress: Progress | None = None,
    replace: bool = False,
) -> None:
    """Import tables that share a clock as one data set of several rates.

    A session starts with the earliest of its samples; the others keep their distance from it.

    Raises
    ------
    DataError, NotFoundError : as `plan_tables`, and what `DataSetWriter.add_session` refuses
    """
    tables = plan_tables(sources, options, target.name)
    first = tables[0].plan
    writer = DataSetWriter(
        target,
        name=target.name,
        title=options.title or f"Imported from {', '.join(s.name for s in sources)}",
        synthetic=False,
        licence=options.licence,
        source=", ".join(s.name for s in sources),
        modalities=tuple(t.plan.modality for t in tables),
        split_rule=first.split_rule,
        notes=tuple(dict.fromkeys(n for t in tables for n in t.plan.notes)),
        subject_disjoint=first.split_rule.startswith("by subject"),
        replace=replace,
    )
    total = len(first.sessions)
    with writer:
        for session in track(
            first.sessions, progress, phase="import", unit="sessions", total=total
        ):
            held = [t for t in tables if t.rows_of(session.session_id).size]
            zero = min(t.seconds(session.session_id).min() for t in held)
            writer.add_session(
                session.session_id,
                subject_id=session.subject_id,
                split=session.split,
                signals=dict(_signals(held, session.session_id, zero)),
                labels=[x for t in held for x in _labels(t, session.session_id, zero)],
                start_utc=datetime.fromtimestamp(zero, tz=UTC) if first.time.absolute else None,
            )


def _options_for(frame: pd.DataFrame, options: TableOptions, *, first: bool) -> TableOptions:
    """Return the options that this table has columns for."""
    held = [str(c) for c in frame.columns]
    kept = {k: u for k, u in options.units.items() if any(c.startswith(k) for c in held)}
    update: dict[str, object] = {"units": kept}
    update |= {"skip": tuple(c for c in options.skip if c in held)}
    if not first:
        update |= {k: None for k in _OPTIONAL if getattr(options, k) not in held}
    return options.model_copy(update=update)


def _signals(
    tables: Sequence[Table], session_id: str, zero: float
) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    for table in tables:
        rows = table.rows_of(session_id)
        time_s = np.round(table.seconds(session_id) - zero, 6)
        columns = [table.frame[c.source].to_numpy(np.float64)[rows] for c in table.plan.columns]
        yield table.plan.modality.name, (time_s, np.column_stack(columns))


def _labels(table: Table, session_id: str, zero: float) -> list[tuple[float, float, str, str]]:
    rows = table.rows_of(session_id)
    time_s = np.round(table.seconds(session_id) - zero, 6)
    return label_runs(table.frame, table.label, rows, time_s, table.plan.modality.rate_hz)
