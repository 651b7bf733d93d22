"""RLinear and DLinear, solved by ridge regression: the honest bar of forecasting."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tool_use_om.heads.contract.spec import HeadSpec, Param
from tool_use_om.heads.numeric.ridge import normal_equations
from tool_use_om.heads.samples.forecaster import RawForecaster

Array = np.ndarray
_STRENGTH = Param(
    name="strength",
    kind="float",
    default=0.01,
    low=1e-8,
    high=1e4,
    description="ridge strength, relative to the inputs' variance",
)


class RLinear(RawForecaster):
    """One linear map from the normalised window to its future, for all channels (Li, 2023)."""

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="rlinear",
        task="forecast",
        summary="linear map of the normalised samples",
        good_at="long regular series with trend and season; costs nearly nothing",
        bad_at="windows shorter than a season; rhythms that differ from window to window",
        labels_needed=0,
        params=(_STRENGTH,),
    )
    weights_: Array  # (S, H)

    def _learn(self, context: Array, wanted: Array) -> None:
        inputs = self._inputs(context).reshape(-1, self._width(context.shape[2]))
        sums = normal_equations(inputs, wanted.reshape(-1, wanted.shape[2]))
        self.weights_ = sums.solve(self._float("strength"))

    def _points(self, context: Array, n_steps: int) -> Array:
        points: Array = self._inputs(context) @ self.weights_[:, :n_steps]
        return points

    def _inputs(self, context: Array) -> Array:
        """Return (n, C, S) what the map is applied to."""
        return np.concatenate([context, np.ones_like(context[..., :1])], axis=2)

    def _width(self, n_samples: int) -> int:
        return n_samples + 1


class DLinear(RLinear):
    """Two linear maps, of a moving average and of what is left (Zeng et al., 2023).

    Together they are one linear map; what sets them apart from `rlinear` is that the ridge penalty
    falls on the two parts by themselves.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="dlinear",
        task="forecast",
        summary="linear maps of a moving average and of the rest",
        good_at="series whose trend and season go on in different ways",
        bad_at="windows shorter than a season",
        labels_needed=0,
        params=(
            _STRENGTH,
            Param(
                name="average",
                kind="int",
                default=25,
                low=3,
                high=999,
                description="samples in the moving average, at most half of the window",
            ),
        ),
    )

    def _inputs(self, context: Array) -> Array:
        trend = _moving_average(context, min(self._int("average"), context.shape[2] // 2))
        ones = np.ones_like(context[..., :1])
        return np.concatenate([trend, context - trend, ones], axis=2)

    def _width(self, n_samples: int) -> int:
        return 2 * n_samples + 1


def _moving_average(context: Array, width: int) -> Array:
    """Return the centred mean over `width` samples, the ends repeated, same shape."""
    width = max(width, 1)
    before = (width - 1) // 2
    pads = ((0, 0), (0, 0), (before, width - 1 - before))
    padded = np.pad(context, pads, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=2)
    smooth: Array = windows.mean(axis=3)
    return smooth
