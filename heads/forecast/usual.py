"""How large values usually are: for all sessions alike, or for each where they are of other sizes.

Accelerometers of forty people measure one thing on one scale; forty products, or the series of a
competition, are of sizes that differ by thousands. What is usual for all of these together is
usual for none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
APART = 3.0  # times as far as a session usually moves: sessions' levels that lie so are of no scale
_FEWEST = 3  # sessions
_UNSEEN = 0.1  # quantile of the sessions' deviations that stands for one that was not seen


@dataclass(frozen=True, kw_only=True)
class Usual:
    """Usual mean and deviation of C channels, by session.

    Parameters
    ----------
    unseen : (2, C) mean and deviation of a session that was not learned from
    sessions : (S,) those learned from; none where one scale stands for all
    own : (S, 2, C)
    """

    unseen: Array
    sessions: Array
    own: Array

    @classmethod
    def of(cls, windows: WindowBatch, columns: Sequence[int]) -> Self:
        """Return what is usual in these windows; a deviation is 1 where a channel never moves."""
        mask = windows.mask[:, columns]
        values = np.where(mask, windows.values[:, columns], np.nan).astype(np.float64)
        together = _moments(values)
        names, place = np.unique(np.array(windows.session_ids, dtype=np.str_), return_inverse=True)
        nobody = cls(unseen=together, sessions=names[:0], own=np.zeros((0, *together.shape)))
        if len(names) < _FEWEST:
            return nobody
        own = np.stack([_moments(values[place == i], together) for i in range(len(names))])
        apart = own[:, 0].std(axis=0) > APART * np.median(own[:, 1], axis=0)
        if not apart.any():
            return nobody
        own = np.where(apart, own, together)
        low = np.quantile(own[:, 1], _UNSEEN, axis=0)
        unseen = np.stack([together[0], np.where(apart, low, together[1])])
        return cls(unseen=unseen, sessions=names, own=own)

    def rows(self, session_ids: Sequence[str]) -> Array:
        """Return (B, 2, C) mean and deviation for windows of these sessions."""
        place = {name: i for i, name in enumerate(self.sessions.tolist())}
        found = [self.own[place[s]] if s in place else self.unseen for s in session_ids]
        return np.stack(found) if found else np.zeros((0, *self.unseen.shape))


def _moments(values: Array, otherwise: Array | None = None) -> Array:
    """Return (2, C) mean and deviation of (B, C, T) values, NaN = missing."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=(0, 2)), 1)
    mean = np.where(known, values, 0.0).sum(axis=(0, 2)) / count
    apart = np.where(known, (values - mean[:, None]) ** 2, 0.0)
    spread = np.sqrt(apart.sum(axis=(0, 2)) / count)
    still = spread <= 1e-9 * (1.0 + np.abs(mean))
    instead = 1.0 if otherwise is None else otherwise[1]
    return np.stack([mean, np.where(still, instead, spread)])
