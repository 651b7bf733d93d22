"""Which stretches are forecast from where there are many."""

from __future__ import annotations

import pytest

from tool_use_om.tools.look.selection import Segment
from tool_use_om.tools.run.forecast.run import evenly


@pytest.mark.parametrize(("n", "most", "kept"), [(3, 4, [0, 1, 2]), (40, 4, [0, 13, 26, 39])])
def test_stretches_are_taken_evenly(n: int, most: int, kept: list[int]) -> None:
    """All of few; of many the first, the last and those evenly between, none twice."""
    every = [Segment(session_id=f"s{i}", start_s=0.0, end_s=1.0) for i in range(n)]
    assert evenly(every, most) == [every[i] for i in kept]


def test_the_default_lets_forty_sessions_through() -> None:
    """A split of forty is forecast whole, not its first two dozen."""
    every = [Segment(session_id=f"s{i}", start_s=0.0, end_s=1.0) for i in range(40)]
    assert evenly(every) == every
