"""Training by the clock: seconds over all starts of a run, and the learning rate that follows."""

from __future__ import annotations

import math
import time

CLOCK = "clock.json"
"""The file of a checkpoint that holds its seconds."""


class Clock:
    """Seconds spent on a run, those of earlier starts included."""

    def __init__(self, before: float = 0.0) -> None:
        self._before, self._began = before, time.monotonic()

    def elapsed(self) -> float:
        """Return the seconds so far."""
        return self._before + time.monotonic() - self._began


def rate(elapsed_s: float, minutes: float, *, warm: float = 0.03) -> float:
    """Return the share of the peak learning rate at a time: up for a moment, then down to zero."""
    part = min(1.0, elapsed_s / (60 * minutes))
    return (
        part / warm if part < warm else 0.5 * (1 + math.cos(math.pi * (part - warm) / (1 - warm)))
    )
