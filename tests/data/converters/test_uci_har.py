"""The UCI HAR converter, on small files of the published form."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.converters.uci_har import SIGNALS, convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

# subject → runs of (activity code, number of windows cut from one continuous recording)
TRAIN = {s: [(5, 3), (1, 2)] for s in (1, 3, 5, 6, 7)}
TEST = {2: [(5, 2), (4, 1)]}


def write_part(root: Path, part: str, people: dict[int, list[tuple[int, int]]]) -> None:
    """Write one part: each run of windows overlaps by half, runs do not overlap."""
    rng = np.random.default_rng(len(people))
    rows: dict[str, list[str]] = {name: [] for name in (*SIGNALS, "subject", "y")}
    for subject, runs in people.items():
        for code, n in runs:
            recording = rng.normal(size=(64 * (n + 1), len(SIGNALS)))
            for k in range(n):
                window = recording[64 * k : 64 * k + 128]
                for i, name in enumerate(SIGNALS):
                    rows[name].append("".join(f" {v: .7e}" for v in window[:, i]))
                rows["subject"].append(str(subject))
                rows["y"].append(str(code))
    folder = root / part / "Inertial Signals"
    folder.mkdir(parents=True)
    for name, lines in rows.items():
        where = folder if name in SIGNALS else folder.parent
        (where / f"{name}_{part}.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("har") / "UCI HAR Dataset"
    write_part(root, "train", TRAIN)
    write_part(root, "test", TEST)
    return root


@pytest.fixture(scope="module")
def converted(source: Path, tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    target = tmp_path_factory.mktemp("out") / "uci-har"
    convert(source.parent, target)
    return DataSet.open(target)


def test_uci_har_stitches_windows_that_overlap(converted: DataSet, source: Path) -> None:
    """Three windows half over each other are one session of 5.12 s; a break starts another."""
    sessions = converted.sessions().set_index("session_id")
    assert len(sessions) == 5 * 2 + 2
    assert sessions.loc["har-train-s01-000", "duration_s"] == 256 / 50
    accelerometer, gyroscope = converted.read("har-train-s01-000")
    assert (accelerometer.units[0], gyroscope.units[0]) == ("g", "rad/s")
    name = source / "train" / "Inertial Signals" / "body_gyro_z_train.txt"
    windows = np.loadtxt(name)[:3]
    whole = [windows[0], windows[1][64:], windows[2][64:]]
    assert gyroscope.values[:, 2].tolist() == pytest.approx(np.concatenate(whole), abs=1e-6)


def test_uci_har_labels_cover_their_windows(converted: DataSet) -> None:
    """A session has the activity of its windows from its start to its end."""
    labels = converted.labels(["har-test-s02-000", "har-test-s02-001"])
    assert labels["label"].tolist() == ["standing", "sitting"]
    assert labels["end_s"].tolist() == [192 / 50, 128 / 50]


def test_uci_har_keeps_the_published_split(converted: DataSet) -> None:
    """Test subjects test; one in five training subjects calibrates; none is in two splits."""
    sessions = converted.sessions()
    by_subject = sessions.groupby("subject_id")["split"].unique()
    assert by_subject["2"].tolist() == ["test"]
    assert sorted(s for who in by_subject for s in who) == ["calibration", "test", *["train"] * 4]


def test_uci_har_label_changes_in_the_middle_of_an_overlap(tmp_path: Path, source: Path) -> None:
    """Where the activity changes between joined windows, it changes in the overlap's middle."""
    root = shutil.copytree(source, tmp_path / "har")
    lines = (root / "test" / "y_test.txt").read_text().split()
    (root / "test" / "y_test.txt").write_text("\n".join(["6", *lines[1:]]))
    convert(root, tmp_path / "uci-har")
    labels = DataSet.open(tmp_path / "uci-har").labels(["har-test-s02-000"])
    assert labels[["start_s", "end_s", "label"]].to_numpy().tolist() == [
        [0.0, 96 / 50, "laying"],
        [96 / 50, 192 / 50, "standing"],
    ]


def test_uci_har_reads_the_zip_in_a_zip(tmp_path: Path, source: Path, converted: DataSet) -> None:
    """The archive site's zip, which holds the set's own zip, gives the same content."""
    with zipfile.ZipFile(tmp_path / "UCI HAR Dataset.zip", "w") as inner:
        for path in source.rglob("*.txt"):
            inner.write(path, path.relative_to(source.parent))
        inner.writestr("__MACOSX/UCI HAR Dataset/._train", "rubbish")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as outer:
        outer.write(tmp_path / "UCI HAR Dataset.zip", "UCI HAR Dataset.zip")
    convert(tmp_path / "outer.zip", tmp_path / "zipped")
    assert DataSet.open(tmp_path / "zipped").content_hash == converted.content_hash


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("train/y_train.txt", lambda t: t.replace("5", "9", 1), "row 1 of subject_train.txt and"),
        ("train/subject_train.txt", lambda t: t[:-2], "row 25 of subject_train.txt and"),
        ("test/Inertial Signals/body_gyro_x_test.txt", lambda t: t[:-40], "line 3: expected 128"),
        ("test/Inertial Signals/total_acc_y_test.txt", lambda t: "", "line 1: expected 128"),
        ("test/Inertial Signals/total_acc_z_test.txt", None, "total_acc_z_test.txt is missing"),
        ("test/y_test.txt", None, "y_test.txt is missing"),
    ],
)
def test_uci_har_refuses_damaged_files_by_name(
    tmp_path: Path, source: Path, name: str, damage: object, message: str
) -> None:
    """A missing, short or foreign file is refused by name; nothing is written."""
    root = shutil.copytree(source, tmp_path / "har")
    text = (root / name).read_text()
    (root / name).unlink()
    if callable(damage):
        (root / name).write_text(damage(text))
    with pytest.raises(DataError, match=message):
        convert(root, tmp_path / "out" / "uci-har")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_uci_har_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    """A folder without the set says which one to give."""
    with pytest.raises(DataError, match=r"no train/subject_train\.txt"):
        convert(tmp_path, tmp_path / "uci-har")
