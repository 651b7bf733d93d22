"""What a stretch of signal is made of: level, trend, what repeats, and the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
HARMONICS = 3


@dataclass(frozen=True, kw_only=True)
class Parts:
    """One row a window and channel; shares of the variance sum to 1, NaN where nothing varies.

    Parameters
    ----------
    level : (B, C) mean, channel units
    trend_per_s : (B, C) slope of the least-squares line, channel units a second
    trend_share, season_share, rest_share : (B, C) of the variance around the mean
    """

    level: Array
    trend_per_s: Array
    trend_share: Array
    season_share: Array
    rest_share: Array


def decompose(windows: WindowBatch, season_hz: Array) -> Parts:
    """Fit a line, then three harmonics of the season, to each window and channel.

    Parameters
    ----------
    windows : WindowBatch of B windows
    season_hz : (B,) repetitions a second, such as `rhythm.cadence` measures; NaN = nothing repeats,
        the season's share is then 0

    Returns
    -------
    Parts; NaN where a channel has fewer than eight samples in a window
    """
    b, c, t = windows.values.shape
    time_s = np.arange(t) / windows.rate_hz
    table = np.full((5, b, c), np.nan)
    for i in range(b):
        for j in range(c):
            valid = np.flatnonzero(windows.mask[i, j])
            if len(valid) >= 8:
                values = windows.values[i, j, valid].astype(np.float64)
                table[:, i, j] = _parts(time_s[valid], values, float(season_hz[i]))
    return Parts(
        level=table[0],
        trend_per_s=table[1],
        trend_share=table[2],
        season_share=table[3],
        rest_share=table[4],
    )


def _parts(time_s: Array, values: Array, season_hz: float) -> tuple[float, ...]:
    level = float(values.mean())
    around = values - level
    total = float(around @ around)
    middle = time_s - time_s.mean()
    slope = float(middle @ around / (middle @ middle))
    if total <= 1e-12 * len(values) * (1.0 + level * level):
        return level, 0.0, np.nan, np.nan, np.nan
    rest = around - slope * middle
    after_trend = float(rest @ rest)
    if np.isfinite(season_hz):
        rest = rest - _harmonics(time_s, rest, season_hz)
    after_season = float(rest @ rest)
    return (
        level,
        slope,
        1.0 - after_trend / total,
        (after_trend - after_season) / total,
        after_season / total,
    )


def _harmonics(time_s: Array, values: Array, season_hz: float) -> Array:
    """Return the least-squares harmonics of `season_hz` below half the rate."""
    rate = (len(time_s) - 1) / float(time_s[-1] - time_s[0])
    orders = [k for k in range(1, HARMONICS + 1) if k * season_hz < 0.45 * rate]
    if not orders:
        return np.zeros_like(values)
    turns = 2 * np.pi * season_hz * np.outer(time_s, orders)
    basis = np.concatenate([np.sin(turns), np.cos(turns)], axis=1)
    fitted: Array = basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    return fitted
