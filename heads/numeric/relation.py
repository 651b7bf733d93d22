"""How a series changes with time, and how two series go together, with honest intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
_LEAST = 4  # points below which no interval is given
_DRAWS = 2000
_GROUPS = 5  # sessions from which they are drawn anew; fewer: by the samples' own memory

_ROUNDING = 4 * float(np.finfo(np.float32).eps)  # of a value that was kept in single precision


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with its 95 % interval; `lower` and `upper` are NaN where none can be given."""

    value: float
    lower: float
    upper: float
    n: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return bool(self.lower > 0 or self.upper < 0)


def slope_of(x: Array, y: Array) -> Estimate:
    """Return the slope of y (n,) on x (n,), least squares; NaN in y = missing.

    The interval counts as many independent samples as the residuals' memory leaves: n (1 - r) /
    (1 + r) with r their correlation at lag 1, so that a slow wave is no trend.
    """
    known = ~np.isnan(y)
    x, y = x[known].astype(np.float64), y[known].astype(np.float64)
    n = int(y.size)
    centred = x - x.mean() if n else x
    spread = float(centred @ centred)
    if n < 2 or spread <= 0:
        return Estimate(value=float("nan"), lower=float("nan"), upper=float("nan"), n=n)
    slope = float(centred @ (y - y.mean()) / spread)
    rest = y - y.mean() - slope * centred
    floor = _ROUNDING * float(np.abs(y).max())
    if n >= _LEAST and float(np.abs(rest).max()) <= floor:  # a line but for rounding
        reach = 2 * floor / float(np.ptp(x))
        return Estimate(value=slope, lower=slope - reach, upper=slope + reach, n=n)
    independent = n * _memory(_lag_one(rest))
    if n < _LEAST or independent <= 2.5:
        return Estimate(value=slope, lower=float("-inf"), upper=float("inf"), n=n)
    variance = float(rest @ rest) / n * independent / (independent - 2)
    error = np.sqrt(variance / spread * n / independent)
    reach = _student(independent - 2) * float(error)
    return Estimate(value=slope, lower=slope - reach, upper=slope + reach, n=n)


def mean_of(values: Array) -> Estimate:
    """Return the mean of values (n,) that count alike, with Student's interval."""
    kept = values[np.isfinite(values)]
    n = int(kept.size)
    value = float(kept.mean()) if n else float("nan")
    if n < 2:
        return Estimate(value=value, lower=float("-inf"), upper=float("inf"), n=n)
    reach = _student(n - 1) * float(kept.std(ddof=1)) / np.sqrt(n)
    return Estimate(value=value, lower=value - reach, upper=value + reach, n=n)


def correlation_of(pairs: Sequence[tuple[Array, Array]]) -> Estimate:
    """Return Pearson's correlation over all samples of some sessions' pairs of series.

    Parameters
    ----------
    pairs : of each session x (n,) and y (n,) sampled together; a sample counts if both are there

    The interval draws whole sessions anew where there are at least five, else Fisher's with as many
    independent samples as the memory of both series leaves.
    """
    sums, memory = [], []
    for first, second in pairs:
        known = ~(np.isnan(first) | np.isnan(second))
        x, y = first[known].astype(np.float64), second[known].astype(np.float64)
        if x.size:
            sums.append([x.size, x.sum(), y.sum(), x @ x, y @ y, x @ y])
            memory.append(x.size * _memory(_lag_one(x - x.mean()) * _lag_one(y - y.mean())))
    if not sums:
        return Estimate(value=float("nan"), lower=float("nan"), upper=float("nan"), n=0)
    table = np.array(sums)
    value = float(_pearson(table.sum(axis=0)))
    n = int(table[:, 0].sum())
    if not np.isfinite(value):
        return Estimate(value=value, lower=float("nan"), upper=float("nan"), n=n)
    lower, upper = _drawn(table) if len(table) >= _GROUPS else _fisher(value, float(np.sum(memory)))
    return Estimate(value=value, lower=lower, upper=upper, n=n)


def _drawn(table: Array) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(table), (_DRAWS, len(table)))
    found = _pearson(table[draws].sum(axis=1))
    found = found[np.isfinite(found)]
    low, high = np.quantile(found, [0.025, 0.975]) if found.size else (np.nan, np.nan)
    return float(low), float(high)


def _fisher(value: float, independent: float) -> tuple[float, float]:
    if independent <= _LEAST:
        return -1.0, 1.0
    middle = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
    reach = 1.959964 / np.sqrt(independent - 3)
    return float(np.tanh(middle - reach)), float(np.tanh(middle + reach))


def _pearson(sums: Array) -> Array:
    """Return the correlation from (…, 6): n, Σx, Σy, Σx², Σy², Σxy."""
    n, x, y, xx, yy, xy = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt((xx - x * x / n) * (yy - y * y / n))
        floor = 1e-9 * np.sqrt(np.maximum(xx * yy, 0))
        found: Array = np.where(spread > floor, (xy - x * y / n) / spread, np.nan)
    return found


def _lag_one(series: Array) -> float:
    energy = float(series @ series)
    if series.size < 3 or energy <= 0:
        return 0.0
    return float(series[1:] @ series[:-1]) / energy


def _memory(correlation: float) -> float:
    """Return the share of samples that count as independent."""
    r = float(np.clip(correlation, 0.0, 0.9999))
    return (1 - r) / (1 + r)


def _student(freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))
