"""How often a movement repeats: steps or strokes a second, with how sure one can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.numeric.season import autocorrelation

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
# How much better a longer period must repeat before it is believed: so much, or this share of what
# the shorter one leaves unexplained (a near-perfect repeat can hardly gain 0.15).
_SUBHARMONIC_GAIN, _SUBHARMONIC_SHARE = 0.15, 0.25


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
    replaces it when the signal clearly repeats better there: then the peak was a harmonic. The peak
    of the autocorrelation near the period refines it. What repeats depends on where the sensor is:
    on a wrist it is the arm's swing, once a stride, which is half the rate of the steps.

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


def _window_cadence(
    values: Array, mask: Array, rate_hz: float, band: tuple[float, float]
) -> tuple[float, float]:
    prepared = [_prepared(v, m) for v, m in zip(values, mask, strict=True)]
    series = [s for s in prepared if s is not None]
    if not series:
        return float("nan"), 0.0
    length = min(len(s) for s in series)
    stack = np.stack([s[:length] for s in series])
    weight = _repeatability(stack)
    correlation = (weight[:, None] * np.stack([autocorrelation(s) for s in stack])).sum(axis=0)
    period = rate_hz / _spectral_peak(stack * np.sqrt(weight)[:, None], rate_hz, band)
    best = _period(correlation, period, rate_hz / band[0])
    refined, strength = _refine(correlation, best)
    return float(rate_hz / refined), float(np.clip(strength, 0.0, 1.0))


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


def _repeatability(stack: Array) -> Array:
    """Return weights that sum to 1 and favour channels that repeat."""
    peaks = []
    for series in stack:
        correlation = autocorrelation(series)[: 2 * len(series) // 3]
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


def _period(correlation: Array, period: float, longest: float) -> float:
    """Return `period`, or two or three times it where the signal repeats clearly better."""
    best, strength = period, _refine(correlation, period)[1]
    for multiple in (2, 3):
        longer = multiple * period
        if longer > min(longest, 0.6 * len(correlation)):
            break
        found = _refine(correlation, longer)[1]
        gain = min(_SUBHARMONIC_GAIN, _SUBHARMONIC_SHARE * max(1.0 - strength, 0.0))
        if found > strength + gain:
            best, strength = longer, found
    return best


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
