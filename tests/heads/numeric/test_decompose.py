"""A made-up mixture of line, rhythm and noise comes apart again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tool_use_om.heads.numeric.decompose import decompose


def test_parts_of_a_known_mixture_are_found(make_windows: Callable[..., Any]) -> None:
    """Level, slope and the shares of line, rhythm and noise are those it was made of."""
    rng = np.random.default_rng(0)
    time = np.arange(200) / 10.0
    line, wave = 0.1 * (time - time.mean()), np.sin(2 * np.pi * 1.25 * time)
    noise = rng.normal(0, 0.3, 200)
    windows = make_windows(np.array([[5.0 + line + wave + noise]]), 200, 200)
    parts = decompose(windows, np.array([1.25]))
    total = line.var() + wave.var() + noise.var()
    assert parts.level[0, 0] == pytest.approx(5.0, abs=0.1)
    assert parts.trend_per_s[0, 0] == pytest.approx(0.1, abs=0.01)
    assert parts.trend_share[0, 0] == pytest.approx(line.var() / total, abs=0.05)
    assert parts.season_share[0, 0] == pytest.approx(wave.var() / total, abs=0.05)
    shares = parts.trend_share + parts.season_share + parts.rest_share
    assert shares[0, 0] == pytest.approx(1.0)


def test_nothing_repeats_or_varies(make_windows: Callable[..., Any]) -> None:
    """Without a season its share is 0; a flat channel has a level and no shares."""
    rng = np.random.default_rng(0)
    signals = np.stack([rng.normal(size=60), np.full(60, 3.0)])[None]
    parts = decompose(make_windows(signals, 60, 60), np.array([np.nan]))
    assert parts.season_share[0, 0] == 0.0
    assert parts.level[0, 1] == pytest.approx(3.0)
    assert np.isnan(parts.rest_share[0, 1])


def test_gaps_are_left_out(make_windows: Callable[..., Any]) -> None:
    """Missing samples do not count; too few samples give nothing."""
    signals = np.arange(40.0)[None, None].repeat(2, axis=1)
    signals[0, 0, 10:20] = np.nan
    signals[0, 1, 5:] = np.nan
    parts = decompose(make_windows(signals, 40, 40), np.array([np.nan]))
    assert parts.trend_per_s[0, 0] == pytest.approx(10.0)
    assert np.isnan(parts.level[0, 1])
