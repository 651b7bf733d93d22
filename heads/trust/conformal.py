"""Split-conformal intervals, and what intervals and prediction sets share.

The guarantee (Vovk, 2005; Lei, 2018) holds on average over calibration sets and for windows
exchangeable with the calibration windows: a new subject, drift, or windows that overlap weaken it.
That is why the measured coverage is part of every result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from tool_use_om.data.errors import DataError, NotFittedError
from tool_use_om.heads.forecast.base import ForecastHead
from tool_use_om.heads.forecast.batch import Forecast, ForecastBatch
from tool_use_om.heads.numeric.metrics import wilson

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How often sets or intervals held the truth, beside how often they were meant to.

    Parameters
    ----------
    nominal, empirical : shares in [0, 1]
    n : what was counted: windows, or values of a forecast
    lower, upper : 95 % Wilson interval of `empirical`, with `n_groups` independent trials
    n_groups : sessions or subjects behind the n
    """

    nominal: float
    empirical: float
    n: int
    n_groups: int
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class IntervalForecast(Forecast):
    """A forecast with calibrated intervals.

    Parameters
    ----------
    lower, upper : (B, C, H) ends of the intervals, channel units; infinite where calibration
        windows were too few
    coverage : nominal share of values (or of whole trajectories) inside
    note : what a reader should know; "" if nothing
    """

    lower: Array
    upper: Array
    coverage: float
    note: str


class ConformalForecaster:
    """Conformalised quantile intervals (Romano, 2019) around a fitted forecaster.

    The head's own interval is widened or narrowed around its median by one factor for each channel,
    so that wide stays wide. `scope="step"` makes each value covered with the wanted probability;
    where a channel has too few calibration windows for a factor a step, its steps share one.
    `scope="trajectory"` covers a channel's whole horizon at once.
    """

    def __init__(
        self,
        head: ForecastHead,
        coverage: float = 0.9,
        *,
        scope: Literal["step", "trajectory"] = "step",
    ) -> None:
        self.head = head
        self.coverage = check_coverage(coverage)
        self.scope = scope
        self.note = ""

    def calibrate(self, batch: ForecastBatch) -> Self:
        """Learn the factors on held-out windows with a known future."""
        n_steps = self.head.max_steps_
        if batch.future is not None:
            n_steps = min(n_steps, batch.future.shape[2])
        forecast = self.head.predict(batch, n_steps / self.head.rate_hz_)
        return self.calibrate_on(forecast, batch.truth(self.head.channels_, n_steps))

    def calibrate_on(self, forecast: Forecast, truth: Array) -> Self:
        """Learn the factors from forecasts made earlier and what came, (B, C, H), NaN = unknown."""
        scores = self._scores(forecast, truth)
        channels = range(scores.shape[1])
        self.factors_ = np.stack([self._factors(scores[:, c]) for c in channels])
        fewest = int(np.isfinite(scores).any(axis=2).sum(axis=0).min())
        self.note = too_few(fewest, self.coverage, "intervals lean on few windows or are infinite")
        return self

    def predict(self, batch: ForecastBatch, horizon_s: float) -> IntervalForecast:
        """Forecast with intervals; raises as the head's `predict` does."""
        if not hasattr(self, "factors_"):
            raise NotFittedError("The intervals are not calibrated: call calibrate() first.")
        return self.frame(self.head.predict(batch, horizon_s))

    def frame(self, forecast: Forecast) -> IntervalForecast:
        """Put intervals around a forecast of the head; raises beyond the calibrated horizon."""
        n_steps = len(forecast.time_s)
        if n_steps > self.factors_.shape[1]:
            raise DataError(
                f"Calibrated up to {self.factors_.shape[1] / self.head.rate_hz_:g} s, asked for "
                f"{forecast.time_s[-1]:g} s. Calibrate on windows with a longer known future."
            )
        middle = forecast.median
        below, above = _half_widths(forecast, self.coverage)
        factors = self.factors_[None, :, :n_steps]
        if self.scope == "trajectory":  # the one factor of just this horizon
            factors = factors[:, :, -1:]
        return IntervalForecast(
            **vars(forecast),
            lower=middle - factors * below,
            upper=middle + factors * above,
            coverage=self.coverage,
            note=self.note,
        )

    def measure(self, batch: ForecastBatch, horizon_s: float) -> Coverage:
        """Return how often the intervals hold the truth on windows used for nothing else."""
        forecast = self.predict(batch, horizon_s)
        truth = batch.truth(self.head.channels_, len(forecast.time_s))
        return self.measure_on(forecast, truth)

    def measure_on(self, forecast: IntervalForecast, truth: Array) -> Coverage:
        """Return how often framed forecasts hold what came, (B, C, H), NaN = unknown."""
        inside = (truth >= forecast.lower) & (truth <= forecast.upper)
        known = np.isfinite(truth)
        groups = np.broadcast_to(np.array(forecast.session_ids)[:, None, None], truth.shape)
        if self.scope == "trajectory":
            inside, known = (inside | ~known).all(axis=2), known.any(axis=2)
            groups = groups[:, :, 0]
        return measured_coverage(inside[known], self.coverage, groups[known])

    def _scores(self, forecast: Forecast, truth: Array) -> Array:
        """Return (B, C, H) distances from the median in half-widths; NaN = unknown."""
        below, above = _half_widths(forecast, self.coverage)
        gap = truth - forecast.median
        scores: Array = np.where(gap < 0, -gap / below, gap / above)
        return scores

    def _factors(self, scores: Array) -> Array:
        """Return (H,) factors of one channel from its (n, H) scores.

        Under "trajectory" number h is that of a horizon of h + 1 steps: a window's score is the
        worst of them.
        """
        n_steps = scores.shape[1]
        known = np.isfinite(scores)
        if self.scope == "trajectory":
            scores = np.maximum.accumulate(np.where(known, scores, -np.inf), axis=1)
            known = np.logical_or.accumulate(known, axis=1)
        together = conformal_quantile(scores[known], self.coverage)
        if self.scope == "trajectory":
            together = float("inf")
        each = [conformal_quantile(scores[known[:, h], h], self.coverage) for h in range(n_steps)]
        return np.array([f if np.isfinite(f) else together for f in each])


def conformal_quantile(scores: Array, coverage: float) -> float:
    """Return the ceil((n + 1) * coverage)-th smallest score; infinite when n is too small."""
    rank = int(np.ceil((len(scores) + 1) * coverage - 1e-9))
    return float(np.sort(scores)[rank - 1]) if 0 < rank <= len(scores) else float("inf")


def check_coverage(coverage: float) -> float:
    """Return `coverage` if it is inside (0, 1); raise DataError otherwise."""
    if not 0.0 < coverage < 1.0:
        raise DataError(f"`coverage` must be in (0, 1), got {coverage}. 0.9 means 90 %.")
    return float(coverage)


def needed_groups(coverage: float) -> int:
    """Return how many independent calibration groups a coverage needs: 9 for 90 %."""
    return int(np.ceil(coverage / (1.0 - coverage) - 1e-9))


def too_few(n: int, coverage: float, consequence: str, unit: str = "windows") -> str:
    """Return a note when n calibration units cannot support `coverage`; "" otherwise."""
    needed = needed_groups(coverage)
    if n >= needed:
        return ""
    return f"{n} calibration {unit}, {needed} are needed for {coverage:.0%}: {consequence}"


def measured_coverage(hits: Array, nominal: float, groups: Sequence[str] | Array) -> Coverage:
    """Return the share of hits; its interval counts groups, not the windows inside them."""
    if not len(hits):
        raise DataError("Coverage needs at least one held-out window with a known answer.")
    share, n_groups = float(np.mean(hits)), len(np.unique(np.asarray(groups)))
    lower, upper = wilson(share, n_groups)
    return Coverage(
        nominal=nominal,
        empirical=share,
        n=len(hits),
        n_groups=n_groups,
        lower=lower,
        upper=upper,
    )


def _half_widths(forecast: Forecast, coverage: float) -> tuple[Array, Array]:
    """Return how far the head's own interval reaches below and above its median, > 0."""
    tail = max((1.0 - coverage) / 2.0, forecast.levels[0])
    middle = forecast.median
    floor = 1e-9 * (1.0 + np.abs(middle))
    below = np.maximum(middle - forecast.at(tail), floor)
    above = np.maximum(forecast.at(1.0 - tail) - middle, floor)
    return below, above
