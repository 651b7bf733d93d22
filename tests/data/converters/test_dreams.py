"""The DREAMS converter, on small-valued files of the published form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.converters.dreams import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "DatabaseSpindles"
    root.mkdir()
    for number, rate, lead in ((1, 100, "C3-A1"), (3, 50, "C3-A1"), (10, 50, "CZ-A1")):
        name = f"excerpt{number}.txt"
        (root / name).write_text(f"[{lead}]\n" + "   -0.9562\n" * (rate * 1800))
        stages = [5] * 100 + [2] * 200 + [-2] * 10 + [0] * 50
        (root / f"Hypnogram_{name}").write_text("[Hypnogram]\n" + "\n".join(map(str, stages)))
        (root / f"Visual_scoring1_{name}").write_text(
            f"[vis1_Spindles/{lead}]\n  282.2400\t    0.7200\n 1799.5\t 1.0\n"
        )
        (root / f"Automatic_detection_{name}").write_text(f"[Spindles/{lead}]\n")
    (root / "Visual_scoring2_excerpt1.txt").write_text("[vis2_Spindles/C3-A1]\n 396.56\t1.0\n")
    return root


def test_dreams_derives_the_rate_from_the_lines(tmp_path: Path, source: Path) -> None:
    """Every excerpt lasts 1800 s, whatever its number of lines."""
    convert(source, tmp_path / "dreams")
    dataset = DataSet.open(tmp_path / "dreams")
    assert {m.name: m.rate_hz for m in dataset.manifest.modalities} == {
        "eeg_50hz": 50,
        "eeg_100hz": 100,
    }
    assert set(dataset.sessions()["duration_s"]) == {1800.0}
    (signal,) = dataset.read("excerpt1", start_s=0, end_s=1)
    assert (signal.channels, signal.units) == (("eeg_100hz.C3-A1",), ("uV",))
    assert signal.values[0, 0] == np.float32(-0.9562)


def test_dreams_reads_stages_and_every_scorers_spindles(tmp_path: Path, source: Path) -> None:
    """Epochs of 5 s join to runs, unknown ones stay unlabelled; a scorer is a label set."""
    convert(source, tmp_path / "dreams")
    dataset = DataSet.open(tmp_path / "dreams")
    stages = dataset.labels(["excerpt1"], "stage")[["label", "start_s", "end_s"]]
    assert stages.to_numpy().tolist() == [
        ["wake", 0, 500],
        ["stage 2", 500, 1500],
        ["stage 4", 1550, 1800],
    ]
    first = dataset.labels(["excerpt1"], "spindle_scorer1")[["start_s", "end_s"]]
    assert first.to_numpy().tolist() == [[282.24, pytest.approx(282.96)], [1799.5, 1800]]
    assert len(dataset.labels(label_set="spindle_scorer2")) == 1
    assert "spindle_automatic" not in dataset.manifest.label_sets


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("excerpt3.txt", "[C3-A1]\n1\n2\n", "2 values in 1800 s"),
        ("excerpt3.txt", "0.5\n", "first line must be a name in brackets"),
        ("excerpt3.txt", "[C3-A1]\n" + "x\n" * 90_000, "expected 1 numbers a line"),
        ("Hypnogram_excerpt3.txt", "[Hypnogram]\n5\n5\n", "expected 360 stages of 5 s, got 2"),
        ("Hypnogram_excerpt3.txt", "[Hypnogram]\n" + "9\n" * 360, "unknown activity code 9"),
        ("Visual_scoring1_excerpt3.txt", "[vis1]\n1 2 3\n", "expected 2 numbers"),
    ],
)
def test_dreams_refuses_a_damaged_file_by_name(
    tmp_path: Path, source: Path, name: str, text: str, message: str
) -> None:
    """Lost lines, text and unknown stages are refused, naming the file; nothing is written."""
    (source / name).write_text(text)
    with pytest.raises(DataError, match=f"{name}.*{message}"):
        convert(source, tmp_path / "out" / "dreams")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_dreams_needs_the_hypnogram(tmp_path: Path, source: Path) -> None:
    """An excerpt without its stages is an incomplete download."""
    (source / "Hypnogram_excerpt3.txt").unlink()
    with pytest.raises(DataError, match=r"Hypnogram_excerpt3\.txt is missing"):
        convert(source, tmp_path / "dreams")
