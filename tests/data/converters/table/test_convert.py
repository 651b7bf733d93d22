"""Importing any table: understood and shown, or refused with nothing written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_use_om.data.converters.table.convert import convert
from tool_use_om.data.converters.table.files.cells import Cells, read_cells
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.plan import TablePlan, plan_sessions
from tool_use_om.data.converters.table.times.column import read_time
from tool_use_om.data.converters.table.understand import understand
from tool_use_om.data.errors import DataError, TuomError
from tool_use_om.data.format.dataset import DataSet


def plan_table(frame: pd.DataFrame, options: TableOptions) -> TablePlan:
    """Return what a data frame means, as an import does for a file."""
    return plan_sessions([understand(Cells.of(frame), options, "x")], options)


def rows(sessions: int = 5, n: int = 20) -> pd.DataFrame:
    """Return `sessions` people, 2 s each at 10 Hz: walking for one second, then running."""
    parts = [
        pd.DataFrame(
            {
                "t": np.arange(n) / 10 + 100 * i,
                "who": f"p{i}",
                "trial": f"trial {i}",
                "act": ["walk"] * (n // 2) + ["run"] * (n - n // 2),
                "acc x": np.arange(n) * 1.0,
                "acc y": np.arange(n) * 2.0,
            }
        )
        for i in range(sessions)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def imported(tmp_path: Path) -> Callable[..., DataSet]:
    def run(frame: pd.DataFrame, **options: Any) -> DataSet:
        frame.to_csv(tmp_path / "log.csv", index=False)
        convert(tmp_path / "log.csv", tmp_path / "out" / "log", options=TableOptions(**options))
        return DataSet.open(tmp_path / "out" / "log")

    return run


USES = {"time": "t", "session": "trial", "subject": "who", "label": "act"}


def test_table_import_reads_sessions_labels_and_units(imported: Callable[..., DataSet]) -> None:
    """Sessions count from their own start; a label lasts until the next one; units by prefix."""
    dataset = imported(rows(), **USES, units={"acc": "m/s2"})
    assert dataset.sessions()["session_id"].tolist() == [f"trial_{i}" for i in range(5)]
    assert set(dataset.sessions()["duration_s"]) == {2.0}
    assert dataset.labels(["trial_3"])[["start_s", "end_s", "label"]].to_numpy().tolist() == [
        [0.0, 1.0, "walk"],
        [1.0, 2.0, "run"],
    ]
    (signal,) = dataset.read("trial_4", None, 0.5, 0.7)
    assert signal.channels == ("signal.acc_x", "signal.acc_y")
    assert signal.units == ("m/s^2", "m/s^2")
    assert signal.values.tolist() == [[5.0, 10.0], [6.0, 12.0]]
    assert signal.rate_hz == 10.0


def test_table_import_splits_by_subject(imported: Callable[..., DataSet]) -> None:
    """With three subjects or more, each is in one split and every split has one."""
    sessions = imported(rows(6), **USES).sessions()
    assert set(sessions["split"]) == {"train", "calibration", "test"}


def test_table_import_splits_in_time_for_one_subject(imported: Callable[..., DataSet]) -> None:
    """Without subjects the last sessions test, and the manifest says so."""
    dataset = imported(rows(5), time="t", session="trial", skip=("who", "act"))
    assert dataset.sessions()["split"].tolist() == ["train"] * 3 + ["calibration", "test"]
    assert "in order of time" in dataset.manifest.split_rule


def test_table_import_keeps_the_tables_own_split(imported: Callable[..., DataSet]) -> None:
    """A split column is taken as it is; another word than a split's name is refused."""
    frame = rows(3).assign(part=np.repeat(["test", "train", "test"], 20))
    assert imported(frame, **USES, split="part").sessions()["split"].tolist() == [
        "test",
        "train",
        "test",
    ]
    with pytest.raises(TuomError, match="Unknown split 'valid'"):
        plan_table(frame.assign(part="valid"), TableOptions(**USES, split="part"))


def test_table_import_without_session_column_is_one_session(
    imported: Callable[..., DataSet],
) -> None:
    """A plain log is one session named after its file; empty cells are missing values."""
    frame = rows(1)[["t", "acc x"]]
    frame.loc[2, "acc x"] = np.nan
    dataset = imported(frame, time="t")
    assert dataset.sessions()["session_id"].tolist() == ["log"]
    assert dataset.channel_stats()["nan_frac"].tolist() == [0.05]
    assert any("No unit was given" in note for note in dataset.manifest.notes)


def test_table_import_reads_parquet(tmp_path: Path) -> None:
    """A Parquet table is read as a CSV one."""
    rows(3).to_parquet(tmp_path / "log.parquet")
    convert(tmp_path / "log.parquet", tmp_path / "set", options=TableOptions(**USES))
    assert DataSet.open(tmp_path / "set").manifest.n_sessions == 3


@pytest.mark.parametrize(
    ("cells", "unit", "seconds", "start"),
    [
        ([0, 0.5, 1], "auto", [0, 0.5, 1], None),
        ([0, 500, 1000], "ms", [0, 0.5, 1], None),
        ([1_700_000_000_000, 1_700_000_000_500], "auto", [0, 0.5], 1_700_000_000),
        ([1_700_000_000, 1_700_000_001], "auto", [0, 1], 1_700_000_000),
        ([1_700_000_000_000_000_000, 1_700_000_000_020_000_000], "auto", [0, 0.02], 1_700_000_000),
        (["2023-11-14T22:13:20Z", "2023-11-14T22:13:20.250Z"], "auto", [0, 0.25], 1_700_000_000),
        (["2023-11-14 23:13:20+01:00", "2023-11-14 23:13:22+01:00"], "auto", [0, 2], 1_700_000_000),
        (["2023-11-14", "2023-11-15"], "auto", [0, 86400], 1_699_920_000),
    ],
)
def test_read_time_understands_dates_and_unix_time(
    cells: list[Any], unit: str, seconds: list[float], start: int | None
) -> None:
    """Dates, Unix time in s to ns and plain seconds become seconds and, if known, a start."""
    clock = read_time(pd.Series(cells, name="t"), unit)
    assert clock.seconds - clock.seconds[0] == pytest.approx(np.array(seconds), abs=1e-6)
    expected = None if start is None else datetime.fromtimestamp(start, tz=UTC)
    assert clock.start_utc(np.arange(len(cells))) == expected


@settings(max_examples=50, deadline=None)
@given(start=st.integers(10**9, 2 * 10**9), steps=st.lists(st.integers(1, 10**6), min_size=1))
def test_read_time_keeps_microseconds_of_unix_time(start: int, steps: list[int]) -> None:
    """Microseconds survive Unix time to within a microsecond."""
    ticks = np.cumsum([start * 10**6, *steps])
    clock = read_time(pd.Series(ticks, name="t"), "us")
    assert np.diff(clock.seconds) == pytest.approx(np.array(steps) / 1e6, abs=1e-6)


def test_read_time_says_when_dates_have_no_zone() -> None:
    """Dates without a zone are read as UTC, and that is said."""
    assert "read as UTC" in read_time(pd.Series(["2026-01-01T00:00:00"], name="t"), "auto").form
    assert "their zone" in read_time(pd.Series(["2026-01-01T00:00:00Z"], name="t"), "auto").form


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"time": "tt"}, "Unknown column 'tt'. Did you mean 't'"),
        ({}, {"units": {"gyro": "g"}}, "Unknown column 'gyro'"),
        ({}, {"units": {"acc": "secnds"}}, "Unknown unit 'secnds'"),
        ({"t": 1.0}, {}, "must not repeat"),
        ({"t": 1.0}, {"rate_hz": 10.0}, "must not repeat"),
        ({"t": np.tile([0.0, 0.2, 0.1, 0.3], 25)}, {}, "must not repeat"),
        ({"t": np.arange(100) / 10 + np.tile([0.0, 0.15], 50)}, {}, "must be sorted"),
        ({"t": "noon"}, {}, "row 0 holds 'noon'"),
        ({"t": [None, *range(99)]}, {}, "empty in row 0"),
        ({"acc x": [np.inf, *range(99)]}, {}, "acc_x holds inf in row 0"),
        ({"trial": [None, *["a"] * 99]}, {}, "names no session in row 0"),
        ({"trial": [*["a b"] * 50, *["a/b"] * 50]}, {"subject": None, "skip": ("who",)}, "both be"),
        ({"acc_x": 1.0}, {}, "would both be 'acc_x'"),
        ({}, {"modality": "a.b"}, "modality or channel name"),
        ({"trial": "??"}, {"subject": None, "skip": ("who",)}, "A session id must be"),
    ],
)
def test_table_import_refuses_with_a_reason_and_writes_nothing(
    imported: Callable[..., DataSet],
    tmp_path: Path,
    change: dict[str, Any],
    options: dict[str, Any],
    message: str,
) -> None:
    """What cannot be understood is refused with the column and the row; no set is written."""
    with pytest.raises(TuomError, match=message):
        imported(rows().assign(**change), **(USES | options))
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.csv", "a,b\n1,2\n3\n", "its header names 2 columns, but a line has 1"),
        ("x.csv", "", "cannot be read as a table"),
        ("x.csv", "a,b\n", "no rows"),
        ("x.csv", "a,a\n1,2\n", "two columns named 'a'"),
        ("x.parquet", "PAR1 no", "cannot be read as a table"),
        ("x.docx", "", r"expected a \.csv"),
        ("x.xlsx", "", "cannot be read as a workbook"),
    ],
)
def test_read_cells_refuses_what_is_no_table(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    """Damaged, empty and foreign files are refused by name."""
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_cells(tmp_path / name)


def test_plan_notes_irregular_time() -> None:
    """Steps far from the measured interval are counted and said."""
    frame = rows(1)[["t", "acc x"]].drop(index=[3, 4, 9])
    assert any("Irregular" in note for note in plan_table(frame, TableOptions(time="t")).notes)


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_read_cells_finds_what_separates_the_columns(tmp_path: Path, sign: str) -> None:
    """Spreadsheets of many countries write semicolons into files named .csv."""
    file = tmp_path / "mine.csv"
    file.write_text("\n".join(sign.join(row) for row in (["t", "x"], ["0", "1.5"], ["1", "2.5"])))
    assert read_cells(file).numbers("x").tolist() == [1.5, 2.5]
