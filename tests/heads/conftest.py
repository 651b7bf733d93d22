"""Made-up windows and tokens with known classes and rhythms, built without any encoder."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tool_use_om.heads.contract.base import AnomalyHead, ClassifierHead, Head, RetrievalHead
from tool_use_om.heads.forecast.base import ForecastHead
from tool_use_om.heads.forecast.batch import ForecastBatch, make_forecast_batch
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.windows import WindowBatch

CHANNELS = ("accelerometer.x", "accelerometer.y")
PATCH = 8


def _tokens(labels: Sequence[str], seed: int = 0, spread: float = 0.5) -> Tokens:
    """One window a label, four windows a session; a class shows in the first channel only."""
    rng = np.random.default_rng(seed)
    n, patches, width = len(labels), 5, 8
    centre = {name: i for i, name in enumerate(sorted(set(labels)))}
    values = rng.normal(0, spread, (n, len(CHANNELS), patches, width))
    for row, label in enumerate(labels):
        values[row, 0, :, centre[label] :: 3] += 3.0
    first = np.arange(n) % 4 * 2.0
    return Tokens(
        values=values.astype(np.float32),
        mask=np.ones((n, len(CHANNELS), patches), dtype=bool),
        start_s=first[:, None] + 0.8 * np.arange(patches)[None],
        patch_s=0.8,
        channels=CHANNELS,
        session_ids=tuple(f"s{seed}-{row // 4:03d}" for row in range(n)),
        window_start_s=first,
        window_s=4.0,
        context=rng.normal(0, 1, (n, len(CHANNELS), 2)).astype(np.float32),
        context_names=("mean", "std"),
    )


def _windows(signals: np.ndarray, length: int, stride: int, rate_hz: float = 10.0) -> WindowBatch:
    """Cut (sessions, C, n) signals, NaN = missing, into windows."""
    view = np.lib.stride_tricks.sliding_window_view(signals, length, axis=2)[:, :, ::stride]
    n_sessions, n_channels, n_windows, _ = view.shape
    values = view.transpose(0, 2, 1, 3).reshape(-1, n_channels, length)
    mask = np.isfinite(values)
    return WindowBatch(
        values=np.where(mask, values, 0).astype(np.float32),
        mask=mask,
        rate_hz=rate_hz,
        start_s=np.tile(np.arange(n_windows) * stride / rate_hz, n_sessions),
        session_ids=tuple(f"s{i:03d}" for i in range(n_sessions) for _ in range(n_windows)),
        channels=tuple(f"accelerometer.{c}" for c in "xyz"[:n_channels]),
        units=("g",) * n_channels,
    )


def _patch_tokens(windows: WindowBatch) -> Tokens:
    """Each patch's own normalised samples as its token: an encoder that hides nothing."""
    b, c, t = windows.values.shape
    values = windows.values.astype(np.float64)
    mean, std = values.mean(axis=2), values.std(axis=2) + 1e-9
    scaled = (values - mean[..., None]) / std[..., None]
    patches, skip = t // PATCH, t % PATCH
    starts = skip + PATCH * np.arange(patches)
    return Tokens(
        values=scaled[..., skip:].reshape(b, c, patches, PATCH).astype(np.float32),
        mask=np.ones((b, c, patches), dtype=bool),
        start_s=windows.start_s[:, None] + starts[None] / windows.rate_hz,
        patch_s=PATCH / windows.rate_hz,
        channels=windows.channels,
        session_ids=windows.session_ids,
        window_start_s=windows.start_s,
        window_s=windows.window_s,
        context=np.stack([mean, std], axis=2).astype(np.float32),
        context_names=("mean", "std"),
    )


def _sines(n_sessions: int = 8, seed: int = 0, noise: float = 0.1, n: int = 120) -> np.ndarray:
    """Sessions of 12 s at 10 Hz: two channels of 1.25 Hz with a random phase, around 5 and -2."""
    rng = np.random.default_rng(seed)
    time = np.arange(n) / 10.0
    phase = rng.uniform(0, 2 * np.pi, (n_sessions, 1))
    x = 5.0 + np.sin(2 * np.pi * 1.25 * time + phase)
    y = -2.0 + 3.0 * np.cos(2 * np.pi * 1.25 * time + phase)
    return np.stack([x, y], axis=1) + rng.normal(0, noise, (n_sessions, 2, n))


def _forecast_batch(seed: int = 0, horizon_s: float = 3.2, noise: float = 0.1) -> ForecastBatch:
    windows = _windows(_sines(seed=seed, noise=noise), length=40, stride=8)
    return make_forecast_batch(windows, _patch_tokens(windows), horizon_s=horizon_s)


@pytest.fixture
def naive() -> ModuleType:
    """The brute-force oracles of tests/naive.py."""
    path = Path(__file__).parents[1] / "naive.py"
    spec = importlib.util.spec_from_file_location("naive", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def make_tokens() -> Callable[..., Tokens]:
    return _tokens


@pytest.fixture
def make_windows() -> Callable[..., WindowBatch]:
    return _windows


@pytest.fixture
def patch_tokens() -> Callable[[WindowBatch], Tokens]:
    return _patch_tokens


@pytest.fixture
def make_sines() -> Callable[..., np.ndarray]:
    return _sines


@pytest.fixture
def make_batch() -> Callable[..., ForecastBatch]:
    return _forecast_batch


@pytest.fixture
def labels() -> list[str]:
    """Three classes, eight windows each, whole sessions of one class."""
    return [name for name in ("walking", "running", "standing") for _ in range(8)]


@pytest.fixture
def tokens(labels: list[str]) -> Tokens:
    return _tokens(labels)


@pytest.fixture
def more_tokens(labels: list[str]) -> Tokens:
    """Other windows of the same classes."""
    return _tokens(labels, seed=1)


class Exam:
    """How to fit any head and ask it for numbers, so that one suite can examine them all."""

    def __init__(self) -> None:
        self.labels = [name for name in ("walking", "running", "standing") for _ in range(8)]
        self.tokens, self.asked = _tokens(self.labels), _tokens(self.labels, seed=1)
        self.batch, self.asked_batch = _forecast_batch(), _forecast_batch(seed=1)

    def fit(self, head: Head) -> Head:
        if isinstance(head, ClassifierHead):
            return head.fit(self.tokens, self.labels)
        if isinstance(head, ForecastHead):
            return head.fit(self.batch, channels=["accelerometer.y"])
        assert isinstance(head, RetrievalHead | AnomalyHead)
        return head.fit(self.tokens)

    def ask(self, head: Head, rows: Sequence[int]) -> np.ndarray:
        """Return the head's numbers for each of `rows`, asked in one batch where it can be."""
        index = np.array(rows)
        if isinstance(head, ClassifierHead):
            return head.predict_proba(self.asked.select(index))
        if isinstance(head, ForecastHead):
            return head.predict(self.asked_batch.select(index), 2.0).quantiles
        if isinstance(head, AnomalyHead):
            return head.score(self.asked.select(index))
        assert isinstance(head, RetrievalHead)
        found = [head.query(self.asked.select(index[i : i + 1]), k=3) for i in range(len(index))]
        return np.array([[[n.start_s, n.distance] for n in row] for row in found])

    def inputs(self) -> list[Any]:
        """Every array a head is given."""
        arrays = []
        for tokens in (self.tokens, self.asked, self.batch.tokens, self.asked_batch.tokens):
            arrays += [tokens.values, tokens.mask, tokens.context, tokens.window_start_s]
        for batch in (self.batch, self.asked_batch):
            arrays += [batch.windows.values, batch.windows.mask, batch.future, batch.future_mask]
        return arrays


@pytest.fixture
def exam() -> Exam:
    return Exam()
