"""What users would pick instead for classification, from kept libraries, on the same windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.errors import DataError, unknown

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
DTW_BAND = 0.1  # Sakoe-Chiba, the share of the length that the archive's reference results use
MOST_DTW_CELLS = 3e10  # about two minutes on one core


@dataclass(frozen=True, kw_only=True)
class RawWindows:
    """Windows of samples.

    Parameters
    ----------
    values : (n, C, T) float, channel units, 0 where nothing was measured
    lengths : (n,) samples up to the last measured one, <= T
    """

    values: Array
    lengths: Array

    def __len__(self) -> int:
        return len(self.values)

    def select(self, index: Array) -> RawWindows:
        """Return the windows at `index`."""
        return RawWindows(values=self.values[index], lengths=self.lengths[index])


Peer = Callable[[RawWindows, Array, RawWindows, int], Array]


def peer(name: str) -> Peer:
    """Return a peer by name: (train, labels, test, seed) → predicted labels.

    Raises
    ------
    NotFoundError : an unknown name
    DataError : aeon is not installed
    """
    if name not in CLASSIFIERS:
        raise unknown("peer", name, CLASSIFIERS)
    if find_spec("aeon") is None:
        raise DataError(f"{name} needs aeon: pip install 'tool-use-om[raw]'.")
    return CLASSIFIERS[name]


def minirocket(train: RawWindows, y: Array, test: RawWindows, seed: int) -> Array:
    """MiniRocket with a ridge classifier (Dempster et al., 2021): the one that answers users."""
    return _of_samples("minirocket", train, y, test, seed)


def hydra(train: RawWindows, y: Array, test: RawWindows, seed: int) -> Array:
    """Hydra with a ridge classifier (Dempster et al., 2023): the one that answers users."""
    return _of_samples("hydra", train, y, test, seed)


def catch22(train: RawWindows, y: Array, test: RawWindows, seed: int) -> Array:
    """Mean, deviation and the 22 characteristics with 200 trees (Lubba et al., 2019), aeon's."""
    from aeon.classification.feature_based import Catch22Classifier

    model = Catch22Classifier(catch24=True, random_state=seed)
    model.fit(_filled(train), y.astype(np.str_))
    return np.asarray(model.predict(_filled(test)))


def nn_dtw(train: RawWindows, y: Array, test: RawWindows, seed: int) -> Array:  # noqa: ARG001  # nothing random in it
    """Nearest neighbour under dynamic time warping with a band of 10 % of the length, aeon's.

    Raises
    ------
    DataError : more than `MOST_DTW_CELLS` cells to fill
    """
    nearest = dtw_distances(test, train).argmin(axis=1)
    return np.asarray(y.astype(np.str_)[nearest])


def nn_euclidean(train: RawWindows, y: Array, test: RawWindows, seed: int) -> Array:  # noqa: ARG001  # nothing random in it
    """Nearest neighbour under the Euclidean distance of the samples as they are."""
    nearest = euclidean_distances(test, train).argmin(axis=1)
    return np.asarray(y.astype(np.str_)[nearest])


CLASSIFIERS: Mapping[str, Peer] = {
    "minirocket": minirocket,
    "hydra": hydra,
    "catch22": catch22,
    "nn_dtw": nn_dtw,
    "nn_euclidean": nn_euclidean,
}


def dtw_distances(a: RawWindows, b: RawWindows) -> Array:
    """Return (len(a), len(b)) dependent DTW distances, windows cut to their measured length.

    Raises
    ------
    DataError : more than `MOST_DTW_CELLS` cells to fill
    """
    from aeon.distances import dtw_pairwise_distance

    n_channels, n_samples = a.values.shape[1:]
    cells = len(a) * len(b) * n_channels * n_samples * max(1.0, 2 * DTW_BAND * n_samples)
    if cells > MOST_DTW_CELLS:
        raise DataError(
            f"left out: {len(a)} x {len(b)} windows of {n_samples} samples are {cells:.1e} cells, "
            f"over the cap of {MOST_DTW_CELLS:.0e}"
        )
    return np.asarray(dtw_pairwise_distance(_cut(a), _cut(b), window=DTW_BAND))


def euclidean_distances(a: RawWindows, b: RawWindows) -> Array:
    """Return (len(a), len(b)) Euclidean distances over all channels and samples."""
    from sklearn.metrics import pairwise_distances

    return np.asarray(
        pairwise_distances(_filled(a).reshape(len(a), -1), _filled(b).reshape(len(b), -1))
    )


def _of_samples(name: str, train: RawWindows, y: Array, test: RawWindows, seed: int) -> Array:
    """Return what a registered model of samples says, each window a group by itself."""
    from tool_use_om.heads.samples.base import raw_classifier

    model = raw_classifier(name, seed).fit(_batch(train), list(y.astype(np.str_)))
    return model.predict(_batch(test))


def _batch(windows: RawWindows) -> WindowBatch:
    """Return the windows as models of samples take them."""
    from tool_use_om.tokenizers.windows.windows import WindowBatch

    n, n_channels, n_samples = windows.values.shape
    measured = np.arange(n_samples) < windows.lengths[:, None]
    channels = tuple(f"c{i}" for i in range(n_channels))
    return WindowBatch(
        values=windows.values.astype(np.float32),
        mask=np.repeat(measured[:, None], n_channels, axis=1),
        rate_hz=1.0,
        start_s=np.zeros(n),
        session_ids=tuple(f"w{i}" for i in range(n)),
        channels=channels,
        units=("",) * n_channels,
    )


def _filled(windows: RawWindows) -> Array:
    return np.asarray(windows.values, dtype=np.float64)


def _cut(windows: RawWindows) -> Array | list[Array]:
    """Return the windows as one array, or as a list where their lengths differ."""
    values = _filled(windows)
    if (windows.lengths == values.shape[2]).all():
        return values
    return [v[:, : max(int(n), 1)] for v, n in zip(values, windows.lengths, strict=True)]
