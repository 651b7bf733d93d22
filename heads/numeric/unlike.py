"""Which of several groups of samples is unlike the others, by plain statistics of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
MEASURES = ("mean", "spread", "lowest value", "highest value")
FEWEST = 4  # groups, so that one can be unlike the others
_LEAST = 3.5  # robust deviations below which nothing is called unlike
_ALPHA = 0.05  # how often chance alone may call one of all compared numbers unlike
_FLOOR = 0.02  # of the usual size, or of the mean deviation: groups are never all the same


@dataclass(frozen=True, kw_only=True)
class Unlike:
    """How far each group is from the others.

    Parameters
    ----------
    distance : (G,) robust deviations of the measure that is furthest from the others' median
    measure : (G,) int, which of `MEASURES` that is
    own, usual : (G,) that measure of the group, and its median over all groups
    limit : distance from which a group stands out
    """

    distance: Array
    measure: Array
    own: Array
    usual: Array
    limit: float


def measures_of(values: Array) -> Array:
    """Return mean, standard deviation, minimum and maximum (4,) of samples; NaN = missing."""
    known = values[np.isfinite(values)].astype(np.float64)
    if not known.size:
        return np.full(len(MEASURES), np.nan)
    return np.array([known.mean(), known.std(), known.min(), known.max()])


def unlike(table: Array, compared: int) -> Unlike:
    """Compare groups measure by measure, each by its robust deviation from the median (Hampel).

    Parameters
    ----------
    table : (G, 4) of `measures_of`
    compared : numbers compared in all (groups, measures and channels); the limit grows with it

    The limit is Student's t quantile for a false alarm in 20 such comparisons, 3.5 at least.
    """
    from scipy.stats import t as student

    usual = np.nanmedian(table, axis=0)
    apart = table - usual
    scale = 1.4826 * np.nanmedian(np.abs(apart), axis=0)
    floor = _FLOOR * np.maximum(np.abs(usual), np.nanmean(np.abs(apart), axis=0))
    scale = np.maximum(scale, np.maximum(floor, 1e-12))
    z = np.where(np.isfinite(apart), np.abs(apart) / scale, 0.0)
    measure = z.argmax(axis=1)
    rows = np.arange(len(table))
    tail = student.ppf(1 - _ALPHA / 2 / max(compared, 1), max(len(table) - 1, 1))
    return Unlike(
        distance=z[rows, measure], measure=measure, own=table[rows, measure],
        usual=usual[measure], limit=max(_LEAST, float(tail)),
    )  # fmt: skip
