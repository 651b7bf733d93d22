"""NAB's two label files: anomaly windows and points, in Unix seconds and then in a session's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from tool_use_om.data.converters.shared.csv_columns import files_like, unix_seconds
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.session_rules import Interval


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
