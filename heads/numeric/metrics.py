"""Measures of right and wrong, and how far they can be trusted (whole groups are resampled)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A measured value with its bootstrap interval.

    Parameters
    ----------
    n, n_groups : values measured, and the sessions or subjects they come from
    note : what a reader should know, such as that there are too few groups; "" if nothing
    """

    value: float
    lower: float
    upper: float
    n: int
    n_groups: int
    note: str = ""

    @property
    def clear(self) -> bool:
        """For a difference: whether its interval leaves out zero; one group shows nothing."""
        return self.n_groups > 1 and (self.lower > 0.0 or self.upper < 0.0)


def accuracy(truth: Sequence[str] | Array, predicted: Sequence[str] | Array) -> float:
    """Return the share of right labels."""
    t, p = _pair(truth, predicted)
    return float((t == p).mean())


def macro_f1(truth: Sequence[str] | Array, predicted: Sequence[str] | Array) -> float:
    """Return the mean F1 over the classes that occur in either; 0 for a class never hit."""
    t, p = _pair(truth, predicted)
    scores = []
    for name in np.union1d(t, p):
        hits = ((t == name) & (p == name)).sum()
        scores.append(2.0 * hits / ((t == name).sum() + (p == name).sum()))
    return float(np.mean(scores))


def kappa(truth: Sequence[str] | Array, predicted: Sequence[str] | Array) -> float:
    """Return Cohen's kappa: agreement beyond chance; 0 where chance alone explains all."""
    t, p = _pair(truth, predicted)
    chance = sum((t == name).mean() * (p == name).mean() for name in np.union1d(t, p))
    return 0.0 if chance >= 1.0 else float(((t == p).mean() - chance) / (1.0 - chance))


def mae(truth: Array, predicted: Array) -> float:
    """Return the mean absolute error over finite values, in their unit."""
    return float(np.nanmean(_finite(np.abs(truth - predicted))))


def mase(truth: Array, predicted: Array, context: Array, season: int = 1) -> float:
    """Return the error relative to the in-sample seasonal naive forecast (Hyndman, 2006).

    Parameters
    ----------
    truth, predicted : (..., H); NaN = missing
    context : (..., T) what came before; series whose naive error is zero are left out
    season : the naive step in samples

    Raises
    ------
    DataError : a context not longer than `season`, or no series that can be scaled
    """
    return float(np.nanmean(_finite(scaled_errors(truth, predicted, context, season))))


def scaled_errors(truth: Array, predicted: Array, context: Array, season: int = 1) -> Array:
    """Return each series' mean absolute error over its naive error; NaN where that is zero."""
    if context.shape[-1] <= season:
        raise DataError(
            f"MASE needs a context longer than its season of {season} samples, got "
            f"{context.shape[-1]}. Use a longer window_s."
        )
    naive = nan_mean(np.abs(context[..., season:] - context[..., :-season]))
    errors = nan_mean(np.abs(truth - predicted))
    scaled: Array = np.where(naive > 0, errors / np.where(naive > 0, naive, 1.0), np.nan)
    return scaled


def crps(truth: Array, quantiles: Array, levels: Sequence[float] | Array) -> float:
    """Return the continuous ranked probability score, from quantiles, in the values' unit."""
    return float(np.nanmean(_finite(crps_each(truth, quantiles, levels))))


def crps_each(truth: Array, quantiles: Array, levels: Sequence[float] | Array) -> Array:
    """Return the score of each value: twice the mean pinball loss over the levels.

    Parameters
    ----------
    truth : (...), NaN = missing
    quantiles : (..., Q)
    levels : (Q,)
    """
    level = np.asarray(levels, dtype=np.float64)
    gap = np.asarray(truth)[..., None] - quantiles
    pinball: Array = 2.0 * np.maximum(level * gap, (level - 1.0) * gap).mean(axis=-1)
    return pinball


def nan_mean(values: Array) -> Array:
    """Return the mean over the last axis, NaN where nothing is finite (without a warning)."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    mean: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def wilson(share: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson score interval of a share seen in n independent trials."""
    centre = share + z * z / (2 * n)
    width = z * float(np.sqrt(share * (1.0 - share) / n + z * z / (4 * n * n)))
    scale = 1.0 + z * z / n
    return max(0.0, min(share, (centre - width) / scale)), min(
        1.0, max(share, (centre + width) / scale)
    )


def bootstrap_interval(
    *arrays: Untyped,
    groups: Sequence[str] | Array | None = None,
    statistic: Callable[..., float] | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
    share: bool = False,
) -> Interval:
    """Return `statistic(*arrays)` with a percentile bootstrap interval over whole groups.

    Windows of one session are alike, so resampling windows would flatter the interval.

    Parameters
    ----------
    arrays : arrays of equal length, resampled together
    groups : the session or subject of each row; default: each row stands alone
    statistic : default: the mean of the one array
    share : the statistic lies in [0, 1], as accuracy does. Where every resample gives 0 or every
        one gives 1 the bootstrap has nothing to vary and would claim certainty: the other end is
        then that of Wilson's 95 % interval over the groups; so is that of one group alone

    Raises
    ------
    DataError : nothing to measure, or lengths that differ
    """
    data = [np.asarray(a) for a in arrays]
    n = len(data[0]) if data else 0
    group_of = np.arange(n) if groups is None else np.asarray(groups)
    if n == 0 or any(len(a) != n for a in [*data, group_of]):
        raise DataError("bootstrap_interval needs arrays and groups of one equal length > 0.")
    measure = statistic or (lambda values: float(np.mean(values)))
    rows_of = [np.flatnonzero(group_of == g) for g in np.unique(group_of)]
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(n_resamples):
        rows = np.concatenate([rows_of[i] for i in rng.integers(0, len(rows_of), len(rows_of))])
        draws.append(measure(*(a[rows] for a in data)))
    tail = (1.0 - level) / 2.0
    known = np.array(draws)[~np.isnan(draws)]  # none where nothing can be measured, as a constant
    lower, upper = np.quantile(known, [tail, 1.0 - tail]) if known.size else (np.nan, np.nan)
    if share and lower == upper and (lower in {0.0, 1.0} or len(rows_of) == 1):
        lower, upper = wilson(float(lower), len(rows_of))
    note = "" if len(rows_of) >= 5 else f"only {len(rows_of)} group(s): the interval is a guess"
    return Interval(
        value=float(measure(*data)),
        lower=float(lower),
        upper=float(upper),
        n=n,
        n_groups=len(rows_of),
        note=note,
    )


def paired_difference(
    a: Array,
    b: Array,
    *,
    groups: Sequence[str] | Array | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Return the mean of `a - b`, value by value, with its interval; `.clear` if it is not zero.

    Parameters
    ----------
    a, b : (n,) a score of each window under two methods, on the same windows
    """
    gap = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    return bootstrap_interval(gap, groups=groups, level=level, n_resamples=n_resamples, seed=seed)


def _pair(truth: Sequence[str] | Array, predicted: Sequence[str] | Array) -> tuple[Array, Array]:
    t, p = np.asarray(truth, dtype=np.str_), np.asarray(predicted, dtype=np.str_)
    if t.shape != p.shape or t.size == 0:
        raise DataError(f"Need as many predictions as truths, at least one: {t.shape}, {p.shape}.")
    return t, p


def _finite(values: Array) -> Array:
    if not np.isfinite(values).any():
        raise DataError("No finite value to measure: truth or forecast is missing throughout.")
    return values
