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


_OFTEN = 0.06  # share of the steps that may be a counter's start over
_NOTHING = 0.05  # after it starts over it shows this share of what it showed, or a step, at most
_STEPS = 1.5  # it goes up so many times for each time that it starts over


def starts_over(values: Array) -> bool:
    """Say whether readings (n,) count up and start over at nothing: rain since midnight."""
    known = values[np.isfinite(values)].astype(np.float64)
    if len(known) < FEWEST or known.min() < 0:
        return False
    steps = np.diff(known)
    down, up = np.flatnonzero(steps < 0), int((steps > 0).sum())
    if not len(down) or len(down) > _OFTEN * len(steps) or up < _STEPS * len(down):
        return False
    usual = float(np.quantile(steps[steps > 0], 0.95))  # it may go up as it starts over
    anew = known[down + 1] <= np.maximum(_NOTHING * known[down], usual)
    return float(anew.mean()) > 1 - _NOTHING


def increments_over(values: Array) -> Array:
    """Return how much each reading (n,) is over the one before, of a counter that starts over.

    Where it starts over, all that it shows is new; so is what its first reading shows. NaN stays.
    """
    found = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    if known.size:
        read = values[known].astype(np.float64)
        steps = np.diff(read, prepend=0.0)
        found[known] = np.where(steps < 0, read, steps)
    return found


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
