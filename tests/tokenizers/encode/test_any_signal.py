"""Any signal: overlap, several rates, long sessions, context; and what must not change a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.tokenizers.encode.context import with_context
from tool_use_om.tokenizers.encode.encode import encode_windows, laid_on, rate_groups
from tool_use_om.tokenizers.encode.overlap import encode_overlapping, ending_at
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.config import TokenizerConfig
from tool_use_om.tokenizers.windows.windows import WindowBatch

Make = Callable[..., DataSet]
Even = Callable[..., tuple[np.ndarray, np.ndarray]]
MakeBatch = Callable[..., WindowBatch]
CLOSE = 2e-5  # of encoders whose matrix products differ in rounding by batch shape


def config(window_s: float, **more: object) -> TokenizerConfig:
    return TokenizerConfig.model_validate({"window_s": window_s, **more})


@pytest.fixture
def body(make_dataset: Make, even: Even) -> DataSet:
    """16, 4 and 1 Hz; the slowest starts late and the fastest has a gap."""
    time_s, values = even(16, 40, 2, seed=1)
    kept = np.r_[0:160, 200:640]
    late, pulse = even(1, 30, seed=3)
    return make_dataset(
        {
            "a": {
                "accelerometer": (time_s[kept], values[kept]),
                "breath": even(4, 40, seed=2),
                "heart": (late + 6.0, pulse),
            }
        },
        {"accelerometer": (16.0, ("x", "y")), "breath": (4.0, ("v",)), "heart": (1.0, ("rate",))},
    )


# --- patches in seconds, overlap


def test_patch_s_sets_the_rate(tokenizer: Tokenizer, body: DataSet) -> None:
    """A patch of 1 s is 8 samples at 8 Hz, whatever the signal's own rate."""
    tokens = encode_windows(tokenizer, body, ["a"], "all", config(4, patch_s=1))
    assert tokens.patch_s == 1.0
    assert tokens.values.shape[2] == 4
    same = encode_windows(tokenizer, body, ["a"], "all", config(4, target_rate_hz=8))
    np.testing.assert_array_equal(tokens.values, same.values)


def test_patch_s_that_contradicts_the_rate_is_refused() -> None:
    """Rule, both values and what to do are named; saying the same twice is fine."""
    with pytest.raises(DataError, match=r"`patch_s` and `target_rate_hz` contradict.*Give one"):
        config(4, patch_s=1, target_rate_hz=16).for_encoder(8)
    assert config(4, patch_s=1, target_rate_hz=8).for_encoder(8).target_rate_hz == 8


@pytest.mark.parametrize("shift", [1, 2, 4])
def test_overlapping_patches_are_those_of_shortened_windows(
    tokenizer: Tokenizer, make_batch: MakeBatch, shift: int
) -> None:
    """By hand: each token is that of the window cut where the patch's copy ends."""
    batch = make_batch(shape=(2, 2, 43))
    tokens = encode_overlapping(tokenizer, batch, shift)
    assert tokens.values.shape[2] == (43 - 8) // shift + 1
    assert np.allclose(np.diff(tokens.start_s), shift / 16)
    for p in range(tokens.values.shape[2]):
        end = round(float(tokens.start_s[0, p]) * 16) + 8
        cut = end + (43 - end) // 8 * 8  # the longest copy in which a patch ends there
        short = replace(batch, values=batch.values[..., :cut], mask=batch.mask[..., :cut])
        alone = tokenizer.encode(short)
        at = int(np.flatnonzero(np.isclose(alone.start_s[0], tokens.start_s[0, p]))[0])
        np.testing.assert_allclose(tokens.values[:, :, p], alone.values[:, :, at], atol=CLOSE)
    assert tokens.mask.all()
    np.testing.assert_array_equal(tokens.context, tokenizer.encode(batch).context)


def test_overlapping_patches_keep_their_places_around_a_gap(
    tokenizer: Tokenizer, make_batch: MakeBatch
) -> None:
    """A patch is valid exactly if all of its samples were measured, at every shift."""
    mask = np.ones((3, 1, 48), dtype=bool)
    mask[0, 0, 41:44] = mask[1, 0, 10:30] = mask[2, 0, 30:] = False
    batch = make_batch(shape=(3, 1, 48), mask=mask)
    tokens = encode_overlapping(tokenizer, batch, 2)
    for row in range(3):
        first = np.rint(tokens.start_s[row] * 16).astype(int)
        whole = [s >= 0 and s + 8 <= 48 and mask[row, 0, s : s + 8].all() for s in first]
        assert tokens.mask[row, 0].tolist() == whole


def test_ending_at_cuts_before_what_is_missing(make_batch: MakeBatch) -> None:
    """Where nothing is measured before the wished end, whole patches earlier; nothing if none."""
    mask = np.ones((3, 1, 32), dtype=bool)
    mask[1, 0, 20:] = False
    mask[2] = False
    batch = make_batch(shape=(3, 1, 32), mask=mask)
    assert ending_at(batch, np.array([30, 30, 30]), 8).extent.tolist() == [30, 14, 0]


@pytest.mark.parametrize("bad", [0.3, 0.2, 0.05])
def test_patch_stride_must_be_a_part_of_a_patch(
    tokenizer: Tokenizer, body: DataSet, bad: float
) -> None:
    """The strides there are stand in the message."""
    with pytest.raises(DataError, match=r"one of 0.5, 0.25, 0.125, 0.0625 s.*Choose one"):
        encode_windows(tokenizer, body, ["a"], "all", config(4, patch_stride_s=bad))


@pytest.mark.parametrize(
    "bad",
    [{"patch_s": 5}, {"patch_s": 1, "patch_stride_s": 2}, {"super_s": 3}, {"fusion": "mixed"},
     {"patch_stride_s": 0.5, "fusion": "per_modality"}, {"patch_stride_s": 0.5, "super_s": 1},
     {"patch_s": 0}, {"super_s": -1}],
)  # fmt: skip
def test_config_refuses_contradictions(bad: dict[str, object]) -> None:
    """Patches longer than windows, strides than patches, overlap where it has no meaning."""
    with pytest.raises(ValueError, match="validation error"):
        config(4, **bad)


def test_windows_of_one_and_two_patches_have_tokens(
    tokenizer: Tokenizer, make_batch: MakeBatch
) -> None:
    """The shortest windows are encoded, not padded."""
    for patches in (1, 2):
        assert tokenizer.encode(make_batch(shape=(2, 1, 8 * patches))).mask.shape[2] == patches


# --- several rates


def test_per_modality_encodes_each_at_its_own_rate(tokenizer: Tokenizer, body: DataSet) -> None:
    """Rates are kept, except where a window would hold fewer than two patches."""
    found = rate_groups(
        body, body.manifest.channel_ids, config(5, fusion="per_modality"), tokenizer.spec
    )
    assert [(g.rate_hz, g.channels) for g in found] == [
        (16.0, ("accelerometer.x", "accelerometer.y")), (4.0, ("breath.v",)), (3.2, ("heart.rate",))
    ]  # fmt: skip
    at_most = config(5, fusion="per_modality", target_rate_hz=8)
    assert [g.rate_hz for g in rate_groups(body, ["accelerometer.x"], at_most, tokenizer.spec)] == [
        8.0
    ]


def test_per_modality_lays_tokens_on_the_seconds_of_the_fastest(
    tokenizer: Tokenizer, body: DataSet
) -> None:
    """By hand: each cell holds the mean of the tokens over it, by seconds shared; half must be."""
    cut = config(8, fusion="per_modality", stride_s=4)
    fused = encode_windows(tokenizer, body, ["a"], ["heart", "accelerometer", "breath"], cut)
    assert fused.channels == ("heart.rate", "accelerometer.x", "accelerometer.y", "breath.v")
    assert fused.units == ("m/s^2",) * 4
    slow = encode_windows(tokenizer, body, ["a"], ["breath"], config(8, stride_s=4))
    assert fused.window_start_s.tolist() == slow.window_start_s.tolist()
    for b in range(len(fused)):
        for p in range(fused.values.shape[2]):
            lo = fused.start_s[b, p]
            hi = lo + fused.patch_s
            shared = [
                max(0.0, min(hi, s + slow.patch_s) - max(lo, s)) * bool(m)
                for s, m in zip(slow.start_s[b], slow.mask[b, 0], strict=True)
            ]
            valid = sum(shared) >= 0.5 * fused.patch_s - 1e-9
            assert fused.mask[b, 3, p] == valid
            if valid:
                mean = np.average(slow.values[b, 0], axis=0, weights=shared)
                np.testing.assert_allclose(fused.values[b, 3, p], mean, atol=CLOSE)


def test_per_modality_of_one_rate_is_the_common_rate(
    tokenizer: Tokenizer, make_dataset: Make, even: Even
) -> None:
    """With a single rate there is nothing to fuse: the same tokens, bit by bit."""
    dataset = make_dataset({"a": {"accelerometer": even(16, 9, 2)}})
    one, two = (
        encode_windows(tokenizer, dataset, ["a"], "all", config(2, fusion=f))
        for f in ("common", "per_modality")
    )
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.start_s, two.start_s)


def test_per_modality_invents_nothing(tokenizer: Tokenizer, body: DataSet) -> None:
    """Before a late start and in a gap there are no tokens; the other modalities go on."""
    tokens = encode_windows(
        tokenizer, body, ["a"], "all", config(8, fusion="per_modality", stride_s=4)
    )
    middle = tokens.start_s + tokens.patch_s / 2
    assert not tokens.mask[:, 3][middle < 6].any()
    assert not tokens.mask[:, 0][(middle > 10) & (middle < 12.5)].any()
    assert tokens.mask[:, 2].all()
    with pytest.raises(DataError, match="same windows"):
        laid_on(tokens.select([0]), tokens.select([0, 1]))


# --- context


def test_context_features_are_those_named(tokenizer: Tokenizer, body: DataSet) -> None:
    """Names give columns, in the config's order; the rate is each channel's own."""
    cut = config(4, context_features=["log_rate", "std"])
    tokens = with_context(
        encode_windows(tokenizer, body, ["a"], "all", cut), body, cut.context_names
    )
    assert tokens.context_names == ("std", "log_rate")
    np.testing.assert_allclose(tokens.context[0, :, 1], np.log([16, 16, 4, 1]), rtol=1e-6)
    assert config(4).context_names == ("mean", "std", "log_std")
    assert config(4, context_features=False).context_names == ()
    with pytest.raises(NotFoundError, match="time_of_day"):
        config(4, context_features=["time_of_dy"])


def test_time_of_day_is_the_hour_at_which_a_window_starts(
    tokenizer: Tokenizer, body: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """18:00 UTC is (-1, 0) on the circle; a session without a start gives (0, 0), none an error."""
    tokens = encode_windows(tokenizer, body, ["a"], "all", config(4, stride_s=4))
    with pytest.raises(DataError, match=r"`time_of_day` needs sessions that note when"):
        with_context(tokens, body, ["time_of_day"])
    table = body.sessions()
    table["start_utc"] = table["start_utc"].astype("datetime64[us, UTC]")
    table.loc[0, "start_utc"] = pd.Timestamp("2026-03-01T17:59:56Z")
    monkeypatch.setattr(type(body), "sessions", lambda _self: table)
    found = with_context(tokens, body, ["time_of_day", "mean"])
    assert found.context_names == ("time_of_day_sin", "time_of_day_cos", "mean")
    np.testing.assert_allclose(found.context[1, :, :2], [[-1, 0]] * 4, atol=1e-6)
    assert (found.context[0, :, 1] < 0).all()


# --- what must not change a token


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    scale=st.floats(1e-3, 1e3), offset=st.floats(-1e3, 1e3), flip=st.booleans(),
    seed=st.integers(0, 9),
)  # fmt: skip
def test_tokens_ignore_unit_offset_order_padding_and_company(
    tokenizer: Tokenizer,
    make_batch: MakeBatch,
    *,
    scale: float,
    offset: float,
    flip: bool,
    seed: int,
) -> None:
    """Scaled, shifted, reordered, padded or beside other windows, the tokens are the same."""
    batch = make_batch(shape=(1, 3, 40), seed=seed)
    plain = tokenizer.encode(batch).values[0]
    order = [2, 1, 0] if flip else [1, 2, 0]
    moved = (batch.values[:, order].astype(np.float64) * scale + offset * scale).astype(np.float32)
    padded = np.concatenate([moved, np.full((1, 3, 24), 7.0, np.float32)], axis=-1)
    company = np.random.default_rng(seed + 1).normal(size=(4, 3, 64)).astype(np.float32)
    values = np.concatenate([company[:2], padded, company[2:]])
    mask = np.ones(values.shape, dtype=bool)
    mask[2, :, 40:] = False
    got = tokenizer.encode(make_batch(values, mask)).values[2]
    # float32 keeps 24 bits: an offset 1000 times the signal leaves it fewer
    atol = 1e-3 + 1e-5 * abs(offset)
    np.testing.assert_allclose(got[:, :5], plain[order], atol=atol)
    assert not got[:, 5:].any()


def test_constant_and_empty_channels_give_no_nan(
    tokenizer: Tokenizer, make_dataset: Make, even: Even
) -> None:
    """Constants have tokens, an all-NaN channel is masked, whatever the fusion or the summary."""
    time_s, values = even(16, 20, 3)
    values[:, 0], values[:, 1] = 5.0, np.nan
    shapes = {"m": (16.0, ("constant", "empty", "x")), "n": (4.0, ("v",))}
    dataset = make_dataset({"a": {"m": (time_s, values), "n": even(4, 20)}}, shapes)
    for more in ({}, {"fusion": "per_modality"}, {"super_s": 2}, {"patch_stride_s": 0.25}):
        tokens: Tokens = encode_windows(tokenizer, dataset, ["a"], "all", config(8, **more))
        assert np.isfinite(tokens.values).all()
        assert np.isfinite(tokens.context).all()
        assert tokens.mask.any(axis=(0, 2)).tolist() == [True, False, True, True]
