"""The forecast gate on windows without an encoder: clear wins escalate, nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tool_use_om.heads.forecast.batch import ForecastBatch, make_forecast_batch
from tool_use_om.heads.registry import make_head
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.windows import WindowBatch
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.run.forecast import gate as gate_forecast
from tool_use_om.tools.run.forecast.scores import window_groups

pytest.importorskip("aeon")


def _batch(seed: int, n_sessions: int, noise: float = 0.1) -> ForecastBatch:
    """Windows of 32 samples out of sines of random phase; tokens that say nothing."""
    rng = np.random.default_rng(seed)
    time = np.arange(96)
    phase = rng.uniform(0, 6.28, (n_sessions, 1))
    signals = 3.0 + np.sin(2 * np.pi * time / 10.0 + phase) + rng.normal(0, noise, (n_sessions, 96))
    starts = np.arange(0, 48, 8)
    n = n_sessions * len(starts)
    values = np.stack([s[a : a + 32] for s in signals for a in starts])[:, None]
    windows = WindowBatch(
        values=values.astype(np.float32),
        mask=np.ones(values.shape, dtype=bool),
        rate_hz=10.0,
        start_s=np.tile(starts / 10.0, n_sessions),
        session_ids=tuple(f"s{seed}{i:02d}" for i in range(n_sessions) for _ in starts),
        channels=("a.x",),
        units=("g",),
    )
    tokens = Tokens(
        values=rng.normal(size=(n, 1, 4, 4)).astype(np.float32),
        mask=np.ones((n, 1, 4), dtype=bool),
        start_s=windows.start_s[:, None] + 0.8 * np.arange(4)[None],
        patch_s=0.8,
        channels=("a.x",),
        session_ids=windows.session_ids,
        window_start_s=windows.start_s,
        window_s=3.2,
        context=np.zeros((n, 1, 0), dtype=np.float32),
        context_names=(),
    )
    return make_forecast_batch(windows, tokens, horizon_s=1.0)


@pytest.fixture(autouse=True)
def linear_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare with the two linear fallbacks only: the others are tested by themselves."""
    from tool_use_om.heads.samples import base as raw

    monkeypatch.setattr(raw, "raw_names", lambda _task: ("rlinear", "dlinear"))


def _naive(season_s: float) -> Callable[[ForecastBatch], Any]:
    def refit(batch: ForecastBatch) -> Any:
        head: Any = make_head("seasonal_naive", season_s=season_s)
        return head.fit(batch, channels=["a.x"])

    return refit


def test_gate_escalates_when_the_head_cannot_follow() -> None:
    """Repeating the last value of a sine is clearly worse than a linear map: both are shown."""
    train, refit = _batch(0, 12), _naive(0.1)
    chosen, gate = gate_forecast.gated(
        refit(train), (train, _batch(1, 6)), 1.0, refit, Stopwatch(), seed=0
    )
    assert gate.escalated
    assert chosen.name == gate.answered_by != "seasonal_naive"
    assert gate.compared_on == "sessions"
    shown = {row["model"]: row["test"] for row in gate.to_json()["rows"] if "test" in row}
    assert shown[chosen.name] < shown["seasonal_naive"]


def test_gate_keeps_a_head_that_is_right() -> None:
    """A strict rhythm repeats itself exactly: nothing can be clearly better."""
    train, refit = _batch(0, 12, noise=0.0), _naive(1.0)
    chosen, gate = gate_forecast.gated(
        refit(train), (train, _batch(1, 6, noise=0.0)), 1.0, refit, Stopwatch(), seed=0
    )
    assert not gate.escalated
    assert chosen.name == "seasonal_naive"
    assert "seasonal_naive answers" in str(gate.why)


def test_gate_compares_stretches_of_a_single_session() -> None:
    """One long session gives stretches of time as groups, and says so."""
    windows = _batch(0, 1)
    groups, unit = window_groups(windows, gate_forecast.FEWEST_SESSIONS)
    assert unit == "stretches of consecutive windows"
    assert len(set(groups)) == 6
