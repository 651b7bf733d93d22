"""The converter of healthy older people's recordings, on small files of the original form."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tool_use_om.data.converters.rfid_older_people import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

ROWS = (
    "0,0.27203,1.0082,-0.082102,1,-63.5,2.4252,924.25,1\n"
    "0.5,0.27203,1.0082,-0.082102,1,-63,4.7369,921.75,1\n"
    "1.75,0.44791,0.91636,-0.013684,3,-63.5,3.0311,923.75,3\n"
    "60.25,0.44791,0.91636,-0.013684,2,-63.5,3.0311,923.75,4\n"
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rfid") / "Datasets_Healthy_Older_People"
    for room, names in (
        ("S1_Dataset", ("d1p01M", "d1p02F", "d1p03M")),
        ("S2_Dataset", ("d2p01F",)),
    ):
        (root / room).mkdir(parents=True)
        for name in names:
            (root / room / name).write_text(ROWS)
        (root / room / "README.txt").write_text("read me")
    return root


def test_rfid_keeps_irregular_times_units_and_labels(tmp_path: Path, source: Path) -> None:
    """Readings keep their own times; a label lasts until the next reading of another one."""
    convert(source.parent, tmp_path / "rfid")
    dataset = DataSet.open(tmp_path / "rfid")
    accelerometer, radio = dataset.read("d1p02F")
    assert accelerometer.time_s.tolist() == [0.0, 0.5, 1.75, 60.25]
    assert accelerometer.values[2].tolist() == pytest.approx([0.44791, 0.91636, -0.013684])
    assert radio.units == ("1", "dBm", "rad", "MHz")
    assert radio.values[3].tolist() == pytest.approx([2, -63.5, 3.0311, 923.75])
    labels = dataset.labels(["d1p02F"])
    assert labels[["start_s", "end_s", "label"]].to_numpy().tolist() == [
        [0.0, 1.75, "sit on bed"],
        [1.75, 60.25, "lying"],
        [60.25, 60.75, "ambulating"],
    ]


def test_rfid_splits_recordings_and_says_who_is_unknown(tmp_path: Path, source: Path) -> None:
    """The source does not say who is who: no subject is made up, and the rule says so."""
    convert(source, tmp_path / "rfid")
    dataset = DataSet.open(tmp_path / "rfid")
    assert set(dataset.sessions()["subject_id"]) == {"unknown"}
    assert set(dataset.sessions()["split"]) == {"train", "calibration", "test"}
    assert dataset.manifest.n_subjects == 0
    assert "does not publish who is who" in dataset.manifest.split_rule


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ROWS[:-30], "columns changed from 9 to"),
        (ROWS.replace(",4\n", ",5\n"), "unknown activity code 5"),
        (ROWS.replace("60.25", "0.25"), "time must be sorted"),
        (ROWS.replace("0.5,", "0,"), "time must not repeat"),
        ("", "is empty"),
    ],
)
def test_rfid_refuses_damaged_files_by_name(
    tmp_path: Path, source: Path, text: str, message: str
) -> None:
    """Truncated rows, unknown activities and time running back are refused by the file's name."""
    root = shutil.copytree(source, tmp_path / "in")
    (root / "S1_Dataset" / "d1p03M").write_text(text)
    with pytest.raises(DataError, match=f"d1p03M.*{message}"):
        convert(root, tmp_path / "out" / "rfid")
    assert list((tmp_path / "out").iterdir()) == []


def test_rfid_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    """A folder without recordings says which one to give."""
    with pytest.raises(DataError, match="Give the folder Datasets_Healthy_Older_People"):
        convert(tmp_path, tmp_path / "rfid")
