"""Many features, few labels: ridge regression on all pooled features, no components dropped."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tool_use_om.heads.classify.prototypes import softmax
from tool_use_om.heads.contract.base import ClassifierHead
from tool_use_om.heads.contract.pooling import POOLING_PARAMS, Rows, balance, fill, project
from tool_use_om.heads.contract.spec import HeadSpec, Param

Array = np.ndarray
_PENALTIES = tuple(10.0 ** (k / 2) for k in range(-10, 5))
_CONTEXT_WEIGHTS = (0.0, 0.1, 0.3, 1.0)
_MOST_WINDOWS_TO_TUNE = 2000
_TEMPERATURES = tuple(10.0 ** (k / 10) for k in range(-20, 11))


class RidgeProbe(ClassifierHead):
    """One ridge regression a class onto ±1, in closed form.

    The penalty, and how much the context features weigh beside the tokens (perhaps nothing), have
    the least squared error of leaving one window out, on at most 2 000 evenly spaced windows.
    Probabilities are a softmax of the scores whose temperature makes the left-out windows likely.

    Source: Hoerl and Kennard (1970); leaving one out in closed form as in Golub et al. (1979).
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="ridge_probe",
        task="classify",
        summary="ridge regression on all pooled features",
        good_at="shapes aligned in their windows, few windows with many features; fits in a moment",
        bad_at="saying which stretch it compared with; classes that no plane separates",
        labels_needed=2,
        said=("ridge probe", "ridge classifier", "ridge head"),
        params=(
            Param(
                name="pooling",
                kind="str",
                default="shape",
                choices=("shape", "stats", "channels", "mean"),
                description=POOLING_PARAMS[0].description,
            ),
            POOLING_PARAMS[1],
        ),
    )
    shift_: Array
    matrix_: Array  # (F, K)
    bias_: Array  # (K,)
    penalty_: float
    context_weight_: float
    temperature_: float

    def _fit(self, rows: Rows, codes: Array, groups: Array) -> None:  # noqa: ARG002  # left out one by one
        self.shift_, scale = balance(rows)
        n_tokens = len(scale) - rows.n_context
        points = (fill(rows.values, self.shift_) - self.shift_) * scale
        targets = np.where(codes[:, None] == np.arange(len(self.classes_)), 1.0, -1.0)
        tuned = slice(None, None, -(-len(points) // _MOST_WINDOWS_TO_TUNE))
        found = _tuned(points[tuned], targets[tuned], codes[tuned], n_tokens)
        self.penalty_, self.context_weight_, self.temperature_ = found
        weight = np.ones(len(scale))
        weight[n_tokens:] = np.sqrt(self.context_weight_)
        self.bias_ = targets.mean(axis=0)
        solved = _solved(points * weight, targets - self.bias_, self.penalty_)
        self.matrix_ = (scale * weight)[:, None] * solved

    def _embed(self, rows: Array) -> Array:
        return project(rows, self.shift_, self.matrix_)

    def _proba(self, rows: Array) -> Array:
        return softmax((self._embed(rows) + self.bias_) / self.temperature_)


def _tuned(
    points: Array, targets: Array, codes: Array, n_tokens: int
) -> tuple[float, float, float]:
    """Return penalty, weight of the context and temperature, by leaving one window out."""
    offset = targets.mean(axis=0)
    kernels = [part @ part.T for part in (points[:, :n_tokens], points[:, n_tokens:])]
    weights = _CONTEXT_WEIGHTS if n_tokens < points.shape[1] else (0.0,)
    best, chosen, scores = np.inf, (1.0, 0.0), targets
    for weight in weights:
        values, vectors = np.linalg.eigh(kernels[0] + weight * kernels[1])
        values, turned = np.maximum(values, 0.0), vectors.T @ (targets - offset)
        for penalty in _PENALTIES:
            shrink = 1.0 / (values + penalty)
            dual = vectors @ (shrink[:, None] * turned)
            errors = dual / (vectors**2 @ shrink)[:, None]
            if (loss := float((errors**2).mean())) < best:
                best, chosen, scores = loss, (penalty, weight), targets - errors
    rows = np.arange(len(codes))
    losses = [-np.log(softmax(scores / t)[rows, codes] + 1e-12).mean() for t in _TEMPERATURES]
    return (*chosen, _TEMPERATURES[int(np.argmin(losses))])


def _solved(points: Array, targets: Array, penalty: float) -> Array:
    """Return the (F, K) ridge solution, by the smaller of the two systems of equations."""
    n, width = points.shape
    if n <= width:
        dual = np.linalg.solve(points @ points.T + penalty * np.eye(n), targets)
        return np.asarray(points.T @ dual)
    gram = points.T @ points + penalty * np.eye(width)
    return np.asarray(np.linalg.solve(gram, points.T @ targets))
