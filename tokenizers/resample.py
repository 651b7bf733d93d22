"""Samples with time stamps → an even grid → another rate, with what is missing kept missing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tool_use_om.data.errors import DataError

ON_GRID = 0.25  # samples; closer to the grid than this is taken as it is
NEIGHBOURS = 1.5  # samples; between time stamps farther apart lies a gap
MAX_DENOMINATOR = 1000


def phase_s(time_s: np.ndarray, rate_hz: float) -> float:
    """Return how long after the grid's steps the samples (m,) lie, seconds, at most half a step."""
    if not len(time_s):
        return 0.0
    position = time_s * rate_hz
    return float(np.median(position - np.round(position))) / rate_hz


def to_grid(time_s: np.ndarray, values: np.ndarray, rate_hz: float, n: int) -> np.ndarray:
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

    Returns
    -------
    ndarray (n, C) float32, NaN = missing
    """
    grid = np.full((n, values.shape[1]), np.nan, np.float32)
    if not len(time_s):
        return grid
    position = (time_s - phase_s(time_s, rate_hz)) * rate_hz
    slot = np.round(position).astype(np.int64)
    steady = np.abs(position - slot).max() < ON_GRID and bool((np.diff(slot) > 0).all())
    if not steady:
        return _between_neighbours(position, values, grid)
    inside = (slot >= 0) & (slot < n)
    grid[slot[inside]] = values[inside]
    return grid


def _between_neighbours(position: np.ndarray, values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Fill `grid` from samples at fractional positions (m,); gaps stay NaN."""
    slots = np.arange(len(grid))
    right = np.searchsorted(position, slots).clip(1, max(1, len(position) - 1))
    right = right.clip(max=len(position) - 1)
    left = (right - 1).clip(min=0)
    width = position[right] - position[left]
    weight = np.where(width > 0, (slots - position[left]) / np.where(width > 0, width, 1), 0)
    near = (width <= NEIGHBOURS) & (weight > -NEIGHBOURS / 3) & (weight < 1 + NEIGHBOURS / 3)
    weight = weight.clip(0, 1)[:, None]
    between = values[left] * (1 - weight) + values[right] * weight
    grid[near] = between[near]
    return grid


def resample(values: np.ndarray, rate_in: float, rate_out: float) -> np.ndarray:
    """Bring an even signal to another rate by polyphase filtering.

    The filter needs a number everywhere, so gaps are bridged for it by straight lines; every output
    sample that a missing input sample lies near (one sample of the lower rate to either side) is
    missing again in the result.

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
    """
    if not (rate_in > 0 and rate_out > 0 and np.isfinite(rate_in) and np.isfinite(rate_out)):
        raise DataError(f"Rates must be above 0 Hz; got {rate_in} to {rate_out}.")
    ratio = Fraction(rate_out / rate_in).limit_denominator(MAX_DENOMINATOR)
    if not 0 < ratio <= MAX_DENOMINATOR:
        raise DataError(
            f"Cannot resample from {rate_in:g} to {rate_out:g} Hz: rates may differ by a factor of "
            f"at most {MAX_DENOMINATOR}. Choose another target_rate_hz or fewer modalities."
        )
    if ratio == 1 or not len(values):
        return values.astype(np.float32)
    from scipy.signal import resample_poly  # a second to import, rarely needed

    missing = ~np.isfinite(values)
    filled = np.column_stack([_bridged(v, m) for v, m in zip(values.T, missing.T, strict=True)])
    out = resample_poly(filled, ratio.numerator, ratio.denominator, axis=0, padtype="line")
    out[_near_missing(missing, ratio, len(out))] = np.nan
    return np.asarray(out, dtype=np.float32)


def _bridged(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Straight lines across what is missing, the nearest value at the ends; zeros if all is."""
    if missing.all():
        return np.zeros(len(values))
    at = np.arange(len(values))
    return np.asarray(np.interp(at, at[~missing], values[~missing].astype(np.float64)))


def _near_missing(missing: np.ndarray, ratio: Fraction, n_out: int) -> np.ndarray:
    """Output samples (n_out, C) with a missing input sample closer than one of the lower rate's."""
    centre = np.arange(n_out) / float(ratio)
    reach = max(1.0, 1 / float(ratio)) - 1e-6
    first = np.ceil(centre - reach).astype(np.int64).clip(0, len(missing))
    last = (np.floor(centre + reach).astype(np.int64) + 1).clip(0, len(missing))
    before = np.concatenate([np.zeros((1, missing.shape[1]), np.int64), missing.cumsum(axis=0)])
    return np.asarray((before[last] - before[first]) > 0)
