"""Cadence is that of the movement that made the signal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.heads.numeric.rhythm import cadence


def gait(hz: float, rng: np.random.Generator, rate_hz: float = 32.0, n: int = 160) -> np.ndarray:
    """Two channels of steps at `hz`: two harmonics, gravity, a slow drift and noise."""
    time = np.arange(n) / rate_hz
    phase = rng.uniform(0, 2 * np.pi)
    x = np.sin(2 * np.pi * hz * time + phase) + 0.5 * np.sin(4 * np.pi * hz * time + 1.0 + phase)
    y = 0.4 * np.cos(2 * np.pi * hz * time + phase)
    drift = np.stack([9.8 + 0.3 * time, -0.1 * time])
    return np.stack([x, y]) + drift + rng.normal(0, 0.3, (2, n))


@pytest.mark.parametrize("hz", [0.8, 1.0, 1.37, 1.8, 2.2, 3.0])
def test_cadence_is_that_of_the_steps(hz: float, make_windows: Callable[..., Any]) -> None:
    """Simulated gait of known cadence is measured within 3 % in nine windows of ten."""
    rng = np.random.default_rng(0)
    signals = np.stack([gait(hz, rng) for _ in range(20)])
    found = cadence(make_windows(signals, 160, 160, rate_hz=32.0))
    assert (np.abs(found.hz / hz - 1) < 0.03).mean() >= 0.9
    assert (found.strength > 0.5).all()


def test_cadence_is_the_fundamental_when_a_harmonic_is_louder(
    make_windows: Callable[..., Any],
) -> None:
    """A second harmonic three times as strong does not double the cadence."""
    time = np.arange(256) / 32.0
    signal = np.sin(2 * np.pi * time) + 3 * np.sin(4 * np.pi * time)
    signal += np.random.default_rng(0).normal(0, 0.1, 256)
    found = cadence(make_windows(signal[None, None], 256, 256, rate_hz=32.0), low_hz=0.5)
    assert found.hz[0] == pytest.approx(1.0, rel=0.03)


def test_cadence_is_the_stride_when_steps_already_repeat_well(
    make_windows: Callable[..., Any],
) -> None:
    """Left and right steps alike but for a small sway: every window gives the stride, not some."""
    rng, time = np.random.default_rng(0), np.arange(200) / 50.0
    steps = np.sin(2 * np.pi * 1.9 * time) + 0.4 * np.sin(2 * np.pi * 0.95 * time)
    signals = steps + rng.normal(0, 0.15, (20, 1, 200))
    found = cadence(make_windows(signals, 200, 200, rate_hz=50.0))
    np.testing.assert_allclose(found.hz, 0.95, rtol=0.05)


def test_cadence_is_nan_when_nothing_repeats(make_windows: Callable[..., Any]) -> None:
    """A still channel has no cadence, and noise rarely shows one."""
    rng = np.random.default_rng(0)
    signals = np.concatenate([np.full((1, 1, 160), 9.8), rng.normal(size=(30, 1, 160))])
    found = cadence(make_windows(signals, 160, 160, rate_hz=32.0))
    assert np.isnan(found.hz[0])
    assert found.strength[0] == 0.0
    assert np.isnan(found.hz[1:]).mean() > 0.7


def test_cadence_bears_gaps_and_padding(make_windows: Callable[..., Any]) -> None:
    """Missing samples are bridged and padding is left out."""
    signals = np.stack([gait(1.5, np.random.default_rng(0))])
    signals[0, 0, 40:44], signals[0, :, 130:] = np.nan, np.nan
    found = cadence(make_windows(signals, 160, 160, rate_hz=32.0))
    assert found.hz[0] == pytest.approx(1.5, rel=0.05)


def test_cadence_does_not_depend_on_the_unit(make_windows: Callable[..., Any]) -> None:
    """Channels may be in g or in m/s^2: each is scaled by itself."""
    signals = np.stack([gait(1.5, np.random.default_rng(0))])
    in_g, in_ms2 = (
        cadence(make_windows(s, 160, 160, rate_hz=32.0)) for s in (signals, 9.8 * signals)
    )
    np.testing.assert_allclose(in_g.hz, in_ms2.hz, rtol=1e-4)


def test_cadence_raises_when_windows_are_too_short(make_windows: Callable[..., Any]) -> None:
    """Half a second holds no rhythm, and the error says how long a window must be."""
    with pytest.raises(DataError, match="at least"):
        cadence(make_windows(np.zeros((1, 1, 16)), 16, 16, rate_hz=32.0))


@pytest.mark.parametrize("rate_hz", [10.0, 25.0, 50.0])
@pytest.mark.parametrize("window_s", [4.0, 8.0])
@pytest.mark.parametrize("second", [0.0, 0.5])
def test_cadence_is_right_at_every_rate(
    rate_hz: float, window_s: float, second: float, make_windows: Callable[..., Any]
) -> None:
    """Few samples a period do not halve the cadence: nine of ten windows are within 4 %."""
    rng = np.random.default_rng(0)
    n = int(rate_hz * window_s)
    time = np.arange(n) / rate_hz
    for hz in (0.8, 1.37, 1.8, 2.2, 2.8, 4.0):
        phase = rng.uniform(0, 2 * np.pi, (10, 1))
        signal = np.sin(2 * np.pi * hz * time + phase)
        if 2 * hz < rate_hz / 2:
            signal += second * np.sin(4 * np.pi * hz * time + 1 + phase)
        signal += rng.normal(0, 0.1 * signal.std(), signal.shape)
        found = cadence(make_windows(signal[:, None], n, n, rate_hz=rate_hz))
        assert (np.abs(found.hz / hz - 1) < 0.04).mean() >= 0.9, hz
