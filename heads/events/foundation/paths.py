"""P(event) from a forecast distribution: the quantiles of single steps, joined to whole paths.

Whether any of several steps reaches a level depends on how the steps go together, which quantiles
of single steps do not say. They are joined as those of a random walk are: the normal scores of
steps i < j correlate by sqrt(i / j). With one step there is nothing to join, and the probability is
the quantile function read backwards.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from tool_use_om.heads.events.event import Direction

Array = np.ndarray
_PATHS = 1000


def chance_of_reaching(
    quantiles: Array, at: Array, levels: Array, direction: Direction, *, seed: int = 0
) -> Array:
    """Return (n,) P(some step is at or beyond the level).

    Between quantiles the value is linear in the normal score, and beyond the outer ones it goes on
    with the slope that it has there.

    Parameters
    ----------
    quantiles : (n, H, Q) values of each step
    at : (Q,) their probabilities, increasing, none 0 or 1
    levels : (n,) in the same unit
    """
    values = np.sort(np.asarray(quantiles, dtype=np.float64), axis=2)
    n, steps, _ = values.shape
    if direction == "below":
        values, levels, at = -values[:, :, ::-1], -levels, 1.0 - at[::-1]
    scores = ndtri(at)
    needed = np.stack([_score_of(values[:, h], scores, levels) for h in range(steps)], axis=1)
    if steps == 1:
        reached: Array = 1.0 - ndtr(needed[:, 0])
        return reached
    time = np.arange(1, steps + 1)
    walk = np.random.default_rng(seed).standard_normal((_PATHS, steps)).cumsum(axis=1)
    paths = walk / np.sqrt(time)  # (paths, H) normal scores
    return np.array([(paths >= row).any(axis=1).mean() for row in needed]).reshape(n)


def _score_of(values: Array, scores: Array, levels: Array) -> Array:
    """Return the (n,) normal scores at which (n, Q) quantiles reach the levels."""
    right = np.clip((values < levels[:, None]).sum(axis=1), 1, len(scores) - 1)
    rows = np.arange(len(values))
    low, high = values[rows, right - 1], values[rows, right]
    slope = (scores[right] - scores[right - 1]) / np.maximum(high - low, 1e-12)
    found: Array = np.clip(scores[right - 1] + slope * (levels - low), -8.0, 8.0)
    return found
