"""Tomorrow is the next day of the calendar, whatever the hour at which the data end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tool_use_om.data.catalog import open_dataset
from tool_use_om.data.converters.table.convert import convert
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.format.calendar import STEP_S
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.run.forecast.ahead import Period, span_ahead

H = 3600.0


def _series(folder: Path, times: Any, **options: Any) -> Any:
    pd.DataFrame({"time": times, "x": np.arange(len(times)) % 7}).to_csv(
        folder / "s.csv", index=False
    )
    workspace = Workspace.at(folder / "ws")
    target = workspace.folder("datasets") / "s"
    convert(folder / "s.csv", target, options=TableOptions(time="time", **options))
    return open_dataset("s", workspace)


@pytest.mark.parametrize(
    ("last", "period", "begins", "ends"),
    [
        ("2025-03-05 23:00", "tomorrow", 0, 24),  # a Wednesday's last hour
        ("2025-03-05 13:00", "tomorrow", 10, 34),
        ("2025-03-05 23:00", "next_week", 4 * 24, 11 * 24),
        ("2025-03-05 23:00", "next_month", 26 * 24, 56 * 24),
        ("2025-03-09 23:00", "next_week", 0, 7 * 24),
    ],
)
def test_periods_are_the_calendars(
    tmp_path: Path, last: str, period: Period, begins: float, ends: float
) -> None:
    """Hourly data: the next midnight, Monday or first of the month, and the one behind it."""
    data = _series(tmp_path, pd.date_range(end=last, periods=200, freq="h"))
    name = data.sessions()["session_id"].iloc[0]
    assert span_ahead(data, name, period) == pytest.approx((begins * H, ends * H))


def test_a_day_in_which_the_clock_changes_has_23_hours(tmp_path: Path) -> None:
    """Tomorrow of 29 March 2025 in Berlin lasts 23 hours."""
    times = pd.date_range(end="2025-03-29 23:00", periods=200, freq="h")
    data = _series(tmp_path, times, tz="Europe/Berlin")
    name = data.sessions()["session_id"].iloc[0]
    assert span_ahead(data, name, "tomorrow") == pytest.approx((0.0, 23 * H))


@pytest.mark.parametrize(
    ("freq", "step", "period", "n"),
    [("B", "business_day", "tomorrow", (0, 1)), ("D", "day", "tomorrow", (0, 1)),
     ("MS", "month", "next_month", (0, 1)), ("D", "day", "next_week", (2, 9)),
     ("B", "business_day", "next_week", (0, 5)), ("MS", "month", "next_year", (9, 21))],
)  # fmt: skip
def test_on_a_calendar_periods_are_whole_steps(
    tmp_path: Path, freq: str, step: Any, period: Period, n: tuple[int, int]
) -> None:
    """Those whose dates lie in it: 100 days from 2024-12-27, a Friday."""
    end = "2024-12-27" if freq != "MS" else "2025-03-01"
    data = _series(tmp_path, pd.date_range(end=end, periods=100, freq=freq))
    name = data.sessions()["session_id"].iloc[0]
    assert data.manifest.calendar.step == step
    assert span_ahead(data, name, period) == pytest.approx(tuple(k * STEP_S[step] for k in n))
