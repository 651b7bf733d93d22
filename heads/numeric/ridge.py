"""Ridge regression in closed form where parts of the targets are unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

Array = np.ndarray
_MOST_BLOCKS = 24  # target columns share normal equations in at most so many blocks


@dataclass(frozen=True, kw_only=True)
class NormalEquations:
    """What ridge needs to know of rows X (n, S) and targets Y (n, M), for any strength.

    Parameters
    ----------
    columns : target columns of each block
    grams, crosses : X'X and X'Y of the block's rows
    counts : how many rows know each block
    n_targets : M
    """

    columns: tuple[Array, ...]
    grams: tuple[Array, ...]
    crosses: tuple[Array, ...]
    counts: tuple[int, ...]
    n_targets: int

    def solve(self, strength: float) -> Array:
        """Return (S, M) weights of least mean squared error + strength * squared weights."""
        width = self.grams[0].shape[0]
        weights = np.zeros((width, self.n_targets))
        penalty = strength * np.eye(width)
        blocks = zip(self.columns, self.grams, self.crosses, self.counts, strict=True)
        for columns, gram, cross, count in blocks:
            if count:
                weights[:, columns] = np.linalg.solve(gram / count + penalty, cross / count)
        return weights

    def without(self, part: NormalEquations) -> NormalEquations:
        """Return the equations with the rows of `part` (of the same blocks) left out."""
        return self._joined(part, -1)

    def plus(self, part: NormalEquations) -> NormalEquations:
        """Return the equations with the rows of `part` (of the same blocks) as well."""
        return self._joined(part, 1)

    def _joined(self, part: NormalEquations, sign: int) -> NormalEquations:
        return replace(
            self,
            grams=tuple(a + sign * b for a, b in zip(self.grams, part.grams, strict=True)),
            crosses=tuple(a + sign * b for a, b in zip(self.crosses, part.crosses, strict=True)),
            counts=tuple(a + sign * b for a, b in zip(self.counts, part.counts, strict=True)),
        )

    def of(self, features: Array) -> NormalEquations:
        """Return the equations of some columns of X only."""
        return replace(
            self,
            grams=tuple(g[np.ix_(features, features)] for g in self.grams),
            crosses=tuple(c[features] for c in self.crosses),
        )


def normal_equations(X: Array, Y: Array, blocks: Sequence[Array] | None = None) -> NormalEquations:
    """Gather the normal equations; NaN in Y = unknown.

    Neighbouring columns that are known in the same rows share a block. With more such blocks than
    24, columns are put together, and a row counts for a block if it knows all of it.

    Parameters
    ----------
    X : (n, S)
    Y : (n, M)
    blocks : target columns of each block, to gather like other rows; default: found in Y
    """
    known = np.isfinite(Y)
    columns_of = known_blocks(known) if blocks is None else blocks
    grams, crosses, counts = [], [], []
    for columns in columns_of:
        rows = known[:, columns].all(axis=1)
        chosen = X if rows.all() else X[rows]
        grams.append(chosen.T @ chosen)
        crosses.append(chosen.T @ Y[rows][:, columns])
        counts.append(int(rows.sum()))
    return NormalEquations(
        columns=tuple(columns_of),
        grams=tuple(grams),
        crosses=tuple(crosses),
        counts=tuple(counts),
        n_targets=Y.shape[1],
    )


def known_blocks(known: Array) -> list[Array]:
    """Return the target columns of each block, from where (n, M) targets are known."""
    changes = np.flatnonzero((known[:, 1:] != known[:, :-1]).any(axis=0)) + 1
    blocks = np.split(np.arange(known.shape[1]), changes)
    if len(blocks) > _MOST_BLOCKS:
        blocks = np.array_split(np.arange(known.shape[1]), _MOST_BLOCKS)
    return list(blocks)
