"""Simulated sets: small, repeatable, and true to the truth they state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.catalog import open_dataset
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.show.manifest_text import manifest_text
from tool_use_om.data.synthetic.sets import markets, people
from tool_use_om.data.workspace import Workspace

SYNTHETIC = ("synthetic-days", "synthetic-machines", "synthetic-markets")


@pytest.fixture
def days(samples: Workspace) -> DataSet:
    return open_dataset("synthetic-days", samples)


@pytest.mark.parametrize("name", SYNTHETIC)
def test_simulated_sets_say_that_they_are(samples: Workspace, name: str) -> None:
    """Name, manifest and description all say synthetic; splits are by subject and all there."""
    dataset = open_dataset(name, samples)
    assert dataset.manifest.synthetic
    assert "synthetic" in manifest_text(dataset.manifest)
    assert dataset.manifest.n_subjects >= 8
    assert min(dataset.manifest.splits.values()) > 0
    sessions = dataset.sessions()
    assert sessions.groupby("subject_id")["split"].nunique().max() == 1
    assert not dataset.truth().empty


def test_people_have_the_stated_cadence(days: DataSet) -> None:
    """The strongest frequency of each moving bout's vertical axis is the true cadence."""
    truth = days.truth()
    errors = []
    for row in truth[truth["name"] == "cadence_hz"].itertuples():
        (signal,) = days.read(row.session_id, ["accelerometer.z"], row.start_s, row.end_s)
        errors.append(_peak_hz(signal.time_s, signal.values[:, 0], signal.rate_hz) - row.value)
    assert len(errors) > 40
    assert np.quantile(np.abs(errors), 0.9) < 0.08


def _peak_hz(time_s: np.ndarray, values: np.ndarray, rate_hz: float) -> float:
    present = ~np.isnan(values)
    grid = np.arange(time_s[0], time_s[-1], 1 / rate_hz)
    even = np.interp(grid, time_s[present], values[present])
    even = np.clip(even - np.median(even), -20, 20)  # a planted shock is no gait
    power = np.abs(np.fft.rfft((even - even.mean()) * np.hanning(even.size), 8 * even.size))
    frequency = np.fft.rfftfreq(8 * even.size, 1 / rate_hz)
    return float(frequency[np.argmax(power * (frequency > 0.5))])


def test_people_have_the_stated_heart_rate(days: DataSet) -> None:
    """Counting the ECG's beats in a bout gives the true mean rate."""
    truth = days.truth()
    checked = 0
    for row in truth[truth["name"] == "heart_rate"].itertuples():
        (signal,) = days.read(row.session_id, ["ecg"], row.start_s, row.end_s)
        values = signal.values[:, 0]
        if np.isnan(values).any():
            continue
        high = values > 0.6
        beats = signal.time_s[np.flatnonzero(high[1:] & ~high[:-1])]
        rate = 60 * (beats.size - 1) / (beats[-1] - beats[0])
        assert rate == pytest.approx(row.value, rel=0.08)
        checked += 1
    assert checked > 20


def test_people_differ_in_length_start_and_missing_samples(days: DataSet) -> None:
    """Sessions run from under 30 s to minutes; modalities start late, jitter and drop out."""
    durations = days.sessions()["duration_s"]
    assert 0 < (durations < 30).sum() < len(durations)
    assert durations.max() > 180
    assert days.channel_stats(["ecg"])["nan_frac"].max() > 0
    first = [days.read(s, ["ecg"])[0].time_s[0] for s in days.sessions()["session_id"]]
    assert max(first) > 1.0
    steps = np.diff(days.read("person-01-a", ["accelerometer"])[0].time_s)
    assert 0 < steps.std() < 0.01


def test_people_have_every_activity_in_every_split(days: DataSet) -> None:
    """Each split has all four activities; shocks are where the label set says."""
    labels = days.labels(label_set="activity").merge(days.sessions())
    assert (labels.groupby("split")["label"].nunique() == 4).all()
    shocks = days.labels(label_set="anomaly").query("label == 'shock'")
    for row in shocks.itertuples():
        inside = days.read(row.session_id, ["accelerometer.x"], row.start_s, row.end_s)[0].values
        assert np.nanstd(inside) > 8


def test_machines_reach_their_planted_spikes(samples: Workspace) -> None:
    """Inside every planted interval the processor is busier than 80 percent."""
    dataset = open_dataset("synthetic-machines", samples)
    for row in dataset.labels(label_set="anomaly").itertuples():
        (signal,) = dataset.read(row.session_id, ["resource.cpu"], row.start_s, row.end_s)
        present = signal.values[~np.isnan(signal.values)]
        assert present.size == 0 or present.min() > 80


def test_markets_have_the_stated_volatility(samples: Workspace) -> None:
    """Daily returns scatter as the regime's truth says, within what a few dozen days allow."""
    dataset = open_dataset("synthetic-markets", samples)
    found: dict[float, list[np.ndarray]] = {}
    for row in dataset.truth().itertuples():
        (signal,) = dataset.read(row.session_id, ["market.return"], row.start_s, row.end_s)
        found.setdefault(row.value, []).append(signal.values[:, 0])
    for value, parts in found.items():
        assert np.concatenate(parts).std() == pytest.approx(value, rel=0.1)


def test_simulation_repeats_by_seed(tmp_path: Path, samples: Workspace) -> None:
    """The same seed gives the same content, another seed another one."""
    shipped = open_dataset("synthetic-markets", samples).content_hash
    for name, seed in (("a", 2026), ("b", 1)):
        markets.convert(tmp_path / name, seed=seed)
    assert DataSet.open(tmp_path / "a").content_hash == shipped
    assert DataSet.open(tmp_path / "b").content_hash != shipped
    one, two = (people._draw_person(0, 2026), people._draw_person(0, 2026))
    assert np.array_equal(one.style.harmonics, two.style.harmonics)
