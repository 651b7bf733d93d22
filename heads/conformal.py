"""Split-conformal sets and intervals: uncertainty that is measured on held-out data.

The guarantee (Vovk, 2005; Lei, 2018) holds on average over calibration sets and for windows
exchangeable with the calibration windows: a new subject, drift, or windows that overlap weaken it.
That is why the measured coverage is part of every result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from tool_use_om.data.errors import DataError, NotFittedError
from tool_use_om.heads.base import ClassifierHead
from tool_use_om.heads.forecasting import Forecast, ForecastBatch, ForecastHead
from tool_use_om.heads.metrics import wilson

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

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

    @property
    def agrees(self) -> bool:
        """Whether the nominal coverage lies inside the interval."""
        return self.lower <= self.nominal <= self.upper


class ConformalClassifier:
    """Prediction sets around a fitted classifier.

    Parameters
    ----------
    head : a fitted ClassifierHead
    coverage : wanted share of sets that hold the true label, in (0, 1)
    method : "lac" (smallest sets on average; Sadinle, 2019; may be empty = none fits) or "aps"
        (adaptive; Romano, 2020, without randomisation: never empty, somewhat too large)
    class_conditional : calibrate each class by itself; needs 1 / (1 - coverage) windows in each
    """

    def __init__(
        self,
        head: ClassifierHead,
        coverage: float = 0.9,
        *,
        method: Literal["lac", "aps"] = "lac",
        class_conditional: bool = False,
    ) -> None:
        self.head = head
        self.coverage = check_coverage(coverage)
        self.method = method
        self.class_conditional = class_conditional
        self.note = ""

    def calibrate(self, tokens: Tokens, y: Sequence[str]) -> Self:
        """Learn the threshold(s) on held-out windows; `note` says when they are too few."""
        scores = self._scores(self.head.predict_proba(tokens))
        columns = self._columns(y)
        own = scores[np.arange(len(scores)), columns]
        n_classes = len(self.head.classes_)
        if self.class_conditional:
            each = [own[columns == k] for k in range(n_classes)]
        else:
            each = [own] * n_classes
        self.thresholds_ = np.array([conformal_quantile(s, self.coverage) for s in each])
        fewest = min(len(s) for s in each)
        self.note = too_few(fewest, self.coverage, "every label stays possible")
        return self

    def predict_sets(self, tokens: Tokens) -> list[set[str]]:
        """Return the labels that remain possible for each window."""
        inside = self._inside(tokens)
        names = [str(c) for c in self.head.classes_]
        return [{n for n, keep in zip(names, row, strict=True) if keep} for row in inside]

    def measure(
        self, tokens: Tokens, y: Sequence[str], groups: Sequence[str] | None = None
    ) -> Coverage:
        """Return how often the sets hold the true label on windows used for nothing else."""
        hits = self._inside(tokens)[np.arange(len(y)), self._columns(y)]
        chosen = tokens.session_ids if groups is None else groups
        return measured_coverage(hits, self.coverage, chosen)

    def _inside(self, tokens: Tokens) -> Array:
        if not hasattr(self, "thresholds_"):
            raise NotFittedError("The prediction sets are not calibrated: call calibrate() first.")
        proba = self.head.predict_proba(tokens)
        inside: Array = self._scores(proba) <= self.thresholds_ + 1e-12
        if self.method == "aps":
            inside[np.arange(len(proba)), proba.argmax(axis=1)] = True
        return inside

    def _scores(self, proba: Array) -> Array:
        """Return (B, K) nonconformity: low = the label fits."""
        if self.method == "lac":
            return 1.0 - proba
        order = np.argsort(-proba, axis=1, kind="stable")
        mass = np.cumsum(np.take_along_axis(proba, order, axis=1), axis=1)
        scores = np.empty_like(proba)
        np.put_along_axis(scores, order, mass, axis=1)
        return scores

    def _columns(self, y: Sequence[str]) -> Array:
        labels = np.asarray(y, dtype=np.str_)
        if not np.isin(labels, self.head.classes_).all():
            strangers = sorted(set(labels) - set(self.head.classes_))
            raise DataError(f"The head was not fitted on the label(s) {', '.join(strangers)}.")
        return np.searchsorted(self.head.classes_, labels)


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
        scores = self._scores(forecast, batch.truth(self.head.channels_, n_steps))
        channels = range(scores.shape[1])
        self.factors_ = np.stack([self._factors(scores[:, c]) for c in channels])
        fewest = int(np.isfinite(scores).any(axis=2).sum(axis=0).min())
        self.note = too_few(fewest, self.coverage, "intervals lean on few windows or are infinite")
        return self

    def predict(self, batch: ForecastBatch, horizon_s: float) -> IntervalForecast:
        """Forecast with intervals; raises as the head's `predict` does."""
        if not hasattr(self, "factors_"):
            raise NotFittedError("The intervals are not calibrated: call calibrate() first.")
        forecast = self.head.predict(batch, horizon_s)
        n_steps = len(forecast.time_s)
        if n_steps > self.factors_.shape[1]:
            raise DataError(
                f"Calibrated up to {self.factors_.shape[1] / self.head.rate_hz_:g} s, asked for "
                f"{horizon_s:g} s. Calibrate on windows with a longer known future."
            )
        middle = forecast.median
        below, above = _half_widths(forecast, self.coverage)
        factors = self.factors_[None, :, :n_steps]
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
        """Return (H,) factors of one channel from its (n, H) scores."""
        n_steps = scores.shape[1]
        known = np.isfinite(scores)
        if self.scope == "trajectory":
            worst = np.where(known, scores, -np.inf).max(axis=1)[known.any(axis=1)]
            return np.full(n_steps, conformal_quantile(worst, self.coverage))
        together = conformal_quantile(scores[known], self.coverage)
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


def too_few(n: int, coverage: float, consequence: str) -> str:
    """Return a note when n calibration windows cannot support `coverage`; "" otherwise."""
    needed = int(np.ceil(coverage / (1.0 - coverage) - 1e-9))
    if n >= needed:
        return ""
    return f"{n} calibration windows, {needed} are needed for {coverage:.0%}: {consequence}"


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
