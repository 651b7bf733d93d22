"""Heart rate that follows effort, and an ECG-like wave that beats at that rate."""

from __future__ import annotations

import numpy as np

_EFFORT = {"resting": 0.0, "walking": 0.3, "running": 0.9, "cycling": 0.6}
_LAG_S = 15.0  # how slowly the rate follows a change of activity
# (phase of the beat, width, millivolts) of the waves P, Q, R, S, T
_WAVES = (
    (0.20, 0.025, 0.12),
    (0.365, 0.010, -0.12),
    (0.40, 0.011, 1.10),
    (0.435, 0.011, -0.25),
    (0.65, 0.045, 0.30),
)


def heart_rate(
    time_s: np.ndarray,
    activities: list[tuple[float, float, str]],
    rest_bpm: float,
    max_bpm: float,
) -> np.ndarray:
    """Return the true rate (n,), bpm, on an even grid: it follows effort, plus breathing."""
    goal = np.full(time_s.size, rest_bpm)
    for start, end, activity in activities:
        inside = (time_s >= start) & (time_s < end)
        goal[inside] = rest_bpm + _EFFORT[activity] * (max_bpm - rest_bpm)
    rate = np.empty(time_s.size)
    level = goal[0]
    share = 1 - np.exp(-(time_s[1] - time_s[0]) / _LAG_S)
    for i, target in enumerate(goal):
        level += share * (target - level)
        rate[i] = level
    return rate + 1.5 * np.sin(2 * np.pi * 0.25 * time_s)


def ecg(beats: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an ECG-like wave (n,), mV, from the running count of beats (n,).

    Source: after McSharry et al. (2003), a sum of Gaussian bumps over the phase of the beat.
    Not covered: how the waves' widths change with the rate.
    """
    phase = beats % 1.0
    wave = sum(mv * np.exp(-0.5 * ((phase - at) / width) ** 2) for at, width, mv in _WAVES)
    return np.asarray(wave + rng.normal(0, 0.02, beats.size))
