"""NAB: the Numenta Anomaly Benchmark, single metrics with labelled anomaly windows.

16 of the 58 original files, with their entries of both label files, were at hand.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tool_use_om.data.converters.shared.csv_columns import (
    files_like,
    median_step,
    moment,
    read_columns,
    unix_seconds,
)
from tool_use_om.data.converters.shared.recordings import split_recordings
from tool_use_om.data.converters.table.columns import slug
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.session_rules import Interval
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

# how a file's name reads → modality, unit (a.u. where the source names none)
KINDS: tuple[tuple[str, str, str], ...] = (
    ("cpu_utilization", "cpu", "%"),
    ("disk_write_bytes", "disk", "B"),
    ("network_?in", "network", "B"),
    ("request_count", "requests", "count"),
    ("nyc_taxi", "taxi", "count"),
    ("twitter_volume", "tweets", "count"),
    ("occupancy", "occupancy", "a.u."),
    ("temperature", "temperature", "a.u."),
    ("rogue_agent", "keys", "a.u."),
    ("^art_", "artificial", "a.u."),
    ("_cp[cm]_", "advertising", "a.u."),
    ("", "metric", "a.u."),
)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One file: its key in the label files, what it measures, and what its clock does."""

    path: Path
    key: str
    kind: str
    unit: str
    step_s: float
    repeats: int
    jumps_back: int


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert NAB (folder or zip with data/ and labels/): one session a file.

    A clock that jumps back (machine_temperature, by 55 minutes) starts a new session; of samples
    with one time the first is kept. Label sets: "anomaly" (combined_windows.json) and
    "anomaly_point" (combined_labels.json, one step long).

    Raises
    ------
    DataError : no data or combined_windows.json, another header, an empty cell, unreadable labels

    Source: Lavin, Ahmad (2015). Files without a step of their own take their median step as rate.
    """
    with opened_source(source) as folder:
        windows = read_labels(folder, "combined_windows.json")
        points = read_labels(folder, "combined_labels.json")
        metrics = _metrics(folder, sorted(windows))
        splits = split_recordings({m.key: Counter([m.kind]) for m in metrics})
        names = _modality_names(metrics)
        writer = DataSetWriter(
            target,
            name=target.name,
            title="NAB: Numenta Anomaly Benchmark",
            synthetic=False,
            licence="MIT (LICENSE.txt of the source); its artificial files are simulated",
            source="github.com/numenta/NAB",
            modalities=_modalities(metrics),
            split_rule=(
                "by file, about 60/20/20 (seed 0), kinds shared out; NAB itself has no split, it "
                "scores detectors that learn as they go"
            ),
            notes=_notes(metrics),
            replace=replace,
        )
        with writer:
            for metric in track(
                metrics, progress, phase="convert nab", unit="files", total=len(metrics)
            ):
                modality = names[metric.kind, metric.step_s]
                _add(
                    writer,
                    metric,
                    splits[metric.key],
                    modality,
                    spans(metric.path, metric.step_s, windows, points),
                )


def _metrics(folder: Path, keys: list[str]) -> list[Metric]:
    paths = files_like(folder, "data/*/*.csv", hint="Give the folder that holds data and labels.")
    found = [_metric(path) for path in paths]
    missing = sorted({m.key for m in found} - set(keys))
    if missing:
        raise DataError(f"combined_windows.json has no entry for {missing[0]}. Is it complete?")
    return found


def _metric(path: Path) -> Metric:
    steps = np.diff(_read(path)[0])
    kind, unit = next((k, u) for p, k, u in KINDS if re.search(p, path.stem.casefold()))
    return Metric(
        path=path,
        key=f"{path.parent.name}/{path.name}",
        kind=kind,
        unit=unit,
        step_s=median_step(np.concatenate([[0.0], np.cumsum(steps)])) or 300.0,
        repeats=int((steps == 0).sum()),
        jumps_back=int((steps < 0).sum()),
    )


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    frame = read_columns(path, "timestamp", ["value"])
    return unix_seconds(path, frame["timestamp"]), frame["value"].to_numpy(np.float64)


def _modality_names(metrics: list[Metric]) -> dict[tuple[str, float], str]:
    """Return (kind, step) → modality; the commonest step of a kind needs no suffix."""
    counts = Counter((m.kind, m.step_s) for m in metrics)
    names: dict[tuple[str, float], str] = {}
    for (kind, step), _ in sorted(counts.items(), key=lambda c: (-c[1], c[0])):
        names[kind, step] = slug(f"{kind}_{step:g}s") if kind in names.values() else kind
    return names


def _modalities(metrics: list[Metric]) -> list[Modality]:
    units = {m.kind: m.unit for m in metrics}
    return [
        Modality(name=name, rate_hz=1 / step, channels=(Channel(name="value", unit=units[kind]),))
        for (kind, step), name in sorted(_modality_names(metrics).items())
    ]


def _notes(metrics: list[Metric]) -> tuple[str, ...]:
    repeats = sum(m.repeats for m in metrics)
    back = [m.path.stem for m in metrics if m.jumps_back]
    return (
        f"{repeats} samples that repeat the time before them were dropped (the first was kept).",
        f"Files cut in two where their clock jumps back: {', '.join(back) or 'none'}.",
        "Times name no zone and are read as UTC. Gaps in time are kept as gaps.",
    )


def _add(
    writer: DataSetWriter,
    metric: Metric,
    split: Split,
    modality: str,
    found: list[Interval],
) -> None:
    seconds, values = _read(metric.path)
    name = f"{metric.path.parent.name}-{slug(metric.path.stem)}"
    edges = [0, *(np.flatnonzero(np.diff(seconds) < 0) + 1).tolist(), len(seconds)]
    for part, (first, last) in enumerate(pairwise(edges), start=1):
        rows = np.arange(first, last)
        rows = rows[np.diff(seconds[first:last], prepend=-np.inf) > 0]
        start, end = float(seconds[rows[0]]), float(seconds[rows[-1]]) + metric.step_s
        writer.add_session(
            name if len(edges) == 2 else f"{name}-{part}",
            subject_id=metric.path.stem,
            split=split,
            signals={modality: (seconds[rows] - start, values[rows])},
            labels=inside(found, start, end),
            start_utc=moment(start),
            duration_s=end - start,
        )


def read_labels(folder: Path, name: str) -> dict[str, Any]:
    """Return a label file, "group/file.csv" → anomalies; raise DataError if it is unreadable."""
    (path, *_) = files_like(folder, name, hint="Give the folder that holds data and labels.")
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is no readable JSON: {error}.") from error
    if not isinstance(labels, dict):
        raise DataError(f"{path} must map files to anomalies.")
    return labels


def spans(
    path: Path, step_s: float, windows: dict[str, Any], points: dict[str, Any]
) -> list[Interval]:
    """Return a file's anomalies in Unix seconds; a window ends one step after its last sample.

    Raises
    ------
    DataError : a window that is no pair of times; names the file it belongs to
    """
    key = f"{path.parent.name}/{path.name}"
    try:
        pairs = [(a, b, "anomaly") for a, b in windows[key]]
        pairs += [(a, a, "anomaly_point") for a in points.get(key, [])]
        stamps = [t for a, b, _ in pairs for t in (str(a), str(b))]
    except (TypeError, ValueError) as error:
        raise DataError(f"combined_windows.json, {key}: expected [start, end].") from error
    if not stamps:
        return []
    seconds = unix_seconds(path, pd.Series(stamps, name="anomaly")).reshape(-1, 2)
    return [
        (float(a), float(b) + step_s, "anomaly", label_set)
        for (a, b), (_, _, label_set) in zip(seconds, pairs, strict=True)
    ]


def inside(found: list[Interval], start: float, end: float) -> list[Interval]:
    """Return what lies in a session from `start` to `end`, seconds from its start."""
    return [
        (max(a, start) - start, min(b, end) - start, label, label_set)
        for a, b, label, label_set in found
        if a < end and b > start
    ]
