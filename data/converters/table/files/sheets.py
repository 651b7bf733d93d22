"""Sheets of a workbook (.xlsx, .xls, .xlsb, .ods) as columns; the one with the data is found."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tool_use_om.data.errors import DataError, unknown

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

SHEETS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_LOOKED_AT = 100  # rows in which the header is looked for
Row = Sequence[Any]


def read_sheet(source: Path, sheet: str | None) -> tuple[dict[str, pa.Array], tuple[str, ...]]:
    """Return the columns of one sheet, typed as its cells are, and what was read.

    Parameters
    ----------
    sheet : its name; None = the one with the largest table

    Raises
    ------
    DataError : the reader is not installed, a damaged file, no sheet with a table
    NotFoundError : a sheet that the workbook does not have
    """
    with _opened(source) as book:
        names = list(book.sheet_names)
        if sheet is not None and sheet not in names:
            raise unknown("sheet", sheet, names)
        tables = {n: _table(book.get_sheet_by_name(n).to_python()) for n in names
                  if sheet in {None, n}}  # fmt: skip
    sizes = {n: len(rows) * len(head) for n, (head, rows, _) in tables.items()}
    chosen = max(sizes, key=lambda n: sizes[n])
    head, rows, above = tables[chosen]
    if not rows:
        which = f"sheet {chosen!r} has no table" if sheet else "no sheet has a table"
        raise DataError(
            f"{source.name}: {which} (a header and rows of data below it). Sheets: "
            f"{', '.join(names)[:200]}. Name one with --sheet, or save it as CSV."
        )
    _check_names(source, chosen, head)
    others = [n for n in names if n != chosen]
    shown = f" (not {', '.join(others[:3])}; --sheet names one)" if others and not sheet else ""
    said = [f"sheet {chosen!r}{shown}"]
    said += [f"{above} row{'s' * (above > 1)} before the header skipped"] if above else []
    return {n: _column([r[i] for r in rows]) for i, n in enumerate(head) if n}, tuple(said)


def _opened(source: Path) -> CalamineWorkbook:
    try:
        from python_calamine import CalamineError, load_workbook
    except ImportError as error:
        raise DataError(
            f"{source.name} is a workbook; reading it needs python-calamine: "
            "pip install 'tool-use-om[excel]'. Or save the sheet as CSV."
        ) from error
    try:
        return load_workbook(source)
    except (CalamineError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DataError(
            f"{source.name} cannot be read as a workbook ({reason}). Save it again, without a "
            "password, or save the sheet as CSV."
        ) from error


def _table(rows: Sequence[Row]) -> tuple[list[str], list[Row], int]:
    """Return a sheet's header, the rows below it, and how many filled rows are above.

    The header is the first row of text that is as wide as most rows below it.
    """
    widths = [sum(_is_filled(c) for c in row) for row in rows]
    for at, row in enumerate(rows[:_LOOKED_AT]):
        below = [w for w in widths[at + 1 :] if w]
        texts = sum(isinstance(c, str) and bool(c.strip()) for c in row)
        if not below or widths[at] < 2 or texts < widths[at]:
            continue
        usual = Counter(below).most_common(1)[0][0]
        data = [any(not isinstance(c, str) for c in r) for r in rows[at + 1 : at + 6]]
        if widths[at] >= usual and any(data):
            head = [str(c).strip() for c in row]
            body = [r for r, w in zip(rows[at + 1 :], widths[at + 1 :], strict=True) if w]
            return head, _without_foot(body, head), sum(1 for w in widths[:at] if w)
    return [], [], 0


def _without_foot(body: list[Row], head: list[str]) -> list[Row]:
    """Return the rows to the last one whose first named cell is filled: sums and notes go."""
    first = next(i for i, n in enumerate(head) if n)
    while body and not _is_filled(body[-1][first]):
        body = body[:-1]
    return body


def _is_filled(cell: object) -> bool:
    return not (cell is None or (isinstance(cell, str) and not cell.strip()))


def _check_names(source: Path, sheet: str, head: list[str]) -> None:
    again = [n for n, count in Counter(head).items() if n and count > 1]
    if again:
        raise DataError(f"{source.name}, sheet {sheet!r}: two columns {again[0]!r}. Rename one.")


def _column(cells: list[Any]) -> pa.Array:
    """Return one column: numbers, dates, moments or text; None where a cell is empty."""
    held = [c if _is_filled(c) else None for c in cells]
    kinds = {type(c) for c in held if c is not None}
    if kinds and kinds <= {int, float}:
        return pa.array([None if c is None else float(c) for c in held], pa.float64())
    if kinds == {dt.date}:
        return pa.array(held, pa.date32())
    if kinds and kinds <= {dt.date, dt.datetime}:
        moments = [c if c is None or isinstance(c, dt.datetime) else
                   dt.datetime.combine(c, dt.time()) for c in held]  # fmt: skip
        return pa.array(moments, pa.timestamp("us"))
    if kinds == {dt.timedelta}:
        return pa.array(held, pa.duration("us"))
    return pa.array([None if c is None else _text(c) for c in held], pa.string())


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, (dt.date, dt.time)) else str(cell).strip()
