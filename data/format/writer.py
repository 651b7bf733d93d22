"""The one way a data set is written: checked session by session, complete or not at all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.format.calendar import Calendar
from tool_use_om.data.format.hashing import hash_dataset, hash_session
from tool_use_om.data.format.index_writer import IndexWriter
from tool_use_om.data.format.parquet import write_table
from tool_use_om.data.format.part_writer import PARTS_FROM, ROW_GROUP, PartWriter, signal_table
from tool_use_om.data.format.promised import write_promise
from tool_use_om.data.format.schema import (
    BY_TIME,
    FORMAT_VERSION,
    SPLITS,
    UNKNOWN_SUBJECT,
    Manifest,
    Modality,
    Split,
)
from tool_use_om.data.format.session_rules import (
    Interval,
    check_blocks,
    check_labels,
    check_time,
    check_values,
)
from tool_use_om.data.format.splits import Block
from tool_use_om.data.format.stats import column_stats
from tool_use_om.data.workspace import atomic_folder, check_name, sweep

LABELS_SCHEMA = pa.schema(
    [
        ("session_id", pa.string()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("label", pa.string()),
        ("set", pa.string()),
    ]
)
TRUTH_SCHEMA = pa.schema(
    [
        ("session_id", pa.string()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("name", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
    ]
)
BLOCKS_SCHEMA = pa.schema(
    [
        ("session_id", pa.string()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("split", pa.string()),
    ]
)
HELD_BYTES = 1 << 26  # signals of the first sessions wait in memory until the layout is known
Signals = Mapping[str, tuple[np.ndarray, np.ndarray]]
TruthRow = tuple[float, float, str, float, str]


class DataSetWriter:
    """Write a data set into a temporary folder; leaving the `with` block renames it to `target`.

    Parameters
    ----------
    target : Path, the data set's final folder; an existing one is refused unless `replace`
    name, title, licence, source, split_rule, notes : text for the manifest
    synthetic : bool, True for anything simulated
    modalities : the modalities and channels sessions may have
    gap_s : float, seconds kept free between the blocks of sessions that are split by time
    calendar : what time means as dates
    double : modalities kept in 64-bit numbers, where 32-bit ones would lose what was measured
    subject_disjoint : bool, refuse a subject that appears in two splits
    debug : bool, draw debug/*.png
    parts_from : int, sets of more sessions are written as a few large files (`data/parts.py`)

    Raises
    ------
    DataError : what `add_session` refuses; nothing stays on disk then
    """

    def __init__(
        self,
        target: Path,
        *,
        name: str,
        title: str,
        synthetic: bool,
        licence: str,
        source: str,
        modalities: Sequence[Modality],
        split_rule: str,
        notes: Sequence[str] = (),
        gap_s: float | None = None,
        calendar: Calendar | None = None,
        session_noun: str | None = None,
        double: Collection[str] = (),
        subject_disjoint: bool = True,
        replace: bool = False,
        debug: bool = True,
        parts_from: int = PARTS_FROM,
    ) -> None:
        self.target = target
        self.manifest: Manifest | None = None
        self._facts: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "name": check_name("A data set name", name),
            "title": title,
            "synthetic": synthetic,
            "licence": licence,
            "source": source,
            "modalities": tuple(modalities),
            "split_rule": split_rule,
            "notes": tuple(notes),
            "gap_s": gap_s,
            "calendar": calendar or Calendar(),
            "session_noun": session_noun,
        }
        self._modalities = {m.name: m for m in modalities}
        self._double = frozenset(double)
        self._subject_disjoint, self._replace, self._debug = subject_disjoint, replace, debug
        self._sessions: dict[str, tuple[str, str, float]] = {}  # subject, split, seconds
        self._hashes: dict[str, str] = {}
        self._labels: list[tuple[Any, ...]] = []
        self._truth: list[tuple[Any, ...]] = []
        self._blocks: list[tuple[Any, ...]] = []
        self._split_of: dict[str, str] = {}
        self._exit = ExitStack()
        self._folder = target
        self._parts_from = parts_from
        self._parts: PartWriter | None = None
        self._held: list[tuple[str, Signals]] | None = []
        self._held_bytes = 0

    def __enter__(self) -> Self:
        if self.target.exists() and not self._replace:
            raise DataError(
                f"{self.target} exists already. Choose another name, or ask to replace it."
            )
        sweep(self.target.parent)
        self._folder = self._exit.enter_context(atomic_folder(self.target))
        channels = [c for m in self._modalities.values() for c in m.channel_ids]
        at = {c: i for i, c in enumerate(channels)}
        self._codes = {
            name: np.array([at[c] for c in m.channel_ids]) for name, m in self._modalities.items()
        }
        self._index = IndexWriter(self._folder, channels)
        self._exit.callback(self._close_files)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._exit.__exit__(kind, error, trace)
            return
        with self._exit:
            self._finish()

    def add_session(
        self,
        session_id: str,
        *,
        subject_id: str,
        split: Split | Sequence[Block],
        signals: Signals,
        labels: Sequence[Interval] = (),
        truth: Sequence[TruthRow] = (),
        start_utc: datetime | None = None,
        duration_s: float | None = None,
    ) -> None:
        """Check and write one session.

        Parameters
        ----------
        split : the session's split, or its blocks where it is split by time
        signals : modality name → (time_s (n,), values (n, C)); a modality may be absent
        labels : (start_s, end_s, label, set)
        truth : (start_s, end_s, name, value, unit), known facts of simulated sessions
        duration_s : float, seconds; default: the last sample plus one sampling interval
        """
        where = f"session {check_name('A session id', session_id)!r}"
        if session_id in self._sessions:
            raise DataError(f"{where} was given twice. Session ids must be unique.")
        blocks = () if isinstance(split, str) else tuple(split)
        named = split if isinstance(split, str) else BY_TIME
        self._check_who(where, subject_id, named)
        checked = {name: self._check_signal(where, name, *pair) for name, pair in signals.items()}
        duration = _duration(where, checked, self._modalities, duration_s)
        intervals = check_labels(where, labels, duration)
        rows = check_blocks(where, blocks, duration)
        self._write_signals(session_id, checked)
        facts = {
            "session_id": session_id,
            "subject_id": subject_id,
            "start_utc": start_utc.astimezone(UTC) if start_utc else None,
            "duration_s": duration,
            "split": named,
        }
        self._add_to_index(facts, intervals, checked)
        self._sessions[session_id] = (subject_id, named, duration)
        self._blocks += [(session_id, *row) for row in rows]
        self._labels += [(session_id, *interval) for interval in intervals]
        self._truth += [(session_id, *row) for row in truth]
        said = {"subject": subject_id, "split": named, "duration_s": duration, "labels": intervals}
        said |= {"blocks": rows} if rows else {}
        start = start_utc.astimezone(UTC).isoformat() if start_utc else None
        self._hashes[session_id] = hash_session(
            said | {"start": start, "truth": list(truth)}, checked
        )

    def _check_who(self, where: str, subject_id: str, split: str) -> None:
        by_time = self._facts["gap_s"] is not None
        if split not in ((BY_TIME,) if by_time else SPLITS):
            raise unknown("split", split, (BY_TIME,) if by_time else SPLITS)
        if not subject_id.strip():
            raise DataError(f"{where}: subject_id must not be empty; write 'unknown' if it is.")
        if subject_id == UNKNOWN_SUBJECT or not self._subject_disjoint:
            return
        if self._split_of.setdefault(subject_id, split) != split:
            raise DataError(
                f"{where}: subject {subject_id!r} is in {self._split_of[subject_id]} and cannot "
                f"be in {split} too. Split by subject."
            )

    def _check_signal(
        self, where: str, name: str, time_s: np.ndarray, values: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        if name not in self._modalities:
            raise unknown("modality", name, self._modalities)
        time = check_time(f"{where}, {name}", time_s)
        kept = check_values(
            f"{where}, {name}", values, time.size, self._modalities[name],
            double=name in self._double,
        )  # fmt: skip
        return time, kept

    def _add_to_index(
        self, facts: dict[str, Any], intervals: Sequence[Interval], signals: Signals
    ) -> None:
        found = [column_stats(values) for _, values in signals.values()]
        moments, sketches = (np.concatenate(x) for x in zip(*found, strict=True))
        codes = [self._codes[name] for name in signals]
        self._index.add(facts, np.concatenate(codes), moments, sketches)
        if intervals:
            spans = [slice(c[0], c[-1] + 1) for c in codes]
            self._index.pools.add_labels(
                intervals,
                [(c, *pair) for c, pair in zip(spans, signals.values(), strict=True)],
            )

    def _write_signals(self, session_id: str, signals: Signals) -> None:
        """Write a session, or hold it while a file a session and parts are both possible."""
        if self._parts is None and len(self._sessions) == self._parts_from:
            self._begin_parts()
        if self._held is None:
            self._write_signal(session_id, signals)
            return
        self._held.append((session_id, signals))
        self._held_bytes += sum(t.nbytes + v.nbytes for t, v in signals.values())
        if self._held_bytes > HELD_BYTES:
            self._write_held()

    def _begin_parts(self) -> None:
        self._parts = PartWriter(self._folder)
        self._index.forget_sketches()
        if self._held is None:
            self._parts.take_over(list(self._sessions))
        self._write_held()

    def _write_held(self) -> None:
        held, self._held = self._held or [], None
        for session_id, signals in held:
            self._write_signal(session_id, signals)

    def _write_signal(self, session_id: str, signals: Signals) -> None:
        for modality, (time_s, values) in signals.items():
            names = [c.name for c in self._modalities[modality].channels]
            if self._parts is not None:
                self._parts.add(session_id, modality, names, time_s, values)
                continue
            folder = self._folder / "sessions" / session_id
            folder.mkdir(parents=True, exist_ok=True)
            table = signal_table(names, time_s, values)
            path = folder / f"{modality}.parquet"
            write_table(table, path, row_group=ROW_GROUP, use="signals")

    def _finish(self) -> None:
        if not self._sessions:
            raise DataError(f"{self._facts['name']} has no session: nothing was written.")
        self._write_held()
        self._index.finish()
        if self._parts is not None:
            self._parts.finish()
        write_table(_rows_table(self._labels, LABELS_SCHEMA), self._folder / "labels.parquet")
        if self._truth:
            write_table(_rows_table(self._truth, TRUTH_SCHEMA), self._folder / "truth.parquet")
        if self._blocks:
            write_table(_rows_table(self._blocks, BLOCKS_SCHEMA), self._folder / "blocks.parquet")
        self.manifest = self._manifest()
        text = self.manifest.to_json()
        (self._folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
        write_promise(self._folder)
        if self._debug:
            from tool_use_om.data.show.plots import write_debug

            write_debug(self._folder)

    def _close_files(self) -> None:
        if self._parts is not None:
            self._parts.close()

    def _manifest(self) -> Manifest:
        label_sets = _label_sets(self._labels)
        subjects, of_split, seconds = zip(*self._sessions.values(), strict=True)
        splits = Counter(of_split)
        splits.update(split for _, split in {(row[0], row[3]) for row in self._blocks})
        modalities = [m.model_dump() for m in self._facts["modalities"]]
        return Manifest(
            **self._facts,
            label_sets=label_sets,
            splits={s: splits[s] for s in SPLITS},
            n_sessions=len(self._sessions),
            n_subjects=len(set(subjects) - {UNKNOWN_SUBJECT}),
            duration_s=math.fsum(seconds),
            content_hash=hash_dataset(
                {"modalities": modalities} | _calendar_facts(self._facts["calendar"]), self._hashes
            ),
        )


def _calendar_facts(calendar: Calendar) -> dict[str, Any]:
    """Return what of the calendar counts for the content: nothing where there is none."""
    return {} if calendar == Calendar() else {"calendar": calendar.model_dump()}


def _label_sets(labels: Sequence[tuple[Any, ...]]) -> dict[str, tuple[str, ...]]:
    """Return set → its labels by name; the set that covers the most time comes first."""
    names: dict[str, set[str]] = {}
    covered: Counter[str] = Counter()
    for _, start, end, label, label_set in labels:
        names.setdefault(label_set, set()).add(label)
        covered[label_set] += end - start
    order = sorted(names, key=lambda s: (-covered[s], s))
    return {label_set: tuple(sorted(names[label_set])) for label_set in order}


def _duration(
    where: str, signals: Signals, modalities: Mapping[str, Modality], given_s: float | None
) -> float:
    ends = [
        float(t[-1]) + 1 / modalities[name].rate_hz for name, (t, _) in signals.items() if t.size
    ]
    if not ends:
        raise DataError(f"{where} is empty: it has no sample in any modality. Leave it out.")
    if given_s is None:
        return round(max(ends), 6)
    last = max(float(t[-1]) for t, _ in signals.values() if t.size)
    if not (math.isfinite(given_s) and given_s >= last):
        raise DataError(
            f"{where}: duration must reach its last sample at {last:g} s, got {given_s:g} s."
        )
    return float(given_s)


def _rows_table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*sorted(rows), strict=True)) or [()] * len(schema)
    return pa.table(
        [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema
    )
