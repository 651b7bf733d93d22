"""Running moments of one channel, merged over sessions without reading anything twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

    def row(self) -> dict[str, float]:
        """Return present (samples counted), mean, std (population), min and max."""
        std = math.sqrt(self.squares / self.n) if self.n else math.nan
        found = {"present": self.n, "mean": self.mean, "std": std}
        return found | {"min": self.low, "max": self.high}


# from what a row, or a table of them by column, says of mean, std, min and max
STATISTICS: dict[str, Callable[[Any], Any]] = {
    "mean": lambda m: m["mean"],
    "std": lambda m: m["std"],
    "variance": lambda m: m["std"] ** 2,
    "min": lambda m: m["min"],
    "max": lambda m: m["max"],
    "range": lambda m: m["max"] - m["min"],
    "rms": lambda m: (m["std"] ** 2 + m["mean"] ** 2) ** 0.5,
}


def unit_of(statistic: str, unit: str) -> str:
    """Return the unit of a statistic of a channel in `unit`."""
    if statistic != "variance":
        return unit
    return f"{unit}^2" if unit.isalpha() else f"({unit})^2"
