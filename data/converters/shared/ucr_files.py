"""The files of the UCR and UEA archives, case by case: .ts, .arff, and .tsv or .txt columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from tool_use_om.data.converters.shared.csv_columns import unix_seconds
from tool_use_om.data.errors import DataError

_MISSING = {"?", "", "nan", "na"}
_TUPLE = re.compile(r"\(([^(),]+(?:,[^(),]+)?),([^(),]*)\)")
_TARGETS = {"class", "target", "label", "classlabel", "targetlabel"}
Line = tuple[int, str]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case: `values` (n, C), NaN = missing; its class or its number; stamps if it has any."""

    values: np.ndarray
    label: str | None = None
    target: float | None = None
    stamps_s: np.ndarray | None = None
    dated: bool = False


def read_cases(path: Path) -> Iterator[Case]:
    """Yield the cases of one file, one line in memory at a time.

    Raises
    ------
    DataError : not of the form its suffix names; the message gives file and line
    """
    reader = READERS[path.suffix.casefold()]
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = ((n, text.strip()) for n, text in enumerate(file, start=1))
        yield from reader(path, ((n, t) for n, t in lines if t and t[0] not in "#%"))


def count_cases(path: Path) -> int:
    """Return how many lines hold a case, without reading what they say."""
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip() and line.lstrip()[:1] not in b"#%@")


def _read_ts(path: Path, lines: Iterator[Line]) -> Iterator[Case]:
    head = _ts_header(path, lines)
    kind = "class" if "classlabel" in head else "target" if "targetlabel" in head else ""
    stamped = head.get("timestamps", ["false"])[0].casefold() == "true"
    width = 0
    for n, line in lines:
        where = f"{path}, line {n}"
        parts = re.split(r"(?<=\)):" if stamped else ":", line)
        last = parts.pop().strip() if kind else ""
        case = _stamped(where, parts) if stamped else _plain(where, parts)
        width = width or int(head.get("dimensions", [str(len(parts))])[0])
        if len(parts) != width:
            raise DataError(f"{where}: expected {width} dimensions, got {len(parts)}.")
        yield _with_answer(where, case, kind, last, head.get("classlabel", []))


def _ts_header(path: Path, lines: Iterator[Line]) -> dict[str, list[str]]:
    """Return key, lower case → words; "classlabel" and "targetlabel" only if they are true."""
    head: dict[str, list[str]] = {}
    for n, line in lines:
        words = line.split()
        key = words[0].casefold()
        if key == "@data":
            return head
        if not key.startswith("@"):
            raise DataError(f"{path}, line {n}: expected @data before the first case.")
        if key in {"@classlabel", "@targetlabel"}:
            if words[1:2] and words[1].casefold() == "true":
                head[key[1:]] = words[2:]
        else:
            head[key[1:].replace("dimension", "dimensions").replace("ss", "s")] = words[1:]
    raise DataError(f"{path} has no @data. Is the file complete?")


def _with_answer(where: str, case: Case, kind: str, answer: str, classes: list[str]) -> Case:
    if kind == "class":
        if not answer or (classes and answer not in classes):
            raise DataError(
                f"{where}: the case must end in one of {', '.join(classes)[:80]}, "
                f"got {answer[:40]!r}. Is the file complete?"
            )
        return replace(case, label=answer)
    if kind == "target":
        return replace(case, target=float(_numbers(where, [answer])[0]))
    return case


def _plain(where: str, parts: list[str]) -> Case:
    return Case(values=_side_by_side([_numbers(where, p.split(",")) for p in parts]))


def _stamped(where: str, parts: list[str]) -> Case:
    pairs = [_TUPLE.findall(part) for part in parts]
    stamps = [[stamp.strip() for stamp, _ in dim] for dim in pairs]
    if not stamps or not stamps[0] or any(s != stamps[0] for s in stamps):
        raise DataError(
            f"{where}: expected (time,value) pairs at the same times in all dimensions."
        )
    values = _side_by_side([_numbers(where, [v for _, v in dim]) for dim in pairs])
    try:
        return Case(values=values, stamps_s=np.array(stamps[0], dtype=np.float64))
    except ValueError:
        seconds = unix_seconds(Path(where), pd.Series(stamps[0], name="time"))
        return Case(values=values, stamps_s=seconds, dated=True)


def _read_columns(path: Path, lines: Iterator[Line]) -> Iterator[Case]:
    """Read .tsv or .txt: the class, then the values; missing ones at the end were never there."""
    width = 0
    for n, line in lines:
        where = f"{path}, line {n}"
        cells = line.split("\t") if "\t" in line else re.split(r"[,\s]+", line)
        width = width or len(cells)
        if len(cells) != width or width < 2:
            raise DataError(f"{where}: expected {width} columns, got {len(cells)}.")
        values = _numbers(where, cells[1:])
        present = np.flatnonzero(~np.isnan(values))
        label = _numbers(where, cells[:1])[0]
        name = f"{int(label)}" if label == np.trunc(label) else f"{label:g}"
        yield Case(values=values[: present[-1] + 1 if present.size else 1, None], label=name)


def _read_arff(path: Path, lines: Iterator[Line]) -> Iterator[Case]:
    kind, classes, width = _arff_header(path, lines)
    for n, line in lines:
        where = f"{path}, line {n}"
        quoted = line[0] in "'\""
        series, _, answer = line.rpartition(",") if kind else (line, "", "")
        if quoted:
            case = _plain(where, re.split(r"\\n", series.strip("'\"")))
        else:
            case = _plain(where, [series])
            if len(case.values) != width:
                raise DataError(f"{where}: expected {width} values, got {len(case.values)}.")
        yield _with_answer(where, case, kind, answer.strip(" '\""), classes)


def _arff_header(path: Path, lines: Iterator[Line]) -> tuple[str, list[str], int]:
    """Return what a case ends in ("class", "target" or ""), the classes, the number of values."""
    width, kind, classes = 0, "", list[str]()
    for n, line in lines:
        word, _, rest = line.partition(" ")
        if word.casefold() == "@data":
            return kind, classes, width
        if not word.startswith("@"):
            raise DataError(f"{path}, line {n}: expected @data before the first case.")
        name = rest.split()[0].strip("'\"").casefold() if rest.split() else ""
        if word.casefold() != "@attribute":
            continue
        if "{" in rest:
            kind = "class"
            classes = [c.strip(" '\"") for c in rest.partition("{")[2].strip("} ").split(",")]
        elif name in _TARGETS:
            kind = "target"
        else:
            width += 1
    raise DataError(f"{path} has no @data. Is the file complete?")


def _numbers(where: str, cells: list[str]) -> np.ndarray:
    try:
        return np.array(
            [np.nan if c.strip().casefold() in _MISSING else float(c) for c in cells], np.float64
        )
    except ValueError as error:
        raise DataError(f"{where}: {error}. Is the file complete?") from error


def _side_by_side(dimensions: list[np.ndarray]) -> np.ndarray:
    """Return (n, C): dimensions as columns, NaN after the end of shorter ones."""
    values = np.full((max(map(len, dimensions), default=0), len(dimensions)), np.nan)
    for i, dimension in enumerate(dimensions):
        values[: len(dimension), i] = dimension
    return values


READERS: dict[str, Callable[[Path, Iterator[Line]], Iterator[Case]]] = {
    ".ts": _read_ts,
    ".tsv": _read_columns,
    ".arff": _read_arff,
    ".txt": _read_columns,
}
