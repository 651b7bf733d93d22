"""Several forecasters as one: their quantiles averaged, with weights that backtests found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.contract.spec import HeadSpec
from tool_use_om.heads.forecast.base import ForecastHead
from tool_use_om.heads.forecast.batch import ForecastBatch

Array = np.ndarray
_STEPS = 2000
_PRIOR = 3.0  # windows that speak for equal weights
_LEAST = 0.02  # a member that counts less than this is left out


class Blend(ForecastHead):
    """A weighed mean of the quantiles of fitted forecasters (Vincent, 1912).

    Parameters
    ----------
    members : fitted on the same windows, for the same channels
    weights : member → weight; they sum to 1
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="blend",
        task="forecast",
        summary="weighed mean of several forecasters",
        good_at="series whose nature is not known beforehand",
        bad_at="nothing that one of its members is good at",
        labels_needed=0,
    )

    def __init__(self, members: Mapping[str, ForecastHead], weights: Mapping[str, float]) -> None:
        super().__init__()
        if set(members) != set(weights):
            raise DataError(f"Weights are for {sorted(weights)}, members are {sorted(members)}.")
        self.members, self.weights = dict(members), dict(weights)
        self.reads_tokens = any(head.reads_tokens for head in members.values())
        one = next(iter(members.values()))
        self.channels_, self.window_channels_ = one.channels_, one.window_channels_
        self.rate_hz_, self.n_samples_ = one.rate_hz_, one.n_samples_
        self.max_steps_ = min(head.max_steps_ for head in members.values())

    def _fit(self, batch: ForecastBatch) -> None:  # noqa: ARG002  # it is made, not fitted
        raise DataError("A blend is made of fitted forecasters: fit these.")

    def _predict(self, batch: ForecastBatch, n_steps: int) -> Array:
        horizon_s = n_steps / self.rate_hz_
        parts = [
            self.weights[name] * head.predict(batch, horizon_s).quantiles
            for name, head in self.members.items()
        ]
        return np.asarray(np.sum(parts, axis=0))


def blend_weights(errors: Mapping[str, Array]) -> dict[str, float]:
    """Return non-negative weights of sum 1 under which the mean of forecasts errs least.

    The squared error of the weighed mean follows from the products of the members' errors. As if
    a few windows more spoke for equal weights, these are where the search is held; members that
    count next to nothing are left out.

    Parameters
    ----------
    errors : member → (n, ...) errors on the same held-out windows, in one unit; NaN = unknown

    Raises
    ------
    DataError : no window that all members forecast
    """
    names = list(errors)
    table = np.stack([np.asarray(errors[n], dtype=np.float64) for n in names])
    n_windows = table.shape[1]
    rows = table.reshape(len(names), -1)
    rows = rows[:, np.isfinite(rows).all(axis=0)]
    if not rows.shape[1]:
        raise DataError("No held-out window has a future that all forecasters were judged on.")
    products = rows @ rows.T / rows.shape[1]
    typical = float(np.diag(products).mean()) or 1.0
    held = _PRIOR / max(n_windows, 1) * typical
    weights = _descend(products, held)
    kept = np.where(weights >= _LEAST, weights, 0.0)
    kept /= kept.sum()
    return {name: float(w) for name, w in zip(names, kept, strict=True) if w > 0}


def _descend(products: Array, held: float) -> Array:
    """Minimise w' A w + held |w - 1/m|² on the simplex by exponentiated gradient."""
    m = len(products)
    weights = np.full(m, 1.0 / m)
    rate = 0.5 / max(float(np.abs(products).max()) + held, 1e-300)
    for _ in range(_STEPS):
        slope = 2.0 * (products @ weights + held * (weights - 1.0 / m))
        weights = weights * np.exp(-rate * (slope - slope.min()))
        weights /= weights.sum()
    return weights
