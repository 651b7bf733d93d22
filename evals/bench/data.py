"""`tuom bench data`: how the data layer's cost grows with the number of sessions."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.index_writer import IndexWriter
from tool_use_om.data.format.parquet import write_table
from tool_use_om.data.format.schema import Channel, Manifest, Modality
from tool_use_om.data.format.stats import column_stats
from tool_use_om.data.format.writer import LABELS_SCHEMA, DataSetWriter
from tool_use_om.data.show.markdown import table
from tool_use_om.data.values import Json, Untyped
from tool_use_om.data.workspace import atomic_folder
from tool_use_om.evals.bench.data_peers import READERS, reader

READS = 200  # single sessions read, spread over the set
IN_TURN = 5000  # sessions read one after the other at most
REPEATS = 3  # of each short timing; the least counts
CALLS = 5  # fresh processes that ask the index; the least counts
NAME = "bench"
Row = dict[str, Any]


def measure_index(n_sessions: int, folder: Path) -> Row:
    """Build the index of a set alone and measure what needs no signal, agent's tools included."""
    row = _child("build-index", folder, n_sessions, 10.0)
    row |= _least([_child("index", folder, n_sessions, 10.0) for _ in range(CALLS)])
    return row | _least([_child("tools", folder, n_sessions, 10.0) for _ in range(CALLS)])


def measure(n_sessions: int, session_s: float, folder: Path) -> Row:
    """Build a set of one size and measure it; each stage in a process of its own."""
    row = _child("build", folder, n_sessions, session_s)
    row |= _least([_child("index", folder, n_sessions, session_s) for _ in range(CALLS)])
    row |= _child("read", folder, n_sessions, session_s)
    for name in READERS:
        row |= _child(name, folder, n_sessions, session_s)
    return row


def _least(rows: Sequence[Row]) -> Row:
    return {key: min(row[key] for row in rows) for key in rows[0]}


def _child(stage: str, folder: Path, n_sessions: int, session_s: float) -> Row:
    """Run one stage in a fresh process of one thread, so that its peak of memory is its own."""
    code = "from tool_use_om.evals.bench.data import stage; stage()"
    asked = [stage, str(folder), str(n_sessions), str(session_s)]
    single = dict.fromkeys(("OMP_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    done = subprocess.run(  # noqa: S603 - this interpreter, arguments of our own
        [sys.executable, "-c", code, *asked],
        check=True, capture_output=True, text=True, env=os.environ | single,
    )  # fmt: skip
    found: Row = json.loads(done.stdout.splitlines()[-1])
    return found


def stage() -> None:
    """Run one stage in this process, on one core, and print what was measured as JSON."""
    name, folder, n_sessions, session_s = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    target = Path(folder) / "datasets" / NAME
    stages: dict[str, Callable[[], Row]] = {
        "build": lambda: _build(target, int(n_sessions), float(session_s)),
        "build-index": lambda: _build_index(target, int(n_sessions)),
        "index": lambda: _index(target),
        "tools": lambda: _tools(Path(folder)),
        "read": lambda: _reading(target, float(session_s)),
    }
    found = stages[name]() if name in stages else _peer(name, target)
    print(json.dumps(found | {f"{name}_peak_mb": _peak_mb()}))


def _build(target: Path, n_sessions: int, session_s: float) -> Row:
    _, ms, cpu_ms = _timed(lambda: build(target, n_sessions, session_s))
    files = [p for p in target.rglob("*") if p.is_file()]
    return {
        "samples_mb": raw_mb(n_sessions, session_s),
        "disk_mb": sum(p.stat().st_size for p in files) / 1e6,
        "files": len(files),
        "convert_s": ms / 1e3,
        "convert_cpu_s": cpu_ms / 1e3,
        "cpu_ms_session": cpu_ms / n_sessions,
        "mb_cpu_s": raw_mb(n_sessions, session_s) / (cpu_ms / 1e3),
    }


def _build_index(target: Path, n_sessions: int) -> Row:
    _, ms, _ = _timed(lambda: build_index(target, n_sessions))
    return {"index_s": ms / 1e3}


def _index(target: Path) -> Row:
    """Measure what the index answers, each for the first time in this process but the import."""
    row: Row = {}

    def first(name: str, call: Callable[[], Any]) -> Untyped:
        found, row[f"{name}_ms"], row[f"{name}_cpu_ms"] = _timed(call)
        return found

    opened = first("open", lambda: DataSet.open(target))
    first("pooled", opened.pooled_stats)
    first("by_label", lambda: opened.pooled_stats(by="label"))
    first("sessions", opened.sessions)
    first("one_channel", lambda: opened.channel_stats(["accelerometer.x"]))
    first("all_channels", opened.channel_stats)
    return row


def _tools(folder: Path) -> Row:
    """Measure what the agent's tools say of the whole set and of parts of it."""
    import tool_use_om.tools.look.figures  # noqa: F401 - imports are not timed
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.tools.call import arguments as a
    from tool_use_om.tools.call.context import ToolContext
    from tool_use_om.tools.call.working_set import WorkingSet
    from tool_use_om.tools.look.tools import show_channel_stats, show_session_stats

    ctx, row = ToolContext(workspace=Workspace.at(folder)), {}
    whole = WorkingSet(dataset=NAME)
    few = a.ShowSessionStats(min_duration_s=12.0)

    def stats(name: str, ws: WorkingSet, **asked: Json) -> None:
        args = a.ShowChannelStats(**asked)
        _, row[f"{name}_ms"], row[f"{name}_cpu_ms"] = _timed(
            lambda: show_channel_stats(ctx, ws, args)
        )

    stats("channels", whole, statistic="std")
    stats("channels_by_label", whole, statistic="std", by="label")
    _, row["session_stats_ms"], row["session_stats_cpu_ms"] = _timed(
        lambda: show_session_stats(ctx, whole, a.ShowSessionStats())
    )
    _, row["sessions_filtered_ms"], row["sessions_filtered_cpu_ms"] = _timed(
        lambda: show_session_stats(ctx, whole, few)
    )
    part = whole.but(min_duration_s=12.0)
    stats("channel_filtered", part, statistic="std", channels=["accelerometer.x"])
    stats("channels_filtered", part, statistic="std")
    stats("channel_by_subject", whole, statistic="std", channels=["gyroscope.x"], by="subject")
    return row


def _reading(target: Path, session_s: float) -> Row:
    opened = DataSet.open(target)
    ids = opened.sessions()["session_id"].tolist()
    chosen = [ids[i] for i in np.linspace(0, len(ids) - 1, min(READS, len(ids))).astype(int)]
    span = session_s / 2, session_s / 2 + min(5.0, session_s / 4)
    row: Row = {}
    for name, asked in {"session": (), "range": (["accelerometer.x"], *span)}.items():
        opened = DataSet.open(target)
        opened.read(ids[-1])  # the index, so that only signals are timed
        before = _bytes_read()
        _, ms, cpu_ms = _timed(partial(_each, opened, chosen, *asked))
        row[f"read_{name}_ms"], row[f"read_{name}_cpu_ms"] = ms / len(chosen), cpu_ms / len(chosen)
        row[f"read_{name}_kb"] = (_bytes_read() - before) / 1e3 / len(chosen)
    in_turn = ids[:IN_TURN]
    before = _bytes_read()
    _, ms, cpu_ms = _timed(lambda: _each(opened, in_turn))
    mega = raw_mb(len(in_turn), session_s)
    return row | {
        "in_turn_mb_s": mega / (ms / 1e3),
        "in_turn_mb_cpu_s": mega / (cpu_ms / 1e3),
        "in_turn_kb_session": (_bytes_read() - before) / 1e3 / len(in_turn),
    }


def _peer(name: str, target: Path) -> Row:
    found = reader(name, DataSet.open(target))
    if found is None:
        return {f"{name}_mb_s": None, f"{name}_mb_cpu_s": None}
    read, rows = found
    read()
    timed = [_timed(read) for _ in range(REPEATS)]
    mega = rows * 20 / 1e6  # float64 time + 3 float32
    return {
        f"{name}_mb_s": mega / (min(t[1] for t in timed) / 1e3),
        f"{name}_mb_cpu_s": mega / (min(t[2] for t in timed) / 1e3),
    }


def _each(dataset: DataSet, session_ids: Sequence[str], *asked: Untyped) -> None:
    """Read session after session, keeping none."""
    for session_id in session_ids:
        dataset.read(session_id, *asked)


def _timed(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what `call` gives, the milliseconds that passed and those of this process's CPU."""
    started, cpu = time.perf_counter(), time.process_time()
    result = call()
    passed, used = time.perf_counter() - started, time.process_time() - cpu
    return result, 1e3 * passed, 1e3 * used


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
    done: Sequence[Mapping[str, Any]] = (),
) -> Iterator[Row]:
    """Yield one row a size; what was built is removed before the next.

    Rows in `done` (of an earlier run) are given again and not measured.
    """
    asked = [(n, session_s, False) for n in sizes] + [(n, 10.0, True) for n in index_only]
    for n_sessions, seconds, index in asked:
        key = {"sessions": n_sessions, "seconds": seconds, "index_only": index}
        held = next((r for r in done if key.items() <= r.items()), None)
        if held is not None:
            yield dict(held)
            continue
        with tempfile.TemporaryDirectory(dir=folder, prefix="tuom-bench-") as scratch:
            path = Path(scratch)
            found = measure_index(n_sessions, path) if index else measure(n_sessions, seconds, path)
        yield key | found


def machine() -> str:
    """Return the machine in words."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (x.partition(":")[2].strip() for x in lines if x.startswith("model name"))
    made = next(names, "?")
    return f"{platform.machine()}, {made}, {platform.system()}, Python {platform.python_version()}"


_SET = ("samples_mb", "disk_mb", "files")


TABLES: dict[str, tuple[str, ...]] = {
    "Writing": (*_SET, "convert_s", "convert_cpu_s", "cpu_ms_session", "mb_cpu_s"),
    "Index": tuple(
        f"{name}_{unit}"
        for name in ("open", "pooled", "by_label", "sessions", "one_channel", "all_channels")
        for unit in ("ms", "cpu_ms")
    ),
    "Tools": tuple(
        f"{name}_{unit}"
        for name in (
            "session_stats", "channels", "channels_by_label", "sessions_filtered",
            "channel_filtered", "channels_filtered", "channel_by_subject",
        )
        for unit in ("ms", "cpu_ms")
    ),
    "Reading": (
        "read_session_ms", "read_session_cpu_ms", "read_session_kb", "read_range_ms",
        "read_range_cpu_ms", "read_range_kb", "in_turn_mb_s", "in_turn_mb_cpu_s",
        "in_turn_kb_session",
    ),
    "The same files by others": tuple(f"{r}_{u}" for u in ("mb_cpu_s", "mb_s") for r in READERS),
    "Peak memory, MB": tuple(
        f"{s}_peak_mb" for s in ("build", "build-index", "index", "tools", "read", *READERS)
    ),
}  # fmt: skip


def render(rows: Sequence[Mapping[str, Any]], command: str, machine: str) -> str:
    """Return the page: tables, the command beside them, and the machine."""
    parts = [
        f"`{command}`\n\n{machine}. 6 channels at 50 Hz; files in the system's cache; each stage "
        "in a process of its own, on one core."
    ]
    for title, columns in TABLES.items():
        held = [r for r in rows if any(c in r for c in columns)]
        if held:
            shown = [c for c in columns if any(c in r for r in held)]
            parts.append(f"### {title}\n\n{_table(held, shown)}")
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    head = ["sessions", "seconds", *columns]
    shown = []
    for row in rows:
        seconds = "index only" if row.get("index_only") else _cell(row.get("seconds"))
        cells = [_cell(row.get("sessions")), seconds]
        cells += [_cell(row[c]) if c in row else "" for c in columns]
        shown.append(cells)
    return table(head, shown, "r")


def _cell(value: Json) -> str:
    if value is None:
        return "not installed"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"


RATE_HZ = 50.0
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
    signals = [(slice(0, len(ids)), np.arange(25.0), rng.normal(size=(25, len(ids))))]
    names = ("walk", "run")
    with atomic_folder(target) as folder:
        index = IndexWriter(folder, ids)
        index.forget_sketches()
        for i in range(n_sessions):
            shift = float(rng.normal())
            index.pools.add_labels([(0.0, 5.0, names[i % 2], "activity")], signals)
            moments = template + shift * np.array([0, 0, 1, 1, 1, 0])
            facts = {"session_id": f"s{i:06d}", "subject_id": f"p{i:06d}", "start_utc": None}
            index.add(
                facts | {"duration_s": 10.0 + i % 10, "split": ("train", "test")[i % 2]},
                codes, moments, sketch + shift,
            )  # fmt: skip
        index.finish()
        rows = [(f"s{i:06d}", 0.0, 5.0, names[i % 2], "activity") for i in range(n_sessions)]
        columns = [
            pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), LABELS_SCHEMA, strict=True)
        ]
        write_table(pa.table(columns, schema=LABELS_SCHEMA), folder / "labels.parquet")
        manifest = Manifest(
            format_version=1, name="bench", title="", synthetic=True, licence="", source="",
            modalities=MODALITIES, label_sets={"activity": names}, split_rule="",
            splits={"train": -(-n_sessions // 2), "calibration": 0, "test": n_sessions // 2},
            n_sessions=n_sessions, n_subjects=n_sessions,
            duration_s=sum(10.0 + i % 10 for i in range(n_sessions)), content_hash="0" * 64,
        )  # fmt: skip
        (folder / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")


def raw_mb(n_sessions: int, session_s: float) -> float:
    """Return the size of samples in memory: two modalities, float64 time and 3 float32 each."""
    return n_sessions * round(session_s * RATE_HZ) * 2 * 20 / 1e6
