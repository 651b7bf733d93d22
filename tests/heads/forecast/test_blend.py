"""The blend of forecasters: weights by what they miss together, flat windows in their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.heads.forecast.blend import Blend, blend_weights
from tool_use_om.heads.registry import make_head

CHANNEL = "accelerometer.y"


def test_weights_favour_who_errs_less_and_use_errors_that_cancel() -> None:
    """Ten times the error counts next to nothing; opposite errors of one size share equally."""
    rng = np.random.default_rng(0)
    small = rng.normal(size=(200, 1, 5))
    weights = blend_weights({"good": small, "poor": 10 * rng.normal(size=(200, 1, 5))})
    assert weights["good"] > 0.9
    both = blend_weights({"a": small, "b": -small})
    assert both == {"a": pytest.approx(0.5, abs=1e-3), "b": pytest.approx(0.5, abs=1e-3)}
    assert sum(weights.values()) == pytest.approx(1.0)


def test_few_windows_leave_weights_near_equal() -> None:
    """One window in which one is somewhat better decides little."""
    one = np.ones((1, 1, 3))
    weights = blend_weights({"a": one, "b": 1.3 * one})
    assert 0.5 <= weights["a"] < 0.75


def test_weights_need_a_window_that_all_forecast() -> None:
    """NaN in each window of one member leaves nothing to judge on."""
    nothing = np.full((2, 1, 2), np.nan)
    with pytest.raises(DataError, match="all forecasters were judged on"):
        blend_weights({"a": np.ones((2, 1, 2)), "b": nothing})


def test_blend_says_the_weighed_mean_of_its_members(make_batch: Callable[..., Any]) -> None:
    """A quarter of one and three quarters of the other, quantile by quantile."""
    batch = make_batch()
    members: dict[str, Any] = {
        name: make_head(name).fit(batch, channels=[CHANNEL])  # type: ignore[attr-defined]  # forecasters
        for name in ("direct", "seasonal_naive")
    }
    blend = Blend(members, {"direct": 0.25, "seasonal_naive": 0.75})
    said = blend.predict(batch, 1.0).quantiles
    parts = [members[n].predict(batch, 1.0).quantiles for n in ("direct", "seasonal_naive")]
    np.testing.assert_allclose(said, 0.25 * parts[0] + 0.75 * parts[1], atol=1e-9)


def test_direct_is_not_ruled_by_windows_that_hardly_move(make_batch: Callable[..., Any]) -> None:
    """Half of the windows flat but for a later jump: the others are forecast as without them."""
    batch = make_batch()
    column = list(batch.windows.channels).index(CHANNEL)
    values = batch.windows.values.copy()
    flat = np.arange(len(batch)) % 2 == 0
    rng = np.random.default_rng(0)
    values[flat, column] = 1e-4 * rng.normal(size=values[flat, column].shape)
    mixed = replace(batch, windows=replace(batch.windows, values=values))
    asked = batch.select(np.flatnonzero(~flat))

    def error(fitted_on: Any) -> float:
        head: Any = make_head("direct", inputs="samples").fit(fitted_on, channels=[CHANNEL])  # type: ignore[attr-defined]  # a forecaster
        gap = head.predict(asked, 1.0).median - asked.truth([CHANNEL], 10)
        return float(np.nanmean(np.abs(gap)))

    assert error(mixed) < 3 * error(asked) + 0.05
