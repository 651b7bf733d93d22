"""The PAMAP2 converter, on small files of the published form."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.converters.pamap2 import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

N = 300
HEART_ROWS = (5, 16, 27, 150)


def lines(subject: int, codes: tuple[int, ...]) -> list[str]:
    """Return rows of 54 columns: value = column number, hand lost in row 7, four heart rates."""
    rows = []
    for i in range(N):
        values = ["NaN" if i == 7 and 3 <= c < 20 else f"{c + i / 1000:.6g}" for c in range(54)]
        values[0] = f"{5.64 + i / 100:.2f}"
        values[1] = str(codes[i * len(codes) // N])
        values[2] = str(60 + subject) if i in HEART_ROWS else "NaN"
        rows.append(" ".join(values))
    return rows


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pamap") / "PAMAP2_Dataset"
    for part, subjects in (("Protocol", (1, 2, 3, 4)), ("Optional", (1,))):
        (root / part).mkdir(parents=True)
        for subject in subjects:
            text = "\n".join(lines(subject, (0, 4, 24) if part == "Protocol" else (20,)))
            (root / part / f"subject10{subject}.dat").write_text(text + "\n")
    return root


@pytest.fixture(scope="module")
def converted(source: Path, tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    target = tmp_path_factory.mktemp("out") / "pamap2"
    convert(source.parent, target)
    return DataSet.open(target)


def test_pamap2_keeps_heart_rate_at_its_own_times(converted: DataSet) -> None:
    """Heart rate has only the measured rows, at their own seconds, and a rate of its own."""
    (heart,) = converted.read("pamap2-102-protocol", ["heart_rate"])
    assert heart.time_s.tolist() == [i / 100 for i in HEART_ROWS]
    assert heart.values[:, 0].tolist() == [62.0] * 4
    assert (heart.rate_hz, heart.units) == (9.0, ("bpm",))


def test_pamap2_places_columns_and_keeps_missing_ones(converted: DataSet) -> None:
    """Columns go to their sensor and unit; a lost reading stays NaN; orientation is left out."""
    signals = {s.modality: s for s in converted.read("pamap2-101-protocol")}
    assert len(signals) == 16
    assert signals["hand_temperature"].values[0].tolist() == [3.0]
    assert signals["chest_accelerometer"].values[0].tolist() == [21.0, 22.0, 23.0]
    assert signals["ankle_magnetometer"].values[0].tolist() == [47.0, 48.0, 49.0]
    assert signals["chest_accelerometer_6g"].units[0] == "m/s^2"
    assert np.isnan(signals["hand_gyroscope"].values[7]).all()
    assert np.isfinite(signals["ankle_gyroscope"].values).all()
    assert signals["chest_gyroscope"].time_s[:3].tolist() == [0.0, 0.01, 0.02]


def test_pamap2_leaves_transient_stretches_without_a_label(converted: DataSet) -> None:
    """Activity 0 has no label; the others have one interval a run."""
    labels = converted.labels(["pamap2-101-protocol"])
    assert labels[["start_s", "end_s", "label"]].to_numpy().tolist() == [
        [1.0, 2.0, "walking"],
        [2.0, 3.0, "rope jumping"],
    ]


def test_pamap2_keeps_both_recordings_of_a_subject_in_one_split(converted: DataSet) -> None:
    """Protocol and Optional are two sessions of one subject."""
    sessions = converted.sessions()
    assert set(sessions[sessions["subject_id"] == "101"]["session_id"]) == {
        "pamap2-101-optional",
        "pamap2-101-protocol",
    }
    assert sessions.groupby("subject_id")["split"].nunique().max() == 1
    assert set(sessions["split"]) == {"train", "calibration", "test"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: [*r[:5], r[5][:60], *r[6:]], "columns changed from 54 to"),
        (lambda r: [x.rsplit(" ", 1)[0] for x in r], "expected 54 numbers a line, got 53"),
        (lambda r: [r[0].replace(" 0 ", " 8 ", 1), *r[1:]], "unknown activity code 8"),
        (lambda r: [*r[:5], r[3], *r[6:]], "time must be sorted"),
        (lambda r: [], "is empty"),
    ],
)
def test_pamap2_refuses_damaged_files_by_name(
    tmp_path: Path, source: Path, change: object, message: str
) -> None:
    """Truncated rows, unknown activities and time running back are refused by the file's name."""
    root = shutil.copytree(source, tmp_path / "in")
    assert callable(change)
    (root / "Protocol" / "subject102.dat").write_text("\n".join(change(lines(2, (0, 4, 24)))))
    with pytest.raises(DataError, match=rf"subject102\.dat.*{message}"):
        convert(root, tmp_path / "out" / "pamap2")
    assert list((tmp_path / "out").iterdir()) == []


def test_pamap2_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    """A folder without recordings says which one to give."""
    with pytest.raises(DataError, match="Give the folder PAMAP2_Dataset"):
        convert(tmp_path, tmp_path / "pamap2")
