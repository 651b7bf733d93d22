"""Zero-shot by attributes: made-up movements with known cadence, intensity and posture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFittedError, NotFoundError
from tool_use_om.heads.classify.attributes import AttributeClassifier, measure
from tool_use_om.heads.classify.descriptions import ActivityDescription

KINDS = {"still": (0.0, 0.01), "slow": (0.8, 0.5), "fast": (2.5, 0.5)}


@pytest.fixture
def moves(make_windows: Callable[..., Any]) -> tuple[Any, np.ndarray]:
    """Ten windows of 6 s a kind at 20 Hz, gravity on x; and their kinds."""
    rng = np.random.default_rng(0)
    time = np.arange(120) / 20.0
    signals, truth = [], []
    for name, (hz, size) in KINDS.items():
        for _ in range(10):
            wave = size * np.sin(2 * np.pi * hz * time + rng.uniform(0, 6))
            signals.append(
                np.stack([1.0 + rng.normal(0, 0.01, 120), wave + rng.normal(0, 0.01, 120)])
            )
            truth.append(name)
    return make_windows(np.stack(signals), 120, 1, rate_hz=20.0), np.array(truth)


def test_attributes_measure_what_was_made(moves: tuple[Any, np.ndarray]) -> None:
    """Cadence in Hz, intensity in channel units, direction of the mean."""
    windows, truth = moves
    found = measure(windows)
    for name, (hz, size) in KINDS.items():
        own = truth == name
        if hz:
            np.testing.assert_allclose(found.cadence_hz[own], hz, rtol=0.05)
            np.testing.assert_allclose(found.intensity[own], size / np.sqrt(2), rtol=0.1)
            assert (found.strength[own] > 0.8).all()
    np.testing.assert_allclose(found.direction[:, 0], 1.0, atol=0.05)


def test_described_movements_are_told_apart_without_labels(moves: tuple[Any, np.ndarray]) -> None:
    """Each kind is found by what sets it apart; probabilities are a distribution."""
    windows, truth = moves
    described = [
        ActivityDescription(name="still", intensity_range=(0.0, 0.05)),
        ActivityDescription(name="slow", cadence_hz=(0.5, 1.2), regularity="strong"),
        ActivityDescription(name="fast", cadence_hz=(2.0, 3.0), intensity="high"),
    ]
    scores = AttributeClassifier(described).fit(windows).score(windows)
    assert (scores.labels == truth).mean() == 1.0
    np.testing.assert_allclose(scores.proba.sum(axis=1), 1.0)
    assert (scores.log_scores <= 0).all()
    assert np.isnan(scores.by_attribute["posture"]).all()


def test_posture_tells_what_nothing_else_does(moves: tuple[Any, np.ndarray]) -> None:
    """The same stillness upright and lying differs by where gravity points."""
    windows, _ = moves
    described = [
        ActivityDescription(name="upright", posture={"accelerometer.x": 1.0}),
        ActivityDescription(name="lying", posture={"accelerometer.y": -1.0}),
    ]
    scores = AttributeClassifier(described).fit(windows).score(windows)
    assert (scores.labels == "upright").all()
    assert scores.fits.all()


def test_a_window_that_fits_no_description_is_said(moves: tuple[Any, np.ndarray]) -> None:
    """The best of bad descriptions is not a find."""
    windows, truth = moves
    described = [
        ActivityDescription(name=n, intensity_range=(low, 2 * low), cadence_hz=(9.0, 10.0))
        for n, low in (("a", 30.0), ("b", 60.0))
    ]
    scores = AttributeClassifier(described).fit(windows).score(windows)
    assert not scores.fits[truth == "slow"].any()


def test_attribute_classifier_refuses_what_cannot_be(moves: tuple[Any, np.ndarray]) -> None:
    """One description, a name twice, unfitted, a channel that is not there."""
    one = ActivityDescription(name="a", intensity="low")
    other = ActivityDescription(name="b", posture={"accelerometer.q": 1.0})
    for bad in ([one], [one, one]):
        with pytest.raises(DataError, match="different names"):
            AttributeClassifier(bad)
    with pytest.raises(NotFittedError, match="fit"):
        AttributeClassifier([one, other]).score(moves[0])
    with pytest.raises(NotFoundError, match=r"accelerometer\.q"):
        AttributeClassifier([one, other]).fit(moves[0]).score(moves[0])
