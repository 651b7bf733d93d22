"""What is left of a line by how its values were rounded is neither doubt nor a cycle."""

from __future__ import annotations

import numpy as np
import pytest

from tool_use_om.heads.numeric.relation import slope_of
from tool_use_om.heads.numeric.season import main_cycle

SLOPES = (0.1, 0.3, 0.5, 1.0, 1.5, 7.7, -2.3)


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("level", [0.0, 1000.0])
def test_a_line_to_the_last_digit_is_clear(slope: float, level: float) -> None:
    """Kept in single precision, as files are; its interval holds the slope."""
    x = np.arange(100.0)
    found = slope_of(x, (level + slope * x).astype(np.float32))
    assert found.clear
    assert found.lower <= slope <= found.upper


@pytest.mark.parametrize("level", [0.0, 0.1, 1e6, -3.3])
def test_a_constant_has_no_clear_slope(level: float) -> None:
    """Nothing rises where nothing moves, however a mean was rounded."""
    assert not slope_of(np.arange(100.0), np.full(100, level, np.float32)).clear


def test_two_points_make_no_clear_line() -> None:
    """Any two lie on one."""
    assert not slope_of(np.arange(2.0), np.array([0.0, 5.0])).clear


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("rate_hz", [1.0, 10.0, 50.0])
def test_the_rounding_of_a_line_is_no_cycle(slope: float, rate_hz: float) -> None:
    """Its last digits repeat; the signal does not."""
    time_s = np.arange(1000) / rate_hz
    assert main_cycle((slope * time_s).astype(np.float32), rate_hz) is None


def test_a_small_wave_on_a_line_is_a_cycle() -> None:
    """A thousandth of the line's height is far above its rounding."""
    time_s = np.arange(1000) / 10
    wave = 0.1 * np.sin(2 * np.pi * time_s / 5)
    found = main_cycle((time_s + wave).astype(np.float32), 10.0)
    assert found is not None
    assert found.period_s == pytest.approx(5.0, rel=0.02)
