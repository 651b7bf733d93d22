"""The MHEALTH converter, on small files of the published form."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tool_use_om.data.converters.mhealth import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet


def line(label: int) -> str:
    """Return one row of 23 tab-separated values (column number + 0.1) and a label."""
    return "\t".join([*(f"{-(c + 0.1):.4f}" for c in range(1, 24)), str(label)]) + "\n"


LABELS = [0] * 10 + [4] * 30 + [0] * 5 + [12] * 15


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mhealth") / "MHEALTHDATASET"
    root.mkdir()
    for subject in (1, 2, 3, 10):
        text = "".join(line(label) for label in LABELS)
        (root / f"mHealth_subject{subject}.log").write_text(text)
    (root / "README.txt").write_text("read me")
    return root


@pytest.fixture(scope="module")
def converted(source: Path, tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    target = tmp_path_factory.mktemp("out") / "mhealth"
    convert(source, target)
    return DataSet.open(target)


def test_mhealth_places_columns_with_units(converted: DataSet) -> None:
    """Columns 1 to 23 go to their sensor with the unit the README gives."""
    signals = {s.modality: s for s in converted.read("mhealth-10")}
    assert signals["ecg"].channels == ("ecg.lead1", "ecg.lead2")
    assert signals["ecg"].values[0].tolist() == pytest.approx([-4.1, -5.1])
    assert signals["arm_gyroscope"].values[0].tolist() == pytest.approx([-18.1, -19.1, -20.1])
    assert signals["arm_magnetometer"].values[0].tolist() == pytest.approx([-21.1, -22.1, -23.1])
    units = {m: s.units[0] for m, s in signals.items()}
    assert units["chest_accelerometer"] == units["ankle_accelerometer"] == "m/s^2"
    assert (units["ecg"], units["arm_gyroscope"]) == ("mV", "deg/s")
    assert units["ankle_magnetometer"] == "a.u."
    assert signals["ecg"].time_s[1] == 0.02


def test_mhealth_leaves_the_null_class_without_a_label(converted: DataSet) -> None:
    """Label 0 is no label; other runs end where the next one starts."""
    labels = converted.labels(["mhealth-01"])
    assert labels[["start_s", "end_s", "label"]].to_numpy().tolist() == [
        [0.2, 0.8, "walking"],
        [0.9, 1.2, "jump front and back"],
    ]


def test_mhealth_splits_by_subject(converted: DataSet) -> None:
    """Each subject is one session in one split; no split is empty."""
    sessions = converted.sessions()
    assert sessions["subject_id"].nunique() == 4
    assert set(sessions["split"]) == {"train", "calibration", "test"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line(4) + line(4)[:70], "columns changed from 24 to"),
        (line(4).replace("\t", " ", 2)[7:], "expected 24 numbers a line, got 23"),
        (line(13), "unknown activity code 13"),
        (line(4).replace("-5.1000", "-5,1"), "could not convert"),
        ("", "is empty"),
    ],
)
def test_mhealth_refuses_damaged_files_by_name(
    tmp_path: Path, source: Path, text: str, message: str
) -> None:
    """Truncated rows, other column counts and unknown labels are refused by the file's name."""
    root = shutil.copytree(source, tmp_path / "in")
    (root / "mHealth_subject3.log").write_text(text)
    with pytest.raises(DataError, match=rf"mHealth_subject3\.log.*{message}"):
        convert(root, tmp_path / "out" / "mhealth")
    assert list((tmp_path / "out").iterdir()) == []


def test_mhealth_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    """A folder without recordings says which one to give."""
    with pytest.raises(DataError, match="Give the folder MHEALTHDATASET"):
        convert(tmp_path, tmp_path / "mhealth")
