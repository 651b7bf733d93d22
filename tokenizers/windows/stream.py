"""A session of any length on one even grid, read piece by piece."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.tokenizers.windows.resample import (
    Clock,
    rate_ratio,
    reach_samples,
    resample,
    to_grid,
)

_BLOCK = 65536  # samples read at once to find how a signal's clock runs


class SessionStream:
    """Channels of one session, or of a range of it, on one grid of `rate_hz`.

    What `read` gives for a sample does not depend on where the piece around it begins or ends:
    each modality's clock is found once for all, and each piece is read with what the resampling
    filter looks at to either side.

    Parameters
    ----------
    dataset : DataSet
    session_id : str
    channels : channel ids
    rate_hz : float, of the grid
    start_s, end_s : float, seconds from session start

    Raises
    ------
    NotFoundError : an unknown session or channel
    DataError : a range outside the session
    """

    def __init__(  # noqa: PLR0917 - dataset, what of it, and the grid
        self,
        dataset: DataSet,
        session_id: str,
        channels: Sequence[str],
        rate_hz: float,
        start_s: float,
        end_s: float,
    ) -> None:
        self.dataset = dataset
        self.session_id = session_id
        self.channels = tuple(channels)
        self.rate_hz = rate_hz
        self.start_s, self.end_s = start_s, end_s
        self.n = max(1, round((end_s - start_s) * rate_hz))
        self._modalities: dict[str, list[str]] = {}
        for channel in self.channels:
            self._modalities.setdefault(channel.partition(".")[0], []).append(channel)
        self._clocks = {name: self._clock(ids[0]) for name, ids in self._modalities.items()}

    def read(self, first: int, last: int) -> np.ndarray:
        """Return the grid's samples first to last - 1 as (C, last - first) float32, NaN = missing.

        0 <= first <= last; beyond the end everything is missing.
        """
        grid = np.full((len(self.channels), last - first), np.nan, np.float32)
        kept = min(last, self.n) - first
        for name, ids in self._modalities.items():
            rows = [self.channels.index(c) for c in ids]
            if kept > 0 and self._clocks[name] is not None:
                grid[rows, :kept] = self._modality(ids, first, first + kept).T
        return grid

    def _clock(self, channel: str) -> Clock | None:
        """Find how a modality's samples lie on its own grid; None if it has none here."""
        rate = self.dataset.manifest.rate_of(channel)
        step, clock = _BLOCK / rate, None
        for block in range(math.ceil((self.end_s - self.start_s) / step)):
            begin = self.start_s + block * step
            time_s, _ = self._samples([channel], begin, begin + step)
            if clock is None and len(time_s):
                clock = Clock.of(time_s, rate)
            if clock is not None and not clock.keeps(time_s, rate):
                return Clock(phase_s=clock.phase_s, steady=False)
        return clock

    def _samples(
        self, ids: Sequence[str], begin: float, end: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return times (m,), seconds from the stream's start, and values (m, C)."""
        begin, end = max(begin, self.start_s), min(end, self.end_s)
        signals = []
        if begin < end:
            signals = self.dataset.read(self.session_id, ids, begin, end)
        if not signals:
            return np.empty(0), np.empty((0, len(ids)), np.float32)
        return signals[0].time_s - self.start_s, signals[0].values

    def _modality(self, ids: Sequence[str], first: int, last: int) -> np.ndarray:
        """Return samples first to last - 1 of one modality's channels (last - first, C)."""
        rate = self.dataset.manifest.rate_of(ids[0])
        clock = self._clocks[ids[0].partition(".")[0]] or Clock()
        ratio = rate_ratio(rate, self.rate_hz)
        up, down = ratio.numerator, ratio.denominator
        late = round(clock.phase_s * self.rate_hz)
        reach = reach_samples(ratio) if ratio != 1 else 0
        low = max(0, (first - late) * down // up - reach) // down * down
        there = max(1, round((self.end_s - self.start_s) * rate))
        high = max(low + 1, min(there, -(-(last - late) * down // up) + reach + 1))
        margin = 2 / rate  # the neighbours that jittering samples are read off
        time_s, values = self._samples(
            ids, self.start_s + low / rate - margin, self.start_s + high / rate + margin
        )
        own = to_grid(time_s - low / rate, values, rate, high - low, clock)
        brought = resample(own, rate, self.rate_hz)
        at = np.arange(first, last) - late - low // down * up
        inside = (at >= 0) & (at < len(brought))
        found = np.full((last - first, len(ids)), np.nan, np.float32)
        found[inside] = brought[at[inside]]
        return found
