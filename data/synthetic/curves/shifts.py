"""Families that change: ARMA noise, regime switches, events and steps, resource curves."""

from __future__ import annotations

from collections.abc import Callable

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
from tool_use_om.data.synthetic.curves.smooth import waveform

N_EVENTS = 6


def arma(rng: Rng, n: int, length: int) -> Series:
    """Return ARMA(4, 2) noise from random poles and zeros; a third is integrated once."""
    z = np.exp(-2j * np.pi * frequencies(length))[None, :]
    response = np.ones((n, z.size), dtype=np.complex128)
    for order, reach, sign in ((2, 0.99, -1), (2, 0.99, -1), (2, 0.9, 1)):
        radius = reach * rng.random((n, 1)) ** (1 / order)
        angle = np.pi * rng.random((n, 1)) ** 2
        factor = 1 - 2 * radius * np.cos(angle) * z + radius**2 * z**2
        response = response * (factor if sign > 0 else 1 / factor)
    noise = from_spectrum(rng, np.abs(response), length)
    return np.where(coin(rng, n, 0.33) > 0, unit(np.cumsum(noise, axis=1)), noise)


def regimes(rng: Rng, n: int, length: int) -> Series:
    """Return series that switch, up to four times, between two states (noise, tone or level)."""
    state = segments(rng, n, length, 5) % 2
    out = np.zeros((n, length))
    for which in (0, 1):
        tone = waveform(rng, phase(rng, log_uniform(rng, 4, length / 2, (n, 1)), length))
        mix = rng.random((n, 1)) ** 2
        body = mix * arma(rng, n, length) + (1 - mix) * tone
        level = rng.standard_normal((n, 1)) * coin(rng, n, 0.6)
        out += (state == which) * (level + log_uniform(rng, 0.1, 2, (n, 1)) * body)
    return out


def events(rng: Rng, n: int, length: int) -> Series:
    """Return up to six steps, bells, peaks with tails, ramps or boxes over quiet noise."""
    t = np.linspace(0.0, 1.0, length)[None, None, :]
    shape = (n, N_EVENTS, 1)
    width = log_uniform(rng, 2 / length, 0.3, shape)
    u = (t - rng.uniform(-0.1, 1.1, shape)) / width
    kinds: tuple[Callable[[Series], Series], ...] = (
        lambda v: 1 / (1 + np.exp(-np.clip(8 * v, -50, 50))),
        lambda v: np.exp(-(v**2)),
        lambda v: 1 / (1 + 4 * v**2),
        lambda v: np.where(v > 0, np.exp(-np.clip(v, 0, 50)), np.exp(np.clip(20 * v, -50, 0))),
        lambda v: np.clip(v, 0.0, 1.0),
        lambda v: (np.abs(v) < 0.5).astype(np.float64),
    )
    chosen = rng.integers(0, len(kinds), (n, N_EVENTS))
    pieces = np.empty_like(u)
    for k, kind in enumerate(kinds):
        pieces[chosen == k] = kind(u[chosen == k])
    heights = rng.standard_normal(shape)
    heights *= (np.arange(N_EVENTS) < rng.integers(1, N_EVENTS + 1, (n, 1)))[:, :, None]
    quiet = log_uniform(rng, 0.01, 0.3, (n, 1)) * smooth_noise(
        rng, n, length, log_uniform(rng, 0.5, 8, (n, 1))
    )
    return np.asarray((heights * pieces).sum(axis=1) + quiet)


def resources(rng: Rng, n: int, length: int) -> Series:
    """Return machine load: daily cycle, held plateaus, decaying spikes, a floor and a ceiling."""
    day = phase(rng, log_uniform(rng, min(24, length), 2.0 * length, (n, 1)), length)
    cycle = np.maximum(np.sin(2 * np.pi * day), rng.uniform(-1, 0.5, (n, 1)))
    week = 1 - 0.7 * coin(rng, n, 0.3) * ((day % 7) > 5)
    levels = np.take_along_axis(rng.standard_normal((n, 8)), segments(rng, n, length, 8), axis=1)
    kicks = (rng.random((n, length)) < log_uniform(rng, 0.25 / length, 0.05, (n, 1))) * (
        rng.standard_exponential((n, length))
    )
    memory = log_uniform(rng, 0.5, 40, (n, 1))
    response = np.fft.rfft(np.exp(-np.arange(length)[None, :] / memory), n=2 * length, axis=1)
    spikes = np.fft.irfft(np.fft.rfft(kicks, n=2 * length, axis=1) * response, axis=1)[:, :length]
    noise = log_uniform(rng, 0.01, 0.4, (n, 1)) * rng.standard_normal((n, length))
    load = rng.random((n, 1)) * 2 * week * cycle + levels * coin(rng, n, 0.6) + noise
    load += rng.uniform(0, 4, (n, 1)) * spikes * coin(rng, n, 0.7)
    ceiling = rng.uniform(0.5, 6, (n, 1))
    return np.asarray(np.clip(load, -ceiling, ceiling))
