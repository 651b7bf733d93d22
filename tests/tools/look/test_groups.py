"""Sessions, days and people compared with each other; counters; bands; counts: against numpy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tool_use_om.agent.offline.answer import interpret
from tool_use_om.data.converters.table.convert import convert
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.heads.numeric.counter import increments, is_counter
from tool_use_om.heads.numeric.unlike import measures_of, unlike
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet

HOURS = pd.date_range("2025-03-03", periods=24 * 40, freq="h")


def _set(root: Path, name: str, frame: pd.DataFrame, **options: Any) -> Workspace:
    frame.to_csv(root / f"{name}.csv", index=False)
    workspace = Workspace.at(root / "ws")
    target = workspace.folder("datasets") / name
    convert(root / f"{name}.csv", target, options=TableOptions(**options))
    return workspace


@pytest.fixture(scope="module")
def use() -> pd.DataFrame:
    """Return forty days of hourly use; on 2025-03-20 the night is as high as the evening."""
    rng = np.random.default_rng(0)
    values = 1 + 0.5 * np.sin(2 * np.pi * HOURS.hour / 24) + rng.normal(0, 0.05, len(HOURS))
    values = np.where((HOURS.date == pd.Timestamp("2025-03-20").date()) & (HOURS.hour < 6), 4.0,
                      values)  # fmt: skip
    values = np.round(values, 4)
    meter = np.round(5000 + np.cumsum(values), 4)
    meter[100] = 99_999.0  # one impossible reading
    return pd.DataFrame({"time": HOURS, "use": values, "meter": meter})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, use: pd.DataFrame) -> Workspace:
    root = tmp_path_factory.mktemp("use")
    return _set(root, "use", use, time="time", units={"use": "kWh", "meter": "kWh"})


@pytest.fixture
def ask(house: Workspace, new_call: Callable[[ToolContext], Any]) -> Any:
    session = new_call(ToolContext(workspace=house))
    session.working_set = WorkingSet(dataset="use")
    return session


def _told(content: dict[str, Any], **args: Any) -> str:
    raw = {"result_id": "r", "tool": "show_channel_stats", "args": args, "content": content}
    return str(interpret({"results": [raw]})["prose"])


def test_the_day_unlike_the_others_is_named_with_its_distance(ask: Any) -> None:
    """The one with the high night; every other day stays under the limit."""
    found = ask("show_channel_stats", channels=["use"], statistic="unlike", by="date")
    top, *others = found["rows"]
    assert (top["group"], top["stands_out"]) == ("2025-03-20", True)
    assert top["value"] > top["limit"] > max(row["value"] for row in others)
    assert "is the day most unlike the others" in _told(found)


def test_none_stands_out_where_all_days_are_alike(ask: Any) -> None:
    """Without that day the answer is that none does."""
    ask("filter_by_time", first_date="2025-03-21")
    found = ask("show_channel_stats", channels=["use"], statistic="unlike", by="date")
    assert not any(row["stands_out"] for row in found["rows"])
    assert "no day stands out" in _told(found).casefold()


def test_fewer_than_four_cannot_be_compared(ask: Any) -> None:
    """Of three days none can be unlike the others."""
    ask("filter_by_time", first_date="2025-03-21", last_date="2025-03-23")
    with pytest.raises(DataError, match="takes 4 at least; there are 3"):
        ask("show_channel_stats", channels=["use"], statistic="unlike", by="date")


def test_robust_deviations_are_those_of_the_median() -> None:
    """Hampel's: (x - median) / (1.4826 MAD), the furthest measure counts."""
    rng = np.random.default_rng(1)
    table = np.array([measures_of(rng.normal(5, 1, 200)) for _ in range(9)])
    table[4, 0] += 2.0
    found = unlike(table, table.size)
    column = table[:, 0]
    mad = 1.4826 * np.median(np.abs(column - np.median(column)))
    floor = 0.02 * max(abs(np.median(column)), np.abs(column - np.median(column)).mean())
    z = abs(column[4] - np.median(column)) / max(mad, floor)
    assert found.distance.argmax() == 4
    assert found.distance[4] == pytest.approx(z)


@pytest.mark.parametrize("seed", range(20))
def test_alike_groups_are_rarely_called_unlike(seed: int) -> None:
    """Twenty draws of twelve equal groups: none is over the limit in these."""
    rng = np.random.default_rng(seed)
    table = np.array([measures_of(rng.normal(0, 1, 300)) for _ in range(12)])
    found = unlike(table, table.size)
    assert (found.distance <= 2 * found.limit).all()


def test_a_band_holds_what_numpy_counts(ask: Any, use: pd.DataFrame) -> None:
    """Time between two levels, its share, and its first and last time."""
    found = ask("show_channel_stats", channels=["use"], statistic="time_between", threshold=0.6,
                upper=1.2)  # fmt: skip
    inside = use["use"].between(0.6, 1.2)
    row = found["rows"][0]
    assert row["value"] == pytest.approx(3600 * inside.sum())
    assert row["share_frac"] == pytest.approx(inside.mean())
    assert row["first"]["time"] == f"{use['time'][inside].iloc[0]:%Y-%m-%d %H:%M}"
    begins = inside & ~inside.shift(fill_value=False)
    assert row["last"]["time"] == f"{use['time'][begins].iloc[-1]:%Y-%m-%d %H:%M}"
    assert row["n_times"] == begins.sum()
    assert "is between" in _told(found)


def test_first_and_last_time_above(ask: Any, use: pd.DataFrame) -> None:
    """As numpy has them."""
    found = ask("show_channel_stats", channels=["use"], statistic="time_above", threshold=2.0)
    over = use["time"][use["use"] > 2.0]
    assert found["rows"][0]["first"]["time"] == f"{over.iloc[0]:%Y-%m-%d %H:%M}"
    assert found["rows"][0]["n_times"] == 1


def test_days_above_a_level_are_counted(ask: Any, use: pd.DataFrame) -> None:
    """Of the days' sums."""
    sums = use.groupby(use["time"].dt.date)["use"].sum()
    found = ask("show_channel_stats", channels=["use"], statistic="sum", by="date", threshold=30.0)
    assert (found["beyond"]["n"], found["beyond"]["of"]) == (int((sums > 30).sum()), len(sums))
    assert "of 40 days" in _told(found) or "{r1#/beyond/of" in _told(found)


def test_samples_are_counted_by_day_and_hour(ask: Any) -> None:
    """Twenty-four a day, forty an hour of the day."""
    for by, n in (("date", 24), ("hour", 40)):
        rows = ask("show_channel_stats", channels=["use"], statistic="count", by=by)["rows"]
        assert {row["value"] for row in rows} == {n}


def test_a_meter_is_summed_by_what_it_went_up(ask: Any, use: pd.DataFrame) -> None:
    """In all, and by day; the impossible reading does not count."""
    steps = use["use"].iloc[1:]
    row = ask("show_channel_stats", channels=["meter"], statistic="sum")["rows"][0]
    assert row["value"] == pytest.approx(steps.sum(), rel=1e-3)
    days = ask("show_channel_stats", channels=["meter"], statistic="sum", by="date")["rows"]
    by_day = steps.groupby(use["time"].dt.date).sum()
    assert {r["group"]: pytest.approx(r["value"], abs=0.02) for r in days} == {
        str(day): value for day, value in by_day.items()
    }


def test_amounts_are_no_counter(use: pd.DataFrame) -> None:
    """Use goes down as often as up; a sum of it from nothing is one that grows, not a meter."""
    assert is_counter(use["meter"].to_numpy(float))
    assert not is_counter(use["use"].to_numpy(float))
    steps, wrong = increments(np.array([10.0, 11.0, np.nan, 13.0]))
    assert (np.nansum(steps), wrong) == (3.0, 0)


def test_the_change_from_start_to_end(ask: Any, use: pd.DataFrame) -> None:
    """The last value less the first, and its share of that."""
    row = ask("show_channel_stats", channels=["use"], statistic="change")["rows"][0]
    first, last = use["use"].iloc[0], use["use"].iloc[-1]
    assert row["value"] == pytest.approx(last - first, abs=1e-5)
    assert row["change_frac"] == pytest.approx(last / first - 1, rel=1e-4)


def test_who_walks_fastest_is_told_by_the_steps(
    tmp_path: Path, new_call: Callable[[ToolContext], Any]
) -> None:
    """Ann repeats 0.9 times a second, Ben 1.2 times, with two beats in each."""
    time_s = np.arange(500) / 25
    rng = np.random.default_rng(0)
    parts = []
    for who, hz in (("Ann", 0.9), ("Ben", 1.2)):
        wave = np.sin(4 * np.pi * hz * time_s) + 0.5 * np.sin(2 * np.pi * hz * time_s)
        parts.append(pd.DataFrame({"who": who, "t": time_s,
                                   "x": wave + 0.05 * rng.normal(size=500)}))  # fmt: skip
    workspace = _set(tmp_path, "walk", pd.concat(parts), time="t", session="who", subject="who")
    session = new_call(ToolContext(workspace=workspace))
    session.working_set = WorkingSet(dataset="walk")
    found = session("show_channel_stats", statistic="cadence", by="subject")
    rows = {row["group"]: row for row in found["rows"]}
    assert rows["Ben"]["value"] == pytest.approx(1.2, rel=0.03)
    assert rows["Ann"]["value"] == pytest.approx(0.9, rel=0.03)
    assert rows["Ben"]["beats"]["value"] == pytest.approx(2.4, rel=0.03)
    assert found["highest"]["group"] == "Ben"


def test_a_meter_is_not_forecast(ask: Any) -> None:
    """What it will read is not what will be used: the refusal says what to import instead."""
    ask("select_task_head", task="forecast")
    with pytest.raises(DataError, match="counts up like a meter"):
        ask("run_task", target_channels=["meter"], horizon_s=86_400.0)
