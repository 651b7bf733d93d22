"""Statistics of one session's channel, with a sketch that lets sessions be pooled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

SKETCH_LEVELS: np.ndarray = np.linspace(0.0, 1.0, 41)  # 0, 0.025, …, 1
QUANTILES: dict[str, float] = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}

MOMENTS = ("n", "nan_frac", "min", "max", "mean", "std")
STATS_TYPE = pa.struct(
    [
        ("channel", pa.string()),
        ("n", pa.int64()),
        ("nan_frac", pa.float64()),
        ("min", pa.float64()),
        ("max", pa.float64()),
        ("mean", pa.float64()),
        ("std", pa.float64()),
        ("sketch", pa.list_(pa.float64())),
    ]
)


_BLOCK = 1 << 20  # samples sorted at once: memory stays flat for sessions of many hours


def column_stats(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return moments and sketches of all channels of one session's modality, in one pass.

    Parameters
    ----------
    values : ndarray (n, C), channel units; NaN = missing

    Returns
    -------
    moments : ndarray (C, 6): n (missing ones included), nan_frac, min, max, mean, std (population)
    sketches : ndarray (C, 41), the quantiles at `SKETCH_LEVELS`; all NaN where nothing is present
    """
    n, n_channels = values.shape
    moments = np.full((n_channels, 6), np.nan)
    sketches = np.full((n_channels, SKETCH_LEVELS.size), np.nan)
    moments[:, 0] = n
    step = max(1, _BLOCK // max(n, 1))
    for first in range(0, n_channels if n else 0, step):
        block = slice(first, first + step)
        _fill(np.sort(np.ascontiguousarray(values[:, block].T), axis=1), moments[block],
              sketches[block])  # fmt: skip
    return moments, sketches


def _fill(ordered: np.ndarray, moments: np.ndarray, sketches: np.ndarray) -> None:
    """Fill in what sorted channels (C, n) hold; NaN are sorted to the end."""
    n = ordered.shape[1]
    held = np.full(len(ordered), n)
    if np.isnan(ordered[:, -1]).any():
        held -= np.isnan(ordered).sum(axis=1)
    moments[:, 1] = (n - held) / n
    for count in {int(k) for k in held} - {0}:
        rows = np.flatnonzero(held == count)
        present = ordered[rows, :count].astype(np.float64)
        mean = present.mean(axis=1, keepdims=True)
        at = SKETCH_LEVELS * (count - 1)
        low = at.astype(np.intp)
        high = np.minimum(low + 1, count - 1)
        sketches[rows] = present[:, low] + (present[:, high] - present[:, low]) * (at - low)
        moments[rows, 2], moments[rows, 3] = present[:, 0], present[:, -1]
        moments[rows, 4] = mean[:, 0]
        present -= mean
        moments[rows, 5] = np.sqrt(np.einsum("ij,ij->i", present, present) / count)


def channel_stats(channel_id: str, values: np.ndarray) -> dict[str, Any]:
    """Return the index entry of one channel of one session.

    Parameters
    ----------
    channel_id : str, "modality.channel"
    values : ndarray (n,), channel units; NaN = missing

    Returns
    -------
    dict with n (samples, missing ones included), nan_frac, min, max, mean, std (population), and
    sketch: the quantiles at `SKETCH_LEVELS` (all NaN if every sample is missing)
    """
    moments, sketches = column_stats(values[:, None])
    named = dict(zip(MOMENTS, moments[0].tolist(), strict=True))
    return {"channel": channel_id, **named, "n": int(values.size), "sketch": sketches[0].tolist()}


def sketch_quantiles(sketches: np.ndarray) -> dict[str, np.ndarray]:
    """Return the named quantiles of sketches (m, 41), each as (m,), channel units."""
    at = {name: int(np.argmin(np.abs(SKETCH_LEVELS - q))) for name, q in QUANTILES.items()}
    return {name: sketches[:, i] for name, i in at.items()}


def pool_stats(per_session: pd.DataFrame) -> pd.DataFrame:
    """Return one row a channel from the per-session rows of `DataSet.channel_stats`.

    n, nan_frac, min, max, mean and std are exact. Quantiles are the n-weighted mean of the
    sessions' own quantiles: good for sessions alike, an approximation otherwise.
    """
    rows = [
        _pool_one(channel, group) for channel, group in per_session.groupby("channel", sort=False)
    ]
    return pd.DataFrame(rows, columns=[c for c in per_session.columns if c != "session_id"])


def _pool_one(channel: object, group: pd.DataFrame) -> dict[str, Any]:
    n = group["n"].to_numpy(float)
    present = n * (1 - group["nan_frac"].to_numpy(float))
    row: dict[str, Any] = {
        "channel": channel,
        "n": int(n.sum()),
        "nan_frac": float(1 - present.sum() / n.sum()),
        "min": float(group["min"].min()),
        "max": float(group["max"].max()),
    }
    known = present > 0
    weight = present[known] / present.sum() if known.any() else np.array([])
    mean, std = group["mean"].to_numpy(float)[known], group["std"].to_numpy(float)[known]
    centre = float(weight @ mean) if weight.size else float("nan")
    spread = float(np.sqrt(weight @ (std**2 + (mean - centre) ** 2))) if weight.size else centre
    row |= {"mean": centre, "std": spread}
    quantiles = {q: group[q].to_numpy(float)[known] for q in QUANTILES}
    return row | {q: float(weight @ v) if weight.size else centre for q, v in quantiles.items()}
