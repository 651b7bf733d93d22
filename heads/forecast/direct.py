"""Forecasts by one ridge regression from the context to the whole horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tool_use_om.heads.contract.last_tokens import component_axes, last_tokens
from tool_use_om.heads.contract.spec import HeadSpec, Param
from tool_use_om.heads.forecast.base import ForecastHead
from tool_use_om.heads.forecast.batch import (
    ForecastBatch,
    error_quantiles,
    normalisation,
    normalised_context,
)
from tool_use_om.heads.forecast.usual import Usual
from tool_use_om.heads.numeric.folds import Fold, plain_folds
from tool_use_om.heads.numeric.ridge import NormalEquations, normal_equations

Array = np.ndarray
_MOST_SAMPLES = 512  # of the context's end
_MOST_HELD_OUT = 4000  # held-out rows are thinned to about so many; they only measure errors
_STRENGTHS = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_INPUTS = ("tokens", "samples", "both")
_FLAT = 1e-2  # of a channel's usual deviation: no window is scaled by less
_ERRORS = 0.1  # of it: no window's errors are measured in less


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One fold: the equations of its training rows, and the held-out rows that judge them."""

    train: NormalEquations
    rows: Array


class Direct(ForecastHead):
    """One linear map a step of the horizon, shared by the asked channels.

    It reads the leading components of the channel's last token, the samples of the window itself in
    the window's mean and scale, or both; which, and the ridge strength, have the least squared
    error, in channel units, on held-out sessions (stretches, where there is one session). With
    samples alone it is the linear model with reversible normalisation that Li and others (2023,
    "RLinear") train by gradient descent, here in closed form (Toner and Darlow, 2024). A window
    counts by its scale, so that nearly flat ones, whose normalised future may be huge, do not rule
    the map. The errors made on what was held out give the quantiles.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="direct",
        task="forecast",
        summary="ridge regression from tokens, samples or both to the whole horizon",
        good_at="long contexts with much to learn from; errors do not build up step by step",
        bad_at="few windows whose whole horizon is known",
        labels_needed=0,
        said=("direct", "ridge regression", "direct forecaster"),
        params=(
            Param(
                name="inputs",
                kind="str",
                default=None,
                choices=_INPUTS,
                description="what is read: 'tokens', the window's 'samples', or 'both'",
            ),
            Param(
                name="dims",
                kind="int",
                default=32,
                low=1,
                high=256,
                description="principal components of the last token",
            ),
            Param(
                name="strength",
                kind="float",
                default=None,
                low=1e-6,
                high=1e3,
                description="ridge strength",
            ),
        ),
    )
    usual_: Array  # (2, C) mean and deviation of a session that was not fitted on
    usual_sessions_: Array  # (S,) sessions that have their own
    usual_own_: Array  # (S, 2, C)
    token_shift_: Array  # (D,)
    token_matrix_: Array  # (D, dims)
    weights_: Array  # (samples + dims, H); zeros for what is not read
    inputs_: str
    strength_: float
    errors_: Array  # (H, levels) quantiles of held-out errors, normalised

    def _fit(self, batch: ForecastBatch) -> None:
        last = last_tokens(batch, self._columns())
        axes = component_axes(last.reshape(-1, last.shape[2]), self._int("dims"))
        self.token_shift_, self.token_matrix_ = axes
        usual = Usual.of(batch.windows, self._columns())
        self.usual_, self.usual_sessions_, self.usual_own_ = vars(usual).values()
        weight = self._weight(batch)
        states, truth = self._states(batch) * weight, self._truth(batch) * weight
        sessions = np.repeat(np.array(batch.windows.session_ids), len(self.channels_))
        everything = normal_equations(states, truth)
        parts = _parts(everything, states, truth, plain_folds(sessions))
        self.inputs_, self.strength_ = self._choose(parts, states, truth)
        self.weights_ = self._weights(everything, self.inputs_, self.strength_)
        errors, rows = self._errors(parts, states, truth)
        errors /= (self._error_scale(batch) / self._usual(batch)).reshape(-1, 1)[rows]
        self.errors_ = error_quantiles(errors[:, None])

    def _predict(self, batch: ForecastBatch, n_steps: int) -> Array:
        mean, scale = normalisation(batch.windows, self._columns(), self._usual(batch), _FLAT)
        points = (self._states(batch) @ self.weights_[:, :n_steps]).reshape(*mean.shape, n_steps)
        centre = mean[..., None] + scale[..., None] * points
        spread = self._error_scale(batch)[..., None, None] * self.errors_[:n_steps]
        quantiles: Array = centre[..., None] + spread
        return quantiles

    def _usual(self, batch: ForecastBatch) -> Array:
        """Return (B, C) the usual deviation of each window's channels."""
        usual = Usual(unseen=self.usual_, sessions=self.usual_sessions_, own=self.usual_own_)
        return usual.rows(batch.windows.session_ids)[:, 1]

    def _weight(self, batch: ForecastBatch) -> Array:
        """Return (B * C, 1) each window's scale in its channel's usual deviation."""
        usual = self._usual(batch)
        scale = normalisation(batch.windows, self._columns(), usual, _FLAT)[1]
        return np.asarray((scale / usual).reshape(-1, 1))

    def _error_scale(self, batch: ForecastBatch) -> Array:
        """Return (B, C) what errors are measured in."""
        return normalisation(batch.windows, self._columns(), self._usual(batch), _ERRORS)[1]

    def _truth(self, batch: ForecastBatch) -> Array:
        """Return (B * C, H) of what came after, in each window's mean and scale; NaN unknown."""
        mean, scale = normalisation(batch.windows, self._columns(), self._usual(batch), _FLAT)
        truth = batch.truth(self.channels_, self.max_steps_)
        scaled: Array = ((truth - mean[..., None]) / scale[..., None]).reshape(-1, self.max_steps_)
        return scaled

    def _states(self, batch: ForecastBatch) -> Array:
        """Return (B * C, samples + dims), windows outside, channels inside."""
        columns = self._columns()
        tokens = (last_tokens(batch, columns) - self.token_shift_) @ self.token_matrix_
        context = normalised_context(batch.windows, columns, self._usual(batch), _FLAT)
        states = np.concatenate([context[..., -self._n_samples() :], tokens], axis=2)
        joined: Array = states.reshape(-1, states.shape[2])
        return joined

    def _n_samples(self) -> int:
        return min(self.n_samples_, _MOST_SAMPLES)

    def _features(self, inputs: str) -> Array:
        """Return which columns of the states are read."""
        split, width = self._n_samples(), self._n_samples() + self.token_matrix_.shape[1]
        first = split if inputs == "tokens" else 0
        return np.arange(first, split if inputs == "samples" else width)

    def _weights(self, equations: NormalEquations, inputs: str, strength: float) -> Array:
        features = self._features(inputs)
        width = self._n_samples() + self.token_matrix_.shape[1]
        weights = np.zeros((width, equations.n_targets))
        weights[features] = equations.of(features).solve(strength)
        return weights

    def _choose(self, parts: list[_Part], states: Array, truth: Array) -> tuple[str, float]:
        """Return what to read and how strongly to shrink: least squared error on held-out rows.

        Both are weighed, which brings errors to the channel's usual deviation.
        """
        asked, given = self.params["inputs"], self.params["strength"]
        inputs = _INPUTS if asked is None else (str(asked),)
        strengths = _STRENGTHS if given is None else (float(given),)
        tried = [(i, s) for i in inputs for s in strengths]
        if len(tried) == 1:
            return tried[0]
        losses = np.zeros(len(tried))
        for part in parts:
            for index, (name, strength) in enumerate(tried):
                points = states[part.rows] @ self._weights(part.train, name, strength)
                losses[index] += np.nansum((truth[part.rows] - points) ** 2)
        return tried[int(losses.argmin())]

    def _errors(self, parts: list[_Part], states: Array, truth: Array) -> tuple[Array, Array]:
        """Return (n, H) weighed errors on held-out rows, and which rows these are."""
        errors = []
        for part in parts:
            weights = self._weights(part.train, self.inputs_, self.strength_)
            errors.append(truth[part.rows] - states[part.rows] @ weights)
        return np.concatenate(errors), np.concatenate([part.rows for part in parts])


def _parts(
    everything: NormalEquations, states: Array, truth: Array, folds: list[Fold]
) -> list[_Part]:
    """Return the folds; with one row there is nothing to hold out, and it judges itself."""
    thin = -(-len(states) // _MOST_HELD_OUT)
    if not folds:
        return [_Part(train=everything, rows=np.arange(len(states)))]
    parts = []
    for _, held_out in folds:
        own = normal_equations(states[held_out], truth[held_out], everything.columns)
        parts.append(_Part(train=everything.without(own), rows=held_out[::thin]))
    return parts
