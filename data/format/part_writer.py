"""Sets of many sessions: row groups of a few large files instead of a file a session."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tool_use_om.data.format.parquet import open_parquet, open_writer, read_groups, write_table

PARTS_FROM = 500  # a set of more sessions than this is written as parts
PART_SESSIONS = 1024  # in one part, and
PART_GROUPS = 256  # row groups: a part's footer is read whole for the first session read from it
ROW_GROUP = 1 << 15  # rows of a long session's groups; a time range reads only those it touches
SHARED_ROWS = 1 << 12  # short sessions share a row group until it has this many rows
PLACES_SCHEMA = pa.schema(
    [
        ("session_id", pa.string()),
        ("modality", pa.string()),
        ("part", pa.int32()),
        ("first_group", pa.int32()),
        ("n_groups", pa.int32()),
        ("first_row", pa.int32()),  # in the group, and
        ("n_rows", pa.int32()),  # of it: where several sessions share one; else 0 and -1
    ]
)
NUMBERS = PLACES_SCHEMA.names[2:]
ALONE = (0, -1)


@dataclass
class _Modality:
    """One modality's open part, and the sessions that wait for a shared row group."""

    names: tuple[str, ...]
    part: int = 0
    sessions: int = 0
    groups: int = 0
    waiting: list[tuple[str, np.ndarray, np.ndarray]] = field(default_factory=list)
    rows: int = 0  # waiting
    stack: ExitStack = field(default_factory=ExitStack)
    file: pq.ParquetWriter | None = None


class PartWriter:
    """Appends sessions to parts/<modality>-<number>.parquet.

    Short sessions share a row group, whole; one of `SHARED_ROWS` rows or more has its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, _Modality] = {}
        self._places: list[tuple[str, str, int, int, int, int, int]] = []
        (folder / "parts").mkdir()

    def add(
        self, session_id: str, modality: str, names: Sequence[str],
        time_s: np.ndarray, values: np.ndarray,
    ) -> None:  # fmt: skip
        """Append one modality of one session: time (n,) and values (n, C) of channels `names`."""
        at = self._open.setdefault(modality, _Modality(names=tuple(names)))
        if at.sessions >= PART_SESSIONS or at.groups >= PART_GROUPS:
            self._close(modality)
            at.part, at.sessions, at.groups = at.part + 1, 0, 0
        at.sessions += 1
        if time_s.size < SHARED_ROWS:
            at.waiting.append((session_id, time_s, values))
            at.rows += time_s.size
            if at.rows >= SHARED_ROWS:
                self._flush(modality)
            return
        self._flush(modality)
        n_groups = -(-time_s.size // ROW_GROUP)
        self._places.append((session_id, modality, at.part, at.groups, n_groups, *ALONE))
        self._write(modality, time_s, values)
        at.groups += n_groups

    def take_over(self, session_ids: Sequence[str]) -> None:
        """Move sessions already written as files of their own into parts."""
        for session_id in session_ids:
            for path in sorted((self._folder / "sessions" / session_id).glob("*.parquet")):
                with open_parquet(path) as file:
                    names = [n for n in file.schema_arrow.names if n != "time_s"]
                    signal = read_groups(file, range(file.num_row_groups), names)
                self.add(session_id, path.stem, names, *signal)
        shutil.rmtree(self._folder / "sessions", ignore_errors=True)

    def finish(self) -> None:
        """Close the parts and write places.parquet."""
        self.close()
        columns = list(zip(*sorted(self._places), strict=True))
        arrays = [pa.array(c, f.type) for c, f in zip(columns, PLACES_SCHEMA, strict=True)]
        write_table(pa.table(arrays, schema=PLACES_SCHEMA), self._folder / "places.parquet")

    def close(self) -> None:
        """Write what waits and close the files."""
        for modality in self._open:
            self._close(modality)

    def _flush(self, modality: str) -> None:
        at = self._open[modality]
        if not at.waiting:
            return
        first = 0
        for session_id, time_s, _ in at.waiting:
            place = (at.part, at.groups, 1, first, time_s.size)
            self._places.append((session_id, modality, *place))
            first += time_s.size
        _, times, values = zip(*at.waiting, strict=True)
        self._write(modality, np.concatenate(times), np.concatenate(values))
        at.groups += 1
        at.rows = 0
        at.waiting.clear()

    def _write(self, modality: str, time_s: np.ndarray, values: np.ndarray) -> None:
        at = self._open[modality]
        table = signal_table(at.names, time_s, values)
        if at.file is None:
            path = part_path(self._folder, modality, at.part)
            at.file = at.stack.enter_context(open_writer(path, table.schema, use="signals"))
        at.file.write_table(table, row_group_size=ROW_GROUP)

    def _close(self, modality: str) -> None:
        at = self._open[modality]
        self._flush(modality)
        at.stack.close()
        at.file = None


def signal_table(names: Sequence[str], time_s: np.ndarray, values: np.ndarray) -> pa.Table:
    """Return time_s and one column a channel, as signals lie on disk."""
    columns = {n: np.ascontiguousarray(values[:, i]) for i, n in enumerate(names)}
    return pa.table({"time_s": time_s} | columns)


def part_path(folder: Path, modality: str, part: int) -> Path:
    """Return the path of a part."""
    return folder / "parts" / f"{modality}-{part:05d}.parquet"
