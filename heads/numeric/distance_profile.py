"""Exact z-normalised distances between stretches of samples, many at once (MASS; Mueen, 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from tool_use_om.data.errors import DataError, unknown

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
_BLOCK = 4096  # samples transformed at once, at least
_FLAT = 1e-6  # a stretch that deviates less than this share of its channel has no shape


class Signal:
    """Sessions laid end to end, and the distances between stretches of one length in them.

    A distance is Euclidean between stretches brought to mean 0 and deviation 1, channel by channel,
    squares summed over the channels. Stretches that hold a gap, reach over a session's end, or have
    a channel that does not move are infinitely far from all others.

    Parameters
    ----------
    sessions : names, in order
    samples : (C, n_i) a session, NaN = missing
    rate_hz : samples a second
    length : samples a stretch covers

    Raises
    ------
    DataError : stretches shorter than 4 samples, or longer than every session
    """

    def __init__(
        self, sessions: Sequence[str], samples: Sequence[Array], *, rate_hz: float, length: int
    ) -> None:
        longest = max((s.shape[1] for s in samples), default=0)
        if not 4 <= length <= longest:
            raise DataError(
                f"A stretch must have 4 to {longest} samples ({longest / rate_hz:g} s, the longest "
                f"session), got {length}. Change window_s."
            )
        self.sessions, self.rate_hz, self.length = tuple(sessions), rate_hz, length
        self.first = np.cumsum([0, *(s.shape[1] + 1 for s in samples)])[:-1]
        gap = np.full((samples[0].shape[0], 1), np.nan)
        joined = np.concatenate([part for s in samples for part in (s, gap)], axis=1)
        self.known = np.isfinite(joined)
        count = np.maximum(self.known.sum(axis=1, keepdims=True), 1)
        centred = joined - np.where(self.known, joined, 0.0).sum(axis=1, keepdims=True) / count
        filled = np.where(self.known, centred, 0.0)
        deviation = np.sqrt((filled**2).sum(axis=1, keepdims=True) / count)
        self.x: Array = filled / np.where(deviation > 0, deviation, 1.0)

    @classmethod
    def of(cls, whole: WindowBatch, length: int) -> Self:
        """Lay out sessions that were cut as one window each (see `whole_sessions`)."""
        masked = np.where(whole.mask, whole.values, np.nan).astype(np.float64)
        samples = [m[:, : max(int(n), 1)] for m, n in zip(masked, whole.extent, strict=True)]
        return cls(whole.session_ids, samples, rate_hz=whole.rate_hz, length=length)

    @property
    def n_places(self) -> int:
        """How many stretches there are."""
        return int(self.x.shape[1] - self.length + 1)

    def sample(self, session: str, start_s: float) -> int:
        """Return where a session's second lies on the joined axis (kept inside it)."""
        if session not in self.sessions:
            raise unknown("session", session, self.sessions)
        at = int(self.first[self.sessions.index(session)]) + round(start_s * self.rate_hz)
        return int(np.clip(at, 0, self.n_places - 1))

    def place(self, at: int) -> tuple[str, float]:
        """Return the session and second of a place on the joined axis."""
        index = int(np.searchsorted(self.first, at, side="right")) - 1
        return self.sessions[index], float(at - self.first[index]) / self.rate_hz

    def profile(self, at: int) -> Array:
        """Return (n_places,) squared distances of the stretch at `at`; inf where they overlap."""
        squared = np.full(self.n_places, np.inf)
        if not self.usable[at]:
            return squared
        total = np.full(self.n_places, 2.0 * self.length * len(self.x))
        for c, row in enumerate(self.x):
            mean, deviation = self._moments[0][c, at], self._moments[1][c, at]
            query = (row[at : at + self.length] - mean) / deviation
            total -= 2.0 * self._sliding_products(c, query) * self._inverse_deviation[c]
        np.maximum(total, 0.0, out=total)
        squared[self.usable] = total[self.usable]
        squared[max(0, at - self.length + 1) : at + self.length] = np.inf
        return squared

    def best_near(self, a: int, b: int, reach: int) -> tuple[float, int, int]:
        """Return the least squared distance of (a + d, b + d + e): |d| <= reach, |e| <= 2."""
        best = (np.inf, a, b)
        for e in range(-2, 3):
            shifts = np.arange(-reach, reach + 1)
            i, j = a + shifts, b + shifts + e
            inside = (np.minimum(i, j) >= 0) & (np.maximum(i, j) < self.n_places)
            i, j = i[inside], j[inside]
            if not len(i) or abs(int(i[0]) - int(j[0])) < self.length:
                continue
            squared = self._diagonal(i, j)
            at = int(squared.argmin())
            best = min(best, (float(squared[at]), int(i[at]), int(j[at])))
        return best

    @cached_property
    def usable(self) -> Array:
        """Which stretches have distances at all (n_places,)."""
        whole = self._sliding_sum(self.known.astype(np.float64)) > self.length - 0.5
        moving = self._moments[1] > _FLAT
        return np.asarray((whole & moving).all(axis=0))

    @cached_property
    def _moments(self) -> tuple[Array, Array]:
        """Mean and deviation (C, n_places) of each stretch."""
        mean = self._sliding_sum(self.x) / self.length
        square = self._sliding_sum(self.x**2) / self.length
        return mean, np.sqrt(np.maximum(square - mean**2, 0.0))

    @cached_property
    def _inverse_deviation(self) -> Array:
        """One over each stretch's deviation (C, n_places); 0 where it has no shape."""
        deviation = self._moments[1]
        return np.where(deviation > _FLAT, 1.0 / np.maximum(deviation, _FLAT), 0.0)

    @cached_property
    def _spectra(self) -> tuple[Array, int]:
        """Spectra (C, blocks, F) of overlapping blocks, and a block's samples (overlap-save)."""
        from scipy.fft import rfft

        size = 1 << int(np.ceil(np.log2(max(_BLOCK, 4 * self.length))))
        hop = size - self.length + 1
        blocks = -(-self.n_places // hop)
        wide = np.pad(self.x, ((0, 0), (0, blocks * hop + self.length - 1 - self.x.shape[1])))
        view = np.lib.stride_tricks.sliding_window_view(wide, size, axis=1)[:, ::hop]
        return rfft(view, axis=2), size

    def _sliding_products(self, channel: int, query: Array) -> Array:
        """Return the dot products of `query` with every stretch of a channel."""
        from scipy.fft import irfft, rfft

        spectra, size = self._spectra
        circular = irfft(spectra[channel] * np.conj(rfft(query, size)), size, axis=1)
        products: Array = circular[:, : size - self.length + 1].reshape(-1)[: self.n_places]
        return products

    def _diagonal(self, i: Array, j: Array) -> Array:
        """Return squared distances of the pairs (i, j), both running on by one sample."""
        stop = int(i[-1]) + self.length, int(j[-1]) + self.length
        total = np.zeros(len(i))
        for c, row in enumerate(self.x):
            products = row[i[0] : stop[0]] * row[j[0] : stop[1]]
            sums = np.concatenate([[0.0], np.cumsum(products)])
            total += self._squared(sums[self.length :] - sums[: -self.length], c, i, j)
        both = self.usable[i] & self.usable[j]
        squared: Array = np.where(both, total, np.inf)
        return squared

    def _squared(self, products: Array, channel: int, i: Array, j: Array) -> Array:
        mean, deviation = self._moments[0][channel], self._moments[1][channel]
        scale = np.maximum(deviation[i] * deviation[j], _FLAT**2) * self.length
        correlation = (products - self.length * mean[i] * mean[j]) / scale
        squared: Array = 2.0 * self.length * (1.0 - np.clip(correlation, -1.0, 1.0))
        return squared

    def _sliding_sum(self, rows: Array) -> Array:
        sums = np.cumsum(np.pad(rows, ((0, 0), (1, 0))), axis=1)
        sliding: Array = sums[:, self.length :] - sums[:, : -self.length]
        return sliding
