"""The slpdb converter, on small text exports of the published form."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tool_use_om.data.converters.slpdb import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

pytestmark = pytest.mark.usefixtures("no_pictures")
HEAD = "Elapsed time  Sample #  Type  Sub Chan  Num\tAux\n"
ROW = '    0:00.004        1     "    0    0    0\t4 LA LA\n'
EPOCHS = HEAD + ROW + '    0:30.000     7500     "    0    0    0\tW\n'
BEATS = "    0:00.004\t[0]\t0.076\tN\t    0:00.080\n    0:00.080\tN\t0.860\tN\t    1:00.940\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in ("slp01a", "slp01b", "slp14", "slp32"):
        year = "89" if name == "slp32" else "1989"
        head = f"{name} 4 250/0.033333333(94) 30000 23:07:00 19/1/{year}\n{name}.dat 212 -200/mV\n"
        (tmp_path / "slp").mkdir(exist_ok=True)
        (tmp_path / "slp" / f"{name}.hea").write_text(head)
        (tmp_path / "slp" / f"{name}.an").write_text(EPOCHS)
        (tmp_path / "slp" / f"{name}.rr").write_text(BEATS)
    return tmp_path / "slp"


def test_slpdb_puts_intervals_at_the_beat_that_ends_them(tmp_path: Path, source: Path) -> None:
    """RR intervals keep their own times; the header gives length and start."""
    convert(source, tmp_path / "out")
    dataset = DataSet.open(tmp_path / "out")
    (signal,) = dataset.read("slp01a")
    assert signal.time_s.tolist() == [0.08, 60.94]
    assert signal.values[:, 0].tolist() == pytest.approx([0.076, 0.86])
    sessions = dataset.sessions()
    assert set(sessions["duration_s"]) == {120.0}
    assert set(sessions["start_utc"]) == {datetime(1989, 1, 19, 23, 7, tzinfo=UTC)}


def test_slpdb_reads_stages_and_events_of_epochs(tmp_path: Path, source: Path) -> None:
    """The first epoch starts at sample 1 and ends at 30 s like the others; events count once."""
    convert(source, tmp_path / "out")
    rows = DataSet.open(tmp_path / "out").labels(["slp14"])[["set", "label", "start_s", "end_s"]]
    assert sorted(rows.to_numpy().tolist()) == [
        ["event", "leg movement with arousal", 0.004, 30],
        ["stage", "stage 4", 0.004, 30],
        ["stage", "wake", 30, 60],
    ]


def test_slpdb_keeps_both_nights_of_a_person_together(tmp_path: Path, source: Path) -> None:
    """a and b of one number are one subject, in one split."""
    convert(source, tmp_path / "out")
    sessions = DataSet.open(tmp_path / "out").sessions().set_index("session_id")
    assert sessions.loc["slp01a", "subject_id"] == sessions.loc["slp01b", "subject_id"] == "slp01"
    assert sessions.loc["slp01a", "split"] == sessions.loc["slp01b", "split"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("slp14.rr", "0:00.004 N 0.9\n", "line 1: expected start, code, RR"),
        ("slp14.rr", BEATS + BEATS, "time must be sorted"),
        ("slp14.rr", "", "has no sample"),
        ("slp14.an", EPOCHS.replace("\tW", "\tQ"), "line 3: expected a stage, got 'Q'"),
        ("slp14.hea", "slp14\n", "first line must be name"),
    ],
)
def test_slpdb_refuses_a_damaged_file_by_name(
    tmp_path: Path, source: Path, name: str, text: str, message: str
) -> None:
    """Lines of another form are refused with file and line; nothing is written."""
    (source / name).write_text(text)
    with pytest.raises(DataError, match=f"slp14.*{message}"):
        convert(source, tmp_path / "out" / "slp")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_slpdb_needs_every_file_of_a_record(tmp_path: Path, source: Path) -> None:
    """A record without its intervals is an incomplete export."""
    (source / "slp32.rr").unlink()
    with pytest.raises(DataError, match=r"slp32\.rr is missing"):
        convert(source, tmp_path / "out")
