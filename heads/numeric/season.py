"""How long one cycle of a series is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
_LEAST = 8  # samples below which nothing repeats
_MOST_BINS = 48  # parts a cycle is looked at in
_SEEN = 3  # cycles that must have been seen
_NOISE = 3.5  # deviations that noise does not reach
_FORETOLD = 0.15  # share of the variance that other cycles must foretell
_NEARLY = 0.9  # of the peak's height: a shorter period that reaches it is the cycle


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


def autocorrelation(series: Array, finer: int = 1) -> Array:
    """Return the autocorrelation at lags 0, 1, … with each lag's own overlap and scale.

    Parameters
    ----------
    finer : lags between samples as well, so many a sample, by band-limited interpolation: where a
        period is a few samples, its peak lies between them
    """
    n = len(series)
    centred = series - series.mean()
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    products = finer * np.fft.irfft(spectrum * np.conj(spectrum), finer * size)
    products = products[: finer * (n - 1) + 1]
    squares = np.concatenate([[0.0], np.cumsum(centred**2)])
    lags = np.arange(products.size) / finer
    places = np.arange(n + 1)
    behind, before = (np.interp(at, places, squares) for at in (lags, n - lags))
    energy = np.sqrt((squares[n] - behind) * before)
    floor = 1e-12 * max(float(squares[n]), 1e-30)
    correlation: Array = np.where(energy > floor, products / np.maximum(energy, floor), 0.0)
    return correlation


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """A cycle of a series: its length, and how much of the series it explains.

    `strength` is the share of the variance (its straight line left out) that the mean cycle of the
    other cycles foretells, in [0, 1]; `n_cycles` how often it was seen.
    """

    period_s: float
    strength: float
    n_cycles: float


def cycle_strength(
    time_s: Array, values: Array, period_s: float, *, without_s: float | None = None
) -> Cycle:
    """Return how strongly a series repeats every `period_s`, each cycle judged by the others.

    Parameters
    ----------
    time_s : (n,) seconds, rising; need not be even
    values : (n,) NaN = missing
    without_s : length of a shorter cycle whose mean is taken out first, so that a week is told
        from seven days that are alike
    """
    known = ~np.isnan(values)
    time, series = time_s[known], _without_line(time_s[known], values[known].astype(np.float64))
    seen = float(time[-1] - time[0]) / period_s if time.size > 1 else 0.0
    if without_s is not None and time.size:
        phase = _phase(time, without_s)
        series = series - _means(phase, series)[phase]
    none = Cycle(period_s=period_s, strength=0.0, n_cycles=seen)
    total = float(series @ series)
    if seen < 2 or time.size < _LEAST or total <= 1e-12 * time.size:
        return none
    phase = _phase(time, period_s)
    number = np.floor((time - time[0]) / period_s).astype(int)
    cells = number * (int(phase.max()) + 1) + phase
    sums, counts = np.bincount(phase, series), np.bincount(phase)
    own, held = np.bincount(cells, series), np.bincount(cells)
    others = counts[phase] - held[cells]
    usable = others > 0
    if usable.sum() < _LEAST:
        return none
    foretold = (sums[phase] - own[cells])[usable] / others[usable]
    here = series[usable]
    rest = float(((here - foretold) ** 2).sum())
    share = 1.0 - rest / max(float(here @ here), 1e-300)
    return Cycle(period_s=period_s, strength=float(np.clip(share, 0.0, 1.0)), n_cycles=seen)


def main_cycle(series: Array, rate_hz: float, least_strength: float = 0.3) -> Cycle | None:
    """Return the shortest period after which an even series (n,) clearly repeats; None without one.

    It is the first peak of the autocorrelation past its first zero that is nearly as high as the
    highest, so that a cycle is not doubled. It counts if three cycles are seen and each is foretold
    by the others (`cycle_strength`).
    """
    filled = _filled(series)
    if filled is None:
        return None
    rest = _without_line(np.arange(len(filled)), filled)
    if np.abs(rest).max() <= 4 * np.finfo(np.float32).eps * np.abs(filled).max():
        return None  # a line: what is left is how its values were rounded, which repeats
    correlation = autocorrelation(rest)
    below = np.flatnonzero(correlation < 0)
    first = int(below[0]) if below.size else len(filled)
    lags = np.arange(max(first, 2), len(filled) // _SEEN)
    middle = correlation[lags]
    high = lags[(correlation[lags - 1] < middle) & (middle >= correlation[lags + 1])]
    if not high.size or correlation[high].max() < least_strength:
        return None
    nearly = high[correlation[high] >= _NEARLY * correlation[high].max()]
    best, height = _peak_near(correlation, float(nearly[0]))
    if height < max(least_strength, _NOISE / np.sqrt(len(filled) - best)):
        return None
    own = cycle_strength(np.arange(len(filled)) / rate_hz, filled, best / rate_hz)
    return own if own.strength >= _FORETOLD else None


def _peak_near(correlation: Array, lag: float) -> tuple[float, float]:
    """Return the peak of the correlation within 10 % of a lag, between samples by a parabola."""
    reach = max(1.0, 0.1 * lag)
    first, last = max(1, int(lag - reach)), min(len(correlation) - 2, int(np.ceil(lag + reach)))
    if last < first:
        return lag, 0.0
    at = first + int(correlation[first : last + 1].argmax())
    left, middle, right = correlation[at - 1 : at + 2]
    if not (left <= middle >= right):
        return lag, 0.0  # a slope, not a peak
    bend = left - 2 * middle + right
    shift = float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
    return at + shift, float(middle - 0.25 * (left - right) * shift)


def _filled(series: Array) -> Array | None:
    """Return the series with what is missing bridged; None where most is missing or it rests."""
    known = np.flatnonzero(~np.isnan(series))
    if known.size < max(_LEAST, len(series) / 2):
        return None
    whole: Array = np.interp(np.arange(len(series)), known, series[known].astype(np.float64))
    return whole if whole.std() > 1e-9 * (1.0 + np.abs(whole).max()) else None


def _phase(time: Array, period_s: float) -> Array:
    """Return each moment's place in its cycle: bins about as long as a step, at most 48."""
    steps = np.diff(time)
    step = float(np.median(steps)) if steps.size else period_s
    bins = int(np.clip(round(period_s / max(step, 1e-12)), 2, _MOST_BINS))
    # the middle of a step decides, so that a moment on an edge falls on no side by rounding
    place = np.mod(time + 0.5 * min(step, period_s / bins), period_s) / period_s
    found: Array = np.minimum((place * bins).astype(int), bins - 1)
    return found


def _means(phase: Array, series: Array) -> Array:
    counts = np.bincount(phase)
    found: Array = np.bincount(phase, series) / np.maximum(counts, 1)
    return found


def _without_line(time: Array, series: Array) -> Array:
    centred = time - time.mean() if time.size else time
    spread = float(centred @ centred)
    level = series - series.mean() if series.size else series
    found: Array = level - centred * (float(centred @ level) / spread) if spread > 0 else level
    return found
