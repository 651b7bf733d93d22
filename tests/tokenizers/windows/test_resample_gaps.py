"""Resampling by the definition: each stretch alone, sample by sample; nothing crosses a gap."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_use_om.tokenizers.windows.resample import (
    Clock,
    irregular,
    rate_ratio,
    reach_samples,
    resample,
    to_grid,
)

RATES = [(1.0, 50.0), (50.0, 32.0), (256.0, 50.0), (7.0, 3.0), (32.0, 64.0)]


def alone(run: np.ndarray, ratio: Fraction, position: Fraction) -> float:
    """One output by the definition: the mirrored run under the Kaiser filter, one tap at a time."""
    from scipy.signal import firwin

    up, most = ratio.numerator, max(ratio.numerator, ratio.denominator)
    taps = firwin(20 * most + 1, 1 / most, window=("kaiser", 5.0))
    total = mass = 0.0
    reach = reach_samples(ratio)
    for i in range(int(position) - reach, int(position) + reach + 2):
        lag = round((position - i) * up) + 10 * most
        if not 0 <= lag < len(taps):
            continue
        inside = min(max(i, 0), len(run) - 1)
        mirror = min(max(2 * inside - i, 0), len(run) - 1)
        total += taps[lag] * (2 * run[inside] - run[mirror])
        mass += taps[lag]
    return total / mass


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_resample_is_each_stretch_filtered_alone(rate_in: float, rate_out: float) -> None:
    """Every output equals the filter over its own stretch and nothing else, gap or no gap."""
    ratio = rate_ratio(rate_in, rate_out)
    n = max(120, 14 * int(max(1, 1 / ratio)) * 3)
    values = np.random.default_rng(0).normal(size=n).cumsum()
    gap = slice(n // 3, n // 3 + 5)
    values[gap] = np.nan
    out = resample(values[:, None], rate_in, rate_out)[:, 0]
    found = np.flatnonzero(np.isfinite(out))
    assert len(found) > 10
    for k in found[:: max(1, len(found) // 25)]:
        position = Fraction(int(k)) / ratio
        first = 0 if position < gap.start else gap.stop
        run = values[first : gap.start if position < gap.start else n]
        assert out[k] == pytest.approx(alone(run, ratio, position - first), rel=1e-5, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(
    rates=st.sampled_from(RATES),
    start=st.integers(20, 150),
    length=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_resample_never_looks_across_a_gap(
    rates: tuple[float, float], start: int, length: int, seed: int
) -> None:
    """Whatever comes after a gap, what comes before it is the same to the last bit."""
    values = np.random.default_rng(seed).normal(size=(200, 2)).astype(np.float32)
    values[start : start + length] = np.nan
    other = values.copy()
    other[start + length :] = 1e4 - 3 * other[start + length :]
    before = int(start * rates[1] / rates[0])
    one, two = (resample(v, *rates)[:before] for v in (values, other))
    assert np.array_equal(one, two, equal_nan=True)


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_resample_keeps_a_constant_exactly(rate_in: float, rate_out: float) -> None:
    """A constant stays that constant, whatever the ratio."""
    out = resample(np.full((400, 1), 981.25, np.float32), rate_in, rate_out)
    assert np.abs(out - 981.25).max() < 1e-3


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_resample_of_a_part_is_the_part_of_resample(rate_in: float, rate_out: float) -> None:
    """Away from its ends by the filter's reach, a piece gives what the whole gives, bit by bit."""
    ratio = rate_ratio(rate_in, rate_out)
    reach = reach_samples(ratio)
    n = 6 * reach + 40 * ratio.denominator
    values = np.random.default_rng(1).normal(size=(n, 1)).astype(np.float32)
    whole = resample(values, rate_in, rate_out)
    first = -(-reach // ratio.denominator) * ratio.denominator
    part = resample(values[first:], rate_in, rate_out)
    at = first // ratio.denominator * ratio.numerator
    skip = -(-(reach + 1) * ratio.numerator // ratio.denominator)
    assert np.array_equal(part[skip:], whole[at + skip :])


def test_resample_of_scattered_losses_stays_within_its_samples() -> None:
    """Many short stretches: outputs lie between measured neighbours and never outside a stretch."""
    rng = np.random.default_rng(2)
    values = np.sin(np.arange(3000) / 40)[:, None].astype(np.float32)
    values[rng.random(3000) < 0.2] = np.nan
    out = resample(values, 50.0, 75.0)[:, 0]
    for k in np.flatnonzero(np.isfinite(out)):
        left = int(k * 2 / 3)
        assert np.isfinite(values[left, 0])
        assert out[k] == pytest.approx(np.sin(k * 2 / 3 / 40), abs=0.05)


def test_a_clock_tells_steady_from_jittering_samples() -> None:
    """A quarter of a step off, or two samples on one place, is not steady; a late start is."""
    late = np.arange(50) / 10 + 0.033
    clock = Clock.of(late, 10.0)
    assert clock.steady
    assert clock.phase_s == pytest.approx(0.033)
    assert not clock.keeps(late[:2] + np.array([0.0, 0.03]), 10.0)
    assert not clock.keeps(np.array([0.033, 0.034]), 10.0)
    grid = to_grid(late[5:8], late[5:8, None], 10.0, 10, clock)
    assert np.flatnonzero(np.isfinite(grid[:, 0])).tolist() == [5, 6, 7]


def test_irregular_stamps_are_told_and_bridged() -> None:
    """Stamps that keep to no grid leave it mostly empty; bridged, straight lines join them."""
    rng = np.random.default_rng(0)
    time_s = np.cumsum(rng.choice([1.0, 1.4, 3.0, 5.3], 200))
    time_s -= time_s[0]
    empty, bridge_s = irregular(time_s, 1.0)
    assert 0.4 < empty < 0.7
    assert bridge_s == pytest.approx(5.3)
    n = int(time_s[-1])
    plain = to_grid(time_s, 2.0 * time_s[:, None], 1.0, n)
    joined = to_grid(time_s, 2.0 * time_s[:, None], 1.0, n, bridge_s=bridge_s)
    assert np.isfinite(plain).mean() < 0.6
    assert np.isfinite(joined).mean() > 0.98
    gap = np.diff(joined[np.isfinite(joined[:, 0]), 0])
    np.testing.assert_allclose(gap, 2.0, atol=1e-3)


def test_an_even_grid_with_an_outage_is_not_irregular() -> None:
    """Steady stamps with a hole have a hole: nothing is bridged."""
    time_s = np.delete(np.arange(100.0), np.arange(40, 60))
    assert irregular(time_s, 1.0) == (0.0, 0.0)
    kept = to_grid(time_s, time_s[:, None], 1.0, 100, bridge_s=50.0)
    assert np.isnan(kept[40:60]).all()
