"""Splits: by subject, the same every time, every class everywhere it can be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.splits import default_sizes, split_in_order, split_subjects


def test_split_subjects_puts_every_class_in_every_split_where_it_can() -> None:
    """With one rare class had by just three of nine, each split gets one of the three."""
    counts = {f"s{i}": {"walk": 10} | ({"rare": 2} if i < 3 else {}) for i in range(9)}
    splits = split_subjects(counts, (5, 2, 2), seed=0)
    assert sorted(splits[f"s{i}"] for i in range(3)) == ["calibration", "test", "train"]
    assert list(splits.values()).count("train") == 5


def test_split_subjects_keeps_a_class_of_one_subject_in_training() -> None:
    """A class that only one subject has can be learned: that subject trains."""
    counts = {f"s{i}": {"walk": 10} for i in range(6)} | {"s6": {"walk": 10, "only": 1}}
    assert split_subjects(counts, (3, 2, 2), seed=1)["s6"] == "train"


def test_split_subjects_does_not_depend_on_order() -> None:
    """The same subjects in another order get the same splits."""
    counts = {f"s{i}": {"walk": i + 1} for i in range(8)}
    backwards = dict(reversed(counts.items()))
    assert split_subjects(counts, (4, 2, 2)) == split_subjects(backwards, (4, 2, 2))


def test_split_subjects_refuses_sizes_that_do_not_sum() -> None:
    """Each subject is in exactly one split."""
    with pytest.raises(DataError, match="sum to the 1 subjects"):
        split_subjects({"a": {}}, (1, 1, 1))


@settings(max_examples=30, deadline=None)
@given(n=st.integers(3, 500))
def test_default_sizes_fill_every_split(n: int) -> None:
    """From three on, every split has somebody and training the most or as many."""
    sizes = default_sizes(n)
    assert sum(sizes) == n
    assert min(sizes) >= 1
    assert sizes[0] == max(sizes)


def test_split_in_order_tests_on_the_last() -> None:
    """One subject's sessions are split by time; fewer than three only train."""
    splits = split_in_order([f"d{i}" for i in range(5)])
    assert list(splits.values()) == ["train", "train", "train", "calibration", "test"]
    assert split_in_order(["a", "b"]) == {"a": "train", "b": "train"}
