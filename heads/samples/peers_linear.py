"""The linear forecasters that deep ones are measured against, solved in closed form.

RLinear (Li et al., 2023): each window in its own mean and scale, one linear map for all channels.
DLinear (Zeng et al., 2023): its two linear maps, of a moving average and of the rest, are together
one linear map of the window with an intercept, so ridge regression finds its optimum directly
(Toner and Darlow, 2024). Both minimise squared errors in units of each series' usual scale; the
ridge strength with the least error on the problem's check windows is taken, and the map is fitted
again with those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tool_use_om.heads.samples.problem import Fold, Problem

Array = np.ndarray
STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_ORIGINS_AT_ONCE = 1024


class LinearMap:
    """One ridge map from a window (L,) to its horizon (H,), shared by all channels.

    Parameters
    ----------
    own_scale : each window in its own mean and deviation (RLinear), or in its series' (DLinear)
    """

    def __init__(self, *, own_scale: bool) -> None:
        self.own_scale = own_scale

    def forecast(self, problem: Problem, fold: Fold) -> Array:
        """Return the (k, C, H) forecasts of the fold's judged windows."""
        self.fit(problem, fold)
        return np.concatenate([self.predict(problem, part) for part in _parts(fold.judge)])

    def fit(self, problem: Problem, fold: Fold) -> None:
        """Choose the strength on the check windows, then fit on these too."""
        sums = self._sums(problem, fold.fit)
        self.strength_ = STRENGTHS[2]
        if len(fold.check):
            errors = []
            for strength in STRENGTHS:
                self.weights_ = _solve(*sums, strength)
                errors.append(self._error(problem, fold.check))
            self.strength_ = STRENGTHS[int(np.argmin(errors))]
            more = self._sums(problem, fold.check)
            sums = (sums[0] + more[0], sums[1] + more[1], sums[2] + more[2])
        self.weights_ = _solve(*sums, self.strength_)

    def predict(self, problem: Problem, origins: Array) -> Array:
        """Return the (n, C, H) forecasts from the origins."""
        inputs, mean, scale = self._inputs(problem, origins)
        points: Array = mean + scale * (inputs @ self.weights_)
        return points

    def _inputs(self, problem: Problem, origins: Array) -> tuple[Array, Array, Array]:
        """Return (n, C, L + 1) inputs with a constant, and mean and scale (n, C, 1)."""
        windows = problem.windows(origins)
        mean, scale = problem.usual(origins)
        if self.own_scale:
            mean = windows.mean(axis=2, keepdims=True)
            scale = np.sqrt(windows.var(axis=2, keepdims=True) + (1e-3 * scale) ** 2)
        inputs = (windows - mean) / scale
        return np.concatenate([inputs, np.ones_like(mean)], axis=2), mean, scale

    def _sums(self, problem: Problem, origins: Array) -> tuple[Array, Array, float]:
        """Return the weighted Gram matrix, the moments and the total weight.

        Squared errors in units of the series' usual scale weigh a row by its own scale squared.
        """
        gram = np.zeros((problem.context + 1,) * 2)
        moment = np.zeros((problem.context + 1, problem.horizon))
        total = 0.0
        for part in _parts(origins):
            inputs, mean, scale = self._inputs(problem, part)
            usual = problem.usual(part)[1]
            wanted = (problem.futures(part) - mean) / usual
            known = np.isfinite(wanted).all(axis=2)
            weight = scale / usual
            x, y = (inputs * weight)[known], wanted[known]
            gram += x.T @ x
            moment += x.T @ y
            total += float((weight[known] ** 2).sum())
        return gram, moment, total

    def _error(self, problem: Problem, origins: Array) -> float:
        squares, n = 0.0, 0
        for part in _parts(origins):
            gap = self.predict(problem, part) - problem.futures(part)
            gap /= problem.usual(part)[1]
            known = np.isfinite(gap)
            squares += float((gap[known] ** 2).sum())
            n += int(known.sum())
        return squares / max(n, 1)


def _solve(gram: Array, moment: Array, total: float, strength: float) -> Array:
    """Return (L + 1, H); the constant is not held back."""
    ridge = np.full(len(gram), strength * max(total, 1e-12))
    ridge[-1] = 1e-9 * max(total, 1e-12)
    solution: Array = np.linalg.solve(gram + np.diag(ridge), moment)
    return solution


def _parts(origins: Array) -> Iterator[Array]:
    for at in range(0, len(origins), _ORIGINS_AT_ONCE):
        yield origins[at : at + _ORIGINS_AT_ONCE]


def names() -> Sequence[str]:
    """Return the linear peers' names."""
    return tuple(_OWN_SCALE)


def linear(name: str) -> LinearMap:
    """Return an unfitted linear peer by name."""
    return LinearMap(own_scale=_OWN_SCALE[name])


_OWN_SCALE = {"rlinear": True, "dlinear": False}
