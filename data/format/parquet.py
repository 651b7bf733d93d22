"""Parquet files as the data layer writes and reads them: checksummed, damage named by file."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tool_use_om.data.errors import DataError

# what pyarrow raises on a damaged file: ArrowInvalid is a ValueError, a mangled name a Unicode one
_DAMAGE = (OSError, pa.ArrowException, ValueError, KeyError, MemoryError, OverflowError)
_SEAL = b"tuCS"
Use = Literal["table", "signals", "numbers"]
_HOW: dict[Use, dict[str, Any]] = {
    "table": {"compression": "zstd"},
    "signals": {"compression": "zstd", "use_dictionary": False},
    "numbers": {"compression": "none", "use_dictionary": ["channel"]},
}


def write_table(
    table: pa.Table, path: Path, *, row_group: int | None = None, use: Use = "table"
) -> None:
    """Write a table whose pages carry checksums; `row_group` rows a group (default: pyarrow's)."""
    with open_writer(path, table.schema, use=use) as file:
        file.write_table(table, row_group_size=row_group)


@contextmanager
def open_writer(path: Path, schema: pa.Schema, *, use: Use = "table") -> Iterator[pq.ParquetWriter]:
    """Yield a writer of row groups; pages carry checksums, and the footer when it is closed.

    Parameters
    ----------
    use : "table" compresses and gathers equal values; "signals" compresses only, which is twice as
        fast on numbers that hardly repeat; "numbers" does neither: larger, and fastest to read
    """
    with pq.ParquetWriter(path, schema, write_page_checksum=True, **_HOW[use]) as file:
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


def footer_checksum(path: Path) -> int:
    """Return the checksum of a file's footer; DataError names a file that has none."""
    try:
        with path.open("rb") as file:
            return zlib.crc32(_footer(file))
    except OSError as error:
        raise DataError(
            f"{path} cannot be read as Parquet ({_short(error)}). Convert the set again."
        ) from error


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
def open_parquet(path: Path, columns: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
    """Yield an open file that has `columns`; whatever is wrong with it is a DataError naming it."""
    with open_file(path) as file, reading(path):
        need(path, file, columns)
        yield file


def open_file(path: Path) -> pq.ParquetFile:
    """Return an open file whose footer is whole; DataError names one that is not."""
    try:
        _check_seal(path)
        return pq.ParquetFile(path, pre_buffer=False, page_checksum_verification=True)
    except _DAMAGE as error:
        raise DataError(
            f"{path} cannot be read as Parquet ({_short(error)}). Convert the set again."
        ) from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what damage raises while an open file is read into a DataError naming it."""
    try:
        yield
    except DataError:
        raise
    except _DAMAGE as error:
        raise DataError(f"{path} is damaged ({_short(error)}). Convert the set again.") from error


def read_table(path: Path, columns: list[str]) -> pa.Table:
    """Return some columns of a file; raise DataError naming it if it lacks or has lost them."""
    with open_parquet(path, columns) as file:
        return file.read(columns=columns, use_threads=False)


def read_range(
    file: pq.ParquetFile, names: list[str], start_s: float, end_s: float, groups: range
) -> tuple[np.ndarray, np.ndarray]:
    """Return time (n,) and values (n, C) of the rows in [start, end), from their groups only.

    `groups` are the row groups that hold the session and nothing else.
    """
    chosen = [i for i in groups if _overlaps(file, i, start_s, end_s)]
    return cut_range(*read_groups(file, chosen, names), start_s, end_s)


def read_groups(
    file: pq.ParquetFile, groups: Sequence[int], names: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return time (n,) and values (n, C) of whole row groups, in one go; float32 as a rule."""
    table = file.read_row_groups(list(groups), columns=["time_s", *names], use_threads=False)
    time_s = table["time_s"].to_numpy()
    double = any(table.schema.field(name).type == pa.float64() for name in names)
    values = np.empty((time_s.size, len(names)), np.float64 if double else np.float32)
    for i, name in enumerate(names):
        values[:, i] = table[name].to_numpy()
    return time_s, values


def cut_range(
    time_s: np.ndarray, values: np.ndarray, start_s: float, end_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return copies of the rows with start <= time < end."""
    first, last = np.searchsorted(time_s, [start_s, end_s], side="left")
    return time_s[first:last].copy(), values[first:last].copy()


def need(path: Path, file: pq.ParquetFile, columns: Sequence[str]) -> None:
    """Raise DataError naming a column that the file lacks."""
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
