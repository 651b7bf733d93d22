"""Running moments of one channel, merged over sessions without reading anything twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Count, mean, summed squared deviation and range of the samples that are not missing."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    @classmethod
    def of(cls, values: np.ndarray) -> Moments:
        """Return the moments of `values` (n,); NaN = missing, not counted."""
        present = values[values == values].astype("float64")  # noqa: PLR0124  # NaN differs from itself
        if not present.size:
            return cls()
        mean = float(present.mean())
        squares = float(((present - mean) ** 2).sum())
        return cls(
            n=int(present.size),
            mean=mean,
            squares=squares,
            low=float(present.min()),
            high=float(present.max()),
        )

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both sets of samples together.

        Source: Chan, Golub, LeVeque (1979), pairwise update of mean and squared deviations.
        """
        n = self.n + other.n
        if not n:
            return self
        apart = other.mean - self.mean
        return Moments(
            n=n,
            mean=self.mean + apart * other.n / n,
            squares=self.squares + other.squares + apart**2 * self.n * other.n / n,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
        )

    @property
    def variance(self) -> float:
        """Mean squared deviation (population), squared channel units."""
        return self.squares / self.n


STATISTICS: dict[str, Callable[[Moments], float]] = {
    "mean": lambda m: m.mean,
    "std": lambda m: math.sqrt(m.variance),
    "variance": lambda m: m.variance,
    "min": lambda m: m.low,
    "max": lambda m: m.high,
    "range": lambda m: m.high - m.low,
    "rms": lambda m: math.sqrt(m.variance + m.mean**2),
}


def unit_of(statistic: str, unit: str) -> str:
    """Return the unit of a statistic of a channel in `unit`."""
    if statistic != "variance":
        return unit
    return f"{unit}^2" if unit.isalpha() else f"({unit})^2"
