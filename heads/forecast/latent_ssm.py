"""Forecasts by linear dynamics in token space, decoded for the asked channels only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tool_use_om.heads.contract.last_tokens import component_axes, last_tokens, normalised_truth
from tool_use_om.heads.contract.spec import HeadSpec, Param
from tool_use_om.heads.forecast.base import ForecastHead
from tool_use_om.heads.forecast.batch import (
    LEVELS,
    ForecastBatch,
    error_quantiles,
    normalisation,
    normalised_context,
)
from tool_use_om.heads.forecast.token_filter import TokenFilter, fit_token_filter
from tool_use_om.heads.numeric.folds import plain_folds
from tool_use_om.heads.numeric.kalman import LinearGaussian
from tool_use_om.heads.numeric.ridge import normal_equations

Array = np.ndarray
_RAW_SAMPLES = 128  # of the context's end; what lies before speaks through the token
_MOST_HELD_OUT = 4000  # held-out rows are thinned to about so many; they only measure errors
_STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_MODEL = {  # fitted attribute → field of LinearGaussian
    "filter_a_": "A",
    "filter_c_": "C",
    "filter_q_": "Q",
    "filter_r_": "R",
    "filter_m0_": "m",
    "filter_p0_": "P",
}
PARAMS = (
    Param(
        name="state",
        kind="str",
        default="last",
        choices=("last", "filtered"),
        description="'last': the window's last token; 'filtered': a Kalman filter over its tokens",
    ),
    Param(
        name="dims",
        kind="int",
        default=32,
        low=1,
        high=256,
        description="principal components of a token in the state",
    ),
    Param(
        name="raw_context",
        kind="bool",
        default=False,
        description="add the normalised samples themselves to the state 'last'",
    ),
    Param(
        name="strength",
        kind="float",
        default=None,
        low=1e-6,
        high=1e3,
        description="ridge strength",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Design:
    """What a linear forecaster learns from; a row is one channel of one window.

    Parameters
    ----------
    states : (N, S)
    truth : (N, H) what came after, normalised; NaN = unknown
    pairs : (M, 2) rows of the same channel and session one step apart
    sessions : (N,) session of each row
    """

    states: Array
    truth: Array
    pairs: Array
    sessions: Array


class LatentSSM(ForecastHead):
    """Linear state space: `s[t+1] = A s[t]`, `y[t] = E s[t]`, shared by the asked channels.

    The state of a channel at a window's end holds the leading components of its last token. The
    normalised samples of its context (at most 128) can be added; on BasicMotions they did not help,
    on 40 sessions nor on the 10 of walking. `A` takes the state one step on: it is fitted by ridge
    on pairs of windows one step apart, each encoded from its own past only, so nothing leaks from
    the future as it would between patches of one window. `E` decodes the samples of the next step,
    in units of the window's mean and scale. A step is one patch if there are windows a patch apart,
    else their smallest stride. One ridge strength serves both: the one with the least squared error
    over the horizon on held-out sessions. The errors made there give the quantiles.

    `state="filtered"` is the textbook form instead: a linear Gaussian model of all tokens of the
    window, learnt by EM, whose Kalman filter passes over missing patches; samples are decoded from
    the predicted states and the filter's own covariance gives Gaussian quantiles. On the
    calibration part it was the better one on BasicMotions (mean absolute error .563 standard
    deviations against .567) and ETTh1, the worse one on HMP (.395 against .391; walking .641
    against .627), and slower to fit: so `last` stays the default. Tokens of one window know of each
    other, which the filter's dynamics take for foresight.

    Not covered: a state filtered over earlier windows, a spread that differs between windows other
    than by their scale (with `last`), one channel driving another.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="latent_ssm",
        task="forecast",
        summary="linear dynamics in token space with decoders for the asked channels",
        good_at="rhythms and how they fade, from few sessions; fits in seconds",
        bad_at="jumps and regime changes; one channel driving another",
        labels_needed=0,
        said=("latent ssm", "ssm", "state space", "latent_ssm"),
        listed=False,  # behind `direct` on every set measured
        params=PARAMS,
    )
    token_shift_: Array  # (D,)
    token_matrix_: Array  # (D, dims)
    dynamics_: Array  # (S, S)
    emission_: Array  # (S, step)
    step_: int
    strength_: float
    errors_: Array  # (H, levels) quantiles of held-out errors, normalised
    filter_a_: Array  # (dims, dims), with C, Q, R, m, P of `kalman.LinearGaussian`
    filter_c_: Array
    filter_q_: Array
    filter_r_: Array
    filter_m0_: Array
    filter_p0_: Array
    noise_: Array  # (step,)

    def _fit(self, batch: ForecastBatch) -> None:
        given = self.params["strength"]
        tried = _STRENGTHS if given is None else (float(given),)
        if self._filtered:
            self._fit_filter(batch, tried)
        else:
            self._fit_steps(batch, tried)

    def _predict(self, batch: ForecastBatch, n_steps: int) -> Array:
        mean, scale = normalisation(batch.windows, self._columns())
        if self._filtered:
            spread = self._filtered_quantiles(batch, n_steps).reshape(*mean.shape, n_steps, -1)
        else:
            points = roll_out(self._states(batch), self.dynamics_, self.emission_, n_steps)
            spread = points.reshape(*mean.shape, n_steps, 1) + self.errors_[:n_steps]
        quantiles: Array = mean[..., None, None] + scale[..., None, None] * spread
        return quantiles

    @property
    def _filtered(self) -> bool:
        return self.params["state"] == "filtered"

    def _fit_filter(self, batch: ForecastBatch, tried: tuple[float, ...]) -> None:
        columns = self._columns()
        valid = batch.tokens.values[:, columns][batch.tokens.mask[:, columns]].astype(np.float64)
        axes = component_axes(valid, self._int("dims"))
        self.token_shift_, self.token_matrix_ = axes
        self.step_ = max(1, round(batch.tokens.patch_s * batch.windows.rate_hz))
        fitted, self.strength_ = fit_token_filter(
            *self._observations(batch),
            normalised_truth(batch, self.channels_, self.max_steps_),
            np.repeat(np.array(batch.windows.session_ids), len(columns)),
            patch=self.step_,
            strengths=tried,
        )
        self.emission_, self.noise_ = fitted.emission, fitted.noise
        for own, name in _MODEL.items():
            setattr(self, own, getattr(fitted.model, name))

    def _observations(self, batch: ForecastBatch) -> tuple[Array, Array]:
        """Return token components (B * C, P, dims) and which patches have a token (B * C, P)."""
        columns = self._columns()
        tokens = batch.tokens.values[:, columns].astype(np.float64)
        z = (tokens - self.token_shift_) @ self.token_matrix_
        return z.reshape(-1, *z.shape[2:]), batch.tokens.mask[:, columns].reshape(-1, z.shape[2])

    def _filtered_quantiles(self, batch: ForecastBatch, n_steps: int) -> Array:
        """Return (B * C, n_steps, levels), normalised: Gaussian with the filter's own variance."""
        from scipy.stats import norm

        model = LinearGaussian(**{name: getattr(self, own) for own, name in _MODEL.items()})
        fitted = TokenFilter(model=model, emission=self.emission_, noise=self.noise_)
        middle, variance = fitted.forecast(*self._observations(batch), n_steps)
        wide: Array = middle[..., None] + np.sqrt(variance)[..., None] * norm.ppf(LEVELS)
        return wide

    def _fit_steps(self, batch: ForecastBatch, tried: tuple[float, ...]) -> None:
        last = last_tokens(batch, self._columns())
        axes = component_axes(last.reshape(-1, last.shape[2]), self._int("dims"))
        self.token_shift_, self.token_matrix_ = axes
        self.step_, pairs = self._choose_step(batch)
        design = self._design(batch, pairs)
        errors = self._held_out_errors(design, tried)
        self.strength_ = min(tried, key=lambda s: float(np.nanmean(errors[s] ** 2)))
        everything = np.arange(len(design.states))
        self.dynamics_, self.emission_ = self._solve(design, everything, (self.strength_,))[0]
        self.errors_ = error_quantiles(errors[self.strength_][:, None])

    def _choose_step(self, batch: ForecastBatch) -> tuple[int, Array]:
        """Return the step in samples and the (M, 2) pairs of windows that lie one step apart."""
        windows = batch.windows
        first = np.rint(windows.start_s * windows.rate_hz).astype(np.int64).tolist()
        places = list(zip(windows.session_ids, first, strict=True))
        row_at = {place: row for row, place in enumerate(places)}
        strides = _strides(windows.session_ids, np.array(first))
        patch = max(1, round(batch.tokens.patch_s * windows.rate_hz))
        step = patch if patch in strides else min(strides, default=self.max_steps_)
        ends = [row_at.get((session, at + step)) for session, at in places]
        pairs = [(row, end) for row, end in enumerate(ends) if end is not None]
        return min(step, self.max_steps_), np.array(pairs, dtype=np.int64).reshape(-1, 2)

    def _states(self, batch: ForecastBatch) -> Array:
        """Return (B * C, S), windows outside, channels inside."""
        last = (last_tokens(batch, self._columns()) - self.token_shift_) @ self.token_matrix_
        parts = [last]
        if self.params["raw_context"]:
            parts.append(normalised_context(batch.windows, self._columns())[..., -_RAW_SAMPLES:])
        states: Array = np.concatenate(parts, axis=2).reshape(last.shape[0] * last.shape[1], -1)
        return states

    def _design(self, batch: ForecastBatch, pairs: Array) -> Design:
        n_channels = len(self.channels_)
        by_channel = pairs[:, None] * n_channels + np.arange(n_channels)[None, :, None]
        return Design(
            states=self._states(batch),
            truth=normalised_truth(batch, self.channels_, self.max_steps_),
            pairs=by_channel.reshape(-1, 2),
            sessions=np.repeat(np.array(batch.windows.session_ids, dtype=np.str_), n_channels),
        )

    def _held_out_errors(self, design: Design, tried: tuple[float, ...]) -> dict[float, Array]:
        """Return for each strength the (n, H) errors on sessions not fitted on.

        With one row there is nothing to hold out: then its own errors are all there is.
        """
        everything = np.arange(len(design.states))
        folds = plain_folds(design.sessions) or [(everything, everything)]
        thin = -(-len(everything) // _MOST_HELD_OUT)
        errors: dict[float, list[Array]] = {s: [] for s in tried}
        for train, held_out in folds:
            rows = held_out[::thin]
            fitted = self._solve(design, train, tried)
            for strength, (dynamics, emission) in zip(tried, fitted, strict=True):
                points = roll_out(design.states[rows], dynamics, emission, self.max_steps_)
                errors[strength].append(design.truth[rows] - points)
        return {s: np.concatenate(parts) for s, parts in errors.items()}

    def _solve(
        self, design: Design, rows: Array, strengths: tuple[float, ...]
    ) -> list[tuple[Array, Array]]:
        """Return the dynamics and the emission fitted on `rows`, for each strength."""
        pairs = design.pairs[np.isin(design.pairs, rows).all(axis=1)]
        emission = normal_equations(design.states[rows], design.truth[rows, : self.step_])
        if not len(pairs):
            nothing = np.zeros((design.states.shape[1],) * 2)
            return [(nothing, emission.solve(s)) for s in strengths]
        dynamics = normal_equations(design.states[pairs[:, 0]], design.states[pairs[:, 1]])
        return [(dynamics.solve(s), emission.solve(s)) for s in strengths]


def roll_out(states: Array, dynamics: Array, emission: Array, n_steps: int) -> Array:
    """Return (N, n_steps) normalised points: decode, take the states one step on, repeat."""
    parts = []
    for _ in range(-(-n_steps // emission.shape[1])):
        parts.append(states @ emission)
        states = states @ dynamics
    points: Array = np.concatenate(parts, axis=1)[:, :n_steps]
    return points


def _strides(session_ids: tuple[str, ...], first: Array) -> set[int]:
    """Return the positive distances, in samples, between windows of one session."""
    sessions = np.array(session_ids, dtype=np.str_)
    found: set[int] = set()
    for name in np.unique(sessions):
        starts = np.unique(first[sessions == name])[:64]  # strides repeat along a session
        gaps = starts[None, :] - starts[:, None]
        found.update(int(g) for g in np.unique(gaps[gaps > 0]))
    return found
