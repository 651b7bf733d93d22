"""Families without events: trend, seasonality, Gaussian processes, chirps."""

from __future__ import annotations

import numpy as np

from tool_use_om.data.synthetic.curves.draws import (
    Rng,
    Series,
    coin,
    frequencies,
    from_spectrum,
    log_uniform,
    phase,
    segments,
    smooth_noise,
    unit,
)

N_KERNELS = 4  # components of one Gaussian process, as in KernelSynth (Ansari et al. 2024)
N_HARMONICS = 12  # of the periodic kernel


def trend(rng: Rng, n: int, length: int) -> Series:
    """Return polynomials, bends, saturating growth and random walks, some with noise."""
    t = np.linspace(-1.0, 1.0, length)[None, :]
    powers = rng.standard_normal((n, 4)) @ np.stack([t[0] ** k for k in (1, 2, 3, 4)])
    bends = np.cumsum(
        np.take_along_axis(rng.standard_normal((n, 6)), segments(rng, n, length, 6), axis=1), axis=1
    )
    growth = 1 / (1 + np.exp(-log_uniform(rng, 1, 30, (n, 1)) * (t - rng.uniform(-1, 1, (n, 1)))))
    walk = np.cumsum(rng.standard_normal((n, length)), axis=1)
    kinds = np.stack([unit(k) for k in (powers, bends, growth, walk)])
    return np.asarray(kinds[rng.integers(0, 4, n), np.arange(n)])


def waveform(rng: Rng, cycles: Series) -> Series:
    """Return a random periodic shape (sines, saw, square, pulse) at phase `cycles`."""
    n = cycles.shape[0]
    turn = cycles % 1.0
    bend = rng.uniform(0.05, 0.95, (n, 1))
    triangle = np.where(turn < bend, turn / bend, (1 - turn) / (1 - bend))
    square = (turn < bend).astype(np.float64)
    pulse = np.exp(log_uniform(rng, 1, 60, (n, 1)) * (np.cos(2 * np.pi * turn) - 1))
    tones = np.zeros_like(turn)
    fall = rng.uniform(0.3, 2.0, (n, 1))
    for k in range(1, 6):
        shift = rng.random((n, 1))
        tones += rng.standard_normal((n, 1)) / k**fall * np.sin(2 * np.pi * (k * turn + shift))
    pure = np.sin(2 * np.pi * turn)
    kinds = np.stack([unit(k) for k in (triangle, square, pulse, tones, pure)])
    return np.asarray(kinds[rng.integers(0, 5, n), np.arange(n)])


def seasonality(rng: Rng, n: int, length: int) -> Series:
    """Return one or two seasons of random shape, slowly modulated, over a trend."""
    out = np.zeros((n, length))
    for weight in (1.0, rng.uniform(0, 1.2, (n, 1)) * coin(rng, n, 0.5)):
        period = log_uniform(rng, 4, 1.5 * length, (n, 1))
        wobble = 0.1 * rng.random((n, 1)) * coin(rng, n, 0.4)
        swell = 1 + 0.5 * coin(rng, n, 0.4) * smooth_noise(rng, n, length, length / 4)
        out += weight * swell * waveform(rng, phase(rng, period, length, wobble))
    return np.asarray(out + rng.uniform(0, 1.5, (n, 1)) * coin(rng, n, 0.4) * trend(rng, n, length))


def _kernel_amplitudes(rng: Rng, n: int, length: int) -> Series:
    """Return (n, F) root spectra: squared-exponential, Matérn, power law or periodic kernels."""
    f = frequencies(length)[None, :]
    scale = log_uniform(rng, 1.5, length, (n, 1))
    gauss = np.exp(-((np.pi * f * scale) ** 2))
    matern = (1 + (2 * np.pi * f * scale) ** 2) ** (-rng.choice([0.5, 1.0, 1.5], (n, 1)))
    power = np.maximum(f, f[0, 1]) ** (-rng.uniform(0.25, 2.0, (n, 1)))
    lines = np.zeros((n, f.size))
    base = 2 * length / log_uniform(rng, 4, length, (n, 1))
    order = np.arange(1, N_HARMONICS + 1)[None, :]
    at = np.rint(base * order).astype(int)
    heights = np.exp(-rng.uniform(0.1, 2.0, (n, 1)) * order) * (at < f.size)
    np.put_along_axis(lines, np.minimum(at, f.size - 1), heights, axis=1)
    kinds = np.stack([gauss, matern, power, lines])
    kinds /= np.sqrt((kinds**2).sum(axis=-1, keepdims=True)) + 1e-12
    return np.asarray(kinds[rng.integers(0, 4, n), np.arange(n)])


def gaussian_process(rng: Rng, n: int, length: int) -> Series:
    """Return draws from sums and products of up to four kernels, by their spectra.

    The product of two independent draws has the product of their kernels as covariance.
    Source: KernelSynth in Ansari et al. (2024), Chronos; here FFT sampling replaces Cholesky.
    """
    amplitudes = _kernel_amplitudes(rng, n * N_KERNELS, length)
    parts = from_spectrum(rng, amplitudes, length).reshape(n, N_KERNELS, length)
    used = rng.integers(1, N_KERNELS + 1, (n, 1))
    out = parts[:, 0]
    for k in range(1, N_KERNELS):
        times, weight = coin(rng, n, 0.3), log_uniform(rng, 0.2, 2, (n, 1))
        joined = times * out * parts[:, k] + (1 - times) * (out + weight * parts[:, k])
        out = np.where(used > k, joined, out)
    return np.asarray(out)


def chirps(rng: Rng, n: int, length: int) -> Series:
    """Return one or two frequency sweeps, some within a bell-shaped burst."""
    t = np.linspace(0.0, 1.0, length)[None, :]
    out = np.zeros((n, length))
    for weight in (1.0, rng.random((n, 1)) * coin(rng, n, 0.4)):
        first, last = (log_uniform(rng, 1 / length, 0.2, (n, 1)) for _ in range(2))
        cycles = rng.random((n, 1)) + np.cumsum(first ** (1 - t) * last**t, axis=1)
        width = log_uniform(rng, 0.05, 1.0, (n, 1))
        bell = np.exp(-(((t - rng.random((n, 1))) / width) ** 2))
        burst = coin(rng, n, 0.5)
        out += weight * (burst * bell + 1 - burst) * waveform(rng, cycles)
    return out
