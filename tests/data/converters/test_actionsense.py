"""The ActionSense converter, on small HDF5 files of the published form."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.converters.actionsense import JOINTS, convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

h5py = pytest.importorskip("h5py")
T0 = 1_654_621_726.5
ROWS = [
    ("Slice a cucumber", "Start", "Good", ""),
    ("Slice a cucumber", "Stop", "Good", ""),
    ("Peel a potato", "Start", "Bad", "dropped it"),
    ("Peel a potato", "Stop", "Bad", "dropped it"),
    ("Pour water", "Start", "", ""),
    ("Pour water", "Stop", "", ""),
    ("Slice bread", "Start", "Good", ""),
]


def name(subject: str) -> str:
    return f"2022-06-07_17-18-46_streamLog_actionNet-wearables_{subject}.hdf5"


def add(file: object, path: str, time: np.ndarray, data: np.ndarray) -> None:
    """Write device/stream/{data, time_s, time_str}; time has one column, as published."""
    file[f"{path}/data"] = data  # type: ignore[index] # h5py is untyped
    file[f"{path}/time_s"] = time[:, None]  # type: ignore[index] # h5py is untyped
    text = np.array([[b"2022-06-07 17:18:46.500000"]] * len(time))
    file[f"{path}/time_str"] = text  # type: ignore[index] # h5py is untyped


def write(path: Path) -> None:
    with h5py.File(path, "w") as file:
        emg_time = T0 + 0.5 + np.arange(400) / 200
        emg_time[10] = emg_time[9]  # two samples of one radio packet
        add(file, "myo-left/emg", emg_time, np.arange(3200).reshape(400, 8))
        time = T0 + np.arange(100) / 50
        add(file, "myo-left/acceleration_g", time, np.ones((100, 3)))
        add(file, "myo-left/gesture", time, np.array([[b"rest"]] * 100))
        joints = np.arange(120 * 28 * 3, dtype=float).reshape(120, 28, 3)
        add(file, "xsens-joints/rotation_xzy_deg", T0 + 1 + np.arange(120) / 60, joints)
        add(file, "tactile-glove-left/tactile_data", time[:9], np.zeros((9, 32, 32)))
        times = np.array([0.2, 1.0, 1.1, 1.2, 1.5, 99.0, 2.0]) + T0
        add(file, "experiment-activities/activities", times, np.array(ROWS, dtype="S40"))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("action")
    for subject in ("S00", "S02", "S04"):
        write(root / name(subject))
    return root


@pytest.fixture(scope="module")
def converted(source: Path, tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    target = tmp_path_factory.mktemp("out") / "actionsense"
    convert(source, target)
    return DataSet.open(target)


def test_actionsense_keeps_each_stream_at_its_own_times(converted: DataSet) -> None:
    """Streams start apart and run at their own rates; the first one sets the session's start."""
    session = "actionsense-2022-06-07_17-18-46-S02"
    signals = {s.modality: s for s in converted.read(session)}
    assert set(signals) == {"emg_left", "accelerometer_left", "joint_angles"}
    starts = {m: s.time_s[0] for m, s in signals.items()}
    assert starts == {"emg_left": 0.5, "accelerometer_left": 0.0, "joint_angles": 1.0}
    assert [s.rate_hz for s in signals.values()] == [200.0, 50.0, 60.0]
    row = converted.sessions().set_index("session_id").loc[session]
    assert row["start_utc"] == datetime.fromtimestamp(T0, UTC)
    assert row["duration_s"] == pytest.approx(3.0)


def test_actionsense_names_the_body_joints_in_order(converted: DataSet) -> None:
    """The first 22 joints × 3 axes become 66 channels; the fingers' are left out."""
    session = "actionsense-2022-06-07_17-18-46-S00"
    (signal,) = converted.read(session, ["joint_angles"])
    assert len(JOINTS) == 22
    assert signal.channels[-1] == "joint_angles.LeftBallFoot_z"
    assert signal.channels[18] == "joint_angles.RightT4Shoulder_x"
    assert signal.values[1].tolist() == list(range(84, 84 + 66))
    assert set(signal.units) == {"deg"}


def test_actionsense_leaves_out_and_counts_repeated_times(converted: DataSet) -> None:
    """A sample stamped like the one before it is left out and counted in the notes."""
    (signal,) = converted.read("actionsense-2022-06-07_17-18-46-S00", ["emg_left"])
    assert len(signal.time_s) == 399
    assert signal.values[10, 0] == 88.0
    assert converted.manifest.notes[0].startswith("3 samples")


def test_actionsense_pairs_start_and_stop(converted: DataSet) -> None:
    """Bad ones and a Start without a Stop are left out; a late Stop ends with the session."""
    labels = converted.labels(["actionsense-2022-06-07_17-18-46-S04"])
    assert labels["label"].tolist() == ["Slice a cucumber", "Pour water"]
    spans = labels[["start_s", "end_s"]].to_numpy().ravel().tolist()
    assert spans == pytest.approx([0.2, 1.0, 1.5, 3.0], abs=1e-6)
    assert set(converted.sessions()["split"]) == {"train", "calibration", "test"}


def damage_truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:4000])


def damage_text(path: Path) -> None:
    path.write_text("<html>not found</html>")


def damage_times(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file["myo-left/emg/time_s"]
        file["myo-left/emg/time_s"] = np.arange(5.0)


def damage_group(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file["myo-left/emg/data"]


def damage_all(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["other/stream/data"] = [1.0]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_truncate, "cannot be read as ActionSense"),
        (damage_text, "cannot be read as ActionSense"),
        (damage_times, "must have a time for each of its rows"),
        (damage_group, "cannot be read as ActionSense"),
        (damage_all, "none of the streams"),
    ],
)
def test_actionsense_refuses_damaged_files_by_name(
    tmp_path: Path, source: Path, damage: object, message: str
) -> None:
    """Truncated, foreign and incomplete files are refused by name; nothing is written."""
    root = shutil.copytree(source, tmp_path / "in")
    assert callable(damage)
    damage(root / name("S02"))
    with pytest.raises(DataError, match=rf"wearables_S02\.hdf5.*{message}"):
        convert(root, tmp_path / "out" / "actionsense")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_actionsense_says_what_to_install(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without h5py the message names the extra."""
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DataError, match=r"tool-use-om\[formats\]"):
        convert(source, tmp_path / "actionsense")


def test_actionsense_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    """A folder without recordings says which one to give."""
    with pytest.raises(DataError, match=r"Give the folder of the downloaded \.hdf5 files"):
        convert(tmp_path, tmp_path / "actionsense")
