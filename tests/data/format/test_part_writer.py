"""Many sessions in few files: the same set in either layout, damage named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.format import part_reader
from tool_use_om.data.format import part_writer as parts
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.writer import DataSetWriter

Make = Callable[..., DataSetWriter]
N = 23


def write(target: Path, new_writer: Make, parts_from: int, **facts: Any) -> DataSet:
    """Write N sessions of differing length, out of order, every third one without a heart."""
    with new_writer(target, parts_from=parts_from, **facts) as writer:
        for i in sorted(range(N), key=lambda i: i * 7 % N):
            time_s = np.arange(10 + i) / 10
            signals = {"motion": (time_s, np.stack([time_s + i, -time_s], axis=1))}
            if i % 3:
                signals["heart"] = (np.arange(2.0), np.array([[60.0 + i], [np.nan]]))
            writer.add_session(
                f"s{i:02d}",
                subject_id=f"p{i}",
                split="train",
                signals=signals,
                labels=[(0.0, 1.0, "walk", "activity")],
            )
    return DataSet.open(target)


@pytest.fixture
def both(
    tmp_path: Path, new_writer: Make, monkeypatch: pytest.MonkeyPatch
) -> tuple[DataSet, DataSet]:
    """Return one set as a file a session and as parts of 4 sessions."""
    monkeypatch.setattr(parts, "PART_SESSIONS", 4)
    small = write(tmp_path / "small", new_writer, 1000)
    return small, write(tmp_path / "parts", new_writer, 5)


def test_parts_hold_the_same_set(both: tuple[DataSet, DataSet]) -> None:
    """Manifest, index, labels, statistics and every signal are the same in either layout."""
    small, large = both
    assert small.manifest == large.manifest
    pd.testing.assert_frame_equal(small.sessions(), large.sessions())
    pd.testing.assert_frame_equal(small.labels(), large.labels())
    for channels in (None, ["motion.y"], ["heart", "motion.x"]):
        one, other = (
            d.channel_stats(channels).sort_values(["session_id", "channel"], ignore_index=True)
            for d in both
        )
        pd.testing.assert_frame_equal(one, other)
    for session_id in small.sessions()["session_id"]:
        for a, b in zip(small.read(session_id), large.read(session_id), strict=True):
            assert (a.channels, a.units) == (b.channels, b.units)
            assert np.array_equal(a.time_s, b.time_s)
            assert np.array_equal(a.values, b.values, equal_nan=True)


def test_parts_are_few_files(both: tuple[DataSet, DataSet]) -> None:
    """Past the threshold no session keeps a file of its own, and a part holds many sessions."""
    small, large = both
    assert not (large.path / "sessions").exists()
    assert len(list((large.path / "parts").glob("motion-*.parquet"))) == -(-N // 4)
    assert not (small.path / "parts").exists()
    assert len(list((small.path / "sessions").iterdir())) == N


def test_parts_read_a_range_of_one_session(
    tmp_path: Path, new_writer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time range of a session in several row groups gives its own samples only."""
    monkeypatch.setattr(parts, "ROW_GROUP", 4)
    monkeypatch.setattr(parts, "SHARED_ROWS", 4)
    dataset = write(tmp_path / "set", new_writer, 0)
    (signal,) = dataset.read("s05", ["motion.x"], 0.3, 0.9)
    assert signal.values[:, 0] == pytest.approx(5 + np.arange(3, 9) / 10)
    assert dataset.read("s03", ["heart"]) == []


def test_parts_damaged_names_the_part(both: tuple[DataSet, DataSet]) -> None:
    """A truncated part is refused by name; sessions in other parts still read."""
    _, large = both
    path = large.path / "parts" / "motion-00000.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    found = []
    for session_id in large.sessions()["session_id"]:
        try:
            large.read(session_id, ["motion"])
        except DataError as error:
            found.append(session_id)
            assert path.name in str(error)  # noqa: PT017 - other sessions raise nothing
    assert len(found) == 4


@pytest.mark.parametrize("name", ["places.parquet", "stats.parquet"])
def test_parts_damaged_index_names_the_file(both: tuple[DataSet, DataSet], name: str) -> None:
    """A damaged table of places or statistics is refused by name."""
    _, large = both
    (large.path / name).write_bytes(b"PAR1 nothing PAR1")
    again = DataSet.open(large.path)
    with pytest.raises(DataError, match=name):
        (again.channel_stats(), again.read("s01"))


def test_parts_refused_half_way_leave_nothing(tmp_path: Path, new_writer: Make) -> None:
    """A refusal after parts were begun removes them too."""
    time_s = np.arange(3.0)

    def refused() -> None:
        with new_writer(tmp_path / "set", parts_from=1) as writer:
            for session_id in ("a", "b", "c", "a"):
                signals = {"heart": (time_s, time_s[:, None])}
                writer.add_session(session_id, subject_id="p", split="train", signals=signals)

    with pytest.raises(DataError, match="given twice"):
        refused()
    assert list(tmp_path.iterdir()) == []


def test_parts_read_in_turn_give_what_reading_apart_gives(both: tuple[DataSet, DataSet]) -> None:
    """Blocks read ahead hold the right rows of every session, whole or cut, in any order."""
    ids = both[0].sessions()["session_id"].tolist()
    for order in (ids, ids[::-1], ids[::2] + ids[1::2]):
        for session_id in order:
            for asked in (None, ["motion.y"]):
                (one,), (other,) = (d.read(session_id, asked or ["motion"], 0.2, 0.9) for d in both)
                assert np.array_equal(one.time_s, other.time_s)
                assert np.array_equal(one.values, other.values)


def test_pooled_stats_are_those_of_all_samples(both: tuple[DataSet, DataSet]) -> None:
    """Pooled by set and by label, count, range, mean and deviation equal those of the samples."""
    for dataset in both:
        reads = [s for i in dataset.sessions()["session_id"] for s in dataset.read(i, ["motion.x"])]
        every = np.concatenate([s.values[:, 0] for s in reads]).astype(float)
        walk = np.concatenate([s.values[s.time_s < 1, 0] for s in reads]).astype(float)
        for by, values in (("all", every), ("split", every), ("label", walk)):
            row = dataset.pooled_stats(["motion.x"], by=by).iloc[0]  # type: ignore[union-attr]  # labelled
            assert (row["n"], row["sessions"]) == (values.size, N)
            expected = [values.min(), values.max(), values.mean(), values.std()]
            assert row[["min", "max", "mean", "std"]].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("shared", "group"), [(4096, 1 << 15), (40, 100), (1, 8)])
def test_stream_gives_what_reading_session_by_session_gives(
    tmp_path: Path, new_writer: Make, monkeypatch: pytest.MonkeyPatch, shared: int, group: int
) -> None:
    """Blocks hold each session that has the modality once, whole; in either layout."""
    monkeypatch.setattr(parts, "SHARED_ROWS", shared)
    monkeypatch.setattr(parts, "ROW_GROUP", group)
    monkeypatch.setattr(parts, "PART_SESSIONS", 9)
    monkeypatch.setattr(part_reader, "_AHEAD_ROWS", 70)
    for dataset in (write(tmp_path / "a", new_writer, 1000), write(tmp_path / "b", new_writer, 5)):
        found: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
        for block in dataset.stream(["motion.y", "heart"]):
            assert block.bounds[-1] == block.time_s.size == len(block.values)
            for i, session_id in enumerate(block.session_ids):
                rows = slice(*block.bounds[i : i + 2])
                assert (session_id, block.modality) not in found
                found[session_id, block.modality] = block.time_s[rows], block.values[rows]
        read = [
            s
            for i in dataset.sessions()["session_id"]
            for s in dataset.read(i, ["motion.y", "heart"])
        ]
        assert len(found) == len(read)
        for signal in read:
            time_s, values = found[signal.session_id, signal.modality]
            assert np.array_equal(time_s, signal.time_s)
            assert np.array_equal(values, signal.values, equal_nan=True)


def test_stream_refuses_a_part_that_is_not_the_sets_own(both: tuple[DataSet, DataSet]) -> None:
    """A whole part of another set under this name is refused, by its name."""
    _, large = both
    held = sorted((large.path / "parts").glob("motion-*.parquet"))
    held[0].write_bytes(held[1].read_bytes())
    with pytest.raises(DataError, match=held[0].name):
        list(DataSet.open(large.path).stream(["motion"]))


@pytest.mark.parametrize("by_subject", [False, True])
def test_pooled_over_equals_the_statistics_of_all_samples(
    both: tuple[DataSet, DataSet], *, by_subject: bool
) -> None:
    """Some sessions pooled, together or by group, are their samples' statistics, in any layout."""
    chosen = [f"s{i:02d}" for i in (1, 4, 5, 11, 20)]
    groups = ["p", "q", "p", "p", "q"] if by_subject else None
    group_of = dict(zip(chosen, groups or [None] * 5, strict=True))
    for dataset in both:
        pooled = dataset.pooled_over(["motion.x", "heart.rate"], chosen, groups)
        assert len(pooled) == (4 if by_subject else 2)
        for row in pooled.to_dict("records"):
            mine = [s for s in chosen if group_of[s] == row["group"]]
            values = np.concatenate(
                [dataset.read(s, [str(row["channel"])])[0].values[:, 0] for s in mine]
            ).astype(float)
            present = values[~np.isnan(values)]
            expected = [present.size, present.min(), present.max(), present.mean(), present.std()]
            got = [row[k] for k in ("present", "min", "max", "mean", "std")]
            assert got == pytest.approx(expected)
            assert row["nan_frac"] == pytest.approx(np.isnan(values).mean())
    with pytest.raises(NotFoundError):
        both[1].pooled_over(["motion.x"], ["s01", "nobody"])


def old_version(dataset: DataSet) -> DataSet:
    """Turn a set into one as earlier versions wrote it: nothing pooled, no shared row groups."""
    (dataset.path / "pooled.parquet").unlink()
    if (dataset.path / "places.parquet").exists():
        table = pq.read_table(dataset.path / "places.parquet")
        table = table.drop_columns(["first_row", "n_rows"])
        pq.write_table(table, dataset.path / "places.parquet")
    (dataset.path / "files.json").unlink()
    return DataSet.open(dataset.path)


def test_sets_of_earlier_versions_answer_as_new_ones(
    tmp_path: Path, new_writer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without pooled.parquet and shared row groups, statistics and signals are the same."""
    monkeypatch.setattr(parts, "SHARED_ROWS", 1)  # each session has row groups of its own
    for name, parts_from in {"files": 1000, "parts": 5}.items():
        new = write(tmp_path / name, new_writer, parts_from)
        by_split, every = new.pooled_stats(by="split"), new.pooled_stats()
        signals = [new.read(s) for s in new.sessions()["session_id"]]
        old = old_version(new)
        exact = ["group", "channel", "sessions", "present", "n", "nan_frac", "min", "max", "mean"]
        pd.testing.assert_frame_equal(old.pooled_stats()[exact], every[exact])
        pd.testing.assert_frame_equal(old.pooled_stats(by="split")[exact], by_split[exact])
        assert old.pooled_stats(by="label") is None
        for one, other in zip(signals, old.sessions()["session_id"], strict=True):
            for a, b in zip(one, old.read(other), strict=True):
                assert np.array_equal(a.values, b.values, equal_nan=True)
        assert sum(len(b.session_ids) for b in old.stream(["motion"])) == N
