"""What happens between a body and a file: clocks jitter, sensors start late, samples go missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """How one modality is recorded.

    `jitter_s` is the clock's standard deviation (cut to a fifth of the sampling interval);
    `late_s` the longest late start; `dropout_frac` the share of samples lost as NaN, in bursts of
    `burst_s` on average.
    """

    rate_hz: float
    jitter_s: float = 0.0
    late_s: float = 0.0
    dropout_frac: float = 0.0
    burst_s: float = 0.5

    def clock(self, rng: np.random.Generator, duration_s: float) -> np.ndarray:
        """Return sampling times (n,), seconds from session start, strictly increasing."""
        step = 1 / self.rate_hz
        first = np.ceil(rng.uniform(0, self.late_s) * self.rate_hz) * step if self.late_s else 0.0
        time_s = first + step * np.arange(int((duration_s - first) * self.rate_hz + 1e-9))
        if self.jitter_s:
            shift = np.clip(rng.normal(0, self.jitter_s, time_s.size), -step / 5, step / 5)
            time_s = np.maximum(time_s + shift, 0)
        return np.asarray(np.round(time_s, 6))

    def lose(self, rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
        """Return a copy of values (n, C) with whole rows missing in bursts."""
        kept = values.copy()
        length = max(1, int(self.burst_s * self.rate_hz))
        n_bursts = rng.poisson(self.dropout_frac * len(values) / length)
        for start in rng.integers(0, max(1, len(values) - length), n_bursts):
            kept[start : start + rng.integers(1, 2 * length)] = np.nan
        return kept
