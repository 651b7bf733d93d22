"""The SisFall converter, on small files of the original form."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tool_use_om.data.converters.sisfall import ACTIVITIES, convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

ROW = "  {0},-256, 128,  16,-504,-352,  1024,-697,-279;\r\n"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write three subjects × three codes; the last line of a file is blank, as in the original."""
    root = tmp_path_factory.mktemp("sisfall") / "SisFall_dataset"
    for subject in ("SA01", "SA02", "SE04"):
        (root / subject).mkdir(parents=True)
        for code in ("D01", "D17", "F05"):
            rows = "".join(ROW.format(i) for i in range(40))
            (root / subject / f"{code}_{subject}_R01.txt").write_text(rows + " ", newline="")
    (root / "Readme.txt").write_bytes("Velocity [°/s]".encode("latin-1"))
    return root


def test_sisfall_turns_bits_into_units(tmp_path: Path, source: Path) -> None:
    """256 bits of 13 over 32 g are 1 g; 16 of 16 over 4000 deg/s are 0.98; 1024 of 14 are 1 g."""
    convert(source.parent, tmp_path / "sisfall")
    dataset = DataSet.open(tmp_path / "sisfall")
    first, gyroscope, second = dataset.read("sisfall-F05-SA02-R01")
    assert (first.rate_hz, len(first.time_s), first.time_s[1]) == (200.0, 40, 0.005)
    assert (first.units[0], gyroscope.units[0], second.units[0]) == ("g", "deg/s", "g")
    assert first.values[1].tolist() == pytest.approx([1 / 256, -1.0, 0.5])
    assert gyroscope.values[0, 0] == pytest.approx(16 * 4000 / 65536)
    assert second.values[0, 0] == pytest.approx(1.0)
    labels = dataset.labels(["sisfall-F05-SA02-R01"]).set_index("set")["label"]
    assert labels["activity"] == "fall forward while jogging, trip"
    assert labels["kind"] == "fall"
    assert dataset.sessions()["duration_s"].tolist() == [0.2] * 9


def test_sisfall_splits_three_subjects_one_each(tmp_path: Path, source: Path) -> None:
    """With three subjects each split has one, and the rule says how."""
    convert(source, tmp_path / "sisfall")
    dataset = DataSet.open(tmp_path / "sisfall")
    assert sorted(dataset.sessions().groupby("split")["subject_id"].nunique()) == [1, 1, 1]
    assert "by subject" in dataset.manifest.split_rule


def test_sisfall_names_each_activity_once() -> None:
    """All 34 codes of the Readme have a name of their own."""
    assert len(set(ACTIVITIES.values())) == 34


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "SA01/D01_SA01_R01.txt",
            ROW.format(1) + "1,2,3;\n",
            "columns changed from 9 to 3 at row 2",
        ),
        ("SA01/D01_SA01_R01.txt", "1,2,x,4,5,6,7,8,9;\n", "could not convert string 'x'"),
        ("SA01/D01_SA01_R01.txt", " \n", "is empty"),
        ("SA01/D01_SA01_R01.txt", "1 2 3\n", "could not convert"),
        ("SA01/D01_SA01_R01.txt", "1,2,3\n", "expected 9 numbers a line, got 3"),
        ("SA01/F99_SA01_R01.txt", ROW.format(1), "F99 is no activity code"),
    ],
)
def test_sisfall_refuses_damaged_files_by_name(
    tmp_path: Path, source: Path, name: str, text: str, message: str
) -> None:
    """A truncated or foreign file is refused by name; nothing is written."""
    root = shutil.copytree(source, tmp_path / "in")
    (root / name).write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        convert(root, tmp_path / "out" / "sisfall")
    assert Path(name).name in str(caught.value)
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_sisfall_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    """A folder without recordings says which one to give."""
    with pytest.raises(DataError, match="Give the folder SisFall_dataset"):
        convert(tmp_path, tmp_path / "sisfall")
