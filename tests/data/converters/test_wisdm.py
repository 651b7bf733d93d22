"""The WISDM converter, on a small raw file of the published form, with its kinds of damage."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tool_use_om.data.converters.wisdm import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

NAME = "WISDM_ar_v1.1_raw.txt"
STEP = 50_000_000  # nanoseconds


def records(user: int, activity: str, n: int, start: int) -> list[str]:
    return [f"{user},{activity},{start + i * STEP},-0.69{i:03d},12.68,0.5" for i in range(n)]


def raw_file() -> str:
    """Return four users; damage: see each line that is not a plain record."""
    parts = []
    for user in (1, 2, 33, 36):
        lines = [r + ";" for r in records(user, "Walking", 60, 10**12)]
        lines += [r + ";" for r in records(user, "Jogging", 40, 10**12 + 60 * STEP)]
        parts.append("\n".join(lines))
    extra = records(1, "Sitting", 30, 9 * 10**11)  # uptime runs back: another session
    lines = [r + ";" for r in extra[:10]]
    lines.append(extra[10] + ";" + extra[11] + ";")  # a missing newline
    lines.append(extra[12] + ",;")  # a trailing comma
    lines += ["", ";", "1,Sitting,0,0,0,0;", "1,Sitting,900,4.4,"]  # empty, no time, no z
    lines.append(extra[12] + ";")  # a repeated time
    lines += [r + ";" for r in extra[13:]]
    late = records(1, "Standing", 25, 2 * 10**12)  # a gap of more than 10 s
    lines += [r + ";" for r in late]
    lines += [r + ";" for r in records(2, "Upstairs", 5, 5)]  # too short a piece
    parts.append("\n".join(lines))
    return "\n".join(parts) + "\n"


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    root = tmp_path_factory.mktemp("wisdm")
    (root / NAME).write_text(raw_file())
    (root / "readme.txt").write_text("read me")
    with tarfile.open(root / "WISDM_ar_latest.tar.gz", "w:gz") as archive:
        for name in (NAME, "readme.txt"):
            archive.add(root / name, f"WISDM_ar_v1.1/{name}")
    convert(root / "WISDM_ar_latest.tar.gz", root / "out" / "wisdm")
    return DataSet.open(root / "out" / "wisdm")


def test_wisdm_cuts_sessions_where_time_or_user_breaks(converted: DataSet) -> None:
    """Another user, time running back and gaps start sessions; activities do not."""
    sessions = converted.sessions().set_index("session_id")
    assert sessions["duration_s"].round(6).to_dict() == {
        "wisdm-u01-000": 5.0,
        "wisdm-u02-000": 5.0,
        "wisdm-u33-000": 5.0,
        "wisdm-u36-000": 5.0,
        "wisdm-u01-001": 1.5,
        "wisdm-u01-002": 1.25,
    }
    labels = converted.labels(["wisdm-u33-000"])
    assert labels["label"].tolist() == ["walking", "jogging"]
    assert labels["start_s"].tolist() == pytest.approx([0.0, 3.0])


def test_wisdm_reads_around_the_damage(converted: DataSet) -> None:
    """Missing newlines, trailing commas and empty rows lose nothing; every value is in place."""
    (signal,) = converted.read("wisdm-u01-001")
    assert signal.units == ("m/s^2",) * 3
    assert signal.time_s.tolist() == pytest.approx([i / 20 for i in range(30)])
    assert signal.values[:, 0].tolist() == pytest.approx(
        [-float(f"0.69{i:03d}") for i in range(30)]
    )


def test_wisdm_counts_what_it_left_out(converted: DataSet) -> None:
    """The notes say how many records were left out, and why."""
    text = converted.manifest.notes[1]
    assert text == (
        "Of 463 records left out: 1 damaged, 1 without a time, 1 at a repeated time, "
        "5 in pieces under 20 records."
    )


def test_wisdm_splits_by_subject(converted: DataSet) -> None:
    """No user is in two splits, and no split is empty."""
    sessions = converted.sessions()
    assert sessions.groupby("subject_id")["split"].nunique().max() == 1
    assert set(sessions["split"]) == {"train", "calibration", "test"}


@pytest.mark.parametrize(
    "text",
    ["", "user activity time\n" * 50, "\n".join(records(1, "Walking", 50, 1)).replace("50", "x")],
)
def test_wisdm_refuses_a_file_of_another_form(tmp_path: Path, text: str) -> None:
    """A file of which more than 1 % cannot be read is refused by name; nothing is written."""
    (tmp_path / NAME).write_text(text)
    with pytest.raises(DataError, match=rf"{NAME}.*Is it the raw file"):
        convert(tmp_path, tmp_path / "out" / "wisdm")
    assert not (tmp_path / "out").exists()


def test_wisdm_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    """A folder without the raw file says what to give."""
    with pytest.raises(DataError, match=r"Give the folder WISDM_ar_v1\.1"):
        convert(tmp_path, tmp_path / "wisdm")
