"""Families of moving and beating bodies: gait as an accelerometer sees it, ECG-like beats."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tool_use_om.data.synthetic.curves.draws import (
    Rng,
    Series,
    coin,
    log_uniform,
    phase,
    segments,
    smooth_noise,
)

# phase of the beat, width (both in cycles) and height, mV, of the waves P, Q, R, S and T: after
# McSharry et al. (2003), A dynamical model for generating synthetic ECG signals.
WAVES = (
    (0.20, 0.025, 0.12),
    (0.365, 0.010, -0.12),
    (0.40, 0.011, 1.10),
    (0.435, 0.011, -0.25),
    (0.65, 0.045, 0.30),
)
Wave = tuple[float | Series, float | Series, float | Series]


def pulses(turn: Series, waves: Iterable[Wave] = WAVES) -> Series:
    """Return the sum of Gaussian waves over the phase of the beat, `turn` in [0, 1), same shape.

    A wave is its phase and width, in cycles, and its height; each may be an array that fits `turn`.
    Not covered: how the waves' widths change with the rate.
    """
    out = np.zeros(np.shape(turn))
    for place, width, height in waves:
        apart = (turn - place + 0.5) % 1.0 - 0.5
        out += height * np.exp(-0.5 * (apart / width) ** 2)
    return out


def harmonics(turns: Series, heights: Series, phases: Series) -> Series:
    """Return the sum over k = 1 … K of heights_k sin(2 pi k turns + phases_k).

    Parameters
    ----------
    turns : (..., 1) or (...,), running count of strides
    heights, phases : (..., K), radians
    """
    angle = 2 * np.pi * turns[..., None] * np.arange(1, heights.shape[-1] + 1) + phases
    return np.asarray((heights * np.sin(angle)).sum(axis=-1))


def gait(rng: Rng, n: int, length: int) -> Series:
    """Return one axis of a body-worn accelerometer: strides in bouts, impacts, gravity, noise.

    Cadence 6 to 80 samples a stride; orientation (the gravity offset) may jump between bouts.
    """
    cycles = phase(rng, log_uniform(rng, 6, 80, (n, 1)), length, 0.08 * rng.random((n, 1)))
    fall = rng.uniform(0.2, 1.5, (n, 1))
    drawn = [(rng.standard_normal((n, 1)) / k**fall, rng.random((n, 1))) for k in range(1, 7)]
    heights, shifts = (np.stack(part, axis=-1) for part in zip(*drawn, strict=True))
    sway = harmonics(cycles, heights, 2 * np.pi * shifts)
    sharp = log_uniform(rng, 2, 40, (n, 1))
    heel = np.exp(sharp * (np.cos(2 * np.pi * 2 * cycles) - 1))  # two heel strikes a stride
    strides = sway + rng.uniform(-3, 3, (n, 1)) * heel * coin(rng, n, 0.7)
    bout = segments(rng, n, length, 4)
    vigour = np.take_along_axis(
        rng.uniform(0.6, 1.4, (n, 4)) * (rng.random((n, 4)) < 0.75), bout, axis=1
    )
    tilt = np.take_along_axis(rng.standard_normal((n, 4)), bout, axis=1) * coin(rng, n, 0.4)
    slow = rng.uniform(0, 0.5, (n, 1)) * smooth_noise(rng, n, length, length / 10)
    noise = log_uniform(rng, 0.02, 0.6, (n, 1)) * rng.standard_normal((n, length))
    return np.asarray(vigour * strides + tilt + slow + noise)


def beats(rng: Rng, n: int, length: int) -> Series:
    """Return ECG-like or pulse-like beats with a varying rhythm, baseline wander and noise."""
    period = log_uniform(rng, 12, max(24.0, 0.9 * length), (n, 1))
    turn = phase(rng, period, length, 0.15 * rng.random((n, 1))) % 1.0
    widen = log_uniform(rng, 0.7, 4, (n, 1))
    waves: list[Wave] = []
    for place, width, height in WAVES:
        centre = place + 0.03 * rng.standard_normal((n, 1))
        tall = height * np.exp(0.5 * rng.standard_normal((n, 1)))
        wide = width * widen * np.exp(0.3 * rng.standard_normal((n, 1)))
        waves.append((centre, wide, np.where(rng.random((n, 1)) < 0.1, -tall, tall)))
    out = pulses(turn, waves)
    wander = rng.uniform(0, 0.4, (n, 1)) * smooth_noise(rng, n, length, length / 6)
    noise = log_uniform(rng, 0.005, 0.15, (n, 1)) * rng.standard_normal((n, length))
    return np.asarray(out + wander + noise)
