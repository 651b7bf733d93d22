"""`tuom bench data`: how the data layer's cost grows with the number of sessions."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tool_use_om.data.dataset import DataSet
from tool_use_om.data.index import IndexWriter
from tool_use_om.data.parquet import open_parquet, write_table
from tool_use_om.data.schema import Channel, Manifest, Modality
from tool_use_om.data.stats import column_stats, pool_stats
from tool_use_om.data.workspace import atomic_folder
from tool_use_om.data.writer import LABELS_SCHEMA, DataSetWriter

RATE_HZ = 50.0
READS = 200  # sessions streamed for the throughput rows
PEERS = ("pandas", "polars", "duckdb")
_ACCELEROMETER = tuple(Channel(name=c, unit="m/s^2") for c in "xyz")
_GYROSCOPE = tuple(Channel(name=c, unit="deg/s") for c in "xyz")
MODALITIES = (
    Modality(name="accelerometer", rate_hz=RATE_HZ, channels=_ACCELEROMETER),
    Modality(name="gyroscope", rate_hz=RATE_HZ, channels=_GYROSCOPE),
)


def build(target: Path, n_sessions: int, session_s: float) -> None:
    """Write a synthetic set: noise from a fixed seed, 6 channels, 50 Hz, one label a session."""
    rng = np.random.default_rng(0)
    time_s = np.arange(round(session_s * RATE_HZ)) / RATE_HZ
    noise = rng.normal(0, 1, (time_s.size + 4096, 3)).astype(np.float32)
    with DataSetWriter(
        target, name="bench", title="", licence="", source="", synthetic=True,
        modalities=MODALITIES, split_rule="by subject", debug=False,
    ) as writer:  # fmt: skip
        for i in range(n_sessions):
            start = int(rng.integers(4096))
            values = noise[start : start + time_s.size] + np.float32(i % 97)
            split = ("train", "train", "train", "calibration", "test")[i % 5]
            writer.add_session(
                f"s{i:06d}", subject_id=f"p{i:06d}", split=split,  # type: ignore[arg-type]  # one of the three
                signals={"accelerometer": (time_s, values), "gyroscope": (time_s, values)},
                labels=[(0.0, session_s / 2, ("walk", "run")[i % 2], "activity")],
            )  # fmt: skip


def build_index(target: Path, n_sessions: int) -> None:
    """Write the index of a large set and none of its signals, to measure the index alone."""
    rng = np.random.default_rng(0)
    ids = [c for m in MODALITIES for c in m.channel_ids]
    template, sketch = column_stats(rng.normal(size=(500, len(ids))))
    codes = np.arange(len(ids))
    names = ("walk", "run")
    with atomic_folder(target) as folder:
        index = IndexWriter(folder, ids)
        index.forget_sketches()
        for i in range(n_sessions):
            shift = float(rng.normal())
            moments = template + shift * np.array([0, 0, 1, 1, 1, 0])
            facts = {"session_id": f"s{i:06d}", "subject_id": f"p{i:06d}", "start_utc": None}
            index.add(
                facts | {"duration_s": 10.0, "split": "train"}, codes, moments, sketch + shift
            )
        index.finish()
        rows = [(f"s{i:06d}", 0.0, 5.0, names[i % 2], "activity") for i in range(n_sessions)]
        columns = [
            pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), LABELS_SCHEMA, strict=True)
        ]
        write_table(pa.table(columns, schema=LABELS_SCHEMA), folder / "labels.parquet")
        manifest = Manifest(
            format_version=1, name="bench", title="", synthetic=True, licence="", source="",
            modalities=MODALITIES, label_sets={"activity": names}, split_rule="",
            splits={"train": n_sessions, "calibration": 0, "test": 0}, n_sessions=n_sessions,
            n_subjects=n_sessions, duration_s=10.0 * n_sessions, content_hash="0" * 64,
        )  # fmt: skip
        (folder / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")


def measure_index(n_sessions: int, folder: Path) -> dict[str, Any]:
    """Build the index of a set alone and measure what needs no signal."""
    target = folder / f"index-{n_sessions}"
    row = {"sessions": n_sessions} | _child("build-index", target, n_sessions, 10.0)
    return row | _child("index", target, n_sessions, 10.0)


def measure(n_sessions: int, session_s: float, folder: Path) -> dict[str, Any]:
    """Build a set of one size, measure it, remove it; each stage in a process of its own."""
    target = folder / f"bench-{n_sessions}"
    row: dict[str, Any] = {"sessions": n_sessions}
    row |= _child("build", target, n_sessions, session_s)
    row |= _child("read", target, n_sessions, session_s)
    return row


def _child(stage: str, target: Path, n_sessions: int, session_s: float) -> dict[str, Any]:
    """Run one stage in a fresh process, so that its peak of memory is its own."""
    code = "from tool_use_om.evals.data_bench import stage; stage()"
    asked = [stage, str(target), str(n_sessions), str(session_s)]
    done = subprocess.run(  # noqa: S603 - this interpreter, arguments of our own
        [sys.executable, "-c", code, *asked], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def stage() -> None:
    """Run one stage in this process and print what was measured as JSON."""
    name, target, n_sessions, session_s = sys.argv[1:]
    started = time.perf_counter()
    if name == "index":
        found = _index(DataSet.open(Path(target)))
    elif name == "build-index":
        build_index(Path(target), int(n_sessions))
        found = {"index_s": time.perf_counter() - started}
    elif name == "build":
        build(Path(target), int(n_sessions), float(session_s))
        seconds = time.perf_counter() - started
        files = [p for p in Path(target).rglob("*") if p.is_file()]
        size = sum(p.stat().st_size for p in files)
        found = {"mb": size / 1e6, "files": len(files), "convert_s": seconds}
        found |= {"convert_mb_s": _raw_mb(int(n_sessions), float(session_s)) / seconds}
    else:
        found = _reading(Path(target), float(session_s))
    print(json.dumps(found | {f"{name}_peak_mb": _peak_mb()}))


def _reading(path: Path, session_s: float) -> dict[str, Any]:
    opened = DataSet.open(path)
    found = _index(opened)
    table = opened.sessions()
    ids = table["session_id"].tolist()
    chosen = [ids[i] for i in np.linspace(0, len(ids) - 1, min(READS, len(ids))).astype(int)]
    opened.read(chosen[0])
    read_before = _bytes_read()
    _, ms = _timed(lambda: _each(opened, chosen))
    full_bytes = _bytes_read() - read_before
    span = session_s / 2, session_s / 2 + min(5.0, session_s / 4)
    read_before = _bytes_read()
    _, range_ms = _timed(lambda: _each(opened, chosen, ["accelerometer.x"], *span))
    range_bytes = _bytes_read() - read_before
    return found | {
        "read_session_ms": ms / len(chosen),
        "read_range_ms": range_ms / len(chosen),
        "read_session_kb": full_bytes / 1e3 / len(chosen),
        "read_range_kb": range_bytes / 1e3 / len(chosen),
        "stream_mb_s": _raw_mb(len(chosen), session_s) / (ms / 1e3),
        "stream_peak_mb": _peak_mb(),
        **peers(opened, chosen, session_s),
    }


def _index(opened: DataSet) -> dict[str, float]:
    """Measure what the index answers, each for the first time in this process but the import."""
    import pandas as pd

    pool_stats(pd.DataFrame({"channel": [], "session_id": []}))
    _, open_ms = _timed(lambda: DataSet.open(opened.path))
    _, sessions_ms = _timed(opened.sessions)
    one, one_ms = _timed(lambda: opened.channel_stats(["accelerometer.x"]))
    _, pool_ms = _timed(lambda: pool_stats(one))
    every, all_ms = _timed(opened.channel_stats)
    _, pool_all_ms = _timed(lambda: pool_stats(every))
    _, again_ms = _timed(opened.channel_stats)
    return {
        "open_ms": open_ms,
        "sessions_ms": sessions_ms,
        "one_channel_ms": one_ms,
        "pool_one_ms": pool_ms,
        "all_channels_ms": all_ms,
        "pool_all_ms": pool_all_ms,
        "all_again_ms": again_ms,
    }


def peers(dataset: DataSet, chosen: Sequence[str], session_s: float) -> dict[str, float | None]:
    """Measure the same files read whole, session by session, by other tools: MB/s of samples.

    In a file a session all read the same files. In parts the others read whole parts (up to
    eight), and we the chosen sessions one by one: rates of different work, which the page says.
    """
    mega = _raw_mb(len(chosen), session_s) / 2
    _, ms = _timed(lambda: _each(dataset, chosen, ["accelerometer"]))
    found: dict[str, float | None] = {"ours_mb_s": mega / (ms / 1e3)}
    paths = _files(dataset, chosen)
    size = sum(_rows(p) for p in paths) * 20 / 1e6  # float64 time + 3 float32
    for name in PEERS:
        read = _peer(name)
        if read is None:
            found[f"{name}_mb_s"] = None
            continue
        read(paths[0])
        _, ms = _timed(lambda read=read: _all(read, paths))  # type: ignore[misc]  # bound now
        found[f"{name}_mb_s"] = size / (ms / 1e3)
    _, ms = _timed(lambda: _all(_whole, paths))
    return found | {"pyarrow_mb_s": size / (ms / 1e3)}


def _files(dataset: DataSet, chosen: Sequence[str]) -> list[Path]:
    parts = sorted((dataset.path / "parts").glob("accelerometer-*.parquet"))[:8]
    return parts or [dataset.path / "sessions" / s / "accelerometer.parquet" for s in chosen]


def _peer(name: str) -> Callable[[Path], Any] | None:
    """Return a function that reads one Parquet file whole, or None if `name` is not installed."""
    if find_spec(name) is None:
        return None
    if name == "pandas":
        import pandas as pd

        return pd.read_parquet
    if name == "polars":
        import polars as pl

        return pl.read_parquet
    import duckdb

    return lambda path: duckdb.read_parquet(str(path)).fetchnumpy()


def _whole(path: Path) -> Any:  # noqa: ANN401 - a pyarrow table
    with open_parquet(path) as file:
        return file.read(use_threads=False)


def _rows(path: Path) -> int:
    with open_parquet(path) as file:
        return int(file.metadata.num_rows)


def _each(dataset: DataSet, session_ids: Sequence[str], *asked: Any) -> None:  # noqa: ANN401 - as `DataSet.read`
    """Read session after session, keeping none."""
    for session_id in session_ids:
        dataset.read(session_id, *asked)


def _all(read: Callable[[Path], Any], paths: Sequence[Path]) -> None:
    for path in paths:
        read(path)


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = call()
    return result, 1e3 * (time.perf_counter() - started)


def _raw_mb(n_sessions: int, session_s: float) -> float:
    """Return the size of samples in memory: two modalities, float64 time and 3 float32 each."""
    return n_sessions * round(session_s * RATE_HZ) * 2 * 20 / 1e6


def _bytes_read() -> int:
    """Return the bytes this process has asked the system for so far (Linux), else 0."""
    facts = Path("/proc/self/io")
    lines = facts.read_text().splitlines() if facts.exists() else []
    return next((int(x.split()[1]) for x in lines if x.startswith("rchar")), 0)


def _peak_mb() -> float:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def run(
    sizes: Sequence[int],
    session_s: float,
    folder: Path | None = None,
    *,
    index_only: Sequence[int] = (),
) -> Iterator[dict[str, Any]]:
    """Yield one row a size; what was built is removed before the next."""
    for n_sessions in sizes:
        with tempfile.TemporaryDirectory(dir=folder, prefix="tuom-bench-") as scratch:
            yield measure(n_sessions, session_s, Path(scratch))
    for n_sessions in index_only:
        with tempfile.TemporaryDirectory(dir=folder, prefix="tuom-bench-") as scratch:
            yield measure_index(n_sessions, Path(scratch))


def render(rows: Sequence[dict[str, Any]], session_s: float, command: str) -> str:
    """Return the page: tables, the command beside them, and the machine."""
    machine = f"{platform.machine()}, {_processor()}, {platform.system()}, Python "
    groups = {
        "Writing": ("mb", "files", "convert_s", "convert_mb_s", "build_peak_mb"),
        "Index": (
            "open_ms", "sessions_ms", "one_channel_ms", "pool_one_ms", "all_channels_ms",
            "pool_all_ms", "all_again_ms",
        ),
        "Reading a session": (
            "read_session_ms", "read_session_kb", "read_range_ms", "read_range_kb", "stream_mb_s",
            "stream_peak_mb",
        ),
        "The same files by others": (
            "ours_mb_s", "pyarrow_mb_s", *(f"{p}_mb_s" for p in PEERS),
        ),
    }  # fmt: skip
    parts = [
        f"`{command}`\n\n{machine}{platform.python_version()}. Sessions of {session_s:g} s, "
        "6 channels at 50 Hz; files in the system's cache; each stage in a process of its own."
    ]
    for title, columns in groups.items():
        head = ["sessions", *columns]
        lines = ["| " + " | ".join(head) + " |", "|" + "---:|" * len(head)]
        held = [r for r in rows if columns[0] in r]
        lines += ["| " + " | ".join(_cell(r.get(c)) for c in head) + " |" for r in held]
        parts.append(f"### {title}\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _cell(value: Any) -> str:  # noqa: ANN401 - a JSON scalar
    if value is None:
        return "not installed"
    return (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:,.3g}"
        if value < 1000
        else f"{value:,.0f}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "?")
