"""Motifs: the stretches of a recording that repeat best, sought in tokens, settled on samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tool_use_om.heads.distance_profile import Signal
from tool_use_om.heads.features import POOLING_PARAMS, Rows
from tool_use_om.heads.results import Motif, Neighbour
from tool_use_om.heads.similarity import Similarity
from tool_use_om.heads.spec import HeadSpec, Param

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray
_SEGMENTS = 8  # a window is its tokens' means over so many parts, in order
_ROWS_AT_ONCE = 1024
_MINIMA = 3  # of each seed's distance profile that are followed


class MotifSearch(Similarity):
    """The pair of windows nearest in tokens is where to look; samples decide.

    Fit on overlapping windows of the motif's length. Each window is its tokens in order (not their
    mean, as for `similarity`), so that when something happens counts. `candidates` are the windows
    with the nearest other window. `motifs` then computes the exact z-normalised distance profile
    of the best candidates over all samples (MASS; Mueen, 2017), follows its minima along their
    diagonal, and returns the best pairs found: what a matrix profile finds, from a few dozen of its
    rows. A pair whose windows no candidate overlaps is missed.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="motif",
        task="retrieve",
        summary="the stretches that repeat best in a long recording or set",
        good_at="finding what recurs when one does not know what to look for",
        bad_at="motifs of another length than the window's; strictly periodic signals, where all "
        "pairs are alike",
        labels_needed=0,
        params=(
            *(p for p in POOLING_PARAMS if p.name == "max_dims"),
            Param(
                name="seeds",
                kind="int",
                default=64,
                low=1,
                high=2000,
                description="candidate windows whose distance to all samples is computed",
            ),
        ),
    )

    def candidates(self, n: int) -> list[tuple[int, int, float]]:
        """Return up to n (window, its nearest non-overlapping window, distance), nearest first."""
        self._require_fitted()
        points = self.bank_.astype(np.float32)
        best = np.full(len(points), np.inf, dtype=np.float32)
        mate = np.zeros(len(points), dtype=np.int64)
        square = (points**2).sum(axis=1)
        for first in range(0, len(points), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            squared = square[part, None] + square[None, :] - 2.0 * (points[part] @ points.T)
            squared[self._overlapping(part)] = np.inf
            mate[part] = squared.argmin(axis=1)
            best[part] = squared.min(axis=1)
        order = [int(i) for i in np.argsort(best, kind="stable")[:n] if np.isfinite(best[i])]
        return [(i, int(mate[i]), float(np.sqrt(max(best[i], 0.0)))) for i in order]

    def motifs(self, signal: Signal, k: int = 3) -> list[Motif]:
        """Return up to k best pairs, no stretch of one overlapping a stretch of another.

        Parameters
        ----------
        signal : the fitted sessions' samples (see `Signal.of`), for windows of the fitted length

        Raises
        ------
        NotFittedError : before fit()
        """
        pairs = self._settled(signal)
        taken: list[int] = []
        found: list[Motif] = []
        for squared, i, j in pairs:
            if len(found) == k:
                break
            if all(abs(place - other) >= signal.length for place in (i, j) for other in taken):
                first, second = sorted((signal.place(i), signal.place(j)))
                distance = float(np.sqrt(max(squared, 0.0)))
                found.append(_motif(first, second, signal.length / signal.rate_hz, distance))
                taken += [i, j]
        return found

    def _settled(self, signal: Signal) -> list[tuple[float, int, int]]:
        """Return (squared distance, first sample, second sample) around each seed, best first."""
        pairs: dict[tuple[int, int], float] = {}
        for i, j, _ in self.candidates(self._int("seeds")):
            start, guess = self._sample(signal, i), self._sample(signal, j)
            profile = signal.profile(start)
            for at in [guess, *_minima(profile, _MINIMA, signal.length)]:
                squared, a, b = signal.best_near(start, at, self._reach(signal))
                if np.isfinite(squared):
                    pairs[min(a, b), max(a, b)] = squared
        return sorted((squared, *pair) for pair, squared in pairs.items())

    def _sample(self, signal: Signal, index: int) -> int:
        return signal.sample(str(self.bank_sessions_[index]), float(self.bank_start_s_[index]))

    def _reach(self, signal: Signal) -> int:
        """Return the samples between two windows: how far a motif may lie from a candidate."""
        gaps = np.diff(np.unique(self.bank_start_s_))
        gaps = gaps[gaps > 1e-9]
        step = float(np.median(gaps)) if len(gaps) else signal.length / signal.rate_hz
        return int(np.clip(round(step * signal.rate_hz), 1, signal.length))

    def _overlapping(self, part: slice) -> Array:
        same = self.bank_sessions_[part, None] == self.bank_sessions_[None, :]
        before = self.bank_start_s_[part, None] < self.bank_end_s_[None, :] - 1e-9
        after = self.bank_end_s_[part, None] > self.bank_start_s_[None, :] + 1e-9
        overlap: Array = same & before & after
        return overlap

    def _pool(self, tokens: Tokens) -> Rows:
        """Return each channel's mean token in each of up to 8 parts of the window, in order."""
        n_patches = tokens.mask.shape[2]
        parts = np.array_split(np.arange(n_patches), min(_SEGMENTS, n_patches))
        columns = [_mean(tokens.values[:, :, p], tokens.mask[:, :, p]) for p in parts]
        rows = np.concatenate([c.reshape(len(c), -1) for c in columns], axis=1)
        return Rows(values=rows.astype(np.float64), n_context=0)


def _mean(values: Array, mask: Array) -> Array:
    """Return (B, C, D) means over valid patches, NaN without one."""
    count = mask.sum(axis=2)[..., None]
    total = np.where(mask[..., None], values, 0.0).sum(axis=2)
    mean: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _minima(profile: Array, count: int, apart: int) -> list[int]:
    """Return the places of the lowest values, each `apart` samples from the others."""
    left, places = profile.copy(), []
    for _ in range(count):
        at = int(left.argmin())
        if not np.isfinite(left[at]):
            break
        places.append(at)
        left[max(0, at - apart + 1) : at + apart] = np.inf
    return places


def _motif(
    first: tuple[str, float], second: tuple[str, float], length_s: float, distance: float
) -> Motif:
    stretches = tuple(
        Neighbour(session_id=name, start_s=start, end_s=start + length_s, distance=distance)
        for name, start in (first, second)
    )
    return Motif(first=stretches[0], second=stretches[1], distance=distance)
