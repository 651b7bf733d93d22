"""Motifs: the stretches of a recording that repeat best, sought in tokens, settled on samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.contract.checks import check_tokens
from tool_use_om.heads.contract.last_tokens import component_axes
from tool_use_om.heads.contract.pooling import Rows, fit_projection, project
from tool_use_om.heads.contract.results import Motif, Neighbour
from tool_use_om.heads.contract.spec import HeadSpec, Param
from tool_use_om.heads.numeric.distance_profile import Signal
from tool_use_om.heads.search.similarity import Similarity

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray
_TOKEN_DIMS = 16  # principal components kept of each token
_ROWS_AT_ONCE = 256
_MOST_TO_LEARN = 2000  # stretches the projection is fitted on
_MINIMA = 3  # of each seed's distance profile that may be followed


class MotifSearch(Similarity):
    """The stretches nearest in tokens are where to look; samples decide.

    Fit on windows longer than the motif that overlap by its length. A stretch is the sequence of
    its tokens, centred and scaled as a whole, so that order counts and level does not.
    `candidates` are the stretches with the nearest other stretch. `motifs` then computes the exact
    z-normalised distance profile of the best candidates over all samples (MASS; Mueen, 2017),
    follows the lowest minima of all along their diagonals, and returns the best pairs found: what a
    matrix profile finds, from a few dozen of its rows. A pair that no candidate lies near is
    missed.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="motif",
        task="retrieve",
        summary="the stretches that repeat best in a long recording or set",
        good_at="finding what recurs when one does not know what to look for",
        bad_at="strictly periodic signals, where all pairs are alike; motifs of unknown length",
        labels_needed=0,
        said=("motif head", "motif search", "head motif"),
        params=(
            Param(
                name="length_s",
                kind="float",
                default=None,
                low=1e-6,
                high=1e9,
                description="length of a motif in seconds, as whole patches; null: the window's",
            ),
            Param(
                name="max_dims",
                kind="int",
                default=64,
                low=2,
                high=512,
                description="a stretch is reduced to at most this many principal components",
            ),
            Param(
                name="seeds",
                kind="int",
                default=256,
                low=1,
                high=2000,
                description="candidates whose distance to all samples is computed",
            ),
        ),
    )
    token_shift_: Array  # (D,)
    token_matrix_: Array  # (D, 16)
    n_patches_: int
    length_s_: float

    def fit(self, tokens: Tokens) -> Self:
        """Remember every stretch of the motif's length that starts at a patch.

        Raises
        ------
        DataError : windows shorter than the motif, or no stretch without a gap
        """
        check_tokens(tokens)
        self._remember_form(tokens)
        given, longest = self.params["length_s"], tokens.mask.shape[2]
        wanted = longest if given is None else max(2, round(float(given) / tokens.patch_s))
        if wanted > longest:
            raise DataError(
                f"`length_s` must be at most {longest * tokens.patch_s:g} s, the window's length, "
                f"got {given}. Shorten it, or configure a longer window_s."
            )
        self.n_patches_, self.length_s_ = wanted, wanted * tokens.patch_s
        axes = component_axes(tokens.values[tokens.mask].astype(np.float64), _TOKEN_DIMS)
        self.token_shift_, self.token_matrix_ = axes
        self._remember_stretches(tokens)
        self._seal()
        return self

    def candidates(self, n: int) -> list[tuple[int, int, float]]:
        """Return up to n (stretch, its nearest non-overlapping one, distance), nearest first.

        No two of the first stretches begin within a quarter of the motif's length.
        """
        self._require_fitted()
        best, mate = self._nearest_others()
        chosen: list[int] = []
        for i in np.argsort(best, kind="stable"):
            if len(chosen) == n or not np.isfinite(best[i]):
                break
            if not chosen or not self._close(int(i), np.array(chosen)).any():
                chosen.append(int(i))
        return [(i, int(mate[i]), float(np.sqrt(max(best[i], 0.0)))) for i in chosen]

    def motifs(self, signal: Signal, k: int = 3) -> list[Motif]:
        """Return up to k best pairs, no stretch of one overlapping a stretch of another.

        Parameters
        ----------
        signal : samples of the fitted sessions, for stretches of `length_s_` (see `Signal.of`)

        Raises
        ------
        NotFittedError : before fit()
        """
        taken: list[int] = []
        found: list[Motif] = []
        for squared, i, j in self._settled(signal):
            if len(found) == k:
                break
            if all(abs(place - other) >= signal.length for place in (i, j) for other in taken):
                found.append(_motif(signal, i, j, float(np.sqrt(max(squared, 0.0)))))
                taken += [i, j]
        return found

    def _settled(self, signal: Signal) -> list[tuple[float, int, int]]:
        """Return (squared distance, first sample, second sample) around each seed, best first."""
        seeds = self._int("seeds")
        starts = [self._sample(signal, i) for i, _, _ in self.candidates(seeds)]
        coarse = sorted(
            (float(profile[at]), start, at)
            for start in starts
            for profile in [signal.profile(start)]
            for at in _minima(profile, _MINIMA, signal.length)
        )
        pairs: dict[tuple[int, int], float] = {}
        for _, start, at in coarse[:seeds]:
            squared, a, b = signal.best_near(start, at, max(4, signal.length // 4))
            if np.isfinite(squared):
                pairs[min(a, b), max(a, b)] = squared
        return sorted((squared, *pair) for pair, squared in pairs.items())

    def _sample(self, signal: Signal, index: int) -> int:
        return signal.sample(str(self.bank_sessions_[index]), float(self.bank_start_s_[index]))

    def _nearest_others(self) -> tuple[Array, Array]:
        """Return each stretch's squared distance to the nearest it does not overlap, and which."""
        _, session = np.unique(self.bank_sessions_, return_inverse=True)
        order = np.lexsort((self.bank_start_s_, session))
        low, high = _overlapping(session[order], self.bank_start_s_[order], self.length_s_)
        points = self.bank_[order].astype(np.float32)
        square = (points**2).sum(axis=1)
        against = np.vstack([-2.0 * points.T, square])
        best, mate = np.empty(len(points), dtype=np.float32), np.empty(len(points), dtype=np.int64)
        for first in range(0, len(points), _ROWS_AT_ONCE):
            rows = points[first : first + _ROWS_AT_ONCE]
            squared = np.hstack([rows, np.ones((len(rows), 1), dtype=np.float32)]) @ against
            for row, (lowest, highest) in enumerate(
                zip(low[first : first + len(rows)], high[first : first + len(rows)], strict=True)
            ):
                squared[row, lowest:highest] = np.inf
            nearest = squared.argmin(axis=1)
            own = order[first : first + len(rows)]
            mate[own] = order[nearest]
            best[own] = squared[np.arange(len(rows)), nearest] + square[first : first + len(rows)]
        return best, mate

    def _close(self, index: int, others: Array) -> Array:
        apart = np.abs(self.bank_start_s_[others] - self.bank_start_s_[index])
        close: Array = (apart < self.length_s_ / 4) & (
            self.bank_sessions_[others] == self.bank_sessions_[index]
        )
        return close

    def _remember_stretches(self, tokens: Tokens) -> None:
        sequences, whole = self._sequences(tokens)
        window, first = np.nonzero(whole)
        if not len(window):
            raise DataError(
                f"No stretch of {self.length_s_:g} s without a gap. Choose a shorter length_s."
            )
        rows = np.stack(
            [
                sequences[:, :, f : f + self.n_patches_][w]
                for w, f in zip(window, first, strict=True)
            ]
        )
        rows = _shape(rows)
        learnt = rows[:: -(-len(rows) // _MOST_TO_LEARN)].astype(np.float64)
        axes = fit_projection(Rows(values=learnt, n_context=0), self._int("max_dims"))
        self.shift_, self.matrix_ = axes
        self.bank_ = self._embed(rows).astype(np.float32)
        self.bank_sessions_ = np.array(tokens.session_ids, dtype=np.str_)[window]
        self.bank_start_s_ = np.asarray(tokens.start_s, dtype=np.float64)[window, first]
        self.bank_end_s_ = self.bank_start_s_ + self.length_s_

    def _sequences(self, tokens: Tokens) -> tuple[Array, Array]:
        """Return token components (B, C, P, 16) and which stretches are whole (B, P - p + 1)."""
        z = (tokens.values - self.token_shift_) @ self.token_matrix_
        z = np.where(tokens.mask[..., None], z, 0.0).astype(np.float32)
        seen = np.lib.stride_tricks.sliding_window_view(tokens.fused_mask, self.n_patches_, axis=1)
        return z, np.asarray(seen.all(axis=2))

    def _pool(self, tokens: Tokens) -> Rows:
        """Return the first stretch of each window."""
        longest = tokens.mask.shape[2]
        if longest < self.n_patches_:
            raise DataError(
                f"A query must last {self.length_s_:g} s, the motif's length; got "
                f"{longest * tokens.patch_s:g} s."
            )
        rows = _shape(self._sequences(tokens)[0][:, :, : self.n_patches_])
        return Rows(values=rows.astype(np.float64), n_context=0)

    def _embed(self, rows: Array) -> Array:
        return project(rows, self.shift_, self.matrix_)

    def _compared(self, point: Array, k: int) -> Array:  # noqa: ARG002  # every stretch is
        return np.arange(len(self.bank_))


def _overlapping(session: Array, start_s: Array, length_s: float) -> tuple[Array, Array]:
    """Return the first and the last but one index of what overlaps each stretch, all in order."""
    step = float(np.ptp(start_s)) + 2.0 * length_s
    axis = session * step + start_s - start_s.min(initial=0.0)
    reach = length_s - 1e-9 * max(1.0, step)
    low, high = np.searchsorted(axis, axis - reach, "right"), np.searchsorted(axis, axis + reach)
    return low, high


def _shape(sequences: Array) -> Array:
    """Return (M, C, p, d) as (M, C * p * d): each channel's sequence centred, of norm 1."""
    centred = sequences - sequences.mean(axis=2, keepdims=True)
    norm = np.sqrt((centred**2).sum(axis=(2, 3), keepdims=True))
    shape: Array = (centred / np.maximum(norm, 1e-6)).reshape(len(sequences), -1)
    return shape


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


def _motif(signal: Signal, i: int, j: int, distance: float) -> Motif:
    length_s = signal.length / signal.rate_hz
    stretches = [
        Neighbour(session_id=name, start_s=start, end_s=start + length_s, distance=distance)
        for name, start in (signal.place(min(i, j)), signal.place(max(i, j)))
    ]
    return Motif(first=stretches[0], second=stretches[1], distance=distance)
