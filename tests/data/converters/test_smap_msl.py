"""The SMAP/MSL converter, on small arrays and a table of the published form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.converters.smap_msl import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

pytestmark = pytest.mark.usefixtures("no_pictures")
HEADER = "chan_id,spacecraft,anomaly_sequences,class,num_values\n"
P1 = 'P-1,SMAP,"[[20, 24], [30, 39], [5, 9]]","[contextual, contextual, point]",40\n'
T9 = 'T-9,MSL,"[[0, 3]]",[point],30\n'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for name, width, n_train, n_test in (("P-1", 25, 20, 40), ("T-9", 55, 10, 30)):
        for part, n in (("train", n_train), ("test", n_test)):
            (root / part).mkdir(parents=True, exist_ok=True)
            values = np.zeros((n, width))
            values[:, 0] = np.linspace(-1, 1, n)
            np.save(root / part / f"{name}.npy", values)
    (root / "labeled_anomalies.csv").write_text(HEADER + P1 + T9)
    return root


def test_smap_msl_keeps_both_spacecraft_apart(tmp_path: Path, source: Path) -> None:
    """25 SMAP and 55 MSL channels are modalities of their own, one sample a minute."""
    convert(source, tmp_path / "sm")
    manifest = DataSet.open(tmp_path / "sm").manifest
    assert {m.name: len(m.channels) for m in manifest.modalities} == {"smap": 25, "msl": 55}
    assert {m.rate_hz for m in manifest.modalities} == {1 / 60}
    assert "convention" in manifest.notes[0]


def test_smap_msl_labels_unsorted_sequences_in_the_test_session(
    tmp_path: Path, source: Path
) -> None:
    """Sequences come in any order and include their last sample; only test sessions have any."""
    convert(source, tmp_path / "sm")
    labels = DataSet.open(tmp_path / "sm").labels()
    assert set(labels["session_id"]) == {"P-1-test", "T-9-test"}
    rows = labels[labels["session_id"] == "P-1-test"][["start_s", "end_s", "label"]]
    assert rows.to_numpy().tolist() == [
        [300, 600, "point anomaly"],
        [1200, 1500, "contextual anomaly"],
        [1800, 2400, "contextual anomaly"],
    ]


def test_smap_msl_calibrates_on_the_end_of_train(tmp_path: Path, source: Path) -> None:
    """The last fifth of train/ is the calibration session; together they are the array."""
    convert(source, tmp_path / "sm")
    dataset = DataSet.open(tmp_path / "sm")
    parts = [dataset.read(f"P-1-{s}", ["smap.telemetry"])[0] for s in ("train", "calibration")]
    assert [len(p.time_s) for p in parts] == [16, 4]
    joined = np.concatenate([p.values[:, 0] for p in parts])
    assert np.allclose(joined, np.linspace(-1, 1, 20))


def test_smap_msl_joins_a_channel_that_is_listed_twice(tmp_path: Path, source: Path) -> None:
    """The published table lists P-2 in two rows: its anomalies are joined."""
    again = P1.replace("[[20, 24], [30, 39], [5, 9]]", "[[0, 1]]").replace(
        '"[contextual, contextual, point]"', "[point]"
    )
    (source / "labeled_anomalies.csv").write_text(HEADER + P1 + again)
    convert(source, tmp_path / "sm")
    assert len(DataSet.open(tmp_path / "sm").labels()) == 4


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (P1.replace("39", "40"), r"P-1\.npy has 40 samples, but an anomaly .* 30 to 40"),
        (P1.replace("[20, 24]", "[20"), "row 1: expected chan_id"),
        (P1.replace("contextual, contextual, ", ""), "row 1: expected chan_id"),
        (P1.replace("SMAP", "MARS"), "row 1: spacecraft must be SMAP or MSL"),
        (P1.replace("P-1", "P-7"), r"P-7\.npy"),
        ("", "lists no channel"),
    ],
)
def test_smap_msl_refuses_a_damaged_table(
    tmp_path: Path, source: Path, row: str, message: str
) -> None:
    """Rows that do not fit the arrays are refused with the row or the file; nothing is written."""
    (source / "labeled_anomalies.csv").write_text(HEADER + row)
    with pytest.raises(DataError, match=message):
        convert(source, tmp_path / "out" / "sm")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_smap_msl_never_unpickles(tmp_path: Path, source: Path) -> None:
    """Pickled, cut and other-shaped arrays are refused by name."""
    path = source / "train" / "T-9.npy"
    whole = path.read_bytes()
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"T-9\.npy is no readable array"):
        convert(source, tmp_path / "a")
    path.write_bytes(whole[:300])
    with pytest.raises(DataError, match=r"T-9\.npy is no readable array"):
        convert(source, tmp_path / "a")
    np.save(path, np.zeros((10, 25)))
    with pytest.raises(DataError, match=r"T-9\.npy: expected \(time, 55\) numbers"):
        convert(source, tmp_path / "a")
