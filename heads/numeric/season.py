"""How long one cycle of a series is."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def season_of(series: Array, min_strength: float = 0.3) -> int | None:
    """Return the lag, in samples, of the highest autocorrelation peak; None without a clear one.

    Lags run from 2 to two thirds of the series, so that at least half a season is seen twice.
    """
    correlation = autocorrelation(series)
    lags = np.arange(2, max(2, 2 * len(series) // 3))
    lags = lags[lags + 1 < len(correlation)]
    peaks = [lag for lag in lags if correlation[lag - 1] < correlation[lag] >= correlation[lag + 1]]
    if not peaks:
        return None
    best = max(peaks, key=lambda lag: correlation[lag])
    return int(best) if correlation[best] >= min_strength else None


def autocorrelation(series: Array) -> Array:
    """Return the autocorrelation at lags 0, 1, … with each lag's own overlap and scale."""
    n = len(series)
    centred = series - series.mean()
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    products = np.fft.irfft(spectrum * np.conj(spectrum), size)[:n]
    squares = np.concatenate([[0.0], np.cumsum(centred**2)])
    lags = np.arange(n)
    energy = np.sqrt((squares[n] - squares[lags]) * squares[n - lags])
    floor = 1e-12 * max(float(squares[n]), 1e-30)
    correlation: Array = np.where(energy > floor, products / np.maximum(energy, floor), 0.0)
    return correlation
