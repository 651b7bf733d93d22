"""The HMP converter, on small files of the original form."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tool_use_om.data.converters.hmp import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

LINES = "0 63 21\n42 0 63\n22 49 35\n" * 16


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write four subjects × two activities, one model trial, and files that are no recordings."""
    root = tmp_path / "HMP_Dataset"
    for folder, activity in (("Walk", "walk"), ("Brush_teeth", "brush_teeth")):
        (root / folder).mkdir(parents=True)
        for i, subject in enumerate(("f1", "f2", "m1", "m10")):
            stamp = f"2011-05-3{i % 2}-10-38-0{i}"
            (root / folder / f"Accelerometer-{stamp}-{activity}-{subject}.txt").write_text(LINES)
    (root / "Walk_MODEL").mkdir()
    (root / "Walk_MODEL" / "Accelerometer-2011-05-30-10-38-00-walk-f1_1.txt").write_text(LINES)
    (root / "README.txt").write_text("read me")
    (root / "displayModel.m").write_text("function")
    return root


def test_hmp_reads_names_labels_and_units(tmp_path: Path, source: Path) -> None:
    """Start and subject come from the file's name, the label from its folder; codes become g."""
    convert(source.parent, tmp_path / "hmp")
    dataset = DataSet.open(tmp_path / "hmp")
    sessions = dataset.sessions().set_index("session_id")
    assert len(sessions) == 8
    one = "hmp-2011-05-30-10-38-00-brush_teeth-f1"
    assert sessions.loc[one, "subject_id"] == "f1"
    assert sessions.loc[one, "start_utc"] == datetime(2011, 5, 30, 10, 38, tzinfo=UTC)
    assert sessions.loc[one, "duration_s"] == 48 / 32
    assert dataset.labels([one])["label"].tolist() == ["brush_teeth"]
    (signal,) = dataset.read(one)
    assert (signal.rate_hz, signal.units) == (32.0, ("g", "g", "g"))
    assert signal.values[0].tolist() == pytest.approx([-1.5, 1.5, -0.5])
    assert signal.time_s[:3].tolist() == [0.0, 1 / 32, 2 / 32]


def test_hmp_leaves_the_model_trials_out(tmp_path: Path, source: Path) -> None:
    """*_MODEL folders repeat recordings: no session comes from them."""
    convert(source, tmp_path / "hmp")
    assert DataSet.open(tmp_path / "hmp").manifest.label_sets == {
        "activity": ("brush_teeth", "walk")
    }


def test_hmp_splits_by_subject(tmp_path: Path, source: Path) -> None:
    """No subject is in two splits, and no split is empty."""
    convert(source, tmp_path / "hmp")
    sessions = DataSet.open(tmp_path / "hmp").sessions()
    assert sessions.groupby("subject_id")["split"].nunique().max() == 1
    assert set(sessions["split"]) == {"train", "calibration", "test"}


def test_hmp_reads_the_zip_as_the_folder(tmp_path: Path, source: Path) -> None:
    """The downloaded zip gives the same content as its unpacked folder."""
    with zipfile.ZipFile(tmp_path / "hmp.zip", "w") as archive:
        for path in source.rglob("*.txt"):
            archive.write(path, path.relative_to(source.parent))
    convert(tmp_path / "hmp.zip", tmp_path / "a")
    convert(source, tmp_path / "b")
    hashes = {DataSet.open(tmp_path / k).content_hash for k in "ab"}
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [("1 2\n", "line 1: expected 3 integers"), ("1 2 3\n64 0 0\n", "line 2"), ("\n", "is empty")],
)
def test_hmp_refuses_a_damaged_file_by_name(
    tmp_path: Path, source: Path, text: str, message: str
) -> None:
    """A file of another form is refused with its name and line; no set is written."""
    name = "Accelerometer-2011-05-30-10-38-00-walk-f1.txt"
    (source / "Walk" / name).write_text(text)
    with pytest.raises(DataError, match=f"{name}.*{message}"):
        convert(source, tmp_path / "out" / "hmp")
    assert list((tmp_path / "out").iterdir()) == []


def test_hmp_refuses_a_name_it_cannot_read(tmp_path: Path, source: Path) -> None:
    """A recording whose name gives no subject is refused, not guessed."""
    (source / "Walk" / "Accelerometer-walk.txt").write_text(LINES)
    with pytest.raises(DataError, match=r"must be named Accelerometer-YYYY"):
        convert(source, tmp_path / "hmp")


def test_hmp_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    """Folders without recordings, missing paths and other files are told apart."""
    (tmp_path / "x.txt").write_text("hello")
    for path, message in ((tmp_path, "holds no"), (tmp_path / "no", "nothing at")):
        with pytest.raises(DataError, match=message):
            convert(path, tmp_path / "hmp")
    with pytest.raises(DataError, match="neither a folder nor a zip"):
        convert(tmp_path / "x.txt", tmp_path / "hmp")
