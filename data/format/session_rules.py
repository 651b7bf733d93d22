"""What a session must be before it is written: each rule with the message a person can act on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Modality

Interval = tuple[float, float, str, str]


def check_time(where: str, time_s: np.ndarray) -> np.ndarray:
    """Return time (n,) float64, seconds from session start; refuse unsorted or repeated time."""
    time = np.asarray(time_s)
    if time.ndim != 1 or time.dtype.kind not in "iuf":
        raise DataError(
            f"{where}: time must be a list of numbers in seconds, got {time.dtype} {time.shape}."
        )
    time = time.astype(np.float64)
    if not np.isfinite(time).all():
        row = int(np.flatnonzero(~np.isfinite(time))[0])
        raise DataError(
            f"{where}: time must be finite, got {time[row]} in row {row}. Drop that row."
        )
    if time.size and time[0] < 0:
        raise DataError(
            f"{where}: time counts seconds from the session's start, got {time[0]:g} s."
        )
    step = np.diff(time)
    if (step < 0).any():
        row = int(np.flatnonzero(step < 0)[0]) + 1
        raise DataError(
            f"{where}: time must be sorted, but row {row} ({time[row]:g} s) comes after "
            f"{time[row - 1]:g} s. Sort the source by time."
        )
    if (step == 0).any():
        row = int(np.flatnonzero(step == 0)[0]) + 1
        raise DataError(
            f"{where}: time must not repeat, but rows {row - 1} and {row} are both at "
            f"{time[row]:g} s. Drop or average duplicates, or name the session column."
        )
    return time


def check_values(where: str, values: np.ndarray, n_rows: int, modality: Modality) -> np.ndarray:
    """Return values (n, C) float32; refuse text, Inf, a wrong shape. NaN stays."""
    table = np.asarray(values)
    if table.dtype.kind not in "biuf":
        raise DataError(
            f"{where}: channels must be numeric, got {table.dtype}. Leave text columns out."
        )
    table = table[:, None] if table.ndim == 1 else table
    expected = (n_rows, len(modality.channels))
    if table.shape != expected:
        raise DataError(
            f"{where}: values must be (rows, channels) = {expected}, got {table.shape}."
        )
    with np.errstate(over="ignore"):
        single = table.astype(np.float32)
    bad = np.isinf(single)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            f"{where}: {modality.channels[column].name} holds {table[row, column]} in row {row}, "
            "infinite or too large for 32-bit numbers. Mark missing samples as NaN instead."
        )
    return single


def check_labels(where: str, labels: Sequence[Interval], duration_s: float) -> list[Interval]:
    """Return labels (start_s, end_s, label, set) sorted; refuse an interval outside the session."""
    checked: list[Interval] = []
    for start, end, label, label_set in labels:
        if not (
            math.isfinite(start) and math.isfinite(end) and 0 <= start < end <= duration_s + 1e-6
        ):
            raise DataError(
                f"{where}: label {label!r} must satisfy 0 <= start < end <= {duration_s:g} s, "
                f"got {start:g} to {end:g} s."
            )
        if not label.strip() or not label_set.strip():
            raise DataError(
                f"{where}: a label and its set must not be empty ({start:g} to {end:g} s)."
            )
        checked.append((float(start), min(float(end), duration_s), label, label_set))
    return sorted(checked)
