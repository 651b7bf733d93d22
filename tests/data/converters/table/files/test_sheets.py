"""Workbooks: the sheet with the data, dates as spreadsheets keep them, remarks and titles."""

from __future__ import annotations

import sys
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest

from tool_use_om.data.converters.table.convert import plan_files
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.errors import DataError, NotFoundError

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
Cell = str | float | date | None


def _cell(place: str, value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    if isinstance(value, datetime):
        days = (value - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001 - as sheets have it
        return f'<c r="{place}" s="1"><v>{days!r}</v></c>'
    if isinstance(value, date):
        return f'<c r="{place}" s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
    return f'<c r="{place}"><v>{value!r}</v></c>'


def _tag(kind: str, inside: str, **attributes: str) -> str:
    said = "".join(f' {k}="{v}"' for k, v in attributes.items())
    return f"<{kind}{said}>{inside}</{kind}>"


def write_workbook(path: Path, sheets: dict[str, list[list[Cell]]]) -> Path:
    """Write the least workbook there is: values, and one style for dates."""
    files = {}
    numbers = range(1, len(sheets) + 1)
    for i, rows in zip(numbers, sheets.values(), strict=True):
        lines = [
            _tag("row", "".join(_cell(f"{'ABCDEF'[c]}{r}", v) for c, v in enumerate(row)), r=str(r))
            for r, row in enumerate(rows, 1)
        ]
        body = _tag("sheetData", "".join(lines))
        files[f"xl/worksheets/sheet{i}.xml"] = _tag("worksheet", body, xmlns=_MAIN)
    listed = "".join(
        _tag("sheet", "", **{"name": n, "sheetId": str(i), "r:id": f"r{i}"})
        for i, n in zip(numbers, sheets, strict=True)
    )
    book = {"xmlns": _MAIN, "xmlns:r": _LINK}
    files["xl/workbook.xml"] = _tag("workbook", _tag("sheets", listed), **book)
    links = [(f"r{i}", "worksheet", f"worksheets/sheet{i}.xml") for i in numbers]
    files["xl/_rels/workbook.xml.rels"] = _links([*links, ("s", "styles", "styles.xml")])
    styles = _tag("cellXfs", _tag("xf", "", numFmtId="0") + _tag("xf", "", numFmtId="14"))
    files["xl/styles.xml"] = _tag("styleSheet", styles, xmlns=_MAIN)
    files["_rels/.rels"] = _links([("r1", "officeDocument", "xl/workbook.xml")])
    files["[Content_Types].xml"] = _tag("Types", "", xmlns=f"{_PACKAGE}/content-types")
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def _links(links: list[tuple[str, str, str]]) -> str:
    inside = "".join(
        _tag("Relationship", "", Id=i, Type=f"{_LINK}/{kind}", Target=to) for i, kind, to in links
    )
    return _tag("Relationships", inside, xmlns=f"{_PACKAGE}/relationships")


DAYS = [date(2024, 5, 1) + timedelta(days=i) for i in range(60) if i not in {7, 8, 30}]
METER: list[list[Cell]] = [
    ["Water meter (read every evening)"],
    [],
    ["Date", "Reading m3", "Remark"],
    *([d, 812.4 + 0.3 * i, "plumber came" if i == 20 else None] for i, d in enumerate(DAYS)),
    [None, "checked by me"],
]
CONTACTS: list[list[Cell]] = [["Plumber", "M. Boateng"], ["Serial", "E14-77120"]]


def test_the_sheet_with_the_data_is_found_below_its_title(tmp_path: Path) -> None:
    """Contacts are no data; a title, an empty row, remarks and a foot are left; days keep gaps."""
    book = write_workbook(tmp_path / "Water meter.xlsx", {"Contacts": CONTACTS, "Readings": METER})
    plan = plan_files([book], TableOptions(), "meter")
    (session,) = plan.sessions
    ((time_s, values),) = session.signals.values()
    assert session.start_utc is not None
    assert session.start_utc.date() == date(2024, 5, 1)
    assert (time_s / 86400).tolist() == [i for i in range(60) if i not in {7, 8, 30}]
    assert values[:, 0].tolist() == pytest.approx([812.4 + 0.3 * i for i in range(len(DAYS))])
    assert [(c.name, c.unit) for c in plan.modalities[0].channels] == [("Reading_m3", "m^3")]
    assert "sheet 'Readings' (not Contacts; --sheet names one)" in plan.said
    assert "left out as text: 'Remark'" in plan.said
    assert plan.calendar.step == "day"


def test_a_named_sheet_is_read_and_a_wrong_name_lists_those_there_are(tmp_path: Path) -> None:
    """--sheet chooses; what it advises on a miss can be followed."""
    small: list[list[Cell]] = [["Date", "x"], *([d, 1.0 * i] for i, d in enumerate(DAYS[:20]))]
    book = write_workbook(tmp_path / "b.xlsx", {"All": METER, "Some": small})
    plan = plan_files([book], TableOptions(sheet="Some"), "b")
    assert plan.n_rows == 20
    with pytest.raises(NotFoundError, match="Some"):
        plan_files([book], TableOptions(sheet="Sime"), "b")


def test_serial_days_and_times_of_day_are_dates(tmp_path: Path) -> None:
    """Days as bare numbers, and a date with a time of day, are the moments a person sees."""
    rows: list[list[Cell]] = [["date", "x"], *([45000 + i / 24, 1.0 * i] for i in range(48))]
    bare = plan_files([write_workbook(tmp_path / "a.xlsx", {"S": rows})], TableOptions(), "a")
    rows = [["date", "x"], *([datetime(2023, 3, 15, i), 1.0 * i] for i in range(24))]  # noqa: DTZ001
    typed = plan_files([write_workbook(tmp_path / "b.xlsx", {"S": rows})], TableOptions(), "b")
    for plan in (bare, typed):
        start = plan.sessions[0].start_utc
        assert start is not None
        assert start.isoformat() == "2023-03-15T00:00:00+00:00"
        ((time_s, _),) = plan.sessions[0].signals.values()
        assert np.diff(time_s).tolist() == pytest.approx([3600.0] * (len(time_s) - 1))


def test_a_workbook_without_a_table_is_refused_with_its_sheets(tmp_path: Path) -> None:
    """What to do is said: another sheet, or CSV."""
    book = write_workbook(tmp_path / "c.xlsx", {"Contacts": CONTACTS})
    with pytest.raises(DataError, match="no sheet has a table"):
        plan_files([book], TableOptions(), "c")
    with pytest.raises(DataError, match="sheet 'Contacts' has no table"):
        plan_files([book], TableOptions(sheet="Contacts"), "c")


def test_without_the_reader_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The missing library is one clear line; a sheet option on a CSV file is refused, too."""
    book = write_workbook(tmp_path / "d.xlsx", {"Readings": METER})
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(DataError, match=r"pip install 'tool-use-om\[excel\]'"):
        plan_files([book], TableOptions(), "d")
    (tmp_path / "e.csv").write_text("date,x\n2024-01-01,1\n2024-01-02,2\n")
    with pytest.raises(DataError, match="--sheet names a sheet of a workbook"):
        plan_files([tmp_path / "e.csv"], TableOptions(sheet="S"), "e")
