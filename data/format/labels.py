"""From labelled intervals to one label a window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from tool_use_om.data.errors import DataError


def window_labels(
    labels: pd.DataFrame,
    session_ids: Sequence[str],
    start_s: np.ndarray,
    end_s: np.ndarray,
    label_set: str,
    *,
    min_overlap: float = 0.5,
) -> np.ndarray:
    """Return for each window the label that covers most of it.

    Parameters
    ----------
    labels : DataFrame of `DataSet.labels`: session_id, start_s, end_s, label, set
    session_ids : one a window
    start_s, end_s : (n,) float, seconds from session start; windows are [start, end)
    label_set : str, which set of labels counts
    min_overlap : float in (0, 1], the share of the window that must be covered

    Returns
    -------
    ndarray (n,) of object: the label, or None where none covers enough. Overlapping intervals of
    one label count once; of two labels that cover the same share the first by name wins.
    """
    starts, ends = np.asarray(start_s, float), np.asarray(end_s, float)
    if not len(session_ids) == len(starts) == len(ends):
        raise DataError(
            "window_labels needs one session, start and end for each window, got "
            f"{len(session_ids)}, {len(starts)} and {len(ends)}."
        )
    if not 0 < min_overlap <= 1:
        raise DataError(f"min_overlap must be in (0, 1], got {min_overlap}.")
    chosen = labels[labels["set"] == label_set]
    by_session = {str(k): _merge(g) for k, g in chosen.groupby("session_id")}
    out = np.full(len(starts), None, dtype=object)
    for i, (session, start, end) in enumerate(zip(session_ids, starts, ends, strict=True)):
        covered = _covered(by_session.get(session, {}), start, end)
        best = max(covered, key=covered.__getitem__, default=None)
        if best is not None and covered[best] >= min_overlap * (end - start) - 1e-9:
            out[i] = best
    return out


def _covered(intervals: dict[str, np.ndarray], start: float, end: float) -> dict[str, float]:
    """Return the seconds of [start, end) each label covers, those that cover none left out."""
    shares = {
        label: float(
            np.clip(np.minimum(spans[:, 1], end) - np.maximum(spans[:, 0], start), 0, None).sum()
        )
        for label, spans in intervals.items()
    }
    return {label: seconds for label, seconds in shares.items() if seconds > 0}


def _merge(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return label → disjoint spans (m, 2), labels in order of name."""
    groups = rows.sort_values("start_s").groupby("label", sort=True)
    return {
        str(label): np.array(_union(zip(g["start_s"], g["end_s"], strict=True)))
        for label, g in groups
    }


def _union(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
