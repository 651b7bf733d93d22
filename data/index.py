"""The index of a set: sessions.parquet as sessions come, and stats.parquet for large sets."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tool_use_om.data.parquet import open_parquet, open_writer, read_table, write_table
from tool_use_om.data.stats import QUANTILES, SKETCH_LEVELS, STATS_TYPE

INDEX_SCHEMA = pa.schema(
    [
        ("session_id", pa.string()),
        ("subject_id", pa.string()),
        ("start_utc", pa.timestamp("us", tz="UTC")),
        ("duration_s", pa.float64()),
        ("split", pa.string()),
        ("channels", pa.list_(STATS_TYPE)),
    ]
)
STATISTICS = ("n", "nan_frac", "min", "max", "mean", "std", *QUANTILES)
STATS_SCHEMA = pa.schema(
    [("channel", pa.string()), ("session", pa.int32()), *((s, pa.float64()) for s in STATISTICS)]
)
_BATCH = 512  # sessions held as Python objects
_GROUP = 8  # such batches make a row group
_AT = [int(np.argmin(np.abs(SKETCH_LEVELS - q))) for q in QUANTILES.values()]


class IndexWriter:
    """Writes a row a session as it comes; memory grows by some hundred bytes a session."""

    def __init__(self, path: Path, channels: Sequence[str]) -> None:
        self._path = path
        self._codes = {name: i for i, name in enumerate(channels)}
        self._waiting: list[dict[str, Any]] = []
        self._batches: list[pa.Table] = []
        self._ids: list[str] = []
        self._where: list[tuple[int, int]] = []  # session number, channel number
        self._stats: list[np.ndarray] = []
        self._exit = ExitStack()
        self._file = self._exit.enter_context(open_writer(path, INDEX_SCHEMA))

    def add(self, row: dict[str, Any]) -> None:
        """Add one session's row of `INDEX_SCHEMA`."""
        number = len(self._ids)
        self._ids.append(row["session_id"])
        self._waiting.append(row)
        for entry in row["channels"]:
            self._where.append((number, self._codes[entry["channel"]]))
        found = [[*(e[s] for s in STATISTICS[:6]), *(e["sketch"][i] for i in _AT)]
                 for e in row["channels"]]  # fmt: skip
        self._stats.append(np.array(found, np.float64).reshape(-1, len(STATISTICS)))
        if len(self._waiting) == _BATCH:
            self._batch()

    def finish(self) -> None:
        """Write what waits, and the rows in the order of their ids if they came in another."""
        self._batch()
        self._flush()
        self._exit.close()
        order = np.argsort(np.array(self._ids), kind="stable")
        if (order != np.arange(order.size)).any():
            table = read_table(self._path, INDEX_SCHEMA.names)
            write_table(table.take(pa.array(order)), self._path, row_group=_BATCH * _GROUP)

    def write_stats(self, path: Path) -> None:
        """Write the statistics once more, by channel and without sketches.

        Row groups hold one channel each and `session` is the row in sessions.parquet, so that one
        channel of 100 000 sessions is read in milliseconds.
        """
        rank = np.argsort(np.argsort(np.array(self._ids), kind="stable"), kind="stable")
        where, values = np.array(self._where), np.concatenate(self._stats)
        session = rank[where[:, 0]]
        with open_writer(path, STATS_SCHEMA, numbers=True) as file:
            for channel, code in self._codes.items():
                rows = np.flatnonzero(where[:, 1] == code)
                rows = rows[np.argsort(session[rows], kind="stable")]
                if rows.size:
                    columns = [pa.array([channel] * rows.size), pa.array(session[rows], pa.int32())]
                    columns += [pa.array(values[rows, i]) for i in range(len(STATISTICS))]
                    file.write_table(pa.table(columns, schema=STATS_SCHEMA))

    def close(self) -> None:
        """Close the file without finishing, after an error."""
        self._exit.close()

    def _batch(self) -> None:
        if self._waiting:
            self._batches.append(pa.Table.from_pylist(self._waiting, INDEX_SCHEMA))
            self._waiting.clear()
        if len(self._batches) == _GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._batches:
            self._file.write_table(pa.concat_tables(self._batches).combine_chunks())
            self._batches.clear()


def read_stats(path: Path, channels: Sequence[str]) -> pa.Table:
    """Return `STATS_SCHEMA` for some channels of stats.parquet, from their row groups only."""
    with open_parquet(path, STATS_SCHEMA.names) as file:
        groups = range(file.num_row_groups)
        held = [file.metadata.row_group(i).column(0).statistics.min for i in groups]
        wanted = [i for channel in channels for i in groups if held[i] == channel]
        return file.read_row_groups(wanted, columns=STATS_SCHEMA.names, use_threads=False)
