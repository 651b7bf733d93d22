"""What converters of published CSV files share: the columns asked for, complete, or one error."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from tool_use_om.data.converters.shared.recordings import naming
from tool_use_om.data.converters.table.times.column import read_time
from tool_use_om.data.errors import DataError


def read_columns(
    path: Path, time: str | None, numbers: Sequence[str], *, separator: str = ","
) -> pd.DataFrame:
    """Return the asked columns of a CSV file; every cell must be filled, every number one.

    Raises
    ------
    DataError : no such column, a cell that is empty or no number, an unreadable or empty file; the
        message names the file and the row
    """
    try:
        frame = pd.read_csv(path, sep=separator, skipinitialspace=True)
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise DataError(f"{path} cannot be read as CSV: {str(error).strip()}.") from error
    frame.columns = [str(c).strip() for c in frame.columns]
    wanted = [*([time] if time else []), *numbers]
    missing = [c for c in wanted if c not in frame.columns]
    if missing:
        found = ", ".join(frame.columns)[:200]
        raise DataError(f"{path} has no column {missing[0]!r}; its header reads: {found}.")
    if frame.empty:
        raise DataError(f"{path} has no rows.")
    for column in wanted:
        _check_filled(path, frame[column], numeric=column != time)
    return frame[wanted]


def _check_filled(path: Path, column: pd.Series, *, numeric: bool) -> None:
    if numeric and not pd.api.types.is_numeric_dtype(column.dtype):
        bad = pd.to_numeric(column, errors="coerce").isna() & column.notna()
        row = int(np.flatnonzero(bad)[0]) if bad.any() else 0
        raise DataError(
            f"{path}, row {row + 1}: {column.name} must be a number, got {column.iloc[row]!r}."
        )
    if column.isna().any():
        row = int(np.flatnonzero(column.isna())[0])
        raise DataError(f"{path}, row {row + 1}: {column.name} is empty. Is the file complete?")


def unix_seconds(path: Path, dates: pd.Series) -> np.ndarray:
    """Return dates (n,) as seconds since 1970; a date without a zone is read as UTC.

    Raises
    ------
    DataError : text that is no date; the message names the file
    """
    with naming(path):
        return read_time(dates.astype(str), "auto").seconds


def moment(seconds: float) -> datetime:
    """Return Unix seconds as a date in UTC."""
    return datetime.fromtimestamp(float(seconds), tz=UTC)


def median_step(seconds: np.ndarray) -> float | None:
    """Return the median of the steps forward, seconds; None if there is none."""
    steps = np.diff(seconds)
    forward = steps[steps > 0]
    return float(np.median(forward)) if forward.size else None


def files_like(folder: Path, pattern: str, *, hint: str) -> list[Path]:
    """Return the files below `folder` that match `pattern`, sorted; raise DataError for none."""
    found = sorted(p for p in folder.rglob(pattern) if p.is_file() and not p.name.startswith("."))
    if not found:
        raise DataError(f"{folder} holds no file named like {pattern!r}. {hint}")
    return found
