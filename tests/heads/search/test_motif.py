"""Motifs: exact distances, and pairs that repeat found among stretches that do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.heads.numeric.distance_profile import Signal
from tool_use_om.heads.registry import make_head

LENGTH = 24


def _signal(samples: list[np.ndarray], length: int = LENGTH) -> Signal:
    names = [f"s{i:03d}" for i in range(len(samples))]
    return Signal(names, samples, rate_hz=10.0, length=length)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Each channel to mean 0 and deviation 1, then the sum of squares, by the definition."""
    shaped = [(s - s.mean(axis=1, keepdims=True)) / s.std(axis=1, keepdims=True) for s in (a, b)]
    return float(((shaped[0] - shaped[1]) ** 2).sum())


def test_profile_agrees_with_distances_one_by_one() -> None:
    """Over two sessions and two channels, each distance is that of its definition."""
    rng = np.random.default_rng(0)
    sessions = [5.0 + 3.0 * rng.normal(size=(2, n)).cumsum(axis=1) for n in (60, 41)]
    signal = _signal(sessions)
    found = signal.profile(signal.sample("s001", 0.3))
    query = sessions[1][:, 3 : 3 + LENGTH]
    for session, samples in zip(signal.sessions, sessions, strict=True):
        for start in range(samples.shape[1] - LENGTH + 1):
            at = signal.sample(session, start / 10.0)
            assert signal.place(at) == (session, pytest.approx(start / 10.0))
            if session == "s001" and abs(start - 3) < LENGTH:
                assert np.isinf(found[at])
            else:
                expected = _distance(query, samples[:, start : start + LENGTH])
                assert found[at] == pytest.approx(expected, abs=1e-7)
    assert np.isfinite(found).sum() == 60 - LENGTH + 1


def test_profile_leaves_out_gaps_and_what_does_not_move() -> None:
    """A stretch with a missing sample or a flat one is far from everything, never NaN."""
    x = np.random.default_rng(0).normal(size=(1, 150))
    x[0, 40], x[0, 80:120] = np.nan, 2.0
    signal = _signal([x])
    found = signal.profile(0)
    assert np.isinf(found[17:41]).all()
    assert np.isinf(found[80:97]).all()
    assert np.isfinite(found[41:60]).all()
    assert np.isinf(signal.profile(85)).all()


def test_best_near_finds_the_exact_start_of_a_repeated_stretch() -> None:
    """A guess some samples off comes to the pair itself, at distance 0."""
    x = np.random.default_rng(0).normal(size=(1, 200)).cumsum(axis=1)
    x[0, 130 : 130 + LENGTH] = 4.0 + 2.0 * x[0, 50 : 50 + LENGTH]
    squared, a, b = _signal([x]).best_near(55, 134, 8)
    assert (a, b) == (50, 130)
    assert squared == pytest.approx(0.0, abs=1e-6)


def test_signal_refuses_a_length_no_session_has() -> None:
    """A stretch longer than all sessions, and an unknown session, are said."""
    with pytest.raises(DataError, match="4 to 20 samples"):
        _signal([np.zeros((1, 20))], length=21)
    with pytest.raises(NotFoundError, match="s000"):
        _signal([np.zeros((1, 30))]).sample("s009", 0.0)


@pytest.fixture
def planted(
    make_windows: Callable[..., Any], patch_tokens: Callable[..., Any]
) -> tuple[Any, Signal]:
    """Two noisy sessions; 2.4 s of the first come again in the second, 3 s after its start."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 1, 400))
    x[1, 0, 30:54] = 3.0 + 2.0 * x[0, 0, 203:227] + rng.normal(0, 0.1, 24)
    windows = make_windows(x, 48, 1)
    return patch_tokens(windows), _signal(list(x))


def test_motif_finds_what_is_repeated(planted: tuple[Any, Signal]) -> None:
    """The best pair is the planted one, in seconds; the next ones overlap nothing found before."""
    tokens, signal = planted
    head: Any = make_head("motif", length_s=2.4, seeds=16).fit(tokens)  # type: ignore[attr-defined]
    assert head.length_s_ == pytest.approx(2.4)
    first, *others = head.motifs(signal, 3)
    assert (first.first.session_id, first.second.session_id) == ("s000", "s001")
    assert first.first.start_s == pytest.approx(20.3)
    assert first.second.start_s == pytest.approx(3.0)
    stretches = [
        signal.x[:, f + a : f + a + 24] for f, a in zip(signal.first, (203, 30), strict=True)
    ]
    assert first.distance**2 == pytest.approx(_distance(*stretches))
    taken = [first.first, first.second]
    for motif in others:
        assert motif.distance >= first.distance
        for new in (motif.first, motif.second):
            for old in taken:
                apart = abs(new.start_s - old.start_s)
                assert new.session_id != old.session_id or apart > 2.4 - 1e-9
        taken += [motif.first, motif.second]


def test_motif_refuses_a_motif_longer_than_the_window(planted: tuple[Any, Signal]) -> None:
    """A motif must fit into the windows it is sought in, and a query must last as long as it."""
    tokens, _ = planted
    with pytest.raises(DataError, match=r"at most 4\.8 s"):
        make_head("motif", length_s=9.0).fit(tokens)  # type: ignore[attr-defined]
