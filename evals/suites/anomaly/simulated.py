"""Simulated series with anomalies of known kind and place: what a combination may be chosen on.

Seven kinds of usual course times six kinds of anomaly, each drawn from a seed; the first part of a
series is free of anomalies, and that of the last two courses does not cover what follows. Nothing
here was fitted to a public benchmark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Array = np.ndarray
Draw = Callable[[np.random.Generator, int], Array]
SAMPLES = 2400
FREE = 0.2  # of a series, at its start, without an anomaly
_SEASON = 96


def _noise(rng: np.random.Generator, n: int, memory: float) -> Array:
    steps = rng.normal(size=n)
    out = np.empty(n)
    level = 0.0
    for i in range(n):
        level = memory * level + steps[i]
        out[i] = level
    return np.asarray(out * np.sqrt(1.0 - memory**2))


def _steady(rng: np.random.Generator, n: int) -> Array:
    return _noise(rng, n, rng.uniform(0.0, 0.9))


def _daily(rng: np.random.Generator, n: int) -> Array:
    phase = 2.0 * np.pi * (np.arange(n) / _SEASON + rng.random())
    wave = np.sin(phase) + rng.uniform(0.0, 0.6) * np.sin(2.0 * phase + rng.uniform(0.0, 6.0))
    return 2.0 * wave + 0.3 * _noise(rng, n, 0.3)


def _drifting(rng: np.random.Generator, n: int) -> Array:
    walk: Array = np.cumsum(rng.normal(size=n)) / np.sqrt(n)
    return np.asarray(rng.uniform(0.5, 3.0) * walk + 0.4 * _noise(rng, n, 0.5))


def _bursty(rng: np.random.Generator, n: int) -> Array:
    load: Array = np.exp(0.5 * _noise(rng, n, 0.6))
    jobs = (rng.random(n) < 0.02) * rng.gamma(2.0, 1.5, n)
    tail: Array = np.convolve(jobs, np.exp(-np.arange(12) / 3.0))[:n]
    return np.asarray(load + tail)


def _beats(rng: np.random.Generator, n: int) -> Array:
    period = rng.uniform(24.0, 40.0)
    phase = np.cumsum(1.0 + 0.02 * rng.normal(size=n)) / period
    bump = np.exp(-((((phase % 1.0) - 0.5) / 0.08) ** 2))
    return 3.0 * bump + 0.6 * np.sin(2.0 * np.pi * phase) + 0.15 * rng.normal(size=n)


def _settling(rng: np.random.Generator, n: int) -> Array:
    phase = 2.0 * np.pi * np.arange(n) / _SEASON
    gain = np.where(np.arange(n) < n // 3, 1.0, 2.0)
    return np.asarray(gain * (np.sin(phase) + 0.4 * _noise(rng, n, rng.uniform(0.0, 0.6))))


def _climbing(rng: np.random.Generator, n: int) -> Array:
    rise = rng.uniform(1.0, 3.0) * np.arange(n) / n
    return np.asarray(rise + 0.5 * _noise(rng, n, rng.uniform(0.0, 0.8)))


COURSES: Mapping[str, Draw] = {
    "steady": _steady,
    "daily": _daily,
    "drifting": _drifting,
    "bursty": _bursty,
    "beats": _beats,
    "settling": _settling,
    "climbing": _climbing,
}
KINDS = ("value", "level", "lively", "quiet", "shape", "slope")


def simulated(course: str, kind: str, seed: int) -> tuple[Array, Array]:
    """Return (n,) samples and (n,) bool labels of one series with one to three anomalies.

    Parameters
    ----------
    course : a name of COURSES
    kind : a name of KINDS
    """
    rng = np.random.default_rng((seed, list(COURSES).index(course), KINDS.index(kind)))
    values = COURSES[course](rng, SAMPLES)
    scale = float(np.std(values))
    labels = np.zeros(SAMPLES, dtype=bool)
    length = 3 if kind == "value" else int(rng.integers(24, 120))
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(int(FREE * SAMPLES), SAMPLES - length - 1))
        part = slice(at, at + length)
        values[part] = _changed(kind, values, part, scale, rng)
        labels[part] = True
    return values * rng.uniform(0.1, 50.0) + rng.normal() * 100.0, labels


def _changed(
    kind: str, values: Array, part: slice, scale: float, rng: np.random.Generator
) -> Array:
    own = values[part].copy()
    sign = rng.choice([-1.0, 1.0])
    if kind == "value":
        own[len(own) // 2] += sign * rng.uniform(3.0, 8.0) * scale
        return own
    if kind == "level":
        return np.asarray(own + sign * rng.uniform(1.0, 3.0) * scale)
    if kind == "lively":
        return np.asarray(own + rng.uniform(0.5, 1.5) * scale * rng.normal(size=len(own)))
    if kind == "quiet":
        return np.full(len(own), own[0])
    if kind == "slope":
        return np.asarray(own + sign * np.linspace(0.0, rng.uniform(2.0, 4.0) * scale, len(own)))
    return np.asarray(own[::-1] if rng.random() < 0.5 else 2.0 * own.mean() - own)
