"""Errors of forecasts as the published tables count them, one number a judged window."""

from __future__ import annotations

import numpy as np

from tool_use_om.data.errors import DataError

Array = np.ndarray


def squared(truth: Array, points: Array) -> Array:
    """Return the mean squared error of each window (n,) over channels and steps; NaN left out."""
    return _window_mean((truth - points) ** 2)


def absolute(truth: Array, points: Array) -> Array:
    """Return the mean absolute error of each window (n,) over channels and steps; NaN left out."""
    return _window_mean(np.abs(truth - points))


def smape(truth: Array, points: Array) -> Array:
    """Return the symmetric mean absolute percentage error of each window (n,), in percent.

    200 |y - f| / (|y| + |f|), as the M4 competition counts it; 0 where both are 0.
    """
    total = np.abs(truth) + np.abs(points)
    gap = np.abs(truth - points)
    share = np.where(total > 0, gap / np.where(total > 0, total, 1.0), gap)
    return 200.0 * _window_mean(share)


def mase(truth: Array, points: Array, history: list[Array], season: int) -> Array:
    """Return the mean absolute scaled error of each window (n,), mean over channels.

    Parameters
    ----------
    truth, points : (n, C, H)
    history : the (C, T) series before each window; its seasonal naive error is the scale
    season : samples

    Raises
    ------
    DataError : a history not longer than the season, or one whose seasonal naive error is 0
    """
    scales = np.stack([_scale(h, season) for h in history])
    return _window_mean(np.abs(truth - points) / scales[..., None])


def owa(smapes: float, mases: float, naive2_smape: float, naive2_mase: float) -> float:
    """Return the overall weighted average of the M4 competition: below 1 is better than Naive2."""
    return 0.5 * (smapes / naive2_smape + mases / naive2_mase)


def _scale(history: Array, season: int) -> Array:
    if history.shape[1] <= season:
        raise DataError(f"MASE needs more than {season} samples of history, got {history.shape[1]}")
    scale = np.abs(history[:, season:] - history[:, :-season]).mean(axis=1)
    if not (scale > 0).all():
        raise DataError("MASE has no scale: the seasonal naive error of a history is 0.")
    return np.asarray(scale)


def _window_mean(errors: Array) -> Array:
    flat = errors.reshape(len(errors), -1)
    known = np.isfinite(flat)
    count = known.sum(axis=1)
    total = np.where(known, flat, 0.0).sum(axis=1)
    mean: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean
