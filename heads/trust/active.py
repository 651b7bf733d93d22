"""Which windows are most worth a person's label: a core-set of what is there, doubtful ones first.

With few labels it pays more to see each kind of window once than to sharpen a border: the windows
are grouped, as many groups as there will be labels, and the groups without a label are asked about,
largest first. Within a group the window is taken whose margin between the two likeliest labels is
smallest among its most typical half; without a head, the most typical one. Outliers, which a plain
core-set (the window farthest from all labelled ones) goes for, are left alone.

Source: Sener and Savarese (2018), core-sets; Hacohen, Dekel and Weinshall (2022), typical windows
of uncovered groups for small budgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.contract.checks import check_tokens
from tool_use_om.heads.contract.pooling import (
    Rows,
    fit_projection,
    pool,
    project,
    squared_distances,
)

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray
_MAX_DIMS = 32
_MOST_WINDOWS = 3000
_MOST_GROUPS = 200
_TYPICAL = 0.5


@dataclass(frozen=True, kw_only=True)
class Pick:
    """A window worth a label.

    Parameters
    ----------
    index : its number among the windows asked about
    group_size : windows that are like it: what its label speaks for
    distance : to the nearest window with a label, in standardised token space; None without any
    margin : between its two likeliest labels; None without a head
    """

    index: int
    group_size: int
    distance: float | None
    margin: float | None


def pick_windows(
    tokens: Tokens,
    budget: int,
    *,
    labelled: Tokens | None = None,
    proba: Array | None = None,
    seed: int = 0,
) -> list[Pick]:
    """Return up to `budget` windows, the one that speaks for most windows first.

    Parameters
    ----------
    tokens : the windows that may be asked about; of more than 3 000 evenly spaced ones are
    labelled : windows that have a label already
    proba : (n, K) probabilities of `tokens` by a head; None before the first label

    Raises
    ------
    DataError : a budget below 1, or unusable tokens
    """
    if budget < 1:
        raise DataError(f"`budget` must be at least 1, got {budget}.")
    check_tokens(tokens)
    rows = _spaced(len(tokens), _MOST_WINDOWS)
    points, known = _points(tokens.select(rows), labelled)
    margin = None if proba is None else margins(proba)[rows]
    n_groups = min(len(known) + budget, _MOST_GROUPS, len(points))
    group = _grouped(np.concatenate([points, known]), n_groups, seed)
    own, covered = group[: len(points)], set(group[len(points) :].tolist())
    chosen = _choose(points, own, covered, margin, budget)
    apart = squared_distances(points, known) if len(known) else None
    sizes = np.bincount(own, minlength=n_groups)
    return [
        Pick(
            index=int(rows[i]),
            group_size=int(sizes[own[i]]),
            distance=None if apart is None else float(np.sqrt(apart[i].min())),
            margin=None if margin is None else float(margin[i]),
        )
        for i in chosen
    ]


def margins(proba: Array) -> Array:
    """Return (n,) the gap between the two likeliest labels."""
    ordered = np.sort(proba, axis=1)
    gap: Array = ordered[:, -1] - (ordered[:, -2] if proba.shape[1] > 1 else 0.0)
    return gap


def _points(tokens: Tokens, labelled: Tokens | None) -> tuple[Array, Array]:
    """Return both parts (n, d) and (m, d) in one standardised space fitted on all of them."""
    parts = [pool(tokens, "stats", context=True)]
    if labelled is not None and len(labelled):
        parts.append(pool(labelled, "stats", context=True))
    values = np.concatenate([p.values for p in parts])
    shift, matrix = fit_projection(Rows(values=values, n_context=parts[0].n_context), _MAX_DIMS)
    points = project(values, shift, matrix)
    return points[: len(tokens)], points[len(tokens) :]


def _grouped(points: Array, n_groups: int, seed: int) -> Array:
    from sklearn.cluster import KMeans

    distinct = len(np.unique(points.round(9), axis=0))
    fitted = KMeans(min(n_groups, distinct), n_init=2, random_state=seed).fit(points)
    return np.asarray(fitted.labels_)


def _choose(
    points: Array, group: Array, covered: set[int], margin: Array | None, budget: int
) -> list[int]:
    """Return window numbers: uncovered groups first, larger before smaller, then all again."""
    sizes = np.bincount(group)
    order = sorted(np.flatnonzero(sizes), key=lambda g: (int(g) in covered, -sizes[g], g))
    queues = [_queue(points, np.flatnonzero(group == g), margin) for g in order]
    chosen: list[int] = []
    while len(chosen) < budget and any(queues):
        for queue in queues:
            if queue and len(chosen) < budget:
                chosen.append(queue.pop(0))
    return chosen


def _queue(points: Array, rows: Array, margin: Array | None) -> list[int]:
    """Return a group's windows, the one to ask about first."""
    centre = points[rows].mean(axis=0)
    typical = rows[np.argsort(((points[rows] - centre) ** 2).sum(axis=1), kind="stable")]
    if margin is None:
        return [int(i) for i in typical]
    n_typical = max(1, int(np.ceil(_TYPICAL * len(typical))))
    near, far = typical[:n_typical], typical[n_typical:]
    ordered = near[np.argsort(margin[near], kind="stable")]
    return [int(i) for i in np.concatenate([ordered, far])]


def _spaced(n: int, most: int) -> Array:
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))


def one_a_session(picks: Sequence[Pick], sessions: Sequence[str], budget: int) -> list[Pick]:
    """Return up to `budget` picks: one of each session before a second one of any."""
    kept: list[Pick] = []
    rounds: dict[str, int] = {}
    ranked = []
    for place, pick in enumerate(picks):
        name = sessions[pick.index]
        ranked.append((rounds.get(name, 0), place, pick))
        rounds[name] = rounds.get(name, 0) + 1
    kept += [pick for _, _, pick in sorted(ranked, key=lambda r: r[:2])]
    return kept[:budget]
