"""Splits: by subject, the same every time, every class everywhere it can be."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.splits import (
    default_sizes,
    gap_of,
    split_by_label,
    split_in_order,
    split_in_time,
    split_subjects,
    unlearnable,
)


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


@settings(max_examples=60, deadline=None)
@given(n=st.integers(24, 5000), rate=st.sampled_from([1 / 3600, 1.0, 50.0]))
def test_split_in_time_leaves_a_gap_and_tests_on_the_end(n: int, rate: float) -> None:
    """Blocks come in order, apart by the gap, and the last one ends where the series ends."""
    duration = n / rate
    blocks = split_in_time(duration, rate)
    assert [b.split for b in blocks] == ["train", "calibration", "test"]
    assert (blocks[0].start_s, blocks[-1].end_s) == (0.0, duration)
    gap = gap_of(duration, rate)
    for before, after in pairwise(blocks):
        assert before.end_s < after.start_s
        assert after.start_s - before.end_s == pytest.approx(gap, abs=1.01 / rate)
    assert gap <= 0.1 * duration + 1e-9


def test_split_in_time_does_not_cut_what_is_too_short() -> None:
    """A session of a few samples trains whole."""
    (block,) = split_in_time(3.0, 1.0)
    assert (block.start_s, block.end_s, block.split) == (0.0, 3.0, "train")


def test_split_in_time_gives_every_label_to_training_and_test() -> None:
    """Three activities one after the other are each cut, not dealt to one split each."""
    labels = [(0.0, 300.0, "sit"), (300.0, 600.0, "walk"), (600.0, 900.0, "run")]
    blocks = split_in_time(900.0, 10.0, labels)
    for split in ("train", "calibration", "test"):
        held = {
            label
            for start, end, label in labels
            for b in blocks
            if b.split == split and min(end, b.end_s) > max(start, b.start_s)
        }
        assert held == {"sit", "walk", "run"}


def test_split_by_label_cuts_each_labels_sessions() -> None:
    """Sessions sorted by class: every class in every split, the last of each in the test."""
    labels = {f"{c}{i}": [c] for c in "abc" for i in range(10)}
    splits = split_by_label(labels)
    for c in "abc":
        assert [splits[f"{c}{i}"] for i in range(10)] == (
            ["train"] * 6 + ["calibration"] * 2 + ["test"] * 2
        )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("abcdef"), min_size=3, max_size=40))
def test_split_by_label_never_tests_on_a_label_it_did_not_learn(classes: list[str]) -> None:
    """A class with one session is in training, whatever the order of sessions."""
    splits = split_by_label({f"s{i:02d}": [c] for i, c in enumerate(classes)})
    learnt = {c for i, c in enumerate(classes) if splits[f"s{i:02d}"] == "train"}
    assert learnt == set(classes)


def test_unlearnable_names_what_cannot_be_judged() -> None:
    """Labels absent from training, and those that no test part has, are named."""
    notes = unlearnable({"train": {"a", "b"}, "calibration": set(), "test": {"b", "c"}})
    assert any("'c'" in n and "cannot be learnt" in n for n in notes)
    assert any("'a'" in n and "not judged" in n for n in notes)
    assert not unlearnable({"train": {"a"}, "calibration": set(), "test": {"a"}})
