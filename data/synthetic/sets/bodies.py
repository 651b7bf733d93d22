"""Acceleration at a simulated wrist: harmonics of the step, in each person's own style."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tool_use_om.data.synthetic.curves.bodies import harmonics, pulses

GRAVITY = 9.80665  # m/s^2
CADENCE_HZ = {"walking": (1.6, 2.1), "running": (2.5, 3.0), "cycling": (1.0, 1.5)}
_STRENGTH = {"resting": 0.0, "walking": 2.2, "running": 7.5, "cycling": 1.0}  # m/s^2
_NOISE = {"resting": 0.06, "walking": 0.25, "running": 0.7, "cycling": 0.35}  # m/s^2


@dataclass(frozen=True, kw_only=True)
class Style:
    """What tells one simulated person from another.

    `pace` in [0, 1] places their cadence in each activity's range; `harmonics` (3, 3) are the
    amplitudes of the step's first three harmonics on x, y, z; `phases` (3, 3) radians; `sway` the
    share of the half-step frequency on the lateral axis; `down` (3,) the unit vector of gravity.
    """

    pace: float
    harmonics: np.ndarray
    phases: np.ndarray
    sway: float
    down: np.ndarray


def draw_style(rng: np.random.Generator) -> Style:
    """Return one person's style; the vertical first harmonic always dominates."""
    fade = np.array([1.0, 0.45, 0.2])
    axes = np.array([0.35, 0.25, 1.0])
    harmonics = axes[:, None] * fade * rng.uniform(0.7, 1.3, (3, 3))
    harmonics[2, 0] = 1.0
    down = np.array([0.25, 0.15, 1.0]) + rng.normal(0, 0.12, 3)
    return Style(
        pace=float(rng.uniform(0, 1)),
        harmonics=harmonics,
        phases=rng.uniform(0, 2 * np.pi, (3, 3)),
        sway=float(rng.uniform(0.1, 0.3)),
        down=down / np.linalg.norm(down),
    )


def cadence_hz(style: Style, activity: str, rng: np.random.Generator) -> float:
    """Return the person's mean cadence in this bout, Hz; 0 when resting."""
    if activity not in CADENCE_HZ:
        return 0.0
    low, high = CADENCE_HZ[activity]
    return float(np.clip(low + style.pace * (high - low) + rng.normal(0, 0.03), low, high))


def acceleration(
    time_s: np.ndarray, activity: str, cadence: float, style: Style, rng: np.random.Generator
) -> np.ndarray:
    """Return acceleration (n, 3), m/s^2, gravity included.

    The cadence wanders by about 2 % around its mean, slowly, and returns to it at the end, so that
    the mean over the bout is `cadence` exactly.
    """
    span = time_s - time_s[0] if time_s.size else time_s
    total = span[-1] if span.size and span[-1] > 0 else 1.0
    wander = 0.02 * cadence * total / (2 * np.pi) * np.sin(2 * np.pi * span / total)
    turns = cadence * span + wander + rng.uniform()
    body = harmonics(turns[:, None], style.harmonics, style.phases)
    body[:, 0] += style.sway * np.sin(np.pi * turns)
    strength = _STRENGTH[activity] * (1 + 0.05 * np.sin(2 * np.pi * span / 17.0))
    noise = rng.normal(0, _NOISE[activity], (time_s.size, 3))
    return np.asarray(GRAVITY * style.down + strength[:, None] * body + noise)


_EFFORT = {"resting": 0.0, "walking": 0.3, "running": 0.9, "cycling": 0.6}


_LAG_S = 15.0  # how slowly the rate follows a change of activity


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

    Source: after McSharry et al. (2003), see `curves.bodies`.
    """
    return np.asarray(pulses(beats % 1.0) + rng.normal(0, 0.02, beats.size))
