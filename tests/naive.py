"""Slow, obvious versions of what the heads compute, to check them against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def pinball_crps(truth: float, quantiles: Sequence[float], levels: Sequence[float]) -> float:
    """Twice the mean pinball loss of one value, level by level."""
    losses = []
    for quantile, level in zip(quantiles, levels, strict=True):
        gap = truth - quantile
        losses.append(level * gap if gap >= 0 else (level - 1) * gap)
    return 2 * sum(losses) / len(losses)


def mase(truth: np.ndarray, predicted: np.ndarray, context: np.ndarray, season: int) -> float:
    """The scaled error of one series, sample by sample."""
    naive = [abs(context[i] - context[i - season]) for i in range(season, len(context))]
    errors = [abs(t - p) for t, p in zip(truth, predicted, strict=True)]
    return float((sum(errors) / len(errors)) / (sum(naive) / len(naive)))


def autocorrelation(series: np.ndarray, lag: int) -> float:
    """Correlation of the overlap with itself, around the whole series' mean."""
    centred = series - series.mean()
    a, b = centred[lag:], centred[: len(centred) - lag]
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def nearest_indices(points: np.ndarray, query: np.ndarray, k: int) -> list[int]:
    """The k nearest rows, one distance at a time."""
    distances = [float(np.sqrt(((row - query) ** 2).sum())) for row in points]
    return sorted(range(len(points)), key=lambda i: (distances[i], i))[:k]


def masked_ridge(X: np.ndarray, target: np.ndarray, strength: float) -> np.ndarray:
    """Ridge for one target column, rows with an unknown target left out."""
    known = np.isfinite(target)
    rows, wanted = X[known], target[known]
    n = len(rows)
    return np.linalg.solve(rows.T @ rows + n * strength * np.eye(X.shape[1]), rows.T @ wanted)


def conformal_rank(scores: Sequence[float], coverage: float) -> float:
    """The smallest threshold with at least (n + 1) * coverage scores at or under it."""
    for threshold in sorted(scores):
        if sum(s <= threshold for s in scores) >= (len(scores) + 1) * coverage - 1e-9:
            return threshold
    return float("inf")
