"""Plain runs on long series with gaps: drop-outs, closed days, a channel mostly missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tool_use_om.data.converters.table.convert import convert
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.gaps import gaps_of, longest_joined
from tool_use_om.tools.registry import run_tool

DAY = 86400.0


def heat_pump() -> pd.DataFrame:
    """Eight days every 5 minutes with drop-outs; its states cut blocks of single rows."""
    rng = np.random.default_rng(0)
    n = 8 * 288
    stamps = pd.date_range("2025-01-06", periods=n, freq="5min")
    power = 1500 + 400 * np.sin(2 * np.pi * np.arange(n) / 288) + rng.normal(0, 20, n)
    frame = pd.DataFrame({"time": stamps, "power": power.round(1)})
    frame["state"] = np.where(np.arange(n) % 97 < 90, "Heating", "Defrost")
    return frame[~np.isin(np.arange(n) % 150, [60, 61])]


def shop() -> pd.DataFrame:
    """Two years of days without Sundays, and a count that was seldom taken."""
    rng = np.random.default_rng(1)
    stamps = pd.date_range("2023-01-02", periods=730, freq="D")
    sales = 900 + 60 * np.asarray(stamps.dayofweek) + rng.normal(0, 30, 730)
    frame = pd.DataFrame({"time": stamps, "sales": sales.round(2)})
    frame["stock"] = np.where(np.arange(730) % 9 == 0, rng.normal(50, 5, 730).round(1), np.nan)
    return frame[stamps.dayofweek < 6]


def scattered() -> pd.DataFrame:
    """An hourly series, two values and then four to six missing: no stretch is whole."""
    rng = np.random.default_rng(2)
    n = 3000
    stamps = pd.date_range("2024-01-01", periods=n, freq="h")
    level = 20 + 5 * np.sin(2 * np.pi * np.arange(n) / 24) + rng.normal(0, 0.3, n)
    here = np.concatenate([[True, True, *[False] * k] for k in rng.integers(4, 7, n)])[:n]
    return pd.DataFrame({"time": stamps, "level": np.where(here, level.round(2), np.nan)})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("gaps")
    workspace = Workspace.at(folder / "workspace")
    for make in (heat_pump, shop, scattered):
        file = Path(folder / f"{make.__name__}.csv")
        frame = make()
        frame.to_csv(file, index=False)
        options = TableOptions(time="time", label="state" if "state" in frame else None)
        convert(file, workspace.folder("datasets") / make.__name__, options=options)
    return workspace


def asked(place: Workspace, name: str, task: str, **args: object) -> dict[str, Any]:
    head = {"anomaly": "ensemble", "forecast": "direct"}[task]
    given = WorkingSet().but(dataset=name, task=task, head=head)
    return dict(run_tool("run_task", args, ToolContext(workspace=place, seed=0), given).content)


def test_drop_outs_and_short_blocks_do_not_end_a_search(place: Workspace) -> None:
    """A block too short to encode is none to learn from; the rest of the series is searched."""
    found = asked(place, "heat_pump", "anomaly", query_session="heat_pump")
    assert found["n_windows"] > 20
    assert found["scan"]["n_samples"] == len(heat_pump())


def test_a_series_with_drop_outs_is_forecast(place: Workspace) -> None:
    """An hour ahead, judged on recorded values: the error is that of the noise, not of gaps."""
    found = asked(place, "heat_pump", "forecast", horizon_s=3600.0)
    assert found["metrics"]["mae"]["value"] < 60


def test_closed_days_are_bridged_and_told_but_not_counted(place: Workspace) -> None:
    """Sundays are joined for the encoder; the samples that are scanned are the recorded ones."""
    found = asked(place, "shop", "anomaly", query_session="shop")
    assert any("bridged" in note for note in found["notes"])
    assert found["scan"]["n_samples"] == len(shop())


def test_values_are_judged_by_their_deviation_where_no_window_is_whole(place: Workspace) -> None:
    """Nothing can be encoded but along straight lines: said, and every value is scanned."""
    found = asked(place, "scattered", "anomaly", query_session="scattered")
    assert any("how far it deviates" in note for note in found["notes"])
    assert found["scan"]["n_samples"] >= 3000 * 2 // 8


def test_a_channel_mostly_missing_is_left_out_of_a_forecast_and_named(place: Workspace) -> None:
    """The other channel is forecast, and the note names the one that is not."""
    found = asked(place, "shop", "forecast", horizon_s=7 * DAY)
    assert found["channels"] == ["signal.sales"]
    assert any("Left out" in note and "signal.stock" in note for note in found["notes"])


def test_where_no_window_can_be_encoded_models_of_samples_forecast(place: Workspace) -> None:
    """Two values, then a gap, over and over: said, and answered from the values by themselves."""
    found = asked(place, "scattered", "forecast", horizon_s=24 * 3600.0)
    assert any("without the encoder" in note for note in found["notes"])
    assert found["head"] == "seasonal_naive"
    assert 10 < found["forecasts"][0]["mean"] < 30


@pytest.mark.parametrize(
    ("missing", "most"),
    [
        ([], 0),
        ([5, 20, 21, 40, 41, 42], 3),  # short ones
        ([*range(10, 60)], 0),  # one long outage
        ([i for i in range(400) if i % 24 >= 14], 10),  # nights
        ([i for i in range(400) if i % 7 == 6] + [*range(100, 115)], 1),  # Sundays, and a holiday
    ],
)
def test_short_and_recurring_gaps_are_joined(missing: list[int], most: int) -> None:
    """A few samples, or the length that keeps coming back; no single outage."""
    time_s = np.delete(np.arange(400.0), missing)
    assert longest_joined(gaps_of(time_s, 1.0), len(time_s)) == most
