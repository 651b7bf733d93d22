"""Reading: by session, channel and seconds; damage is named, not guessed around."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.parquet import open_parquet, read_range
from tool_use_om.data.format.writer import ROW_GROUP, DataSetWriter


def test_dataset_sessions_has_the_promised_columns(tiny: DataSet) -> None:
    """sessions() is one row a session, and changing it changes nothing else."""
    frame = tiny.sessions()
    assert list(frame.columns) == ["session_id", "subject_id", "start_utc", "duration_s", "split"]
    assert frame["duration_s"].tolist() == [4.0, 6.0, 2.0]
    frame.loc[0, "split"] = "test"
    assert tiny.sessions()["split"].tolist() == ["train", "calibration", "test"]


def test_dataset_read_returns_one_signal_a_modality(tiny: DataSet) -> None:
    """Channels of two modalities come as two signals, each at its own rate, with its units."""
    heart, motion = tiny.read("a", ["heart.rate", "motion.y"])
    assert (heart.rate_hz, motion.rate_hz) == (1.0, 10.0)
    assert (heart.units, motion.units) == (("bpm",), ("g",))
    assert heart.values.tolist() == [[60.0], [61.0], [62.0], [63.0]]
    assert motion.channels == ("motion.y",)
    assert motion.values.dtype == np.float32
    assert motion.time_s.dtype == np.float64


def test_dataset_read_ranges_are_half_open(tiny: DataSet) -> None:
    """A range holds its start and not its end."""
    (signal,) = tiny.read("a", ["motion.x"], 1.0, 1.5)
    assert signal.time_s.tolist() == [1.0, 1.1, 1.2, 1.3, 1.4]
    assert signal.values[:, 0] == pytest.approx([1.0, 1.1, 1.2, 1.3, 1.4])


def test_dataset_read_leaves_out_a_modality_the_session_lacks(tiny: DataSet) -> None:
    """A session without a modality gives no signal for it; a range without samples gives n = 0."""
    assert [s.modality for s in tiny.read("c")] == ["motion"]
    (signal,) = tiny.read("b", ["heart"], 3.0, 5.0)
    assert signal.values.shape == (0, 1)


@pytest.mark.parametrize(
    ("start", "end"), [(-1.0, 2.0), (0.0, 4.1), (2.0, 2.0), (3.0, 1.0), (9.0, None), (0.0, np.nan)]
)
def test_dataset_read_refuses_a_range_outside_the_session(
    tiny: DataSet, start: float, end: float | None
) -> None:
    """A range must lie inside the session; the error says how long that is."""
    with pytest.raises(DataError, match="lasts 4 s"):
        tiny.read("a", None, start, end)


def test_dataset_read_names_the_nearest_when_unknown(tiny: DataSet) -> None:
    """Unknown channels, sessions and label sets are refused with the nearest valid names."""
    with pytest.raises(NotFoundError, match=r"'motion\.x'"):
        tiny.read("a", ["moton.x"])
    with pytest.raises(NotFoundError, match="Unknown session 'z'"):
        tiny.read("z")
    with pytest.raises(NotFoundError, match="Did you mean 'activity'"):
        tiny.labels(label_set="activities")
    with pytest.raises(NotFoundError, match="Unknown session"):
        tiny.channel_stats(None, ["a", "../a"])


def test_dataset_check_channels_expands_names_once(tiny: DataSet) -> None:
    """ "all", modality names and ids may be mixed; each channel comes once, in the order given."""
    assert tiny.check_channels(["heart", "heart.rate", "motion.y", "all"]) == (
        "heart.rate",
        "motion.y",
        "motion.x",
    )
    assert tiny.check_channels("motion") == ("motion.x", "motion.y")


def test_dataset_channel_stats_match_the_signals(tiny: DataSet) -> None:
    """The stored statistics are those of the samples on disk; no row for what is not there."""
    stats = tiny.channel_stats().set_index(["session_id", "channel"])
    assert ("c", "heart.rate") not in stats.index
    for session in ("a", "b", "c"):
        for signal in tiny.read(session):
            for i, channel in enumerate(signal.channels):
                row, values = stats.loc[(session, channel)], signal.values[:, i].astype(float)
                assert row["std"] == pytest.approx(np.nanstd(values))
                assert row["max"] == pytest.approx(np.nanmax(values))
                assert row["q25"] == pytest.approx(np.nanquantile(values, 0.25))


def test_dataset_truth_is_empty_for_recorded_sets(tiny: DataSet) -> None:
    """A set without known truth has no truth rows."""
    assert tiny.truth().empty


def test_dataset_opens_without_touching_a_signal(tiny: DataSet, tmp_path: Path) -> None:
    """Opening costs the same however much was recorded: no session file is needed for it."""
    copy = tmp_path / "copy"
    shutil.copytree(tiny.path, copy)
    for file in (copy / "sessions").rglob("*.parquet"):
        file.write_bytes(b"")
    assert DataSet.open(copy).content_hash == tiny.content_hash


@settings(max_examples=30, deadline=None)
@given(bounds=st.tuples(st.floats(0, 8000), st.floats(0, 8000)))
def test_read_range_equals_a_full_read_cut(
    bounds: tuple[float, float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Reading a range by row groups gives what reading everything and cutting gives."""
    path = _long_file(tmp_path_factory.getbasetemp() / "long.parquet")
    start, end = sorted(bounds)
    with open_parquet(path) as file:
        groups = range(file.num_row_groups)
        time_s, values = read_range(file, ["x"], start, end, groups)
    every = np.arange(2 * ROW_GROUP + 10) / 10
    expected = every[(every >= start) & (every < end)]
    assert time_s.tolist() == expected.tolist()
    assert values[:, 0] == pytest.approx(expected.astype(np.float32))


def _long_file(path: Path) -> Path:
    import pyarrow as pa

    if not path.exists():
        time_s = np.arange(2 * ROW_GROUP + 10) / 10
        table = pa.table({"time_s": time_s, "x": time_s.astype(np.float32)})
        pq.write_table(table, path, row_group_size=ROW_GROUP)
    return path


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_dataset_truncated_signal_names_the_file(tiny: DataSet) -> None:
    """A truncated signal file is refused by name; other sessions still read."""
    _cut(tiny.path / "sessions" / "a" / "motion.parquet")
    with pytest.raises(DataError, match=r"a/motion\.parquet"):
        tiny.read("a")
    assert len(tiny.read("b")) == 2


@pytest.mark.parametrize("name", ["sessions.parquet", "labels.parquet", "sessions/a/heart.parquet"])
def test_dataset_foreign_parquet_is_refused(tiny: DataSet, name: str) -> None:
    """A readable Parquet file with other columns is refused by name and column."""
    foreign = pd.DataFrame({"z": [1, 2, 3]})
    foreign.to_parquet(tiny.path / name)
    (tiny.path / "files.json").unlink()  # which would name the file, not the column
    again = DataSet.open(tiny.path)
    with pytest.raises(DataError, match=f"{name} has no column"):
        (again.sessions(), again.labels(), again.read("a"))


def test_dataset_missing_signal_file_is_refused(tiny: DataSet) -> None:
    """A file that the index promises and the disk lacks is an error, not an empty signal."""
    (tiny.path / "sessions" / "a" / "heart.parquet").unlink()
    with pytest.raises(DataError, match=r"heart\.parquet is missing"):
        tiny.read("a")


@pytest.mark.parametrize("name", ["sessions.parquet", "labels.parquet"])
def test_dataset_truncated_index_names_the_file(tiny: DataSet, name: str) -> None:
    """A truncated index or label file is refused by name."""
    _cut(tiny.path / name)
    with pytest.raises(DataError, match=name):
        DataSet.open(tiny.path).labels()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"format_version": 1', '"format_version": 99', "format 99"),
        ('"rate_hz": 10.0', '"rate_hz": -1', "damaged at modalities"),
        ('"unit": "g"', '"unit": "g; rm"', "g; rm"),
        ('"name": "motion"', '"name": "../up"', "letters, digits"),
        ('"n_sessions": 3', '"n_sessions": 7', "lists 3 sessions but the manifest says 7"),
        ("{", "[", "cannot be read"),
        ('"title"', '"tittle"', "damaged at"),
    ],
)
def test_dataset_damaged_manifest_says_where(
    tiny: DataSet, old: str, new: str, message: str
) -> None:
    """A damaged manifest is refused with the place of the damage."""
    path = tiny.path / "manifest.json"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        DataSet.open(tiny.path)


def test_dataset_open_refuses_what_is_not_a_set(tmp_path: Path) -> None:
    """A missing folder and a folder without manifest are told apart."""
    with pytest.raises(DataError, match="no data set"):
        DataSet.open(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no manifest\.json"):
        DataSet.open(tmp_path)


def test_dataset_read_touches_only_the_asked_files(
    tiny: DataSet, new_writer: Callable[..., DataSetWriter]
) -> None:
    """Reading one modality works when another one's file is damaged: it is not opened."""
    _cut(tiny.path / "sessions" / "a" / "heart.parquet")
    assert tiny.read("a", ["motion"])[0].values.shape == (40, 2)
