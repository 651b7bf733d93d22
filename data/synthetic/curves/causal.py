"""One family of series that cause each other: roots, then children under random activations.

A graph has roots (Gaussian processes, each over a random mean function) and children, each an
activation of a weighted sum of earlier nodes, some late by a few samples. Several nodes of a graph
are given out, so that a batch holds series that are alike without being the same.

Source: Xie et al. (2025), CauKer. Different here: Gaussian processes by their spectra instead of by
Cholesky; late parents; no filter of the graphs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tool_use_om.data.synthetic.curves.draws import Rng, Series, coin, log_uniform, unit
from tool_use_om.data.synthetic.curves.shifts import events
from tool_use_om.data.synthetic.curves.smooth import gaussian_process, seasonality, trend

N_ROOTS, N_CHILDREN = 4, 6
N_GIVEN = 3  # nodes of a graph that are given out
MOST_PARENTS = 3

ACTIVATIONS: tuple[Callable[[Series], Series], ...] = (
    lambda x: x,
    lambda x: np.maximum(x, 0.0),
    lambda x: np.where(x > 0, x, 0.1 * x),
    lambda x: 1 / (1 + np.exp(-np.clip(3 * x, -50, 50))),
    lambda x: np.sin(2 * x),
    np.tanh,
    np.abs,
    lambda x: np.mod(x, 1.5),
    lambda x: np.sign(x) * np.sqrt(np.abs(x)),
    lambda x: x * np.abs(x),
)


def causal(rng: Rng, n: int, length: int) -> Series:
    """Return (n, length) nodes of random causal graphs, `N_GIVEN` neighbouring rows a graph."""
    graphs = -(-n // N_GIVEN)
    nodes = np.empty((N_ROOTS + N_CHILDREN, graphs, length))
    nodes[:N_ROOTS] = roots(rng, N_ROOTS * graphs, length).reshape(N_ROOTS, graphs, length)
    for k in range(N_ROOTS, len(nodes)):
        nodes[k] = child(rng, nodes[:k])
    given = rng.random((graphs, len(nodes) - 1)).argsort(axis=1)[:, :N_GIVEN] + 1
    rows = nodes[given, np.arange(graphs)[:, None]]
    return np.asarray(rows.reshape(-1, length)[:n])


def roots(rng: Rng, n: int, length: int) -> Series:
    """Return Gaussian processes over means: none, a trend, a season, events; half have a mean."""
    process = unit(gaussian_process(rng, n, length))
    means = np.stack([unit(make(rng, n, length)) for make in (trend, seasonality, events)])
    mean = means[rng.integers(0, len(means), n), np.arange(n)]
    weight = log_uniform(rng, 0.3, 3, (n, 1)) * coin(rng, n, 0.5)
    return unit(process + weight * mean)


def child(rng: Rng, parents: Series) -> Series:
    """Return (n, length) children of nodes (k, n, length): an activation of some of them."""
    k, n, length = parents.shape
    total = np.zeros((n, length))
    count = rng.integers(1, MOST_PARENTS + 1, (n, 1))
    for place in range(MOST_PARENTS):
        chosen = parents[rng.integers(0, k, n), np.arange(n)]
        late = rng.integers(0, max(2, length // 16), (n, 1)) * (rng.random((n, 1)) < 0.3)
        chosen = np.take_along_axis(chosen, np.maximum(np.arange(length) - late, 0), axis=1)
        total += rng.standard_normal((n, 1)) * chosen * (count > place)
    total = unit(total) * log_uniform(rng, 0.5, 3, (n, 1)) + 0.5 * rng.standard_normal((n, 1))
    which = rng.integers(0, len(ACTIVATIONS), n)
    out = np.empty_like(total)
    for index, activation in enumerate(ACTIVATIONS):
        out[which == index] = activation(total[which == index])
    return unit(out)
