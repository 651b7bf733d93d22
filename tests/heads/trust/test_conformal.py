"""Coverage comes out as promised, and too little calibration data is said to be too little."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.heads.numeric.metrics import wilson
from tool_use_om.heads.registry import make_head
from tool_use_om.heads.trust.conformal import ConformalForecaster, conformal_quantile


@pytest.mark.parametrize("n", [1, 8, 9, 19, 20, 100])
@pytest.mark.parametrize("coverage", [0.5, 0.9, 0.95])
def test_conformal_quantile_agrees_with_counting(
    n: int, coverage: float, naive: ModuleType
) -> None:
    """The finite-sample threshold is found by counting; infinite where n cannot support it."""
    scores = np.random.default_rng(n).normal(size=n)
    assert conformal_quantile(scores, coverage) == naive.conformal_rank(list(scores), coverage)


@pytest.mark.parametrize("scope", ["step", "trajectory"])
def test_intervals_cover_as_promised(scope: Any, make_batch: Callable[..., Any]) -> None:
    """Over 20 calibration sets, values (or whole trajectories) lie inside as often as said."""
    head = make_head("latent_ssm").fit(make_batch(seed=0, noise=0.5), channels=["accelerometer.y"])  # type: ignore[attr-defined]
    shares = []
    for seed in range(1, 21):
        conformal = ConformalForecaster(head, 0.8, scope=scope).calibrate(
            make_batch(seed=seed, noise=0.5)
        )
        shares.append(conformal.measure(make_batch(seed=100 + seed, noise=0.5), 2.0).empirical)
    assert 0.77 < np.mean(shares) < (0.86 if scope == "step" else 1.0)


def test_intervals_hold_the_median_and_keep_the_forecast(make_batch: Callable[..., Any]) -> None:
    """Calibration adds ends around the head's median and changes nothing else."""
    head = make_head("latent_ssm").fit(make_batch(), channels=["accelerometer.y"])  # type: ignore[attr-defined]
    conformal = ConformalForecaster(head).calibrate(make_batch(seed=1))
    asked = make_batch(seed=2)
    plain, framed = head.predict(asked, 2.0), conformal.predict(asked, 2.0)
    np.testing.assert_array_equal(plain.quantiles, framed.quantiles)
    assert (framed.lower <= framed.median).all()
    assert (framed.median <= framed.upper).all()


def test_intervals_raise_when_asked_beyond_calibration(make_batch: Callable[..., Any]) -> None:
    """What was not calibrated is not promised."""
    head = make_head("latent_ssm").fit(make_batch(), channels=["accelerometer.y"])  # type: ignore[attr-defined]
    conformal = ConformalForecaster(head).calibrate(make_batch(seed=1, horizon_s=1.0))
    with pytest.raises(DataError, match="Calibrated up to 1 s"):
        conformal.predict(make_batch(seed=2), 2.0)


def test_wilson_interval_holds_the_share_and_narrows() -> None:
    """The interval stays in [0, 1], holds the share, and shrinks with n."""
    for share in (0.0, 0.5, 0.9, 1.0):
        few, many = wilson(share, 10), wilson(share, 1000)
        assert 0.0 <= few[0] <= share <= few[1] <= 1.0
        assert many[1] - many[0] < few[1] - few[0]
