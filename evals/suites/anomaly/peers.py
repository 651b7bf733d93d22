"""Anomaly detectors on samples: what the heads on tokens have to beat, chance included.

Each takes the windows of what counts as usual and the windows to judge, (n, T) samples, and returns
a score for each judged window; higher = stranger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Array = np.ndarray
Detector = Callable[[Array, Array, int], Array]


def raw_discord(usual: Array, judged: Array, seed: int) -> Array:  # noqa: ARG001  # nothing random
    """Distance to the nearest usual window, each z-normalised: the matrix profile of both."""
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=1).fit(_normalised(usual))
    return np.asarray(index.kneighbors(_normalised(judged))[0][:, 0])


def raw_distance(usual: Array, judged: Array, seed: int) -> Array:  # noqa: ARG001  # nothing random
    """Distance to the nearest usual window, samples as they are: levels count."""
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=1).fit(usual)
    return np.asarray(index.kneighbors(judged)[0][:, 0])


def isolation_forest(usual: Array, judged: Array, seed: int) -> Array:
    """Isolation forest over windows (Liu, Ting and Zhou, 2008), scikit-learn's."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(random_state=seed).fit(usual)
    return np.asarray(-forest.score_samples(judged))


def deviation(usual: Array, judged: Array, seed: int) -> Array:  # noqa: ARG001  # nothing random
    """Largest deviation of a sample from the usual mean, in usual deviations."""
    spread = max(float(usual.std()), 1e-12)
    return np.asarray(np.abs(judged - usual.mean()).max(axis=1) / spread)


def at_random(usual: Array, judged: Array, seed: int) -> Array:  # noqa: ARG001  # sees nothing
    """A random score a window: what no skill reaches."""
    return np.random.default_rng(seed).random(len(judged))


DETECTORS: Mapping[str, Detector] = {
    "raw_discord": raw_discord,
    "raw_distance": raw_distance,
    "isolation_forest": isolation_forest,
    "deviation": deviation,
    "random": at_random,
}
RANDOM = "random"


def _normalised(windows: Array) -> Array:
    centred = windows - windows.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    flat = spread < 1e-9 * (1 + np.abs(windows).max(axis=1, keepdims=True))
    normed: Array = np.where(flat, 0.0, centred / np.where(flat, 1.0, spread))
    return normed
