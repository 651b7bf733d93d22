"""The M4 converter, on small files of the published form."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_use_om.data.converters.m4 import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

pytestmark = pytest.mark.usefixtures("no_pictures")


def write(path: Path, rows: list[list[str]]) -> None:
    """Write rows as M4 does: quoted, ragged ones padded with empty cells."""
    width = max(map(len, rows))
    rows = [[f"V{i + 1}" for i in range(width)], *(r + [""] * (width - len(r)) for r in rows)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(f'"{c}"' if c else "" for c in row) + "\n" for row in rows))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "Dataset"
    long = [[f"H{i}", *(str(10 * i + k) for k in range(3 + i))] for i in range(1, 6)]
    write(root / "Train" / "Hourly-train.csv", long)
    write(root / "Test" / "Hourly-test.csv", [[f"H{i}", "7", "8"] for i in range(1, 6)])
    write(root / "Train" / "Daily-train.csv", [["D1", "1.5", "2.5", "3.5"]])
    write(root / "Test" / "Daily-test.csv", [["D1", "4.5"]])
    return root


def test_m4_joins_history_and_horizon(tmp_path: Path, source: Path) -> None:
    """A session is a ragged history without its padding, then the horizon, each labelled."""
    convert(source, tmp_path / "m4")
    dataset = DataSet.open(tmp_path / "m4")
    (signal,) = dataset.read("H2")
    assert signal.values[:, 0].tolist() == [20, 21, 22, 23, 24, 7, 8]
    assert signal.time_s.tolist() == [3600.0 * i for i in range(7)]
    labels = dataset.labels(["H2"])[["label", "start_s", "end_s"]].to_numpy().tolist()
    assert labels == [["history", 0, 5 * 3600], ["horizon", 5 * 3600, 7 * 3600]]
    assert dataset.duration_of("D1") == 4 * 86_400


def test_m4_splits_series_and_says_so(tmp_path: Path, source: Path) -> None:
    """Each series is its own subject in one split; the manifest tells the two splits apart."""
    convert(source, tmp_path / "m4")
    dataset = DataSet.open(tmp_path / "m4")
    assert dataset.manifest.splits == {"train": 4, "calibration": 1, "test": 1}
    assert dataset.manifest.n_subjects == 6
    assert "history or horizon" in dataset.manifest.split_rule


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("Test/Hourly-test.csv", 'V1,V2\n"H1",1\n"H9",2\n', "series 2: expected H2, got H9"),
        ("Test/Hourly-test.csv", 'V1,V2\n"H1",1\n', "series 2: expected H2, got nothing"),
        ("Train/Hourly-train.csv", "V1,V2,V3,V4\nH1,1,,2\n", "series H1"),
        ("Train/Hourly-train.csv", "V1,V2\nH1,one\n", "series H1"),
        ("Train/Hourly-train.csv", "V1,V2\nH1,\n", "series H1 has no values"),
        ("Train/Hourly-train.csv", "id,V2\nH1,1\n", "header must begin with V1"),
    ],
)
def test_m4_refuses_a_damaged_file_by_name(
    tmp_path: Path, source: Path, file: str, text: str, message: str
) -> None:
    """Other series, gaps inside one and text are refused, naming the file and the series."""
    (source / file).write_text(text)
    with pytest.raises(DataError, match=f"{Path(file).name}.*{message}"):
        convert(source, tmp_path / "out" / "m4")
    assert list((tmp_path / "out").iterdir() if (tmp_path / "out").exists() else []) == []


def test_m4_refuses_a_train_file_alone(tmp_path: Path, source: Path) -> None:
    """A frequency without its test file is not half converted."""
    (source / "Test" / "Daily-test.csv").unlink()
    with pytest.raises(DataError, match=r"Daily-test\.csv"):
        convert(source, tmp_path / "m4")
