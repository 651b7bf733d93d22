"""The MotionSense converter, on small files of the published form."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tool_use_om.data.converters.motionsense import HEADER, convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

HEAD = ",".join(HEADER) + "\n"


def rows(n: int) -> str:
    """Return n rows: the index, then the column's number + a hundredth a row."""
    return "".join(
        f"{i}," + ",".join(f"{c + i / 100:.6f}" for c in range(12)) + "\n" for i in range(n)
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("motion") / "A_DeviceMotion_data"
    for trial in ("wlk_7", "sit_13"):
        (root / trial).mkdir(parents=True)
        for subject in (1, 2, 3, 24):
            (root / trial / f"sub_{subject}.csv").write_text(HEAD + rows(50))
    (root.parent / "B_Accelerometer_data" / "wlk_7").mkdir(parents=True)
    (root.parent / "B_Accelerometer_data" / "wlk_7" / "sub_1.csv").write_text(",x,y,z\n0,1,2,3\n")
    return root


@pytest.fixture(scope="module")
def converted(source: Path, tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    target = tmp_path_factory.mktemp("out") / "motionsense"
    convert(source.parent, target)
    return DataSet.open(target)


def test_motionsense_reads_columns_labels_and_units(converted: DataSet) -> None:
    """The folder gives the label, the file the subject; g and rad/s as in CMDeviceMotion."""
    signals = {s.modality: s for s in converted.read("motionsense-wlk-07-s24")}
    assert signals["attitude"].channels == ("attitude.roll", "attitude.pitch", "attitude.yaw")
    assert signals["gyroscope"].values[1].tolist() == pytest.approx([6.01, 7.01, 8.01])
    assert signals["user_acceleration"].values[0].tolist() == [9.0, 10.0, 11.0]
    units = [signals[m].units[0] for m in ("attitude", "gravity", "gyroscope", "user_acceleration")]
    assert units == ["rad", "g", "rad/s", "g"]
    assert signals["gravity"].time_s[1] == 0.02
    labels = converted.labels(["motionsense-wlk-07-s24"])
    assert labels[["end_s", "label"]].to_numpy().tolist() == [[1.0, "walking"]]


def test_motionsense_reads_the_device_motion_part_only(converted: DataSet) -> None:
    """The accelerometer's and gyroscope's own folders repeat the trials: no session from them."""
    assert len(converted.sessions()) == 8
    assert converted.manifest.label_sets == {"activity": ("sitting", "walking")}


def test_motionsense_splits_by_subject(converted: DataSet) -> None:
    """No subject is in two splits, and no split is empty."""
    sessions = converted.sessions()
    assert sessions.groupby("subject_id")["split"].nunique().max() == 1
    assert set(sessions["split"]) == {"train", "calibration", "test"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("wlk_7/sub_2.csv", HEAD + rows(3)[:-20], "columns changed from 13 to"),
        ("wlk_7/sub_2.csv", HEAD, "is empty"),
        ("wlk_7/sub_2.csv", rows(3), "expected the columns"),
        ("wlk_7/sub_2.csv", HEAD.replace("yaw", "jaw") + rows(3), "expected the columns"),
        ("run_1/sub_2.csv", HEAD + rows(3), "its folder must be named"),
    ],
)
def test_motionsense_refuses_damaged_files_by_name(
    tmp_path: Path, source: Path, name: str, text: str, message: str
) -> None:
    """Truncated rows, another header, unknown activities are refused by the file's name."""
    root = shutil.copytree(source, tmp_path / "in")
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(text)
    with pytest.raises(DataError, match=rf"sub_2\.csv.*{message}"):
        convert(root, tmp_path / "out" / "motionsense")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_motionsense_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    """A folder without recordings says which one to give."""
    with pytest.raises(DataError, match="Give the folder A_DeviceMotion_data"):
        convert(tmp_path, tmp_path / "motionsense")
