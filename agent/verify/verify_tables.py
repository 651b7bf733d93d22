"""Markdown tables taken apart: checked cell by cell, a unit in a heading counts for its column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tool_use_om.agent.verify.prose import Number, numbers_in
from tool_use_om.data.verify_units import Unit, unit_named

_RULE = re.compile(r"(?=[^\n]*\|)(?=[^\n]*-)[ \t|:-]+")
_CELL_END = re.compile(r"(?<!\\)\|")
_HEADING_UNIT = (
    re.compile(r"[(\[](?P<unit>.+)[)\]]\s*$"),
    re.compile(r"(?:,\s+|\bin\s+)(?P<unit>\S+)\s*$"),
)


def blocks(text: str) -> Iterator[tuple[bool, list[str]]]:
    """Yield (is a table, its lines with their ends); all lines joined give `text` back.

    A table is a line, a rule like ``|---|---|`` under it, and what follows up to a blank line.
    """
    lines = text.splitlines(keepends=True)
    plain: list[str] = []
    i = 0
    while i < len(lines):
        if "|" in lines[i] and i + 1 < len(lines) and _RULE.fullmatch(lines[i + 1].rstrip("\n")):
            if plain:
                yield False, plain
            end = next((j for j in range(i, len(lines)) if not lines[j].strip()), len(lines))
            yield True, lines[i:end]
            plain, i = [], end
        else:
            plain.append(lines[i])
            i += 1
    if plain:
        yield False, plain


def cells(row: str) -> list[str]:
    """Return the texts between the bars of a row."""
    inner = row.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip() for cell in _CELL_END.split(inner)]


def column_units(heading: str, known: frozenset[str]) -> list[Unit | None]:
    """Return the unit each column's heading ends with: "mean (m/s^2)", "start, s", "error in %"."""
    return [_unit_at_end(cell, known) for cell in cells(heading)]


def cell_numbers(cell: str, unit: Unit | None, known: frozenset[str]) -> list[Number]:
    """Return the numbers of a cell; those without a unit of their own have the column's."""
    # the bar keeps "2) 5" from being read as an item of a list, whose mark states nothing
    found = numbers_in(f"| {cell}", known)
    return [n if n.unit else replace(n, unit=unit) for n in found]


def _unit_at_end(cell: str, known: frozenset[str]) -> Unit | None:
    for pattern in _HEADING_UNIT:
        found = pattern.search(cell)
        unit = unit_named(found["unit"], known) if found else None
        if unit:
            return unit
    return None
