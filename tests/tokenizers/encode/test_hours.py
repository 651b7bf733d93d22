"""Sessions of hours: the same track however it is read, in memory that does not grow."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.tokenizers.encode.encode import encode_windows
from tool_use_om.tokenizers.encode.hours import encode_track, track_pieces
from tool_use_om.tokenizers.encode.track import Track, join, super_pieces
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.config import TokenizerConfig
from tool_use_om.tokenizers.windows.stream import SessionStream
from tool_use_om.tokenizers.windows.windows import WindowBatch, cut_windows

Make = Callable[..., DataSet]
Even = Callable[..., tuple[np.ndarray, np.ndarray]]
CLOSE = 2e-5
IDS = ("accelerometer.x", "accelerometer.y", "heart.rate")


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """150 s at 16 Hz with a gap, beside 1 Hz that starts late and jitters."""
    from tool_use_om.data.format.schema import Channel, Modality
    from tool_use_om.data.format.writer import DataSetWriter

    rng = np.random.default_rng(0)
    kept = np.r_[0:1000, 1100:2400]
    fast = rng.normal(size=(2400, 2)).cumsum(axis=0).astype(np.float32)
    beat = np.arange(140) + 3.3 + rng.uniform(-0.3, 0.3, 140)
    modalities = (
        Modality(
            name="accelerometer", rate_hz=16.0,
            channels=tuple(Channel(name=c, unit="m/s^2") for c in "xy"),
        ),
        Modality(name="heart", rate_hz=1.0, channels=(Channel(name="rate", unit="bpm"),)),
    )  # fmt: skip
    target = tmp_path_factory.mktemp("sets") / "body"
    with DataSetWriter(
        target, name="body", title="", licence="", source="", synthetic=True,
        modalities=modalities, split_rule="none", debug=False,
    ) as writer:  # fmt: skip
        writer.add_session(
            "a", subject_id="p", split="train", duration_s=150.0,
            signals={
                "accelerometer": (kept / 16, fast[kept]),
                "heart": (beat, rng.normal(size=(140, 1)).astype(np.float32)),
            },
        )  # fmt: skip
    return DataSet.open(target)


def stream(
    body: DataSet, rate_hz: float = 16.0, span: tuple[float, float] = (0.0, 150.0)
) -> SessionStream:
    return SessionStream(body, "a", IDS, rate_hz, *span)


@pytest.mark.parametrize("rate_hz", [16.0, 10.0, 25.0])
def test_a_stream_reads_what_one_window_holds(body: DataSet, rate_hz: float) -> None:
    """A session read as a stream is the session cut as one window, missing samples included."""
    window = cut_windows(body, ["a"], IDS, TokenizerConfig(window_s=150, target_rate_hz=rate_hz))
    read = stream(body, rate_hz).read(0, window.values.shape[-1])
    np.testing.assert_array_equal(np.isfinite(read), window.mask[0])
    np.testing.assert_array_equal(np.nan_to_num(read), window.values[0])


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rate_hz=st.sampled_from([16.0, 10.0, 25.0]), cuts=st.lists(st.integers(1, 1400), max_size=4))
def test_a_stream_reads_the_same_in_any_pieces(
    body: DataSet, rate_hz: float, cuts: list[int]
) -> None:
    """Pieces put together are the whole, to the last bit: resampling, jitter and gaps included."""
    source = stream(body, rate_hz)
    edges = [0, *sorted(min(c, source.n) for c in cuts), source.n]
    parts = [source.read(a, b) for a, b in pairwise(edges)]
    assert np.array_equal(np.concatenate(parts, axis=1), source.read(0, source.n), equal_nan=True)


@pytest.mark.parametrize("super_s", [None, 7.0])
def test_a_track_is_the_same_in_any_chunks(
    tokenizer: Tokenizer, body: DataSet, super_s: float | None
) -> None:
    """In one go or window by window, the track is the same to rounding."""
    whole, *others = (
        encode_track(tokenizer, stream(body), super_s=super_s, context_s=8.0, chunk_s=chunk_s)
        for chunk_s in (1e6, 0.1, 11.0, 30.0)
    )
    for other in others:
        np.testing.assert_array_equal(other.mask, whole.mask)
        np.testing.assert_allclose(other.values, whole.values, atol=CLOSE)
        np.testing.assert_allclose(other.context, whole.context, atol=CLOSE)
        np.testing.assert_allclose(other.start_s, whole.start_s)


def test_a_track_weighs_windows_by_the_distance_from_their_edges(
    tokenizer: Tokenizer, body: DataSet
) -> None:
    """By hand: windows of 6 patches every 3, the last flush with the end, triangular weights."""
    source = stream(body, span=(0.0, 12.3))
    track = encode_track(tokenizer, source, context_s=3.0)
    n, hop, length = 196 // 8, 3, 6
    starts = sorted({*range(0, n - length, hop), n - length})
    total, mass = np.zeros((3, n, 32)), np.zeros((3, n))
    grid = np.nan_to_num(source.read(0, n * 8))
    known = np.isfinite(source.read(0, n * 8))
    window = cut_windows(body, ["a"], IDS, TokenizerConfig(window_s=3), ranges={"a": (0.0, 12.3)})
    for start in starts:
        span = slice(start * 8, (start + length) * 8)
        one = window.select([0])
        one = type(one)(
            **{**vars(one), "values": grid[None, :, span], "mask": known[None, :, span]}
        )
        tokens = tokenizer.encode(one)
        for j in range(length):
            weight = min(j + 1, length - j) * tokens.mask[0, :, j]
            total[:, start + j] += weight[:, None] * tokens.values[0, :, j]
            mass[:, start + j] += weight
    expected = np.where(mass[..., None] > 0, total / np.maximum(mass, 1)[..., None], 0)
    np.testing.assert_array_equal(track.mask, mass > 0)
    np.testing.assert_allclose(track.values, expected, atol=CLOSE)


def test_a_track_has_a_patch_exactly_where_it_was_measured(
    tokenizer: Tokenizer, body: DataSet
) -> None:
    """Patches touching the gap are masked, all others are there, the grid does not move."""
    track = encode_track(tokenizer, stream(body), context_s=16.0, chunk_s=20.0)
    known = np.isfinite(stream(body).read(0, 2400)).reshape(3, 300, 8).all(axis=2)
    np.testing.assert_array_equal(track.mask, known)
    np.testing.assert_allclose(track.start_s, np.arange(300) * 0.5)


def test_super_patches_are_moments_of_their_seconds(tokenizer: Tokenizer, body: DataSet) -> None:
    """By hand: mean, deviation, maximum of the valid patches whose middle is in the cell."""
    track = encode_track(tokenizer, stream(body), context_s=8.0)
    coarse = encode_track(tokenizer, stream(body), context_s=8.0, super_s=7.0)
    assert coarse.values.shape == (3, 21, 96)
    assert coarse.start_s.tolist() == [7.0 * i for i in range(21)]
    middle = track.start_s + 0.25
    for i in range(21):
        inside = (middle >= 7 * i) & (middle < 7 * (i + 1))
        for c in range(3):
            held = track.values[c, inside & track.mask[c]].astype(np.float64)
            assert coarse.mask[c, i] == (len(held) >= 7)
            if coarse.mask[c, i]:
                moments = np.concatenate([held.mean(0), held.std(0), held.max(0)])
                np.testing.assert_allclose(coarse.values[c, i], moments, atol=CLOSE)
                level = track.context[c, inside & track.mask[c]].mean(axis=0)
                np.testing.assert_allclose(coarse.context[c, i], level, atol=1e-3)


def test_windows_of_super_patches_are_tokens(tokenizer: Tokenizer, body: DataSet) -> None:
    """Windows beyond the encoder's context, several rates on one grid of cells, ranges kept."""
    config = TokenizerConfig(window_s=60, stride_s=30, super_s=10, fusion="per_modality")
    tokens = encode_windows(tokenizer, body, ["a"], ["heart", "accelerometer"], config)
    assert tokens.values.shape == (4, 3, 6, 96)
    assert tokens.channels == ("heart.rate", "accelerometer.x", "accelerometer.y")
    assert tokens.window_start_s.tolist() == [0, 30, 60, 90]
    assert (tokens.patch_s, tokens.window_s) == (10.0, 60.0)
    part = encode_windows(
        tokenizer, body, ["a"], ["accelerometer"], config, ranges={"a": (20.0, 60.0)}
    )
    assert part.values.shape[:3] == (1, 2, 6)
    assert part.window_start_s.tolist() == [20.0]
    assert part.mask[0].sum(axis=1).tolist() == [4, 4]


def test_what_cannot_be_a_track_is_named(tokenizer: Tokenizer, body: DataSet) -> None:
    """A session shorter than a patch, a context beyond the encoder's, cells below a patch."""
    with pytest.raises(DataError, match=r"Session 'a' needs windows of 0.5 to 32 s.*0.3 s"):
        encode_track(tokenizer, stream(body, span=(0.0, 0.3)))
    with pytest.raises(DataError, match="got windows of 100 s"):
        encode_track(tokenizer, stream(body), context_s=100.0)
    with pytest.raises(DataError, match=r"`super_s` must be at least a patch \(0.5 s\), got 0.2"):
        encode_track(tokenizer, stream(body), super_s=0.2)
    with pytest.raises(DataError, match="at least one piece"):
        join([])


def test_a_day_is_summarised_in_the_memory_of_an_hour(
    tokenizer: Tokenizer, make_dataset: Make, even: Even
) -> None:
    """24 h at 8 Hz: the most memory held does not grow from one hour's chunk to the day's."""
    time_s = np.arange(24 * 3600 * 8) / 8
    values = np.tile(even(8, 3600, seed=4)[1], (24, 1))
    dataset = make_dataset({"a": {"m": (time_s, values)}}, {"m": (8.0, ("x",))})

    class Cheap(Tokenizer):
        """The mean of a patch as its token: what surrounds the encoder is what is measured."""

        def encode(self, batch: WindowBatch, *, progress: object = None) -> Tokens:
            tokens = tokenizer.encode(batch.select([0]))
            n = len(batch)
            mean = batch.values.reshape(n, 1, -1, 8).mean(axis=-1, keepdims=True)
            arrays = {
                "values": np.broadcast_to(mean, (*mean.shape[:3], 32)).copy(),
                "mask": np.ones(mean.shape[:3], dtype=bool),
                "start_s": batch.start_s[:, None] + np.arange(mean.shape[2]),
                "window_start_s": batch.start_s,
                "context": np.zeros((n, 1, 3), np.float32),
                "session_ids": batch.session_ids,
            }
            return type(tokens)(**{**vars(tokens), **arrays})

    cheap = Cheap(tokenizer.spec, tokenizer._module)
    peaks = []
    for hours in (2, 24):
        source = SessionStream(dataset, "a", ("m.x",), 8.0, 0.0, hours * 3600.0)
        tracemalloc.start()
        pieces = track_pieces(cheap, source, chunk_s=3600.0)
        found = join(list(super_pieces(pieces, 60.0, hours * 60)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(found) == hours * 60
        cell = values[: 60 * 8, 0].reshape(-1, 8).mean(axis=1)
        assert found.values[0, 0, 0] == pytest.approx(cell.mean(), abs=1e-5)
        assert found.values[0, 60, 64] == pytest.approx(cell.max(), abs=1e-5)
    assert peaks[1] < 1.3 * peaks[0] + 2**20
    assert peaks[1] < 20 * 2**20


def test_a_short_track_gives_one_padded_window() -> None:
    """Cut by hand: whole windows at the stride, or one that is padded with nothing."""
    track = Track(
        values=np.arange(10, dtype=np.float32).reshape(1, 5, 2), mask=np.ones((1, 5), dtype=bool),
        start_s=10.0 + np.arange(5) * 2.0, patch_s=2.0,
        context=np.arange(5, dtype=np.float32).reshape(1, 5, 1),
        channels=("m.x",), context_names=("mean",), session_id="a",
    )  # fmt: skip
    two = track.windows(4.0, 2.0)
    assert two.values[:, 0, :, 0].tolist() == [[0, 2], [2, 4], [4, 6], [6, 8]]
    assert two.context[:, 0, 0].tolist() == [0.5, 1.5, 2.5, 3.5]
    long = track.windows(14.0, 2.0)
    assert long.mask.tolist() == [[[True] * 5 + [False] * 2]]
    assert long.end_s.tolist() == [20.0]
    assert long.values[0, 0, 5:].tolist() == [[0, 0], [0, 0]]
