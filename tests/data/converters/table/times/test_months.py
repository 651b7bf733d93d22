"""Months without a day: names and years of two digits, by evidence of their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_use_om.data.converters.table.convert import plan_files
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.plan import TablePlan
from tool_use_om.data.errors import DataError

NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def plan_of(folder: Path, months: list[str]) -> TablePlan:
    rows = [f"{m},{100 + i}" for i, m in enumerate(months)]
    (folder / "mine.csv").write_text("\n".join(["Month,Takings", *rows]) + "\n")
    return plan_files([folder / "mine.csv"], TableOptions(), "mine")


@pytest.mark.parametrize(
    "form", ["{n}-{y:02d}", "{n}.{y:02d}", "{n} {y:02d}", "{n}-20{y:02d}", "{n} 20{y:02d}",
             "20{y:02d}-{m:02d}"],
)  # fmt: skip
def test_months_of_years_are_a_calendar_of_months(tmp_path: Path, form: str) -> None:
    """30 months from January 2015 on, however they are written."""
    months = [form.format(n=NAMES[i % 12], m=i % 12 + 1, y=15 + i // 12) for i in range(30)]
    plan = plan_of(tmp_path, months)
    assert plan.calendar.step == "month"
    assert "from 2015-01 to 2017-06, one row a step of months" in plan.said


def test_years_from_70_on_are_of_the_last_century(tmp_path: Path) -> None:
    """ "Nov-98" to "Feb-01" is four years' turn, not a fall."""
    months = [f"{NAMES[i % 12]}-{(98 + i // 12) % 100:02d}" for i in range(30)]
    assert "from 1998-01 to 2000-06, one row a step of months" in plan_of(tmp_path, months).said


def test_numbers_behind_one_month_may_be_days_and_are_not_guessed(tmp_path: Path) -> None:
    """ "Jan-01", "Jan-02" … may be days of a year that nobody tells."""
    with pytest.raises(DataError, match="No column looks like time"):
        plan_of(tmp_path, [f"Jan-{i + 1:02d}" for i in range(30)])
