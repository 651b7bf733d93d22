"""A frozen tokenizer: tokens in their place, blind to unit, offset, batch and padding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import CONTEXT_NAMES, Tokenizer, standardized
from tool_use_om.tokenizers.tokens import Tokens, concatenate
from tool_use_om.tokenizers.windows.windows import WindowBatch

MakeBatch = Callable[..., WindowBatch]


def test_encode_places_tokens_in_seconds(tokenizer: Tokenizer, make_batch: MakeBatch) -> None:
    """By hand: 44 samples at 10 Hz from second 7. 44 = 4 + 5 * 8, so the patches start 0.4 s in."""
    batch = make_batch(shape=(1, 2, 44), rate_hz=10.0)
    batch.start_s[0] = 7.0
    tokens = tokenizer.encode(batch)
    assert tokens.patch_s == 0.8
    np.testing.assert_allclose(tokens.start_s, [[7.4, 8.2, 9.0, 9.8, 10.6]])
    assert tokens.end_s == pytest.approx([11.4])
    assert tokens.values.shape == (1, 2, 5, 32)
    assert tokens.mask.all()


def test_encode_ends_patches_where_a_short_window_ends(
    tokenizer: Tokenizer, make_batch: MakeBatch
) -> None:
    """By hand: 20 of 40 samples measured, 10 Hz: two patches, from 0.4 s to 2.0 s."""
    mask = np.zeros((1, 1, 40), dtype=bool)
    mask[..., :20] = True
    tokens = tokenizer.encode(make_batch(shape=(1, 1, 40), mask=mask, rate_hz=10.0))
    assert tokens.mask[0, 0].tolist() == [True, True, False, False, False]
    np.testing.assert_allclose(tokens.start_s[0, :2], [0.4, 1.2])
    assert tokens.end_s == pytest.approx([2.0])


@pytest.mark.parametrize("measured", [8, 31, 48])
def test_encode_does_not_depend_on_padding(
    tokenizer: Tokenizer, make_batch: MakeBatch, measured: int
) -> None:
    """However far a window is padded, its tokens are those of its samples alone."""
    values = np.random.default_rng(0).normal(size=(2, 2, measured)).astype(np.float32)
    alone = tokenizer.encode(make_batch(values))
    for length in (64, 200, 512):
        mask = np.zeros((2, 2, length), dtype=bool)
        mask[..., :measured] = True
        padded = np.zeros(mask.shape, np.float32)
        padded[..., :measured] = values
        tokens = tokenizer.encode(make_batch(padded, mask))
        k = alone.mask.shape[-1]
        np.testing.assert_allclose(tokens.values[:, :, :k], alone.values, atol=1e-6)
        np.testing.assert_allclose(tokens.start_s[:, :k], alone.start_s)
        assert not tokens.mask[:, :, k:].any()
        assert not tokens.values[:, :, k:].any()


@pytest.mark.parametrize(("scale", "shift"), [(1e-7, 0), (1e6, 0), (-1, 0), (2, 50), (1e-4, 1e-3)])
def test_encode_ignores_scale_and_shift(
    tokenizer: Tokenizer, make_batch: MakeBatch, scale: float, shift: float
) -> None:
    """Any unit and offset gives the same tokens; a negative scale those of the mirrored signal."""
    values = np.random.default_rng(0).normal(size=(2, 2, 96))
    sign = np.sign(scale)
    expected = tokenizer.encode(make_batch((sign * values).astype(np.float32)))
    got = tokenizer.encode(make_batch((scale * values + shift).astype(np.float32)))
    np.testing.assert_allclose(got.values, expected.values, atol=2e-4)


def test_encode_keeps_what_it_removes_as_context(
    tokenizer: Tokenizer, make_batch: MakeBatch
) -> None:
    """Mean, deviation and its logarithm are those of the measured samples, in channel units."""
    mask = np.ones((2, 2, 64), dtype=bool)
    mask[0, 1, 10:40] = False
    batch = make_batch(5 + 3 * np.random.default_rng(0).normal(size=(2, 2, 64)), mask)
    tokens = tokenizer.encode(batch)
    measured = batch.values[0, 1][mask[0, 1]]
    expected = [measured.mean(), measured.std(), np.log(measured.std())]
    np.testing.assert_allclose(tokens.context[0, 1], expected, rtol=1e-5)
    assert tokens.context_names == CONTEXT_NAMES


def test_encode_of_constant_and_missing_channels_is_finite(
    tokenizer: Tokenizer, make_batch: MakeBatch
) -> None:
    """A constant channel has finite tokens, all the same whatever its value; a missing one none."""
    values = np.zeros((2, 3, 64), np.float32)
    values[:, 0], values[0, 1], values[1, 1] = 9.81, 1e7, -1e-9
    mask = np.ones(values.shape, dtype=bool)
    mask[:, 2] = False
    tokens = tokenizer.encode(make_batch(values, mask))
    assert np.isfinite(tokens.values).all()
    assert np.isfinite(tokens.context).all()
    np.testing.assert_allclose(tokens.values[:, 0], tokens.values[:, 1], atol=1e-6)
    assert not tokens.mask[:, 2].any()
    assert not tokens.values[:, 2].any()


def test_encode_of_windows_with_nothing_in_them(
    tokenizer: Tokenizer, make_batch: MakeBatch
) -> None:
    """A window without a whole patch has no valid token and is not an error."""
    mask = np.zeros((2, 1, 64), dtype=bool)
    mask[1, 0, ::7] = True
    tokens = tokenizer.encode(make_batch(shape=(2, 1, 64), mask=mask))
    assert not tokens.mask.any()
    assert np.isfinite(tokens.values).all()
    assert tokens.end_s.tolist() == [0, 0]


def test_encode_is_the_same_at_any_budget_and_batch(
    small_spec: TokenizerSpec, small_moment: Moment, make_batch: MakeBatch
) -> None:
    """Batch size and batch-mates change nothing, gaps and short windows among them."""
    mask = np.random.default_rng(1).random((9, 3, 120)) > 0.02
    mask[4, :, 50:] = False
    batch = make_batch(shape=(9, 3, 120), mask=mask)
    at_once = Tokenizer(small_spec, small_moment, budget_mb=500).encode(batch)
    one_by_one = Tokenizer(small_spec, small_moment, budget_mb=1e-6).encode(batch)
    np.testing.assert_allclose(at_once.values, one_by_one.values, atol=1e-5)
    alone = Tokenizer(small_spec, small_moment).encode(batch.select([4]))
    np.testing.assert_allclose(at_once.values[4], alone.values[0], atol=1e-5)
    np.testing.assert_array_equal(at_once.mask, one_by_one.mask)


def test_encode_stays_within_its_budget(
    small_spec: TokenizerSpec, small_moment: Moment, make_batch: MakeBatch
) -> None:
    """No call to the encoder holds more series than the budget allows."""
    calls: list[int] = []

    class Counting(torch.nn.Module):
        def encode(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            calls.append(len(x))
            return small_moment.encode(x, mask)

    tokenizer = Tokenizer(small_spec, Counting(), budget_mb=0.06)
    tokenizer.encode(make_batch(shape=(20, 2, 64)))
    assert sum(calls) == 40
    assert max(calls) == 2  # 8 patches * (32 * 18 + 8 * 16) floats, 3/4 of 0.06 MiB


def test_encode_is_channel_permutation_equivariant(
    tokenizer: Tokenizer, make_batch: MakeBatch
) -> None:
    """Permuted channels have the permuted tokens."""
    values = np.random.default_rng(0).normal(size=(2, 4, 64)).astype(np.float32)
    order = [2, 0, 3, 1]
    np.testing.assert_allclose(
        tokenizer.encode(make_batch(values[:, order])).values,
        tokenizer.encode(make_batch(values)).values[:, order],
        atol=1e-6,
    )


def test_encode_leaves_weights_input_and_gradients_alone(
    tokenizer: Tokenizer, small_moment: Moment, make_batch: MakeBatch
) -> None:
    """Frozen means frozen: same hash, no gradient wanted, input unchanged, same answer again."""
    before = tokenizer.weights_hash
    batch = make_batch(shape=(2, 2, 64))
    values = batch.values.copy()
    first = tokenizer.encode(batch)
    np.testing.assert_array_equal(tokenizer.encode(batch).values, first.values)
    np.testing.assert_array_equal(batch.values, values)
    assert tokenizer.current_weights_hash() == before
    assert not any(p.requires_grad for p in small_moment.parameters())
    assert not small_moment.training


def test_encode_reports_progress(
    small_spec: TokenizerSpec, small_moment: Moment, make_batch: MakeBatch
) -> None:
    """Progress counts windows, never falls, and ends at all of them."""
    seen: list[dict] = []
    Tokenizer(small_spec, small_moment, budget_mb=0.05).encode(
        make_batch(shape=(7, 3, 64)), progress=seen.append
    )
    done = [s["done"] for s in seen]
    assert done == sorted(done)
    assert seen[-1] == {"phase": "encode", "done": 7, "total": 7, "unit": "windows"}


@pytest.mark.parametrize("samples", [7, 513])
def test_encode_refuses_windows_that_do_not_fit(
    tokenizer: Tokenizer, make_batch: MakeBatch, samples: int
) -> None:
    """Too short or too long is said in seconds, with what to change."""
    with pytest.raises(DataError, match=r"window_s must be 0.5 to 32 s at 16 Hz"):
        tokenizer.encode(make_batch(shape=(1, 1, samples)))


def test_reconstruct_is_in_channel_units(tokenizer: Tokenizer, make_batch: MakeBatch) -> None:
    """Rebuilt windows scale and shift with the signal and are NaN where nothing was encoded."""
    values = np.random.default_rng(0).normal(size=(2, 2, 60)).astype(np.float32)
    mask = np.ones(values.shape, dtype=bool)
    mask[0, 0, 40:45] = False
    plain = tokenizer.reconstruct(make_batch(values, mask))
    moved = tokenizer.reconstruct(make_batch(100 * values + 7, mask))
    np.testing.assert_allclose(moved, 100 * plain + 7, rtol=1e-3, atol=1e-2)
    missing = np.zeros(values.shape, dtype=bool)
    missing[..., :4] = True
    missing[0, 0, 36:52] = True
    np.testing.assert_array_equal(np.isnan(plain), missing)


def test_tokenizer_refuses_a_budget_of_nothing(
    small_spec: TokenizerSpec, small_moment: Moment
) -> None:
    """A budget must be above 0."""
    with pytest.raises(DataError, match="budget_mb"):
        Tokenizer(small_spec, small_moment, budget_mb=0)


def test_standardized_has_mean_0_and_deviation_1() -> None:
    """Over the valid samples of each channel, at any level."""
    values = 1e4 + 0.5 * np.random.default_rng(0).normal(size=(1, 1, 200))
    z, _ = standardized(values.astype(np.float32), np.ones(values.shape, dtype=bool))
    assert abs(z.mean()) < 1e-4
    assert z.std() == pytest.approx(1, abs=1e-4)


@pytest.fixture
def tokens() -> Tokens:
    """Two windows, two channels, three patches of one number each: 10 * channel + patch."""
    values = np.array([[[0.0, 1, 2], [10, 11, 12]]] * 2)[..., None]
    mask = np.ones((2, 2, 3), dtype=bool)
    mask[1, 0, 2] = mask[1, 1] = False
    return Tokens(
        values=np.where(mask[..., None], values, 0).astype(np.float32),
        mask=mask,
        start_s=np.array([[0.0, 1, 2], [5, 6, 7]]),
        patch_s=1.0,
        channels=("m.x", "m.y"),
        session_ids=("a", "b"),
        window_start_s=np.array([0.0, 5]),
        window_s=3.0,
        context=np.arange(8, dtype=np.float32).reshape(2, 2, 2),
        context_names=("mean", "std"),
    )


def test_pooled_by_hand(tokens: Tokens) -> None:
    """Each way of pooling takes valid patches only; a channel without any is 0."""
    assert tokens.pooled().tolist() == [[6], [0.5]]
    assert tokens.pooled("channels").tolist() == [[1, 11], [0.5, 0]]
    assert tokens.pooled("last").tolist() == [[2, 12], [1, 0]]
    assert tokens.pooled("last", context=True).tolist() == [
        [2, 12, 0, 1, 2, 3],
        [1, 0, 4, 5, 6, 7],
    ]
    assert tokens.fused()[..., 0].tolist() == [[5, 6, 7], [0, 1, 0]]
    assert tokens.fused_mask.tolist() == [[True] * 3, [True, True, False]]
    assert tokens.end_s.tolist() == [3, 7]


def test_pooled_names_its_modes(tokens: Tokens) -> None:
    """An unknown mode lists the valid ones."""
    with pytest.raises(NotFoundError, match="channels, last, mean"):
        tokens.pooled("sum")  # type: ignore[arg-type]  # the wrong mode is the point


def test_select_and_without_channels_keep_what_they_name(tokens: Tokens) -> None:
    """Selections keep order and partners; joining the parts gives the whole."""
    swapped = tokens.select([1, 0])
    assert swapped.session_ids == ("b", "a")
    assert swapped.window_start_s.tolist() == [5, 0]
    assert tokens.select(np.array([False, True])).context[0, 0, 0] == 4
    assert len(tokens.select([])) == 0
    one = tokens.without_channels(["m.x"])
    assert one.channels == ("m.y",)
    assert one.pooled("channels", context=True).tolist() == [[11, 2, 3], [0, 6, 7]]
    joined = concatenate([tokens.select([0]), tokens.select([1])])
    np.testing.assert_array_equal(joined.values, tokens.values)
    assert joined.session_ids == tokens.session_ids


def test_tokens_refuse_what_does_not_fit(tokens: Tokens) -> None:
    """Dropping all channels, an unknown one, or joining unlike parts is refused."""
    with pytest.raises(DataError, match="At least one channel"):
        tokens.without_channels(["m.x", "m.y"])
    with pytest.raises(NotFoundError, match=r"m\.x"):
        tokens.without_channels(["m.q"])
    with pytest.raises(DataError, match="same channels"):
        concatenate([tokens, tokens.without_channels(["m.x"])])
    with pytest.raises(DataError, match="at least one part"):
        concatenate([])
    with pytest.raises(DataError, match=r"Tokens\.mask must have shape \(2, 2, 3\)"):
        Tokens(**{**vars(tokens), "mask": tokens.mask[:1]})
