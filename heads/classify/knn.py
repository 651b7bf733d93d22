"""Label by example: a vote of the nearest labelled windows, weighted by closeness."""

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
from tool_use_om.heads.contract.spec import HeadSpec, Param

Array = np.ndarray
_ROWS_AT_ONCE = 1024


class KNN(ClassifierHead):
    """Distance-weighted k nearest neighbours over standardised pooled tokens.

    A neighbour's weight is 1 / (0.1 + its distance over the mean distance of the k). One more vote
    is spread evenly over the classes, so that no probability is ever exactly 0 or 1.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="knn",
        task="classify",
        summary="vote of the nearest labelled windows",
        good_at="showing the examples an answer rests on; classes of any shape",
        bad_at="few labels of noisy classes; coarse probabilities, hence large prediction sets",
        labels_needed=1,
        said=("knn", "k nn", "k nearest"),
        params=(
            *POOLING_PARAMS,
            Param(name="k", kind="int", default=5, low=1, high=100, description="voters"),
            Param(
                name="metric",
                kind="str",
                default="euclidean",
                choices=("euclidean", "cosine"),
                description="distance between standardised features",
            ),
        ),
    )
    shift_: Array
    matrix_: Array

    def _fit(self, rows: Rows, codes: Array, groups: Array) -> None:  # noqa: ARG002  # nothing to tune
        self.shift_, self.matrix_ = fit_projection(rows, self._int("max_dims"))

    def _embed(self, rows: Array) -> Array:
        points = project(rows, self.shift_, self.matrix_)
        if self.params["metric"] == "cosine":
            points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)
        return points

    def _proba(self, rows: Array) -> Array:
        starts = range(0, len(rows), _ROWS_AT_ONCE)
        return np.concatenate([self._vote(rows[i : i + _ROWS_AT_ONCE]) for i in starts])

    def _vote(self, rows: Array) -> Array:
        squared = squared_distances(self._embed(rows), self.bank_.astype(np.float64))
        voters = np.argsort(squared, axis=1, kind="stable")[:, : self._int("k")]
        distance = np.sqrt(np.take_along_axis(squared, voters, axis=1))
        relative = distance / np.maximum(distance.mean(axis=1, keepdims=True), 1e-12)
        weight = 1.0 / (0.1 + relative)
        n_classes = len(self.classes_)
        votes = np.full((len(rows), n_classes), weight.mean(axis=1, keepdims=True) / n_classes)
        for code in range(n_classes):
            votes[:, code] += (weight * (self.bank_labels_[voters] == code)).sum(axis=1)
        proba: Array = votes / votes.sum(axis=1, keepdims=True)
        return proba
