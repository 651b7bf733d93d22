"""Ridge regression in closed form where parts of the targets are unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
_MOST_BLOCKS = 24  # target columns share normal equations in at most so many blocks


@dataclass(frozen=True, kw_only=True)
class NormalEquations:
    """What ridge needs to know of rows X (n, S) and targets Y (n, M), for any strength.

    Parameters
    ----------
    columns : target columns of each block
    grams, crosses : X'X / n and X'Y / n of the block's rows
    n_targets : M
    """

    columns: tuple[Array, ...]
    grams: tuple[Array, ...]
    crosses: tuple[Array, ...]
    n_targets: int

    def solve(self, strength: float) -> Array:
        """Return (S, M) weights of least squared error + strength * squared weights."""
        width = self.grams[0].shape[0]
        weights = np.zeros((width, self.n_targets))
        penalty = strength * np.eye(width)
        for columns, gram, cross in zip(self.columns, self.grams, self.crosses, strict=True):
            weights[:, columns] = np.linalg.solve(gram + penalty, cross)
        return weights


def normal_equations(X: Array, Y: Array) -> NormalEquations:
    """Gather the normal equations; NaN in Y = unknown.

    Neighbouring columns that are known in the same rows share a block. With more such blocks than
    24, columns are put together, and a row counts for a block if it knows all of it.
    """
    known = np.isfinite(Y)
    changes = np.flatnonzero((known[:, 1:] != known[:, :-1]).any(axis=0)) + 1
    blocks = np.split(np.arange(Y.shape[1]), changes)
    if len(blocks) > _MOST_BLOCKS:
        blocks = np.array_split(np.arange(Y.shape[1]), _MOST_BLOCKS)
    grams, crosses = [], []
    for columns in blocks:
        rows = known[:, columns].all(axis=1)
        chosen, count = X[rows], max(int(rows.sum()), 1)
        grams.append(chosen.T @ chosen / count)
        crosses.append(chosen.T @ Y[rows][:, columns] / count)
    return NormalEquations(
        columns=tuple(blocks), grams=tuple(grams), crosses=tuple(crosses), n_targets=Y.shape[1]
    )
