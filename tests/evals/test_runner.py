"""The runner of all suites: what is finished is kept, what is not is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.evals.registry import SUITES, suite_class
from tool_use_om.evals.report import Row, Table, markdown_table
from tool_use_om.evals.runner import run_suite


class Squares:
    """A suite of three items; it stops at `dies_at`."""

    name = "squares"

    def __init__(self, dies_at: str = "", **settings: Any) -> None:
        self.settings = settings
        self.ran: list[str] = []
        self._dies_at = dies_at

    def items(self) -> Sequence[str]:
        return ["1", "2", "3"]

    def run(self, item: str) -> Row:
        if item == self._dies_at:
            raise KeyboardInterrupt
        self.ran.append(item)
        return {"square": int(item) ** 2, "parts": [item]}

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        cells = tuple({"item": r["item"], "square": str(r["square"])} for r in rows)
        return [Table(title="Squares", note="By hand.", rows=cells)]


def test_runner_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    """Items finished before an interruption are not run again, and are in the report."""
    with pytest.raises(KeyboardInterrupt):
        run_suite(Squares(dies_at="3"), tmp_path, command="c")
    again = Squares()
    report = run_suite(again, tmp_path, command="c")
    assert again.ran == ["3"]
    assert "| 3 | 9 |" in report.read_text()
    assert "| 1 | 1 |" in report.read_text()


def test_runner_runs_an_item_again_whose_line_was_torn(tmp_path: Path) -> None:
    """A line cut by a kill does not count as finished."""
    run_suite(Squares(), tmp_path, command="c")
    kept = tmp_path / "items.jsonl"
    kept.write_bytes(kept.read_bytes()[:-9])
    again = Squares()
    run_suite(again, tmp_path, command="c")
    assert again.ran == ["3"]


def test_runner_refuses_to_go_on_with_other_settings(tmp_path: Path) -> None:
    """Rows of two models never meet in one report; the error names what differs."""
    run_suite(Squares(model="a"), tmp_path, command="c")
    with pytest.raises(DataError, match="model"):
        run_suite(Squares(model="b"), tmp_path, command="c")


def test_runner_prints_the_command_and_keeps_the_rows(tmp_path: Path) -> None:
    """The report says how to get it again; the parquet file has a row an item."""
    report = run_suite(Squares(), tmp_path, command="tuom eval squares --out x")
    assert "`tuom eval squares --out x`" in report.read_text()
    table = pd.read_parquet(tmp_path / "results.parquet")
    assert list(table["square"]) == [1, 4, 9]
    assert list(table["item"]) == ["1", "2", "3"]


def test_markdown_table_keeps_bars_inside_cells() -> None:
    """A bar in a cell does not start a new cell."""
    assert markdown_table([{"a": "x|y"}]).splitlines()[-1] == "| x\\|y |"


def test_registry_loads_every_suite_and_names_the_nearest() -> None:
    """Each registered suite can be imported; a slip of the pen is met with the right name."""
    assert all(suite_class(name) for name in SUITES)
    with pytest.raises(NotFoundError, match="tools"):
        suite_class("tool")
