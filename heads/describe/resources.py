"""Resource curves with truth: CPU, memory, disk and network of machines that never were.

Each channel follows one pattern whose facts are known because they were planted; the noise is small
against what is said of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tool_use_om.heads.describe.facts import Fact, Kind

Array = np.ndarray
Rng = np.random.Generator
LENGTH = 256  # samples of a curve
DAY_S = 86_400.0
CHANNELS = ("cpu", "memory", "disk", "network")
_UNITS = {"cpu": "%", "memory": "GB", "disk": "MB/s", "network": "MB/s"}
_LIMITS: Mapping[str, tuple[float, ...]] = {
    "cpu": (100.0,),
    "memory": (8.0, 16.0, 32.0, 64.0),
    "disk": (200.0, 500.0),
    "network": (125.0, 1250.0),
}
_STEPS_S = (15.0, 60.0, 300.0, 1800.0)
_NOISE = 0.012  # of the limit


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One channel: its samples, its limit, and what was planted in it.

    `values` (n,) in `unit`; `slope` is its change a second as it ends.
    """

    channel: str
    unit: str
    limit: float
    values: Array
    facts: tuple[Fact, ...]
    slope: float

    @property
    def pattern(self) -> Kind:
        """The main fact's kind."""
        return self.facts[0].kind


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Channels of one machine over the same seconds."""

    time_s: Array
    curves: tuple[Curve, ...]

    def of(self, channel: str) -> Curve:
        """Return the curve of a channel that is there."""
        return next(c for c in self.curves if c.channel == channel)


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """A pattern in shares of the limit: (n,), its planted values, its slope a sample at the end."""

    share: Array
    values: Mapping[str, float]
    slope: float = 0.0


class ResourceCurveSynthesizer:
    """Draws curves; the same seed and number give the same curve.

    Parameters
    ----------
    seed : int, of the whole corpus; another seed never gives the same curves
    length : samples of a curve
    """

    def __init__(self, seed: int = 0, length: int = LENGTH) -> None:
        self.seed, self.length = seed, length

    def draw(
        self, number: int, channels: Sequence[str] = CHANNELS, saturated: str | None = None
    ) -> Curves:
        """Return the curves of a machine.

        Parameters
        ----------
        number : int, which machine of the corpus
        channels : of `CHANNELS`
        saturated : the one channel at its limit; None = none is
        """
        rng = np.random.default_rng([self.seed, number])
        step_s = float(rng.choice(_STEPS_S))
        time_s = step_s * np.arange(self.length)
        made = [self._curve(rng, name, time_s, saturated=name == saturated) for name in channels]
        return Curves(time_s=time_s, curves=tuple(made))

    def draw_pattern(self, number: int, channel: str, pattern: Kind) -> Curves:
        """Return one channel that follows a named pattern."""
        rng = np.random.default_rng([self.seed, number])
        step_s = _STEPS_S[-1] if pattern == "cycle" else float(rng.choice(_STEPS_S))
        time_s = step_s * np.arange(self.length)
        limit = float(rng.choice(_LIMITS[channel]))
        return Curves(time_s=time_s, curves=(_finish(rng, channel, limit, pattern, time_s),))

    def _curve(self, rng: Rng, name: str, time_s: Array, *, saturated: bool) -> Curve:
        limit = float(rng.choice(_LIMITS[name]))
        kinds = [k for k in PATTERNS if k != "saturated" and (k != "leak" or name == "memory")]
        if len(time_s) * (time_s[1] - time_s[0]) < 2 * DAY_S:
            kinds.remove("cycle")
        kind: Kind = "saturated" if saturated else kinds[int(rng.integers(len(kinds)))]
        return _finish(rng, name, limit, kind, time_s)


def _finish(rng: Rng, name: str, limit: float, kind: Kind, time_s: Array) -> Curve:
    """Draw a pattern, add noise that keeps its facts true, and put it into units."""
    drawn = PATTERNS[kind](rng, time_s)
    noise = rng.normal(0.0, _NOISE, len(time_s))
    share = np.clip(drawn.share + noise, 0.0, 0.97)
    if kind == "saturated":
        share = np.where(drawn.share >= 1.0, 1.0, share)
    if kind == "leak":
        share = np.maximum.accumulate(share)
    step_s = float(time_s[1] - time_s[0])
    values = {k: v if k[-2:] == "_s" or k in ("n", "share_frac") else v * limit
              for k, v in drawn.values.items()}  # fmt: skip
    fact = Fact(kind=kind, channel=name, unit=_UNITS[name], values=values)
    return Curve(
        channel=name,
        unit=_UNITS[name],
        limit=limit,
        values=share * limit,
        facts=(fact,),
        slope=drawn.slope * limit / step_s,
    )


def _steady(rng: Rng, time_s: Array) -> _Drawn:
    level = rng.uniform(0.1, 0.85)
    return _Drawn(share=np.full(len(time_s), level), values={"level": level})


def _line(rng: Rng, time_s: Array) -> tuple[Array, float, float]:
    low = rng.uniform(0.08, 0.45)
    high = low + rng.uniform(0.25, 0.88 - low)
    return np.linspace(low, high, len(time_s)), low, high


def _rise(rng: Rng, time_s: Array) -> _Drawn:
    share, low, high = _line(rng, time_s)
    return _Drawn(
        share=share, values={"first": low, "last": high}, slope=float(share[1] - share[0])
    )


def _fall(rng: Rng, time_s: Array) -> _Drawn:
    share, low, high = _line(rng, time_s)
    slope = float(share[0] - share[1])
    return _Drawn(share=share[::-1].copy(), values={"first": high, "last": low}, slope=slope)


def _leak(rng: Rng, time_s: Array) -> _Drawn:
    """Growth in small steps that are never given back."""
    _, low, high = _line(rng, time_s)
    n = len(time_s)
    steps = np.zeros(n)
    steps[rng.choice(np.arange(4, n), size=n // 8, replace=False)] = rng.uniform(0.5, 1.5, n // 8)
    share = low + (high - low) * np.cumsum(steps) / steps.sum()
    return _Drawn(share=share, values={"first": low, "last": high}, slope=(high - low) / n)


def _spike(rng: Rng, time_s: Array) -> _Drawn:
    n, level = int(rng.integers(1, 5)), rng.uniform(0.08, 0.5)
    share = np.full(len(time_s), level)
    slots = rng.permutation(5)[:n]
    tops = rng.uniform(level + 0.25, 0.88, n)
    tops[0] = min(tops.max() + 0.06, 0.94)  # the highest is clear
    width = len(time_s) // 5
    at = [int(s) * width + int(rng.integers(6, width - 6)) for s in slots]
    for place, top in zip(at, tops, strict=True):
        share[place - 1 : place + 2] = top
    values = {"n": float(n), "top": float(tops[0]), "at_s": float(time_s[at[0]])}
    return _Drawn(share=share, values=values)


def _plateau(rng: Rng, time_s: Array) -> _Drawn:
    n, low = len(time_s), rng.uniform(0.06, 0.4)
    high = rng.uniform(low + 0.3, 0.88)
    first = int(rng.integers(n // 8, n // 2))
    last = first + int(rng.integers(n // 5, n // 2 - n // 10))
    last = min(last, n - n // 10)
    share = np.full(n, low)
    share[first : last + 1] = high
    values = {"level": high, "start_s": float(time_s[first]), "end_s": float(time_s[last])}
    return _Drawn(share=share, values=values)


def _saw(rng: Rng, time_s: Array) -> _Drawn:
    low = rng.uniform(0.08, 0.4)
    high = rng.uniform(low + 0.3, 0.88)
    period = int(rng.integers(len(time_s) // 9, len(time_s) // 4))
    turn = (np.arange(len(time_s)) + int(rng.integers(period))) % period / (period - 1)
    step_s = float(time_s[1] - time_s[0])
    values = {"low": low, "high": high, "period_s": period * step_s}
    return _Drawn(share=low + (high - low) * turn, values=values)


def _cycle(rng: Rng, time_s: Array) -> _Drawn:
    low = rng.uniform(0.08, 0.4)
    high = rng.uniform(low + 0.3, 0.88)
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * (time_s / DAY_S - rng.random()))
    values = {"low": low, "high": high, "period_s": DAY_S}
    return _Drawn(share=low + (high - low) * wave, values=values)


def _saturated(rng: Rng, time_s: Array) -> _Drawn:
    """Demand beyond the limit in one or two stretches, where the curve is flat at it."""
    n, level = len(time_s), rng.uniform(0.2, 0.75)
    share = np.full(n, level)
    n_times = int(rng.integers(1, 3))
    width = n // n_times
    for i in range(n_times):
        held = int(rng.uniform(0.25, 0.6) * width)
        first = i * width + int(rng.integers(4, width - held - 2))
        share[first : first + held] = 1.0
    return _Drawn(share=share, values={"limit": 1.0, "share_frac": float((share >= 1.0).mean())})


PATTERNS: Mapping[Kind, Callable[[Rng, Array], _Drawn]] = {
    "steady": _steady,
    "rise": _rise,
    "fall": _fall,
    "leak": _leak,
    "spike": _spike,
    "plateau": _plateau,
    "saw": _saw,
    "cycle": _cycle,
    "saturated": _saturated,
}
