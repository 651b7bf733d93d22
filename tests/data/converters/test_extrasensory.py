"""The ExtraSensory converter, on small files of the original form."""

from __future__ import annotations

import gzip
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.converters.extrasensory import MAIN, convert, readable
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

FEATURES = (
    "raw_acc:magnitude_stats:mean",
    "raw_acc:3d:mean_x",
    "discrete:app_state:is_active",
    "lf_measurements:light",
    "discrete:app_state:missing",  # a group may come in two places
)
LABELS = (*MAIN, "LOC_home", "DRIVE_-_I_M_THE_DRIVER", "DRINKING__ALCOHOL_")
HEADER = ",".join(["timestamp", *FEATURES, *(f"label:{n}" for n in LABELS), "label_source"])
START = 1_464_129_912
# seconds from start, then what was answered: sitting, walking, home
ANSWERS = (
    (0, 1, 0, "1.0"),
    (60, 1, 0, "1.0"),
    (120, 0, 1, "0.0"),
    (132, 0, 1, ""),
    (900, 0, 1, ""),
)


def row(second: int, sitting: int, walking: int, home: str) -> str:
    features = ["1.01", "" if second == 60 else "-0.5", "1.0", "4.0", "0.0"]
    labels = ["0.0", f"{sitting}.0", "0.0", f"{walking}.0", "0.0", "0.0", home, "", ""]
    return ",".join([str(START + second), *features, *labels, "2.0"])


def text() -> str:
    return "\n".join([HEADER, *(row(*answer) for answer in ANSWERS)]) + "\n"


def name(user: int) -> str:
    return f"1155FF54-63D3-4AB2-9863-8385D0BD0A{user:02d}.features_labels.csv.gz"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("extra")
    for user in range(3):
        (root / name(user)).write_bytes(gzip.compress(text().encode()))
    return root


@pytest.fixture(scope="module")
def converted(source: Path, tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    target = tmp_path_factory.mktemp("out") / "extrasensory"
    convert(source, target)
    return DataSet.open(target)


def session(user: int) -> str:
    return f"extrasensory-{name(user).partition('.')[0]}"


def test_extrasensory_groups_features_at_their_times(converted: DataSet) -> None:
    """Features of one group are one modality; blank cells are missing; rows keep their times."""
    signals = {s.modality: s for s in converted.read(session(1))}
    assert signals["raw_acc"].channels == (
        "raw_acc.magnitude_stats_mean",
        "raw_acc.3d_mean_x",
    )
    assert signals["raw_acc"].time_s.tolist() == [0.0, 60.0, 120.0, 132.0, 900.0]
    assert np.isnan(signals["raw_acc"].values[:, 1]).tolist() == [False, True, False, False, False]
    assert signals["discrete"].values.shape == (5, 2)
    assert (signals["discrete"].units[0], signals["lf_measurements"].units[0]) == ("1", "a.u.")
    row = converted.sessions().set_index("session_id").loc[session(1)]
    assert row["start_utc"] == datetime.fromtimestamp(START, UTC)
    assert row["duration_s"] == 920.0


def test_extrasensory_keeps_the_six_activities_apart(converted: DataSet) -> None:
    """Near rows of one activity join; a row ends after 20 s or where the next starts."""
    labels = converted.labels([session(0)], label_set="activity")
    assert labels[["start_s", "end_s", "label"]].to_numpy().tolist() == [
        [0.0, 80.0, "sitting"],
        [120.0, 152.0, "walking"],
        [900.0, 920.0, "walking"],
    ]
    home = converted.labels([session(0)], label_set="home")
    assert home[["start_s", "end_s", "label"]].to_numpy().tolist() == [[0.0, 80.0, "home"]]
    assert next(iter(converted.manifest.label_sets)) == "activity"


def test_extrasensory_labels_are_readable() -> None:
    """Prefixes and underscores of the column names go."""
    given = ("FIX_walking", "OR_standing", "DRIVE_-_I_M_THE_DRIVER", "DRINKING__ALCOHOL_")
    wanted = ["walking", "standing", "drive - i m the driver", "drinking alcohol"]
    assert [readable(n) for n in given] == wanted


def test_extrasensory_splits_by_user(converted: DataSet) -> None:
    """Each user is in one split; three users are one each."""
    assert sorted(converted.sessions()["split"]) == ["calibration", "test", "train"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(text().encode())[:-30], "cannot be unpacked"),
        (b"not gzip", "cannot be unpacked"),
        (gzip.compress(text()[:-20].encode()), "line 6: expected 16 columns"),
        (gzip.compress(text().replace(":mean_x", ":mean_q").encode()), "its header differs"),
        (gzip.compress(text().replace("1.01", "high").encode()), "holds text"),
        (gzip.compress((HEADER + "\n").encode()), "has no row"),
    ],
)
def test_extrasensory_refuses_damaged_files_by_name(
    tmp_path: Path, source: Path, data: bytes, message: str
) -> None:
    """Cut, foreign and different files are refused by name; nothing is written."""
    root = shutil.copytree(source, tmp_path / "in")
    (root / name(2)).write_bytes(data)
    with pytest.raises(DataError, match=f"{name(2)}.*{message}"):
        convert(root, tmp_path / "out" / "extrasensory")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_extrasensory_refuses_a_header_without_labels(tmp_path: Path) -> None:
    """A first file that is another table says what it lacks."""
    (tmp_path / name(0)).write_bytes(gzip.compress(b"timestamp,x\n1,2\n"))
    with pytest.raises(DataError, match="its header lacks"):
        convert(tmp_path, tmp_path / "out" / "extrasensory")


def test_extrasensory_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    """A folder without files of the set says which one to give."""
    with pytest.raises(
        DataError, match=r"such as UUID\.features_labels\.csv\.gz\. Give the folder"
    ):
        convert(tmp_path, tmp_path / "extrasensory")
