"""A file of local times: every date, hour and filter is by the file's own clock, not by UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tool_use_om.data.catalog import open_dataset
from tool_use_om.data.converters.table.convert import convert
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.format.calendar import STEP_S, Calendar
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.look.clock import CalendarFilter, moment_text, pieces

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata")
NIGHTS = {"spring": ("2024-03-04", "2024-04-08"), "autumn": ("2024-10-14", "2024-11-11")}


@pytest.fixture(scope="module", params=[(z, n) for z in ZONES for n in NIGHTS], ids="-".join)
def home(request: pytest.FixtureRequest) -> tuple[str, pd.DataFrame]:
    """Return a zone and hours over its change of the clock, by local time; the peak is at 19."""
    zone, night = request.param
    first, last = NIGHTS[night]
    at = pd.date_range(first, last, freq="h", tz=zone, inclusive="left")
    load = 100 + 50.0 * (at.hour == 19) + 7.0 * (at.weekday >= 5) + np.arange(len(at)) / 100
    load = np.asarray(load, float)
    load[-30] = 900.0
    return zone, pd.DataFrame({"load": load.astype(np.float32)}, index=at)


@pytest.fixture
def ask(
    home: tuple[str, pd.DataFrame],
    tmp_path_factory: pytest.TempPathFactory,
    new_call: Callable[[ToolContext], Any],
) -> Any:
    zone, frame = home
    root = tmp_path_factory.mktemp("zone")
    written = frame.index.tz_localize(None).strftime("%Y-%m-%d %H:%M:%S")
    pd.DataFrame({"time": written, "load": frame["load"].to_numpy()}).to_csv(
        root / "home.csv", index=False
    )
    workspace = Workspace.at(root / "ws")
    options = TableOptions(time="time", tz=zone)
    convert(root / "home.csv", workspace.folder("datasets") / "home", options=options)
    session = new_call(ToolContext(workspace=workspace))
    session.working_set = WorkingSet(dataset="home")
    return session


def test_groups_span_extreme_and_zone_are_local(ask: Any, home: tuple[str, pd.DataFrame]) -> None:
    """Hour profile, first and last date and the maximum's time equal those of pandas."""
    zone, frame = home
    for by, key in (("hour", frame.index.hour), ("date", frame.index.date)):
        found = ask("show_channel_stats", statistic="mean", by=by)
        want = frame["load"].astype(float).groupby(key).mean()
        names = [f"{k:02d}:00" if by == "hour" else k.isoformat() for k in want.index]
        told = {row["group"]: row["value"] for row in found["rows"]}
        want_of = dict(zip(names, want, strict=True))
        assert told == pytest.approx({name: want_of[name] for name in told}, rel=1e-5)
        assert found["zone"] == zone
    dates = ask("show_session_stats")["dates"]
    ends = [f"{frame.index[i]:%Y-%m-%d %H:%M}" for i in (0, -1)]
    assert [dates["from"], dates["to"], dates["zone"]] == [*ends, zone]
    row = ask("show_channel_stats", statistic="max")["rows"][0]
    assert row["time"] == f"{frame['load'].idxmax():%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"weekdays": [5, 6]}, lambda at: at.weekday >= 5),
        ({"hours": [1, 2, 3]}, lambda at: np.isin(at.hour, [1, 2, 3])),
        ({"months": [4, 11]}, lambda at: np.isin(at.month, [4, 11])),
        (
            {"first_date": "2024-03-31", "last_date": "2024-10-27"},
            lambda at: (at.date >= date(2024, 3, 31)) & (at.date <= date(2024, 10, 27)),
        ),
    ],
)
def test_filters_keep_the_local_hours_days_and_months(
    ask: Any,
    home: tuple[str, pd.DataFrame],
    asked: dict[str, Any],
    meant: Callable[[pd.DatetimeIndex], np.ndarray],
) -> None:
    """As many samples and the same mean as pandas keeps, in nights of 23 and 25 hours too."""
    zone, frame = home
    want = frame["load"].to_numpy(float)[meant(frame.index)]
    ask("filter_by_time", **asked)
    found = ask("show_channel_stats", statistic="mean")
    assert found["rows"][0]["n"] == len(want)
    assert found["rows"][0]["value"] == pytest.approx(want.mean(), rel=1e-5)
    assert found["zone"] == zone


def test_steps_of_a_forecast_are_dated_by_the_local_clock(
    ask: Any, home: tuple[str, pd.DataFrame]
) -> None:
    """Hours ahead of a moment before the change of the clock are pandas' local ones."""
    _, frame = home
    dataset = open_dataset("home", ask.ctx.workspace)
    session = dataset.sessions()["session_id"][0]
    hours = np.arange(0, len(frame) + 48, 7)
    want = frame.index[0] + pd.to_timedelta(hours, unit="h")
    assert dataset.date_texts(session, hours * 3600.0) == [f"{t:%Y-%m-%d %H:%M}" for t in want]


def test_filters_and_moments_follow_calendar_steps() -> None:
    """On a calendar of months "in April" is the fourth sample of each year, dated by its month."""
    start, calendar = datetime(1949, 1, 1, tzinfo=UTC), Calendar(step="month")
    month = STEP_S["month"]
    april = pieces(start, 0.0, 144 * month, CalendarFilter(months=frozenset({4})), calendar)
    assert np.array(april) == pytest.approx(
        np.array([[12 * y + 3, 12 * y + 4] for y in range(12)]) * month
    )
    assert moment_text(start, 143 * month, calendar) == "1960-12"
