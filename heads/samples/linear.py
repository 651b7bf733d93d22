"""RLinear and DLinear, solved in closed form: the honest bar of forecasting.

RLinear (Li et al., 2023): each window in its own mean and scale, one linear map for all channels.
DLinear (Zeng et al., 2023): its two linear maps, of a moving average and of the rest, are together
one linear map of the window with an intercept, so ridge regression finds its optimum directly
(Toner and Darlow, 2024). Both minimise squared errors in units of each series' usual scale; the
ridge strength with the least error on the problem's check windows is taken, and the map is fitted
again with those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.contract.spec import HeadSpec, Param
from tool_use_om.heads.numeric.ridge import NormalEquations, known_blocks, normal_equations
from tool_use_om.heads.samples.forecaster import RawForecaster
from tool_use_om.heads.samples.problem import Fold, Problem

Array = np.ndarray
STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_NO_CHECK = 1e-3
_ORIGINS_AT_ONCE = 1024
_STRENGTH = Param(
    name="strength",
    kind="float",
    default=None,
    low=1e-8,
    high=1e4,
    description="ridge strength, relative to the inputs' variance; null = by the check windows",
)


class _LinearMap(RawForecaster):
    """One ridge map from a window (L,) to its horizon (H,), shared by all channels."""

    own_scale: ClassVar[bool]  # each window in its own mean and deviation, or in its series'
    weights_: Array  # (L + 1, H)
    strength_: float

    def _fit(self, problem: Problem, fold: Fold) -> None:
        """Choose the strength on the check windows, then fit on these too."""
        blocks = _blocks(problem, np.concatenate([fold.fit, fold.check]))
        sums = self._sums(problem, fold.fit, blocks)
        given = self.params["strength"]
        self.strength_ = _NO_CHECK if given is None else float(given)
        if given is None and len(fold.check):
            errors = []
            for strength in STRENGTHS:
                self.weights_ = _solve(sums, strength)
                errors.append(self._error(problem, fold.check))
            self.strength_ = STRENGTHS[int(np.argmin(errors))]
        self.weights_ = _solve(sums, self.strength_)
        if len(fold.check):
            self._said = self._points(problem, self._checked)
            sums = sums.plus(self._sums(problem, fold.check, blocks))
            self.weights_ = _solve(sums, self.strength_)

    def _points(self, problem: Problem, origins: Array) -> Array:
        parts = []
        for part in _parts(origins):
            inputs, mean, scale = self._inputs(problem, part)
            parts.append(mean + scale * (inputs @ self.weights_))
        return np.concatenate(parts)

    def _inputs(self, problem: Problem, origins: Array) -> tuple[Array, Array, Array]:
        """Return (n, C, L + 1) inputs with a constant, and mean and scale (n, C, 1)."""
        windows = problem.windows(origins)
        mean, scale = problem.usual(origins)
        if self.own_scale:
            mean = windows.mean(axis=2, keepdims=True)
            scale = np.sqrt(windows.var(axis=2, keepdims=True) + (1e-3 * scale) ** 2)
        inputs = (windows - mean) / scale
        return np.concatenate([inputs, np.ones_like(mean)], axis=2), mean, scale

    def _sums(self, problem: Problem, origins: Array, blocks: Sequence[Array]) -> NormalEquations:
        """Return the weighted normal equations.

        Squared errors in units of the series' usual scale weigh a row by its own scale squared.
        """
        total: NormalEquations | None = None
        for part in _parts(origins):
            inputs, mean, scale = self._inputs(problem, part)
            usual = problem.usual(part)[1]
            wanted = (problem.futures(part) - mean) / usual
            x = (inputs * (scale / usual)).reshape(-1, inputs.shape[2])
            own = normal_equations(x, wanted.reshape(-1, wanted.shape[2]), blocks)
            total = own if total is None else total.plus(own)
        if total is None:
            raise DataError(f"{self.name} has no window to learn from. Use a shorter context.")
        return total

    def _error(self, problem: Problem, origins: Array) -> float:
        squares, n = 0.0, 0
        for part in _parts(origins):
            gap = self._points(problem, part) - problem.futures(part)
            gap /= problem.usual(part)[1]
            known = np.isfinite(gap)
            squares += float((gap[known] ** 2).sum())
            n += int(known.sum())
        return squares / max(n, 1)


class RLinear(_LinearMap):
    """One linear map from the normalised window to its future, for all channels (Li, 2023)."""

    own_scale = True
    spec: ClassVar[HeadSpec] = HeadSpec(
        name="rlinear",
        task="forecast",
        summary="linear map of the normalised samples",
        good_at="long regular series with trend and season; costs nearly nothing",
        bad_at="windows shorter than a season; rhythms that differ from window to window",
        labels_needed=0,
        params=(_STRENGTH,),
    )


class DLinear(_LinearMap):
    """One linear map of the window in its series' usual scale (Zeng, 2023; levels count)."""

    own_scale = False
    spec: ClassVar[HeadSpec] = HeadSpec(
        name="dlinear",
        task="forecast",
        summary="linear map of the samples in their series' usual mean and scale",
        good_at="series that come back to a usual level",
        bad_at="windows shorter than a season; levels that were not seen in training",
        labels_needed=0,
        params=(_STRENGTH,),
    )


def _solve(sums: NormalEquations, strength: float) -> Array:
    """Return (L + 1, H); the constant, the last input, is not held back.

    The last input is the row's weight, so that its sum of squares is the total weight.
    """
    weights = np.zeros((len(sums.grams[0]), sums.n_targets))
    for columns, gram, cross in zip(sums.columns, sums.grams, sums.crosses, strict=True):
        total = max(float(gram[-1, -1]), 1e-12)
        ridge = np.full(len(gram), strength * total)
        ridge[-1] = 1e-9 * total
        weights[:, columns] = np.linalg.solve(gram + np.diag(ridge), cross)
    return weights


def _blocks(problem: Problem, origins: Array) -> list[Array]:
    """Return the steps of the horizon that are known together, whatever the window."""
    known = [np.isfinite(problem.futures(part)) for part in _parts(origins)]
    return known_blocks(np.concatenate([k.reshape(-1, problem.horizon) for k in known]))


def _parts(origins: Array) -> Iterator[Array]:
    for at in range(0, len(origins), _ORIGINS_AT_ONCE):
        yield origins[at : at + _ORIGINS_AT_ONCE]
