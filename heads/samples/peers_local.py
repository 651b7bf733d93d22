"""Forecasters that see one series at a time: naive, seasonal naive, Naive2, Theta, ETS.

Theta and ETS are aeon's; the seasonal test and the classical decomposition around them are those of
the M4 competition, written here from its benchmark code's description.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import numpy as np

Array = np.ndarray
_Z90 = 1.645  # the competition's seasonality test is at 90 %
Local = Callable[[Array, int, int], Array]


def naive(history: Array, horizon: int, season: int) -> Array:  # noqa: ARG001  # all take alike
    """Return the last value again and again (H,)."""
    return np.full(horizon, history[-1])


def seasonal_naive(history: Array, horizon: int, season: int) -> Array:
    """Return the last whole season again and again (H,)."""
    return np.resize(history[-min(season, len(history)) :], horizon)


def naive2(history: Array, horizon: int, season: int) -> Array:
    """Return the naive forecast of the seasonally adjusted series, its season put back (H,)."""
    return _adjusted(history, horizon, season, lambda y, h: naive(y, h, 1))


def theta(history: Array, horizon: int, season: int) -> Array:
    """Return the classical Theta forecast of the adjusted series (H,), aeon's Theta.

    Source: Assimakopoulos and Nikolopoulos (2000); adjusted as the M4 benchmark was.
    """
    from aeon.forecasting.stats import Theta

    return _adjusted(
        history, horizon, season, lambda y, h: np.asarray(Theta().iterative_forecast(y, h))
    )


def ets(history: Array, horizon: int, season: int) -> Array:
    """Return exponential smoothing's forecast, the form chosen by AIC (H,), aeon's ETS.

    Tried: no or additive trend, and where the seasonality test finds the season an additive or
    (for positive series) multiplicative one. Where a fit runs away (a value that is no number, or
    far outside the history) it does not count; without any the seasonal naive forecast stands.
    """
    period = season if is_seasonal(history, season) else 1
    best, best_aic = seasonal_naive(history, horizon, period), np.inf
    for trend, kind in product((None, "additive"), _season_kinds(history, period)):
        found, aic = _ets_fit(history, horizon, trend, kind, period)
        sane = np.isfinite(found).all() and np.abs(found - history.mean()).max() < _reach(history)
        if sane and aic < best_aic:
            best, best_aic = found, aic
    return best


def _season_kinds(history: Array, period: int) -> tuple[str | None, ...]:
    if period == 1:
        return (None,)
    return ("additive", "multiplicative") if (history > 0).all() else ("additive",)


def _ets_fit(
    history: Array, horizon: int, trend: str | None, kind: str | None, period: int
) -> tuple[Array, float]:
    from aeon.forecasting.stats import ETS

    model = ETS(
        error_type="additive", trend_type=trend, seasonality_type=kind, seasonal_period=period
    )
    found = np.asarray(model.iterative_forecast(history, horizon), dtype=np.float64)
    return found, float(model.aic_)


def _reach(history: Array) -> float:
    return 1000 * max(float(np.ptp(history)), 1e-12)


LOCAL: Mapping[str, Local] = {
    "naive": naive,
    "seasonal_naive": seasonal_naive,
    "naive2": naive2,
    "theta": theta,
    "ets": ets,
}


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


def seasonal_indices(history: Array, season: int) -> Array:
    """Return (season,) multiplicative indices of mean 1, the first for the first sample.

    Classical decomposition: ratios to the centred moving average of one season, averaged by phase.
    """
    kernel = np.full(season, 1 / season)
    if season % 2 == 0:
        kernel = np.concatenate([[0.5], np.ones(season - 1), [0.5]]) / season
    trend = np.convolve(history, kernel, mode="valid")
    first = len(kernel) // 2
    ratio = history[first : first + len(trend)] / trend
    phase = (first + np.arange(len(ratio))) % season
    indices = np.array([ratio[phase == p].mean() for p in range(season)])
    normed: Array = indices / indices.mean()
    return normed


def _adjusted(
    history: Array, horizon: int, season: int, forecast: Callable[[Array, int], Array]
) -> Array:
    """Forecast the seasonally adjusted series and put the season back; as it is without one."""
    if not (history > 0).all() or not is_seasonal(history, season):
        return forecast(history, horizon)
    indices = seasonal_indices(history, season)
    ahead = indices[(len(history) + np.arange(horizon)) % season]
    adjusted = history / indices[np.arange(len(history)) % season]
    points: Array = forecast(adjusted, horizon) * ahead
    return points
