"""Column names of a table become channel names with units."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tool_use_om.data.converters.table.evidence import usual_units
from tool_use_om.data.converters.table.files.cells import Cells
from tool_use_om.data.converters.table.files.marks import assumed
from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.format.schema import check_part
from tool_use_om.data.units import own_or_known, unit_in_name

_GERMAN = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
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
    cells: Cells, names: Sequence[str], units: Mapping[str, str]
) -> tuple[list[Column], tuple[str, ...]]:
    """Return the channels of numeric columns, and notes on what was assumed.

    A unit is the given one, else the one that the column's name ends with, else the one of money
    that its cells are written with.

    Raises
    ------
    DataError : no column left, a column that is not numeric, two columns with one channel name
    NotFoundError : a unit that is not in the table of units, or that fits no column
    """
    if not names:
        raise DataError(
            "No column is left for channels besides those named for other uses. Name fewer uses, "
            "or say none for one, as in --label none."
        )
    given = _units(list(names), units)
    columns: list[Column] = []
    taken: dict[str, str] = {}
    for source in names:
        _check_numeric(cells, source)
        name = check_part(_channel_name(source))
        if name.casefold() in taken:
            raise DataError(
                f"Columns {taken[name.casefold()]!r} and {source!r} would both be {name!r}. "
                "Rename one, or leave one out with --skip."
            )
        taken[name.casefold()] = source
        unit = given.get(source) or unit_in_name(source) or cells.currency(source) or "a.u."
        columns.append(Column(source=source, name=name, unit=unit))
    money = [c for c in columns if c.source not in given and unit_in_name(c.source) is None
             and cells.currency(c.source)]  # fmt: skip
    told = [c for c in columns
            if c.source not in given and c.unit != "a.u." and c not in money]  # fmt: skip
    untold = {c.source: v for c in columns if c.source not in given and c.unit == "a.u."
              and (v := cells.numbers(c.source)) is not None}  # fmt: skip
    usual = usual_units(untold)
    columns = [replace(c, unit=usual.get(c.source, c.unit)) for c in columns]
    meant = [c for c in columns if c.source in usual]
    bare = [c.name for c in columns if c.source not in given and c.unit == "a.u."]
    notes = (
        [f"Unit from the name: {', '.join(f'{c.name} {c.unit}' for c in told)[:200]}."]
        if told
        else []
    )
    if money:
        shown = ", ".join(f"{c.name} {c.unit}" for c in money)[:200]
        notes.append(f"Unit from the sign of money in the cells: {shown}.")
    if meant:
        shown = ", ".join(f"{c.name} {c.unit}" for c in meant)[:200]
        notes.append(f"Unit assumed, as such names usually mean: {shown} (--units says else).")
    notes += [f"No unit was given for {', '.join(bare)[:200]}: a.u."] if bare else []
    notes += assumed(
        {n: cells.marks(n) for n in names}, {n: cells.suffix(n) for n in names if cells.suffix(n)}
    )
    return columns, tuple(notes)


def _channel_name(source: str) -> str:
    """Return a column's name as a channel's: a unit in brackets goes, accents become plain."""
    bare = re.sub(r"\s*[\[(][^\])]{0,20}[\])]\s*$", "", source) or source
    german = bare
    for letter, plain in _GERMAN.items():
        german = german.replace(letter, plain)
    plain = unicodedata.normalize("NFKD", german).encode("ascii", "ignore").decode()
    return slug(plain) or slug(bare)


_NUMBERING = frozenset({"id", "no", "nr", "num", "number", "index", "idx", "name", "key", "code"})
_SESSION_WORDS = frozenset({"session", "recording", "record", "file", "trial"})


def noun_of(column: str | None) -> str | None:
    """Return what a session column calls one session: "night" of "Night ID"; None without a word.

    Columns of several words, and the words that everybody has for a session, name nothing.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column or "")
    words = [w.casefold() for w in re.findall(r"[^\W\d_]+", spaced)]
    left = [w for w in words if w not in _NUMBERING]
    if len(left) != 1 or not 3 <= len(left[0]) <= 24:
        return None
    noun = left[0]
    if noun.endswith("s") and not noun.endswith(("ss", "us", "is")):
        noun = noun[:-1]
    return None if noun in _SESSION_WORDS else noun


def _check_numeric(cells: Cells, source: str) -> None:
    if cells.numbers(source) is not None:
        return
    row, text = cells.bad_row(source)
    raise DataError(
        f"Column {source!r} is not numeric (row {row} holds {text[:40]!r}). Mend it, leave it out "
        f"with --skip {source!r}, or name its use with --session, --subject, --label or --split."
    )


def _units(names: list[str], units: Mapping[str, str]) -> dict[str, str]:
    """Return column → unit; a key is a column's whole name or how several begin, longest first."""
    found: dict[str, str] = {}
    for key in sorted(units, key=len, reverse=True):
        unit = own_or_known(units[key])
        matches = [key] if key in names else [n for n in names if n.startswith(key)]
        if not matches:
            raise unknown("column", key, names)
        for name in matches:
            found.setdefault(name, unit)
    return found
