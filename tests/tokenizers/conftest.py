"""Small encoders and small data sets: seconds, not minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.windows.windows import WindowBatch

MakeDataset = Callable[..., DataSet]
Signals = dict[str, tuple[np.ndarray, np.ndarray]]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def small_moment(small_config: MomentConfig) -> Moment:
    """Random weights, with every learned number away from its neutral value."""
    return shaken(Moment(small_config, seed=1)).eval()


@pytest.fixture(scope="session")
def shake() -> Callable[[Moment], Moment]:
    return shaken


def shaken(model: Moment, seed: int = 7) -> Moment:
    """Move norms, biases and the mask vector off their neutral start, so that errors show."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
            if "relative_attention_bias" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model


@pytest.fixture
def small_spec(small_config: MomentConfig, small_moment: Moment) -> TokenizerSpec:
    return TokenizerSpec(
        name="small",
        family="moment",
        parameters=sum(p.numel() for p in small_moment.parameters()),
        patch_len=small_config.patch_len,
        d_model=small_config.d_model,
        native_context=small_config.seq_len,
        channels="independent",
        licence="none",
        weights="package:none",
        revision=None,
        size_mb=0.1,
        good_at="tests",
        bad_at="anything else",
    )


@pytest.fixture
def tokenizer(small_spec: TokenizerSpec, small_moment: Moment) -> Tokenizer:
    return Tokenizer(small_spec, small_moment)


@pytest.fixture(scope="session")
def even() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Time (n,) and noise (n, channels) of an evenly sampled modality."""

    def noise(rate_hz: float, duration_s: float, channels: int = 1, seed: int = 0) -> tuple:
        n = round(rate_hz * duration_s)
        values = np.random.default_rng(seed).normal(size=(n, channels))
        return np.arange(n) / rate_hz, values.astype(np.float32)

    return noise


@pytest.fixture
def make_batch() -> Callable[..., WindowBatch]:
    """Windows of noise, all measured unless a mask is given; one session a window."""

    def make(
        values: np.ndarray | None = None,
        mask: np.ndarray | None = None,
        *,
        shape: tuple[int, int, int] = (3, 2, 64),
        rate_hz: float = 16.0,
        seed: int = 0,
    ) -> WindowBatch:
        if values is None:
            values = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
        mask = np.ones(values.shape, dtype=bool) if mask is None else mask
        return WindowBatch(
            values=np.where(mask, values, 0).astype(np.float32),
            mask=mask,
            rate_hz=rate_hz,
            start_s=np.zeros(len(values)),
            session_ids=tuple(f"s{i}" for i in range(len(values))),
            channels=tuple(f"accelerometer.c{i}" for i in range(values.shape[1])),
            units=("m/s^2",) * values.shape[1],
        )

    return make


@pytest.fixture
def make_dataset(tmp_path: Path) -> MakeDataset:
    """Write sessions {id: {modality: (time_s, values)}}; modalities {name: (rate, channels)}."""

    def make(
        sessions: dict[str, Signals],
        modalities: dict[str, tuple[float, tuple[str, ...]]] | None = None,
        name: str = "made-up",
    ) -> DataSet:
        shapes = modalities or {"accelerometer": (16.0, ("x", "y"))}
        parts = [
            Modality(
                name=m,
                rate_hz=rate,
                channels=tuple(Channel(name=c, unit="m/s^2") for c in channels),
            )
            for m, (rate, channels) in shapes.items()
        ]
        writer = DataSetWriter(
            tmp_path / name,
            name=name,
            title="Made up",
            synthetic=True,
            licence="none",
            source="a test",
            modalities=parts,
            split_rule="all train",
            debug=False,
        )
        with writer:
            for session_id, signals in sessions.items():
                writer.add_session(session_id, subject_id="s1", split="train", signals=signals)
        return DataSet.open(tmp_path / name)

    return make
