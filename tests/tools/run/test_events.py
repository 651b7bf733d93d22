"""compare_event_models: a small study through a tool, typed, refused where there is none."""

from __future__ import annotations

import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.data.synthetic.sets.chances import NAME, convert
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool
from tool_use_om.tools.run.compared_events import EventModelsCompared


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ToolContext:
    place = Workspace.at(tmp_path_factory.mktemp("ws"))
    convert(place.folder("datasets") / NAME, days=1200)
    return ToolContext(workspace=place, dataset=NAME)


def test_models_are_ranked_and_judged_on_later_windows(context: ToolContext) -> None:
    asked = {"channel": "high", "threshold": 1.0, "relative": True, "horizon_s": 86400.0}
    outcome = run_tool("compare_event_models", asked, context, WorkingSet())
    content = {k: v for k, v in outcome.content.items() if k != "result_id"}
    found = EventModelsCompared.model_validate(content)
    aucs = [row.auc.value for row in found.rows]
    assert aucs == sorted(aucs, reverse=True)
    assert found.channel == "market.high"
    assert found.best == found.rows[0].model != "base_rate"
    assert all(row.auc.lower <= row.auc.value <= row.auc.upper for row in found.rows)
    base = next(row for row in found.rows if row.model == "base_rate")
    assert not base.beats_base_rate
    assert found.n_windows < found.n_train


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"channel": "price", "threshold": 1.0, "horizon_s": 86400.0}, "no channel"),
        ({"channel": "high", "threshold": 1e9, "horizon_s": 86400.0}, "never comes in the train"),
        ({"channel": "high", "threshold": 1.0, "horizon_s": 5.0}, "shorter than the time between"),
    ],
)
def test_what_cannot_be_studied_is_refused(
    context: ToolContext, asked: dict[str, object], told: str
) -> None:
    with pytest.raises(DataError, match=told):
        run_tool("compare_event_models", asked, context, WorkingSet())
