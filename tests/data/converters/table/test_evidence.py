"""What numbers say of themselves: missing values, meters, row numbers and units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.converters.table.convert import plan_files
from tool_use_om.data.converters.table.evidence import counts_up, sentinels, usual_units
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.plan import TablePlan

NOISE = np.random.default_rng(0).normal(size=400)


def plan_of(folder: Path, head: str, rows: list[str], **options: Any) -> TablePlan:
    (folder / "mine.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return plan_files([folder / "mine.csv"], TableOptions(**options), "mine")


def values_of(plan: TablePlan) -> np.ndarray:
    ((_, values),) = plan.sessions[0].signals.values()
    return values[:, 0]


def scale(code: str, times: int) -> list[str]:
    """Return the hourly rows of a scale of 30 to 33 kg, some of which hold a code."""
    weights = [f"{30 + i / 33:.2f}" for i in range(100)]
    for i in range(times):
        weights[10 + 30 * i] = code
    return [f"2024-04-{i // 24 + 1:02d} {i % 24:02d}:00,{w}" for i, w in enumerate(weights)]


@pytest.mark.parametrize("code", ["-99", "-99.0", "-999", "9999", "999.9", "-32768", "-50", "-127"])
def test_a_code_far_from_all_values_that_comes_again_is_missing_and_said(
    tmp_path: Path, code: str
) -> None:
    """-99 among 30 kg is no weight: it is missing, it is said, and --missing none keeps it."""
    plan = plan_of(tmp_path, "date,kg", scale(code, 3))
    assert np.isnan(values_of(plan)).sum() == 3
    assert "taken as missing" in " ".join(plan.notes)
    kept = plan_of(tmp_path, "date,kg", scale(code, 3), missing=("none",))
    assert (values_of(kept) == float(code)).sum() == 3


@pytest.mark.parametrize(("code", "times"), [("-99", 1), ("34.5", 3), ("60", 2), ("27", 3)])
def test_what_may_be_a_value_is_kept(tmp_path: Path, code: str, times: int) -> None:
    """One -99 is offered, not taken, and the offer works; values near others, or round, stay."""
    plan = plan_of(tmp_path, "date,kg", scale(code, times))
    assert not np.isnan(values_of(plan)).any()
    if code == "-99":
        assert "--missing=-99" in " ".join(plan.notes)
        taken = plan_of(tmp_path, "date,kg", scale(code, times), missing=("-99",))
        assert np.isnan(values_of(taken)).sum() == 1


def test_an_outlier_is_no_code() -> None:
    """60 000 among 20 000 to 30 000 is what somebody looks for, not a missing value."""
    assert sentinels(np.concatenate([np.linspace(2e4, 3e4, 200), [6e4, 6e4]])) == []


@pytest.mark.parametrize(
    ("runs", "kind"),
    [
        ([np.cumsum(np.abs(NOISE))], "rises"),
        ([800 + np.cumsum(np.abs(NOISE)), 1400 + np.cumsum(np.abs(NOISE))], "rises"),
        ([np.tile(np.cumsum(np.abs(NOISE[:24])), 10)], "restarts"),
        ([np.arange(50.0), np.arange(70.0)], "restarts"),
        ([20 + np.arange(50.0), 45 + np.arange(40.0)], None),
        ([NOISE], None),
        ([np.sin(np.arange(400) / 20)], None),
        ([np.abs(np.sin(np.arange(400) / 20))], None),
        ([np.ones(50)], None),
    ],
)
def test_counters_are_told_from_other_series(runs: list[np.ndarray], kind: str | None) -> None:
    """A meter rises without end, a day's rain starts again from zero; waves and charges do not."""
    assert counts_up(runs) == kind


def test_a_meter_and_a_daily_counter_are_said(tmp_path: Path) -> None:
    """The dry run says which columns only rise, so that their steps are asked for."""
    rain = np.tile(np.cumsum(np.abs(NOISE[:24])), 10)
    meter = 812 + np.cumsum(np.abs(NOISE[:240]))
    rows = [
        f"2024-04-{i // 24 + 1:02d} {i % 24:02d}:00,{a:.2f},{b:.2f},{c:.2f}"
        for i, (a, b, c) in enumerate(zip(meter, rain, NOISE, strict=False))
    ]
    notes = " ".join(plan_of(tmp_path, "date,meter,rain,wind", rows).notes)
    assert "meter only rises: a meter or counter?" in notes
    assert "rain rises and starts again from zero: a counter?" in notes
    assert "wind ri" not in notes


@pytest.mark.parametrize(
    ("name", "values", "unit"),
    [
        ("hr", 70 + NOISE, "bpm"),
        ("heart_rate", 150 + NOISE, "bpm"),
        ("Puls", 60 + NOISE, "bpm"),
        ("hr", 0.8 + NOISE / 100, None),
        ("steps", np.abs(NOISE) * 50, "count"),
        ("SpO2", 96 + NOISE / 4, "%"),
        ("humidity", 60 + NOISE, "%"),
        ("humidity", 0.6 + NOISE / 100, None),
        ("lat", 51.4 + NOISE / 1e3, "deg"),
        ("distance_m", np.arange(400.0), "m"),
        ("temp", 20 + NOISE, None),
        ("speed", 20 + NOISE, None),
    ],
)
def test_well_known_names_have_their_unit_where_the_numbers_fit(
    name: str, values: np.ndarray, unit: str | None
) -> None:
    """A heart rate of 70 is in bpm; one of 0.8, or a temperature of 20, may be in anything."""
    assert usual_units({name: values}) == ({} if unit is None else {name: unit})


@pytest.mark.parametrize(("size", "unit"), [(9.81, "m/s^2"), (1.0, "g"), (5.0, None)])
def test_an_accelerometer_tells_its_unit_by_gravity(size: float, unit: str | None) -> None:
    """Three axes whose medians are one gravity long say in what it is counted."""
    axes = {
        f"a{a}": share * size + NOISE / 100 for a, share in zip("xyz", (0, 0.6, 0.8), strict=True)
    }
    assert usual_units(axes) == ({} if unit is None else dict.fromkeys(axes, unit))


def test_units_of_other_countries_are_read_in_brackets(tmp_path: Path) -> None:
    """A backyard station's miles per hour, inches and inches of mercury are no arbitrary units."""
    head = "Date,Temp(F),Wind(mph),Rain(in),Rel. Pressure(inHg)"
    plan = plan_of(tmp_path, head, [f"2024-04-{i + 1:02d},50,4.4,0.1,30.05" for i in range(20)])
    assert [c.unit for c in plan.modalities[0].channels] == ["degF", "mph", "inch", "inHg"]


def test_a_column_that_numbers_the_rows_is_no_channel(tmp_path: Path) -> None:
    """ "No." that counts 1, 2, 3 is left out and said; "No." of anything else stays."""
    rows = [f"{i + 1},2024-04-{i + 1:02d},{v:.2f}" for i, v in enumerate(NOISE[:20])]
    plan = plan_of(tmp_path, "No.,Date,x", rows)
    assert [c.name for c in plan.modalities[0].channels] == ["x"]
    assert "'No.' numbers the rows" in " ".join(plan.said)
    rows = [f"{i % 3},2024-04-{i + 1:02d},{v:.2f}" for i, v in enumerate(NOISE[:20])]
    assert len(plan_of(tmp_path, "No.,Date,x", rows).modalities[0].channels) == 2
