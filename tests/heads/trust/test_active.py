"""Each kind of window is asked about once before any is asked about twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.heads.trust.active import Pick, _queue, margins, one_a_session, pick_windows


@pytest.fixture
def three_kinds(tokens: Any) -> Any:
    """24 windows: 15 of one kind, 6 of another, 3 of a third, hardly any spread within."""
    rng = np.random.default_rng(0)
    kind = np.repeat([0.0, 20.0, -20.0], [15, 6, 3])
    values = kind[:, None, None, None] + rng.normal(0, 0.1, tokens.values.shape)
    return replace(tokens, values=values.astype(np.float32), context=tokens.context[..., :0] * 0,
                   context_names=())  # fmt: skip


def test_each_kind_is_picked_once_the_largest_first(three_kinds: Any) -> None:
    """Three labels for three kinds, in the order of what they speak for."""
    picks = pick_windows(three_kinds, 3)
    kinds = [0 if p.index < 15 else 1 if p.index < 21 else 2 for p in picks]
    assert kinds == [0, 1, 2]
    assert [p.group_size for p in picks] == [15, 6, 3]
    assert all(p.margin is None and p.distance is None for p in picks)


def test_kinds_with_a_label_come_last(three_kinds: Any) -> None:
    """What a labelled window speaks for already is not asked about again."""
    rest = [i for i in range(24) if i != 0]
    labelled = three_kinds.select([0])
    picks = pick_windows(three_kinds.select(rest), 2, labelled=labelled)
    assert {1 if p.index < 20 else 2 for p in picks} == {1, 2}
    assert all(rest[p.index] >= 15 for p in picks)
    assert all(p.distance is not None and p.distance > 0 for p in picks)


def test_the_doubtful_window_of_a_kind_is_taken() -> None:
    """Among the typical half of a kind the smallest margin decides, the outer half waits."""
    points = np.array([[0.0], [1.0], [-1.1], [5.0], [-5.2], [6.0]])
    margin = np.array([0.9, 0.2, 0.5, 0.0, 0.1, 0.0])
    rows = np.array([0, 1, 2, 3, 4])  # their middle is -0.06
    assert _queue(points, rows, margin) == [1, 2, 0, 3, 4]
    assert _queue(points, rows, None) == [0, 2, 1, 3, 4]


def test_picks_repeat_and_never_exceed_the_budget(three_kinds: Any) -> None:
    """The same seed gives the same windows, each at most once."""
    picks = pick_windows(three_kinds, 10, seed=3)
    assert picks == pick_windows(three_kinds, 10, seed=3)
    assert len({p.index for p in picks}) == 10
    assert len(pick_windows(three_kinds, 100)) == 24
    with pytest.raises(DataError, match="budget"):
        pick_windows(three_kinds, 0)


def test_margins_are_the_gap_between_the_two_likeliest() -> None:
    """One class alone leaves no doubt."""
    np.testing.assert_allclose(margins(np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])), [0.2, 0.0])
    np.testing.assert_allclose(margins(np.ones((2, 1))), 1.0)


def test_sessions_take_turns() -> None:
    """No session is asked about twice before each proposed one was asked about once."""
    picks = [Pick(index=i, group_size=1, distance=None, margin=None) for i in range(5)]
    sessions = ["a", "a", "b", "a", "c"]
    assert [p.index for p in one_a_session(picks, sessions, 4)] == [0, 2, 4, 1]
