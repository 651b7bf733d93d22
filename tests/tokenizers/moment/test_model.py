"""Our encoder gives momentfm's numbers, and does what momentfm does not: masks, short windows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig
from tool_use_om.tokenizers.moment.reference import MomentfmEncoder

PUBLISHED = {
    "small": MomentConfig(d_model=512, d_ff=1024, n_layers=8, n_heads=6),
    "base": MomentConfig(d_model=768, d_ff=2048, n_layers=12, n_heads=12),
    "large": MomentConfig(d_model=1024, d_ff=2816, n_layers=24, n_heads=16),
}
PUBLISHED_PARAMETERS = {"small": 37_901_512, "base": 113_481_608, "large": 346_368_520}
TOLERANCE = 1e-4
Shake = Callable[[Moment], Moment]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def reference_of(model: Moment) -> MomentfmEncoder:
    pytest.importorskip("momentfm")
    return MomentfmEncoder(model).eval()


def worst(model: Moment, reference: MomentfmEncoder, x: Tensor, mask: Tensor | None) -> float:
    """Largest difference over the valid tokens."""
    with torch.inference_mode():
        ours, theirs = model.encode(x, mask), reference.encode(x, mask)
    mask = torch.ones(x.shape[0], x.shape[2], dtype=torch.bool) if mask is None else mask
    valid = model.patch_mask(mask)[:, None].expand(ours.shape[:3])
    return float((ours - theirs)[valid].abs().max())


@pytest.fixture(scope="module")
def small(shake: Shake) -> tuple[Moment, MomentfmEncoder]:
    """The published small shape at random weights, ours and momentfm's."""
    model = shake(Moment(PUBLISHED["small"], seed=3)).eval()
    return model, reference_of(model)


@pytest.mark.parametrize("samples", [512, 504, 301, 128, 16, 8])
def test_encode_equals_momentfm_at_length(
    small: tuple[Moment, MomentfmEncoder], samples: int
) -> None:
    """At the small shape all valid tokens equal momentfm's, whose window is padded to 512."""
    assert worst(*small, noise(2, 2, samples), None) <= TOLERANCE


def test_encode_equals_momentfm_when_masked(small: tuple[Moment, MomentfmEncoder]) -> None:
    """Padding on either side, gaps and half-missing patches leave the valid tokens equal."""
    mask = torch.ones(3, 512, dtype=torch.bool)
    mask[0, :203] = False
    mask[1, 300:] = False
    mask[2, 77:150] = False
    assert worst(*small, noise(3, 2, 512), mask) <= TOLERANCE


@pytest.mark.parametrize("name", ["base", "large"])
def test_encode_equals_momentfm_at_published_widths(name: str, shake: Shake) -> None:
    """Base and large agree too; here with two of their layers, see the slow test for all."""
    c = PUBLISHED[name]
    short = MomentConfig(d_model=c.d_model, d_ff=c.d_ff, n_layers=2, n_heads=c.n_heads)
    model = shake(Moment(short, seed=3)).eval()
    assert worst(model, reference_of(model), noise(1, 2, 200), None) <= TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["base", "large"])
def test_encode_equals_momentfm_at_published_shapes(name: str, shake: Shake) -> None:
    """The full published shapes of base and large agree at full and at short length."""
    model = shake(Moment(PUBLISHED[name], seed=3)).eval()
    reference = reference_of(model)
    for samples in (512, 128):
        assert worst(model, reference, noise(1, 1, samples), None) <= TOLERANCE


@pytest.mark.parametrize("name", ["small", "base", "large"])
def test_parameters_are_those_published(name: str) -> None:
    """With momentfm's text vocabulary and position vectors the counts are the hub's."""
    c = PUBLISHED[name]
    attention = 4 * c.d_model * c.n_heads * c.d_kv
    layer = attention + 3 * c.d_model * c.d_ff + 2 * c.d_model
    ends = c.d_model * (c.patch_len + 1) + c.d_model + c.patch_len * (c.d_model + 1)
    own = c.n_layers * layer + ends + 32 * c.n_heads
    assert own + (32_128 + 5_000) * c.d_model == PUBLISHED_PARAMETERS[name]
    if name == "small":
        assert sum(p.numel() for p in Moment(c).parameters()) == own


def test_reconstruct_equals_momentfm_when_patches_are_hidden(
    small: tuple[Moment, MomentfmEncoder],
) -> None:
    """Masked reconstruction equals momentfm's: same statistics, same mask vector, same head."""
    model, reference = small
    x, hidden = noise(2, 2, 512), noise(2, 64, seed=1) > 0.5
    mask = torch.ones(2, 512, dtype=torch.bool)
    mask[0, :64] = False
    with torch.inference_mode():
        ours = model.reconstruct(x, mask, hidden)
        theirs = reference.pipeline.reconstruction(
            x_enc=x,
            input_mask=mask.float(),
            mask=(~hidden).float().repeat_interleave(8, dim=-1),
        ).reconstruction
    valid = model.patch_mask(mask).repeat_interleave(8, dim=-1)[:, None].expand_as(ours)
    assert float((ours - theirs)[valid].abs().max()) <= TOLERANCE


def test_encode_is_the_same_with_any_batch_mates(small_moment: Moment) -> None:
    """A window's tokens do not depend on what else is in the batch, masks of all kinds included."""
    x = noise(12, 2, 128)
    mask = noise(12, 2, 128, seed=2) > -1.9
    together = small_moment.encode(x, mask)
    alone = torch.cat([small_moment.encode(x[i : i + 1], mask[i : i + 1]) for i in range(12)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_encode_of_many_masks_equals_each_densely(small_moment: Moment) -> None:
    """The masked pass for many different masks gives what dense passes give."""
    x = noise(20, 1, 80)
    mask = torch.ones(20, 1, 80, dtype=torch.bool)
    for row in range(20):
        mask[row, 0, 4 * row] = False
    dense = torch.cat([small_moment.encode(x[i : i + 1], mask[i : i + 1]) for i in range(20)])
    assert torch.allclose(small_moment.encode(x, mask), dense, atol=1e-5)


def test_encode_is_channel_permutation_equivariant(small_moment: Moment) -> None:
    """Channels are independent: permuting them permutes their tokens."""
    x, order = noise(2, 5, 96), torch.tensor([3, 0, 4, 1, 2])
    permuted = small_moment.encode(x[:, order])
    assert torch.allclose(permuted, small_moment.encode(x)[:, order], atol=1e-6)


def test_encode_ignores_what_is_masked(small_moment: Moment) -> None:
    """Values under the mask change nothing, whatever they are."""
    x, mask = noise(2, 2, 96), noise(2, 96, seed=1) > -1.5
    spoilt = torch.where(mask[:, None], x, torch.tensor(float("nan")))
    wild = torch.where(mask[:, None], x, torch.tensor(1e30))
    clean = small_moment.encode(x, mask)
    assert torch.equal(small_moment.encode(spoilt, mask), clean)
    assert torch.equal(small_moment.encode(wild, mask), clean)


def test_encode_is_zero_where_the_patch_is_not_whole(small_moment: Moment) -> None:
    """One missing sample takes its patch out, and only that patch."""
    x = noise(1, 1, 64)
    x[0, 0, 19] = float("nan")
    tokens = small_moment.encode(x)[0, 0].abs().sum(-1)
    assert (tokens == 0).tolist() == [False, False, True] + [False] * 5


@pytest.mark.parametrize("value", [0.0, 1e6, -3e-7])
def test_encode_of_a_constant_is_finite(small_moment: Moment, value: float) -> None:
    """A constant channel has finite tokens, and nothing of it leaks to the next channel."""
    x = torch.stack([torch.full((64,), value), noise(64)])[None]
    tokens = small_moment.encode(x)
    assert bool(torch.isfinite(tokens).all())
    assert torch.allclose(tokens[0, 1], small_moment.encode(x[:, 1:])[0, 0], atol=1e-6)


def test_encode_of_nothing_is_zero(small_moment: Moment) -> None:
    """A channel that is missing altogether gives zeros, never NaN."""
    x = torch.stack([torch.full((64,), float("nan")), noise(64)])[None]
    tokens = small_moment.encode(x)
    assert bool((tokens[0, 0] == 0).all())
    assert bool(torch.isfinite(tokens).all())


def test_encode_takes_gradients_through_masks(small_moment: Moment) -> None:
    """Training works with gaps: every weight gets a finite gradient."""
    small_moment.train()
    mask = torch.ones(4, 2, 64, dtype=torch.bool)
    mask[0, 0, 10] = mask[1, :, :8] = False
    hidden = noise(4, 2, 8, seed=1) > 0
    small_moment.reconstruct(noise(4, 2, 64), mask, hidden).square().mean().backward()
    assert all(
        p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in small_moment.parameters()
    )


def test_weights_follow_from_the_seed_alone(small_config: MomentConfig) -> None:
    """Same seed, same weights; the global generator is neither used nor moved."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one = Moment(small_config, seed=2)
    assert torch.equal(torch.rand(3), expected)
    other = Moment(small_config, seed=2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("shape", [(2, 64), (1, 1, 7), (1, 1, 513)])
def test_encode_refuses_windows_that_do_not_fit(
    small_moment: Moment, shape: tuple[int, ...]
) -> None:
    """Windows of a wrong rank, too short or too long are refused with the shape that came."""
    with pytest.raises(DataError, match="8 to 512 samples"):
        small_moment.encode(noise(*shape))


@pytest.mark.parametrize("shape", [(64,), (2, 32), (3, 64), (2, 3, 64)])
def test_encode_refuses_a_mask_of_another_shape(
    small_moment: Moment, shape: tuple[int, ...]
) -> None:
    """A mask must fit the windows."""
    with pytest.raises(DataError, match="mask must be"):
        small_moment.encode(noise(2, 2, 64), torch.ones(shape, dtype=torch.bool))


def test_config_round_trips_through_json(small_config: MomentConfig) -> None:
    """`from_json(to_json())` is the same configuration."""
    assert MomentConfig.from_json(small_config.to_json()) == small_config


def test_config_takes_d_model_from_t5_when_null(small_config: MomentConfig) -> None:
    """The published files leave d_model null and state it in t5_config."""
    published = small_config.to_json() | {"d_model": None}
    assert MomentConfig.from_json(published) == small_config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"revin_affine": True}, "revin_affine"),
        ({"patch_stride_len": 4}, "patch_stride_len"),
        ({"transformer_type": "encoder_decoder"}, "transformer_type"),
        ({"d_model": 48}, "d_model"),
        ({"t5_config": {"d_model": 32}}, "feed_forward_proj"),
        ({"t5_config": None}, "not a MOMENT configuration"),
        ({"seq_len": "long"}, "whole numbers"),
        ({"seq_len": 510}, "multiple of patch_len"),
    ],
)
def test_config_refuses_models_it_does_not_cover(
    small_config: MomentConfig, change: dict[str, object], message: str
) -> None:
    """A model that would load by name and give other numbers is refused."""
    with pytest.raises(DataError, match=message):
        MomentConfig.from_json(small_config.to_json() | change)
