"""A file that is not what the set was written with is never read for it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.parquet import open_writer
from tool_use_om.data.format.writer import DataSetWriter

SIGNAL = "sessions/a/motion.parquet"
FLIPS = 100  # of each file: 6 files


@pytest.fixture(params=["files", "parts"])
def held(
    request: Any, tmp_path: Path, new_writer: Callable[..., DataSetWriter], fill: Any
) -> DataSet:
    """Return the small set, as a file a session and as parts."""
    with new_writer(tmp_path / "tiny", parts_from=500 if request.param == "files" else 1) as writer:
        fill(writer)
    return DataSet.open(tmp_path / "tiny")


def scale(path: Path, by: float = 2.0) -> None:
    """Multiply all numbers of a Parquet file, written as ours are."""
    import pyarrow as pa

    frame = pd.read_parquet(path)
    columns = frame.select_dtypes("number").columns.difference(["time_s"])
    frame[columns] = (frame[columns] * by).astype(frame[columns].dtypes)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with open_writer(path, table.schema, use="signals") as file:
        file.write_table(table)


def everything(path: Path) -> list[Any]:
    """Return all a set says, as values that compare."""
    found = DataSet.open(path)
    tables = [found.sessions(), found.labels(), found.channel_stats(), found.pooled_stats()]
    told = [repr(t.to_dict("records")) for t in tables] + [found.manifest.to_json()]
    signals = [s for i in found.sessions()["session_id"] for s in found.read(i)]
    return told + [(s.time_s.tobytes(), s.values.tobytes(), s.units) for s in signals]


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_every_file_answers_come_from_is_promised(held: DataSet) -> None:
    """Parquet files and the manifest, each with size, footer and content."""
    listed = json.loads((held.path / "files.json").read_text())
    assert sorted([*listed, "files.json"]) == names(held.path)


def test_scaled_signals_are_refused_by_name(held: DataSet) -> None:
    """The hash of the content is the same, the numbers are not: the first read stops."""
    for path in held.path.rglob("*motion*.parquet"):
        scale(path)
    again = DataSet.open(held.path)
    assert again.content_hash == held.content_hash
    with pytest.raises(DataError, match=r"motion.*is not as it was written"):
        again.read("a", ["motion"])
    with pytest.raises(DataError, match="is not as it was written"):
        list(again.stream(["motion"]))
    assert again.read("a", ["heart"])


def test_signals_changed_between_two_reads_are_refused(held: DataSet) -> None:
    """Also where nothing was promised: what was read first holds."""
    (held.path / "files.json").unlink()
    again = DataSet.open(held.path)
    again.read("a", ["motion"])
    for path in held.path.rglob("*motion*.parquet"):
        scale(path)
    with pytest.raises(DataError, match="has changed since it was first read"):
        again.read("a", ["motion"])


@pytest.mark.parametrize("name", ["sessions.parquet", "labels.parquet", "pooled.parquet"])
def test_a_changed_index_is_refused_by_name(held: DataSet, name: str) -> None:
    """What is told of the signals is promised as they are."""
    scale(held.path / name)
    with pytest.raises(DataError, match=name):
        everything(held.path)


def test_an_edited_manifest_is_refused_and_says_how_to_mean_it(tiny: DataSet) -> None:
    """A rate changed by hand would change every second; without the promise it is taken."""
    path = tiny.path / "manifest.json"
    path.write_text(path.read_text().replace('"rate_hz": 10.0', '"rate_hz": 20.0'))
    with pytest.raises(DataError, match=r"manifest.json is not as it was written.*files.json"):
        DataSet.open(tiny.path)
    (tiny.path / "files.json").unlink()
    assert DataSet.open(tiny.path).manifest.modalities[0].rate_hz == 20


def test_a_copied_set_is_the_same_set(tiny: DataSet, tmp_path: Path) -> None:
    """Other times, the same content: read without a word."""
    shutil.copytree(tiny.path, tmp_path / "copy", copy_function=shutil.copyfile)
    assert everything(tmp_path / "copy") == everything(tiny.path)
    DataSet.open(tmp_path / "copy").verify()


def test_verify_finds_what_a_cheap_look_does_not(tiny: DataSet) -> None:
    """One byte in a page, the size, time and footer as before."""
    path = tiny.path / SIGNAL
    stat, content = path.stat(), bytearray(path.read_bytes())
    content[60] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(DataError, match=r"motion.parquet is not as it was written"):
        DataSet.open(tiny.path).verify()
    path.unlink()
    with pytest.raises(DataError, match="is missing"):
        DataSet.open(tiny.path).verify()


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"manifest.json": 3}', '{"a": [1, 2, 3]}', "\x00"]
)
def test_a_damaged_promise_is_refused_by_name(tiny: DataSet, text: str) -> None:
    """It is no way round it."""
    (tiny.path / "files.json").write_text(text)
    with pytest.raises(DataError, match=r"files.json"):
        DataSet.open(tiny.path)


def test_flipped_bits_of_any_file_are_refused_or_harmless(held: DataSet) -> None:
    """Of every file of a set, the manifest and the promise too: never another value."""
    expected, rng, tried = everything(held.path), np.random.default_rng(11), 0
    for name in names(held.path):
        path = held.path / name
        good = path.read_bytes()
        for place in rng.integers(0, len(good), FLIPS):
            flipped = bytearray(good)
            flipped[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(flipped)
            tried += 1
            try:
                assert everything(held.path) == expected, f"{name}, byte {place}"
            except DataError as error:
                assert held.path.name in str(error)  # noqa: PT017 - a flip may also be harmless
        path.write_bytes(good)
    assert tried >= 600
