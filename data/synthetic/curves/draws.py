"""Small vectorised draws that the families share; each row of an array is one series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
Rng = np.random.Generator


def log_uniform(rng: Rng, low: float, high: float, size: tuple[int, ...]) -> Series:
    """Return draws in [low, high] whose logarithm is uniform (scales, periods, rates)."""
    return np.exp(rng.uniform(np.log(low), np.log(high), size))


def unit(x: Series) -> Series:
    """Return each row with mean 0 and standard deviation 1; a constant row becomes 0."""
    centred = x - x.mean(axis=-1, keepdims=True)
    scale = centred.std(axis=-1, keepdims=True)
    return np.asarray(centred / np.where(scale > 1e-9, scale, 1.0))


def coin(rng: Rng, n: int, probability: float) -> Series:
    """Return (n, 1) zeros and ones; one comes with `probability`."""
    return (rng.random((n, 1)) < probability).astype(np.float64)


def from_spectrum(rng: Rng, amplitude: Series, length: int) -> Series:
    """Draw stationary Gaussian series whose spectrum is `amplitude` squared.

    Parameters
    ----------
    amplitude : (..., F) with F = length + 1, on `frequencies(length)`; zero frequency is ignored

    Returns
    -------
    (..., length) of unit variance: half of a periodic draw twice as long, so that its two ends
    are not tied together
    """
    noise = rng.standard_normal((*amplitude.shape, 2)).view(np.complex128)[..., 0]
    noise[..., 0] = 0.0
    return unit(np.fft.irfft(noise * amplitude, n=2 * length, axis=-1)[..., :length])


def frequencies(length: int) -> Series:
    """Return the F = length + 1 frequencies, cycles per sample, that `from_spectrum` expects."""
    return np.asarray(np.fft.rfftfreq(2 * length))


def smooth_noise(rng: Rng, n: int, length: int, scale: Series | float) -> Series:
    """Return (n, length) unit-variance noise; `scale` is its correlation length in samples."""
    scales = np.broadcast_to(np.asarray(scale, dtype=np.float64), (n, 1))
    return from_spectrum(rng, np.exp(-((np.pi * frequencies(length) * scales) ** 2)), length)


def segments(rng: Rng, n: int, length: int, most: int) -> NDArray[np.int64]:
    """Return (n, length) segment numbers 0, 1, … of 1 to `most` segments split at random places."""
    cuts = rng.random((n, most - 1))
    cuts[np.arange(most - 1) >= rng.integers(0, most, (n, 1))] = 2.0
    at = (np.arange(length) / length)[None, None, :]
    return np.asarray((at >= np.sort(cuts)[:, :, None]).sum(axis=1))


def phase(rng: Rng, period: Series, length: int, wobble: Series | float = 0.0) -> Series:
    """Return (n, length) phase in cycles, for `period` (n, 1) in samples.

    `wobble` is the relative spread of the period while it drifts slowly within a series.
    """
    n = period.shape[0]
    drift = smooth_noise(rng, n, length, length / 8)
    rate = np.exp(np.clip(wobble * drift, -1.0, 1.0)) / period
    return np.asarray(rng.random((n, 1)) + np.cumsum(rate, axis=-1))
