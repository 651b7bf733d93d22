"""What the integers of an EDF file stand for, and one breach of the standard that is understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tool_use_om.data.errors import DataError

INT16 = 32768
POWERS = (1.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """One signal's physical and digital (stored) minimum and maximum, as the header states them."""

    label: str
    physical: tuple[float, float]
    stored: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """(gain, offset) a signal, value = offset + gain * integer; `rule`: what was not as usual."""

    scales: tuple[tuple[float, float], ...]
    rule: str = ""


def calibrate(path: Path, limits: Sequence[Limits]) -> Calibration:
    """Return the scales of a file's signals.

    Some files (DREAMS' excerpt3.edf) state digital limits that 16 bits cannot hold: they are the
    physical limits times 100, the latter rounded to whole numbers. The usual formula holds for them
    too (it gives the set's own text export of excerpt3 to 0.0001 uV), but samples louder than 16
    bits can hold are clipped.

    Raises
    ------
    DataError : any other limits beyond 16 bits; equal limits
    """
    scales = tuple(_scale(path, s) for s in limits)
    if all(s.stored[0] >= -INT16 and s.stored[1] < INT16 for s in limits):
        return Calibration(scales=scales)
    if any(all(_apart(s, power) < 1 for s in limits) for power in POWERS):
        return Calibration(
            scales=scales,
            rule="its digital limits do not fit 16 bits, so louder samples are clipped.",
        )
    raise DataError(
        f"{path}: digital limits beyond 16 bits that are no multiple of the physical ones; its "
        "calibration cannot be true. Export it again as EDF."
    )


def _apart(limits: Limits, power: float) -> float:
    pairs = zip(limits.stored, limits.physical, strict=True)
    return max(abs(stored / power - physical) for stored, physical in pairs)


def _scale(path: Path, limits: Limits) -> tuple[float, float]:
    low, high = limits.stored
    bottom, top = limits.physical
    if high == low:
        raise DataError(f"{path}: signal {limits.label!r} has equal digital limits, so no scale.")
    gain = (top - bottom) / (high - low)
    return gain, bottom - gain * low
