"""The drift test keeps its level by sessions, finds real drift, and says when it cannot tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.heads.trust.drift import drift_test
from tool_use_om.tokenizers.tokens import Tokens


def _part(name: str, n_sessions: int, rng: np.random.Generator, shift: float = 0.0) -> Tokens:
    """Sessions of four windows that differ from one another far more than their windows do."""
    own = rng.normal(shift, 1.0, (n_sessions, 1, 2, 1, 4))
    values = (own + rng.normal(0, 0.2, (n_sessions, 4, 2, 3, 4))).reshape(-1, 2, 3, 4)
    n = len(values)
    start = np.tile(np.arange(4) * 2.0, n_sessions)
    return Tokens(
        values=values.astype(np.float32),
        mask=np.ones((n, 2, 3), dtype=bool),
        start_s=start[:, None] + np.arange(3)[None],
        patch_s=1.0,
        channels=("a.x", "a.y"),
        session_ids=tuple(f"{name}{i // 4:02d}" for i in range(n)),
        window_start_s=start,
        window_s=3.0,
        context=np.zeros((n, 2, 0), dtype=np.float32),
        context_names=(),
    )


def _p_values(shift: float, n: int) -> np.ndarray:
    found = []
    for seed in range(n):
        rng = np.random.default_rng(seed)
        first, second = _part("a", 10, rng), _part("b", 12, rng, shift)
        found.append(drift_test(first, second, n_permutations=99, seed=seed).p_value)
    return np.array(found)


def test_drift_keeps_its_level_when_only_sessions_differ() -> None:
    """Sessions of one source are called drifted as rarely as promised, though they cluster."""
    p = _p_values(0.0, 120)
    assert 0.0 < (p <= 0.05).mean() <= 0.09
    assert 0.4 < p.mean() < 0.6


def test_drift_is_found_when_the_second_part_is_shifted() -> None:
    """A shift of one session spread in every feature is found nearly always, half of it often."""
    assert (_p_values(1.0, 30) <= 0.05).mean() > 0.9
    assert (_p_values(0.5, 30) <= 0.05).mean() > 0.4


def test_drift_agrees_with_counting_by_hand() -> None:
    """The distance is 2 E|a-b| - E|a-a'| - E|b-b'| over pairs of different sessions."""
    from tool_use_om.heads.trust.drift import _energy

    rng = np.random.default_rng(0)
    points = rng.normal(size=7)
    between = np.abs(points[:, None] - points[None])
    a, b = points[:3], points[3:]
    deal = np.array([[1.0, 1, 1, 0, 0, 0, 0]])
    by_hand = (
        2 * np.mean([abs(x - y) for x in a for y in b])
        - np.mean([abs(a[i] - a[j]) for i in range(3) for j in range(3) if i != j])
        - np.mean([abs(b[i] - b[j]) for i in range(4) for j in range(4) if i != j])
    )
    assert _energy(between, deal)[0] == pytest.approx(by_hand)


def test_drift_raises_when_it_cannot_tell() -> None:
    """Too few sessions, a session on both sides and other channels are refused."""
    rng = np.random.default_rng(0)
    first, second = _part("a", 6, rng), _part("b", 6, rng)
    with pytest.raises(DataError, match="at least 4 sessions"):
        drift_test(_part("c", 3, rng), second)
    with pytest.raises(DataError, match="in both"):
        drift_test(first, first)
    other: Any = replace(second, channels=("a.x", "a.z"))
    with pytest.raises(DataError, match="same channels"):
        drift_test(first, other)


def test_drift_does_not_change_its_input_and_repeats() -> None:
    """The same tokens and seed give the same p-value."""
    rng = np.random.default_rng(1)
    first, second = _part("a", 6, rng), _part("b", 6, rng)
    before = first.values.copy()
    assert drift_test(first, second) == drift_test(first, second)
    np.testing.assert_array_equal(first.values, before)
