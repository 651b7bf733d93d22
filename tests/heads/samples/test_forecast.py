"""The raw-space forecasters keep the contract of a forecast head, and know a rhythm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import NotFittedError
from tool_use_om.heads.numeric.metrics import mae
from tool_use_om.heads.registry import make_head
from tool_use_om.heads.samples.base import raw_forecaster, raw_names

pytest.importorskip("aeon")
QUICK: dict[str, dict[str, Any]] = {"patchtst": {"epochs": 1}}


def _fitted(name: str, batch: Any) -> Any:
    return raw_forecaster(name, **QUICK.get(name, {})).fit(batch, channels=["accelerometer.y"])


@pytest.mark.parametrize("name", raw_names("forecast"))
def test_raw_forecaster_gives_quantiles_in_channel_units(
    name: str, make_batch: Callable[..., Any]
) -> None:
    """Quantiles ascend, lie around the channel's level, and do not depend on batch-mates."""
    head, asked = _fitted(name, make_batch()), make_batch(seed=1).select(np.arange(12))
    found = head.predict(asked, 2.0)
    assert found.quantiles.shape == (12, 1, 20, 19)
    assert (np.diff(found.quantiles, axis=-1) >= 0).all()
    assert -6.0 < np.median(found.median) < 2.0
    alone = head.predict(asked.select(np.array([7])), 2.0)
    np.testing.assert_allclose(alone.quantiles[0], found.quantiles[7], atol=1e-4)
    assert head.memory_mb > 0


@pytest.mark.parametrize("name", ["rlinear", "dlinear", "theta", "ets"])
def test_raw_forecaster_follows_a_rhythm(name: str, make_batch: Callable[..., Any]) -> None:
    """A sine goes on as one: far better than the mean of the window, no worse than its repeat."""
    head, asked = _fitted(name, make_batch()), make_batch(seed=1)
    truth = asked.truth(("accelerometer.y",), 20)
    error = mae(truth, head.predict(asked, 2.0).median)
    naive = make_head("seasonal_naive").fit(make_batch(), channels=["accelerometer.y"])  # type: ignore[attr-defined]  # a forecaster
    assert error < 0.5 * mae(truth, np.full_like(truth, -2.0))
    assert error < 1.3 * mae(truth, naive.predict(asked, 2.0).median)


def test_patchtst_repeats_itself(make_batch: Callable[..., Any]) -> None:
    """The same seed trains the same model, whatever was drawn before."""
    asked = make_batch(seed=1).select(np.arange(4))
    first = _fitted("patchtst", make_batch()).predict(asked, 1.0).quantiles
    again = _fitted("patchtst", make_batch()).predict(asked, 1.0).quantiles
    np.testing.assert_array_equal(first, again)


def test_raw_forecaster_raises_before_fit(make_batch: Callable[..., Any]) -> None:
    """No forecast before fitting."""
    with pytest.raises(NotFittedError):
        raw_forecaster("rlinear").predict(make_batch(), 1.0)
