"""What a session must be before it is written: each rule with the message a person can act on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import SPLITS, Modality
from tool_use_om.data.format.splits import Block

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


def check_values(
    where: str, values: np.ndarray, n_rows: int, modality: Modality, *, double: bool = False
) -> np.ndarray:
    """Return values (n, C) float32, or float64; refuse text, Inf, a wrong shape. NaN stays."""
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
        single = table.astype(np.float64 if double else np.float32)
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


def check_blocks(
    where: str, blocks: Sequence[Block], duration_s: float
) -> list[tuple[float, float, str]]:
    """Return blocks as (start_s, end_s, split), in order; refuse overlaps and what is outside."""
    rows = sorted((float(b.start_s), float(b.end_s), str(b.split)) for b in blocks)
    before = 0.0
    for start, end, split in rows:
        if not (before - 1e-6 <= start < end <= duration_s + 1e-6) or split not in SPLITS:
            raise DataError(
                f"{where}: blocks must lie inside 0 to {duration_s:g} s, one after the other, got "
                f"{split} from {start:g} to {end:g} s."
            )
        before = end
    return [(start, min(end, duration_s), split) for start, end, split in rows]
