"""One row a reading, with keys: whose it is, what is measured, in what unit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.converters.table.convert import plan_files
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.plan import TablePlan

STEP_MIN = 10


def plan_of(folder: Path, head: str, rows: list[str], **options: Any) -> TablePlan:
    (folder / "mine.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return plan_files([folder / "mine.csv"], TableOptions(**options), "mine")


def charges(*, anew: bool) -> list[str]:
    """Return the readings of two cars that charge each evening over the end of summer time."""
    rows = []
    for day in range(20, 31):
        offset = "+02:00" if day < 27 else "+01:00"
        for car, start in (("Zoe", 18), ("Kona", 19)):
            for k in range(6 + day % 3):
                at = f"2024-10-{day}T{start + k // 6:02d}:{k % 6}0:00{offset}"
                base = 0.0 if anew else 10.0 * day
                for name, value, unit in (
                    ("power", 11.0, "kW"), ("energy", base + 1.5 * k, "kWh"), ("soc", 40 + k, "%"),
                ):  # fmt: skip
                    rows.append((at, f"{at},{car},{name},{value},{unit}"))
    return [row for _, row in sorted(rows, key=lambda r: r[0][:19])]


def test_each_charge_is_a_session_of_its_car(tmp_path: Path) -> None:
    """Measures are channels with their units, cars subjects, charges sessions on their clock."""
    plan = plan_of(tmp_path, "time,vehicle,measure,value,unit", charges(anew=True))
    (modality,) = plan.modalities
    assert [(c.name, c.unit) for c in modality.channels] == [
        ("power", "kW"), ("energy", "kWh"), ("soc", "%"),
    ]  # fmt: skip
    assert modality.rate_hz == pytest.approx(1 / 600)
    assert len(plan.sessions) == 22
    zoe = [s for s in plan.sessions if s.subject_id == "Zoe"]
    lengths = [len(next(iter(s.signals.values()))[0]) for s in zoe]
    assert lengths == [6 + day % 3 for day in range(20, 31)]
    hours = {plan.calendar.local(s.start_utc).hour for s in zoe if s.start_utc is not None}
    assert hours == {18}
    assert plan.calendar.zone == "Europe/Berlin"
    assert "'energy' starts anew after each of 20 pauses" in "; ".join(plan.said)


def test_without_a_counter_that_starts_anew_each_car_is_one_session(tmp_path: Path) -> None:
    """Pauses alone cut nothing: what goes on after a pause is one series."""
    plan = plan_of(tmp_path, "time,vehicle,measure,value,unit", charges(anew=False))
    assert {s.session_id for s in plan.sessions} == {"Zoe", "Kona"}
    assert {s.subject_id for s in plan.sessions} == {"Zoe", "Kona"}


def test_a_wide_table_of_several_finds_the_column_that_tells_them_apart(tmp_path: Path) -> None:
    """Where each time comes once a pump, the pump is the subject; nobody has to name it."""
    rows = [
        f"2024-05-01 {i // 60:02d}:{i % 60:02d},{pump},{i + n}"
        for i in range(90)
        for n, pump in enumerate(("north", "south", "east"))
    ]
    plan = plan_of(tmp_path, "time,pump,pressure", rows)
    assert {s.session_id: s.subject_id for s in plan.sessions} == {
        p: p for p in ("north", "south", "east")
    }
    ((_, values),) = plan.sessions[1].signals.values()
    assert values[:, 0].tolist() == [i + 1.0 for i in range(90)]


def test_the_doubled_hour_is_read_car_by_car(tmp_path: Path) -> None:
    """Local times of several cars, row by row of all: each has both hours of the change once."""
    hours = [1, 2, 2, 3, 4]
    rows = [
        f"2024-10-27 {h:02d}:00,{car},{10 * i + n}"
        for i, h in enumerate(hours)
        for n, car in enumerate(("a", "b"))
    ] + [f"2024-10-28 {h:02d}:00,{car},1" for h in range(20) for car in ("a", "b")]
    plan = plan_of(tmp_path, "time,car,x", rows, subject="car", tz="Europe/Berlin")
    for session in plan.sessions:
        ((time_s, _),) = session.signals.values()
        assert np.diff(time_s)[:4].tolist() == [3600.0] * 4
