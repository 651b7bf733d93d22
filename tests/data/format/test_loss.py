"""Loss and damage: kills, concurrent rewrites and flipped bits never pass for good data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tool_use_om.data import workspace
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.writer import DataSetWriter

KILLS = 52
SESSIONS = 5
# One process imports once, then forks a writer for each line "target version"; a writer converts
# the set over and over (version, version + 1, …) until it is killed or has done `rounds`.
NURSERY = """
import os, sys
from pathlib import Path
import numpy as np
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter

modalities = tuple(
    Modality(name=n, rate_hz=10.0, channels=(Channel(name="x", unit="1"),)) for n in ("a", "b")
)
time_s = np.arange(200) / 10

def convert(target, version):
    facts = dict.fromkeys(("title", "licence", "source", "split_rule"), "")
    with DataSetWriter(target, name="set", synthetic=True, modalities=modalities, replace=True,
                       debug=False, **facts) as writer:
        for i in range(SESSIONS):
            values = np.full((200, 1), float(version))
            writer.add_session(f"s{i}", subject_id=str(i), split="train",
                signals={"a": (time_s, values), "b": (time_s, values)},
                labels=[(0.0, 1.0, f"v{version}", "version")])

for line in sys.stdin:
    target, version, rounds = line.split()
    pid = os.fork()
    if pid == 0:
        for i in range(int(rounds)):
            convert(Path(target), int(version) + i)
        os._exit(0)
    print(pid, flush=True)
    _, status = os.waitpid(pid, 0)
    print("ended", status, flush=True)
""".replace("SESSIONS", str(SESSIONS))


class Nursery:
    """Starts writers that can be killed at once, without an import each."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )

    def start(self, target: Path, version: int, rounds: int) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{target} {version} {rounds}\n")
        self.process.stdin.flush()
        return int(self._line())

    def wait(self) -> bool:
        """Return whether the writer was killed."""
        return self._line() != "ended 0"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.process.communicate()


def version_of(folder: Path) -> float | None:
    """Return the one version a set holds, None if it does not open; fail on any mixture."""
    try:
        dataset = DataSet.open(folder)
    except DataError:
        return None
    found = {float(x) for x in dataset.channel_stats()["mean"]}
    found |= {float(label[1:]) for label in dataset.labels()["label"]}
    sessions = dataset.sessions()["session_id"]
    assert len(sessions) == SESSIONS
    for session in sessions:
        signals = dataset.read(session)
        assert [s.values.shape for s in signals] == [(200, 1)] * 2
        found |= {float(x) for s in signals for x in np.unique(s.values)}
    assert len(found) == 1
    return found.pop()


@pytest.mark.slow
def test_conversion_killed_at_random_never_opens_as_complete(
    tmp_path: Path, nursery: Nursery
) -> None:
    """After each of 52 kills every folder left is refused or whole; the name never goes back."""
    rng = np.random.default_rng(7)
    started = time.perf_counter()
    nursery.start(tmp_path / "timed", 0, 4)
    nursery.wait()
    one_s = (time.perf_counter() - started) / 4
    opened = refused = 0
    for kill in range(KILLS):
        target = tmp_path / f"set{kill // 10}"
        before = version_of(target)
        child = nursery.start(target, 1000 * kill, 1000)
        time.sleep(float(rng.uniform(0, 2.0 * one_s)))
        os.kill(child, signal.SIGKILL)
        assert nursery.wait()
        after = version_of(target)
        assert before is None or (after is not None and after >= before)
        left = [version_of(p) for p in tmp_path.glob(".*.partial")]
        opened += after is not None
        refused += (after is None) + left.count(None)
        workspace.sweep(tmp_path, older_than_s=-1)
    assert opened
    assert refused


def test_readers_during_a_rewrite_see_the_old_or_the_new(tmp_path: Path, nursery: Nursery) -> None:
    """A set rewritten 40 times opens each time, whole; one replaced while read says so."""
    nursery.start(tmp_path / "set", 0, 1)
    nursery.wait()
    writer = nursery.start(tmp_path / "set", 1, 40)
    seen: list[float] = []
    replaced = 0
    while not seen or seen[-1] < 40:
        assert (tmp_path / "set" / "manifest.json").exists()
        DataSet.open(tmp_path / "set")
        try:
            version = version_of(tmp_path / "set")
        except DataError as error:
            assert "was replaced" in str(error)  # noqa: PT017 - most passes raise nothing
            replaced += 1
            continue
        assert version is not None
        seen.append(version)
    assert not nursery.wait(), f"writer {writer} was killed"
    assert seen == sorted(seen)
    assert replaced + len(set(seen)) > 5


def test_dataset_replaced_while_open_is_refused(
    tmp_path: Path, new_writer: Callable[..., DataSetWriter], fill: Any
) -> None:
    """A set that was replaced after opening gives an error on the next read, not the new data."""
    for replace in (False, True):
        with new_writer(tmp_path / "set", replace=replace) as writer:
            fill(writer)
        if not replace:
            dataset = DataSet.open(tmp_path / "set")
    with pytest.raises(DataError, match="was replaced or removed"):
        dataset.read("a")
    with pytest.raises(DataError, match="Open it again"):
        dataset.labels()
    assert len(DataSet.open(tmp_path / "set").read("a")) == 2


def test_atomic_folder_replaces_where_names_cannot_be_exchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an exchange of names the folder is still replaced as a whole, with nothing left."""
    monkeypatch.setattr(workspace, "_exchange", lambda _one, _other: False)
    for name in ("a", "b"):
        with workspace.atomic_folder(tmp_path / "set") as partial:
            (partial / name).touch()
    assert [p.name for p in (tmp_path / "set").iterdir()] == ["b"]
    assert [p.name for p in tmp_path.iterdir()] == ["set"]


def read_all(path: Path) -> list[Any]:
    """Return everything a set says, as plain values that compare."""
    dataset = DataSet.open(path)
    tables = [dataset.sessions(), dataset.labels(), dataset.channel_stats()]
    signals = [s for i in ("a", "b", "c") for s in dataset.read(i)]
    return [repr(t.to_dict("records")) for t in tables] + [
        (s.time_s.tobytes(), s.values.tobytes(), s.units) for s in signals
    ]


@pytest.mark.parametrize(
    "name", ["sessions.parquet", "labels.parquet", "sessions/b/motion.parquet"]
)
def test_dataset_flipped_bits_are_named_or_harmless(tiny: DataSet, name: str) -> None:
    """A single flipped bit anywhere gives a DataError naming the file, or changes nothing."""
    path, rng = tiny.path / name, np.random.default_rng(3)
    good, expected = path.read_bytes(), read_all(tiny.path)
    refused = 0
    for place in rng.integers(0, len(good), 150):
        flipped = bytearray(good)
        flipped[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        try:
            assert read_all(tiny.path) == expected
        except DataError as error:
            assert path.name in str(error)  # noqa: PT017 - a flip may also be harmless
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1PAR1", b"PK\x03\x04" * 9, b"\xff" * 64])
@pytest.mark.parametrize("name", ["sessions.parquet", "sessions/a/motion.parquet"])
def test_dataset_foreign_bytes_are_named(tiny: DataSet, name: str, content: bytes) -> None:
    """A file that is not Parquet at all is refused by name."""
    (tiny.path / name).write_bytes(content)
    with pytest.raises(DataError, match=Path(name).name):
        read_all(tiny.path)


def test_parquet_files_without_our_checksum_still_open(tiny: DataSet) -> None:
    """In a set of an earlier version, a file another program wrote is read as it is."""
    (tiny.path / "files.json").unlink()
    path = tiny.path / "sessions" / "a" / "motion.parquet"
    expected = tiny.read("a", ["motion"])[0].values
    pd.read_parquet(path).to_parquet(path)
    assert np.array_equal(DataSet.open(tiny.path).read("a", ["motion"])[0].values, expected)
