"""The raw-space forecasters keep the contract of a forecast head, and know a rhythm."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import NotFittedError
from tool_use_om.heads.numeric.metrics import mae
from tool_use_om.heads.registry import make_head
from tool_use_om.heads.samples.base import raw_forecaster, raw_names
from tool_use_om.heads.samples.head import held_out_third, sample_head
from tool_use_om.heads.samples.problem import Fold, Problem, origins_of

pytest.importorskip("aeon")
QUICK: dict[str, dict[str, Any]] = {"patchtst": {"epochs": 1}}


def _fitted(name: str, batch: Any) -> Any:
    return sample_head(name, **QUICK.get(name, {})).fit(batch, channels=["accelerometer.y"])


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
        sample_head("rlinear").predict(make_batch(), 1.0)
    with pytest.raises(NotFittedError):
        raw_forecaster("rlinear").points(np.array([[0, 5]]))


def toy(series: np.ndarray, context: int, horizon: int, season: int) -> tuple[Problem, Fold]:
    """Return one series (T,), its first two thirds learned from and checked, the rest judged."""
    n = len(series)
    cut = [context, n // 2, 2 * n // 3, n]
    parts = (origins_of(0, a, b - horizon) for a, b in pairwise(cut))
    fold = Fold(**dict(zip(("fit", "check", "judge"), parts, strict=True)))
    problem = Problem(
        name="toy",
        series=(series[None],),
        session_ids=("s",),
        channels=("m.x",),
        rate_hz=1.0,
        context=context,
        horizon=horizon,
        season=season,
        folds=(fold,),
        groups=np.arange(len(fold.judge)),
        rule="toy",
        whole=True,
    )
    return problem, fold


def _said(name: str, series: np.ndarray, horizon: int, season: int) -> list[float]:
    problem, fold = toy(np.append(series, np.zeros(horizon)), 3, horizon, season)
    at = np.array([[0, len(series)]])
    return list(raw_forecaster(name).fit(problem, fold).points(at)[0, 0])


def test_naive_ones_repeat_what_was_on_the_right_phase() -> None:
    """A pure season goes on where it stopped, also from the middle of a season."""
    series = np.tile([1.0, 2.0, 3.0, 2.0], 20)[:-1]
    assert _said("naive2", series, 5, 4) == pytest.approx([2, 1, 2, 3, 2], abs=1e-6)
    assert _said("seasonal_naive", series, 5, 4) == [2, 1, 2, 3, 2]
    assert _said("naive", series, 2, 4) == [3, 3]
    below = series - 2.5  # not positive: the season is put back by differences
    assert _said("naive2", below, 5, 4) == pytest.approx([-0.5, -1.5, -0.5, 0.5, -0.5], abs=1e-6)


def test_seasonal_naive_head_repeats_and_adds_nothing(make_batch: Callable[..., Any]) -> None:
    """On a ramp the last value stays what it is: the error of step k is k steps of the ramp."""
    batch = make_batch()
    ramp = np.arange(batch.windows.values.shape[2], dtype=np.float32)
    batch.windows.values[:] = ramp
    batch.future[:] = len(ramp) + np.arange(batch.future.shape[2], dtype=np.float32)
    head: Any = make_head("seasonal_naive", season_s=1 / batch.windows.rate_hz)
    said = head.fit(batch, channels=["accelerometer.y"]).predict(batch, 2.0)
    np.testing.assert_allclose(said.median, ramp[-1])
    truth = batch.truth(("accelerometer.y",), 20)
    known = np.isfinite(truth).all(axis=2)
    assert mae(truth[known], said.median[known]) == pytest.approx(10.5)


def test_a_model_of_samples_says_the_same_on_a_problem_and_as_a_head(
    make_batch: Callable[..., Any],
) -> None:
    """What the suites measure is what a user gets: one model, two ways in."""
    batch = make_batch()
    head = _fitted("rlinear", batch)
    problem = head._problem(batch, head.max_steps_)
    origins = np.column_stack([np.arange(len(batch)), np.full(len(batch), problem.context)])
    model = raw_forecaster("rlinear").fit(problem, held_out_third(batch))
    said = head.predict(batch, head.max_horizon_s)
    np.testing.assert_allclose(model.points(origins), said.median, atol=1e-9)


def test_a_flat_window_does_not_blow_a_linear_map_up() -> None:
    """Errors count in the channel's usual scale: flat stretches do not outweigh moving ones."""
    rng = np.random.default_rng(0)
    wave = np.sin(2 * np.pi * np.arange(400) / 20)
    wave[100:200] = 1e-7 * rng.normal(size=100)
    problem, fold = toy(wave, 40, 10, 20)
    said = raw_forecaster("rlinear").fit(problem, fold).points(fold.judge)
    assert np.abs(said - problem.futures(fold.judge)).mean() < 0.1
