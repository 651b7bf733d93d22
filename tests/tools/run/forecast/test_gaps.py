"""Runs on a recording with gaps: what was not measured is left out, the rest is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tool_use_om.data.converters.table.convert import convert
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet

GAP_S = (12.0, 26.0)  # holds whole windows of any length the defaults choose
LENGTH_S = 40.0


@pytest.fixture(scope="module")
def gappy(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Six sessions at 10 Hz; in the first of each split nothing is measured within the gap."""
    folder = tmp_path_factory.mktemp("gaps")
    rng = np.random.default_rng(0)
    time_s = np.arange(0, LENGTH_S, 0.1).round(1)
    parts = []
    for i, split in enumerate(["train", "train", "calibration", "calibration", "test", "test"]):
        wave = np.sin(2 * np.pi * (1 + (time_s > LENGTH_S / 2)) * time_s)
        frame = pd.DataFrame({"t": time_s, "s": f"s{i}", "split": split})
        frame["ax"] = wave + rng.normal(0, 0.1, len(time_s))
        frame["ay"] = wave**2 + rng.normal(0, 0.1, len(time_s))
        frame["label"] = np.where(time_s > LENGTH_S / 2, "fast", "slow")
        if i % 2 == 0:
            frame.loc[(time_s >= GAP_S[0]) & (time_s < GAP_S[1]), "ax"] = np.nan
        parts.append(frame)
    pd.concat(parts).to_csv(folder / "gappy.csv", index=False)
    workspace = Workspace.at(folder / "workspace")
    options = TableOptions(time="t", session="s", split="split", label="label")
    convert(folder / "gappy.csv", workspace.folder("datasets") / "gappy", options=options)
    return workspace


@pytest.fixture
def ask(gappy: Workspace, new_call: Callable[[ToolContext], Any]) -> Any:
    call = new_call(ToolContext(workspace=gappy))
    call.working_set = WorkingSet(dataset="gappy")
    call("configure_tokenizer", window_s=4, stride_s=2)
    return call


@pytest.mark.parametrize(
    ("task", "args"),
    [
        ("classify", {"target_label": "fast"}),
        ("forecast", {"horizon_s": 2}),
        ("anomaly", {"query_session": "s4"}),
        ("retrieve", {"query_session": "s4", "query_start_s": 32, "query_end_s": 36}),
        ("retrieve", {"target_label": "slow"}),
    ],
)
def test_run_leaves_out_the_windows_that_are_all_gap(
    ask: Any, task: str, args: dict[str, Any]
) -> None:
    """Each task works on a recording with a gap longer than its windows."""
    ask("select_channels_for_encoding", channels=["signal.ax"])
    ask("select_task_head", task=task)
    assert ask("run_task", **args)["task"] == task


def test_anomaly_says_nothing_of_a_gap(ask: Any) -> None:
    """No stretch that is scored lies wholly in the gap of the one channel looked at."""
    ask("select_channels_for_encoding", channels=["signal.ax"])
    ask("select_task_head", task="anomaly")
    rows = ask.outcome("run_task", query_session="s4").result.data["detail"]["windows"]
    assert rows
    assert not any(GAP_S[0] <= r["start_s"] and r["end_s"] <= GAP_S[1] for r in rows)


def test_forecast_leaves_out_windows_in_which_only_the_asked_channel_is_missing(ask: Any) -> None:
    """Another channel that goes on through the gap is no context for the asked one."""
    ask("select_task_head", task="forecast")
    content = ask("run_task", target_channels=["signal.ax"], horizon_s=2)
    whole = ask("run_task", target_channels=["signal.ay"], horizon_s=2)
    assert 0 < content["judged_on"]["n_windows"] < whole["judged_on"]["n_windows"]
