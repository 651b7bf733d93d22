"""The contract of every model of samples that forecasts: fit on a problem's fold, say quantiles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np

from tool_use_om.data.errors import NotFittedError
from tool_use_om.heads.contract.spec import HeadSpec, ParamValue
from tool_use_om.heads.forecast.batch import error_quantiles
from tool_use_om.heads.samples.problem import Fold, Problem

Array = np.ndarray
_MOST_CHECKED = 60  # windows that a model of single series is asked for its errors on
_FLOOR = 0.1  # of the usual scale: no window's errors are measured in less


class RawForecaster(ABC):
    """A forecaster of samples; its points are its own, its quantiles the errors held out.

    The errors made on the fold's check windows, before these were learned from, are taken with
    either sign, so that the median is the point forecast itself.

    Parameters
    ----------
    params : the settings named in `spec.params`
    """

    spec: ClassVar[HeadSpec]
    n_checked = 10**9  # how many check windows are forecast at most
    _said: Array | None = None
    errors_: Array  # (H, len(LEVELS)) quantiles of held-out errors, in the windows' scale

    def __init__(self, **params: object) -> None:
        self.params: dict[str, ParamValue] = self.spec.resolve(params)
        self.problem: Problem | None = None

    @property
    def name(self) -> str:
        """The registered name."""
        return self.spec.name

    def fit(self, problem: Problem, fold: Fold) -> Self:
        """Learn from a fold: `check` chooses settings and measures errors, then is learned from.

        Parameters
        ----------
        problem : the series, context, horizon and season
        fold : rows of (series, first sample forecast); the judged ones are not looked at
        """
        self.problem = problem
        checked = fold.check if len(fold.check) else fold.fit
        step = -(-len(checked) // self.n_checked)
        self._checked, self._said = checked[:: max(step, 1)], None
        self._fit(problem, fold)
        return self

    def points(self, origins: Array, problem: Problem | None = None) -> Array:
        """Return the (n, C, H) forecasts from the origins.

        Parameters
        ----------
        problem : another one of the same channels, context and horizon; default: that of `fit`

        Raises
        ------
        NotFittedError : before fit()
        """
        return self._points(self._of(problem), origins)

    def predict(self, origins: Array, problem: Problem | None = None) -> Array:
        """Return the (n, C, H, len(LEVELS)) quantiles from the origins; raises as `points`."""
        asked = self._of(problem)
        self.measure()
        spread = self._scale(asked, origins)[..., None] * self.errors_
        quantiles: Array = self._points(asked, origins)[..., None] + spread
        return quantiles

    def measure(self) -> None:
        """Measure the errors on the check windows, where that has not been done."""
        if hasattr(self, "errors_"):
            return
        problem = self._of(None)
        said = self._points(problem, self._checked) if self._said is None else self._said
        gap = problem.futures(self._checked) - said
        gap /= self._scale(problem, self._checked)
        self.errors_ = error_quantiles(np.concatenate([gap, -gap]))

    def arrays(self) -> dict[str, Array]:
        """Return the fitted arrays by name."""
        return {
            k: v for k, v in vars(self).items() if k.endswith("_") and isinstance(v, np.ndarray)
        }

    @property
    def memory_mb(self) -> float:
        """Megabytes of what was fitted."""
        return sum(array.nbytes for array in self.arrays().values()) / 1e6

    def _of(self, problem: Problem | None) -> Problem:
        found = self.problem if problem is None else problem
        if found is None:
            raise NotFittedError(f"{self.name!r} is not fitted yet: call fit() first.")
        return found

    @staticmethod
    def _scale(problem: Problem, origins: Array) -> Array:
        """Return (n, C, 1) what errors are measured in: the window's deviation, never near 0."""
        usual = problem.usual(origins)[1]
        spread = problem.windows(origins).var(axis=2, keepdims=True)
        return np.asarray(np.sqrt(spread + (_FLOOR * usual) ** 2))

    @abstractmethod
    def _fit(self, problem: Problem, fold: Fold) -> None:
        """Learn; may set `_said`, the (k, C, H) points of `_checked` before these were learned."""

    @abstractmethod
    def _points(self, problem: Problem, origins: Array) -> Array:
        """Return the (n, C, H) forecasts from the origins, in the units of the series."""


class LocalForecaster(RawForecaster):
    """A forecaster of one series at a time, which learns nothing from other windows."""

    n_checked = _MOST_CHECKED
    season_known = False  # whether the problem names the season

    def _fit(self, problem: Problem, fold: Fold) -> None:
        """Learn nothing."""

    def _points(self, problem: Problem, origins: Array) -> Array:
        self.season_known = problem.season > 0
        points = np.empty((len(origins), len(problem.channels), problem.horizon))
        for row, origin in enumerate(origins):
            for column, series in enumerate(problem.before(origin)):
                season = self._season(problem, series)
                points[row, column] = self._continued(series, problem.horizon, season)
        return points

    def _season(self, problem: Problem, series: Array) -> int:
        """Return the season in samples: the problem's, else the one that the series shows."""
        from tool_use_om.heads.numeric.season import season_of

        return problem.season or season_of(series) or 1

    @abstractmethod
    def _continued(self, series: Array, horizon: int, season: int) -> Array:
        """Return how (n,) a series goes on (horizon,)."""
