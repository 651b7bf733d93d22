"""Amounts by group against plain numpy and pandas on made data with dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.calendar import Calendar
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.show.figure import read_figure
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet

START = datetime(2024, 6, 3, tzinfo=UTC)  # a Monday
DAYS = 10
N = DAYS * 24
_RNG = np.random.default_rng(3)
POWER = np.round(500 + 400 * np.sin(np.arange(N) * 2 * np.pi / 24) + _RNG.normal(0, 30, N), 1)
METER = np.round(1000 + np.cumsum(np.abs(_RNG.normal(0.5, 0.2, N))), 3)
RAIN = np.concatenate([np.cumsum((_RNG.random(24) < 0.3) * 0.2) for _ in range(DAYS)]).round(1)
STEPS = _RNG.integers(0, 900, N).astype(float)
PRICE = np.round(50 * np.exp(np.cumsum(_RNG.normal(0, 0.01, N))), 2)
VALUES = np.stack([POWER, METER, RAIN, STEPS, PRICE], axis=1)
INDEX = pd.date_range("2024-06-03", periods=N, freq="h")
FAULTS = [(3600.0 * a, 3600.0 * b) for a, b in ((5, 8), (30, 31), (46.5, 50), (200, 203))]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.at(tmp_path_factory.mktemp("amounts"))
    channels = (
        Channel(name="power", unit="W"), Channel(name="meter", unit="m^3"),
        Channel(name="rain", unit="mm"), Channel(name="steps", unit="count"),
        Channel(name="price", unit="a.u."),
    )  # fmt: skip
    with DataSetWriter(
        workspace.folder("datasets") / "home", name="home", title="Home", licence="none",
        source="a test", synthetic=True, calendar=Calendar(), split_rule="none", debug=False,
        modalities=(Modality(name="m", rate_hz=1 / 3600, channels=channels),),
    ) as writer:  # fmt: skip
        writer.add_session(
            "log", subject_id="p", split="train", start_utc=START,
            signals={"m": (np.arange(N) * 3600.0, VALUES)},
            labels=[(a, b, "fault", "state") for a, b in FAULTS],
        )  # fmt: skip
    return workspace


@pytest.fixture
def ask(place: Workspace, new_call: Callable[[ToolContext], Any]) -> Any:
    session = new_call(ToolContext(workspace=place))
    session.working_set = WorkingSet(dataset="home")
    return session


def rows_of(found: dict[str, Any]) -> dict[str, float]:
    return {row.get("group", ""): row["value"] for row in found["rows"]}


def test_energy_of_each_day_is_power_times_time(ask: Any) -> None:
    found = ask("measure_amounts", channel="m.power", of="energy", by="date")
    truth = pd.Series(POWER, INDEX).groupby(INDEX.strftime("%Y-%m-%d")).sum() / 1000
    assert rows_of(found) == pytest.approx(truth.to_dict(), rel=1e-4)
    assert found["highest"]["group"] == truth.idxmax()
    assert found["highest"]["unit"] == "kWh"
    assert found["total"]["value"] == pytest.approx(truth.sum(), rel=1e-4)


def test_total_of_a_meter_is_what_it_went_up_by(ask: Any) -> None:
    found = ask("measure_amounts", channel="m.meter", statistic="sum")
    assert found["of"] == "rise"
    assert found["rows"][0]["value"] == pytest.approx(METER[-1] - METER[0], rel=1e-4)
    assert "counts up like a meter" in found["note"]


def test_total_of_a_counter_that_starts_over_adds_its_days(ask: Any) -> None:
    found = ask("measure_amounts", channel="m.rain", statistic="sum", by="date")
    truth = pd.Series(RAIN, INDEX).groupby(INDEX.strftime("%Y-%m-%d")).max()
    assert rows_of(found) == pytest.approx(truth.to_dict(), abs=1e-4)
    assert "starts over" in found["note"]


def test_days_beyond_a_total_are_counted(ask: Any) -> None:
    truth = pd.Series(STEPS, INDEX).groupby(INDEX.strftime("%Y-%m-%d")).sum()
    level = float(truth.median())
    found = ask("measure_amounts", channel="m.steps", statistic="sum", by="date", passing=level)
    assert (found["passed"]["n"], found["passed"]["of"]) == (int((truth > level).sum()), DAYS)
    below = ask("measure_amounts", channel="m.steps", statistic="sum", by="date",
                passing=level, passing_below=True)  # fmt: skip
    assert below["passed"]["n"] == int((truth < level).sum())
    assert below["passed"]["first"] == truth[truth < level].index[0]


def test_two_periods_are_compared_and_a_day_between_them_is_in_neither(ask: Any) -> None:
    found = ask("measure_amounts", channel="m.power", by="periods",
                periods=[["2024-06-03", "2024-06-05"], ["2024-06-07", "2024-06-09"]])  # fmt: skip
    one, other = POWER[:72].mean(), POWER[96:168].mean()
    assert rows_of(found) == pytest.approx(
        {"2024-06-03 to 2024-06-05": one, "2024-06-07 to 2024-06-09": other}, rel=1e-4
    )
    assert found["difference"]["value"] == pytest.approx(one - other, abs=0.01)
    assert found["difference"]["more_frac"] == pytest.approx(one / other - 1, abs=1e-4)


def test_mean_a_weekday_of_the_days_totals(ask: Any) -> None:
    found = ask("measure_amounts", channel="m.steps", statistic="sum", by="weekday", per="date")
    days = pd.Series(STEPS, INDEX).resample("D").sum()
    truth = days.groupby(days.index.day_name()).mean()
    assert rows_of(found) == pytest.approx(truth.to_dict())


def test_return_is_over_the_group_before(ask: Any) -> None:
    found = ask("measure_amounts", channel="m.price", of="return", by="date")
    close = pd.Series(PRICE, INDEX).resample("D").last()
    truth = (close.pct_change() * 100).iloc[1:]
    rows = rows_of(found)
    for day, value in truth.items():
        assert rows[f"{day:%Y-%m-%d}"] == pytest.approx(value, abs=1e-3)
    first = (close.iloc[0] / PRICE[0] - 1) * 100
    assert rows["2024-06-03"] == pytest.approx(first, abs=1e-3)


def test_time_with_a_label_is_cut_where_the_part_of_the_day_changes(ask: Any) -> None:
    """By hand: 5 to 8 h lies an hour in the night; 46.5 to 50 h (from 22:30) wholly."""
    found = ask("measure_amounts", of="time", label="fault", by="parts",
                parts=[[6, 14], [14, 22], [22, 6]])  # fmt: skip
    hours = {name: value / 3600 for name, value in rows_of(found).items()}
    assert hours == pytest.approx(
        {"06:00 to 14:00": 2 + 1 + 3, "14:00 to 22:00": 0.0, "22:00 to 06:00": 1 + 3.5}
    )
    assert found["without"] == ["14:00 to 22:00"]
    assert found["longest"]["length_s"] == 3.5 * 3600
    assert found["longest"]["from"] == "2024-06-04 22:30"


def test_stretch_over_midnight_is_one_event_and_time_of_two_days(ask: Any) -> None:
    times = rows_of(ask("measure_amounts", of="time", label="fault", by="date"))
    assert times["2024-06-04"] == pytest.approx(3600 * (1 + 1.5))
    assert times["2024-06-05"] == pytest.approx(3600 * 2)
    events = rows_of(ask("measure_amounts", of="events", label="fault", by="date"))
    assert (events["2024-06-04"], events["2024-06-05"]) == (2.0, 0.0)


def test_a_night_goes_from_noon_to_noon(ask: Any) -> None:
    found = ask("measure_amounts", channel="m.power", statistic="max", by="night")
    shifted = (INDEX + pd.Timedelta(hours=12)).strftime("%Y-%m-%d")
    truth = pd.Series(POWER, INDEX).groupby(shifted).max()
    assert rows_of(found) == pytest.approx(truth.to_dict())
    assert found["n_parts"] == 2  # the first half night and the last


def test_times_beyond_a_level_and_what_was_reached(ask: Any) -> None:
    found = ask("measure_amounts", of="events", channel="m.power", above=850.0)
    beyond = POWER > 850
    runs = int((beyond & ~np.concatenate([[False], beyond[:-1]])).sum())
    assert found["rows"][0]["value"] == runs
    time = ask("measure_amounts", of="time", channel="m.power", above=850.0)
    assert time["rows"][0]["value"] == pytest.approx(beyond.sum() * 3600.0)
    assert time["rows"][0]["share_frac"] == pytest.approx(beyond.mean())


def test_figure_shows_the_groups_in_their_order(ask: Any, place: Workspace) -> None:
    outcome = ask.outcome(
        "measure_amounts", channel="m.steps", statistic="sum", by="weekday", per="date"
    )
    figure = read_figure(next(outcome.result.folder.glob("amounts.figure.json")))
    (bars,) = figure.panels
    names = [row.name for row in bars.rows]
    assert names == ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    top = outcome.content["highest"]["group"]
    assert f"highest {top}" in figure.alt
    assert [row.name for row in bars.rows if row.colour == "a"] == [top]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "Name the channel or the label"),
        ({"of": "energy", "channel": "m.meter"}, "channel of power"),
        ({"of": "time", "channel": "m.power"}, "need a label, or a level"),
        ({"of": "energy", "label": "fault"}, "is of a channel"),
        ({"channel": "m.power", "by": "parts"}, "need `parts`"),
        ({"channel": "m.power", "by": "date", "per": "date"}, "smaller group"),
        ({"channel": "m.power", "statistic": "sum", "by": "label", "label": "fault"}, "Filter by"),
    ],
)
def test_what_cannot_be_measured_says_why(ask: Any, args: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        ask("measure_amounts", **args)
