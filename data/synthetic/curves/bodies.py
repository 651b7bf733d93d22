"""Families of moving and beating bodies: gait as an accelerometer sees it, ECG-like beats."""

from __future__ import annotations

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

# phase within a beat, width (both in cycles) and height of the P, Q, R, S and T waves:
# McSharry et al. (2003), A dynamical model for generating synthetic ECG signals, rounded.
WAVES = (
    (0.30, 0.040, 0.15),
    (0.46, 0.013, -0.12),
    (0.50, 0.014, 1.0),
    (0.54, 0.013, -0.25),
    (0.75, 0.060, 0.30),
)


def gait(rng: Rng, n: int, length: int) -> Series:
    """Return one axis of a body-worn accelerometer: strides in bouts, impacts, gravity, noise.

    Cadence 6 to 80 samples a stride; orientation (the gravity offset) may jump between bouts.
    """
    cycles = phase(rng, log_uniform(rng, 6, 80, (n, 1)), length, 0.08 * rng.random((n, 1)))
    sway = np.zeros((n, length))
    fall = rng.uniform(0.2, 1.5, (n, 1))
    for k in range(1, 7):
        weight = rng.standard_normal((n, 1)) / k**fall
        sway += weight * np.sin(2 * np.pi * (k * cycles + rng.random((n, 1))))
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
    out = np.zeros((n, length))
    widen = log_uniform(rng, 0.7, 4, (n, 1))
    for place, width, height in WAVES:
        centre = place + 0.03 * rng.standard_normal((n, 1))
        tall = height * np.exp(0.5 * rng.standard_normal((n, 1)))
        wide = width * widen * np.exp(0.3 * rng.standard_normal((n, 1)))
        tall = np.where(rng.random((n, 1)) < 0.1, -tall, tall)
        apart = (turn - centre + 0.5) % 1.0 - 0.5
        out += tall * np.exp(-((apart / wide) ** 2))
    wander = rng.uniform(0, 0.4, (n, 1)) * smooth_noise(rng, n, length, length / 6)
    noise = log_uniform(rng, 0.005, 0.15, (n, 1)) * rng.standard_normal((n, length))
    return np.asarray(out + wander + noise)
