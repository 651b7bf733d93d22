"""Window labels: aligned to the second, as worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.labels import window_labels


def frame(*rows: tuple[str, float, float, str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["session_id", "start_s", "end_s", "label", "set"])


def test_window_labels_match_a_case_worked_by_hand() -> None:
    """Each 4 s window gets the label that covers most of it, if that is at least half.

    Session s: rest 0 to 3, walk 3 to 10 (in two overlapping rows), nothing 10 to 14, run 14 to 20.
    Windows: [0,4) rest 3 s; [2,6) walk 3 s; [1,5) rest 2 and walk 2 s, a tie: by name rest;
    [8,12) walk 2 s is just half; [9,13) walk 1 s is too little; [13,17) run 3 s; [18,22) run 2 s.
    """
    labels = frame(
        ("s", 0, 3, "rest", "act"),
        ("s", 3, 8, "walk", "act"),
        ("s", 6, 10, "walk", "act"),
        ("s", 14, 20, "run", "act"),
        ("other", 0, 20, "swim", "act"),
        ("s", 0, 20, "noise", "quality"),
    )
    start = np.array([0, 2, 1, 8, 9, 13, 18.0])
    got = window_labels(labels, ["s"] * 7, start, start + 4, "act")
    assert got.tolist() == ["rest", "walk", "rest", "walk", None, "run", "run"]


def test_window_labels_do_not_depend_on_the_order_of_the_rows() -> None:
    """Labels that come unsorted say the same as sorted ones."""
    rows = [
        ("s", 14, 20, "run", "act"),
        ("s", 6, 10, "walk", "act"),
        ("t", 0, 8, "rest", "act"),
        ("s", 3, 8, "walk", "act"),
    ]
    start = np.array([2, 6, 14, 2.0])
    got, ordered = (
        window_labels(frame(*given), ["s", "s", "s", "t"], start, start + 4, "act").tolist()
        for given in (rows, sorted(rows))
    )
    assert got == ordered == ["walk", "walk", "run", "rest"]


def test_window_labels_respect_the_wanted_overlap() -> None:
    """A stricter overlap turns a partly covered window into None."""
    labels = frame(("s", 0, 3, "rest", "act"))
    one = np.array([0.0])
    assert window_labels(labels, ["s"], one, one + 4, "act", min_overlap=0.75).tolist() == ["rest"]
    assert window_labels(labels, ["s"], one, one + 4, "act", min_overlap=0.8).tolist() == [None]


def test_window_labels_of_sessions_without_labels_are_none() -> None:
    """A session or label set without rows gives None, not an error."""
    one = np.array([0.0])
    assert window_labels(frame(), ["s"], one, one + 1, "act").tolist() == [None]


def test_window_labels_refuse_what_does_not_align() -> None:
    """Lengths must agree and the overlap must be a share."""
    with pytest.raises(DataError, match="got 2, 1 and 1"):
        window_labels(frame(), ["s", "s"], np.zeros(1), np.ones(1), "act")
    with pytest.raises(DataError, match="min_overlap"):
        window_labels(frame(), ["s"], np.zeros(1), np.ones(1), "act", min_overlap=0)


SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 12), st.sampled_from("ab")), max_size=6
)


@settings(max_examples=60, deadline=None)
@given(spans=SPANS, start=st.integers(0, 30), length=st.integers(1, 10))
def test_window_labels_equal_counting_tenths_of_a_second(
    spans: list[tuple[int, int, str]], start: int, length: int
) -> None:
    """The answer is the one found by counting which tenths of a second each label covers."""
    labels = frame(*[("s", a, a + n, label, "act") for a, n, label in spans])
    ticks = np.arange(start * 10, (start + length) * 10) / 10
    share = {
        name: float(np.mean([any(a <= t < a + n for a, n, k in spans if k == name) for t in ticks]))
        for name in "ab"
    }
    best = max(sorted(share), key=lambda name: share[name])
    expected = best if share[best] >= 0.5 else None
    got = window_labels(labels, ["s"], np.array([start]), np.array([start + length]), "act")
    assert got.tolist() == [expected]
