"""The Bitbrains converter, on small files of the published form."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tool_use_om.data.converters.bitbrains import COLUMNS, TIME, convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

pytestmark = pytest.mark.usefixtures("no_pictures")
TIMES = (1372629804, 1372630104, 1372630403, 1372740818)  # 300 s, 299 s, an outage


def text(times: tuple[int, ...] = TIMES) -> str:
    """Return a file as published: fields parted by a semicolon and a tab."""
    rows = [[TIME, *COLUMNS], *([str(t), *(f"{i}.5" for i in range(10))] for t in times)]
    return "".join(";\t".join(row) + "\n" for row in rows)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for month, machine in (("2013-7", 1), ("2013-7", 2), ("2013-7", 9), ("2013-8", 1)):
        path = tmp_path / "rnd" / month / f"{machine}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text())
    return tmp_path / "rnd"


def test_bitbrains_reads_unix_seconds_and_keeps_gaps(tmp_path: Path, source: Path) -> None:
    """'Timestamp [ms]' is seconds; irregular steps and the outage stay as they are."""
    convert(source, tmp_path / "bb")
    dataset = DataSet.open(tmp_path / "bb")
    sessions = dataset.sessions().set_index("session_id")
    assert sessions.loc["2013-7-vm-1", "start_utc"] == datetime(2013, 6, 30, 22, 3, 24, tzinfo=UTC)
    (signal,) = dataset.read("2013-7-vm-1")
    assert signal.time_s.tolist() == [0, 300, 599, 111_014]
    assert signal.values[2].tolist() == [i + 0.5 for i in range(10)]
    assert dataset.manifest.unit_of("machine.cpu_usage") == "MHz"
    assert dataset.manifest.unit_of("machine.disk_read") == "KB/s"


def test_bitbrains_keeps_a_machine_in_one_split(tmp_path: Path, source: Path) -> None:
    """Months of one machine share a subject and a split."""
    convert(source, tmp_path / "bb")
    sessions = DataSet.open(tmp_path / "bb").sessions()
    assert sessions.groupby("subject_id")["split"].nunique().max() == 1
    assert len(sessions) == 4
    assert set(sessions["split"]) == {"train", "calibration", "test"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (text()[: len(text()) - 30], "row 4: .* is empty"),
        (text().replace(";\t", ","), "no column 'Timestamp"),
        (text((5, 5)), "time must not repeat"),
        (text((9, 5)), "time must be sorted"),
        ("", "cannot be read as CSV"),
    ],
)
def test_bitbrains_refuses_a_damaged_file_by_name(
    tmp_path: Path, source: Path, content: str, message: str
) -> None:
    """A cut row, another separator and times that stand still are refused by the file's name."""
    (source / "2013-7" / "9.csv").write_text(content)
    with pytest.raises(DataError, match=rf"9\.csv.*{message}"):
        convert(source, tmp_path / "out" / "bb")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []
