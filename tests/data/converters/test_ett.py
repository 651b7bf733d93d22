"""The ETT converter, on small files of the published form (20 months and a rest)."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tool_use_om.data.converters.ett import COLUMNS, convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

pytestmark = pytest.mark.usefixtures("no_pictures")
ROWS = 20 * 30 * 24 + 5


def table(n: int = ROWS, step: str = "h") -> pd.DataFrame:
    dates = pd.date_range("2016-07-01", periods=n, freq=step).strftime("%Y-%m-%d %H:%M:%S")
    return pd.DataFrame({"date": dates} | {c: np.arange(n) + i for i, c in enumerate(COLUMNS)})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "ETT-small"
    folder.mkdir()
    table().to_csv(folder / "ETTh1.csv", index=False)
    return folder


def test_ett_splits_in_time_as_the_literature(tmp_path: Path, source: Path) -> None:
    """12, 4 and 4 months of 30 days are the train, calibration and test sessions; no row twice."""
    convert(source, tmp_path / "ett")
    dataset = DataSet.open(tmp_path / "ett")
    sessions = dataset.sessions().set_index("session_id")
    days = (sessions["duration_s"] / 86_400).to_dict()
    assert days == {"ETTh1-train": 360, "ETTh1-calibration": 120, "ETTh1-test": 120}
    assert sessions.loc["ETTh1-test", "start_utc"] == datetime(2017, 10, 24, tzinfo=UTC)
    (signal,) = dataset.read("ETTh1-test", ["transformer.OT"])
    assert signal.values[0, 0] == 480 * 24 + 6
    assert signal.time_s[1] == 3600


def test_ett_reads_the_quarter_hours_beside_the_hours(tmp_path: Path, source: Path) -> None:
    """Files of both steps in one zip give a modality each, at its own rate."""
    table(4 * ROWS, "15min").to_csv(source / "ETTm2.csv", index=False)
    with zipfile.ZipFile(tmp_path / "ett.zip", "w") as archive:
        for path in source.iterdir():
            archive.write(path, f"ETT-small/{path.name}")
    convert(tmp_path / "ett.zip", tmp_path / "ett")
    manifest = DataSet.open(tmp_path / "ett").manifest
    assert {m.name: 1 / m.rate_hz for m in manifest.modalities} == {
        "transformer": 3600,
        "transformer_15min": pytest.approx(900),
    }
    assert manifest.n_subjects == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="OT"), "no column 'OT'"),
        (lambda t: t.drop(index=7), "row 8: rows must be 3600 s apart"),
        (lambda t: t.head(2000), "20 months of 30 days are needed"),
        (lambda t: t.assign(HULL=t["HULL"].where(t.index != 3)), "row 4: HULL is empty"),
        (lambda t: t.assign(HULL=t["HULL"].astype(object).where(t.index != 3, "x")), "row 4: HULL"),
        (lambda t: t.assign(date="soon"), "must hold numbers or ISO 8601 dates"),
    ],
)
def test_ett_refuses_a_damaged_file_by_name(
    tmp_path: Path, source: Path, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    """Lost rows, columns and cells are refused with the file's name; nothing is written."""
    change(table()).to_csv(source / "ETTh1.csv", index=False)
    with pytest.raises(DataError, match=f"ETTh1.csv.*{message}"):
        convert(source, tmp_path / "out" / "ett")
    assert list((tmp_path / "out").iterdir()) == []
