"""The inference form gives the module's numbers, alone or in company, within its memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tool_use_om.tokenizers.moment import fused
from tool_use_om.tokenizers.moment.fused import FastMoment, even_size
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig
from tool_use_om.tokenizers.registry import load_tokenizer
from tool_use_om.tokenizers.spec import Precision, TokenizerSpec
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.windows.windows import WindowBatch

MakeBatch = Callable[..., WindowBatch]
SMALL = MomentConfig(d_model=512, d_ff=1024, n_layers=8, n_heads=6)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def cosine(one: Tensor, other: Tensor) -> float:
    """Smallest cosine of two sets of tokens."""
    return float(torch.cosine_similarity(one, other, dim=-1).min())


@pytest.mark.parametrize("samples", [512, 301, 8])
def test_encode_equals_the_module(small_moment: Moment, samples: int) -> None:
    """Folded norms, the shortened first layer and the sigmoid gate change nothing but rounding."""
    x = noise(5, 3, samples)
    with torch.inference_mode():
        fast, plain = FastMoment(small_moment).encode(x), small_moment.encode(x)
    assert torch.allclose(fast, plain, atol=1e-5)


@pytest.mark.parametrize("windows", [3, 20])
def test_encode_equals_the_module_when_masked(small_moment: Moment, windows: int) -> None:
    """Few masks and many, gaps at the start, in the middle and everywhere."""
    x, mask = noise(windows, 2, 96), noise(windows, 2, 96, seed=1) > -2
    mask[0, 0, :50] = mask[1, 1] = False
    with torch.inference_mode():
        fast, plain = FastMoment(small_moment).encode(x, mask), small_moment.encode(x, mask)
    assert torch.allclose(fast, plain, atol=1e-5)


def test_encode_is_the_same_in_chunks_of_any_size(
    small_moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many series go through the layers together changes nothing but rounding."""
    x = noise(11, 2, 120)
    with torch.inference_mode():
        expected = FastMoment(small_moment).encode(x)
        for rows in (1, 40, 10_000):
            monkeypatch.setattr(fused, "ROWS", rows)
            assert torch.allclose(FastMoment(small_moment).encode(x), expected, atol=1e-5)


def test_encode_survives_huge_gates(small_moment: Moment) -> None:
    """Where the gate's cube overflows the tokens stay what the module gives, never NaN."""
    with torch.no_grad():
        small_moment.encoder.block[0].layer[1].DenseReluDense.wi_0.weight.mul_(1e16)
        small_moment.encoder.block[0].layer[1].DenseReluDense.wo.weight.mul_(1e-16)
    x = noise(2, 2, 64)
    with torch.inference_mode():
        fast, plain = FastMoment(small_moment).encode(x), small_moment.encode(x)
    assert bool(torch.isfinite(fast).all())
    assert torch.allclose(fast, plain, atol=1e-4)


def test_reconstruct_equals_the_module(small_moment: Moment) -> None:
    """Rebuilt windows are the module's."""
    x = noise(2, 2, 100)
    with torch.inference_mode():
        fast, plain = FastMoment(small_moment).reconstruct(x), small_moment.reconstruct(x)
    assert torch.allclose(fast, plain, atol=1e-5)


@pytest.mark.parametrize(("precision", "least"), [("bfloat16", 0.999), ("int8", 0.99)])
def test_encode_in_few_bits_is_close_at_the_small_shape(
    precision: Precision, least: float, shake: Callable[[Moment], Moment]
) -> None:
    """Every token of the small shape (two of its layers) keeps its direction."""
    model = shake(Moment(replace(SMALL, n_layers=2), seed=3)).eval()
    x = noise(1, 2, 128)
    with torch.inference_mode():
        assert cosine(FastMoment(model, precision).encode(x), model.encode(x)) >= least


@pytest.mark.slow
def test_encode_in_bfloat16_is_close_at_the_whole_small_shape(
    shake: Callable[[Moment], Moment],
) -> None:
    """All eight layers at both lengths of the benchmark keep 0.999 for every token."""
    model = shake(Moment(SMALL, seed=3)).eval()
    for samples in (512, 128):
        x = noise(1, 2, samples)
        with torch.inference_mode():
            assert cosine(FastMoment(model, "bfloat16").encode(x), model.encode(x)) >= 0.999


@pytest.mark.parametrize(("precision", "least"), [("bfloat16", 0.999), ("int8", 0.98)])
def test_encode_in_few_bits_is_close_for_the_shipped_weights(
    make_batch: MakeBatch, precision: Precision, least: float
) -> None:
    """Trained weights, too, keep every token's direction."""
    plain = load_tokenizer("moment-tiny", precision="float32")
    batch = make_batch(shape=(4, 3, 128))
    expected, got = plain.encode(batch), plain.at_precision(precision).encode(batch)
    assert cosine(torch.from_numpy(got.values), torch.from_numpy(expected.values)) >= least


def test_encode_in_int8_is_the_same_with_any_batch_mates(small_moment: Moment) -> None:
    """Activations are quantised series by series: a loud or gappy neighbour changes no bit."""
    fast = FastMoment(small_moment, "int8")
    x, mask = noise(12, 2, 128), noise(12, 2, 128, seed=2) > -1.9
    with torch.inference_mode():
        together = fast.encode(x, mask)
        alone = torch.cat([fast.encode(x[i : i + 1], mask[i : i + 1]) for i in range(12)])
    assert torch.equal(together, alone)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_encode_of_constants_and_gaps_is_finite_in_any_precision(
    small_spec: TokenizerSpec, small_moment: Moment, make_batch: MakeBatch, precision: Precision
) -> None:
    """Constant, missing and half-missing channels never give NaN; nothing wants a gradient."""
    values = np.zeros((2, 4, 64), np.float32)
    values[:, 0], values[:, 3] = 9.81, np.random.default_rng(0).normal(size=64)
    mask = np.ones(values.shape, dtype=bool)
    mask[:, 1] = mask[:, 3, 20:30] = False
    tokens = Tokenizer(small_spec, small_moment, precision=precision).encode(
        make_batch(values, mask)
    )
    assert np.isfinite(tokens.values).all()
    assert not tokens.mask[:, 1].any()
    assert not any(p.requires_grad for p in small_moment.parameters())
    assert not FastMoment(small_moment, precision).encode(noise(1, 1, 64)).requires_grad


@pytest.mark.parametrize("budget_mb", [2.0, 12.0])
def test_encode_stays_within_its_budget_when_measured(
    small_spec: TokenizerSpec, make_batch: MakeBatch, budget_mb: float
) -> None:
    """All that torch and numpy hold at the same time, beside weights and result, fits."""
    shape = MomentConfig(d_model=192, d_ff=384, n_layers=1, n_heads=6, d_kv=32)
    tokenizer = Tokenizer(replace(small_spec, d_model=192), Moment(shape), budget_mb=budget_mb)
    batch = make_batch(shape=(40, 6, 256))
    tokenizer.encode(batch.select([0]))  # packs the weights
    in_torch = torch_peak(lambda: tokenizer.encode(batch))
    tracemalloc.start()
    tokens = tokenizer.encode(batch)
    in_numpy = tracemalloc.get_traced_memory()[1] - tokens.values.nbytes
    tracemalloc.stop()
    assert in_torch > 1e5
    assert (in_torch + in_numpy) / 2**20 <= budget_mb


def torch_peak(work: Callable[[], object]) -> int:
    """Most bytes that torch held at once, from every allocation and release."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profiled:
        work()
    events = profiled.profiler.kineto_results.events()  # type: ignore[union-attr]  # set once it ran
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    return int(np.cumsum([change for _, change in changes]).max())


@pytest.mark.parametrize(("total", "at_most", "size"), [(33, 32, 17), (32, 32, 32), (0, 5, 5)])
def test_even_size_leaves_no_small_last_chunk(total: int, at_most: int, size: int) -> None:
    """By hand."""
    assert even_size(total, at_most) == size
