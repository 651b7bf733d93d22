"""A forecasting problem: series, where forecasts start, and what they may learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Where windows lie; a row is (series, first sample that is forecast).

    Parameters
    ----------
    fit, check, judge : (n, 2) int; `check` chooses settings, and is fitted on after that
    """

    fit: Array
    check: Array
    judge: Array


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What every forecaster of one comparison gets.

    Parameters
    ----------
    name : str
    series : (C, T) float64 each, in the units errors are measured in; NaN = missing
    session_ids : one a series
    channels : C channel ids
    rate_hz : float
    context, horizon : samples
    season : samples; 0 = not known, then each history's own is looked for
    folds : those of a walk forward are in order of time; else there is one
    groups : for each judged window, over all folds, what the bootstrap keeps together
    rule : how the folds were made, in words
    usual_scale : (2, C) mean and deviation of what may be learned from, one a series; without it
        the series are comparable as they are: 0 and 1
    whole : models of single series read all that came before, not the context alone
    """

    name: str
    series: tuple[Array, ...]
    session_ids: tuple[str, ...]
    channels: tuple[str, ...]
    rate_hz: float
    context: int
    horizon: int
    season: int
    folds: tuple[Fold, ...]
    groups: Array
    rule: str
    usual_scale: tuple[Array, ...] = ()
    whole: bool = False

    @property
    def judged(self) -> Array:
        """All judged windows (n, 2), fold after fold."""
        return np.concatenate([fold.judge for fold in self.folds])

    def thinned(self, every: int) -> Problem:
        """Return the problem with every so many-th judged window of each fold, the first one in."""
        edges = np.cumsum([0, *(len(fold.judge) for fold in self.folds)])
        groups = [self.groups[a:b][::every] for a, b in pairwise(edges)]
        return replace(
            self,
            folds=tuple(replace(fold, judge=fold.judge[::every]) for fold in self.folds),
            groups=np.concatenate(groups),
            rule=f"{self.rule}; judged on one window in {every}" if every > 1 else self.rule,
        )

    def windows(self, origins: Array) -> Array:
        """Return what comes before each origin (n, C, context), gaps filled by straight lines."""
        return filled(self.measured(origins))

    def measured(self, origins: Array) -> Array:
        """Return what comes before each origin (n, C, context); NaN = missing."""
        return self._cut(origins, -self.context, self.context)

    def futures(self, origins: Array) -> Array:
        """Return what comes from each origin on (n, C, horizon); NaN = missing."""
        return self._cut(origins, 0, self.horizon)

    def usual(self, origins: Array) -> tuple[Array, Array]:
        """Return the usual mean and scale (n, C, 1) of the series of each origin."""
        shape = (len(origins), len(self.channels), 1)
        if not self.usual_scale:
            return np.zeros(shape), np.ones(shape)
        rows = np.stack([self.usual_scale[at] for at in origins[:, 0].tolist()])
        return rows[:, 0, :, None], rows[:, 1, :, None]

    def history(self, origin: Array) -> Array:
        """Return all of a series before one origin (C, n), gaps filled by straight lines."""
        return filled(self.series[int(origin[0])][:, : int(origin[1])])

    def before(self, origin: Array) -> Array:
        """Return what a model of single series reads (C, n): see `whole`; gaps filled.

        Nothing stands in front of the first sample that any channel has.
        """
        at, end = int(origin[0]), int(origin[1])
        seen = self.series[at][:, 0 if self.whole else max(end - self.context, 0) : end]
        known = np.flatnonzero(np.isfinite(seen).any(axis=0))
        return filled(seen[:, known[0] :] if len(known) else seen)

    def _cut(self, origins: Array, shift: int, length: int) -> Array:
        cut = np.full((len(origins), len(self.channels), length), np.nan)
        for row, (at, origin) in enumerate(origins.tolist()):
            there = self.series[at][:, origin + shift : origin + shift + length]
            cut[row, :, : there.shape[1]] = there
        return cut


def filled(values: Array) -> Array:
    """Return (..., T) with gaps bridged by straight lines; 0 where a row holds nothing."""
    if np.isfinite(values).all():
        return values
    rows = values.reshape(-1, values.shape[-1]).copy()
    at = np.arange(rows.shape[1])
    for row in rows:
        known = np.isfinite(row)
        row[:] = np.interp(at, at[known], row[known]) if known.any() else 0.0
    return rows.reshape(values.shape)


def origins_of(at: int, first: int, last: int, step: int = 1) -> Array:
    """Return the (n, 2) origins of one series from `first` to `last`, both included."""
    origins = np.arange(first, last + 1, step)
    return np.column_stack([np.full(len(origins), at), origins]).astype(np.int64)
