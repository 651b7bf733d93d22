"""Where a series lacks samples: the one truth for checks, statistics and imports.

A series that is sampled evenly, or on a calendar (each day, business day, month), has a grid; a
sample that the grid has and the series lacks is a hole, were it but one hour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
_EVEN = 0.1  # relative; steps whose middle 80 % differ by less are of one grid
_GRID_STEP = 1.5  # periods from which a step on a grid lacks a sample
_LOOSE_STEP = 2.5  # the same where steps vary
_USUAL = 0.25  # relative; steps so near to the middle one are usual
_FEW = 0.3  # share of usual steps under which rows come when something happens …
_WIDE = 8.0  # … if their long steps are so many times their short ones
_MOST_LACKING = 2**53  # samples between two times, however far apart they are written
_DAY_S = 86_400.0
_MONTH_S = (28 * _DAY_S, 31 * _DAY_S)
_CLOCK_S = 7200.0  # a change of the clock moves a day's sample by so much at most
_LEAST = 4


@dataclass(frozen=True, kw_only=True)
class Holes:
    """Stretches without samples.

    Parameters
    ----------
    start_s, end_s : (m,) the samples that bracket each hole, seconds from the session's start
    missing : (m,) samples that lack in it
    grid : "even", "months", "business days", "loose" (steps vary: no grid) or "events" (steps of
        all sizes: rows come when something happens, so that none lacks)
    missing_s : seconds that lack in all: the samples that lack times their period
    """

    start_s: Array
    end_s: Array
    missing: Array
    grid: str
    missing_s: float

    @property
    def n(self) -> int:
        """How many holes."""
        return int(self.start_s.size)

    @property
    def n_missing(self) -> int:
        """How many samples lack."""
        return int(self.missing.sum())


def holes(time_s: Array, rate_hz: float) -> Holes:
    """Return where a series lacks samples.

    Parameters
    ----------
    time_s : (n,) seconds, rising
    rate_hz : the nominal rate
    """
    steps = np.diff(time_s)
    period = 1.0 / rate_hz
    grid = _grid_of(steps)
    if grid == "events":
        expected = np.zeros(steps.size)
    elif grid == "months":
        expected = np.maximum(np.rint(steps / (30.44 * _DAY_S)), 1) - 1
    elif grid == "business days":
        expected = _business_days_lacking(steps)
    else:
        middle = float(np.median(steps)) if grid == "even" else period
        least = _GRID_STEP if grid == "even" else _LOOSE_STEP
        lacking = np.maximum(np.rint(steps / middle) - 1, 1)
        expected = np.where(steps > least * middle, lacking, 0)
        period = middle
    found = np.flatnonzero(expected > 0)
    missing = np.clip(np.nan_to_num(expected[found]), 0, _MOST_LACKING).astype(int)
    return Holes(
        start_s=time_s[found], end_s=time_s[found + 1], missing=missing, grid=grid,
        missing_s=float(missing.sum()) * period,
    )  # fmt: skip


def _grid_of(steps: Array) -> str:
    """Return which grid steps (seconds) are of."""
    if steps.size < _LEAST:
        return "loose"
    low, middle, high = np.quantile(steps, [0.1, 0.5, 0.9])
    if _MONTH_S[0] - _CLOCK_S <= low and high <= _MONTH_S[1] + _CLOCK_S:
        return "months"
    if abs(middle - _DAY_S) <= _CLOCK_S and _is_business(steps):
        return "business days"
    if high - low <= _EVEN * middle:
        return "even"
    usual = float((np.abs(steps - middle) <= _USUAL * middle).mean())
    return "events" if high > _WIDE * low and usual < _FEW else "loose"


def _is_business(steps: Array) -> bool:
    """Say whether most weeks have a pause of three days and no other: five days a week."""
    whole = np.rint(steps / _DAY_S)
    weekends = (whole == 3).sum()
    expected = steps.sum() / (7 * _DAY_S)
    return bool(expected >= 1 and weekends >= 0.6 * expected and (whole == 2).mean() < 0.1)


def _business_days_lacking(steps: Array) -> Array:
    """Return the business days that lack in each step, by the weekday the pauses give."""
    days = np.concatenate([[0], np.cumsum(np.rint(steps / _DAY_S).astype(int))])
    weekend = np.flatnonzero(np.diff(days) == 3)
    friday = int(np.bincount(days[weekend] % 7).argmax()) if weekend.size else 4
    weekday = (days - friday + 4) % 7  # 4 = Friday
    return np.array(
        [_between(int(w), int(d)) for w, d in zip(weekday[:-1], np.diff(days), strict=True)]
    )


def _between(weekday: int, step: int) -> int:
    """Return how many business days lie strictly within a step that begins on a weekday."""
    weeks, rest = divmod(step - 1, 7)
    return 5 * weeks + sum((weekday + 1 + i) % 7 < 5 for i in range(rest))
