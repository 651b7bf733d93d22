"""Which labels remain possible: conformal prediction sets from any classifier's probabilities.

A label stays in the set of a window while its conformal p-value exceeds `1 - coverage`. Calibration
windows come in sessions, and windows of one session are alike: a new window brings a new session,
whose weight in the p-value is that of one session among the calibration ones, not of one window
among thousands (the two-layer case of Dunn, Wasserman and Ramdas, 2023). Ties, which a vote of five
neighbours has plenty of, are broken by a number drawn from the window's own name (Vovk, 2005, ch.
2.2): without it each tie counts as covered and sets of discrete scores hold far more than asked.

The promise is for windows exchangeable with the calibration windows. A new subject or drift breaks
it; `heads/drift.py` looks for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from tool_use_om.data.errors import DataError, NotFittedError
from tool_use_om.heads.trust.conformal import (
    check_coverage,
    needed_groups,
    too_few,
)

Array = np.ndarray
Method = Literal["lac", "aps"]
Ties = Literal["random", "keep"]
_TIE = 1e-9  # scores closer than this are one score


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Where windows come from: what their group and their random number follow from.

    Parameters
    ----------
    sessions : (n,) text, the session of each window
    start_s : (n,) seconds from the session's start
    """

    sessions: Array
    start_s: Array

    @classmethod
    def of(cls, session_ids: Sequence[str], start_s: Array) -> Keys:
        """Return the keys of windows or tokens."""
        return cls(sessions=np.asarray(session_ids, dtype=np.str_), start_s=np.asarray(start_s))

    def uniform(self, seed: int, salt: str) -> Array:
        """Return (n,) numbers in (0, 1): the same for the same window, whatever stands beside."""
        size = 2.0**64
        texts = (
            f"{seed}|{salt}|{s}|{t:.6f}" for s, t in zip(self.sessions, self.start_s, strict=True)
        )
        digests = (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
        return np.array([(int.from_bytes(d, "big") + 0.5) / size for d in digests])


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Sorted calibration scores that one label is compared with.

    Parameters
    ----------
    scores : (n,) ascending
    n_groups : sessions they come from
    """

    scores: Array
    n_groups: int

    def p_values(self, scores: Array, uniform: Array) -> Array:
        """Return the share of mass at least as strange as each score; ties count `uniform`."""
        own = 1.0 / (self.n_groups + 1.0)
        each = (1.0 - own) / max(len(self.scores), 1)
        above = len(self.scores) - np.searchsorted(self.scores, scores + _TIE, side="right")
        tied = len(self.scores) - np.searchsorted(self.scores, scores - _TIE, side="left") - above
        values: Array = above * each + uniform * (tied * each + own)
        return values


class PredictionSets:
    """Prediction sets over arrays of probabilities.

    Parameters
    ----------
    classes : the K labels, in the order of the probabilities' columns
    coverage : wanted share of sets that hold the true label, in (0, 1)
    method : "lac" (smallest sets on average; Sadinle, 2019; an empty set says that no label fits
        as well as they usually do) or "aps" (adaptive; Romano, 2020)
    class_conditional : calibrate each label by itself (Mondrian). A label with fewer calibration
        sessions than `needed_groups(coverage)` falls back to the scores of all labels; it is then
        listed in `fallback_`
    ties : "random" covers as asked; "keep" counts each tie as covered: sets that are larger,
        never empty under "aps"
    seed : of the numbers that break ties
    """

    def __init__(
        self,
        classes: Sequence[str] | Array,
        coverage: float = 0.9,
        *,
        method: Method = "lac",
        class_conditional: bool = False,
        ties: Ties = "random",
        seed: int = 0,
    ) -> None:
        self.classes = tuple(str(c) for c in classes)
        self.coverage = check_coverage(coverage)
        self.method = method
        self.class_conditional = class_conditional
        self.ties = ties
        self.seed = seed
        self.note = ""

    def calibrate(self, proba: Array, y: Sequence[str], keys: Keys) -> Self:
        """Keep the true labels' scores on held-out windows; `note` says when they are too few."""
        columns = self.columns(y)
        if (columns < 0).any():
            strangers = sorted({str(n) for n, c in zip(y, columns, strict=True) if c < 0})
            raise DataError(f"The head was not fitted on the label(s) {', '.join(strangers)}.")
        own = self._scores(proba, keys)[np.arange(len(proba)), columns]
        whole = _pool(own, keys.sessions)
        needed = needed_groups(self.coverage)
        self.fallback_: tuple[str, ...] = ()
        self.pools_ = [whole] * len(self.classes)
        if self.class_conditional:
            each = [_pool(own[columns == k], keys.sessions[columns == k]) for k in self._numbers()]
            self.fallback_ = tuple(
                name
                for name, pool in zip(self.classes, each, strict=True)
                if pool.n_groups < needed
            )
            self.pools_ = [pool if pool.n_groups >= needed else whole for pool in each]
        self.n_windows_, self.n_groups_ = len(own), whole.n_groups
        self.note = too_few(
            whole.n_groups, self.coverage, "every label stays possible", unit="sessions"
        )
        return self

    def inside(self, proba: Array, keys: Keys) -> Array:
        """Return (B, K) whether each label remains possible for each window."""
        if not hasattr(self, "pools_"):
            raise NotFittedError("The prediction sets are not calibrated: call calibrate() first.")
        random = self.ties == "random"
        uniform = keys.uniform(self.seed, "tie") if random else np.ones(len(proba))
        scores, tail = self._scores(proba, keys), 1.0 - self.coverage
        kept = np.ones(proba.shape, dtype=bool)
        for k, pool in enumerate(self.pools_):
            if 1.0 / (pool.n_groups + 1.0) <= tail + 1e-12:
                kept[:, k] = pool.p_values(scores[:, k], uniform) > tail + 1e-12
        if self.method == "aps" and not random:
            kept[np.arange(len(proba)), proba.argmax(axis=1)] = True
        return kept

    def sets(self, inside: Array) -> list[set[str]]:
        """Return rows of `inside` as sets of labels."""
        return [{n for n, keep in zip(self.classes, row, strict=True) if keep} for row in inside]

    def columns(self, y: Sequence[str]) -> Array:
        """Return (n,) the column of each label; -1 for a label without one."""
        place = {name: k for k, name in enumerate(self.classes)}
        return np.array([place.get(str(label), -1) for label in y], dtype=np.int64)

    def hits(self, inside: Array, y: Sequence[str]) -> Array:
        """Return (n,) whether each set holds the true label; a label never learnt is a miss."""
        columns = self.columns(y)
        held: Array = inside[np.arange(len(columns)), np.maximum(columns, 0)] & (columns >= 0)
        return held

    def _numbers(self) -> range:
        return range(len(self.classes))

    def _scores(self, proba: Array, keys: Keys) -> Array:
        """Return (B, K) nonconformity: low = the label fits."""
        if self.method == "lac":
            return 1.0 - proba
        order = np.argsort(-proba, axis=1, kind="stable")
        sorted_proba = np.take_along_axis(proba, order, axis=1)
        mass = np.cumsum(sorted_proba, axis=1)
        if self.ties == "random":
            mass = mass - (1.0 - keys.uniform(self.seed, "mass")[:, None]) * sorted_proba
        scores = np.empty_like(proba)
        np.put_along_axis(scores, order, mass, axis=1)
        return scores


@dataclass(frozen=True, kw_only=True)
class Abstention:
    """Where no answer is given, because none or too many labels remain possible.

    Parameters
    ----------
    max_set_size : the largest set that still counts as an answer
    abstains : (n,) bool
    """

    max_set_size: int
    abstains: Array

    @classmethod
    def of(cls, inside: Array, max_set_size: int = 1) -> Abstention:
        """Abstain where a set of `inside` (n, K) is empty or larger than `max_set_size`."""
        size = inside.sum(axis=1)
        return cls(max_set_size=max_set_size, abstains=(size == 0) | (size > max_set_size))

    @property
    def share(self) -> float:
        """The share of windows without an answer."""
        return float(self.abstains.mean())


def _pool(scores: Array, sessions: Array) -> Pool:
    return Pool(scores=np.sort(scores), n_groups=len(np.unique(sessions)))
