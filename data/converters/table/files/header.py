"""Where a text table begins: titles and comments before its header, its separator, its names."""

from __future__ import annotations

import csv
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

from tool_use_om.data.errors import DataError

_SIGNS = ";\t,|"
_LOOKED_AT = 100  # lines


def before_header(head: str, separator: str) -> tuple[int, list[str]]:
    """Return how many characters come before the header, and the filled lines among them.

    The header is the first line with as many fields as most lines have. A line of which only the
    first field is filled is a title; "#" before such a line begins a comment. A line of numbers or
    dates is no header: then nothing is skipped.

    Parameters
    ----------
    head : the beginning of the file
    separator : a sign or its name, "auto" to find out
    """
    ends = [m.end() for m in re.finditer(r"[^\r\n]*(?:\r\n|\r|\n|$)", head) if m.group()]
    lines = [head[a:b].strip("\r\n\ufeff") for a, b in pairwise([0, *ends])]
    filled = [i for i, line in enumerate(lines) if line.strip()][:_LOOKED_AT]
    signs = _SIGNS if separator == "auto" else separator_of(head, separator)
    found = {s: _first(lines, filled, s) for s in signs}
    at = {i for i in found.values() if i is not None}
    if not at or filled[0] in at:
        return 0, []
    first = min(at)
    return ends[first - 1], [t for i in filled if i < first and (t := lines[i].strip(" \t,;|"))]


def _first(lines: list[str], filled: list[int], sign: str) -> int | None:
    """Return the header's line if `sign` separates columns; None if there is none."""
    try:
        rows = {i: next(csv.reader([lines[i]], delimiter=sign), []) for i in filled}
    except csv.Error:  # a field of more than 128 Ki characters: no table by this sign
        return None
    width, count = Counter(len(r) for r in rows.values()).most_common(1)[0]
    if width < 2 or 2 * count < len(rows):
        return None
    wide = [i for i in filled if len(rows[i]) == width]
    for i, after in pairwise([*wide, -1]):
        title = not any(cell.strip() for cell in rows[i][1:])
        comment = lines[i].lstrip().startswith("#") and after >= 0 and _names(rows[after])
        if not title and not comment:
            return i if _names(rows[i]) else None
    return None


def _names(row: list[str]) -> bool:
    """Whether cells are names of columns: the first is, and most of those filled."""
    cells = [cell.strip() for cell in row]
    data = [bool(re.match(r"[-+]?[.,]?\d", cell)) for cell in cells]
    return not data[0] and 2 * sum(data) < sum(bool(cell) for cell in cells)


def separator_of(head: str, given: str) -> str:
    """Return the sign between columns: the given one, by its name, too; else what lines show.

    Raises
    ------
    DataError : more than one sign was given
    """
    words = {"tab": "\t", "comma": ",", "semicolon": ";", "space": " "}
    if given != "auto":
        sign = words.get(given, given.replace("\\t", "\t"))
        if len(sign) != 1:
            raise DataError(f"--separator takes one sign, comma, semicolon or tab; got {given!r}.")
        return sign
    lines = [re.sub(r'"[^"]*"', "", line) for line in head.splitlines()[:50] if line.strip()]
    best = max(";\t,|", key=lambda s: (min(x.count(s) for x in lines[:20]) > 0, lines[0].count(s)))
    if lines[0].count(";") and lines[0].count(";") >= lines[0].count(","):
        best = ";" if lines[0].count(";") >= lines[0].count("\t") else best
    return best if lines[0].count(best) else ","


def header_of(source: Path, head: str, sign: str) -> tuple[list[str], int]:
    """Return the columns' names and how many lines come before the first row.

    Raises
    ------
    DataError : the first line holds numbers, or a name twice
    """
    lines = head.splitlines()
    first = next(i for i, line in enumerate(lines) if line.strip())
    names = [n.strip().strip("\ufeff") for n in next(csv.reader([lines[first]], delimiter=sign))]
    if sum(_is_number(n) for n in names) * 2 > len(names) and all(n for n in names):
        raise DataError(
            f"{source.name} has no header: its first line reads {lines[first][:60]!r}. Put the "
            "columns' names in the first line."
        )
    counts = Counter(names)
    repeated = [n for n in names if n and counts[n] > 1]
    if repeated:
        raise DataError(f"{source.name} has two columns named {repeated[0]!r}. Rename one.")
    named = [n or f" {i}" for i, n in enumerate(names)]
    return named, first + 1


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[-+]?\d[\d.,\s]*(?:[eE][-+]?\d+)?", text))
