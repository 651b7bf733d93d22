"""Cells of money: a currency's sign before or behind all numbers is the column's unit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.converters.table.convert import plan_files
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.plan import TablePlan
from tool_use_om.data.errors import DataError


def plan_of(folder: Path, cells: list[str], sign: str = ",", name: str = "takings") -> TablePlan:
    rows = [f"2024-01-{i + 1:02d}{sign}{c}" for i, c in enumerate(cells)]
    text = "\n".join([f"date{sign}{name}", *rows]) + "\n"
    (folder / "mine.csv").write_text(text, encoding="utf-8")
    return plan_files([folder / "mine.csv"], TableOptions(), "mine")


@pytest.mark.parametrize(
    ("form", "sign", "unit"),
    [
        ('"£9,8{i:02d}"', ",", "GBP"),
        ('"$ 9,8{i:02d}.00"', ",", "USD"),
        ("9.8{i:02d},00 €", ";", "EUR"),
        ("98{i:02d} EUR", ";", "EUR"),
        ("USD 98{i:02d}", ",", "USD"),
    ],
)
def test_money_is_a_number_with_its_unit(tmp_path: Path, form: str, sign: str, unit: str) -> None:
    """£9,870 is 9870 GBP; what is said names the column, and a closed day is missing."""
    cells = [form.format(i=i) for i in range(20)]
    plan = plan_of(tmp_path, [*cells, "closed"], sign)
    ((_, values),) = plan.sessions[0].signals.values()
    assert values[:20, 0].tolist() == [9800 + i for i in range(20)]
    assert np.isnan(values[20, 0])
    assert [c.unit for c in plan.modalities[0].channels] == [unit]
    assert f"Unit from the sign of money in the cells: takings {unit}." in plan.notes


def test_losses_keep_their_sign_and_a_unit_in_the_name_goes_first(tmp_path: Path) -> None:
    """-£5 and £-5 are below zero."""
    plan = plan_of(tmp_path, ["-£5", "£-6.50", *[f"£{i}" for i in range(10)]], name="takings (EUR)")
    ((_, values),) = plan.sessions[0].signals.values()
    assert values[:2, 0].tolist() == [-5, -6.5]
    assert [c.unit for c in plan.modalities[0].channels] == ["EUR"]


def test_two_currencies_in_one_column_are_no_numbers(tmp_path: Path) -> None:
    """£5 and $5 do not add up: the column is text."""
    cells = [f"{'£$'[i % 2]}{i}.5{i}" for i in range(20)]
    with pytest.raises(DataError, match="channels"):
        plan_of(tmp_path, cells)
