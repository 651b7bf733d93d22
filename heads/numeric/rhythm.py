"""How often a movement repeats: steps or strokes a second, with how sure one can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.numeric.season import autocorrelation

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
_BY_CHANCE = 1e-3  # a longer period must be less likely than that to be noise
_WORTH = 0.05  # share of the variance that a longer period must add
_HARMONICS = 4
_FREE = 8  # samples that must be left to judge by
_LAGS_A_PERIOD = 32  # at the highest frequency: fewer miss the peak between two samples


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """The rhythm of each window.

    Parameters
    ----------
    hz : (B,) repetitions a second; NaN where nothing repeats
    strength : (B,) autocorrelation at that period, in [0, 1]; short windows of noise reach 0.4
    """

    hz: Array
    strength: Array


def cadence(
    batch: WindowBatch, *, low_hz: float = 0.4, high_hz: float = 5.0, min_strength: float = 0.5
) -> Cadence:
    """Measure the cadence of each window over all its channels together.

    The highest peak of the summed spectrum proposes a period. A period two or three times as long
    replaces it when the signal holds parts that only this repeats: then the peak was a harmonic.
    The peak of the autocorrelation near the period refines it. What repeats depends on where the
    sensor is: on a wrist it is the arm's swing, once a stride, which is half the rate of the steps.

    Parameters
    ----------
    batch : WindowBatch; channels of different units may be mixed, each is scaled by itself
    min_strength : below this strength a window has no cadence
    low_hz, high_hz : where to look; the upper end is lowered to 45 % of the sampling rate

    Raises
    ------
    DataError : windows too short for two periods of the highest frequency
    """
    top = min(high_hz, 0.45 * batch.rate_hz)
    if low_hz >= top or batch.values.shape[2] < 4 * batch.rate_hz / top:
        raise DataError(
            f"Cadence needs at least {4 / top:.2g} s of signal and a band below 45 % of the rate "
            f"({batch.rate_hz:g} Hz). Choose longer windows or a lower low_hz."
        )
    pairs = [
        _window_cadence(v, m, batch.rate_hz, (low_hz, top))
        for v, m in zip(batch.values, batch.mask, strict=True)
    ]
    hz, strength = (np.array(column) for column in zip(*pairs, strict=True))
    return Cadence(hz=np.where(strength >= min_strength, hz, np.nan), strength=strength)


def cadence_of(
    values: Array,
    rate_hz: float,
    *,
    low_hz: float = 0.4,
    high_hz: float = 5.0,
    min_strength: float = 0.5,
) -> float:
    """Return the cadence in Hz of one stretch over all its channels, as `cadence`; NaN where none.

    Parameters
    ----------
    values : (C, n) samples, NaN = missing
    """
    top = min(high_hz, 0.45 * rate_hz)
    if low_hz >= top or values.shape[1] < 4 * rate_hz / top:
        return float("nan")
    known = np.isfinite(values)
    hz, strength = _window_cadence(np.where(known, values, 0.0), known, rate_hz, (low_hz, top))
    return hz if strength >= min_strength else float("nan")


def beat_of(values: Array, rate_hz: float, *, low_hz: float = 0.4, high_hz: float = 5.0) -> float:
    """Return the strongest frequency in Hz of one stretch over all its channels; NaN where none.

    Of a walk it is the steps where the whole repeats once a stride.

    Parameters
    ----------
    values : (C, n) samples, NaN = missing
    """
    top = min(high_hz, 0.45 * rate_hz)
    known = np.isfinite(values)
    prepared = [_prepared(v, k) for v, k in zip(np.where(known, values, 0.0), known, strict=True)]
    series = [s for s in prepared if s is not None]
    if low_hz >= top or not series:
        return float("nan")
    length = min(len(s) for s in series)
    stack = np.stack([s[:length] for s in series])
    weight = _repeatability(np.stack([autocorrelation(s, 1) for s in stack]))
    return _spectral_peak(stack * np.sqrt(weight)[:, None], rate_hz, (low_hz, top))


def _window_cadence(
    values: Array, mask: Array, rate_hz: float, band: tuple[float, float]
) -> tuple[float, float]:
    prepared = [_prepared(v, m) for v, m in zip(values, mask, strict=True)]
    series = [s for s in prepared if s is not None]
    if not series:
        return float("nan"), 0.0
    length = min(len(s) for s in series)
    stack = np.stack([s[:length] for s in series])
    finer = int(np.ceil(_LAGS_A_PERIOD * band[1] / rate_hz))
    each = np.stack([autocorrelation(s, finer) for s in stack])
    weight = _repeatability(each)
    correlation = (weight[:, None] * each).sum(axis=0)
    fine_hz = finer * rate_hz
    period = fine_hz / _spectral_peak(stack * np.sqrt(weight)[:, None], rate_hz, band)
    scaled = stack * np.sqrt(weight)[:, None]
    best = _period(correlation, scaled, period, fine_hz / band[0], finer)
    refined, strength = _refine(correlation, best)
    return float(fine_hz / refined), float(np.clip(strength, 0.0, 1.0))


def _prepared(values: Array, mask: Array) -> Array | None:
    """Return the valid stretch, without its line and scaled; None when nothing moves."""
    valid = np.flatnonzero(mask)
    if len(valid) < 8:
        return None
    stretch = np.arange(valid[0], valid[-1] + 1)
    series = np.interp(stretch, valid, values[valid].astype(np.float64))
    centred_time = stretch - stretch.mean()
    series -= series.mean() + centred_time * (centred_time @ series) / (centred_time**2).sum()
    scale = series.std()
    moves = scale > 1e-9 * (1.0 + float(np.abs(values[valid]).max()))
    return series / scale if moves else None


def _repeatability(each: Array) -> Array:
    """Return weights that sum to 1 and favour channels that repeat, from their correlations."""
    peaks = []
    for whole in each:
        correlation = whole[: 2 * len(whole) // 3]
        below = np.flatnonzero(correlation < 0)
        tail = correlation[below[0] :] if len(below) else correlation[:0]
        peaks.append(max(float(tail.max(initial=0.0)), 1e-3))
    weights = np.square(peaks)
    shares: Array = weights / weights.sum()
    return shares


def _spectral_peak(stack: Array, rate_hz: float, band: tuple[float, float]) -> float:
    n = stack.shape[1]
    size = 8 * (1 << (n - 1).bit_length())
    power = (np.abs(np.fft.rfft(stack * np.hanning(n), size)) ** 2).sum(axis=0)
    frequency = np.fft.rfftfreq(size, 1.0 / rate_hz)
    power[(frequency < band[0]) | (frequency > band[1])] = 0.0
    return float(frequency[int(power.argmax())])


def _period(correlation: Array, series: Array, period: float, longest: float, finer: int) -> float:
    """Return `period`, or two or three times it where the signal truly repeats only then.

    Then it holds parts between the harmonics of the shorter period that noise does not explain.

    Parameters
    ----------
    correlation : autocorrelation, `finer` lags a sample
    series : (C, n) scaled channels
    period, longest : lags
    """
    best, strength = period, _refine(correlation, period)[1]
    shorter = _refine(correlation, period)[0] / finer
    for multiple in (2, 3):
        longer = multiple * period
        if longer > min(longest, 0.6 * len(correlation)):
            break
        place, found = _refine(correlation, longer)
        if found > strength and _between(series, shorter, multiple):
            best, strength, shorter = longer, found, place / finer / multiple
    return best


def _between(series: Array, period: float, multiple: int) -> bool:
    """Say whether there is more at the parts of a period than noise gives by chance (F test)."""
    from scipy.stats import f as fisher

    _, n = series.shape
    most = int(min(_HARMONICS, 0.45 * period)) * multiple
    own = [k for k in range(1, most + 1) if k % multiple == 0]
    other = [k for k in range(1, most + 1) if k % multiple]
    free = n - 1 - 2 * (len(own) + len(other))
    if not own or free < _FREE:
        return False
    base = _unexplained(series, [k / multiple / period for k in own])
    full = _unexplained(series, [k / multiple / period for k in (*own, *other)])
    whole = float((series**2).sum())
    extra = 2 * len(other)
    ratio = (base - full) / extra / max(full / free, 1e-12 * whole)
    return bool(base - full > _WORTH * whole and fisher.sf(ratio, extra, free) < _BY_CHANCE)


def _unexplained(series: Array, frequencies: Sequence[float]) -> float:
    """Return the squares that waves of these frequencies (per sample) leave."""
    time = np.arange(series.shape[1])
    waves = [f(2 * np.pi * hz * time) for hz in frequencies for f in (np.cos, np.sin)]
    design = np.stack([np.ones(len(time)), *waves], axis=1)
    solution, *_ = np.linalg.lstsq(design, series.T, rcond=None)
    return float(((series.T - design @ solution) ** 2).sum())


def _refine(correlation: Array, period: float) -> tuple[float, float]:
    """Return the correlation's peak within 15 % of `period`, between samples by a parabola."""
    reach = max(1.0, 0.15 * period)
    first = max(1, int(np.floor(period - reach)))
    last = min(len(correlation) - 2, int(np.ceil(period + reach)))
    if last < first:
        return period, 0.0
    lag = first + int(correlation[first : last + 1].argmax())
    left, middle, right = correlation[lag - 1 : lag + 2]
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
    shift = float(np.clip(shift, -0.5, 0.5))
    return lag + shift, float(middle - 0.25 * (left - right) * shift)
