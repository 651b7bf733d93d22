"""What loggers and spreadsheets write above the header is skipped, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_use_om.data.converters.table.files.cells import Cells, read_cells
from tool_use_om.data.errors import DataError

ROWS = [f"2025/01/06 00:{i:02d}{{s}}{i}.5{{s}}{i}" for i in range(20)]


def read(folder: Path, above: str, head: str, sign: str) -> Cells:
    file = folder / "log.txt"
    lines = [head, *(row.format(s=sign) for row in ROWS)]
    file.write_text(above + "\n".join(lines) + "\n")
    return read_cells(file)


@pytest.mark.parametrize(
    ("above", "sign", "said"),
    [
        ("# HP-Logger v2.14  SN 00418823\n", "\t", "1 line before the header"),
        ("Device;X\nSerial;A04\nExport;11.11.2024\n\n", ";", "3 lines before the header"),
        ("Logger: ULT-2\r\nUnit: degC\r\n\r\n", ",", "2 lines before the header"),
        ("Stand in m\u00b3, all flats\n,,\n", ",", "1 line before the header"),
        ("Stand in m\u00b3,,\n,,\n", ",", "1 line before the header"),
        ("# a, b, c\n", ",", "1 line before the header"),
        ("", ",", ""),
        ("\n\n", ";", ""),
    ],
)
def test_lines_above_the_header_are_skipped(
    tmp_path: Path, above: str, sign: str, said: str
) -> None:
    """The names are the header's, all rows are kept, and what was skipped is said."""
    cells = read(tmp_path, above, sign.join(["when", "T", "state"]), sign)
    assert cells.names == ["when", "T", "state"]
    numbers = cells.numbers("T")
    assert numbers is not None
    assert numbers.tolist() == [i + 0.5 for i in range(20)]
    told = " ".join(cells.said)
    assert (said in told) if said else ("before the header" not in told)


def test_a_decimal_comma_makes_no_row_a_header(tmp_path: Path) -> None:
    """Under a title, fields at semicolons count, not those at decimal commas."""
    rows = [f"0{i}.02.2025;{i},5;1013,2{i}" for i in range(1, 9)]
    file = tmp_path / "wetter.csv"
    file.write_text("\n".join(["Wetter", "", "Zeit;T;p", *rows]) + "\n")
    cells = read_cells(file)
    assert cells.names == ["Zeit", "T", "p"]
    numbers = cells.numbers("p")
    assert numbers is not None
    assert numbers[0] == 1013.21


def test_a_file_without_a_header_is_refused_still(tmp_path: Path) -> None:
    """A title above rows of numbers does not make the first row a header."""
    file = tmp_path / "bare.csv"
    file.write_text("\n".join(f"{i},{i * 2},{i * 3}" for i in range(9)) + "\n")
    with pytest.raises(DataError, match="has no header"):
        read_cells(file)
    file.write_text("Pump 3\n" + "\n".join(f"{i},{i * 2},{i * 3}" for i in range(9)) + "\n")
    with pytest.raises(DataError):
        read_cells(file)
