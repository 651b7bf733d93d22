"""Column names of a table become channel names with units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.format.schema import check_part
from tool_use_om.data.units import check_unit

_NOT_NAME = re.compile(r"[^A-Za-z0-9_+-]+")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A table's column, the channel it becomes and its unit."""

    source: str
    name: str
    unit: str


def slug(text: str) -> str:
    """Return `text` as a name: other signs become "_"; at most 64 characters."""
    return _NOT_NAME.sub("_", text).strip("_-+")[:64]


def name_channels(
    frame: pd.DataFrame, units: Mapping[str, str]
) -> tuple[list[Column], tuple[str, ...]]:
    """Return the channels of numeric columns, and notes on what was assumed.

    Raises
    ------
    DataError : no column left, a column that is not numeric, two columns with one channel name
    NotFoundError : a unit that is not in the table of units, or that fits no column
    """
    if frame.shape[1] == 0:
        raise DataError("No column is left for channels besides those named for other uses.")
    unit_of = _units(list(frame.columns), units)
    columns: list[Column] = []
    taken: dict[str, str] = {}
    for source in frame.columns:
        _check_numeric(source, frame[source])
        name = check_part(slug(source))
        if name.casefold() in taken:
            raise DataError(
                f"Columns {taken[name.casefold()]!r} and {source!r} would both be {name!r}. "
                "Rename one, or leave one out with --skip."
            )
        taken[name.casefold()] = source
        columns.append(Column(source=source, name=name, unit=unit_of.get(source, "a.u.")))
    bare = [c.name for c in columns if c.source not in unit_of]
    notes = (f"No unit was given for {', '.join(bare)[:200]}: a.u.",) if bare else ()
    return columns, notes


def _check_numeric(source: str, values: pd.Series) -> None:
    if pd.api.types.is_numeric_dtype(values.dtype) or values.isna().all():
        return
    text = values.notna() & pd.to_numeric(values.astype(str), errors="coerce").isna()
    row = int((text if text.any() else values.notna()).to_numpy().argmax())
    raise DataError(
        f"Column {source!r} is not numeric (row {row} holds {str(values.iloc[row])[:40]!r}). Mend "
        f"it, leave it out with --skip {source}, or name its use with --session, --subject, "
        "--label or --split."
    )


def _units(names: list[str], units: Mapping[str, str]) -> dict[str, str]:
    """Return column → unit; a key is a column's whole name or how several begin, longest first."""
    found: dict[str, str] = {}
    for key in sorted(units, key=len, reverse=True):
        unit = check_unit(units[key])
        matches = [key] if key in names else [n for n in names if n.startswith(key)]
        if not matches:
            raise unknown("column", key, names)
        for name in matches:
            found.setdefault(name, unit)
    return found
