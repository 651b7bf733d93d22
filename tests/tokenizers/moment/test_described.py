"""The laws of an encoder that reads each patch described: shape, scale, steps, statistics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.moment import load as moment_loader
from tool_use_om.tokenizers.moment.checkpoint import load_moment, save_moment, weights_hash
from tool_use_om.tokenizers.moment.described import described
from tool_use_om.tokenizers.moment.fused import FastMoment
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.windows.windows import WindowBatch


@pytest.fixture
def shape(small_config: MomentConfig) -> MomentConfig:
    """The small shape with patches of 16, described."""
    return replace(small_config, patch_len=16, inputs="described")


@pytest.fixture
def model(shape: MomentConfig, shake: Callable[[Moment], Moment]) -> Moment:
    """Random weights away from their neutral start."""
    return shake(Moment(shape, seed=1)).eval()


def noise(*size: int, seed: int = 0) -> Tensor:
    """Gaussian noise that the seed alone decides."""
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def test_described_is_what_it_says() -> None:
    """Values, shape in its own scale, steps in the window's, mean and three logarithms."""
    patches, seen = noise(2, 5, 16).double(), torch.ones(2, 5, dtype=torch.bool)
    got = described(patches, seen).numpy()
    x = patches.numpy()
    mean, std = x.mean(-1), x.std(-1)
    steps = np.diff(x, axis=-1, prepend=x[..., :1])
    whole = np.sqrt((steps**2).mean((1, 2))) + 1e-3
    assert got.shape == (2, 5, 3 * 16 + 4)
    np.testing.assert_allclose(got[..., :16], x)
    np.testing.assert_allclose(got[..., 16:32], (x - mean[..., None]) / (std[..., None] + 0.05))
    np.testing.assert_allclose(got[..., 32:48], steps / whole[:, None, None])
    np.testing.assert_allclose(got[..., 48], mean)
    np.testing.assert_allclose(got[..., 49], np.log(std + 0.05))
    share = np.sqrt((steps**2).mean(-1)) / whole[:, None]
    np.testing.assert_allclose(got[..., 50], np.log(share + 0.05))
    np.testing.assert_allclose(got[..., 51], np.log(whole)[:, None].repeat(5, 1) / 2)


@pytest.mark.parametrize("samples", [512, 301, 128, 16])
def test_encode_gives_a_token_a_patch(model: Moment, samples: int) -> None:
    """(B, C, T) becomes (B, C, T // patch_len, D), finite."""
    tokens = model.encode(noise(2, 3, samples))
    assert tokens.shape == (2, 3, samples // 16, 32)
    assert torch.isfinite(tokens).all()


def test_encode_ignores_what_is_masked(model: Moment) -> None:
    """Whatever stands behind the mask, not even the steps of the window change."""
    x, mask = noise(2, 2, 128), torch.ones(2, 2, 128, dtype=torch.bool)
    mask[0, 1, 40:70] = mask[1, :, 90:] = False
    other = torch.where(mask, x, 1e4 * noise(2, 2, 128, seed=1))
    torch.testing.assert_close(model.encode(x, mask), model.encode(other, mask))


def test_encode_is_that_of_the_window_without_its_padding(model: Moment) -> None:
    """Masked samples before a window leave its tokens as they are alone."""
    x = noise(1, 1, 96)
    padded = torch.cat([torch.full((1, 1, 64), torch.nan), x], dim=-1)
    torch.testing.assert_close(model.encode(padded)[:, :, 4:], model.encode(x))


@pytest.mark.parametrize("value", [0.0, 1e6, -3e-7])
def test_encode_of_a_constant_is_finite(model: Moment, value: float) -> None:
    """A window without any deviation has tokens, and they are finite."""
    assert torch.isfinite(model.encode(torch.full((1, 1, 128), value))).all()


def test_encode_is_the_same_for_any_unit(model: Moment) -> None:
    """Scale and offset are removed before a patch is described."""
    x = noise(2, 1, 128)
    torch.testing.assert_close(model.encode(x), model.encode(40 * x + 7), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("masked", [False, True])
def test_packed_weights_give_the_same_tokens(model: Moment, masked: bool) -> None:
    """The inference form reads the same descriptions."""
    x, mask = noise(3, 2, 128), torch.ones(3, 2, 128, dtype=torch.bool)
    if masked:
        mask[0, 1, 40:70] = mask[2, :, 90:] = False
    with torch.inference_mode():
        fast, plain = FastMoment(model).encode(x, mask), model.encode(x, mask)
    torch.testing.assert_close(fast, plain, atol=1e-4, rtol=1e-4)


def test_reconstruct_cannot_see_hidden_patches(model: Moment) -> None:
    """What is rebuilt does not change with the values that were hidden."""
    x, hidden = noise(1, 1, 128), torch.zeros(1, 8, dtype=torch.bool)
    hidden[0, 3] = True
    other = x.clone()
    other[..., 48:64] = 50.0
    torch.testing.assert_close(
        model.reconstruct(x, patch_mask=hidden), model.reconstruct(other, patch_mask=hidden)
    )


def test_checkpoint_keeps_what_patches_are_read_as(model: Moment, tmp_path: Path) -> None:
    """Saved and loaded: the same configuration, weights and tokens."""
    save_moment(model, tmp_path)
    loaded = load_moment(tmp_path)
    assert loaded.config == model.config
    assert weights_hash(loaded) == weights_hash(model)
    assert torch.equal(loaded.encode(noise(1, 1, 64)), model.encode(noise(1, 1, 64)))


def test_config_of_plain_patches_is_momentfms(small_config: MomentConfig) -> None:
    """Only an encoder that reads more than values says so in its configuration."""
    assert "patch_inputs" not in small_config.to_json()


def test_config_refuses_an_unknown_reading(shape: MomentConfig) -> None:
    """A file that asks for inputs which do not exist is refused, not read as another."""
    with pytest.raises(DataError, match="patch_inputs"):
        MomentConfig.from_json(shape.to_json() | {"patch_inputs": "wavelets"})


def test_momentfm_is_refused_for_described_patches(
    model: Moment, small_spec: TokenizerSpec, tmp_path: Path
) -> None:
    """The reference implementation reads values alone, and the error says so."""
    save_moment(model, tmp_path)
    spec = replace(small_spec, patch_len=16)
    with pytest.raises(DataError, match="backend='own'"):
        moment_loader.load(spec, tmp_path, backend="momentfm")


def test_tokenizer_is_frozen_and_repeats_itself(
    model: Moment, small_spec: TokenizerSpec, make_batch: Callable[..., WindowBatch]
) -> None:
    """The same windows give the same tokens, and encoding never changes the weights."""
    tokenizer = Tokenizer(replace(small_spec, patch_len=16), model)
    before = tokenizer.current_weights_hash()
    batch = make_batch(shape=(4, 2, 100))
    first, second = tokenizer.encode(batch), tokenizer.encode(batch)
    assert np.array_equal(first.values, second.values)
    assert first.values.shape == (4, 2, 6, 32)
    assert tokenizer.current_weights_hash() == before
