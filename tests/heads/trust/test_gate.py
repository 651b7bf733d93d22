"""A fallback answers only when it is clearly better, group by group."""

from __future__ import annotations

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.heads.trust.gate import decide

GROUPS = np.repeat([f"s{i}" for i in range(20)], 5)


def _hits(share: float, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).uniform(size=100) < share).astype(float)


def test_gate_escalates_when_a_fallback_is_clearly_better() -> None:
    """Ninety right against sixty, on twenty sessions, leaves no doubt."""
    gate = decide("probe", {"probe": _hits(0.6, 0), "rocket": _hits(0.95, 1)}, GROUPS)
    assert gate.escalated
    assert gate.chosen == "rocket"
    assert gate.difference.lower > 0
    assert "rocket answers" in gate.why("accuracy")


@pytest.mark.parametrize("share", [0.8, 0.82, 0.5])
def test_gate_keeps_the_head_when_the_fallback_is_not_clearly_better(share: float) -> None:
    """Equal, a little better or worse: the head on tokens answers, and both are shown."""
    gate = decide("probe", {"probe": _hits(0.8, 0), "rocket": _hits(share, 1)}, GROUPS)
    assert gate.chosen == "probe"
    assert not gate.escalated
    assert set(gate.scores) == {"probe", "rocket"}
    assert "probe answers" in gate.why("accuracy")


def test_gate_counts_groups_not_windows() -> None:
    """Two sessions of fifty windows that disagree decide nothing; a hundred sessions do."""
    own, rocket = np.zeros(100), np.concatenate([np.ones(50), np.zeros(50)])
    two = np.repeat(["a", "b"], 50)
    each = np.arange(100).astype(str)
    assert not decide("probe", {"probe": own, "rocket": rocket}, two).escalated
    assert decide("probe", {"probe": own, "rocket": rocket}, each).escalated


def test_gate_takes_the_lower_of_errors() -> None:
    """For a loss the fallback must be lower; the difference stays positive in its favour."""
    rng = np.random.default_rng(0)
    low, high = rng.uniform(0, 1, 100), rng.uniform(1, 2, 100)
    gate = decide("ssm", {"ssm": high, "rlinear": low}, GROUPS, higher_is_better=False)
    assert gate.chosen == "rlinear"
    assert gate.difference.value == pytest.approx(float((high - low).mean()))
    assert list(gate.scores) == ["rlinear", "ssm"]


def test_gate_judges_windows_that_all_have_scored() -> None:
    """A window one candidate could not judge counts for none."""
    own = np.array([0.0, 0.0, np.nan, 1.0])
    gate = decide("probe", {"probe": own, "rocket": np.ones(4)}, np.array(list("abcd")))
    assert gate.scores["rocket"].n == 3


def test_gate_raises_without_anything_to_compare() -> None:
    """No fallback, or no common window, is refused."""
    with pytest.raises(DataError, match="at least one fallback"):
        decide("probe", {"probe": np.ones(3)}, np.array(list("abc")))
    with pytest.raises(DataError, match="no held-out window"):
        decide("probe", {"probe": np.full(2, np.nan), "r": np.ones(2)}, np.array(list("ab")))
