"""Seconds become samples: the right ones, at the right time, and never invented."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.tokenizers.windows.config import TokenizerConfig
from tool_use_om.tokenizers.windows.resample import resample, to_grid
from tool_use_om.tokenizers.windows.windows import WindowBatch, cut_windows

Make = Callable[..., DataSet]
Even = Callable[..., tuple[np.ndarray, np.ndarray]]


def config(window_s: float, stride_s: float | None = None, **more: object) -> TokenizerConfig:
    return TokenizerConfig.model_validate({"window_s": window_s, "stride_s": stride_s, **more})


def sine(rate_hz: float, duration_s: float, frequency_hz: float) -> np.ndarray:
    t = np.arange(round(rate_hz * duration_s)) / rate_hz
    return np.sin(2 * np.pi * frequency_hz * t)[:, None].astype(np.float32)


def strongest_hz(values: np.ndarray, rate_hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(values * np.hanning(len(values)), 8 * len(values)))
    return float(np.fft.rfftfreq(8 * len(values), 1 / rate_hz)[spectrum.argmax()])


def test_cut_windows_holds_the_samples_of_its_seconds(make_dataset: Make, even: Even) -> None:
    """By hand: 16 Hz, windows of 2 s every second; window k holds samples 16k to 16k + 31."""
    time_s, values = even(16, 5, 2)
    dataset = make_dataset({"a": {"accelerometer": (time_s, values)}})
    batch = cut_windows(dataset, ["a"], "all", config(2, 1))
    assert batch.start_s.tolist() == [0, 1, 2, 3]
    assert batch.end_s.tolist() == [2, 3, 4, 5]
    assert (batch.rate_hz, batch.window_s) == (16.0, 2.0)
    assert batch.channels == ("accelerometer.x", "accelerometer.y")
    assert batch.units == ("m/s^2", "m/s^2")
    for k in range(4):
        np.testing.assert_array_equal(batch.values[k], values[16 * k : 16 * k + 32].T)


def test_cut_windows_pads_a_short_session_at_its_end(make_dataset: Make, even: Even) -> None:
    """A session shorter than the window gives one window, masked after its last sample."""
    dataset = make_dataset({"a": {"accelerometer": even(16, 1.5, 2)}})
    batch = cut_windows(dataset, ["a"], "all", config(4))
    assert batch.values.shape == (1, 2, 64)
    assert batch.mask[0].sum(axis=1).tolist() == [24, 24]
    assert batch.mask[0, :, :24].all()
    assert batch.end_s.tolist() == [1.5]


def test_cut_windows_of_one_sample(make_dataset: Make) -> None:
    """A session of a single sample is a window with a single measured sample."""
    dataset = make_dataset({"a": {"accelerometer": (np.zeros(1), np.ones((1, 2), np.float32))}})
    assert cut_windows(dataset, ["a"], "all", config(1)).mask.sum() == 2


def test_cut_windows_keeps_to_its_range(make_dataset: Make, even: Even) -> None:
    """Windows of a range start at its start and hold nothing from outside it."""
    time_s, values = even(16, 10, 2)
    dataset = make_dataset({"a": {"accelerometer": (time_s, values)}})
    batch = cut_windows(dataset, ["a"], "all", config(2, 2), ranges={"a": (3, 8)})
    assert batch.start_s.tolist() == [3, 5]
    np.testing.assert_array_equal(batch.values[0], values[48:80].T)
    short = cut_windows(dataset, ["a"], "all", config(4), ranges={"a": (3, 5)})
    assert short.start_s.tolist() == [3]
    assert short.mask.sum(axis=-1).tolist() == [[32, 32]]


def test_cut_windows_keeps_missing_missing(make_dataset: Make, even: Even) -> None:
    """NaN and dropouts are masked, their values 0; what is measured is untouched."""
    time_s, values = even(16, 4, 2)
    values[5, 0] = np.nan
    kept = np.r_[0:20, 30:64]
    dataset = make_dataset({"a": {"accelerometer": (time_s[kept], values[kept])}})
    batch = cut_windows(dataset, ["a"], "all", config(4))
    expected = np.ones((2, 64), dtype=bool)
    expected[0, 5] = False
    expected[:, 20:30] = False
    np.testing.assert_array_equal(batch.mask[0], expected)
    np.testing.assert_array_equal(batch.values[0], np.where(expected, values.T, 0))


def test_cut_windows_brings_rates_together(make_dataset: Make) -> None:
    """A 50 Hz and a 5 Hz modality meet at 50 Hz, on one seconds axis, each with its own sine."""
    fast, slow = sine(50, 8, 3.0), sine(5, 8, 0.5)
    dataset = make_dataset(
        {"a": {"gyroscope": (np.arange(400) / 50, fast), "heart": (np.arange(40) / 5, slow)}},
        {"gyroscope": (50.0, ("x",)), "heart": (5.0, ("rate",))},
    )
    batch = cut_windows(dataset, ["a"], "all", config(8))
    assert batch.rate_hz == 50
    assert strongest_hz(batch.values[0, 0], 50) == pytest.approx(3.0, abs=0.05)
    assert strongest_hz(batch.values[0, 1], 50) == pytest.approx(0.5, abs=0.05)


def test_cut_windows_leaves_a_late_start_missing(make_dataset: Make) -> None:
    """A modality that starts late is masked until then, whatever its phase."""
    late = (np.arange(40) / 16 + 1.51, np.ones((40, 1), np.float32))
    early = (np.arange(64) / 16, np.ones((64, 1), np.float32))
    dataset = make_dataset(
        {"a": {"one": early, "two": late}}, {"one": (16.0, ("x",)), "two": (16.0, ("x",))}
    )
    mask = cut_windows(dataset, ["a"], "all", config(4)).mask[0]
    assert mask[0].all()
    assert mask[1].tolist() == [False] * 24 + [True] * 40


def test_cut_windows_masks_a_modality_a_session_lacks(make_dataset: Make, even: Even) -> None:
    """A session without one of the modalities has it masked; its others are whole."""
    shapes = {"one": (16.0, ("x",)), "two": (16.0, ("x",))}
    dataset = make_dataset(
        {"a": {"one": even(16, 4), "two": even(16, 4)}, "b": {"one": even(16, 4)}}, shapes
    )
    mask = cut_windows(dataset, ["a", "b"], "all", config(4)).mask
    assert mask.all(axis=-1).tolist() == [[True, True], [True, False]]


@pytest.mark.parametrize("target_hz", [8.0, 10.0, 25.0, 32.0, 51.2])
def test_cut_windows_preserves_frequency(make_dataset: Make, target_hz: float) -> None:
    """Resampling keeps a sine's frequency in Hz and its amplitude."""
    dataset = make_dataset(
        {"a": {"accelerometer": (np.arange(320) / 32, sine(32, 10, 1.7))}},
        {"accelerometer": (32.0, ("x",))},
    )
    batch = cut_windows(dataset, ["a"], "all", config(10, target_rate_hz=target_hz))
    assert batch.window_s == pytest.approx(10, abs=0.5 / target_hz)
    values = batch.values[0, 0]
    assert strongest_hz(values, target_hz) == pytest.approx(1.7, abs=0.02)
    middle = values[len(values) // 4 : -len(values) // 4]
    assert np.sqrt(2) * middle.std() == pytest.approx(1, abs=0.05)


def test_resample_removes_what_the_lower_rate_cannot_hold() -> None:
    """No aliasing: 20 Hz is gone at 16 Hz sampling, instead of showing up as 4 Hz."""
    out = resample(sine(64, 8, 20.0), 64, 16)
    assert np.abs(out[8:-8]).max() < 0.02


def test_resample_never_fills_a_gap() -> None:
    """A gap is as long after resampling as before, to a sample of the lower rate on each side."""
    values = sine(32, 8, 1.0)
    values[100:150] = np.nan
    for rate in (8.0, 16.0, 40.0, 64.0):
        out = resample(values, 32, rate)
        missing = np.flatnonzero(np.isnan(out[:, 0])) / rate
        slack = 1 / min(rate, 32) + 1e-9
        assert 100 / 32 - slack <= missing.min() <= 100 / 32
        assert 149 / 32 <= missing.max() <= 149 / 32 + slack
        away = np.abs(np.arange(len(out)) / rate - 125 / 32) > 60 / 32
        assert np.isfinite(out[away]).all()


def test_to_grid_reads_jitter_off_its_neighbours() -> None:
    """Jittered time stamps of a straight line stay on that line; a gap stays a gap."""
    rng = np.random.default_rng(0)
    time_s = (np.arange(100) + rng.uniform(-0.2, 0.2, 100)) / 10
    time_s[40:] += 0.033
    kept = np.r_[0:60, 70:100]
    grid = to_grid(time_s[kept], 3 * time_s[kept, None], 10.0, 100)[:, 0]
    found = np.isfinite(grid)
    assert not found[61:69].any()
    assert found[1:59].all()
    assert found[72:].all()
    slope = np.diff(grid[1:59]) * 10
    np.testing.assert_allclose(slope[np.isfinite(slope)], 3, atol=0.8)
    assert np.polyfit(np.flatnonzero(found) / 10, grid[found], 1)[0] == pytest.approx(3, abs=0.02)


def test_extent_counts_to_the_last_measured_sample() -> None:
    """The extent is that of the channel that goes farthest; 0 for an empty window."""
    mask = np.zeros((3, 2, 5), dtype=bool)
    mask[0, 0, :2] = mask[0, 1, :4] = True
    mask[1, 1, 4] = True
    batch = WindowBatch(
        values=np.zeros((3, 2, 5), np.float32),
        mask=mask,
        rate_hz=1.0,
        start_s=np.zeros(3),
        session_ids=("a", "b", "c"),
        channels=("m.x", "m.y"),
        units=("1", "1"),
    )
    assert batch.extent.tolist() == [4, 5, 0]
    assert batch.select(np.array([False, True, True])).session_ids == ("b", "c")
    assert len(batch.select([2])) == 1


def test_cut_windows_refuses_what_is_not_there(make_dataset: Make, even: Even) -> None:
    """Unknown names, ranges outside and empty requests are named."""
    dataset = make_dataset({"a": {"accelerometer": even(16, 4, 2)}})
    with pytest.raises(NotFoundError, match="session"):
        cut_windows(dataset, ["nobody"], "all", config(1))
    with pytest.raises(NotFoundError, match=r"accelerometer\.x"):
        cut_windows(dataset, ["a"], ["accelerometer.q"], config(1))
    with pytest.raises(DataError, match="0 <= start_s < end_s"):
        cut_windows(dataset, ["a"], "all", config(1), ranges={"a": (2, 99)})
    with pytest.raises(NotFoundError, match="session in ranges"):
        cut_windows(dataset, ["a"], "all", config(1), ranges={"b": (0, 1)})
    with pytest.raises(DataError, match="at least one session"):
        cut_windows(dataset, [], "all", config(1))


def test_cut_windows_refuses_channels_without_any_sample(make_dataset: Make, even: Even) -> None:
    """If nothing at all was measured, that is said."""
    time_s, values = even(16, 4, 2)
    values[:, 0] = np.nan
    dataset = make_dataset({"a": {"accelerometer": (time_s, values)}})
    with pytest.raises(DataError, match=r"No measured sample of accelerometer\.x"):
        cut_windows(dataset, ["a"], ["accelerometer.x"], config(1))


@pytest.mark.parametrize(
    ("rate_in", "rate_out"), [(0, 10), (10, 0), (10, float("nan")), (0.001, 10)]
)
def test_resample_refuses_rates_that_make_no_sense(rate_in: float, rate_out: float) -> None:
    """A rate of zero, or one thousands of times another, is refused."""
    with pytest.raises(DataError, match=r"Rates must be|rates may differ"):
        resample(np.zeros((4, 1), np.float32), rate_in, rate_out)


@pytest.mark.parametrize(
    "bad", [{"window_s": 0}, {"window_s": -1}, {"window_s": float("nan")}, {"window_s": 1, "x": 2},
            {"window_s": 1, "stride_s": 0}, {"window_s": 1, "target_rate_hz": 0}, {}],
)  # fmt: skip
def test_config_refuses(bad: dict[str, float]) -> None:
    """Lengths and rates are above 0 and finite; unknown fields are refused."""
    with pytest.raises(ValueError, match="validation error"):
        TokenizerConfig.model_validate(bad)


def test_config_strides_half_a_window_by_default() -> None:
    """Without a stride, or with None, windows overlap by half."""
    assert config(3).stride_s == TokenizerConfig(window_s=3).stride_s == 1.5


def test_cut_windows_reports_progress(make_dataset: Make, even: Even) -> None:
    """Each session is reported once."""
    dataset = make_dataset({n: {"accelerometer": even(16, 2, 2)} for n in "abc"})
    seen: list[dict] = []
    cut_windows(dataset, list("abc"), "all", config(1), progress=seen.append)
    assert [s["done"] for s in seen] == [1, 2, 3]
    assert seen[-1] == {"phase": "windows", "done": 3, "total": 3, "unit": "sessions"}
