"""Any CSV or Parquet table: one row a moment, one column a channel; refused if it is unclear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from tool_use_om.data.converters.table.columns import (
    Column,
    TimeColumn,
    name_channels,
    read_time,
    slug,
)
from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.format.schema import (
    SPLITS,
    UNKNOWN_SUBJECT,
    Channel,
    Modality,
    Split,
    check_part,
)
from tool_use_om.data.format.splits import default_sizes, split_in_order, split_subjects
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.progress import Progress, track
from tool_use_om.data.workspace import check_name

_NOMINAL = 1e-3  # a clock this near to whole hertz (or a whole period) is meant to have them


class TableOptions(BaseModel):
    """How to read a table; column names are the file's own.

    `time` is required. `units` maps a column, or the beginning of several columns' names, to a
    unit; a channel left out gets "a.u.". `rate_hz` is measured (one over the mean step, drop-outs
    left out) unless given. `time_unit` "auto" reads dates as dates, large numbers as Unix time,
    others as seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: str
    session: str | None = None
    subject: str | None = None
    label: str | None = None
    split: str | None = None
    units: dict[str, str] = Field(default_factory=dict)
    skip: tuple[str, ...] = ()
    rate_hz: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    time_unit: Literal["auto", "s", "ms", "us", "ns"] = "auto"
    modality: str = "signal"
    title: str = ""
    licence: str = "not stated"


@dataclass(frozen=True, kw_only=True)
class TableSession:
    """One session of the table: which rows, whose, when."""

    session_id: str
    rows: np.ndarray
    subject_id: str
    split: Split
    start_utc: datetime | None


@dataclass(frozen=True, kw_only=True)
class TablePlan:
    """What was understood, before anything is written. `time_s` (n,) counts from session starts."""

    n_rows: int
    time: TimeColumn
    columns: tuple[Column, ...]
    modality: Modality
    sessions: tuple[TableSession, ...]
    time_s: np.ndarray
    split_rule: str
    notes: tuple[str, ...]


def convert(
    source: Path,
    target: Path,
    *,
    options: TableOptions,
    progress: Progress | None = None,
    replace: bool = False,
) -> None:
    """Import a table as the data set `target`; nothing is left there if it is refused.

    Raises
    ------
    DataError : what `plan_table` or `DataSetWriter.add_session` refuses
    NotFoundError : a column or unit that does not exist

    Not covered: tables larger than memory. Channels at different rates come as a table each
    (`convert_tables`).
    """
    frame = read_frame(source)
    plan = plan_table(frame, options, source.stem)
    writer = DataSetWriter(
        target,
        name=target.name,
        title=options.title or f"Imported from {source.name}",
        synthetic=False,
        licence=options.licence,
        source=source.name,
        modalities=(plan.modality,),
        split_rule=plan.split_rule,
        notes=plan.notes,
        subject_disjoint=plan.split_rule.startswith("by subject"),
        replace=replace,
    )
    values = np.column_stack([frame[c.source].to_numpy(np.float64) for c in plan.columns])
    with writer:
        total = len(plan.sessions)
        for session in track(plan.sessions, progress, phase="import", unit="sessions", total=total):
            time_s = plan.time_s[session.rows]
            writer.add_session(
                session.session_id,
                subject_id=session.subject_id,
                split=session.split,
                signals={plan.modality.name: (time_s, values[session.rows])},
                labels=label_runs(
                    frame, options.label, session.rows, time_s, plan.modality.rate_hz
                ),
                start_utc=session.start_utc,
            )


def read_frame(source: Path) -> pd.DataFrame:
    """Return the table of a .csv, .tsv or .parquet file; raise DataError if it is unreadable."""
    from pyarrow import csv, parquet

    kind = source.suffix.casefold()
    if kind not in {".csv", ".tsv", ".txt", ".parquet"}:
        raise DataError(
            f"{source.name}: expected a .csv, .tsv or .parquet file, got {kind or 'none'}."
        )
    if not source.is_file():
        raise DataError(f"There is no file {source}.")
    try:
        if kind == ".parquet":
            table = parquet.read_table(source)
        else:
            parse = csv.ParseOptions(delimiter=_delimiter(source))
            blank = csv.ConvertOptions(strings_can_be_null=True)
            table = csv.read_csv(source, parse_options=parse, convert_options=blank)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{source.name} cannot be read as a table: {error}.") from error
    names = table.column_names
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise DataError(f"{source.name} has two columns named {repeated[0]!r}. Rename one.")
    if table.num_rows == 0:
        raise DataError(f"{source.name} has no rows.")
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _delimiter(source: Path) -> str:
    """Return what separates the columns: the sign that the header line has most of."""
    with source.open(encoding="utf-8", errors="replace") as file:
        header = file.readline(100_000)
    return max(",;\t", key=header.count)


def plan_table(frame: pd.DataFrame, options: TableOptions, stem: str) -> TablePlan:
    """Return what a table means under the options.

    Raises
    ------
    NotFoundError : a named column that the table does not have, an unknown unit
    DataError : a text column among the channels, unreadable time, an empty session id, a rate that
        cannot be measured
    """
    named = [options.time, options.session, options.subject, options.label, options.split]
    for column in [*(c for c in named if c), *options.skip]:
        if column not in frame.columns:
            raise unknown("column", column, [str(c) for c in frame.columns])
    left = [str(c) for c in frame.columns if c not in {*named, *options.skip}]
    check_part(options.modality)
    columns, notes = name_channels(frame[left], options.units)
    clock = read_time(frame[options.time], options.time_unit)
    groups = _groups(frame, options.session, stem)
    time_s = clock.seconds.copy()
    for rows in groups.values():
        time_s[rows] -= clock.seconds[rows].min()
    time_s = np.round(time_s, 6)
    rate = options.rate_hz or _measure_rate(time_s, groups)
    subjects = {k: _only(frame, options.subject, k, rows) for k, rows in groups.items()}
    starts = {k: clock.start_utc(rows) for k, rows in groups.items()}
    splits, rule = _splits(frame, options, groups, subjects, clock)
    sessions = [
        TableSession(
            session_id=k, rows=rows, subject_id=subjects[k], split=splits[k], start_utc=starts[k]
        )
        for k, rows in groups.items()
    ]
    return TablePlan(
        n_rows=len(frame),
        time=clock,
        columns=tuple(columns),
        modality=Modality(
            name=options.modality,
            rate_hz=rate,
            channels=tuple(Channel(name=c.name, unit=c.unit) for c in columns),
        ),
        sessions=tuple(sessions),
        time_s=time_s,
        split_rule=rule,
        notes=(*notes, *_irregular(time_s, groups, rate)),
    )


def _groups(frame: pd.DataFrame, column: str | None, stem: str) -> dict[str, np.ndarray]:
    """Return session id → its row numbers, in the file's order."""
    if column is None:
        return {slug(stem): np.arange(len(frame))}
    if frame[column].isna().any():
        row = int(np.flatnonzero(frame[column].isna())[0])
        raise DataError(
            f"Column {column!r} names no session in row {row}. Fill it or drop the row."
        )
    groups: dict[str, np.ndarray] = {}
    came_from: dict[str, object] = {}
    for value, rows in frame.groupby(column, sort=False).indices.items():
        name = check_name("A session id", slug(str(value)))
        if name in groups:
            raise DataError(
                f"Sessions {came_from[name]!r} and {value!r} would both be {name!r}. Rename one."
            )
        groups[name], came_from[name] = np.sort(rows), value
    return groups


def _only(frame: pd.DataFrame, column: str | None, session: str, rows: np.ndarray) -> str:
    """Return the one value a column has throughout a session, as text."""
    if column is None:
        return UNKNOWN_SUBJECT
    values = frame[column].iloc[rows].dropna().unique()
    if len(values) != 1:
        raise DataError(
            f"Column {column!r} must hold one value in all of session {session!r}, "
            f"found {len(values)}."
        )
    return str(values[0])


def _measure_rate(time_s: np.ndarray, groups: Mapping[str, np.ndarray]) -> float:
    steps = np.concatenate([np.diff(time_s[rows]) for rows in groups.values()])
    forward = steps[steps > 0]
    if forward.size == 0:
        raise DataError("No session has two moments to measure a rate from. Give --rate.")
    usual = np.median(forward)
    steady = forward[np.abs(forward - usual) <= usual / 2]  # without drop-outs; jitter averages out
    rate = 1 / float(steady.mean())
    whole = round(rate) if rate >= 1 else 1 / round(1 / rate)
    return float(whole if abs(whole / rate - 1) < _NOMINAL else f"{rate:.6g}")


def _irregular(
    time_s: np.ndarray, groups: Mapping[str, np.ndarray], rate_hz: float
) -> tuple[str, ...]:
    steps = np.concatenate([np.diff(time_s[rows]) for rows in groups.values()])
    share = float((np.abs(steps * rate_hz - 1) > 0.5).mean()) if steps.size else 0.0
    return (
        (f"Irregular: {share:.0%} of steps are far from 1/{rate_hz:g} s.",) if share > 0.01 else ()
    )


def _splits(
    frame: pd.DataFrame,
    options: TableOptions,
    groups: Mapping[str, np.ndarray],
    subjects: Mapping[str, str],
    clock: TimeColumn,
) -> tuple[dict[str, Split], str]:
    if options.split is not None:
        given = {k: _only(frame, options.split, k, rows) for k, rows in groups.items()}
        wrong = sorted({v for v in given.values() if v not in SPLITS})
        if wrong:
            raise unknown("split", wrong[0], SPLITS)
        by_name: dict[str, Split] = {s: s for s in SPLITS}
        return {k: by_name[v] for k, v in given.items()}, f"as column {options.split!r} says"
    known = set(subjects.values()) - {UNKNOWN_SUBJECT}
    if len(known) >= 3:
        counts = _class_counts(frame, options.label, groups, subjects)
        chosen = split_subjects(counts, default_sizes(len(counts)), seed=0)
        return {k: chosen[s] for k, s in subjects.items()}, "by subject, about 60/20/20, seed 0"
    order = (
        sorted(groups, key=lambda k: clock.seconds[groups[k]].min())
        if clock.absolute
        else [*groups]
    )
    return split_in_order(
        order
    ), "in order of time, about 60/20/20: fewer than three subjects known"


def _class_counts(
    frame: pd.DataFrame,
    label: str | None,
    groups: Mapping[str, np.ndarray],
    subjects: Mapping[str, str],
) -> dict[str, dict[str, int]]:
    """Return subject → label → in how many sessions it occurs."""
    counts: dict[str, dict[str, int]] = {}
    for session, rows in groups.items():
        found = frame[label].iloc[rows].dropna().unique() if label else ["any"]
        of = counts.setdefault(subjects[session], {})
        for value in found:
            of[str(value)] = of.get(str(value), 0) + 1
    return counts


def label_runs(
    frame: pd.DataFrame,
    column: str | None,
    rows: np.ndarray,
    time_s: np.ndarray,
    rate_hz: float,
) -> list[tuple[float, float, str, str]]:
    """Return runs of one label; a run lasts to the next one, or one interval past its last row."""
    if column is None:
        return []
    values = frame[column].iloc[rows]
    texts = [None if pd.isna(v) or not str(v).strip() else str(v).strip() for v in values]
    first = [i for i, v in enumerate(texts) if i == 0 or v != texts[i - 1]]
    spans = zip(first, [*first[1:], len(texts)], strict=True)
    out: list[tuple[float, float, str, str]] = []
    for start, stop in spans:
        end = round(float(time_s[stop - 1]) + 1 / rate_hz, 6)
        if stop < len(texts):
            end = min(end, float(time_s[stop]))
        label = texts[start]
        if label is not None:
            out.append((float(time_s[start]), end, label, slug(column)))
    return out
