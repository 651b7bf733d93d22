"""Times with an offset are told by the clock they were written with, not by UTC."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tool_use_om.data.converters.table.convert import convert
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool


def _hours(folder: Path, times: pd.DatetimeIndex) -> tuple[Workspace, str]:
    """Import ten days of hours whose value is the hour of the local clock."""
    written = [t.isoformat() for t in times]
    pd.DataFrame({"time": written, "x": times.hour}).to_csv(folder / "o.csv", index=False)
    place = Workspace.at(folder / "ws")
    plan = convert(folder / "o.csv", place.folder("datasets") / "o", options=TableOptions())
    return place, plan.calendar.zone or "UTC"


def _by_hour(place: Workspace) -> dict[str, float]:
    args = {"statistic": "mean", "by": "hour"}
    found = run_tool("show_channel_stats", args, ToolContext(workspace=place),
                     WorkingSet(dataset="o"))  # fmt: skip
    return {row["group"]: row["value"] for row in found.content["rows"]}


@pytest.mark.parametrize(
    ("start", "zone", "told"),
    [
        ("2025-01-06", "Etc/GMT-1", "UTC+01:00"),
        ("2025-01-06", "Asia/Kolkata", "UTC+05:30"),
        ("2025-03-25", "Europe/Berlin", "Europe/Berlin"),  # over the change of the clock
        ("2025-10-29", "America/New_York", "America/New_York"),
        ("2025-01-06", "UTC", "UTC"),
    ],
)
def test_the_hour_of_day_is_that_of_the_offset(
    tmp_path: Path, start: str, zone: str, told: str
) -> None:
    """At 07:00 of the file's clock the value is 7, whatever UTC says."""
    place, kept = _hours(tmp_path, pd.date_range(start, periods=240, freq="h", tz=zone))
    assert kept == told
    assert _by_hour(place) == {f"{h:02d}:00": pytest.approx(h) for h in range(24)}


def test_offsets_of_no_one_clock_are_told_in_utc(tmp_path: Path) -> None:
    """A traveller's clock: +01:00, then +05:30; the plan says that it is told in UTC."""
    times = pd.date_range("2025-01-06", periods=48, freq="h", tz="UTC")
    written = [t.tz_convert("Etc/GMT-1" if i < 24 else "Asia/Kolkata").isoformat()
               for i, t in enumerate(times)]  # fmt: skip
    pd.DataFrame({"time": written, "x": np.arange(48)}).to_csv(tmp_path / "t.csv", index=False)
    plan = convert(tmp_path / "t.csv", tmp_path / "t", options=TableOptions())
    assert plan.calendar.zone is None
    assert any("no one clock" in said for said in plan.said)
