"""The honesty check of every forecast: what was a season ago comes again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tool_use_om.heads.contract.spec import HeadSpec, Param
from tool_use_om.heads.forecast.base import ForecastHead
from tool_use_om.heads.forecast.batch import (
    ForecastBatch,
    error_quantiles,
    normalisation,
    normalised_context,
)
from tool_use_om.heads.numeric.season import Array, season_of

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch


class SeasonalNaive(ForecastHead):
    """Repeat the last season of each window and channel; without a season, its last value.

    The season is the lag of the highest autocorrelation peak, if it reaches `min_strength`.
    Quantiles add the spread of the fitted windows' errors at the same step, in units of each
    window's own scale.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="seasonal_naive",
        task="forecast",
        summary="repeats the last season, else the last value",
        good_at="strictly periodic signals; the bar that any forecast must beat",
        bad_at="noise: it repeats it too",
        labels_needed=0,
        said=("seasonal naive", "naive", "seasonal_naive", "baseline"),
        params=(
            Param(
                name="season_s",
                kind="float",
                default=None,
                low=1e-3,
                high=1e7,
                description="the season in seconds",
            ),
            Param(
                name="min_strength",
                kind="float",
                default=0.3,
                low=0.0,
                high=1.0,
                description="autocorrelation from which a season is believed",
            ),
        ),
    )
    errors_: Array  # (H, len(LEVELS)) quantiles of the normalised errors

    def _fit(self, batch: ForecastBatch) -> None:
        truth = batch.truth(self.channels_, self.max_steps_)
        mean, scale = normalisation(batch.windows, self._columns())
        wanted = (truth - mean[..., None]) / scale[..., None]
        self.errors_ = error_quantiles(wanted - self._points(batch.windows, self.max_steps_))

    def _predict(self, batch: ForecastBatch, n_steps: int) -> Array:
        mean, scale = normalisation(batch.windows, self._columns())
        points = self._points(batch.windows, n_steps)
        spread = points[..., None] + self.errors_[:n_steps]
        quantiles: Array = mean[..., None, None] + scale[..., None, None] * spread
        return quantiles

    def _points(self, windows: WindowBatch, n_steps: int) -> Array:
        """Return (B, C, n_steps) normalised point forecasts."""
        context = normalised_context(windows, self._columns())
        n_valid = np.any(windows.mask[:, self._columns()], axis=1)
        points = np.empty((*context.shape[:2], n_steps))
        for row, channels in enumerate(context):
            last = int(np.flatnonzero(n_valid[row]).max()) + 1
            for column, series in enumerate(channels):
                season = self._season(series[:last])
                points[row, column] = np.resize(series[last - season : last], n_steps)
        return points

    def _season(self, series: Array) -> int:
        given = self.params["season_s"]
        if given is not None:
            return int(np.clip(round(float(given) * self.rate_hz_), 1, len(series)))
        return season_of(series, self._float("min_strength")) or 1
