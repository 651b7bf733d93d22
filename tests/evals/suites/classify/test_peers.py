"""What users would pick instead, on windows whose right answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.evals.suites.classify import peers
from tool_use_om.evals.suites.classify.peers import (
    CLASSIFIERS,
    RawWindows,
    dtw_distances,
    euclidean_distances,
    peer,
)


def windows(values: np.ndarray, lengths: np.ndarray | None = None) -> RawWindows:
    full = np.full(len(values), values.shape[2])
    return RawWindows(values=values, lengths=full if lengths is None else lengths)


def waves(n: int, seed: int) -> tuple[RawWindows, np.ndarray]:
    """Return slow and fast waves in two channels, and what each is."""
    rng = np.random.default_rng(seed)
    t = np.arange(60) / 60
    names = np.array(["slow", "fast"])[np.arange(n) % 2]
    hz = np.where(names == "slow", 2.0, 9.0)
    phase = rng.uniform(0, 2 * np.pi, n)
    wave = np.sin(2 * np.pi * hz[:, None] * t + phase[:, None])
    noise = rng.normal(0, 0.1, (n, 2, 60))
    return windows(np.stack([wave, wave], axis=1) + noise), names


@pytest.mark.parametrize("name", ["minirocket", "hydra", "catch22"])
def test_classifiers_tell_slow_waves_from_fast_ones(name: str) -> None:
    """At any phase, in windows they have not seen, and alike for the same seed."""
    (train, y), (test, truth) = waves(24, 0), waves(20, 1)
    said = peer(name)(train, y, test, 0)
    assert (said == truth).mean() >= 0.9
    assert list(said) == list(peer(name)(train, y, test, 0))


def test_euclidean_distances_are_those_of_a_plain_loop() -> None:
    """Over all channels and samples."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 2, 7)), rng.normal(size=(4, 2, 7))
    found = euclidean_distances(windows(a), windows(b))
    by_hand = [[np.sqrt(((x - z) ** 2).sum()) for z in b] for x in a]
    assert found == pytest.approx(np.array(by_hand))


def test_dtw_is_zero_for_a_shift_within_its_band_and_not_beyond() -> None:
    """A step two samples later is the same under a band of 10 % of 40, ten samples later not."""

    def step(at: int) -> np.ndarray:
        return (np.arange(40) >= at).astype(float)[None, None]

    near, far = (dtw_distances(windows(step(20)), windows(step(20 + by))) for by in (2, 10))
    assert near[0, 0] == pytest.approx(0.0)
    assert far[0, 0] > 1.0


def test_dtw_cuts_windows_to_what_was_measured() -> None:
    """Zeros behind the measured length do not count."""
    rng = np.random.default_rng(0)
    whole = rng.normal(size=(1, 1, 30))
    padded = np.concatenate([whole, np.zeros((1, 1, 10))], axis=2)
    long = windows(np.concatenate([whole, rng.normal(size=(1, 1, 10))], axis=2))
    cut = windows(padded, np.array([30]))
    assert dtw_distances(cut, cut)[0, 0] == pytest.approx(0.0)
    assert dtw_distances(cut, long)[0, 0] > 0.0


def test_dtw_that_would_take_too_long_is_left_out_with_its_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reason is a sentence for the table, not minutes of waiting."""
    monkeypatch.setattr(peers, "MOST_DTW_CELLS", 1e3)
    with pytest.raises(DataError, match="left out: 5 x 5 windows of 60 samples"):
        peer("nn_dtw")(waves(5, 0)[0], waves(5, 0)[1], waves(5, 1)[0], 0)


@pytest.mark.parametrize("name", ["nn_dtw", "nn_euclidean"])
def test_nearest_neighbours_give_a_window_back_its_own_label(name: str) -> None:
    """Asked about what it learned, a nearest neighbour is always right."""
    train, y = waves(10, 0)
    assert list(peer(name)(train, y, train, 0)) == list(y)


def test_an_unknown_peer_is_met_with_the_nearest_name() -> None:
    """A slip of the pen."""
    with pytest.raises(NotFoundError, match="minirocket"):
        peer("minirokect")


@pytest.mark.parametrize("name", sorted(CLASSIFIERS))
def test_without_aeon_a_peer_says_how_to_get_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setattr(peers, "find_spec", lambda _name: None)
    with pytest.raises(DataError, match=r"tool-use-om\[raw\]"):
        peer(name)
