"""Texts among numbers: few are taken as missing, and said; what may be a value is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.converters.table.convert import plan_files
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.plan import TablePlan
from tool_use_om.data.errors import DataError


def plan_of(folder: Path, cells: list[str], name: str = "pulse") -> TablePlan:
    rows = [f"{i},{cell},{i}" for i, cell in enumerate(cells)]
    (folder / "mine.csv").write_text("\n".join([f"t,{name},x", *rows]) + "\n")
    return plan_files([folder / "mine.csv"], TableOptions(), "mine")


def values_of(plan: TablePlan) -> np.ndarray:
    ((_, values),) = plan.sessions[0].signals.values()
    return np.asarray(values[:, 0])


@pytest.mark.parametrize("mark", ["---", "-", "n/a", "refused", "err", "*", "?"])
def test_a_few_marks_among_numbers_are_missing_values_and_said(tmp_path: Path, mark: str) -> None:
    """Three of forty cells: those are missing, the others keep their numbers."""
    cells = [mark if i in {4, 9, 30} else f"{60 + i}.5" for i in range(40)]
    plan = plan_of(tmp_path, cells)
    values = values_of(plan)
    assert np.flatnonzero(np.isnan(values)).tolist() == [4, 9, 30]
    assert values[5] == 65.5
    assert f"3 cells {mark!r} of pulse are taken as missing." in plan.notes


@pytest.mark.parametrize(
    "odd",
    [
        dict.fromkeys(range(0, 40, 5), "off"),  # a fifth of the cells
        {4: "<0.1"},  # a value, below what is measured
        {4: "12a"},
        {1: "a", 2: "b", 3: "c", 4: "d", 5: "e"},
    ],
)
def test_text_that_may_be_a_value_is_refused(tmp_path: Path, odd: dict[int, str]) -> None:
    """Much text, many texts and text with digits are shown instead of being dropped."""
    cells = [odd.get(i, f"{i}.5") for i in range(80 if len(odd) == 5 else 40)]
    with pytest.raises(DataError, match="not numeric"):
        plan_of(tmp_path, cells)


def test_a_rare_state_among_numbers_stays_a_label(tmp_path: Path) -> None:
    """A column named state with 0, 1 and a rare "fault" is a label, nothing of it is missing."""
    cells = ["0"] * 40 + ["fault"] * 4 + ["1"] * 40
    plan = plan_of(tmp_path, cells, "state")
    assert [label for _, _, label, _ in plan.sessions[0].labels] == ["0", "fault", "1"]


def test_numbers_with_a_suffix_are_scaled_and_said(tmp_path: Path) -> None:
    """2.1K is 2100 and 1.5M is 1 500 000; percents keep their number."""
    cells = ["1.5M" if i == 3 else f"{i + 1}.1K" for i in range(30)]
    plan = plan_of(tmp_path, cells, "Vol.")
    assert values_of(plan)[[1, 3]].tolist() == pytest.approx([2100.0, 1.5e6])
    assert "Vol. is written with K, M: read as thousands, millions." in plan.notes
    plan = plan_of(tmp_path, [f"-{i}.25%" for i in range(30)], "Change %")
    assert values_of(plan)[7] == -7.25
    assert "Change % is written with %: read as percent." in plan.notes


def test_kelvin_is_no_thousand(tmp_path: Path) -> None:
    """293K of a temperature is not 293 000: the column is left out as text."""
    plan = plan_of(tmp_path, [f"{293 + i}K" for i in range(30)], "temperature")
    assert [c.name for c in plan.modalities[0].channels] == ["x"]
