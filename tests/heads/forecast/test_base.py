"""Forecasts: where the future comes from, what is limited, and that rhythms are continued."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.heads.forecast.batch import LEVELS, error_quantiles, make_forecast_batch
from tool_use_om.heads.numeric.metrics import crps, mae
from tool_use_om.heads.numeric.ridge import normal_equations
from tool_use_om.heads.numeric.season import autocorrelation, season_of
from tool_use_om.heads.registry import head_specs, make_head

FORECASTERS = sorted(s.name for s in head_specs("forecast"))
Y = ("accelerometer.y",)


def test_future_is_what_the_session_goes_on_with(
    make_windows: Callable[..., Any],
    patch_tokens: Callable[..., Any],
    make_sines: Callable[..., Any],
) -> None:
    """Each known future value is the signal's own; past the session's end nothing is known."""
    signals = make_sines(n_sessions=2)
    windows = make_windows(signals, 40, 8)
    batch = make_forecast_batch(windows, patch_tokens(windows), horizon_s=2.0)
    for row, (session, start) in enumerate(zip(windows.session_ids, windows.start_s, strict=True)):
        first = round(start * 10) + 40
        expected = signals[int(session[1:]), :, first : first + 20]
        n = expected.shape[1]
        np.testing.assert_allclose(batch.future[row, :, :n], expected, rtol=1e-6)
        assert batch.future_mask[row, :, :n].all()
        assert not batch.future_mask[row, :, n:].any()


def test_future_reaches_the_end_when_whole_sessions_are_given(
    make_windows: Callable[..., Any],
    patch_tokens: Callable[..., Any],
    make_sines: Callable[..., Any],
) -> None:
    """What no window covers, because the stride left it over, is read from the whole session."""
    signals = make_sines(n_sessions=2, n=115)
    windows, whole = make_windows(signals, 40, 40), make_windows(signals, 115, 1)
    tokens = patch_tokens(windows)
    short = make_forecast_batch(windows, tokens, horizon_s=4.0)
    full = make_forecast_batch(windows, tokens, horizon_s=4.0, sessions=whole)
    assert short.future_mask.sum(axis=2).max(axis=1).tolist() == [40, 0, 40, 0]
    assert full.future_mask.sum(axis=2).max(axis=1).tolist() == [40, 35, 40, 35]


def test_missing_samples_stay_unknown(
    make_windows: Callable[..., Any],
    patch_tokens: Callable[..., Any],
    make_sines: Callable[..., Any],
) -> None:
    """A gap in the signal is a gap in the future, not a zero to be learnt."""
    signals = make_sines(n_sessions=2)
    signals[0, 1, 50:55] = np.nan
    windows = make_windows(signals, 40, 8)
    batch = make_forecast_batch(windows, patch_tokens(windows), horizon_s=2.0)
    truth = batch.truth(Y, 20)
    assert np.isnan(truth[0, 0, 10:15]).all()
    assert np.isfinite(truth[0, 0, :10]).all()


@pytest.mark.parametrize("name", FORECASTERS)
def test_forecast_continues_a_rhythm(name: str, make_batch: Callable[..., Any]) -> None:
    """On a noisy sine of amplitude 3 the error stays far under the 1.9 of its mean alone."""
    head = make_head(name).fit(make_batch(), channels=Y)  # type: ignore[attr-defined]
    asked = make_batch(seed=1)
    forecast = head.predict(asked, 3.2)
    truth = asked.truth(Y, 32)
    assert mae(truth, forecast.median) < 0.6
    assert crps(truth, forecast.quantiles, forecast.levels) < 0.45


@pytest.mark.parametrize("name", FORECASTERS)
def test_forecast_is_of_the_asked_channels_in_their_units_and_seconds(
    name: str, make_batch: Callable[..., Any]
) -> None:
    """Only asked channels come back, quantiles ascend, and time runs from the window's end."""
    head = make_head(name).fit(make_batch(), channels=Y)  # type: ignore[attr-defined]
    asked = make_batch(seed=1)
    forecast = head.predict(asked, 1.5)
    assert (forecast.channels, forecast.units, forecast.levels) == (Y, ("g",), LEVELS)
    assert forecast.quantiles.shape == (len(asked), 1, 15, len(LEVELS))
    assert (np.diff(forecast.quantiles, axis=-1) >= 0).all()
    np.testing.assert_allclose(forecast.time_s, np.arange(1, 16) / 10)
    np.testing.assert_allclose(forecast.start_s, asked.windows.start_s + 4.0)


@pytest.mark.parametrize("name", FORECASTERS)
@pytest.mark.parametrize("horizon_s", [0.0, -1.0, 3.3, float("nan")])
def test_forecast_raises_when_the_horizon_is_outside_what_was_fitted(
    name: str, horizon_s: float, make_batch: Callable[..., Any]
) -> None:
    """Nothing is extrapolated past the longest known future, and the error names the limit."""
    head = make_head(name).fit(make_batch(), channels=Y)  # type: ignore[attr-defined]
    with pytest.raises(DataError, match=r"\(0, 3.2\]"):
        head.predict(make_batch(seed=1), horizon_s)


@pytest.mark.parametrize("name", FORECASTERS)
def test_forecast_raises_when_fit_has_no_future_or_an_unknown_channel(
    name: str, make_batch: Callable[..., Any]
) -> None:
    """Without a known future there is nothing to learn; a channel must exist."""
    batch = make_batch()
    with pytest.raises(DataError, match="known future"):
        make_head(name).fit(replace(batch, future=None), channels=Y)  # type: ignore[attr-defined]
    nothing = replace(batch, future_mask=np.zeros_like(batch.future_mask))
    with pytest.raises(DataError, match="No window has a known future"):
        make_head(name).fit(nothing, channels=Y)  # type: ignore[attr-defined]
    with pytest.raises(NotFoundError, match=r"accelerometer\.y"):
        make_head(name).fit(batch, channels=["accelerometer.yy"])  # type: ignore[attr-defined]
    with pytest.raises(DataError, match="at least one channel"):
        make_head(name).fit(batch, channels=[])  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", FORECASTERS)
def test_forecast_of_a_constant_channel_is_the_constant(
    name: str, make_batch: Callable[..., Any], patch_tokens: Callable[..., Any]
) -> None:
    """A channel that never moved is expected to stay, without a division by zero."""
    batch = make_batch()
    windows = replace(batch.windows, values=np.full_like(batch.windows.values, 7.0))
    still = make_forecast_batch(windows, patch_tokens(windows), horizon_s=3.2)
    head = make_head(name).fit(still, channels=Y)  # type: ignore[attr-defined]
    np.testing.assert_allclose(head.predict(still, 2.0).quantiles, 7.0, atol=1e-6)


@pytest.mark.parametrize("name", FORECASTERS)
def test_forecast_works_with_one_window_a_session(
    name: str,
    make_windows: Callable[..., Any],
    patch_tokens: Callable[..., Any],
    make_sines: Callable[..., Any],
) -> None:
    """Without windows a step apart there are no dynamics to fit: the horizon is decoded at once."""
    signals = make_sines(n_sessions=12)
    windows, whole = make_windows(signals, 80, 80), make_windows(signals, 120, 1)
    batch = make_forecast_batch(windows, patch_tokens(windows), horizon_s=2.0, sessions=whole)
    head = make_head(name).fit(batch, channels=Y)  # type: ignore[attr-defined]
    assert np.isfinite(head.predict(batch, 2.0).quantiles).all()


def test_latent_ssm_steps_by_a_patch(make_batch: Callable[..., Any]) -> None:
    """Windows a patch apart make one patch the step of the dynamics."""
    head = make_head("latent_ssm").fit(make_batch(), channels=Y)  # type: ignore[attr-defined]
    assert head.step_ == 8
    assert head.emission_.shape[1] == 8
    assert np.abs(np.linalg.eigvals(head.dynamics_)).max() < 1.05


def test_forecast_interpolates_between_levels(make_batch: Callable[..., Any]) -> None:
    """A level between two known ones lies between their quantiles; outside it is an error."""
    head = make_head("seasonal_naive").fit(make_batch(), channels=Y)  # type: ignore[attr-defined]
    forecast = head.predict(make_batch(seed=1), 1.0)
    middle = (forecast.at(0.1) + forecast.at(0.15)) / 2
    np.testing.assert_allclose(forecast.at(0.125), middle)
    np.testing.assert_array_equal(forecast.at(0.5), forecast.median)
    with pytest.raises(DataError, match="level"):
        forecast.at(0.99)


def test_season_is_found_in_noise_and_not_in_noise_alone() -> None:
    """A period of 8 samples is found; white noise has none."""
    rng = np.random.default_rng(0)
    time = np.arange(60)
    assert season_of(np.sin(2 * np.pi * time / 8) + rng.normal(0, 0.3, 60), 0.3) in {8, 16, 24}
    assert season_of(rng.normal(size=300), 0.4) is None
    assert season_of(np.ones(30)) is None
    assert season_of(np.array([1.0])) is None


def test_autocorrelation_agrees_with_the_sum_by_hand(naive: ModuleType) -> None:
    """The transform gives what the definition gives, lag by lag."""
    series = np.random.default_rng(0).normal(size=37)
    found = autocorrelation(series)
    for lag in (0, 1, 5, 20, 35):
        assert found[lag] == pytest.approx(naive.autocorrelation(series, lag))


def test_ridge_agrees_with_one_column_at_a_time(naive: ModuleType) -> None:
    """Shared normal equations change nothing: each column is fitted on the rows that know it."""
    rng = np.random.default_rng(0)
    X, Y_ = rng.normal(size=(40, 3)), rng.normal(size=(40, 6))
    for column in range(6):
        Y_[40 - 5 * column :, column] = np.nan
    weights = normal_equations(X, Y_).solve(0.3)
    for column in range(6):
        np.testing.assert_allclose(weights[:, column], naive.masked_ridge(X, Y_[:, column], 0.3))


def test_error_quantiles_borrow_when_a_step_knows_little() -> None:
    """A step nobody has seen takes over the spread of the steps before it."""
    errors = np.random.default_rng(0).normal(size=(50, 1, 4))
    errors[:, :, 2:] = np.nan
    table = error_quantiles(errors)
    assert np.isfinite(table).all()
    np.testing.assert_array_equal(table[3], table[2])


def test_ridge_without_some_rows_is_ridge_on_the_others(naive: ModuleType) -> None:
    """Taking a fold's rows out of the equations leaves the other rows' fit, feature by feature."""
    rng = np.random.default_rng(0)
    X, Y_ = rng.normal(size=(40, 4)), rng.normal(size=(40, 3))
    Y_[30:, 2] = np.nan
    everything = normal_equations(X, Y_)
    fold = normal_equations(X[:10], Y_[:10], everything.columns)
    weights = everything.without(fold).of(np.array([0, 2])).solve(0.3)
    for column in range(3):
        expected = naive.masked_ridge(X[10:][:, [0, 2]], Y_[10:, column], 0.3)
        np.testing.assert_allclose(weights[:, column], expected)


def test_direct_reads_samples_where_tokens_say_nothing(make_batch: Callable[..., Any]) -> None:
    """What is read is chosen on held-out sessions: tokens of pure noise are left alone."""
    batch = make_batch()
    noise = np.random.default_rng(0).normal(size=batch.tokens.values.shape).astype(np.float32)
    blind = replace(batch, tokens=replace(batch.tokens, values=noise))
    assert make_head("direct").fit(blind, channels=Y).inputs_ == "samples"  # type: ignore[attr-defined]
    head = make_head("direct", inputs="tokens").fit(batch, channels=Y)  # type: ignore[attr-defined]
    assert head.inputs_ == "tokens"
    assert (head.weights_[: head.n_samples_] == 0).all()
