"""More labels: multinomial logistic regression on pooled tokens, strength by cross-validation."""

from __future__ import annotations

import warnings
from typing import ClassVar

import numpy as np

from tool_use_om.heads.classify.prototypes import softmax
from tool_use_om.heads.contract.base import ClassifierHead
from tool_use_om.heads.contract.pooling import POOLING_PARAMS, Rows, fit_projection, project
from tool_use_om.heads.contract.spec import HeadSpec, Param
from tool_use_om.heads.numeric.folds import group_folds

Array = np.ndarray
_STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0)
_MOST_WINDOWS_TO_TUNE = 2000


class LinearProbe(ClassifierHead):
    """Logistic regression; its L2 strength has the best likelihood on held-out groups.

    The strength is chosen on at most 2 000 evenly spaced windows; the fit then uses all.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="linear_probe",
        task="classify",
        summary="logistic regression on pooled tokens",
        good_at="many labels (more than about 20 a class), classes that are not compact",
        bad_at="a handful of labels; classes that no plane separates",
        labels_needed=2,
        said=("linear probe", "logistic regression", "linear head", "linear_probe"),
        params=(
            *POOLING_PARAMS,
            Param(
                name="C",
                kind="float",
                default=None,
                low=1e-4,
                high=1e6,
                description="inverse strength of the L2 penalty",
            ),
        ),
    )
    shift_: Array
    matrix_: Array
    weights_: Array  # (d, K)
    bias_: Array  # (K,)
    C_: float

    def _fit(self, rows: Rows, codes: Array, groups: Array) -> None:
        self.shift_, self.matrix_ = fit_projection(rows, self._int("max_dims"))
        points = self._embed(rows.values)
        given = self.params["C"]
        self.C_ = float(given) if given is not None else best_strength(points, codes, groups)
        self.weights_, self.bias_ = logistic(points, codes, self.C_, len(self.classes_))

    def _embed(self, rows: Array) -> Array:
        return project(rows, self.shift_, self.matrix_)

    def _proba(self, rows: Array) -> Array:
        return softmax(self._embed(rows) @ self.weights_ + self.bias_)


def best_strength(points: Array, codes: Array, groups: Array) -> float:
    """Return the `C` with the least log loss on held-out groups; 100 where no fold exists."""
    step = -(-len(points) // _MOST_WINDOWS_TO_TUNE)
    points, codes, groups = points[::step], codes[::step], groups[::step]
    n_classes = int(codes.max()) + 1
    losses = np.zeros(len(_STRENGTHS))
    folds = group_folds(codes, groups, n_folds=3)
    for train, held_out in folds:
        for i, strength in enumerate(_STRENGTHS):
            weights, bias = logistic(points[train], codes[train], strength, n_classes)
            proba = softmax(points[held_out] @ weights + bias)
            chosen = proba[np.arange(len(held_out)), codes[held_out]]
            losses[i] -= np.log(np.maximum(chosen, 1e-12)).sum()
    return _STRENGTHS[int(losses.argmin())] if folds else 100.0


def logistic(points: Array, codes: Array, C: float, n_classes: int) -> tuple[Array, Array]:
    """Return weights (d, K) and bias (K,); a class absent from `codes` gets probability zero."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # An unfinished descent is early stopping: held-out likelihood judges it all the same.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(C=C, max_iter=300).fit(points, codes)
    weights = np.zeros((points.shape[1], n_classes))
    bias = np.full(n_classes, -1e3)
    if len(fitted.classes_) == 2:  # one logit for two classes
        weights[:, fitted.classes_[1]] = fitted.coef_[0]
        bias[fitted.classes_] = (0.0, float(fitted.intercept_[0]))
    else:
        weights[:, fitted.classes_] = fitted.coef_.T
        bias[fitted.classes_] = fitted.intercept_
    return weights, bias
