"""The main job, tool by tool on the real sample: what each finds is checked against the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tool_use_om.data.catalog import open_dataset
from tool_use_om.data.errors import DataError
from tool_use_om.data.show.figure import read_figure
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool

Ran = tuple[ToolContext, list[Any]]
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("show_session_stats", {"dataset": "basic-motions"}),
    ("select_channels", {"channels": ["accelerometer"]}),
    ("select_tokenizer", {}),
    ("configure_tokenizer", {}),
    ("select_channels_for_encoding", {}),
    ("select_task_head", {"task": "classify"}),
    ("run_task", {"target_label": "walking"}),
    ("interpret_results", {}),
    ("select_task_head", {"task": "forecast"}),
    ("configure_head", {"params": {"dims": 16}}),
    ("run_task", {"target_label": "walking", "target_channels": ["acc"], "horizon_s": 5}),
    ("interpret_results", {}),
]


@pytest.fixture(scope="module")
def path(sample_workspace: Path) -> Ran:
    """Run the steps once; the tests below look at what came."""
    ctx = ToolContext(workspace=Workspace.at(sample_workspace))
    working_set, outcomes = WorkingSet(), []
    for name, args in STEPS:
        outcomes.append(run_tool(name, args, ctx, working_set))
        working_set = outcomes[-1].working_set
    return ctx, outcomes


def test_content_is_short_json_and_part_of_the_stored_result(path: Ran) -> None:
    """What the model sees is small, and each of its pointers leads to the same stored value."""
    ctx, outcomes = path
    for outcome in outcomes:
        assert len(json.dumps(outcome.content, allow_nan=False)) < 5000
        stored = ctx.results.get(outcome.content["result_id"]).data
        for key, value in outcome.content.items():
            assert key == "result_id" or stored[key] == value


def test_defaults_say_why(path: Ran) -> None:
    """Settings nobody named follow from the data by a rule that is told."""
    _, outcomes = path
    tokenizer, config = outcomes[2].content, outcomes[3].content
    assert tokenizer["tokenizer"] == "moment-tiny"
    assert not any(
        o["available"] for o in tokenizer["alternatives"] if "not on this" in o["why_not"]
    )
    assert (config["window_s"], config["stride_s"], config["patches_per_window"]) == (4.0, 2.0, 5)
    assert "10 Hz" in config["why"]
    assert outcomes[5].content["head"] == "prototypes"
    assert outcomes[5].content["labels_per_class_available"]["walking"] == 6


def test_classification_finds_walking_in_the_held_out_sessions(path: Ran) -> None:
    """Nearly all walking is found where the labels have it, with measured coverage."""
    ctx, outcomes = path
    content = outcomes[6].content
    assert content["judged_on"] == {"split": "test", "n_sessions": 40, "unit": "sessions"}
    assert content["metrics"]["accuracy"]["value"] > 0.9
    assert content["metrics"]["accuracy"]["lower"] > content["chance"]["accuracy"]
    assert content["target"]["recall"] > 0.9
    assert 0.85 < content["coverage"]["empirical"] <= 1.0
    truth = open_dataset("basic-motions", ctx.workspace).labels().set_index("session_id")["label"]
    for row in content["segments"]:
        assert row["session_id"].startswith("bm-test-")
        assert 0 <= row["start_s"] < row["end_s"] <= 10
        right = truth[row["session_id"]] == "walking"
        assert row["confirmed_frac"] == (1.0 if right else 0.0)
    confidences = [row["confidence"] for row in content["segments"]]
    assert confidences == sorted(confidences, reverse=True)


def test_interpretation_measures_the_walking_rhythm(path: Ran) -> None:
    """Cadence, nearest examples and what would change the answer are computed, with seconds."""
    content = path[1][7].content
    assert 0.5 < content["cadence_hz"]["median"] < 1.2
    assert content["cadence_hz"]["lower"] <= content["cadence_hz"]["median"]
    assert content["period_s"] == pytest.approx(1 / content["cadence_hz"]["median"], rel=1e-4)
    assert {c["channel"] for c in content["salient_channels"]} == {
        "accelerometer.x",
        "accelerometer.y",
        "accelerometer.z",
    }
    assert content["nearest_prototypes"][0]["label"] == "walking"
    assert content["nearest_prototypes"][0]["session_id"].startswith("bm-train-")
    assert content["what_would_change"]["label"] != "walking"


def test_forecast_continues_the_found_stretches_for_five_seconds(path: Ran) -> None:
    """The forecast starts where the found walking ends, and is measured beside the baseline."""
    _, outcomes = path
    found, content = outcomes[6], outcomes[10].content
    assert content["forecasts_from"] == f"stretches found by {found.content['result_id']}"
    assert content["n_forecasts"] == found.content["n_segments"]
    ends = {r["session_id"]: r["end_s"] for r in found.result.data["detail"]["segments"]}
    for row in content["forecasts"]:
        assert row["start_s"] == ends[row["session_id"]]
        assert row["end_s"] - row["start_s"] == pytest.approx(5.0)
        assert row["lower"] < row["mean"] < row["upper"]
    mae = content["metrics"]["mae"]
    assert mae["unit"] == "a.u."
    assert mae["lower"] <= mae["value"] <= mae["upper"]
    assert content["beats_baseline"] == (content["difference"]["upper"] < 0)
    assert 0.75 < content["coverage"]["empirical"] <= 1.0


def test_forecast_series_has_each_sample_of_the_horizon(path: Ran) -> None:
    """The stored series counts seconds from the session's start, one value a sample."""
    series = path[1][10].result.data["detail"]["series"][0]
    assert len(series["time_s"]) == len(series["median"]) == len(series["upper"]) == 50
    assert series["time_s"][1] - series["time_s"][0] == pytest.approx(0.1)


def test_forecast_interpretation_names_trend_and_season(path: Ran) -> None:
    """Trend carries its unit a second; the season agrees with the cadence found before."""
    _, outcomes = path
    content = outcomes[11].content
    assert {row["unit"] for row in content["trend"]} == {"a.u./s"}
    cadence = outcomes[7].content["cadence_hz"]["median"]
    assert content["season_hz"]["median"] == pytest.approx(cadence, rel=0.2)


def test_figures_are_drawn(path: Ran) -> None:
    """Both runs leave their figures beside the result."""
    _, outcomes = path
    found = {"timeline.figure.json", "confusion.figure.json"}
    assert set(outcomes[6].result.figures) == found
    forecast = {"forecast.figure.json", "backtest.figure.json"}
    assert set(outcomes[10].result.figures) == forecast
    timeline = read_figure(outcomes[6].result.folder / "timeline.figure.json")
    (panel,) = timeline.panels
    assert len(panel.rows) == 40  # every held-out session, those found first
    assert all(row.text for row in panel.rows[:10])
    assert not any(part for row in panel.rows[10:] for part in row.parts)
    ahead = read_figure(outcomes[10].result.folder / "forecast.figure.json")
    for one in ahead.panels:
        before, forecast_line = one.lines
        assert before.x[-1] < one.now <= forecast_line.x[0]
        assert len(one.bands[0].low) == len(forecast_line.x)


def test_a_run_repeated_has_the_same_id(path: Ran) -> None:
    """Everything but the seconds is the same the second time."""
    ctx, outcomes = path
    again = run_tool("run_task", STEPS[6][1], ctx, outcomes[5].working_set)
    assert again.content["result_id"] == outcomes[6].content["result_id"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            {"target_label": "walking", "horizon_s": 45},
            r"`horizon_s` must be in \(0, 8.4\], got 45",
        ),
        ({"target_label": "swimming"}, "Unknown label 'swimming'"),
        ({"target_channels": ["magnetometer"]}, "Unknown channel"),
    ],
)
def test_forecast_refuses_what_cannot_be(path: Ran, args: dict[str, Any], message: str) -> None:
    """A horizon too long or an unknown name says what is valid."""
    ctx, outcomes = path
    with pytest.raises((DataError, LookupError), match=message):
        run_tool("run_task", args, ctx, outcomes[8].working_set)


def test_classification_refuses_sessions_it_was_fitted_on(path: Ran) -> None:
    """Sessions that were fitted on are refused with a way out."""
    ctx, outcomes = path
    args = {"target_label": "walking", "sessions": ["train 21"]}
    with pytest.raises(DataError, match="None of the asked sessions is held"):
        run_tool("run_task", args, ctx, outcomes[5].working_set)


def test_classification_says_how_sure_it_is(path: Ran) -> None:
    """Coverage, abstention with the accuracy of the rest, and the drift test are in the result."""
    content = path[1][6].content
    assert content["coverage"]["by"] == "all labels together"
    assert content["coverage"]["n_calibration_sessions"] == 40
    abstention = content["abstention"]
    assert abstention["max_set_size"] == 1
    assert 0.0 <= abstention["abstained_frac"] <= 1.0
    assert abstention["accuracy_answered"]["value"] >= content["metrics"]["accuracy"]["value"]
    assert content["drift"]["between"] == ["calibration", "test"]
    assert content["drift"]["drifted"] == (content["drift"]["p_value"] <= 0.05)
    warned = any(note.startswith("Drift:") for note in content["notes"])
    assert warned == content["drift"]["drifted"]


def test_a_horizon_that_leaves_little_room_shortens_the_context_and_says_so(path: Ran) -> None:
    """Seven seconds ahead in ten-second sessions leaves 2.4 s of context: told in the notes."""
    ctx, outcomes = path
    args = {"target_label": "walking", "target_channels": ["acc x"], "horizon_s": 7}
    content = run_tool("run_task", args, ctx, outcomes[8].working_set).content
    assert content["context_s"] == pytest.approx(2.4)
    assert "must hold it and the horizon of 7 s" in content["notes"][0]
