"""Reading sessions out of parts: files stay open, and what is read in turn is read ahead."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.parquet import (
    cut_range,
    need,
    open_file,
    open_parquet,
    read_groups,
    read_range,
    reading,
)
from tool_use_om.data.format.part_writer import ALONE, NUMBERS, part_path

_OPEN = 16  # parts whose files and footers are held
_AHEAD_ROWS = 1 << 16  # rows read ahead at most
_AHEAD_GROUPS = 16


@dataclass
class _Block:
    """Row groups read last from a modality's part: its next session is most likely in them."""

    part: int
    groups: range
    names: list[str]
    starts: np.ndarray  # first row of each group
    time_s: np.ndarray
    values: np.ndarray

    def holds(self, part: int, group: int, names: list[str]) -> bool:
        if self.part != part or group not in self.groups:
            return False
        return names == self.names or set(names) <= set(self.names)


class PartReader:
    """Finds and reads sessions of a set in parts.

    Holds the files read last, and of each modality the row groups read last: one at first, up to
    16 (65 536 rows) where sessions are read in the order they lie in. Threads take turns.
    """

    def __init__(
        self, folder: Path, session_ids: pa.Array, check: Callable[[Path], None] = lambda _: None
    ) -> None:
        self._folder = folder
        self._check = check
        self._places = read_places(folder / "places.parquet", session_ids)
        self._files: dict[Path, pq.ParquetFile] = {}
        self._blocks: dict[str, _Block] = {}
        self._lock = threading.Lock()

    def read(
        self, row: int, modality: str, names: list[str], start_s: float, end_s: float
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return time (n,) and values (n, C) of a session in [start, end).

        Parameters
        ----------
        row : int, the session's row in sessions.parquet

        Returns
        -------
        None if the session does not have the modality
        """
        places = self._places.get(modality)
        if places is None or places[row, 0] < 0:
            return None
        part, first_group, n_groups, first, n_rows = places[row].tolist()
        if n_groups == 0 or n_rows == 0:
            return np.empty(0), np.empty((0, len(names)), np.float32)
        if n_rows == ALONE[1]:
            groups = range(first_group, first_group + n_groups)
            with self._lock, self._file(modality, part, names) as file:
                return read_range(file, names, start_s, end_s, groups)
        with self._lock:
            self._check(part_path(self._folder, modality, part))
            block = self._blocks.get(modality)
            if block is None or not block.holds(part, first_group, names):
                block = self._read_block(modality, part, first_group, names)
        first += int(block.starts[first_group - block.groups[0]])
        rows = slice(first, first + n_rows)
        found = block.values[rows]
        if names != block.names:
            found = found[:, [block.names.index(n) for n in names]]
        return cut_range(block.time_s[rows], found, start_s, end_s)

    def blocks(
        self, modality: str, names: list[str]
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Yield all sessions as they lie: rows (k,), bounds (k + 1,), time (n,), values (n, C).

        A block is as many row groups as hold 65 536 rows, or one long session. Sessions without
        samples are left out.
        """
        places = self._places.get(modality, np.empty((0, len(NUMBERS)), np.int32))
        held = (places[:, 0] >= 0) & (places[:, 2] > 0) & (places[:, 4] != 0)
        rows = np.flatnonzero(held)
        rows = rows[np.lexsort((places[rows, 3], places[rows, 1], places[rows, 0]))]
        for mine in np.split(rows, np.flatnonzero(np.diff(places[rows, 0])) + 1):
            left = mine
            while left.size:
                with self._lock:
                    found = self._read_from(modality, names, places[left])
                size = found[0].size - 1
                yield left[:size], *found
                left = left[size:]

    def _read_from(
        self, modality: str, names: list[str], places: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Read the first of a part's `places` in one go: bounds, time and values."""
        part, first = places[0, :2].tolist()
        groups = places[:, 1] - first + places[:, 2]  # up to the end of each session
        with self._file(modality, part, names) as file:
            ahead = max(_AHEAD_GROUPS, int(groups[0]))
            count = min(file.num_row_groups - first, ahead)
            sizes = [file.metadata.row_group(first + i).num_rows for i in range(count)]
            ends = np.cumsum([0, *sizes])
            near = int(np.searchsorted(groups, count, side="right"))
            full = int(np.searchsorted(ends[groups[:near]], _AHEAD_ROWS, side="right"))
            last = int(groups[max(full, 1) - 1])  # whole groups, and what lies in them
            kept = int(np.searchsorted(groups[:near], last, side="right"))
            time_s, values = read_groups(file, range(first, first + min(last, count)), names)
        mine, groups = places[:kept], groups[:kept]
        alone = ends[groups] - ends[mine[:, 1] - first]
        bounds = np.cumsum([0, *np.where(mine[:, 4] == ALONE[1], alone, mine[:, 4])])
        if not kept or bounds[-1] != time_s.size:
            path = part_path(self._folder, modality, part)
            raise DataError(f"{path} is not what places.parquet says. Convert the set again.")
        return bounds, time_s, values

    @contextmanager
    def _file(self, modality: str, part: int, names: list[str]) -> Iterator[pq.ParquetFile]:
        path = part_path(self._folder, modality, part)
        self._check(path)
        if path not in self._files:
            if not path.exists():
                raise DataError(f"{path} is missing. Convert the set again.")
            self._files[path] = open_file(path)
            while len(self._files) > _OPEN:
                self._files.pop(next(iter(self._files))).close()
        file = self._files[path]
        need(path, file, ["time_s", *names])
        with reading(path):
            yield file

    def _read_block(self, modality: str, part: int, group: int, names: list[str]) -> _Block:
        last = self._blocks.get(modality)
        ahead = 1
        if last is not None and last.holds(part, group - 1, names):
            ahead = min(2 * len(last.groups), _AHEAD_GROUPS)
        with self._file(modality, part, names) as file:
            end = min(group + ahead, file.num_row_groups)
            sizes = [file.metadata.row_group(i).num_rows for i in range(group, end)]
            fit = max(1, int(np.searchsorted(np.cumsum(sizes), _AHEAD_ROWS, side="right")))
            groups = range(group, group + min(fit, end - group))
            starts = np.concatenate([[0], np.cumsum(sizes)])
            block = _Block(part, groups, list(names), starts, *read_groups(file, groups, names))
        self._blocks[modality] = block
        return block


def read_places(path: Path, session_ids: pa.Array) -> dict[str, np.ndarray]:
    """Return for each modality where its sessions lie, (sessions, 5) as `NUMBERS`; -1 = nowhere.

    Sets written before sessions shared row groups have no rows in their table of places.
    """
    with open_parquet(path, ["session_id", "modality", *NUMBERS[:3]]) as file:
        table = file.read(use_threads=False).combine_chunks()
    row = pc.index_in(table["session_id"], value_set=session_ids).to_numpy()
    if np.isnan(row.astype(float)).any():
        raise DataError(f"{path} names a session that is not in the set. Convert it again.")
    columns = [table[n].to_numpy() for n in NUMBERS if n in table.column_names]
    columns += [np.full(len(row), x) for x in ALONE][len(columns) - 3 :]
    numbers = np.stack(columns, axis=1)
    modality = table["modality"]
    places = {}
    for name in pc.unique(modality).to_pylist():
        mine = pc.equal(modality, name).to_numpy()
        places[name] = np.full((len(session_ids), len(NUMBERS)), -1, np.int32)
        places[name][row[mine]] = numbers[mine]
    return places
