"""Cross-validation folds that keep groups (sessions, subjects) together."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
Fold = tuple[Array, Array]


def group_folds(codes: Array, groups: Array, n_folds: int = 5) -> list[Fold]:
    """Deal groups to folds, class by class, so that each fold sees as many classes as it can.

    With a single group the windows themselves are dealt. Held-out windows of a class that the
    fold's training part lacks are left out; a fold with nothing left is dropped.

    Parameters
    ----------
    codes : (n,) int class of each window
    groups : (n,) text group of each window

    Returns
    -------
    (train indices, held-out indices) a fold; empty where no honest fold exists
    """
    names, group_of = np.unique(groups, return_inverse=True)
    if len(names) == 1:
        group_of = np.arange(len(codes))
        names = group_of.astype(np.str_)
    main_class = _main_class(codes, group_of, len(names))
    order = np.lexsort((np.arange(len(names)), main_class))
    fold_of_group = np.empty(len(names), dtype=np.int64)
    fold_of_group[order] = np.arange(len(names)) % min(n_folds, len(names))
    fold_of = fold_of_group[group_of]
    folds = []
    for fold in range(int(fold_of.max()) + 1):
        train = np.flatnonzero(fold_of != fold)
        held_out = np.flatnonzero((fold_of == fold) & np.isin(codes, codes[train]))
        if len(held_out) and len(np.unique(codes[train])) > 1:
            folds.append((train, held_out))
    return folds


def _main_class(codes: Array, group_of: Array, n_groups: int) -> Array:
    counts = np.zeros((n_groups, int(codes.max()) + 1), dtype=np.int64)
    np.add.at(counts, (group_of, codes), 1)
    main: Array = counts.argmax(axis=1)
    return main


def plain_folds(groups: Array, n_folds: int = 5) -> list[Fold]:
    """Deal groups to folds in order of their names; a single group is cut into stretches instead.

    Returns
    -------
    (train indices, held-out indices) a fold; empty for a single row
    """
    names, group_of = np.unique(groups, return_inverse=True)
    n = len(groups)
    if len(names) == 1:
        fold_of = np.arange(n) * min(n_folds, n) // n
    else:
        fold_of = group_of % min(n_folds, len(names))
    numbers = range(int(fold_of.max()) + 1)
    folds = [(np.flatnonzero(fold_of != f), np.flatnonzero(fold_of == f)) for f in numbers]
    return [(train, held_out) for train, held_out in folds if len(train) and len(held_out)]
