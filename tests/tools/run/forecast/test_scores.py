"""A forecast's errors, window by window, against numbers by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tool_use_om.heads.forecast.batch import Forecast, ForecastBatch
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.windows import WindowBatch
from tool_use_om.tools.run.forecast.scores import (
    Errors,
    compared,
    finite_mean,
    window_errors,
    window_groups,
)

LEVELS = (0.05, 0.5, 0.95)


def batch(values: np.ndarray, future: np.ndarray, sessions: tuple[str, ...] = ()) -> ForecastBatch:
    """Return windows (B, C, T) at 1 Hz with what came after them (B, C, H); NaN = missing."""
    n, c, t = values.shape
    names = sessions or tuple(f"s{i}" for i in range(n))
    channels = tuple(f"m.{chr(97 + i)}" for i in range(c))
    starts = np.arange(n) * 1.0
    windows = WindowBatch(
        values=np.nan_to_num(values).astype(np.float32), mask=np.isfinite(values), rate_hz=1.0,
        start_s=starts, session_ids=names, channels=channels, units=("V",) * c,
    )  # fmt: skip
    tokens = Tokens(
        values=np.zeros((n, c, 1, 2), np.float32), mask=np.ones((n, c, 1), bool),
        start_s=starts[:, None], patch_s=float(t), channels=channels, session_ids=names,
        window_start_s=starts, window_s=float(t), context=np.zeros((n, c, 0), np.float32),
        context_names=(),
    )  # fmt: skip
    return ForecastBatch(
        windows=windows,
        tokens=tokens,
        future=np.nan_to_num(future).astype(np.float32),
        future_mask=np.isfinite(future),
    )


def said(median: np.ndarray, spread: float = 0.0, units: tuple[str, ...] = ("V",)) -> Forecast:
    n, c, h = median.shape
    quantiles = np.stack([median - spread, median, median + spread], axis=-1)
    return Forecast(
        channels=tuple(f"m.{chr(97 + i)}" for i in range(c)), units=units * c if len(units) == 1
        else units, levels=LEVELS, time_s=np.arange(1.0, h + 1), quantiles=quantiles,
        session_ids=tuple(f"s{i}" for i in range(n)), start_s=np.zeros(n),
    )  # fmt: skip


def test_errors_of_a_window_are_those_of_its_known_samples() -> None:
    """By hand: gaps 1, 3 and one unknown: mean 2; the context steps by 2, so the MASE is 1."""
    found = window_errors(
        said(np.array([[[1.0, 1.0, 1.0]]])),
        batch(np.array([[[0.0, 2.0, 4.0, 6.0]]]), np.array([[[2.0, 4.0, np.nan]]])),
    )
    assert found.mae == pytest.approx([2.0])
    assert found.mase == pytest.approx([1.0])
    assert found.unit == "V"


def test_a_point_forecast_is_scored_by_its_distance() -> None:
    """Without any spread the score is the absolute error; a spread around the truth costs some."""
    asked = batch(np.array([[[0.0, 1.0, 2.0]]]), np.array([[[4.0, 4.0]]]))
    sharp = window_errors(said(np.array([[[1.0, 1.0]]])), asked).crps
    right = window_errors(said(np.array([[[4.0, 4.0]]])), asked).crps
    wide = window_errors(said(np.array([[[4.0, 4.0]]]), spread=2.0), asked).crps
    assert sharp is not None
    assert right is not None
    assert wide is not None
    assert sharp[0] == pytest.approx(3.0, rel=0.35)
    assert right[0] == pytest.approx(0.0)
    assert 0.0 < wide[0] < sharp[0]


def test_errors_in_mixed_units_are_not_averaged() -> None:
    """Volts and kelvins have no mean; the scaled error has no unit and stands."""
    values, future = np.zeros((1, 2, 3)) + np.arange(3.0), np.ones((1, 2, 2))
    found = window_errors(said(np.zeros((1, 2, 2)), units=("V", "K")), batch(values, future))
    assert (found.unit, found.mae, found.crps) == (None, None, None)
    assert set(found.by_name()) == {"mase"}


def test_a_constant_has_no_scaled_error() -> None:
    """Repeating its last value is never wrong: nothing to measure errors in."""
    found = window_errors(said(np.ones((3, 1, 2))), batch(np.zeros((3, 1, 4)), np.zeros((3, 1, 2))))
    assert np.isnan(found.mase).all()
    assert np.isnan(finite_mean(found.mase))
    sessions = np.array(["a", "b", "c"])
    told = compared(found, found, sessions, 0)
    assert set(told["metrics"]) == {"mae", "crps"}


def errors(values: np.ndarray) -> Errors:
    return Errors(unit="V", mae=values, crps=values / 2, mase=values * 2)


def test_a_head_beats_the_baseline_only_where_its_whole_interval_is_below() -> None:
    """Always better by 1 V: clear. Better and worse by turns: not. The same: not."""
    sessions = np.repeat([f"s{i}" for i in range(12)], 4)
    base = np.random.default_rng(0).uniform(2, 4, 48)
    better = compared(errors(base - 1), errors(base), sessions, 0)
    assert better["beats_baseline"]
    assert better["difference"]["value"] == pytest.approx(-1.0)
    assert better["metrics"]["mae"]["baseline"] == pytest.approx(base.mean())
    turns = base + np.where(np.arange(48) // 4 % 2, 0.5, -0.5)
    assert not compared(errors(turns), errors(base), sessions, 0)["beats_baseline"]
    assert not compared(errors(base), errors(base), sessions, 0)["beats_baseline"]


def test_intervals_are_over_sessions_not_over_windows() -> None:
    """Copies of windows inside a session make it no surer."""
    level = np.random.default_rng(1).uniform(1, 3, 10)
    widths = []
    for copies in (1, 30):
        sessions = np.repeat([f"s{i}" for i in range(10)], copies)
        row: Any = compared(errors(np.repeat(level, copies)), errors(np.repeat(level, copies)),
                            sessions, 0)["metrics"]["mae"]  # fmt: skip
        widths.append(row["upper"] - row["lower"])
        assert (row["n"], row["n_groups"]) == (10 * copies, 10)
    assert widths[1] == pytest.approx(widths[0], rel=0.15)


def test_one_session_is_grouped_by_stretches_of_time() -> None:
    """Windows near in time share a group; with two sessions they are the groups."""
    values, future = np.zeros((60, 1, 3)), np.zeros((60, 1, 1))
    groups, said_so = window_groups(batch(values, future, ("a",) * 60))
    assert said_so == "stretches of consecutive windows"
    assert len(set(groups)) == 20
    assert list(groups) == sorted(groups)
    groups, said_so = window_groups(batch(values, future, ("a", "b") * 30))
    assert said_so == "sessions"
    assert set(groups) == {"a", "b"}
