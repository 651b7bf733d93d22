"""Forecasts by one ridge regression from the context to the whole horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tool_use_om.heads.contract.last_tokens import component_axes, last_tokens, normalised_truth
from tool_use_om.heads.contract.spec import HeadSpec, Param
from tool_use_om.heads.forecast.base import ForecastHead
from tool_use_om.heads.forecast.batch import (
    ForecastBatch,
    error_quantiles,
    normalisation,
    normalised_context,
)
from tool_use_om.heads.numeric.folds import Fold, plain_folds
from tool_use_om.heads.numeric.ridge import NormalEquations, normal_equations

Array = np.ndarray
_MOST_SAMPLES = 512  # of the context's end
_MOST_HELD_OUT = 4000  # held-out rows are thinned to about so many; they only measure errors
_STRENGTHS = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_INPUTS = ("tokens", "samples", "both")


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
    "RLinear") train by gradient descent, here in closed form (Toner and Darlow, 2024). The errors
    made on what was held out give the quantiles.
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
        states = self._states(batch)
        truth = normalised_truth(batch, self.channels_, self.max_steps_)
        sessions = np.repeat(np.array(batch.windows.session_ids), len(self.channels_))
        everything = normal_equations(states, truth)
        parts = _parts(everything, states, truth, plain_folds(sessions))
        weight = _weight_in_units(batch, self._columns())
        self.inputs_, self.strength_ = self._choose(parts, states, truth * weight, weight)
        self.weights_ = self._weights(everything, self.inputs_, self.strength_)
        self.errors_ = error_quantiles(self._errors(parts, states, truth)[:, None])

    def _predict(self, batch: ForecastBatch, n_steps: int) -> Array:
        mean, scale = normalisation(batch.windows, self._columns())
        points = self._states(batch) @ self.weights_[:, :n_steps]
        spread = points.reshape(*mean.shape, n_steps, 1) + self.errors_[:n_steps]
        quantiles: Array = mean[..., None, None] + scale[..., None, None] * spread
        return quantiles

    def _states(self, batch: ForecastBatch) -> Array:
        """Return (B * C, samples + dims), windows outside, channels inside."""
        columns = self._columns()
        tokens = (last_tokens(batch, columns) - self.token_shift_) @ self.token_matrix_
        samples = normalised_context(batch.windows, columns)[..., -self._n_samples() :]
        states = np.concatenate([samples, tokens], axis=2)
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

    def _choose(
        self, parts: list[_Part], states: Array, truth: Array, weight: Array
    ) -> tuple[str, float]:
        """Return what to read and how strongly to shrink: least squared error on held-out rows.

        `weight` (N, 1) brings errors from windows' scales to the channel's; `truth` has it in it.
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
                losses[index] += np.nansum((truth[part.rows] - weight[part.rows] * points) ** 2)
        return tried[int(losses.argmin())]

    def _errors(self, parts: list[_Part], states: Array, truth: Array) -> Array:
        """Return (n, H) errors on held-out rows."""
        errors = []
        for part in parts:
            weights = self._weights(part.train, self.inputs_, self.strength_)
            errors.append(truth[part.rows] - states[part.rows] @ weights)
        return np.concatenate(errors)


def _weight_in_units(batch: ForecastBatch, columns: list[int]) -> Array:
    """Return (B * C, 1) each window's scale over the typical one of its channel."""
    scale = normalisation(batch.windows, columns)[1]
    weight: Array = (scale / np.sqrt((scale**2).mean(axis=0))).reshape(-1, 1)
    return weight


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
