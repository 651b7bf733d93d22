"""Forecasters that see one series at a time: naive, seasonal naive, Naive2, Theta, ETS.

Theta and ETS are aeon's; the seasonal test and the classical decomposition around them are those of
the M4 competition, written here from its benchmark code's description. A series that is not
positive throughout is adjusted by differences where theirs is by ratios.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import ClassVar

import numpy as np

from tool_use_om.heads.contract.spec import HeadSpec, Param
from tool_use_om.heads.numeric.season import season_of
from tool_use_om.heads.samples.forecaster import LocalForecaster
from tool_use_om.heads.samples.problem import Problem

Array = np.ndarray
_Z90 = 1.645  # the competition's seasonality test is at 90 %
_REACH = 1000.0  # ranges of the history: what runs farther away than that has failed


# the words people use for a baseline
SAID = {"seasonal_naive": ("seasonal naive", "naive", "seasonal_naive", "baseline")}


def _spec(name: str, summary: str, good_at: str, bad_at: str, *params: Param) -> HeadSpec:
    return HeadSpec(
        name=name,
        task="forecast",
        summary=summary,
        good_at=good_at,
        bad_at=bad_at,
        labels_needed=0,
        params=params,
        said=SAID.get(name, ()),
    )


class Naive(LocalForecaster):
    """The last value again and again."""

    spec: ClassVar[HeadSpec] = _spec(
        "naive", "repeats the last value", "walks: prices, rates", "anything with a rhythm"
    )

    def _continued(self, series: Array, horizon: int, season: int) -> Array:  # noqa: ARG002  # one form for all
        return np.full(horizon, series[-1])


class SeasonalNaive(LocalForecaster):
    """The last whole season again and again; without a season, the last value."""

    spec: ClassVar[HeadSpec] = _spec(
        "seasonal_naive",
        "repeats the last season, else the last value",
        "strictly periodic signals; the bar that any forecast must beat",
        "noise: it repeats it too",
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
    )

    def _season(self, problem: Problem, series: Array) -> int:
        given = self.params["season_s"]
        if given is not None:
            return max(round(float(given) * problem.rate_hz), 1)
        return problem.season or season_of(series, float(self.params["min_strength"] or 0.0)) or 1

    def _continued(self, series: Array, horizon: int, season: int) -> Array:
        return seasonal_naive(series, horizon, season)


class _Adjusted(LocalForecaster):
    """A forecaster of what is left once a series' season is taken out.

    A season that the problem names is tested as in the M4 competition; one that was found in the
    series itself has been tested there.
    """

    def _seasonal(self, series: Array, season: int) -> bool:
        if self.season_known:
            return is_seasonal(series, season)
        return 1 < season <= 2 * len(series) // 3

    def _adjusted(
        self, history: Array, horizon: int, season: int, forecast: Callable[[Array, int], Array]
    ) -> Array:
        """Forecast the seasonally adjusted series, put the season back; as it is without one."""
        if not self._seasonal(history, season):
            return forecast(history, horizon)
        ratios = bool((history > 0).all())
        indices = seasonal_indices(history, season, ratios=ratios)
        ahead = indices[(len(history) + np.arange(horizon)) % season]
        own = indices[np.arange(len(history)) % season]
        points = forecast(history / own if ratios else history - own, horizon)
        return np.asarray(points * ahead if ratios else points + ahead)


class Naive2(_Adjusted):
    """The naive forecast of the seasonally adjusted series, its season put back."""

    spec: ClassVar[HeadSpec] = _spec(
        "naive2",
        "repeats the last value, seasonally adjusted",
        "short series with a season",
        "series with a trend",
    )

    def _continued(self, series: Array, horizon: int, season: int) -> Array:
        return self._adjusted(series, horizon, season, lambda y, h: np.full(h, y[-1]))


class Theta(_Adjusted):
    """The classical Theta method, aeon's (Assimakopoulos and Nikolopoulos, 2000)."""

    spec: ClassVar[HeadSpec] = _spec(
        "theta",
        "Theta method on each seasonally adjusted window",
        "few, short series with a drift",
        "fast rhythms; learns nothing from other windows",
    )

    def _continued(self, series: Array, horizon: int, season: int) -> Array:
        from aeon.forecasting import stats

        if len(series) < 4 or np.ptp(series) <= 0:
            return np.full(horizon, series[-1])
        found = self._adjusted(
            series, horizon, season, lambda y, h: np.asarray(stats.Theta().iterative_forecast(y, h))
        )
        return found if _sane(found, series) else seasonal_naive(series, horizon, season)


class ETS(_Adjusted):
    """Exponential smoothing, aeon's, its form chosen by AIC (Hyndman et al., 2008).

    Tried: no or additive trend, and where the seasonality test finds the season an additive or
    (for positive series) multiplicative one. Where a fit runs away (a value that is no number, or
    far outside the history) it does not count; without any the seasonal naive forecast stands.
    """

    spec: ClassVar[HeadSpec] = _spec(
        "ets",
        "exponential smoothing of each window, its form chosen by AIC",
        "few, short series whose level moves",
        "fast rhythms; learns nothing from other windows",
    )

    def _continued(self, series: Array, horizon: int, season: int) -> Array:
        if 3 * season > len(series):  # too few seasons to smooth by phase: taken out as a whole
            return self._adjusted(series, horizon, season, lambda y, h: _ets(y, h, 1))
        return _ets(series, horizon, season if self._seasonal(series, season) else 1)


def seasonal_naive(history: Array, horizon: int, season: int) -> Array:
    """Return the last whole season again and again (H,)."""
    return np.resize(history[-min(season, len(history)) :], horizon)


def _ets(series: Array, horizon: int, period: int) -> Array:
    """Return the forecast of the form with the least AIC among those that stay in reach."""
    best, best_aic = seasonal_naive(series, horizon, period), np.inf
    if len(series) < 4 or np.ptp(series) <= 0:
        return best
    for trend, kind in product((None, "additive"), _season_kinds(series, period)):
        found, aic = _ets_fit(series, horizon, trend, kind, period)
        if _sane(found, series) and aic < best_aic:
            best, best_aic = found, aic
    return best


def _season_kinds(history: Array, period: int) -> tuple[str | None, ...]:
    if period == 1:
        return (None,)
    return ("additive", "multiplicative") if (history > 0).all() else ("additive",)


def _ets_fit(
    history: Array, horizon: int, trend: str | None, kind: str | None, period: int
) -> tuple[Array, float]:
    from aeon.forecasting import stats

    model = stats.ETS(
        error_type="additive", trend_type=trend, seasonality_type=kind, seasonal_period=period
    )
    found = np.asarray(model.iterative_forecast(history, horizon), dtype=np.float64)
    return found, float(model.aic_)


def _sane(found: Array, history: Array) -> bool:
    """Return whether a forecast is made of numbers, none far outside its history."""
    reach = _REACH * max(float(np.ptp(history)), 1e-12)
    return bool(np.isfinite(found).all() and np.abs(found - history.mean()).max() < reach)


def is_seasonal(history: Array, season: int) -> bool:
    """Return whether the autocorrelation at the season stands out (M4's test, 90 %)."""
    if season < 2 or len(history) < 3 * season:
        return False
    centred = history - history.mean()
    energy = float((centred**2).sum())
    if energy <= 0:
        return False
    lags = np.array([(centred[k:] * centred[:-k]).sum() / energy for k in range(1, season + 1)])
    limit = _Z90 * np.sqrt((1 + 2 * (lags[:-1] ** 2).sum()) / len(history))
    return bool(abs(lags[-1]) > limit)


def seasonal_indices(history: Array, season: int, *, ratios: bool = True) -> Array:
    """Return (season,) indices, the first for the first sample: ratios of mean 1, or differences.

    Classical decomposition: ratios to (differences from) the centred moving average of one season,
    averaged by phase; the mean of differences is 0. Of less than two seasons, the series' mean
    takes the place of the moving average.
    """
    kernel = np.full(season, 1 / season)
    if season % 2 == 0:
        kernel = np.concatenate([[0.5], np.ones(season - 1), [0.5]]) / season
    trend, first = np.full(len(history), history.mean()), 0
    if len(history) >= len(kernel) + season - 1:
        trend, first = np.convolve(history, kernel, mode="valid"), len(kernel) // 2
    seen = history[first : first + len(trend)]
    rest = seen / trend if ratios else seen - trend
    phase = (first + np.arange(len(rest))) % season
    indices = np.array([rest[phase == p].mean() for p in range(season)])
    return np.asarray(indices / indices.mean() if ratios else indices - indices.mean())
