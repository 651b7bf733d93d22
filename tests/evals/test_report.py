"""What rows of several suites share, by hand: sums by group, intervals, cells and aims."""

from __future__ import annotations

import numpy as np
import pytest

from tool_use_om.evals.report import (
    aim,
    by_group,
    gap_cell,
    interval,
    markdown_table,
    mean_cell,
    mean_of,
    of_data,
    with_interval,
)

GROUPS = np.array(["b", "a", "b", "a", "c"])
VALUES = np.array([1.0, 2.0, 3.0, np.nan, 5.0])


def test_by_group_keeps_counts_and_sums_in_order_of_names() -> None:
    """By hand: a has one measured window, b two, c one; what was not measured counts nowhere."""
    kept = by_group({"x": VALUES}, GROUPS)
    assert kept == {"n": {"x": [1, 2, 1]}, "sum": {"x": [2.0, 4.0, 5.0]}}


def test_mean_is_over_windows_and_a_group_drawn_twice_counts_twice() -> None:
    """By hand: (2 + 4 + 5) / 4, and with a drawn twice and no c (2 + 2 + 4) / 4."""
    kept = by_group({"x": VALUES}, GROUPS)
    assert mean_of(kept, "x") == pytest.approx(11 / 4)
    assert mean_of(kept, "x", np.array([0, 0, 1])) == pytest.approx(8 / 4)


def test_mean_of_nothing_is_no_number() -> None:
    """A value that no window has is not 0."""
    kept = by_group({"x": np.full(5, np.nan)}, GROUPS)
    assert np.isnan(mean_of(kept, "x"))


def test_interval_draws_whole_groups() -> None:
    """Windows of one group move together: forty copies of a group make it no surer."""
    rng = np.random.default_rng(0)
    level = rng.normal(size=12)
    few = by_group({"x": level}, np.arange(12))
    many = by_group({"x": np.repeat(level, 40)}, np.repeat(np.arange(12), 40))
    (_, *short), (_, *long) = (
        interval([kept], lambda pick, kept=kept: mean_of(kept, "x", pick)) for kept in (few, many)
    )
    assert short == pytest.approx(long)


def test_interval_holds_its_promise() -> None:
    """Of 95 % intervals over 60 groups about 95 % hold the true mean."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(60):
        kept = by_group({"x": rng.normal(size=60)}, np.arange(60))
        _, low, high = interval([kept], lambda pick, kept=kept: mean_of(kept, "x", pick))
        held += low <= 0.0 <= high
    assert 50 <= held <= 60


def test_interval_repeats_with_its_seed() -> None:
    """The same rows give the same cell, another seed another one."""
    kept = by_group({"x": np.arange(9.0)}, np.arange(9))
    cells = [interval([kept], lambda pick: mean_of(kept, "x", pick), seed) for seed in (0, 0, 1)]
    assert cells[0] == cells[1] != cells[2]


def test_cells_show_the_value_and_its_interval() -> None:
    """One group alone has no spread; digits are as asked."""
    kept = by_group({"x": np.array([0.25, 0.75])}, np.array(["a", "a"]))
    assert mean_cell(kept, "x") == "0.500 [0.500, 0.500]"
    assert mean_cell(kept, "x", 1) == "0.5 [0.5, 0.5]"
    assert with_interval(1 / 3, 0.1, 0.9) == "0.333 [0.100, 0.900]"


def test_gap_is_paired_by_group() -> None:
    """Two methods that differ by 1 everywhere differ by exactly 1, however the groups spread."""
    noise = np.random.default_rng(2).normal(0, 100, 30)
    a, b = (by_group({"x": noise + shift}, np.arange(30)) for shift in (1.0, 0.0))
    assert gap_cell(a, b, "x") == "1.000 [1.000, 1.000]"
    assert gap_cell(b, a, "x") == "-1.000 [-1.000, -1.000]"


@pytest.mark.parametrize(("met", "said"), [(True, "yes"), (False, "no"), (None, "not measured")])
def test_an_aim_says_whether_it_was_met(met: bool | None, said: str) -> None:
    """What was not measured is neither met nor missed."""
    assert aim("at least 1", "0.9", met=met) == {"aim": "at least 1", "reached": "0.9", "met": said}


def test_rows_of_one_data_set_are_those_of_its_name() -> None:
    """A name that starts another one is not it."""
    rows = [{"data": "ett"}, {"data": "ett-h1"}, {"data": "ett"}]
    assert of_data(rows, "ett") == [rows[0], rows[2]]


def test_markdown_table_fills_what_a_row_lacks_and_says_when_there_is_none() -> None:
    """Columns are those of the first row."""
    shown = markdown_table([{"a": "1", "b": "2"}, {"a": "3"}]).splitlines()
    assert shown[2:] == ["| 1 | 2 |", "| 3 |  |"]
    assert markdown_table([]) == "(nothing)"
