"""What all suites share: settings stated once, items of cells, rows of what cannot be measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.registry import SUITES, suite_class
from tool_use_om.evals.report import Row, Table
from tool_use_om.evals.runner import run_suite
from tool_use_om.evals.suites.base import PICKS, CellSuite, DataSettings, Settings

SET = "basic-motions"


class CountSettings(DataSettings):
    factor: int = Field(2, ge=1, description="Times.")
    only: tuple[str, ...] = Field((), json_schema_extra=PICKS)


class CountSuite(CellSuite):
    """Counts the letters of a split's name; the calibration split cannot be counted."""

    name = "count"
    takes: ClassVar[type[Settings]] = CountSettings
    asked: CountSettings
    fields = ("data", "split")
    fixed: ClassVar[dict[str, object]] = {"alphabet": "latin"}

    def cells(self, name: str) -> Iterable[tuple[str]]:
        assert name == SET
        splits = ("train", "calibration", "test")
        return [(f"{s}@v2",) for s in splits if not self.asked.only or s in self.asked.only]

    def about(self, row: Row) -> Row:
        return {"length": len(row["split"])}

    def measure(self, row: Row) -> Row:
        if row["split"] == "calibration":
            raise DataError("not counted")
        return {"count": row["length"] * self.asked.factor}

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        cells = tuple({"split": r["split"], "n": str(r.get("count", r["error"]))} for r in rows)
        return [Table(title="Counts", note=self.content_note(SET), rows=cells)]


@pytest.fixture
def place(sample_workspace: Path) -> Workspace:
    return Workspace.at(sample_workspace)


def test_items_are_cells_and_rows_are_told_by_their_names(place: Workspace) -> None:
    """What stands behind an @ tells runs apart and is no part of a row."""
    suite = CountSuite(workspace=place, data=[SET], factor=3)
    assert suite.items() == [f"{SET}/{s}@v2" for s in ("train", "calibration", "test")]
    assert suite.run(f"{SET}/test@v2") == {
        "data": SET, "split": "test", "error": None, "length": 4, "count": 12,
    }  # fmt: skip


def test_what_cannot_be_measured_says_why_and_keeps_what_is_known(place: Workspace) -> None:
    """A row with an error has the cell's names and sizes, and no figure."""
    row = CountSuite(workspace=place).run(f"{SET}/calibration")
    assert row == {"data": SET, "split": "calibration", "error": "not counted", "length": 11}


def test_settings_are_data_by_content_fixed_ones_and_no_choice_of_items(place: Workspace) -> None:
    """Runs that differ in what they pick go on with one another; the seed stands last."""
    suite = CountSuite(workspace=place, only=["test"])
    (content,) = suite.settings["data"].values()
    assert content == suite.sets[SET].content_hash
    assert set(suite.settings) == {"data", "factor", "alphabet", "seed"}
    assert list(suite.asked.shown()) == ["data", "factor", "only", "seed"]
    assert suite.items() == [f"{SET}/test@v2"]


def test_a_run_goes_on_with_other_picks_and_not_with_other_settings(
    place: Workspace, tmp_path: Path
) -> None:
    """Items measured before are kept; another factor is another run, and the error names it."""
    run_suite(CountSuite(workspace=place, only=["test"]), tmp_path, command="c")
    report = run_suite(CountSuite(workspace=place), tmp_path, command="c")
    assert len((tmp_path / "items.jsonl").read_text().splitlines()) == 3
    assert "| calibration | not counted |" in report.read_text()
    with pytest.raises(DataError, match="factor"):
        run_suite(CountSuite(workspace=place, factor=4), tmp_path, command="c")


@pytest.mark.parametrize(
    ("given", "said"),
    [({"factor": 0}, "factor"), ({"facotr": 2}, "facotr"), ({"data": []}, "data"),
     ({"seed": -1}, "seed")],
)  # fmt: skip
def test_settings_that_there_are_not_or_out_of_bounds_are_refused(
    place: Workspace, given: dict[str, object], said: str
) -> None:
    """The error names the suite and the setting."""
    with pytest.raises(DataError, match=f"'count'.*{said}"):
        CountSuite(workspace=place, **given)


def test_a_data_set_named_twice_is_measured_once(place: Workspace) -> None:
    """Each item has its own id."""
    suite = CountSuite(workspace=place, data=[SET, SET])
    assert len(suite.items()) == len(set(suite.items())) == 3


def test_a_missing_data_set_is_named_with_the_nearest(place: Workspace) -> None:
    """A slip of the pen is met before anything is measured."""
    with pytest.raises(NotFoundError, match=SET):
        CountSuite(workspace=place, data=["basic-motion"])


@pytest.mark.parametrize("name", sorted(SUITES))
def test_every_suite_states_its_settings_with_help_and_bears_its_name(name: str) -> None:
    """The registry's name is the suite's; no setting is without a sentence."""
    suite = suite_class(name)
    assert suite.name == name
    assert all(field.description for field in suite.takes.stated().values())
    assert list(suite.takes.stated())[-1] == "seed"
