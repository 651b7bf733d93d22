"""The laws of the window summary that the mean token is asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tool_use_om.tokenizers.pretrain.corpus import Corpus
from tool_use_om.tokenizers.pretrain.loss import (
    LAGS,
    N_ACTIVITY,
    N_BANDS,
    N_SEGMENT,
    N_SEGMENTS,
    N_SHAPE,
    N_SUMMARY,
    summarize,
    summarize_segments,
)

BANDS = slice(N_SHAPE + N_ACTIVITY, N_SHAPE + N_ACTIVITY + N_BANDS)
AUTOCORRELATION = slice(BANDS.stop, BANDS.stop + len(LAGS))


@pytest.mark.parametrize("length", [64, 96, 512])
def test_summarize_is_finite_and_of_unit_scale(length: int) -> None:
    """Targets of corpus windows are finite and small enough for one loss."""
    x = torch.from_numpy(Corpus(lengths=(length,), batch_samples=16_384).batch(0)[0])
    summary = summarize(x)
    assert summary.shape == (len(x), N_SUMMARY)
    assert torch.isfinite(summary).all()
    assert summary.std(0).max() < 3


def test_summarize_is_finite_when_the_window_is_constant() -> None:
    """A window without any change has a finite summary."""
    assert torch.isfinite(summarize(torch.full((2, 64), 3.0))).all()


def test_summarize_ignores_level_and_scale() -> None:
    """Shifting and scaling a window leaves its summary unchanged, as RevIN does its tokens."""
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 128)).astype(np.float32))
    assert torch.allclose(summarize(x), summarize(5 * x - 7), atol=1e-3)


def test_summarize_autocorrelation_matches_its_definition() -> None:
    """The autocorrelation is the mean product of the scaled window with itself, shifted."""
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 100)).astype(np.float32))
    z = (x[0] - x[0].mean()) / x[0].std()
    naive = [float((z[lag:] * z[:-lag]).sum() / 100) for lag in LAGS]
    assert summarize(x)[0, AUTOCORRELATION].tolist() == pytest.approx(naive, abs=1e-3)


def test_summarize_finds_the_band_of_a_tone() -> None:
    """A faster tone has its strongest band higher."""
    t = torch.arange(256.0)
    tones = torch.stack([torch.sin(2 * torch.pi * f * t) for f in (0.02, 0.1, 0.4)])
    strongest = summarize(tones)[:, BANDS].argmax(1)
    assert strongest.tolist() == sorted(set(strongest.tolist()))


def test_summarize_segments_describes_each_quarter() -> None:
    """Only the quarter that holds a burst has its spread and its highest value."""
    x = torch.zeros(1, 64)
    x[0, 20:24] = torch.tensor([1.0, -1.0, 1.0, -1.0])
    quarters = summarize_segments(x)
    assert quarters.shape == (1, N_SEGMENTS, N_SEGMENT)
    assert torch.isfinite(quarters).all()
    assert (
        quarters[0, :, 4].argmax() == quarters[0, :, 5].argmax() == quarters[0, :, 7].argmax() == 1
    )
    assert torch.equal(quarters[0, 2], quarters[0, 3])
