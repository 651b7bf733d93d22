"""The head suite, on the sample: real runs of a few items, and the tables over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_use_om.data.errors import NotFoundError
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.head_suite import HeadSuite
from tool_use_om.evals.runner import Row
from tool_use_om.heads.registry import head_specs

SET = "basic-motions"


@pytest.fixture(scope="module")
def suite(sample_workspace: Path) -> HeadSuite:
    return HeadSuite(data=[SET], workspace=Workspace.at(sample_workspace), raw=False, horizon_s=2.0)


@pytest.fixture(scope="module")
def rows(suite: HeadSuite) -> list[Row]:
    """Return the rows of one classifier, of the naive forecaster, and of one that failed."""
    items = [f"{SET}/classify/knn", f"{SET}/forecast/seasonal_naive"]
    failed = {"data": SET, "kind": "few", "head": "knn", "error": "too few labels"}
    return [*(suite.run(i) for i in items), failed]


def test_head_suite_measures_every_registered_head(suite: HeadSuite) -> None:
    """A head that is added to the registry is measured without a change here."""
    items = suite.items()
    assert {f"{SET}/classify/{s.name}" for s in head_specs("classify")} <= set(items)
    assert {f"{SET}/forecast/{s.name}" for s in head_specs("forecast")} <= set(items)


def test_head_suite_scores_far_above_chance_on_held_out_sessions(rows: list[Row]) -> None:
    """The sample's activities are told apart on its test split, with an interval around it."""
    metric = rows[0]["metrics"]["accuracy"]
    assert rows[0]["error"] is None
    assert metric["lower"] <= metric["value"] <= metric["upper"]
    assert metric["value"] > 2 * rows[0]["chance"]["accuracy"]


def test_head_suite_gives_the_naive_forecaster_its_own_baseline(rows: list[Row]) -> None:
    """Against itself, seasonal_naive is exactly as good, and does not beat itself."""
    mase = rows[1]["metrics"]["mase"]
    assert mase["value"] == pytest.approx(mase["baseline"])
    assert not rows[1]["beats_baseline"]


def test_head_suite_tables_say_windows_split_and_failures(
    suite: HeadSuite, rows: list[Row]
) -> None:
    """A reader sees how windows were cut, the split, the data's hash, and what was not measured."""
    classify, few, forecast = suite.tables(rows)
    assert "Windows of 4 s every 2 s at 10 Hz" in classify.note
    assert "Split: " in classify.note
    assert classify.rows[0]["coverage of sets"].endswith("(nominal 0.9)")
    assert "too few labels" in few.rows[0].values()
    assert forecast.rows[0]["beats it clearly"] == "no"


def test_head_suite_refuses_an_unknown_data_set(sample_workspace: Path) -> None:
    """The error lists the nearest data sets."""
    with pytest.raises(NotFoundError, match=SET):
        HeadSuite(data=["basic-motion"], workspace=Workspace.at(sample_workspace))


def test_minirocket_reads_the_very_windows_the_heads_read(suite: HeadSuite) -> None:
    """The raw peer gets the labelled windows of the split, in the order of their labels."""
    from tool_use_om.evals.head_suite import _windows
    from tool_use_om.tools.classify import prepare
    from tool_use_om.tools.context import ToolContext
    from tool_use_om.tools.encoding import Stopwatch

    given = suite._working_set(SET)
    study = prepare(ToolContext(workspace=suite._workspace), given, Stopwatch())
    test = study.test.known()
    raw = _windows(study, given, "test", test)
    assert raw.shape == (len(test), 6, 40)
    means = test.tokens.context[:, :, list(test.tokens.context_names).index("mean")]
    assert raw.mean(axis=2) == pytest.approx(means, abs=1e-3)
