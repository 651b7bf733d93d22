"""What converters of recordings in text files share: find, read, label, split."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Split
from tool_use_om.data.format.session_rules import Interval
from tool_use_om.data.format.splits import default_sizes, split_subjects

SUBJECT_SPLIT_RULE = (
    "by subject, about 60, 20 and 20 percent: of 4000 seeded orders of the subjects (seed 0) the "
    "one with the most activities in every split and in training, then with recordings shared "
    "like subjects; of two subjects one trains and one tests, a single one trains"
)


def find_files(
    folder: Path, pattern: re.Pattern[str], *, like: str, hint: str
) -> list[tuple[Path, re.Match[str]]]:
    """Return the files below `folder` whose whole name matches, sorted by path.

    Raises
    ------
    DataError : there is none; `like` is such a name, `hint` says what to give
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    found = [(p, match) for p in files if (match := pattern.fullmatch(p.name))]
    if not found:
        raise DataError(f"{folder} holds no file such as {like}. {hint}")
    return found


def read_numbers(
    path: Path,
    n_columns: int,
    *,
    delimiter: str | None = None,
    header: Sequence[str] | None = None,
) -> np.ndarray:
    """Return a text file's numbers (n, n_columns) float64; blank lines and what follows ";" go.

    Parameters
    ----------
    delimiter : str, default: any white space
    header : the names the first line must have; None: there is no header

    Raises
    ------
    DataError : another header, no number, text that is none, a line with more or fewer columns
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        if header is not None:
            _check_header(path, file.readline(), delimiter, header)
        lines = (line for line in file if line.strip(" \t\r\n;"))
        first = next(lines, None)
        if first is None:
            raise DataError(f"{path} is empty.")
        try:
            table = np.loadtxt(
                chain([first], lines), delimiter=delimiter, comments=";", ndmin=2, dtype=np.float64
            )
        except ValueError as error:
            reason = str(error).partition(";")[0]
            raise DataError(
                f"{path}: expected {n_columns} numbers a line, but {reason}. Is it complete?"
            ) from error
    if table.shape[1] != n_columns:
        raise DataError(f"{path}: expected {n_columns} numbers a line, got {table.shape[1]}.")
    return table


def _check_header(path: Path, line: str, delimiter: str | None, header: Sequence[str]) -> None:
    names = [name.strip().strip('"') for name in line.strip("\r\n").split(delimiter)]
    if names != list(header):
        raise DataError(f"{path}: expected the columns {list(header)}, got {names[:14]}.")


def label_runs(
    codes: np.ndarray,
    time_s: np.ndarray,
    end_s: float,
    names: Mapping[int, str | None],
    label_set: str = "activity",
) -> list[Interval]:
    """Return one interval for each run of equal codes; it ends where the next run starts.

    Parameters
    ----------
    codes, time_s : (n,) the code of each sample and its time, seconds
    end_s : float, where the last run ends
    names : code → label; None leaves the run unlabelled

    Raises
    ------
    DataError : a code that `names` does not have
    """
    strange = sorted({float(c) for c in np.unique(codes)} - {float(c) for c in names})
    if strange:
        raise DataError(f"unknown activity code {strange[0]:g}; known: {sorted(names)}.")
    starts = np.flatnonzero(np.diff(codes, prepend=np.nan) != 0)
    edges = [*(float(t) for t in time_s[starts]), end_s]
    labels = [names[int(c)] for c in codes[starts]]
    return [
        (start, end, label, label_set)
        for start, end, label in zip(edges[:-1], edges[1:], labels, strict=True)
        if label is not None
    ]


def split_recordings(counts: Mapping[str, Mapping[str, int]]) -> dict[str, Split]:
    """Split subjects as `SUBJECT_SPLIT_RULE` says; `counts` is subject → label → how many."""
    n = len(counts)
    sizes = default_sizes(n) if n > 2 else (1, 0, n - 1)
    return split_subjects(counts, sizes, seed=0)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name in front of what is wrong with its content."""
    try:
        yield
    except DataError as error:
        text = str(error)
        raise (error if str(path) in text else DataError(f"{path}: {text}")) from error
