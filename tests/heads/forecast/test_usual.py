"""Sessions of other sizes have a usual scale each; those of one scale share it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tool_use_om.heads.forecast.batch import ForecastBatch, make_forecast_batch
from tool_use_om.heads.forecast.usual import Usual
from tool_use_om.heads.registry import make_head
from tool_use_om.heads.samples.head import sample_head
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.windows import WindowBatch

SIZES = (1.0, 30.0, 1e3, 3e4, 1e6)
LENGTH, STRIDE, N = 32, 8, 192


def batch(sizes: tuple[float, ...], seed: int = 0) -> ForecastBatch:
    """A session a size: a level and a season in proportion to it, cut into windows."""
    rng = np.random.default_rng(seed)
    time = np.arange(N)
    rows = []
    for i, size in enumerate(sizes):
        wave = 5.0 + np.sin(2 * np.pi * time / 16 + i) + 0.05 * rng.normal(size=N)
        rows.append(size * wave)
    view = np.lib.stride_tricks.sliding_window_view(np.stack(rows), LENGTH, axis=1)[:, ::STRIDE]
    n_windows = view.shape[1]
    values = view.reshape(-1, 1, LENGTH).astype(np.float32)
    windows = WindowBatch(
        values=values,
        mask=np.ones(values.shape, dtype=bool),
        rate_hz=1.0,
        start_s=np.tile(np.arange(n_windows) * float(STRIDE), len(sizes)),
        session_ids=tuple(f"s{i}" for i in range(len(sizes)) for _ in range(n_windows)),
        channels=("sold.value",),
        units=("1",),
    )
    n = len(values)
    tokens = Tokens(
        values=rng.normal(size=(n, 1, 4, 3)).astype(np.float32),
        mask=np.ones((n, 1, 4), dtype=bool),
        start_s=windows.start_s[:, None] + 8.0 * np.arange(4),
        patch_s=8.0,
        channels=windows.channels,
        session_ids=windows.session_ids,
        window_start_s=windows.start_s,
        window_s=float(LENGTH),
        context=np.zeros((n, 1, 0), dtype=np.float32),
        context_names=(),
    )
    return make_forecast_batch(windows, tokens, horizon_s=8.0)


def test_sessions_of_other_sizes_have_their_own_scale() -> None:
    """Each session's own mean and deviation; one not seen gets a small one, not that of all."""
    windows = batch(SIZES).windows
    usual = Usual.of(windows, [0])
    rows = usual.rows(["s0", "s4", "stranger"])
    assert rows[0, 0, 0] == pytest.approx(5.0, rel=0.05)
    assert rows[0, 1, 0] == pytest.approx(np.sqrt(0.5), rel=0.1)
    assert rows[1, 1, 0] == pytest.approx(1e6 * np.sqrt(0.5), rel=0.1)
    assert rows[2, 1, 0] < 30.0


def test_sessions_of_one_scale_share_it() -> None:
    """Where levels lie as close as a session moves, what is usual is so for all."""
    windows = batch((1.0, 1.1, 0.9, 1.05)).windows
    usual = Usual.of(windows, [0])
    assert len(usual.sessions) == 0
    rows = usual.rows(["s0", "stranger"])
    np.testing.assert_array_equal(rows[0], rows[1])
    assert rows[0, 1, 0] == pytest.approx(windows.values.std(), rel=1e-3)


@pytest.mark.parametrize("name", ["direct", "rlinear"])
def test_a_small_session_is_forecast_as_well_as_a_large_one(name: str) -> None:
    """The season goes on in each session at its own size, and so do the ends of the interval."""
    asked: Any = batch(SIZES)
    head = make_head(name) if name == "direct" else sample_head(name)
    head.fit(asked, channels=asked.windows.channels)  # type: ignore[attr-defined]
    said = head.predict(asked, 8.0)  # type: ignore[attr-defined]
    truth = asked.truth(asked.windows.channels, 8)
    size = np.repeat(SIZES, len(truth) // len(SIZES))[:, None, None]
    error = np.abs(said.median - truth) / size
    assert np.isfinite(error).any()
    assert np.nanmax(error) < 0.5
    width = (said.at(0.9) - said.at(0.1)) / size
    assert width.max() < 1.0
