"""The writer refuses what cannot be used, and leaves nothing behind when it does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFoundError, TuomError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.schema import Channel
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.workspace import sweep

Make = Callable[..., DataSetWriter]
T = np.arange(5) / 10
V = np.zeros((5, 2))


def bad(values: Any, where: tuple[int, int], value: float) -> np.ndarray:
    changed = np.array(values, float)
    changed[where] = value
    return changed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signals": {"motion": (T[::-1].copy(), V)}}, "must be sorted, but row 1"),
        ({"signals": {"motion": (np.array([0, 0.1, 0.1, 0.2, 0.3]), V)}}, "must not repeat"),
        ({"signals": {"motion": (T - 1, V)}}, "counts seconds from the session's start"),
        ({"signals": {"motion": (np.array([0, np.nan, 1, 2, 3]), V)}}, "time must be finite"),
        ({"signals": {"motion": (T, V.astype(str))}}, "must be numeric"),
        ({"signals": {"motion": (T, V[:, :1])}}, r"\(5, 2\), got \(5, 1\)"),
        ({"signals": {"motion": (T, bad(V, (2, 1), np.inf))}}, "y holds inf in row 2"),
        ({"signals": {"motion": (T, bad(V, (0, 0), 1e60))}}, "too large"),
        ({"signals": {"motion": (T[:0], V[:0])}}, "is empty"),
        ({"signals": {}}, "is empty"),
        ({"signals": {"motin": (T, V)}}, "Did you mean 'motion'"),
        ({"session_id": "../escape"}, "A session id must be"),
        ({"split": "validation"}, "Unknown split"),
        ({"subject_id": " "}, "subject_id must not be empty"),
        ({"duration_s": 0.3}, "must reach its last sample at 0.4 s"),
        ({"labels": [(0.0, 9.0, "walk", "activity")]}, "0 <= start < end <= 0.5 s"),
        ({"labels": [(0.2, 0.2, "walk", "activity")]}, "0 <= start < end"),
        ({"labels": [(0.0, 0.2, "", "activity")]}, "must not be empty"),
    ],
)
def test_writer_refuses_with_a_reason_and_leaves_nothing(
    tmp_path: Path, new_writer: Make, changes: dict[str, Any], message: str
) -> None:
    """Input that cannot be used raises an error that says why; no file or folder stays."""
    session: dict[str, Any] = {
        "session_id": "s",
        "subject_id": "p",
        "split": "train",
        "signals": {"motion": (T, V)},
    }
    with pytest.raises(TuomError, match=message), new_writer(tmp_path / "set") as writer:
        writer.add_session(**(session | changes))
    assert list(tmp_path.iterdir()) == []


def test_writer_refuses_an_unknown_unit() -> None:
    """A channel's unit must be in the table of units."""
    with pytest.raises(ValueError, match="Unknown unit 'secnds'"):
        Channel(name="x", unit="secnds")


def test_writer_keeps_and_counts_missing_values(tiny: DataSet) -> None:
    """NaN stays NaN and its share is in the index; other statistics ignore it."""
    stats = tiny.channel_stats(["motion.x"], ["b"]).iloc[0]
    present = np.delete(np.arange(60) / 10 + 1, 3)
    assert stats["n"] == 60
    assert stats["nan_frac"] == pytest.approx(1 / 60)
    assert stats["mean"] == pytest.approx(present.mean())
    assert np.isnan(tiny.read("b", ["motion.x"])[0].values[3, 0])


def test_writer_accepts_a_channel_without_any_value(tmp_path: Path, new_writer: Make) -> None:
    """A channel that is missing throughout is kept: all its samples count as NaN."""
    with new_writer(tmp_path / "set") as writer:
        values = np.column_stack([np.full(5, np.nan), np.zeros(5)])
        writer.add_session("s", subject_id="p", split="test", signals={"motion": (T, values)})
    row = DataSet.open(tmp_path / "set").channel_stats(["motion.x"]).iloc[0]
    assert row["nan_frac"] == 1.0
    assert np.isnan(row["mean"])
    assert np.isnan(row["q50"])


def test_writer_refuses_one_subject_in_two_splits(tmp_path: Path, new_writer: Make) -> None:
    """A subject belongs to one split, unless nobody knows who it is."""

    def write(subject: str) -> None:
        with new_writer(tmp_path / "set") as writer:
            for session, split in (("a", "train"), ("b", "test")):
                signals = {"motion": (T, V)}
                writer.add_session(session, subject_id=subject, split=split, signals=signals)

    with pytest.raises(DataError, match="is in train and cannot be in test"):
        write("p")
    write("unknown")
    assert DataSet.open(tmp_path / "set").manifest.n_subjects == 0


def test_writer_refuses_a_session_given_twice(tmp_path: Path, new_writer: Make) -> None:
    """Session ids are unique."""
    with new_writer(tmp_path / "set") as writer:
        one: dict[str, Any] = {"subject_id": "p", "split": "train", "signals": {"motion": (T, V)}}
        writer.add_session("a", **one)
        with pytest.raises(DataError, match="given twice"):
            writer.add_session("a", **one)


def test_writer_refuses_a_set_without_sessions(tmp_path: Path, new_writer: Make) -> None:
    """A data set without any session is not written."""
    with pytest.raises(DataError, match="has no session"), new_writer(tmp_path / "set"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_writer_replaces_only_when_asked(tmp_path: Path, new_writer: Make, fill: Any) -> None:
    """An existing set is refused and untouched, unless it is to be replaced."""
    for replace in (False, True):
        with new_writer(tmp_path / "set", replace=replace) as writer:
            fill(writer)
    with pytest.raises(DataError, match="exists already"), new_writer(tmp_path / "set"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["set"]


def test_writer_failed_replacement_keeps_the_old_set(
    tmp_path: Path, new_writer: Make, fill: Any
) -> None:
    """When a replacement is refused half-way, the old set stays as it was."""
    with new_writer(tmp_path / "set") as writer:
        fill(writer)
    old = DataSet.open(tmp_path / "set").content_hash
    with pytest.raises(NotFoundError), new_writer(tmp_path / "set", replace=True) as writer:
        writer.add_session("z", subject_id="p", split="train", signals={"nothing": (T, V)})
    assert DataSet.open(tmp_path / "set").content_hash == old


def test_writer_content_hash_is_over_content(tmp_path: Path, new_writer: Make, fill: Any) -> None:
    """The hash ignores names, notes and the order of sessions, and sees a single changed sample."""
    hashes = []
    for name, order, changed in (("a", 1, 0.0), ("b", -1, 0.0), ("c", 1, 1e-3)):
        with new_writer(tmp_path / name, name=name, notes=(name,)) as writer:
            for session in ["s1", "s2"][::order]:
                values = bad(V, (0, 0), changed if session == "s2" else 0.0)
                writer.add_session(
                    session, subject_id=session, split="train", signals={"motion": (T, values)}
                )
        hashes.append(DataSet.open(tmp_path / name).content_hash)
    assert hashes[0] == hashes[1] != hashes[2]


def test_writer_sorts_labels_that_come_unsorted(tmp_path: Path, new_writer: Make) -> None:
    """Labels may come in any order; a set's rows are in order of time."""
    labels = [(0.3, 0.5, "walk", "activity"), (0.0, 0.2, "run", "activity")]
    with new_writer(tmp_path / "set") as writer:
        writer.add_session(
            "s", subject_id="p", split="train", signals={"motion": (T, V)}, labels=labels
        )
    rows = DataSet.open(tmp_path / "set").labels()
    assert rows["label"].tolist() == ["run", "walk"]
    assert rows["start_s"].tolist() == [0.0, 0.3]


def test_writer_orders_label_sets_by_the_time_they_cover(tiny: DataSet) -> None:
    """The label set that covers most comes first in the manifest, labels by name."""
    assert list(tiny.manifest.label_sets.items()) == [
        ("activity", ("run", "walk")),
        ("anomaly", ("odd",)),
    ]


def test_writer_killed_half_way_is_not_a_complete_set(tmp_path: Path) -> None:
    """A process killed while writing leaves no set, only a hidden folder that is swept later."""
    script = (
        "import sys, time, numpy as np\n"
        "from pathlib import Path\n"
        "from tool_use_om.data.format.schema import Channel, Modality\n"
        "from tool_use_om.data.format.writer import DataSetWriter\n"
        "m = Modality(name='m', rate_hz=1.0, channels=(Channel(name='x', unit='1'),))\n"
        "with DataSetWriter(Path(sys.argv[1]), name='s', title='', synthetic=True, licence='',\n"
        "        source='', modalities=(m,), split_rule='', debug=False) as w:\n"
        "    w.add_session('a', subject_id='p', split='train',\n"
        "        signals={'m': (np.arange(3.0), np.zeros((3, 1)))})\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "set")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with pytest.raises(DataError, match="no data set"):
        DataSet.open(tmp_path / "set")
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".")
    with pytest.raises(DataError, match="no manifest"):
        DataSet.open(left)
    os.utime(left, (time.time() - 1e6, time.time() - 1e6))
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_writer_manifest_is_plain_json(tiny: DataSet) -> None:
    """manifest.json is JSON that says what was written."""
    facts = json.loads((tiny.path / "manifest.json").read_text())
    assert facts["n_sessions"] == 3
    assert facts["splits"] == {"train": 1, "calibration": 1, "test": 1}
    assert facts["duration_s"] == pytest.approx(12.0)
    assert facts["modalities"][0]["channels"][0] == {"name": "x", "unit": "g"}
