"""The Kalman filter, its smoother and EM for many sequences that share one linear model.

Covariances depend on which observations are missing and not on what the others say, so sequences
with the same gaps share one recursion. Source: Shumway and Stoffer (1982); Rauch, Tung and Striebel
(1965). Not covered: inputs, models that change over time, observations missing in part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

Array = np.ndarray
_FLOOR = 1e-6  # variances stay above this share of the observations' own


@dataclass(frozen=True, kw_only=True)
class LinearGaussian:
    """`x[0] ~ N(m, P)`, `x[t+1] = A x[t] + N(0, Q)`, `z[t] = C x[t] + N(0, R)`.

    Parameters
    ----------
    A, Q, P : (n, n)
    C : (k, n)
    R : (k, k)
    m : (n,)
    """

    A: Array
    C: Array
    Q: Array
    R: Array
    m: Array
    P: Array


@dataclass(frozen=True, kw_only=True)
class Filtered:
    """What sequences with the same gaps say about their states, up to each time.

    Parameters
    ----------
    rows : which sequences
    predicted, means : (N, T, n) states given what came before, and with the observation of the time
    predicted_covs, covs : (T, n, n) their covariances, the same for all rows
    """

    rows: Array
    predicted: Array
    means: Array
    predicted_covs: Array
    covs: Array


@dataclass(frozen=True, kw_only=True)
class Smoothed:
    """What sequences with the same gaps say about their states, given all of them.

    Parameters
    ----------
    rows : which sequences
    means : (N, T, n)
    covs : (T, n, n); covariance of x[t] given all observations
    lagged : (T - 1, n, n); covariance of x[t + 1] with x[t]
    """

    rows: Array
    means: Array
    covs: Array
    lagged: Array


def kalman_filter(model: LinearGaussian, z: Array, seen: Array) -> Iterator[Filtered]:
    """Yield filtered states, one group of sequences with the same gaps after another.

    Parameters
    ----------
    z : (N, T, k); what is not seen may hold anything
    seen : (N, T) bool
    """
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    for index, pattern in enumerate(patterns):
        rows = np.flatnonzero(which.ravel() == index)
        yield _filter(model, z[rows], pattern, rows)


def _filter(model: LinearGaussian, z: Array, pattern: Array, rows: Array) -> Filtered:
    n, length, width = len(rows), len(pattern), len(model.m)
    predicted, means = np.empty((n, length, width)), np.empty((n, length, width))
    predicted_covs, covs = np.empty((length, width, width)), np.empty((length, width, width))
    mean, cov = np.broadcast_to(model.m, (n, width)), model.P
    for t in range(length):
        predicted[:, t], predicted_covs[t] = mean, cov
        if pattern[t]:
            mean, cov = _update(model, mean, cov, z[:, t])
        means[:, t], covs[t] = mean, cov
        mean, cov = mean @ model.A.T, _symmetric(model.A @ cov @ model.A.T + model.Q)
    return Filtered(
        rows=rows, predicted=predicted, means=means, predicted_covs=predicted_covs, covs=covs
    )


def _update(model: LinearGaussian, mean: Array, cov: Array, z: Array) -> tuple[Array, Array]:
    """Return mean and covariance with one observation more (Joseph's form: never negative)."""
    innovation = model.C @ cov @ model.C.T + model.R
    gain = np.linalg.solve(innovation, model.C @ cov).T
    left = np.eye(len(cov)) - gain @ model.C
    updated = left @ cov @ left.T + gain @ model.R @ gain.T
    return mean + (z - mean @ model.C.T) @ gain.T, _symmetric(updated)


def smooth(model: LinearGaussian, filtered: Filtered) -> Smoothed:
    """Run the Rauch-Tung-Striebel smoother back over filtered states."""
    means, covs = filtered.means.copy(), filtered.covs.copy()
    length = means.shape[1]
    lagged = np.empty((max(length - 1, 0), *covs.shape[1:]))
    for t in range(length - 2, -1, -1):
        ahead = filtered.predicted_covs[t + 1]
        gain = np.linalg.solve(ahead, model.A @ filtered.covs[t]).T
        means[:, t] += (means[:, t + 1] - filtered.predicted[:, t + 1]) @ gain.T
        covs[t] = _symmetric(covs[t] + gain @ (covs[t + 1] - ahead) @ gain.T)
        lagged[t] = covs[t + 1] @ gain.T
    return Smoothed(rows=filtered.rows, means=means, covs=covs, lagged=lagged)


def ahead(model: LinearGaussian, mean: Array, cov: Array, n_steps: int) -> tuple[Array, Array]:
    """Return states (N, n_steps, n) and covariances (n_steps, n, n) after the last observation."""
    means, covs = [], []
    for _ in range(n_steps):
        mean, cov = mean @ model.A.T, _symmetric(model.A @ cov @ model.A.T + model.Q)
        means.append(mean)
        covs.append(cov)
    return np.stack(means, axis=1), np.stack(covs)


def first_guess(z: Array, seen: Array, strength: float = 0.1) -> LinearGaussian:
    """Return a model whose state is the observation itself: dynamics by ridge, a tenth is noise."""
    pairs = seen[:, 1:] & seen[:, :-1]
    before, after = z[:, :-1][pairs], z[:, 1:][pairs]
    width = z.shape[2]
    everything = z[seen]
    total = _covariance(everything - everything.mean(axis=0))
    if len(before):
        gram = before.T @ before / len(before) + strength * np.diag(np.diag(total))
        A = np.linalg.solve(gram, before.T @ after / len(before)).T
        Q = _covariance(after - before @ A.T)
    else:
        A, Q = np.zeros((width, width)), total
    floor = _floor(total) * np.eye(width)
    noise = 0.1 * np.diag(np.diag(total)) + floor
    m = everything.mean(axis=0)
    return LinearGaussian(A=A, C=np.eye(width), Q=Q + floor, R=noise, m=m, P=total + floor)


def expectation_maximisation(
    model: LinearGaussian, z: Array, seen: Array, n_iterations: int
) -> LinearGaussian:
    """Refine a model by EM; the likelihood never falls. `z` (N, T, k), `seen` (N, T)."""
    floor = _floor(_covariance(z[seen] - z[seen].mean(axis=0)))
    for _ in range(n_iterations):
        model = _maximise(model, z, seen, floor)
    return model


def _maximise(model: LinearGaussian, z: Array, seen: Array, floor: float) -> LinearGaussian:
    n, (length, width) = len(z), z.shape[1:]
    order = len(model.m)
    now, then, later = (np.zeros((order, order)) for _ in range(3))
    state, cross, power = np.zeros((order, order)), np.zeros((width, order)), np.zeros((width,) * 2)
    first, first_square = np.zeros(order), np.zeros((order, order))
    for filtered in kalman_filter(model, z, seen):
        found = smooth(model, filtered)
        count, x, pattern = len(found.rows), found.means, seen[found.rows[0]]
        then += np.einsum("btn,btm->nm", x[:, :-1], x[:, :-1]) + count * found.covs[:-1].sum(0)
        later += np.einsum("btn,btm->nm", x[:, 1:], x[:, 1:]) + count * found.covs[1:].sum(0)
        now += np.einsum("btn,btm->nm", x[:, 1:], x[:, :-1]) + count * found.lagged.sum(0)
        there, own = x[:, pattern], z[found.rows][:, pattern]
        state += np.einsum("btn,btm->nm", there, there) + count * found.covs[pattern].sum(0)
        cross += np.einsum("btk,btn->kn", own, there)
        power += np.einsum("btk,btl->kl", own, own)
        first += x[:, 0].sum(axis=0)
        first_square += x[:, 0].T @ x[:, 0] + count * found.covs[0]
    m = first / n
    fitted = replace(model, m=m, P=_symmetric(first_square / n - np.outer(m, m)))
    if length > 1:
        A = np.linalg.solve(then, now.T).T
        Q = _symmetric((later - A @ now.T) / (n * (length - 1))) + floor * np.eye(order)
        fitted = replace(fitted, A=A, Q=Q)
    C = np.linalg.solve(state, cross.T).T
    R = _symmetric((power - C @ cross.T) / max(int(seen.sum()), 1))
    return replace(fitted, C=C, R=R + floor * np.eye(width))


def _covariance(centred: Array) -> Array:
    covariance: Array = centred.T @ centred / max(len(centred), 1)
    return covariance


def _floor(total: Array) -> float:
    return max(_FLOOR * float(np.trace(total)) / len(total), 1e-12)


def _symmetric(matrix: Array) -> Array:
    half: Array = (matrix + matrix.T) / 2.0
    return half
