"""Theta and exponential smoothing of each window by itself: aeon's, around a seasonal mean."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from tool_use_om.heads.contract.spec import HeadSpec
from tool_use_om.heads.numeric.season import season_of
from tool_use_om.heads.samples.forecaster import RawForecaster

Array = np.ndarray
_REACH = 10.0  # deviations of the window: a local fit that runs farther away has failed


class _Local(RawForecaster):
    """A method that learns nothing from other windows: only its errors are."""

    n_folds = 1

    def _learn(self, context: Array, wanted: Array) -> None:
        """Learn nothing."""

    def _points(self, context: Array, n_steps: int) -> Array:
        points = np.empty((*context.shape[:2], n_steps))
        for i, channels in enumerate(context):
            for j, series in enumerate(channels):
                points[i, j] = self._continued(series, n_steps)
        return points

    def _continued(self, series: Array, n_steps: int) -> Array:
        """Take the seasonal mean out, go on with the rest, put it back."""
        period = season_of(series)
        season = np.zeros(1)
        if period is not None and period > 1:
            season = np.array([series[k::period].mean() for k in range(period)])
            season -= season.mean()
        ahead = (len(series) + np.arange(n_steps)) % len(season)
        rest = series - np.resize(season, len(series))
        found = np.full(n_steps, rest[-1])
        if len(rest) >= 4 and np.ptp(rest) > 1e-9:
            said = np.asarray(self._method(rest, n_steps), dtype=np.float64)
            if np.isfinite(said).all() and np.abs(said).max() < _REACH:
                found = said
        continued: Array = found + season[ahead]
        return continued

    @abstractmethod
    def _method(self, series: Array, n_steps: int) -> Array:
        """Return (n_steps,) how a series without season goes on."""


class Theta(_Local):
    """The classical Theta method (Assimakopoulos and Nikolopoulos, 2000)."""

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="theta",
        task="forecast",
        summary="Theta method on each seasonally adjusted window",
        good_at="few, short series with a drift",
        bad_at="fast rhythms; learns nothing from other windows",
        labels_needed=0,
    )

    def _method(self, series: Array, n_steps: int) -> Array:
        from aeon.forecasting import stats

        return np.asarray(stats.Theta().iterative_forecast(series, n_steps))


class ETS(_Local):
    """Exponential smoothing with an additive trend (Hyndman et al., 2008)."""

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="ets",
        task="forecast",
        summary="exponential smoothing of each seasonally adjusted window",
        good_at="few, short series whose level moves",
        bad_at="fast rhythms; learns nothing from other windows",
        labels_needed=0,
    )

    def _method(self, series: Array, n_steps: int) -> Array:
        from aeon.forecasting import stats

        return np.asarray(stats.ETS(error_type="additive").iterative_forecast(series, n_steps))
