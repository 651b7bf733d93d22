"""What stands out in one series is found, and what is usual for it is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tool_use_om.heads.search.outliers import is_walk, scan


def sales(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(20_000, 30_000, 500)


def household(rng: np.random.Generator) -> np.ndarray:
    hours = np.arange(1440)
    return 1 + 0.5 * np.sin(2 * np.pi * hours / 24) + rng.gamma(1, 0.5, 1440)


@pytest.mark.parametrize(
    ("made", "at", "value"),
    [(sales, 321, 60_000.0), (household, 700, 14.6), (sales, 0, 60_000.0), (sales, 499, 60_000.0)],
)
@pytest.mark.parametrize("seed", range(5))
def test_scan_finds_a_single_value(
    made: Callable[[np.random.Generator], np.ndarray], at: int, value: float, seed: int
) -> None:
    """A single 60 000 among 20 000 to 30 000; a glitch of 14.6 kW in a household's power."""
    series = made(np.random.default_rng(seed))
    series[at] = value
    found = scan(series)
    assert (found.outliers[0].at, found.outliers[0].value) == (at, value)
    assert len(found.outliers) <= 2
    assert found.high < value


@pytest.mark.parametrize("wave", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_scan_finds_ten_seconds_at_three_times_the_size(wave: float, seed: int) -> None:
    """Ten seconds in five minutes, three times as high or as wide, are found as one stretch."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(3000) / 10
    series = (1 - wave) + wave * np.sin(2 * np.pi * 1.7 * time_s) + 0.1 * rng.normal(size=3000)
    series[1200:1300] *= 3
    (found,) = scan(series).outliers
    assert found.first == pytest.approx(1200, abs=30)
    assert found.last == pytest.approx(1299, abs=30)


@pytest.mark.parametrize("seed", range(8))
def test_scan_finds_nothing_in_noise_waves_walks_and_switching(seed: int) -> None:
    """White noise, a sine, an autoregression, a walk with a trend, a switch: all usual."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=1000)
    walk = np.cumsum(noise) + np.arange(1000) / 10
    auto = np.zeros(1000)
    for i in range(1, 1000):
        auto[i] = 0.95 * auto[i - 1] + noise[i]
    wave = np.sin(np.arange(1000) / 3) + 0.1 * noise
    switch = np.repeat((rng.uniform(size=50) < 0.3) * 2.0, 20) + 0.01 * noise
    for series in (noise, walk, auto, wave, switch, np.full(1000, 7.0)):
        assert not scan(series).outliers


def test_scan_leaves_missing_values_and_short_series_alone() -> None:
    """Gaps are bridged, not found; a few samples are not judged."""
    series = np.sin(np.arange(600) / 5)
    series[200:260] = np.nan
    assert not scan(series).outliers
    assert not scan(np.array([1.0, 2.0, 900.0])).outliers
    assert not scan(np.full(100, np.nan)).outliers


@pytest.mark.parametrize("seed", range(6))
def test_a_price_is_judged_by_its_steps(seed: int) -> None:
    """A fall of 11 % in a walk with steps of 1 %: the day is found, with its size; no other is."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.01, 500)
    steps[300] = np.log(0.89)
    price = 1000 * np.exp(np.cumsum(steps))
    assert is_walk(price)
    (found,) = scan(price).outliers
    assert (found.kind, found.at) == ("move", 300)
    assert found.change_frac == pytest.approx(-0.11, abs=1e-6)
    assert scan(price).low > -0.04


@pytest.mark.parametrize("seed", range(6))
def test_what_has_a_usual_level_or_a_season_is_no_walk(seed: int) -> None:
    """Noise, an autoregression, a daily course and a meter are judged by their values."""
    rng = np.random.default_rng(seed)
    noise = 50 + 5 * rng.normal(size=500)
    auto = np.zeros(500)
    for i in range(1, 500):
        auto[i] = 0.9 * auto[i - 1] + rng.normal()
    daily = 20 + np.sin(np.arange(500) * 2 * np.pi / 24) + 0.1 * rng.normal(size=500)
    meter = 1000 + np.cumsum(rng.poisson(0.5, 500))
    assert not any(is_walk(np.asarray(s, float)) for s in (noise, 30 + auto, daily, meter))


def test_a_single_empty_week_of_forty_is_found() -> None:
    """The one value furthest out is no tail of the others."""
    rng = np.random.default_rng(0)
    sales = 2500 + 100 * rng.normal(size=40)
    sales[31] = 0.0
    assert [o.at for o in scan(sales).outliers] == [31]
