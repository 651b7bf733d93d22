"""One session at 100, 1 and 256 Hz, clocks apart, jitter and drop-outs: its seconds stay intact.

Every channel is a known function of the true time, so a sample that has moved shows in its value.
"""

from __future__ import annotations

import numpy as np
import pytest

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.tokenizers.registry import load_tokenizer
from tool_use_om.tokenizers.windows.config import TokenizerConfig
from tool_use_om.tokenizers.windows.windows import WindowBatch, cut_windows

SESSION_S = 60.0
RATES_HZ = {"accelerometer": 100.0, "heart": 1.0, "ecg": 256.0}
STARTS_S = {"accelerometer": 0.1372, "heart": 2.41, "ecg": 0.8035}
JITTER_S = {"accelerometer": 0.001, "heart": 0.03, "ecg": 0.0}
GAPS_S = {"accelerometer": (30.0, 33.0), "heart": (10.0, 14.0), "ecg": (40.0, 41.5)}
# units a second: how far a value may be off if its time is
SLOPES = {"accelerometer": 2 * np.pi * 0.5, "heart": 10 * 2 * np.pi / 20, "ecg": 2 * np.pi}
UNITS = {"accelerometer": ("g",) * 3, "heart": ("bpm",), "ecg": ("mV",)}
NAMES = {"accelerometer": "xyz", "heart": ("rate",), "ecg": ("ii",)}


def true_value(modality: str, time_s: np.ndarray) -> np.ndarray:
    """Return what the first channel is at a time, in its unit."""
    if modality == "heart":
        return 60 + 10 * np.sin(2 * np.pi * time_s / 20)
    return np.sin(2 * np.pi * (0.5 if modality == "accelerometer" else 1.0) * time_s)


def samples(modality: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return jittering times (n,) from the modality's own start, and values (n, C)."""
    rate, start = RATES_HZ[modality], STARTS_S[modality]
    time_s = start + np.arange(int((SESSION_S - start - 0.05) * rate)) / rate
    jitter = np.random.default_rng(seed).uniform(-1, 1, time_s.size) * JITTER_S[modality]
    low, high = GAPS_S[modality]
    time_s = (time_s + jitter)[(time_s < low) | (time_s >= high)]
    value = true_value(modality, time_s)
    return time_s, np.stack([value * (i + 1) for i in range(len(NAMES[modality]))], axis=1)


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    target = tmp_path_factory.mktemp("sets") / "body"
    modalities = [
        Modality(
            name=name,
            rate_hz=rate,
            channels=tuple(
                Channel(name=c, unit=u) for c, u in zip(NAMES[name], UNITS[name], strict=True)
            ),
        )
        for name, rate in RATES_HZ.items()
    ]
    writer = DataSetWriter(
        target,
        name="body",
        title="Body",
        synthetic=True,
        licence="none",
        source="a test",
        modalities=modalities,
        split_rule="none",
        debug=False,
    )
    with writer:
        writer.add_session(
            "a",
            subject_id="s",
            split="train",
            signals={name: samples(name, i) for i, name in enumerate(RATES_HZ)},
            duration_s=SESSION_S,
        )
    return DataSet.open(target)


def cut(body: DataSet, rate_hz: float | None, window_s: float = 5.12) -> WindowBatch:
    config = TokenizerConfig(window_s=window_s, stride_s=window_s, target_rate_hz=rate_hz)
    return cut_windows(body, ["a"], "all", config)


def times(batch: WindowBatch) -> np.ndarray:
    """Return the seconds (B, T) a batch claims for its samples."""
    return batch.start_s[:, None] + np.arange(batch.values.shape[-1]) / batch.rate_hz


def first_channel(modality: str) -> int:
    return {"accelerometer": 0, "heart": 3, "ecg": 4}[modality]


def test_multi_rate_keeps_each_sample_at_its_second_when_stored(body: DataSet) -> None:
    """Times and values come back as they were measured, each modality on its own clock."""
    for i, (name, signal) in enumerate(zip(RATES_HZ, body.read("a"), strict=True)):
        time_s, values = samples(name, i)
        assert (signal.modality, signal.rate_hz) == (name, RATES_HZ[name])
        assert np.array_equal(signal.time_s, time_s)
        assert np.array_equal(signal.values, values.astype(np.float32))


@pytest.mark.parametrize(
    ("start_s", "end_s"), [(0.0, 1.0), (9.5, 14.5), (29.99, 40.2), (58.0, 60.0)]
)
def test_multi_rate_selects_the_same_seconds_of_every_clock(
    body: DataSet, start_s: float, end_s: float
) -> None:
    """A range gives exactly the samples in it, of every modality, on session time."""
    for i, (name, signal) in enumerate(
        zip(RATES_HZ, body.read("a", None, start_s, end_s), strict=True)
    ):
        time_s, _ = samples(name, i)
        assert np.array_equal(signal.time_s, time_s[(time_s >= start_s) & (time_s < end_s)])
        value = true_value(name, signal.time_s)
        assert np.allclose(signal.values[:, 0], value, atol=1e-5)


def test_multi_rate_draws_every_clock_on_one_axis(body: DataSet) -> None:
    """Drawn points lie at their own second and value; drop-outs are breaks in the line."""
    from tool_use_om.data.show.plots import draw_sessions

    figure = draw_sessions(body, ["a"])
    assert len(figure.axes) == 3
    for axes, name in zip(figure.axes, RATES_HZ, strict=True):
        assert axes.get_xlim() == (0.0, SESSION_S)
        x, y = (np.asarray(v, float) for v in axes.lines[0].get_data())
        drawn = np.isfinite(y)
        assert np.allclose(y[drawn], true_value(name, x[drawn]), atol=1e-4)
        low, high = GAPS_S[name]
        inside = (x > low + 0.04) & (x < high - 0.04)
        assert not drawn[inside].any()
        assert inside.any()


@pytest.mark.parametrize("rate_hz", [None, 100.0, 50.0])
@pytest.mark.parametrize("modality", RATES_HZ)
def test_multi_rate_windows_hold_the_value_of_their_second(
    body: DataSet, modality: str, rate_hz: float | None
) -> None:
    """On a common rate a sample is off by at most half a step of the grid."""
    batch = cut(body, rate_hz)
    row = first_channel(modality)
    mask, time_s = batch.mask[:, row], times(batch)
    error = np.abs(batch.values[:, row] - true_value(modality, time_s))[mask]
    late_s = 0.5 / min(RATES_HZ[modality], batch.rate_hz)
    if RATES_HZ[modality] < batch.rate_hz:
        late_s = 0.5 / batch.rate_hz
    slack = {"accelerometer": 0.02, "heart": 0.4, "ecg": 0.02}[modality]
    assert mask.mean() > 0.7
    assert np.quantile(error, 0.99) < SLOPES[modality] * (late_s + JITTER_S[modality]) + slack


@pytest.mark.parametrize("modality", RATES_HZ)
def test_multi_rate_windows_leave_drop_outs_out(body: DataSet, modality: str) -> None:
    """Nothing is invented in a drop-out, and nothing measured away from it is lost."""
    batch = cut(body, 100.0)
    mask, time_s = batch.mask[:, first_channel(modality)], times(batch)
    low, high = GAPS_S[modality]
    step = 1 / RATES_HZ[modality]
    edge = max(step, 0.01) + JITTER_S[modality]
    assert not mask[(time_s > low + edge) & (time_s < high - edge)].any()
    away = (time_s > STARTS_S[modality] + 2 * edge) & (time_s < SESSION_S - 2 * edge - 1)
    away &= (time_s < low - 2 * edge) | (time_s > high + 2 * edge)
    assert mask[away].all()


def test_multi_rate_tokens_know_their_seconds(body: DataSet) -> None:
    """moment-tiny's patches start where their samples do, and none speaks of a drop-out."""
    batch = cut(body, 100.0)
    tokens = load_tokenizer("moment-tiny").encode(batch)
    assert tokens.patch_s == pytest.approx(0.08)
    expected = batch.start_s[:, None] + np.arange(64) * 0.08
    assert np.allclose(tokens.start_s, expected)
    for modality in ("accelerometer", "ecg"):
        low, high = GAPS_S[modality]
        inside = (tokens.start_s > low + 0.02) & (tokens.start_s + tokens.patch_s < high - 0.02)
        rows, patches = np.nonzero(inside)
        assert inside.sum() > 10
        assert not tokens.mask[rows, first_channel(modality), patches].any()
    everywhere = (tokens.start_s > 15) & (tokens.start_s < 29)
    assert tokens.mask.transpose(0, 2, 1)[everywhere].all()
