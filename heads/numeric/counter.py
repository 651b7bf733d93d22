"""Counters, as of a water meter: a reading that only goes up, whose steps are what was used."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
FEWEST = 10
_UPWARD = 0.98  # share of the steps that must not go down
_MOVING = 0.01  # … and that must go up
_WRONG = 0.02  # share of the readings that may be impossible
_START = 1.0  # a counter begins high: its lowest reading is so many times its largest usual step


def is_counter(values: Array) -> bool:
    """Say whether readings (n,) count up: practically no step goes down, and many go up.

    A series of amounts goes down as often as up; one that begins at nothing and grows is none.
    """
    known = values[np.isfinite(values)].astype(np.float64)
    if len(known) < FEWEST:
        return False
    steps = np.diff(known)
    up, down = float((steps > 0).mean()), float((steps < 0).mean())
    if down > 1 - _UPWARD or up < _MOVING or known.min() < 0:
        return False
    usual = float(np.quantile(steps[steps > 0], 0.9))
    return float(np.median(known)) > _START * usual


def increments(values: Array) -> tuple[Array, int]:
    """Return how much each reading (n,) is over the one before, and how many were impossible.

    A reading is impossible if all that follow are lower, as long as those are few; a fall that
    stays (the meter was changed) counts nothing. NaN stays NaN; the first reading is 0.
    """
    found = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    if not known.size:
        return found, 0
    read = values[known].astype(np.float64)
    ahead = np.minimum.accumulate(read[::-1])[::-1]
    wrong = read > ahead
    if wrong.mean() > _WRONG:
        wrong = np.zeros(len(read), dtype=bool)
    kept = known[~wrong]
    steps = np.diff(values[kept].astype(np.float64), prepend=float(values[kept[0]]))
    found[kept] = np.maximum(steps, 0.0)
    return found, int(wrong.sum())
