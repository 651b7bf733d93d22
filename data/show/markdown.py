"""Tables in Markdown: all that are written, in answers, reports, cards and pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

RULE = "| ---"  # how the line under a head starts


def table(head: Sequence[object], rows: Iterable[Sequence[object]], align: str = "") -> str:
    """Return a Markdown table; cells are made one line, `|` is escaped.

    Parameters
    ----------
    head : a title a column
    rows : cells of as many columns
    align : a letter a column, "l" (left) or "r" (right); the last one holds for those behind it

    Raises
    ------
    ValueError : a row has another number of cells than the head
    """
    return "\n".join(lines([cell(c) for c in head], [[cell(c) for c in r] for r in rows], align))


def lines(head: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> list[str]:
    """Return the lines of a table whose cells are Markdown already; parameters as of `table`."""
    places = (align or "l").ljust(len(head), (align or "l")[-1])
    rule = ["---:" if place == "r" else "---" for place in places[: len(head)]]
    return [_line(cells, len(head)) for cells in (head, rule, *rows)]


def cell(value: object) -> str:
    """Return the text of a cell: one line, so that no value ends its row or its column."""
    return " ".join(str(value).replace("|", "\\|").split())


def _line(cells: Sequence[str], n: int) -> str:
    if len(cells) != n:
        raise ValueError(f"{len(cells)} cells under {n} titles: {list(cells)}")
    return f"| {' | '.join(cells)} |"
