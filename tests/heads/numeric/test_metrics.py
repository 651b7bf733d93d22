"""Metrics agree with scikit-learn and with the slow versions."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from sklearn import metrics as reference

from tool_use_om.data.errors import DataError
from tool_use_om.heads.numeric import metrics


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, prediction and probabilities over four classes, one of them never predicted."""
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(4), 60)
    proba[:, 3] *= 0.01
    proba /= proba.sum(axis=1, keepdims=True)
    classes = np.array(["a", "b", "c", "d"])
    return classes[rng.integers(0, 4, 60)], classes[proba.argmax(axis=1)], proba


def test_accuracy_f1_and_kappa_agree_with_sklearn(answers: tuple[np.ndarray, ...]) -> None:
    """Three measures of labels are the standard ones, a class never hit included."""
    truth, predicted, _ = answers
    assert metrics.accuracy(truth, predicted) == pytest.approx(
        reference.accuracy_score(truth, predicted)
    )
    assert metrics.macro_f1(truth, predicted) == pytest.approx(
        reference.f1_score(truth, predicted, average="macro", zero_division=0)
    )
    assert metrics.kappa(truth, predicted) == pytest.approx(
        reference.cohen_kappa_score(truth, predicted)
    )


def test_kappa_is_zero_when_chance_explains_all() -> None:
    """Agreement on a single class is no agreement beyond chance."""
    assert metrics.kappa(["a", "a"], ["a", "a"]) == 0.0


def test_crps_agrees_with_pinball_by_hand(naive: ModuleType) -> None:
    """The score of each value is twice its mean pinball loss."""
    rng = np.random.default_rng(1)
    truth, levels = rng.normal(size=7), (0.1, 0.5, 0.9)
    quantiles = np.sort(rng.normal(size=(7, 3)), axis=1)
    by_hand = [naive.pinball_crps(t, q, levels) for t, q in zip(truth, quantiles, strict=True)]
    assert metrics.crps(truth, quantiles, levels) == pytest.approx(np.mean(by_hand))


def test_crps_of_a_point_is_its_absolute_error() -> None:
    """With every quantile on one value the score is the mean absolute error (odd levels)."""
    quantiles = np.full((4, 19), 2.0)
    levels = [0.05 * i for i in range(1, 20)]
    assert metrics.crps(np.array([2.0, 3.0, 1.0, 5.0]), quantiles, levels) == pytest.approx(1.25)


@pytest.mark.parametrize("season", [1, 4])
def test_mase_agrees_with_the_sum_by_hand(season: int, naive: ModuleType) -> None:
    """Each series is scaled by its own naive error, then averaged."""
    rng = np.random.default_rng(2)
    truth, predicted, context = (
        rng.normal(size=(3, 5)),
        rng.normal(size=(3, 5)),
        rng.normal(size=(3, 20)),
    )
    by_hand = [naive.mase(truth[i], predicted[i], context[i], season) for i in range(3)]
    assert metrics.mase(truth, predicted, context, season) == pytest.approx(np.mean(by_hand))


def test_mase_leaves_out_constant_contexts() -> None:
    """A series that never moved cannot scale an error; the others still count."""
    context = np.stack([np.zeros(10), np.arange(10.0)])
    truth, predicted = np.ones((2, 3)), np.zeros((2, 3))
    assert metrics.mase(truth, predicted, context) == pytest.approx(1.0)
    with pytest.raises(DataError, match="No finite value"):
        metrics.mase(truth[:1], predicted[:1], context[:1])


def test_mase_raises_when_the_context_is_not_longer_than_the_season() -> None:
    """A season as long as the context leaves nothing to scale with."""
    with pytest.raises(DataError, match="season of 4"):
        metrics.mase(np.ones((1, 2)), np.ones((1, 2)), np.ones((1, 4)), season=4)


def test_mae_skips_missing_truth() -> None:
    """NaN is missing, not wrong."""
    assert metrics.mae(np.array([1.0, np.nan, 3.0]), np.zeros(3)) == pytest.approx(2.0)


def test_bootstrap_resamples_groups_not_windows() -> None:
    """A hundred copies of each session's value say no more than one: the interval stays wide."""
    values = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    one = metrics.bootstrap_interval(values, groups=np.arange(6))
    many = metrics.bootstrap_interval(np.repeat(values, 100), groups=np.repeat(np.arange(6), 100))
    assert (many.lower, many.upper) == pytest.approx((one.lower, one.upper))
    assert (many.n, many.n_groups) == (600, 6)


def test_bootstrap_interval_holds_the_mean_about_as_often_as_it_says() -> None:
    """Over 200 samples of 25 groups, the 90 % interval holds the true mean in 80 to 95 %."""
    rng = np.random.default_rng(3)
    hits = []
    for seed in range(200):
        found = metrics.bootstrap_interval(
            rng.normal(size=25), level=0.9, n_resamples=200, seed=seed
        )
        hits.append(found.lower <= 0.0 <= found.upper)
    assert 0.80 <= np.mean(hits) <= 0.95


def test_bootstrap_interval_measures_any_statistic_of_paired_arrays() -> None:
    """Truth and prediction are resampled together."""
    truth = np.array(["a", "b"] * 10)
    perfect = metrics.bootstrap_interval(truth, truth, statistic=metrics.macro_f1)
    assert (perfect.value, perfect.lower) == (1.0, 1.0)


def test_bootstrap_interval_says_when_groups_are_few() -> None:
    """With two sessions an interval is a guess, and the result says so."""
    found = metrics.bootstrap_interval(np.arange(4.0), groups=["s", "s", "t", "t"])
    assert "2 group" in found.note


def test_paired_difference_is_clear_when_one_method_always_wins() -> None:
    """A constant gain is clear although the scores vary; no gain is not."""
    rng = np.random.default_rng(4)
    score = rng.normal(size=50)
    assert metrics.paired_difference(score + 0.1, score).clear
    assert not metrics.paired_difference(score, score).clear


def test_one_group_alone_shows_no_clear_difference_and_no_sure_share() -> None:
    """Resampling one session or subject gives it back each time: that is no certainty."""
    groups = ["a"] * 20
    assert not metrics.paired_difference(np.ones(20), np.zeros(20), groups=groups).clear
    found = metrics.bootstrap_interval(np.arange(20) < 18, groups=groups, share=True)
    assert found.lower < 0.5 < 0.9 < found.upper


def test_metrics_raise_when_there_is_nothing_to_measure() -> None:
    """Empty or uneven input is an error, not NaN."""
    with pytest.raises(DataError):
        metrics.accuracy([], [])
    with pytest.raises(DataError):
        metrics.macro_f1(["a"], ["a", "b"])
    with pytest.raises(DataError):
        metrics.bootstrap_interval(np.array([]))


def test_bootstrap_interval_of_a_perfect_share_is_no_certainty() -> None:
    """Forty sessions without a miss leave room for a miss in the forty-first; the rest is as is."""
    groups = np.repeat(np.arange(40), 4)
    right = np.ones(160)
    found = metrics.bootstrap_interval(right, groups=groups, share=True)
    assert (found.value, found.upper) == (1.0, 1.0)
    assert 0.90 < found.lower < 0.93  # Wilson, 40 of 40
    right[:8] = 0
    plain = metrics.bootstrap_interval(right, groups=groups)
    assert metrics.bootstrap_interval(right, groups=groups, share=True) == plain
