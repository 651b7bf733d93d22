"""Threshold events: probabilities from whole paths, and how they are judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFittedError, NotFoundError
from tool_use_om.heads.forecast.events import ThresholdEvent
from tool_use_om.heads.registry import make_head

Y = "accelerometer.y"


@pytest.fixture
def head(make_batch: Callable[..., Any]) -> Any:
    """A fitted forecaster of a noisy sine of amplitude 3 around -2."""
    return make_head("direct").fit(make_batch(noise=1.0), channels=[Y])  # type: ignore[attr-defined]


def test_event_probability_is_the_share_of_paths_that_reach_the_level(
    head: Any, make_batch: Callable[..., Any]
) -> None:
    """Path by path and window by window, for both directions."""
    held_out, asked = make_batch(seed=1, noise=1.0), make_batch(seed=2, noise=1.0)
    for direction, level in (("above", 2.0), ("below", -5.5)):
        event = ThresholdEvent(head, Y, level, direction).calibrate(held_out)  # type: ignore[arg-type]
        found = event.probabilities(asked, 1.5)
        middle = head.predict(asked, 1.5).median[:, 0]
        scale = asked.windows.values[:, 1].std(axis=1)
        for row in (0, 7, 20):
            paths = middle[row] + scale[row] * event.paths_[:, :15]
            reached = (paths >= level if direction == "above" else paths <= level).any(axis=1)
            assert found[row] == pytest.approx((1 + reached.sum()) / (2 + len(paths)))


def test_event_probabilities_are_calibrated_and_better_than_the_base_rate(
    head: Any, make_batch: Callable[..., Any]
) -> None:
    """On other windows the mean probability is near the share, and the Brier score is lower."""
    event = ThresholdEvent(head, Y, 1.5).calibrate(make_batch(seed=1, noise=1.0))
    asked = make_batch(seed=2, noise=1.0)
    skill = event.measure(asked, 0.8)
    assert 0.1 < skill.base_rate < 0.95
    said = np.average(
        [p for p, _, _ in skill.reliability], weights=[n for *_, n in skill.reliability]
    )
    assert said == pytest.approx(skill.base_rate, abs=0.12)
    assert skill.brier.value < skill.brier_of_base_rate
    assert skill.skill is not None


def test_event_over_a_horizon_is_not_the_worst_single_step(
    head: Any, make_batch: Callable[..., Any]
) -> None:
    """Some of many steps reach a level more often than any one of them: paths, not quantiles."""
    event = ThresholdEvent(head, Y, 2.2).calibrate(make_batch(seed=1, noise=1.0))
    asked = make_batch(seed=2, noise=1.0)
    whole = event.probabilities(asked, 3.2)
    forecast = head.predict(asked, 3.2)
    single = (forecast.quantiles[:, 0] >= 2.2).mean(axis=2).max(axis=1)
    assert whole.mean() > single.mean() + 0.05
    assert (np.diff([event.probabilities(asked, h) for h in (0.5, 1.5, 3.2)], axis=0) >= 0).all()


def test_event_says_what_it_cannot_do(head: Any, make_batch: Callable[..., Any]) -> None:
    """No calibration, another channel, no number, too long a horizon, too few windows."""
    batch = make_batch(seed=1)
    with pytest.raises(NotFittedError, match="calibrate"):
        ThresholdEvent(head, Y, 0.0).probabilities(batch, 1.0)
    with pytest.raises(NotFoundError, match="accelerometer"):
        ThresholdEvent(head, "accelerometer.x", 0.0)
    with pytest.raises(DataError, match="finite"):
        ThresholdEvent(head, Y, float("nan"))
    with pytest.raises(DataError, match="at least 20"):
        ThresholdEvent(head, Y, 0.0).calibrate(batch.select(np.arange(5)))
    with pytest.raises(DataError, match="Calibrated up to"):
        ThresholdEvent(head, Y, 0.0).calibrate(batch).probabilities(batch, 9.0)
