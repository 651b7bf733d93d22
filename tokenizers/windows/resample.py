"""Samples with time stamps → an even grid → another rate, with what is missing kept missing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Self

import numpy as np

from tool_use_om.data.errors import DataError

ON_GRID = 0.25  # samples; closer to the grid than this is taken as it is
NEIGHBOURS = 1.5  # samples; between time stamps farther apart lies a gap
MIN_STAMPS = 8
BRIDGED = 0.98  # of the spacings of irregular time stamps
MAX_DENOMINATOR = 1000
REACH = 10  # samples of the lower rate that the filter looks at to either side
_KAISER_BETA = 5.0


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How a signal's time stamps lie on the even grid.

    Parameters
    ----------
    phase_s : float, how long after the grid's steps the samples lie, at most half a step
    steady : bool, every sample is within a quarter of a step of its own place
    """

    phase_s: float = 0.0
    steady: bool = True

    @classmethod
    def of(cls, time_s: np.ndarray, rate_hz: float) -> Self:
        """Return the clock of samples at `time_s` (m,), seconds from the grid's start."""
        if not len(time_s):
            return cls()
        found = cls(phase_s=phase_s(time_s, rate_hz))
        return cls(phase_s=found.phase_s, steady=found.keeps(time_s, rate_hz))

    def keeps(self, time_s: np.ndarray, rate_hz: float) -> bool:
        """Tell whether samples at `time_s` (m,) lie on this clock, each on a place of its own."""
        position = (time_s - self.phase_s) * rate_hz
        slot = np.round(position)
        off = float(np.abs(position - slot).max(initial=0.0))
        return off < ON_GRID and bool((np.diff(slot) > 0).all())


def irregular(time_s: np.ndarray, rate_hz: float) -> tuple[float, float]:
    """Return the share of an even grid that time stamps leave empty, and how far to bridge.

    Parameters
    ----------
    time_s : ndarray (m,), increasing seconds
    rate_hz : float, the nominal rate

    Returns
    -------
    share of the steps between the first and the last stamp that no two neighbours enclose, 0 where
    the stamps are steady; seconds that `BRIDGED` of the spacings stay within
    """
    if len(time_s) < MIN_STAMPS or Clock.of(time_s, rate_hz).steady:
        return 0.0, 0.0
    apart = np.diff(time_s)
    wide = apart[apart * rate_hz > NEIGHBOURS] * rate_hz
    share = float(np.sum(wide - 1.0) / max((time_s[-1] - time_s[0]) * rate_hz, 1.0))
    return share, float(np.quantile(apart, BRIDGED))


def phase_s(time_s: np.ndarray, rate_hz: float) -> float:
    """Return how long after the grid's steps the samples (m,) lie, seconds, at most half a step."""
    if not len(time_s):
        return 0.0
    position = time_s * rate_hz
    return float(np.median(position - np.round(position))) / rate_hz


def to_grid(
    time_s: np.ndarray,
    values: np.ndarray,
    rate_hz: float,
    n: int,
    clock: Clock | None = None,
    *,
    bridge_s: float | None = None,
) -> np.ndarray:
    """Place samples on an even grid of n steps that starts at second 0.

    The grid may shift by up to half a sample to meet the signal's own phase, `phase_s` (a modality
    that starts late keeps its samples as they are). Steady time stamps are copied to their place.
    Jittering or drifting ones are read off the straight line between two neighbours no more than
    1.5 samples apart; anything wider is a gap and stays missing.

    Parameters
    ----------
    time_s : ndarray (m,) float64, increasing seconds
    values : ndarray (m, C), NaN = missing
    rate_hz : float, the nominal rate
    n : int, grid length
    clock : of the whole signal where these are a part of it; None = found from them
    bridge_s : gaps of unsteady time stamps up to so long are bridged by straight lines, too

    Returns
    -------
    ndarray (n, C) float32, NaN = missing
    """
    grid = np.full((n, values.shape[1]), np.nan, np.float32)
    if not len(time_s):
        return grid
    clock = clock or Clock.of(time_s, rate_hz)
    position = (time_s - clock.phase_s) * rate_hz
    if not clock.steady:
        return _between_neighbours(position, values, grid, (bridge_s or 0.0) * rate_hz)
    slot = np.round(position).astype(np.int64)
    inside = (slot >= 0) & (slot < n)
    grid[slot[inside]] = values[inside]
    return grid


def _between_neighbours(
    position: np.ndarray, values: np.ndarray, grid: np.ndarray, bridge: float
) -> np.ndarray:
    """Fill `grid` from samples at fractional positions (m,); gaps stay NaN.

    Parameters
    ----------
    bridge : samples; a gap no wider is none
    """
    slots = np.arange(len(grid))
    right = np.searchsorted(position, slots).clip(1, max(1, len(position) - 1))
    right = right.clip(max=len(position) - 1)
    left = (right - 1).clip(min=0)
    width = position[right] - position[left]
    weight = np.where(width > 0, (slots - position[left]) / np.where(width > 0, width, 1), 0)
    near = (
        (width <= max(NEIGHBOURS, bridge))
        & (weight > -NEIGHBOURS / 3)
        & (weight < 1 + NEIGHBOURS / 3)
    )
    weight = weight.clip(0, 1)[:, None]
    between = values[left] * (1 - weight) + values[right] * weight
    grid[near] = between[near]
    return grid


def rate_ratio(rate_in: float, rate_out: float) -> Fraction:
    """Return rate_out / rate_in as whole numbers up to 1000.

    Raises
    ------
    DataError : a rate that is not above 0, or a ratio beyond 1000
    """
    if not (rate_in > 0 and rate_out > 0 and np.isfinite(rate_in) and np.isfinite(rate_out)):
        raise DataError(f"Rates must be above 0 Hz; got {rate_in} to {rate_out}.")
    ratio = Fraction(rate_out / rate_in).limit_denominator(MAX_DENOMINATOR)
    if not 0 < ratio <= MAX_DENOMINATOR:
        raise DataError(
            f"Cannot resample from {rate_in:g} to {rate_out:g} Hz: rates may differ by a factor of "
            f"at most {MAX_DENOMINATOR}. Choose another target_rate_hz or fewer modalities."
        )
    return ratio


def resample(values: np.ndarray, rate_in: float, rate_out: float) -> np.ndarray:
    """Bring an even signal to another rate by polyphase filtering.

    Each stretch without a missing sample is filtered on its own, mirrored at its ends: no sample
    beyond a gap has a part in an output before it. An output that a missing input sample lies near
    (one sample of the lower rate to either side) is missing too. An output depends on the input
    within `REACH` samples of the lower rate and on nothing farther away.

    Parameters
    ----------
    values : ndarray (n, C), NaN = missing
    rate_in, rate_out : float, Hz, above 0

    Returns
    -------
    ndarray (about n * rate_out / rate_in, C) float32, NaN = missing

    Raises
    ------
    DataError : a rate that is not above 0, or a ratio beyond 1000

    Source: the filter is that of `scipy.signal.resample_poly` (Kaiser, beta 5), each phase scaled
    to sum to 1 so that a constant stays one.
    """
    ratio = rate_ratio(rate_in, rate_out)
    if ratio == 1 or not len(values):
        return values.astype(np.float32)
    n_out = -(-len(values) * ratio.numerator // ratio.denominator)
    out = np.full((n_out, values.shape[1]), np.nan, np.float32)
    missing = ~np.isfinite(values)
    alike: dict[bytes, list[int]] = {}  # columns that miss the same samples: most often all
    for column in range(values.shape[1]):
        alike.setdefault(missing[:, column].tobytes(), []).append(column)
    for columns in alike.values():
        absent = missing[:, columns[0]]
        kept = np.flatnonzero(~_near_missing(absent, ratio, n_out))
        if len(kept):
            place = np.ix_(kept, np.array(columns))
            out[place] = _filtered(values[:, columns], absent, ratio, kept)
    return out


def reach_samples(ratio: Fraction) -> int:
    """How many input samples to either side an output depends on."""
    return math.ceil(REACH * max(ratio.numerator, ratio.denominator) / ratio.numerator) + 1


def _filtered(
    values: np.ndarray, missing: np.ndarray, ratio: Fraction, kept: np.ndarray
) -> np.ndarray:
    """Outputs (len(kept), C) at the indices `kept`, each from its own run of measured samples."""
    up, down = ratio.numerator, ratio.denominator
    index = np.arange(len(missing))
    at = kept * down // up
    first = (np.maximum.accumulate(np.where(missing, index, -1)) + 1)[at]
    beyond = np.where(missing, index, len(missing))
    last = (np.minimum.accumulate(beyond[::-1])[::-1] - 1)[at]
    half = _phases(up, down).shape[1] // 2 - 1
    edge = np.flatnonzero((at - half < first) | (at + half + 1 > last))
    whole = np.where(missing[:, None], 0, values).astype(np.float64)
    out = np.asarray(_inner(whole, up, down)[kept])
    out[edge] = _mirrored(whole, ratio, kept[edge], (first[edge], last[edge]))
    return out


def _inner(values: np.ndarray, up: int, down: int) -> np.ndarray:
    """All outputs (n_out, C), right where every tap falls on a measured sample."""
    from scipy.signal import upfirdn  # a second to import, rarely needed

    weights = _phases(up, down)
    half, centre = weights.shape[1] // 2 - 1, REACH * max(up, down)
    lag = np.arange(up)[:, None] - np.arange(-half, half + 2) * up + centre
    inside = (lag >= 0) & (lag <= 2 * centre)
    delay = -centre % down  # zeros before the taps, so that outputs fall on whole steps
    taps = np.zeros(2 * centre + 1 + delay)
    taps[delay + lag[inside]] = weights[inside]
    first = (centre + delay) // down
    n_out = -(-len(values) * up // down)
    found = upfirdn(taps, values, up, down, axis=0)[first : first + n_out]
    return np.pad(found, ((0, n_out - len(found)), (0, 0)))


def _mirrored(
    values: np.ndarray, ratio: Fraction, kept: np.ndarray, runs: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Outputs at the indices `kept`, whose taps go beyond their runs (first, last): mirrored."""
    at, phase = np.divmod(kept * ratio.denominator, ratio.numerator)
    (first, last), weights = runs, _phases(ratio.numerator, ratio.denominator)
    half = weights.shape[1] // 2 - 1
    out = np.zeros((len(kept), values.shape[1]))
    for tap in range(weights.shape[1]):
        wanted = at + tap - half
        inside = wanted.clip(first, last)
        mirror = (2 * inside - wanted).clip(first, last)
        out += weights[phase, tap][:, None] * (2 * values[inside] - values[mirror])
    return out


@lru_cache(maxsize=8)
def _phases(up: int, down: int) -> np.ndarray:
    """Filter taps (up, 2 * half + 2) of each phase: over the inputs from half before to after."""
    from scipy.signal import firwin  # a second to import, rarely needed

    most = max(up, down)
    taps = firwin(2 * REACH * most + 1, 1 / most, window=("kaiser", _KAISER_BETA))
    half = math.ceil(REACH * most / up)
    inputs = np.arange(-half, half + 2)
    lag = np.arange(up)[:, None] - inputs * up + REACH * most
    inside = (lag >= 0) & (lag < len(taps))
    weights = np.where(inside, taps[lag.clip(0, len(taps) - 1)], 0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _near_missing(missing: np.ndarray, ratio: Fraction, n_out: int) -> np.ndarray:
    """Output samples (n_out,) with a missing input sample closer than one of the lower rate's."""
    centre = np.arange(n_out) / float(ratio)
    reach = max(1.0, 1 / float(ratio)) - 1e-6
    first = np.ceil(centre - reach).astype(np.int64).clip(0, len(missing))
    last = (np.floor(centre + reach).astype(np.int64) + 1).clip(0, len(missing))
    before = np.concatenate([[0], missing.cumsum()])
    return np.asarray((before[last] - before[first]) > 0)
