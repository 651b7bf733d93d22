"""Parquet files as the data layer writes and reads them: checksummed, damage named by file."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tool_use_om.data.errors import DataError

# what pyarrow raises on a damaged file: ArrowInvalid is a ValueError, a mangled name a Unicode one
_DAMAGE = (OSError, pa.ArrowException, ValueError, KeyError, MemoryError, OverflowError)
_SEAL = b"tuCS"


class Footers:
    """Remembers the footers of the last few files; those of parts take milliseconds to read."""

    def __init__(self, limit: int = 16) -> None:
        self._held: dict[Path, pq.FileMetaData] = {}
        self._limit = limit

    def get(self, path: Path) -> pq.FileMetaData | None:
        """Return a footer, if it is remembered."""
        return self._held.get(path)

    def put(self, path: Path, footer: pq.FileMetaData) -> None:
        """Remember a footer; the oldest is forgotten."""
        self._held.setdefault(path, footer)
        while len(self._held) > self._limit:
            del self._held[next(iter(self._held))]


def write_table(table: pa.Table, path: Path, *, row_group: int | None = None) -> None:
    """Write a table whose pages carry checksums; `row_group` rows a group (default: pyarrow's)."""
    with open_writer(path, table.schema) as file:
        file.write_table(table, row_group_size=row_group)


@contextmanager
def open_writer(
    path: Path, schema: pa.Schema, *, numbers: bool = False
) -> Iterator[pq.ParquetWriter]:
    """Yield a writer of row groups; pages carry checksums, and the footer when it is closed.

    `numbers` leaves distinct numbers as they are, uncompressed: larger, and fastest to read.
    """
    plain: dict[str, Any] = {"compression": "none", "use_dictionary": ["channel"]}
    how = plain if numbers else {"compression": "zstd"}
    with pq.ParquetWriter(path, schema, write_page_checksum=True, **how) as file:
        yield file
    _seal(path)


def _seal(path: Path) -> None:
    """Put a checksum of the footer before the footer, where every Parquet reader skips it.

    Parquet checks its pages only, and Arrow ends the whole process on some damaged footers.
    """
    with path.open("r+b") as file:
        footer = _footer(file)
        file.seek(-len(footer), os.SEEK_END)
        file.write(_SEAL + zlib.crc32(footer).to_bytes(4, "little") + footer)


def _check_seal(path: Path) -> None:
    with path.open("rb") as file:
        footer = _footer(file)
        file.seek(max(0, file.seek(0, os.SEEK_END) - len(footer) - 8))
        seal = file.read(8)
    sealed = seal[:4] == _SEAL
    if sealed and zlib.crc32(footer) != int.from_bytes(seal[4:], "little"):
        raise OSError("its footer does not match the footer's checksum")


def _footer(file: BinaryIO) -> bytes:
    """Return the footer with its length and the closing magic number."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    tail = file.read(8)
    length = int.from_bytes(tail[:4], "little") + 8
    if tail[4:] != b"PAR1" or length > size:
        raise OSError("it does not end as a Parquet file does")
    file.seek(size - length)
    return file.read(length)


@contextmanager
def open_parquet(
    path: Path, columns: Sequence[str] = (), *, footers: Footers | None = None
) -> Iterator[pq.ParquetFile]:
    """Yield an open file that has `columns`; whatever is wrong with it is a DataError naming it.

    A footer found in `footers` is not read again.
    """
    try:
        known = None if footers is None else footers.get(path)
        if known is None:
            _check_seal(path)
        file = pq.ParquetFile(
            path, metadata=known, pre_buffer=False, page_checksum_verification=True
        )
        if footers is not None:
            footers.put(path, file.metadata)
    except _DAMAGE as error:
        raise DataError(
            f"{path} cannot be read as Parquet ({_short(error)}). Convert the set again."
        ) from error
    with file:
        try:
            _need(path, file, columns)
            yield file
        except DataError:
            raise
        except _DAMAGE as error:
            raise DataError(
                f"{path} is damaged ({_short(error)}). Convert the set again."
            ) from error


def read_table(path: Path, columns: list[str]) -> pa.Table:
    """Return some columns of a file; raise DataError naming it if it lacks or has lost them."""
    with open_parquet(path, columns) as file:
        return file.read(columns=columns, use_threads=False)


def read_range(
    path: Path,
    names: list[str],
    start_s: float,
    end_s: float,
    *,
    groups: range | None = None,
    footers: Footers | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return time (n,) and values (n, C) of the rows in [start, end), from their groups only.

    `groups` are the row groups that hold the session (default: all of the file's).
    """
    with open_parquet(path, ["time_s", *names], footers=footers) as file:
        among = range(file.num_row_groups) if groups is None else groups
        chosen = [i for i in among if _overlaps(file, i, start_s, end_s)]
        table = file.read_row_groups(chosen, columns=["time_s", *names], use_threads=False)
        time_s = table["time_s"].to_numpy()
        first, last = np.searchsorted(time_s, [start_s, end_s], side="left")
        columns = [table[name].to_numpy()[first:last] for name in names]
        values = np.stack(columns, axis=1).astype(np.float32, copy=False)
        return time_s[first:last].copy(), values


def _need(path: Path, file: pq.ParquetFile, columns: Sequence[str]) -> None:
    missing = [c for c in columns if c not in file.schema_arrow.names]
    if missing:
        raise DataError(f"{path} has no column {missing[0]!r}. Convert the set again.")


def _overlaps(file: pq.ParquetFile, group: int, start_s: float, end_s: float) -> bool:
    stats = file.metadata.row_group(group).column(0).statistics
    if stats is None or not stats.has_min_max:
        return True
    return bool(stats.max >= start_s and stats.min < end_s)


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
