"""The laws of a second resolution beside the first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError

from tool_use_om.tokenizers.encode.encode import encode_windows
from tool_use_om.tokenizers.encode.resolutions import encode_resolutions, stretched
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.windows.config import TokenizerConfig
from tool_use_om.tokenizers.windows.windows import WindowBatch

MakeBatch = Callable[..., WindowBatch]


def noise(*shape: int) -> np.ndarray:
    """Seeded standard normal windows."""
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_encode_resolutions_lays_both_on_the_finer_grid(
    tokenizer: Tokenizer, make_batch: MakeBatch
) -> None:
    """The second half of D is the stretched window's tokens, the first its own, each repeated."""
    context, d = tokenizer.spec.native_context, tokenizer.spec.d_model
    batch = make_batch(noise(3, 2, context // 4))
    tokens = encode_resolutions(tokenizer, batch)
    own, fine = tokenizer.encode(batch), tokenizer.encode(stretched(batch, context))
    assert tokens.mask.all()
    np.testing.assert_allclose(tokens.values[..., d:], fine.values, atol=1e-6)
    np.testing.assert_allclose(tokens.values[..., :d], own.values.repeat(4, axis=2), atol=1e-5)
    np.testing.assert_allclose(tokens.start_s, fine.start_s)
    np.testing.assert_array_equal(tokens.context, own.context)


def test_encode_resolutions_needs_no_second_pass_when_the_window_fills_the_context(
    tokenizer: Tokenizer, make_batch: MakeBatch
) -> None:
    """A window as long as the context has its own tokens twice."""
    batch = make_batch(noise(2, 1, tokenizer.spec.native_context))
    tokens, own = encode_resolutions(tokenizer, batch), tokenizer.encode(batch)
    np.testing.assert_array_equal(tokens.values, np.concatenate([own.values] * 2, axis=-1))


def test_encode_resolutions_leaves_out_gaps(tokenizer: Tokenizer, make_batch: MakeBatch) -> None:
    """A patch near a gap is masked and zero, and what lies in the gap changes nothing."""
    values = noise(1, 1, tokenizer.spec.native_context // 2)
    mask = np.ones(values.shape, dtype=bool)
    mask[..., 20:30] = False
    tokens = encode_resolutions(tokenizer, make_batch(values, mask))
    other = np.where(mask, values, 1e6)
    again = encode_resolutions(tokenizer, make_batch(other, mask))
    assert tokens.mask.any()
    assert not tokens.mask.all()
    assert not tokens.values[~tokens.mask].any()
    np.testing.assert_array_equal(tokens.values, again.values)


@pytest.mark.parametrize(("length", "samples"), [(24, 512), (100, 256), (64, 64), (128, 64)])
def test_stretched_is_linear_interpolation_between_sample_centres(
    length: int, samples: int, make_batch: MakeBatch
) -> None:
    """Each sample is numpy's interpolation at its centre; the seconds stay the same."""
    batch = make_batch(noise(2, 1, length))
    got = stretched(batch, samples)
    at = (np.arange(samples) + 0.5) * length / samples - 0.5
    want = [np.interp(at, np.arange(length), row) for row in batch.values[:, 0]]
    np.testing.assert_allclose(got.values[:, 0], want, atol=1e-5)
    assert got.window_s == pytest.approx(batch.window_s)
    assert got.mask.all()


def test_config_resolutions_reach_the_tokens(
    tokenizer: Tokenizer, make_dataset: Callable, even: Callable
) -> None:
    """`resolutions=2` doubles D of the same windows."""
    data = make_dataset({"a": {"accelerometer": even(16.0, 8.0, channels=2)}})
    plain, both = (
        encode_windows(tokenizer, data, ["a"], "all", TokenizerConfig(window_s=2, resolutions=n))
        for n in (None, 2)
    )
    assert both.values.shape[-1] == 2 * plain.values.shape[-1]
    np.testing.assert_array_equal(both.window_start_s, plain.window_start_s)


@pytest.mark.parametrize(
    "other", [{"super_s": 1}, {"patch_stride_s": 0.5}, {"fusion": "per_modality"}]
)
def test_config_refuses_resolutions_beside_other_grids(other: dict[str, object]) -> None:
    """Two resolutions go with one rate, whole patches and no super-patches."""
    with pytest.raises(ValidationError, match="resolutions"):
        TokenizerConfig(window_s=4, resolutions=2, **other)
