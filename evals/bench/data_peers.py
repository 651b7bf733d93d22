"""The same Parquet files read by other libraries, for `tuom bench data`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.parquet import open_parquet
from tool_use_om.data.values import Untyped

READERS = ("ours", "stream", "pyarrow", "pandas", "polars", "duckdb")
MODALITY = "accelerometer"
_PARTS = 8  # parts read, or
_FILES = 200  # files of single sessions
Read = Callable[[], object]


def reader(name: str, dataset: DataSet) -> tuple[Read, int] | None:
    """Return a function that reads one modality of the first sessions whole, and its rows.

    All read the same files and give all their columns as arrays or a frame. The others read file
    by file; "ours" calls `DataSet.read` session by session, "stream" takes as many rows of
    `DataSet.stream`. None if `name` is not installed.
    """
    paths, ids = _asked(dataset)
    rows = sum(_rows(p) for p in paths)
    if name == "ours":
        return lambda: [dataset.read(s, [MODALITY])[0].values.shape for s in ids], rows
    if name == "stream":
        return lambda: _streamed(dataset, rows), rows
    one = _one_file(name)
    return None if one is None else (lambda: [len(one(p)) for p in paths], rows)


def _asked(dataset: DataSet) -> tuple[list[Path], list[str]]:
    ids = dataset.sessions()["session_id"].tolist()
    parts = sorted((dataset.path / "parts").glob(f"{MODALITY}-*.parquet"))[:_PARTS]
    if not parts:
        return [dataset.path / "sessions" / s / f"{MODALITY}.parquet" for s in ids[:_FILES]], ids[
            :_FILES
        ]
    length = round(dataset.duration_of(ids[0]) * dataset.manifest.rate_of(f"{MODALITY}.x"))
    return parts, ids[: sum(_rows(p) for p in parts) // length]


def _streamed(dataset: DataSet, rows: int) -> int:
    """Stream blocks until they have `rows` rows; return how many."""
    found = 0
    for block in dataset.stream([MODALITY]):
        found += block.time_s.size
        if found >= rows:
            break
    return found


def _one_file(name: str) -> Callable[[Path], Any] | None:
    """Return a function that reads one Parquet file whole, or None if `name` is not installed."""
    if find_spec(name) is None:
        return None
    if name == "pyarrow":
        return _arrow
    if name == "pandas":
        import pandas as pd

        return pd.read_parquet
    if name == "polars":
        import polars as pl

        return pl.read_parquet
    import duckdb

    link = duckdb.connect(config={"threads": 1})
    return lambda path: link.read_parquet(str(path)).fetchnumpy()


def _arrow(path: Path) -> Untyped:
    with open_parquet(path) as file:
        return file.read(use_threads=False)


def _rows(path: Path) -> int:
    with open_parquet(path) as file:
        return int(file.metadata.num_rows)
