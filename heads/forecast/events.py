"""How likely a channel reaches a level within a horizon, from whole paths of a forecast.

Quantiles of single steps cannot answer: whether any of many steps reaches a level depends on how
the errors of the steps go together. So whole error paths, as a fitted forecaster made them on
held-out windows, are added to its forecast, in units of each window's own scale; the share of paths
that reach the level is the probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from tool_use_om.data.errors import DataError, NotFittedError, unknown
from tool_use_om.heads.forecast.batch import normalisation
from tool_use_om.heads.numeric.metrics import Interval, bootstrap_interval

if TYPE_CHECKING:
    from tool_use_om.heads.forecast.base import ForecastHead
    from tool_use_om.heads.forecast.batch import ForecastBatch

Array = np.ndarray
Direction = Literal["above", "below"]
_MOST_PATHS = 500
_BINS = 5


@dataclass(frozen=True, kw_only=True)
class EventSkill:
    """How good probabilities of an event are on windows used for nothing else.

    Parameters
    ----------
    brier : mean squared error of the probabilities, with its bootstrap interval over sessions
    brier_of_base_rate : the same of always saying the calibration windows' share
    base_rate : share of the judged windows in which the event came
    reliability : (mean probability, share in which it came, windows) of up to five equal parts
    """

    brier: Interval
    brier_of_base_rate: float
    base_rate: float
    reliability: tuple[tuple[float, float, int], ...]

    @property
    def skill(self) -> float | None:
        """1 - brier / brier_of_base_rate; None where the base rate makes no error."""
        if self.brier_of_base_rate <= 0.0:
            return None
        return 1.0 - self.brier.value / self.brier_of_base_rate


class ThresholdEvent:
    """A channel reaches a level within the horizon: a classifier with probabilities.

    Parameters
    ----------
    head : a fitted forecaster
    channel : one of its channels
    level : in the channel's unit
    direction : "above": some sample of the horizon is at or above the level; "below": at or below
    """

    def __init__(
        self, head: ForecastHead, channel: str, level: float, direction: Direction = "above"
    ) -> None:
        if channel not in head.channels_:
            raise unknown("forecast channel", channel, head.channels_)
        if not np.isfinite(level):
            raise DataError(f"`threshold` must be a finite number, got {level}.")
        self.head, self.channel, self.level = head, channel, float(level)
        self.direction = direction

    def calibrate(self, batch: ForecastBatch) -> Self:
        """Remember the error paths on held-out windows whose whole future is known.

        Raises
        ------
        DataError : fewer than 20 such windows
        """
        n_steps = min(self.head.max_steps_, 0 if batch.future is None else batch.future.shape[2])
        truth = batch.truth([self.channel], max(n_steps, 1))[:, 0]
        whole = np.flatnonzero(np.isfinite(truth).all(axis=1))
        if len(whole) < 20:
            raise DataError(
                f"An event needs at least 20 held-out windows whose whole future is known, got "
                f"{len(whole)}. Shorten `horizon_s`, or choose more or longer sessions."
            )
        chosen = whole[:: -(-len(whole) // _MOST_PATHS)]
        part = batch.select(chosen)
        points, scale = self._points(part, n_steps)
        self.paths_ = (truth[chosen] - points) / scale
        self.base_rate_ = float(self._reached(truth[whole]).mean())
        return self

    def probabilities(self, batch: ForecastBatch, horizon_s: float) -> Array:
        """Return (B,) probabilities, never exactly 0 or 1: (1 + paths that reach) / (2 + paths).

        Raises
        ------
        NotFittedError : before calibrate()
        DataError : as the head's `predict`, or a horizon longer than calibrated
        """
        if not hasattr(self, "paths_"):
            raise NotFittedError("The event is not calibrated: call calibrate() first.")
        n_steps = max(1, round(horizon_s * self.head.rate_hz_))
        if n_steps > self.paths_.shape[1]:
            raise DataError(
                f"Calibrated up to {self.paths_.shape[1] / self.head.rate_hz_:g} s, asked for "
                f"{horizon_s:g} s. Calibrate on windows with a longer known future."
            )
        points, scale = self._points(batch, n_steps)
        errors = self.paths_[:, :n_steps]
        found = [
            self._reached(point + own * errors).sum()
            for point, own in zip(points, scale, strict=True)
        ]
        shares: Array = (1.0 + np.array(found)) / (2.0 + len(errors))
        return shares

    def measure(self, batch: ForecastBatch, horizon_s: float, *, seed: int = 0) -> EventSkill:
        """Judge the probabilities on held-out windows whose whole horizon is known."""
        n_steps = max(1, round(horizon_s * self.head.rate_hz_))
        truth = batch.truth([self.channel], n_steps)[:, 0]
        whole = np.flatnonzero(np.isfinite(truth).all(axis=1))
        if not len(whole):
            raise DataError("No held-out window has a known future as long as the horizon.")
        part = batch.select(whole)
        came = self._reached(truth[whole]).astype(np.float64)
        said = self.probabilities(part, horizon_s)
        sessions = np.array(part.windows.session_ids)
        return EventSkill(
            brier=bootstrap_interval((said - came) ** 2, groups=sessions, seed=seed),
            brier_of_base_rate=float(((self.base_rate_ - came) ** 2).mean()),
            base_rate=float(came.mean()),
            reliability=_reliability(said, came),
        )

    def _points(self, batch: ForecastBatch, n_steps: int) -> tuple[Array, Array]:
        """Return the median forecast (B, n_steps) and the windows' scale (B, 1)."""
        forecast = self.head.predict(batch, n_steps / self.head.rate_hz_)
        column = list(batch.windows.channels).index(self.channel)
        scale = normalisation(batch.windows, [column])[1]
        return forecast.median[:, self.head.channels_.index(self.channel)], scale

    def _reached(self, paths: Array) -> Array:
        """Return whether any sample of (..., n_steps) paths reaches the level."""
        beyond = paths >= self.level if self.direction == "above" else paths <= self.level
        return np.asarray(beyond.any(axis=-1))


def _reliability(said: Array, came: Array) -> tuple[tuple[float, float, int], ...]:
    order = np.argsort(said, kind="stable")
    parts = [p for p in np.array_split(order, _BINS) if len(p)]
    return tuple((float(said[p].mean()), float(came[p].mean()), len(p)) for p in parts)
