"""Statistics of one session's channel, with a sketch that lets sessions be pooled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

SKETCH_LEVELS: np.ndarray = np.linspace(0.0, 1.0, 41)  # 0, 0.025, …, 1
QUANTILES: dict[str, float] = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}

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
    present = values[~np.isnan(values)].astype(np.float64)
    nan_frac = (values.size - present.size) / values.size if values.size else float("nan")
    entry: dict[str, Any] = {"channel": channel_id, "n": int(values.size), "nan_frac": nan_frac}
    if present.size == 0:
        nothing = dict.fromkeys(("min", "max", "mean", "std"), float("nan"))
        return entry | nothing | {"sketch": [float("nan")] * SKETCH_LEVELS.size}
    sketch = np.quantile(present, SKETCH_LEVELS)
    return entry | {
        "min": float(present.min()),
        "max": float(present.max()),
        "mean": float(present.mean()),
        "std": float(present.std()),
        "sketch": sketch.tolist(),
    }


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
