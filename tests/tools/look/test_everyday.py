"""What ordinary questions need, against plain numpy on small sets with dates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tool_use_om.data.converters.table.convert import convert
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.errors import DataError
from tool_use_om.data.quality.grid import holes
from tool_use_om.data.units import for_people
from tool_use_om.data.workspace import Workspace
from tool_use_om.heads.numeric.season import cycle_strength, main_cycle
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet


@pytest.fixture(scope="module")
def house() -> pd.DataFrame:
    """Return two months of hours: power with a day, a weekend and a slow rise; temperature."""
    rng = np.random.default_rng(0)
    time = pd.date_range("2025-03-01", "2025-05-01", freq="h", inclusive="left")
    hours = np.arange(len(time))
    power = 2 + np.sin(2 * np.pi * (time.hour - 6) / 24) + 0.5 * (time.weekday >= 5)
    power = power + 0.001 * hours + rng.normal(0, 0.1, len(time))
    warmth = 10 + 5 * np.sin(2 * np.pi * (time.hour - 9) / 24) + rng.normal(0, 0.5, len(time))
    frame = pd.DataFrame({"time": time, "power": power, "temperature": warmth})
    return frame.astype({"power": np.float32, "temperature": np.float32})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, house: pd.DataFrame) -> Workspace:
    """Return a workspace with the house as data set "house"."""
    root = tmp_path_factory.mktemp("everyday")
    house.to_csv(root / "house.csv", index=False)
    workspace = Workspace.at(root / "ws")
    options = TableOptions(time="time", units={"power": "kW", "temperature": "degC"})
    convert(root / "house.csv", workspace.folder("datasets") / "house", options=options)
    return workspace


@pytest.fixture
def ask(place: Workspace, new_call: Callable[[ToolContext], Any]) -> Any:
    session = new_call(ToolContext(workspace=place))
    session.working_set = WorkingSet(dataset="house")
    return session


@pytest.mark.parametrize(
    ("statistic", "oracle"),
    [("median", np.median), ("sum", np.sum), ("max", np.max), ("mean", np.mean)],
)
def test_statistics_equal_those_of_numpy(
    ask: Any, house: pd.DataFrame, statistic: str, oracle: Callable[..., Any]
) -> None:
    """Medians and totals are exact, in the channel's unit."""
    row = ask("show_channel_stats", channels=["power"], statistic=statistic)["rows"][0]
    assert row["value"] == pytest.approx(float(oracle(house["power"].to_numpy(float))), rel=1e-5)
    assert row["unit"] == "kW"


def test_percentile_and_energy(ask: Any, house: pd.DataFrame) -> None:
    """A percentile is numpy's; a total of power is told as energy, too."""
    power = house["power"].to_numpy(float)
    found = ask("show_channel_stats", channels=["power"], statistic="percentile", percent=95)
    assert found["rows"][0]["value"] == pytest.approx(float(np.percentile(power, 95)), rel=1e-5)
    total = ask("show_channel_stats", channels=["power"], statistic="sum")["rows"][0]
    assert total["energy"] == {"value": pytest.approx(power.sum(), rel=1e-5), "unit": "kWh"}


def test_extremes_come_with_their_date(ask: Any, house: pd.DataFrame) -> None:
    """The maximum says when it was."""
    row = ask("show_channel_stats", channels=["power"], statistic="max")["rows"][0]
    at = house["time"][int(house["power"].to_numpy().argmax())]
    assert row["time"] == f"{at:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("by", "of"),
    [
        ("hour", lambda t: f"{t.hour:02d}:00"),
        ("weekday", lambda t: t.day_name()),
        ("month", lambda t: t.month_name()),
    ],
)
def test_groups_of_the_calendar_equal_those_of_pandas(
    ask: Any, house: pd.DataFrame, by: str, of: Callable[[pd.Timestamp], str]
) -> None:
    """Means by hour, weekday and month, in the calendar's order."""
    rows = ask("show_channel_stats", channels=["power"], statistic="mean", by=by)["rows"]
    expected = house["power"].astype(float).groupby(house["time"].map(of), sort=False).mean()
    assert {r["group"]: r["value"] for r in rows} == pytest.approx(expected.to_dict(), rel=1e-5)
    if by == "weekday":
        assert rows[0]["group"] == "Monday"


@pytest.mark.parametrize(
    ("wanted", "of"),
    [
        ({"weekdays": [5, 6]}, lambda t: t.dt.weekday >= 5),
        ({"months": [4]}, lambda t: t.dt.month == 4),
        ({"hours": [22, 23]}, lambda t: t.dt.hour >= 22),
        ({"first_date": "2025-03-10", "last_date": "2025-03-11"},
         lambda t: (t >= "2025-03-10") & (t < "2025-03-12")),
        ({"tail_s": 7200}, lambda t: t >= t.max() - pd.Timedelta("1h")),
    ],
)  # fmt: skip
def test_calendar_filters_keep_exactly_their_samples(
    ask: Any, house: pd.DataFrame, wanted: dict[str, Any], of: Callable[[Any], Any]
) -> None:
    """Weekends, a month, hours, dates and the last two hours."""
    ask("filter_by_time", **wanted)
    row = ask("show_channel_stats", channels=["power"], statistic="mean")["rows"][0]
    kept = house.loc[of(house["time"]), "power"].astype(float)
    assert row["n"] == len(kept)
    assert row["value"] == pytest.approx(kept.mean(), rel=1e-5)


def test_the_calendar_is_refused_without_dates(call: Any) -> None:
    """Sessions that count seconds only have no hours."""
    with pytest.raises(DataError, match="has no dates"):
        call("show_channel_stats", by="hour", statistic="mean")


def test_time_above_counts_the_hours(ask: Any, house: pd.DataFrame) -> None:
    """Seconds, share and times above a level."""
    row = ask("show_channel_stats", channels=["power"], statistic="time_above", threshold=3)
    row = row["rows"][0]
    above = house["power"].to_numpy() > 3
    assert row["value"] == 3600.0 * above.sum()
    assert row["share_frac"] == pytest.approx(above.mean(), rel=1e-4)
    assert row["n_times"] == (np.diff(np.r_[False, above].astype(int)) == 1).sum()


def test_trend_correlation_and_cycle(ask: Any, house: pd.DataFrame) -> None:
    """The rise a day is polyfit's and clear; the correlation numpy's; the cycle is a day."""
    power, warmth = house["power"].to_numpy(float), house["temperature"].to_numpy(float)
    trend = ask("show_channel_stats", channels=["power"], statistic="trend")["rows"][0]
    slope = np.polyfit(np.arange(len(power)) / 24, power, 1)[0]
    assert trend["value"] == pytest.approx(slope, rel=1e-4)
    assert (trend["per"], trend["course"], trend["unit"]) == ("day", "rises", "kW")
    assert trend["lower"] < slope < trend["upper"]
    flat = ask("show_channel_stats", channels=["temperature"], statistic="trend")["rows"][0]
    assert flat["course"] == "no clear change"
    both = ask("show_channel_stats", statistic="correlation")["rows"][0]
    assert both["value"] == pytest.approx(np.corrcoef(power, warmth)[0, 1], rel=1e-4)
    cycle = ask("show_channel_stats", channels=["temperature"], statistic="cycle")["rows"][0]
    assert cycle["cycle"]["name"] == "day"
    assert [c["name"] for c in cycle["calendar"] if c["clear"]] == ["day"]


def test_contents_tell_dates_labels_and_people(call: Any) -> None:
    """Shares of labels add up, lengths are those of the sessions."""
    found = call("show_session_stats", dataset="basic-motions")
    assert [row["sessions_frac"] for row in found["labels"]] == [0.25] * 4
    assert sum(row["time_frac"] for row in found["labels"]) == pytest.approx(1)
    assert found["unlabelled"]["n_parts"] == 0
    assert found["longest"]["n"] == 80
    at = call("show_session_stats", sessions=["bm-test-004"], at_s=3)
    assert at["at"]["sessions"] == [
        {"session_id": "bm-test-004", "labels": [at["stretches"][0]["label"]]}
    ]
    with pytest.raises(DataError, match="at_s"):
        call("show_session_stats", sessions=["bm-test-004"], at_s=12)


def test_holes_are_found_on_every_grid() -> None:
    """One hour of a clock change, six hours, a month, a Wednesday; weekends are no hole."""
    hours = np.arange(200.0) * 3600
    assert holes(np.delete(hours, 50), 1 / 3600).n_missing == 1
    assert holes(np.delete(hours, range(60, 66)), 1 / 3600).n_missing == 6
    assert holes(hours, 1 / 3600).n == 0
    months = pd.date_range("2000-01-01", periods=60, freq="MS")
    days = pd.bdate_range("2024-01-01", periods=300)
    for stamps, lost in ((months, 7), (days, 17)):
        time = (stamps - stamps[0]).total_seconds().to_numpy()
        rate = 1 / float(np.mean(np.diff(time)))
        assert holes(time, rate).n == 0
        assert holes(np.delete(time, lost), rate).n_missing == 1


def test_cycles_are_found_and_noise_has_none() -> None:
    """The period is the shortest that repeats; a random walk has none, a week is net of the day."""
    rng, time = np.random.default_rng(0), np.arange(600)
    for period in (7, 20, 33.3):
        found = main_cycle(np.sin(2 * np.pi * time / period) + rng.normal(0, 0.3, 600), 1.0)
        assert found is not None
        assert found.period_s == pytest.approx(period, rel=0.05)
    walks = [main_cycle(np.cumsum(rng.normal(size=300)), 1.0) for _ in range(50)]
    assert sum(w is not None for w in walks) <= 3
    hours = np.arange(24 * 60) * 3600.0
    day = np.sin(2 * np.pi * hours / 86400) + rng.normal(0, 0.2, hours.size)
    assert cycle_strength(hours, day, 86400).strength > 0.8
    assert cycle_strength(hours, day, 604800, without_s=86400).strength < 0.1


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (86400, "s", (1, "day")), (3600, "s", (1, "h")), (7200, "s", (2, "h")),
        (90, "s", (90, "s")),
        (1 / 3600, "Hz", (1, "/h")), (1 / 600, "Hz", (6, "/h")), (50, "Hz", (50, "Hz")),
        (5, "kW", (5, "kW")),
    ],
)  # fmt: skip
def test_times_and_rates_are_told_as_people_do(
    value: float, unit: str, told: tuple[float, str]
) -> None:
    """One day, one an hour: no long rows of zeros."""
    assert for_people(value, unit) == (pytest.approx(told[0], rel=1e-4), told[1])
