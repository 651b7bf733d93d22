"""Few labels: a handful of prototypes a class under a metric learned in closed form."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tool_use_om.heads.contract.base import ClassifierHead
from tool_use_om.heads.contract.pooling import (
    POOLING_PARAMS,
    Rows,
    fit_projection,
    project,
    squared_distances,
)
from tool_use_om.heads.contract.results import Neighbour
from tool_use_om.heads.contract.spec import HeadSpec, Param
from tool_use_om.heads.numeric.folds import group_folds

Array = np.ndarray
_WINDOWS_A_PROTOTYPE = 10  # fewer make a prototype that describes its windows, not its class


class Prototypes(ClassifierHead):
    """Label a window by the nearest class prototype.

    The metric whitens the within-class covariance, shrunk towards a multiple of the identity
    (Ledoit and Wolf, 2004): with one label a class it is the Euclidean one, with many it is that
    of linear discriminant analysis. A class with at least 20 windows may get several prototypes
    (k-means). Probabilities are a softmax over negative squared distances; its temperature
    maximises the likelihood of held-out groups.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="prototypes",
        task="classify",
        summary="nearest class prototype under a learned metric",
        good_at="few labels (1 to about 20 a class); says which stretch it compared with",
        bad_at="classes that are not compact, many labels (a trained probe is better then)",
        labels_needed=1,
        said=("prototypes", "prototype", "nearest prototype", "class means"),
        params=(
            *POOLING_PARAMS,
            Param(
                name="max_prototypes",
                kind="int",
                default=3,
                low=1,
                high=20,
                description="at most this many prototypes a class, one for each 10 windows",
            ),
        ),
    )
    shift_: Array
    matrix_: Array
    prototypes_: Array  # (M, d)
    prototype_codes_: Array  # (M,) class of each
    temperature_: float

    def _fit(self, rows: Rows, codes: Array, groups: Array) -> None:
        shift, matrix = fit_projection(rows, self._int("max_dims"))
        points = project(rows.values, shift, matrix)
        whitener = within_whitener(points, codes)
        self.shift_, self.matrix_ = shift, matrix @ whitener
        self.prototypes_, self.prototype_codes_ = self._place(points @ whitener, codes)
        self.temperature_ = self._fit_temperature(points, codes, groups)

    def _embed(self, rows: Array) -> Array:
        return project(rows, self.shift_, self.matrix_)

    def _proba(self, rows: Array) -> Array:
        n_classes = len(self.classes_)
        nearest = _class_distances(
            self._embed(rows), self.prototypes_, self.prototype_codes_, n_classes
        )
        return softmax(-nearest / self.temperature_)

    def _nearest(self, point: Array, squared: Array, k: int) -> tuple[Neighbour, ...]:
        """Return the nearest prototypes, each named by the fitted window closest to it.

        The distance is that of the window named, so that it compares with any other stretch's.
        """
        to_prototypes = squared_distances(point[None], self.prototypes_)[0]
        bank = self.bank_.astype(np.float64)
        named = []
        for index in np.argsort(to_prototypes, kind="stable")[:k]:
            own = self.bank_labels_ == self.prototype_codes_[index]
            gaps = squared_distances(self.prototypes_[index][None], bank)[0]
            named.append(int(np.where(own, gaps, np.inf).argmin()))
        nearest = sorted(named, key=lambda i: (squared[i], i))
        return tuple(self._labelled(i, float(squared[i])) for i in nearest)

    def _place(self, points: Array, codes: Array) -> tuple[Array, Array]:
        """Return prototypes (M, d) and their classes (M,)."""
        placed, owners = [], []
        for code in np.unique(codes):
            own = points[codes == code]
            count = int(np.clip(len(own) // _WINDOWS_A_PROTOTYPE, 1, self._int("max_prototypes")))
            centres = own.mean(axis=0, keepdims=True) if count == 1 else k_means(own, count)
            placed.append(centres)
            owners += [int(code)] * len(centres)
        return np.concatenate(placed), np.array(owners, dtype=np.int64)

    def _fit_temperature(self, points: Array, codes: Array, groups: Array) -> float:
        n_classes = len(self.classes_)
        distances, truth = [], []
        for train, held_out in group_folds(codes, groups):
            whitener = within_whitener(points[train], codes[train])
            prototypes, owners = self._place(points[train] @ whitener, codes[train])
            held = points[held_out] @ whitener
            distances.append(_class_distances(held, prototypes, owners, n_classes))
            truth.append(codes[held_out])
        if not distances:
            apart = squared_distances(self.prototypes_, self.prototypes_)
            return float(max(apart.max() / 8.0, 1e-9))
        return best_temperature(np.concatenate(distances), np.concatenate(truth))


def within_whitener(points: Array, codes: Array) -> Array:
    """Return the (d, d) map under which the shrunk within-class covariance is the identity."""
    from sklearn.covariance import ledoit_wolf

    residuals = np.concatenate(
        [points[codes == c] - points[codes == c].mean(axis=0) for c in np.unique(codes)]
    )
    n_free = len(points) - len(np.unique(codes))
    if n_free < 1:
        spread = float((points - points.mean(axis=0)).var())
        plain: Array = np.eye(points.shape[1]) / np.sqrt(max(spread, 1e-12))
        return plain
    covariance = ledoit_wolf(residuals, assume_centered=True)[0] * len(points) / n_free
    values, vectors = np.linalg.eigh(covariance)
    floor = max(float(values.max()) * 1e-6, 1e-12)
    whitener: Array = vectors / np.sqrt(np.maximum(values, floor))
    return whitener


def k_means(points: Array, count: int) -> Array:
    """Return `count` or fewer centres; deterministic."""
    from sklearn.cluster import KMeans

    count = min(count, len(np.unique(points.round(12), axis=0)))
    fitted = KMeans(count, n_init=4, random_state=0).fit(points)
    centres: Array = fitted.cluster_centers_.astype(np.float64)
    return centres


def best_temperature(distances: Array, truth: Array) -> float:
    """Return the temperature under which `softmax(-distances / t)` makes `truth` most likely."""
    typical = float(np.median(distances[np.isfinite(distances)]))
    grid = max(typical, 1e-9) * np.logspace(-3, 1, 81)
    rows = np.arange(len(truth))
    losses = [-np.log(softmax(-distances / t)[rows, truth] + 1e-12).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def softmax(logits: Array) -> Array:
    """Return row-wise probabilities of (n, K) logits."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    proba: Array = shifted / shifted.sum(axis=1, keepdims=True)
    return proba


def _class_distances(points: Array, prototypes: Array, owners: Array, n_classes: int) -> Array:
    """Return (n, K) squared distances to the nearest prototype of each class; inf without one."""
    squared = squared_distances(points, prototypes)
    nearest = np.full((len(points), n_classes), np.inf)
    for code in np.unique(owners):
        nearest[:, code] = squared[:, owners == code].min(axis=1)
    return nearest
