"""The Kalman filter, smoother and EM against one big Gaussian conditioned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tool_use_om.heads.numeric.kalman import (
    LinearGaussian,
    ahead,
    expectation_maximisation,
    first_guess,
    kalman_filter,
    smooth,
)

LENGTH = 5
Case = tuple[LinearGaussian, np.ndarray, np.ndarray]


def _model(seed: int = 0, n: int = 2, k: int = 3) -> LinearGaussian:
    rng = np.random.default_rng(seed)

    def spread(width: int) -> np.ndarray:
        root = rng.normal(size=(width, width))
        return root @ root.T + 0.5 * np.eye(width)

    return LinearGaussian(
        A=rng.normal(0, 0.5, (n, n)),
        C=rng.normal(size=(k, n)),
        Q=spread(n),
        R=spread(k),
        m=rng.normal(size=n),
        P=spread(n),
    )


def _joint(model: LinearGaussian, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of all states, as one Gaussian, step by step."""
    n = len(model.m)
    mean, cov = np.zeros(length * n), np.zeros((length * n, length * n))
    mean[:n], cov[:n, :n] = model.m, model.P
    for t in range(1, length):
        now, before = slice(t * n, (t + 1) * n), slice((t - 1) * n, t * n)
        mean[now] = model.A @ mean[before]
        cov[now, : t * n] = model.A @ cov[before, : t * n]
        cov[: t * n, now] = cov[now, : t * n].T
        cov[now, now] = model.A @ cov[before, before] @ model.A.T + model.Q
    return mean, cov


def _observed(model: LinearGaussian, length: int, seen: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean and covariance of the seen observations, and the map from states to them."""
    mean, cov = _joint(model, length)
    to_z = np.kron(np.eye(length), model.C)[np.repeat(seen, len(model.C))]
    noise = np.kron(np.eye(int(seen.sum())), model.R)
    return to_z @ mean, to_z @ cov @ to_z.T + noise, to_z


def _given(
    model: LinearGaussian, z: np.ndarray, seen: np.ndarray, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """States of `length` steps given the seen observations of one sequence."""
    mean, cov = _joint(model, length)
    padded = np.concatenate([seen, np.zeros(length - len(seen), dtype=bool)])
    middle, spread, to_z = _observed(model, length, padded)
    gain = cov @ to_z.T @ np.linalg.inv(spread)
    return mean + gain @ (z[seen].ravel() - middle), cov - gain @ to_z @ cov


def _likelihood(model: LinearGaussian, z: np.ndarray, seen: np.ndarray) -> float:
    total = 0.0
    for row, known in zip(z, seen, strict=True):
        middle, spread, _ = _observed(model, len(known), known)
        gap = row[known].ravel() - middle
        total -= 0.5 * (np.linalg.slogdet(spread)[1] + gap @ np.linalg.solve(spread, gap))
    return float(total)


@pytest.fixture
def case() -> Case:
    """Six sequences, some with gaps; what is missing holds NaN."""
    rng = np.random.default_rng(1)
    z = rng.normal(size=(6, LENGTH, 3))
    seen = np.ones((6, LENGTH), dtype=bool)
    seen[1, 2], seen[2, :2], seen[3, -1], seen[4, 1:4] = False, False, False, False
    return _model(), np.where(seen[..., None], z, np.nan), seen


def test_filter_agrees_with_one_big_gaussian_when_observations_are_missing(case: Case) -> None:
    """Each filtered state is the state given what was seen up to its time."""
    model, z, seen = case
    reached = set()
    for found in kalman_filter(model, z, seen):
        for i, row in enumerate(found.rows):
            reached.add(int(row))
            for t in range(LENGTH):
                mean, cov = _given(model, z[row, : t + 1], seen[row, : t + 1], t + 1)
                np.testing.assert_allclose(found.means[i, t], mean[-2:], atol=1e-9)
                np.testing.assert_allclose(found.covs[t], cov[-2:, -2:], atol=1e-9)
    assert reached == set(range(len(z)))


def test_smoother_agrees_with_one_big_gaussian_when_observations_are_missing(case: Case) -> None:
    """Each smoothed state, and its covariance with the one before, is given everything seen."""
    model, z, seen = case
    for filtered in kalman_filter(model, z, seen):
        found = smooth(model, filtered)
        for i, row in enumerate(found.rows):
            mean, cov = _given(model, z[row], seen[row], LENGTH)
            np.testing.assert_allclose(found.means[i], mean.reshape(LENGTH, 2), atol=1e-9)
            for t in range(LENGTH):
                now = slice(2 * t, 2 * t + 2)
                np.testing.assert_allclose(found.covs[t], cov[now, now], atol=1e-9)
                if t:
                    before = slice(2 * t - 2, 2 * t)
                    np.testing.assert_allclose(found.lagged[t - 1], cov[now, before], atol=1e-9)


def test_ahead_agrees_with_one_big_gaussian(case: Case) -> None:
    """States after the last observation and their covariances are those of the joint Gaussian."""
    model, z, seen = case
    for found in kalman_filter(model, z, seen):
        means, covs = ahead(model, found.means[:, -1], found.covs[-1], 3)
        mean, cov = _given(model, z[found.rows[0]], seen[found.rows[0]], LENGTH + 3)
        np.testing.assert_allclose(means[0].ravel(), mean[-6:], atol=1e-9)
        np.testing.assert_allclose(covs[2], cov[-2:, -2:], atol=1e-9)


def test_em_never_lowers_the_likelihood(case: Case) -> None:
    """Each iteration makes what was seen at least as likely (up to the floor on variances)."""
    _, z, seen = case
    model = first_guess(np.nan_to_num(z), seen)
    reached = _likelihood(model, z, seen)
    for _ in range(6):
        model = expectation_maximisation(model, np.nan_to_num(z), seen, 1)
        now = _likelihood(model, z, seen)
        assert now > reached - 1e-3
        reached = now


def test_em_finds_the_dynamics_that_made_the_data() -> None:
    """From 300 sequences of a damped rotation the eigenvalues come back, noise and all."""
    rng = np.random.default_rng(0)
    angle = 0.6
    A = 0.95 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    x, z = rng.normal(size=(300, 2)), []
    for _ in range(20):
        z.append(x + rng.normal(0, 0.7, x.shape))
        x = x @ A.T + rng.normal(0, 0.3, x.shape)
    seen = np.ones((300, 20), dtype=bool)
    seen[:100, 7:10] = False
    observed = np.where(seen[..., None], np.stack(z, axis=1), 0.0)
    start = first_guess(observed, seen)
    fitted = expectation_maximisation(start, observed, seen, 80)
    wanted = np.sort_complex(np.linalg.eigvals(A))
    np.testing.assert_allclose(np.sort_complex(np.linalg.eigvals(fitted.A)), wanted, atol=0.04)
    assert np.abs(np.sort_complex(np.linalg.eigvals(start.A)) - wanted).max() > 0.1
