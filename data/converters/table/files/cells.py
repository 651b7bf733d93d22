"""The cells of a table as they were written: encoding, separators and decimal signs found out."""

from __future__ import annotations

import gzip
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tool_use_om.data.converters.table.files.header import before_header, header_of, separator_of
from tool_use_om.data.converters.table.files.marks import (
    is_missing,
    marks_of,
    scaled,
    without_currency,
    without_sign,
)
from tool_use_om.data.converters.table.files.sheets import SHEETS, read_sheet
from tool_use_om.data.errors import DataError, unknown

KINDS = (".csv", ".tsv", ".txt", ".parquet", *SHEETS)
_HEAD_BYTES = 1 << 18  # looked at to find out how a file is written
_GROUPS = {"'": "'’", " ": " \u00a0\u202f", ".": ".", ",": ","}
Decimal = Literal["auto", ".", ","]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """A table's columns, text as written or typed where the file has types.

    Parameters
    ----------
    columns : name → array; text cells are trimmed, empty ones null
    decimal : the sign before decimals
    thousands : the sign between groups of thousands, "" for none
    spreadsheet : the cells come from a workbook, where days may be numbers
    said : how the file was read, for people
    """

    columns: Mapping[str, pa.Array]
    decimal: str = "."
    thousands: str = ""
    spreadsheet: bool = False
    said: tuple[str, ...] = ()
    _numbers: dict[str, np.ndarray | None] = field(default_factory=dict, compare=False, repr=False)
    _marks: dict[str, Counter[str]] = field(default_factory=dict, compare=False, repr=False)
    _suffixes: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def names(self) -> list[str]:
        """The columns' names in order."""
        return list(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Cells:
        """Return a data frame's columns as cells."""
        table = pa.Table.from_pandas(frame, preserve_index=False)
        return cls(columns={n: _whole(table[n]) for n in table.column_names})

    def has(self, name: str) -> None:
        """Raise NotFoundError for a column that the table does not have."""
        if name not in self.columns:
            raise unknown("column", name, self.names)

    def is_text(self, name: str) -> bool:
        """Whether a column was written as text."""
        kind = self.columns[name].type
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))

    def text(self, name: str) -> np.ndarray:
        """Return a column as written, (n,) object of str; None = empty."""
        column = self.columns[name]
        if not self.is_text(name):
            values = column.to_pandas().to_numpy(object)
            filled = column.is_valid().to_numpy(zero_copy_only=False)
            texts = [str(v) if ok else None for v, ok in zip(values, filled, strict=True)]
            return np.array(texts, dtype=object)
        return np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)

    def joined(self, names: Sequence[str]) -> np.ndarray:
        """Return the texts of several columns as one (n,) object of str, to compare rows by."""
        parts = [pd.Series(self.text(n)).fillna("").astype(str) for n in names]
        whole = parts[0]
        for part in parts[1:]:
            whole = whole + "\x1f" + part
        return whole.to_numpy(object)

    def numbers(self, name: str) -> np.ndarray | None:
        """Return a column as (n,) float64, NaN = missing; None if it holds other text."""
        if name not in self._numbers:
            self._numbers[name] = self._as_numbers(name)
        return self._numbers[name]

    def _as_numbers(self, name: str) -> np.ndarray | None:
        column = self.columns[name]
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        if pa.types.is_null(column.type):
            return np.full(len(column), np.nan)
        if not self.is_text(name):
            kind = column.type
            if not (
                pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
            ):
                return None
            return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
        plain = self._bare(column)
        try:
            return np.asarray(plain.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
        except pa.ArrowInvalid:
            pass
        return self._loose(name, plain)

    def _loose(self, name: str, plain: pa.Array) -> np.ndarray | None:
        """Return a column's numbers where some cells mark a missing value or have a suffix."""
        texts = self.text(name).tolist()
        if all(is_missing(t) for t in texts):
            empty = all(t is None for t in texts)
            return np.full(len(texts), np.nan) if empty else None
        cells = plain.to_pylist()
        found = pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce").to_numpy(np.float64)
        values, used = scaled(name, cells, found)
        marks = marks_of(texts, values)
        if marks is None:
            return None
        self._marks[name] = marks
        self._suffixes[name] = used
        return values

    def marks(self, name: str) -> Counter[str]:
        """Return how often each text of a column of numbers is taken as a missing value."""
        return self._marks.get(name, Counter()) if self.numbers(name) is not None else Counter()

    def suffix(self, name: str) -> str:
        """Return the signs of %, K, M and B that a column's numbers are written with."""
        return self._suffixes.get(name, "") if self.numbers(name) is not None else ""

    def currency(self, name: str) -> str:
        """Return the unit of money that a column's numbers are written with, "" for none."""
        return without_currency(self.columns[name])[1] if self.is_text(name) else ""

    def _bare(self, column: pa.Array) -> pa.Array:
        """Return text with a decimal point, without signs of thousands and of money."""
        return _plain(without_currency(column)[0], self.decimal, self.thousands)

    def plain(self, name: str) -> np.ndarray | None:
        """Return a column's numbers; None if text stands among them or a suffix behind them."""
        odd = any(not is_missing(text) for text in self.marks(name))
        return None if odd or self.suffix(name) else self.numbers(name)

    def bad_row(self, name: str) -> tuple[int, str]:
        """Return the first row of a column that is no number, and what it holds."""
        plain = self._bare(self.columns[name]) if self.is_text(name) else None
        texts = self.text(name)
        series = pd.Series(texts if plain is None else plain.to_numpy(zero_copy_only=False))
        values = pd.to_numeric(series, errors="coerce").to_numpy(np.float64)
        for row, (value, text) in enumerate(zip(values, texts, strict=True)):
            if np.isnan(value) and not is_missing(text):
                return row, str(text)
        filled = [row for row, text in enumerate(texts) if text is not None]
        return (filled[0], str(texts[filled[0]])) if filled else (0, "")

    def share_of_numbers(self, name: str) -> float:
        """Return which share of a column's filled cells are numbers or stand for missing ones."""
        if self.numbers(name) is not None:
            return 1.0
        texts = [t for t in self.text(name) if not is_missing(t)]
        plain = self._bare(pa.array(texts, pa.string()))
        values = pd.to_numeric(pd.Series(plain.to_numpy(zero_copy_only=False)), errors="coerce")
        return float(values.notna().mean()) if texts else 0.0


def _plain(column: pa.Array, decimal: str, thousands: str) -> pa.Array:
    """Return text with the decimal sign as a point and no signs between thousands."""
    for sign in _GROUPS.get(thousands, ""):
        column = pc.replace_substring(column, sign, "")
    return pc.replace_substring(column, ",", ".") if decimal == "," else column


def read_cells(
    source: Path,
    *,
    decimal: Decimal = "auto",
    separator: str = "auto",
    encoding: str = "auto",
    sheet: str | None = None,
) -> Cells:
    """Return the cells of a text table or .parquet file, gzipped or not, or of a workbook's sheet.

    Raises
    ------
    DataError : another kind of file, none at all, one that is damaged, empty or not a table
    """
    from pyarrow import parquet

    name = source.name.casefold().removesuffix(".gz")
    kind = Path(name).suffix
    if kind not in KINDS:
        raise DataError(
            f"{source.name}: expected a .csv, .tsv, .parquet, .xlsx or .ods file, got "
            f"{kind or 'none'}. Save it as CSV first."
        )
    if not source.is_file():
        raise DataError(f"There is no file {source}. Check the path.")
    if kind in SHEETS:
        columns, said = read_sheet(source, sheet)
        tidy = {n: _whole(pa.chunked_array([c])) for n, c in columns.items()}
        return Cells(columns=tidy, spreadsheet=True, said=said)
    if sheet is not None:
        raise DataError(
            f"--sheet names a sheet of a workbook; {source.name} is none. Leave it out."
        )
    if kind != ".parquet":
        return _read_text(source, decimal, separator, encoding)
    try:
        table = parquet.read_table(source)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise _unreadable(source, error) from error
    _check_header(source, table.column_names, table.num_rows)
    return Cells(columns={n: _whole(table[n]) for n in table.column_names})


def _tidy(text: bytes, sign: bytes) -> bool:
    """Say whether no cell of a table is empty, quoted or padded: then none has to be trimmed."""
    pads = (b" ", b"\n", sign)
    found = (b'"', b"\xc2\xa0", *(a + b for a in pads for b in pads if {a, b} != {b" "}))
    if sign == b" " or (b"\t" in text and sign != b"\t"):
        return False
    return text[:1] not in pads and not any(one in text for one in found)


def _whole(column: pa.ChunkedArray, *, tidy: bool = False) -> pa.Array:
    """Return a column in one piece, text trimmed and None where it is empty.

    Parameters
    ----------
    tidy : no cell is empty or padded
    """
    joined = column.combine_chunks()
    if isinstance(joined, pa.ChunkedArray):  # no row at all
        return pa.array([], column.type)
    if pa.types.is_dictionary(joined.type):
        joined = joined.dictionary_decode()
    if tidy:
        return joined
    if pa.types.is_string(joined.type) or pa.types.is_large_string(joined.type):
        trimmed = pc.utf8_trim_whitespace(joined.cast(pa.string()))
        return pc.if_else(pc.equal(trimmed, ""), None, trimmed)
    return joined


def _unreadable(source: Path, error: BaseException) -> DataError:
    reason = " ".join(str(error).split())
    found = re.search(r"Expected (\d+) columns, got (\d+)", reason)
    row = re.search(r"Row #(\d+)", reason)
    if found:
        where = f" in line {row.group(1)}" if row else ""
        return DataError(
            f"{source.name} cannot be read as a table: its header names {found.group(1)} columns, "
            f"but a line has {found.group(2)}{where}. Mend that line, or give --separator."
        )
    return DataError(
        f"{source.name} cannot be read as a table ({reason[:120]}). Export it again as CSV with "
        "one header line."
    )


def _read_text(source: Path, decimal: Decimal, separator: str, encoding: str) -> Cells:
    from pyarrow import csv

    raw = _bytes(source)
    text, coded = _decoded(source, raw, encoding)
    head = text[:_HEAD_BYTES].decode("utf-8", errors="replace")
    if not head.strip():
        raise DataError(f"{source.name} cannot be read as a table: it is empty. Export it again.")
    cut, above = before_header(head, separator)
    text, head = text[len(head[:cut].encode()) :], head[cut:]
    sign = separator_of(head, separator)
    names, skipped = header_of(source, head, sign)
    if re.search(r'(?:^|\n)[^\n]*"[^"\n]*\n', head) is None:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        table = csv.read_csv(
            io.BytesIO(text),
            read_options=csv.ReadOptions(column_names=names, skip_rows=skipped, block_size=1 << 24),
            parse_options=csv.ParseOptions(
                delimiter=sign, newlines_in_values=False, ignore_empty_lines=True
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except (OSError, pa.ArrowException, ValueError) as error:
        raise _unreadable(source, error) from error
    kept = [n for n in names if n.strip() or table[n].null_count < table.num_rows]
    _check_header(source, kept, table.num_rows)
    tidy = _tidy(text, sign.encode())
    columns = {n: _whole(table[n], tidy=tidy) for n in kept}
    point, groups, how = number_form(columns, sign, decimal)
    named = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}
    said = [f"columns separated by {named.get(sign, repr(sign))}, {how}"]
    said += [f"text read as {coded}"] if coded != "UTF-8" else []
    lines = f"{len(above)} line{'s' * (len(above) > 1)} before the header"
    said += [f"{lines} skipped ({above[0][:40]!r})"] if above else []
    return Cells(columns=columns, decimal=point, thousands=groups, said=tuple(said))


def _bytes(source: Path) -> bytes:
    try:
        raw = source.read_bytes()
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError) as error:
        raise DataError(f"{source.name} cannot be read: {error}. Copy it again.") from error


def _decoded(source: Path, raw: bytes, encoding: str) -> tuple[bytes, str]:
    """Return the text as UTF-8, and the name of the encoding it came in."""
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    marked = next((code for mark, code in marks.items() if raw.startswith(mark)), None)
    chosen = encoding if encoding != "auto" else marked
    if chosen is None:
        if b"\x00" in raw[:4096]:
            raise DataError(f"{source.name} is not text: it holds zero bytes. Export it as CSV.")
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("cp1252", errors="replace").encode(), "Latin-1 (Windows)"
        return raw, "UTF-8"
    try:
        text = raw.decode(chosen)
    except (UnicodeDecodeError, LookupError) as error:
        raise DataError(
            f"{source.name} is not text in {chosen}: give another --encoding."
        ) from error
    return text.encode(), "UTF-8" if chosen == "utf-8-sig" else chosen.upper()


def _check_header(source: Path, names: Sequence[str], n_rows: int) -> None:
    counts = Counter(names)
    repeated = sorted(n for n in counts if counts[n] > 1)
    if repeated:
        raise DataError(f"{source.name} has two columns named {repeated[0]!r}. Rename one.")
    if n_rows == 0:
        raise DataError(f"{source.name} has no rows. Export it again with its data.")


_GROUPED = {
    ",": re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?"),
    ".": re.compile(r"[-+]?\d{1,3}(?:\.\d{3})+(?:,\d+)?"),
    " ": re.compile(r"[-+]?\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d+)?"),
    "'": re.compile(r"[-+]?\d{1,3}(?:['’]\d{3})+(?:[.,]\d+)?"),
}


def number_form(
    columns: Mapping[str, pa.Array], separator: str, decimal: Decimal
) -> tuple[str, str, str]:
    """Return the decimal sign, the sign between thousands, and both in words.

    Parameters
    ----------
    columns : text as written; the first 200 cells of each count
    separator : the sign between columns
    """
    cells = list(_numeric_looking(columns))
    commas = [c for c in cells if "," in c]
    points = [c for c in cells if "." in c]
    groups = next((s for s in " '" if any(_GROUPED[s].fullmatch(c) for c in cells)), "")
    if decimal != "auto":
        point = decimal
    elif any(c.rfind(",") > c.rfind(".") >= 0 for c in commas):
        point = ","
    elif any(c.rfind(".") > c.rfind(",") >= 0 for c in commas):
        point = "."
    elif commas and not all(_GROUPED[","].fullmatch(c) for c in commas):
        point = ","
    else:
        point = "," if commas and separator != "," and not points else "."
    other = "," if point == "." else "."
    holders = commas if other == "," else points
    if not groups and holders and all(_GROUPED[other].fullmatch(c) for c in holders):
        groups = other
    words = "decimal comma" if point == "," else "decimal point"
    shown = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
    return point, groups, words + (f", thousands set apart by {shown[groups]}" if groups else "")


def _numeric_looking(columns: Mapping[str, pa.Array]) -> Iterator[str]:
    """Yield some cells that are numbers in one form or another; dates and times are not."""
    form = re.compile(r"[-+]?\d[\d.,'’ \u00a0\u202f]*(?:[eE][-+]?\d+)?")
    date = re.compile(r"\d{1,2}\.\d{1,2}\.\d{2,4}|\d{4}\.\d{1,2}\.\d{1,2}")
    for column in list(columns.values())[:200]:
        if not pa.types.is_string(column.type):
            continue
        for text in column.slice(0, 200).to_pylist():
            cell = without_sign(text) if text else ""
            if cell and form.fullmatch(cell) and not date.match(cell):
                yield cell.strip()
