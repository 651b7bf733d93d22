"""Forecasts from a Kalman filter over the patches of a window, as pure functions over arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tool_use_om.heads.numeric.folds import plain_folds
from tool_use_om.heads.numeric.kalman import (
    LinearGaussian,
    ahead,
    expectation_maximisation,
    first_guess,
    kalman_filter,
)
from tool_use_om.heads.numeric.ridge import normal_equations

Array = np.ndarray
_MOST_SEQUENCES = 1000  # EM sees at most so many windows; the filter runs over all
_ITERATIONS = 10
_LEAST_NOISE = 0.01  # a decoded sample keeps at least this share of its error's variance


@dataclass(frozen=True, kw_only=True)
class TokenFilter:
    """A linear Gaussian model of a window's tokens, and the decoder of samples from its states.

    Parameters
    ----------
    model : states of n numbers, observed as token components
    emission : (n, patch) samples of one patch from its state, in the window's mean and scale
    noise : (patch,) variance of each sample that the state's own covariance does not explain
    """

    model: LinearGaussian
    emission: Array
    noise: Array

    def forecast(self, z: Array, seen: Array, n_steps: int) -> tuple[Array, Array]:
        """Return means and variances (N, n_steps) of the samples after each sequence."""
        patch = self.emission.shape[1]
        n_patches = -(-n_steps // patch)
        means, variances = (np.empty((len(z), n_patches, patch)) for _ in range(2))
        for found in kalman_filter(self.model, z, seen):
            states, covs = ahead(self.model, found.means[:, -1], found.covs[-1], n_patches)
            means[found.rows] = states @ self.emission
            own = np.einsum("np,hnm,mp->hp", self.emission, covs, self.emission)
            variances[found.rows] = own + self.noise
        return (
            means.reshape(len(z), -1)[:, :n_steps],
            variances.reshape(len(z), -1)[:, :n_steps],
        )


def fit_token_filter(
    z: Array,
    seen: Array,
    truth: Array,
    sessions: Array,
    *,
    patch: int,
    strengths: tuple[float, ...],
) -> tuple[TokenFilter, float]:
    """Learn the model by EM, the decoder by ridge on predicted states, the noise on held-out ones.

    Parameters
    ----------
    z : (N, P, k) token components
    seen : (N, P) bool, which patches have a token
    truth : (N, H) what came after, normalised; NaN = unknown
    sessions : (N,) whose rows are held out together to choose the strength
    patch : samples a patch covers
    """
    model = _stable(_learn(z, seen))
    n_patches = -(-truth.shape[1] // patch)
    states, first = np.empty((len(z), n_patches, len(model.m))), np.empty((len(z), len(model.m)))
    for found in kalman_filter(model, z, seen):
        states[found.rows], covs = ahead(model, found.means[:, -1], found.covs[-1], n_patches)
        first[found.rows] = np.diagonal(covs[0])
    wanted = _by_patch(truth, patch)
    strength, squares = _judge(states, wanted, sessions, strengths)
    emission = _decoder(states, wanted, strength)
    explained = first.mean(axis=0) @ emission**2
    noise = np.maximum(squares - explained, _LEAST_NOISE * squares)
    return TokenFilter(model=model, emission=emission, noise=noise), strength


def _learn(z: Array, seen: Array) -> LinearGaussian:
    step = -(-len(z) // _MOST_SEQUENCES)
    some, known = z[::step], seen[::step]
    return expectation_maximisation(first_guess(some, known), some, known, _ITERATIONS)


def _stable(model: LinearGaussian) -> LinearGaussian:
    """Return the model with dynamics that do not grow without bound."""
    radius = float(np.abs(np.linalg.eigvals(model.A)).max())
    return model if radius <= 1.0 else replace(model, A=model.A / radius)


def _by_patch(truth: Array, patch: int) -> Array:
    """Return (N, patches, patch), NaN behind the end."""
    short = -truth.shape[1] % patch
    padded = np.pad(truth, ((0, 0), (0, short)), constant_values=np.nan)
    return padded.reshape(len(truth), -1, patch)


def _decoder(states: Array, wanted: Array, strength: float) -> Array:
    flat = states.reshape(-1, states.shape[2])
    return normal_equations(flat, wanted.reshape(len(flat), -1)).solve(strength)


def _judge(
    states: Array, wanted: Array, sessions: Array, strengths: tuple[float, ...]
) -> tuple[float, Array]:
    """Return the best strength, and held-out squared errors of the first patch (patch,)."""
    everything = np.arange(len(states))
    folds = plain_folds(sessions) or [(everything, everything)]
    losses = dict.fromkeys(strengths, 0.0)
    squares: dict[float, list[Array]] = {s: [] for s in strengths}
    for train, held_out in folds:
        for strength in strengths:
            decoder = _decoder(states[train], wanted[train], strength)
            errors = (wanted[held_out] - states[held_out] @ decoder) ** 2
            losses[strength] += float(np.nansum(errors))
            squares[strength].append(errors[:, 0])
    best = min(strengths, key=losses.__getitem__)
    first = np.concatenate(squares[best])
    return best, np.nan_to_num(np.nansum(first, axis=0) / np.isfinite(first).sum(axis=0).clip(1))
