from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.catalog import open_dataset
from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.show.figure import Figure, read_figure
from tool_use_om.data.show.static import pictured
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet


def test_session_stats_count_the_sample(call: Any) -> None:
    """Sessions, durations, labels and splits are those of the published set."""
    content = call("show_session_stats", dataset="Basic Motions")
    assert content["n_sessions"] == 80
    assert content["duration_s"] == {"min": 10.0, "median": 10.0, "max": 10.0, "total": 800.0}
    assert content["sessions_per_label"] == dict.fromkeys(
        ("badminton", "running", "standing", "walking"), 20
    )
    assert content["sessions_per_split"] == {"calibration": 16, "test": 40, "train": 24}


def test_session_stats_only_count_with_their_filters(call: Any) -> None:
    """Filters given to the count leave the working set as it was; none left counts as zero."""
    assert call("show_session_stats", labels=["walk"], split="test")["n_sessions"] == 10
    assert call("show_session_stats", min_duration_s=30)["n_sessions"] == 0
    assert call.working_set.labels == ()
    assert call("show_session_stats")["n_sessions"] == 80


def test_switching_the_data_set_drops_old_choices(call: Any) -> None:
    """Channels and filters of one data set do not leak into another."""
    call("select_channels", channels=["acc"])
    call.working_set = call.working_set.but(dataset="another")
    call("show_session_stats", dataset="basic-motions")
    assert call.working_set.channels == ()


@pytest.mark.parametrize("statistic", ["variance", "mean", "range"])
def test_channel_stats_equal_those_of_the_samples(
    call: Any, ctx: ToolContext, statistic: str
) -> None:
    """What the index gives for whole sessions is what the samples themselves give."""
    dataset = open_dataset("basic-motions", ctx.workspace)
    ids = dataset.sessions()["session_id"]
    values = np.concatenate([dataset.read(s, ["accelerometer.y"])[0].values for s in ids])
    oracle = {"variance": np.var, "mean": np.mean, "range": np.ptp}[statistic]
    content = call("show_channel_stats", channels=["acc y"], statistic=statistic)
    assert content["rows"][0]["value"] == pytest.approx(
        float(oracle(values.astype(float))), rel=1e-5
    )
    assert content["rows"][0]["n"] == 8000


def test_channel_stats_respect_label_and_time(call: Any, ctx: ToolContext) -> None:
    """With filters set, only samples inside them count."""
    dataset = open_dataset("basic-motions", ctx.workspace)
    running = dataset.labels().query("label == 'running'")["session_id"]
    parts = [dataset.read(s, ["gyroscope.z"], 2.0, 5.0)[0].values for s in running]
    call("filter_by_time", labels=["Running"], start_s=2, end_s=5)
    row = call("show_channel_stats", channels=["gyro z"], statistic="std")["rows"][0]
    assert row["n"] == 20 * 30
    assert row["value"] == pytest.approx(float(np.concatenate(parts).astype(float).std()), rel=1e-5)


def test_channel_stats_by_label_are_sorted_with_highest_and_lowest(call: Any) -> None:
    """Rows come highest first, and the ratio is highest over lowest."""
    content = call("show_channel_stats", by="label", statistic="std", channels=["acc"])
    values = [r["value"] for r in content["rows"]]
    assert values == sorted(values, reverse=True)
    assert len(values) == 12
    assert {content["highest"]["group"], content["lowest"]["group"]} == {"running", "standing"}
    assert content["ratio"] == pytest.approx(values[0] / values[-1], rel=1e-4)


def test_filters_add_up_and_reset(call: Any) -> None:
    """Each call narrows further; reset starts again."""
    assert call("filter_by_time", split="test")["n_sessions"] == 40
    assert call("filter_by_time", labels=["walking"])["n_sessions"] == 10
    assert call("filter_by_time", start_s=4)["total_s"] == 60.0
    assert call("filter_by_time", reset=True)["n_sessions"] == 80


def test_filter_cuts_what_lies_past_the_end_and_says_so(call: Any) -> None:
    """Asking for the first two minutes of ten-second sessions gives all of them, with a note."""
    content = call("filter_by_time", end_s=120)
    assert content["total_s"] == 800.0
    assert "cuts nothing" in content["note"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"start_s": 12}, r"end by 10 s, got 12\. Choose 0 <= start_s < 10"),
        ({"start_s": 5, "end_s": 3}, r"`end_s` must be after `start_s`, got 5 to 3 s"),
        ({"min_duration_s": 30}, r"Nothing is left of 80 sessions.*10 to 10 s"),
    ],
)
def test_filter_refuses_an_empty_selection_and_keeps_the_old(
    call: Any, args: dict[str, float], message: str
) -> None:
    """Nothing left is an error that says what is valid, and the working set stays."""
    before = call.working_set
    with pytest.raises(DataError, match=message):
        call("filter_by_time", **args)
    assert call.working_set == before


@pytest.mark.parametrize(
    ("tool", "args", "named"),
    [
        ("show_session_stats", {"dataset": "basement"}, "Unknown data set 'basement'"),
        ("select_channels", {"channels": ["magnetometer"]}, "Unknown channel"),
        ("filter_by_time", {"labels": ["swimming"]}, "Unknown label 'swimming'"),
        ("filter_by_time", {"sessions": ["test 300"]}, "Unknown session"),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(
    call: Any, tool: str, args: dict[str, object], named: str
) -> None:
    """Each kind of unknown name is an error with valid ones beside it."""
    with pytest.raises(NotFoundError, match=f"{re.escape(named)}.*Valid: "):
        call(tool, **args)


def test_tools_ask_for_a_data_set_when_none_is_selected(ctx: ToolContext, new_call: Any) -> None:
    """Without a data set the error says how to choose one."""
    call = new_call(ctx)
    call.working_set = WorkingSet()
    with pytest.raises(DataError, match="show_session_stats"):
        call("select_channels", channels=["acc"])


def test_plot_sessions_draws_one_figure(call: Any, ctx: ToolContext) -> None:
    """The figure lies in the result's folder, of the sessions asked, in that order."""
    outcome = call.outcome("plot_sessions", sessions=["test 20", "test 0"], channels=["acc"])
    assert outcome.content["sessions"] == ["bm-test-020", "bm-test-000"]
    (figure,) = outcome.result.artifact["figures"]
    drawn = read_figure(ctx.workspace.root / figure)
    assert [p.title for p in drawn.panels] == [
        "bm-test-020 · accelerometer", "bm-test-000 · accelerometer"
    ]  # fmt: skip
    assert {m.text for p in drawn.panels for m in p.marks} == {"walking", "standing"}
    assert pictured(ctx.workspace.root / figure).read_bytes()[:4] == b"\x89PNG"


def shown(call: Any, ctx: ToolContext, tool: str, **args: Any) -> Figure:
    """Return the one figure of a call."""
    (figure,) = call.outcome(tool, **args).result.artifact["figures"]
    return read_figure(ctx.workspace.root / figure)


def test_count_is_shown_as_bars_with_what_was_asked_for_marked(call: Any, ctx: ToolContext) -> None:
    """All labels are there to compare with; the one asked about has its own colour."""
    figure = shown(call, ctx, "show_session_stats", labels=["walking"])
    (bars,) = figure.panels
    assert {row.name: row.colour for row in bars.rows} == {
        "badminton": "soft", "running": "soft", "standing": "soft", "walking": "a",
    }  # fmt: skip
    assert "walking: 20" in figure.alt


def test_statistic_by_group_is_shown_as_distributions(call: Any, ctx: ToolContext) -> None:
    """Each session is a dot; the value told is the mark; the middle half is the line."""
    call.outcome("select_channels", channels=["accelerometer.x"])
    figure = shown(call, ctx, "show_channel_stats", statistic="mean", by="label")
    (spread,) = figure.panels
    assert {row.name: len(row.values) for row in spread.rows} == dict.fromkeys(
        ("running", "badminton", "walking", "standing"), 20
    )
    for row in spread.rows:
        assert row.low is not None
        assert sum(row.low <= v <= row.high for v in row.values) >= 10


def test_extreme_is_shown_in_its_session_with_its_moment_marked(
    call: Any, ctx: ToolContext
) -> None:
    """The highest value is within the mark, and in what is drawn."""
    call.outcome("select_channels", channels=["accelerometer.x"])
    outcome = call.outcome("show_channel_stats", statistic="max")
    row = outcome.content["rows"][0]
    figure = read_figure(ctx.workspace.root / outcome.result.artifact["figures"][0])
    (panel,) = figure.panels
    assert panel.marks[0].start <= row["at_s"] <= panel.marks[0].end
    assert max(v for v in panel.lines[0].y if v is not None) == pytest.approx(row["value"])
