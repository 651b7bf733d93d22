"""What names of files say where all of them say it: the start, the subject, the condition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tool_use_om.data.converters.table.convert import plan_files
from tool_use_om.data.converters.table.names import told_by
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.plan import TablePlan

STEPS = [0, 1, 4, 10, 12, 17, 18, 22, 28, 33]


def elapsed(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def plan_of(folder: Path, names: list[str], head: str = "elapsed,hr", **options: Any) -> TablePlan:
    rows = [f"{elapsed(s)},{100 + i}" for i, s in enumerate(STEPS)]
    for name in names:
        (folder / name).write_text("\n".join([head, *rows]) + "\n")
    return plan_files([folder / n for n in names], TableOptions(**options), "mine")


@pytest.mark.parametrize(
    ("names", "starts"),
    [
        (
            ["run_2024-03-02_0712.csv", "run_2024-04-14_0800.csv"],
            ["2024-03-02T07:12", "2024-04-14T07:00"],
        ),
        (["20240302T071200.csv", "20240414T080000.csv"], ["2024-03-02T07:12", "2024-04-14T07:00"]),
        (["ride 2024-03-02 07.12.csv"], ["2024-03-02T07:12"]),
    ],
)
def test_a_stop_watch_starts_when_the_files_name_says(
    tmp_path: Path, names: list[str], starts: list[str]
) -> None:
    """Sessions get the date and time of their names, summer time too; uneven steps stay."""
    plan = plan_of(tmp_path, names, tz="Europe/London")
    found = [s.start_utc.strftime("%Y-%m-%dT%H:%M") for s in plan.sessions if s.start_utc]
    assert found == starts
    ((time_s, _),) = plan.sessions[0].signals.values()
    assert time_s.tolist() == STEPS
    assert "started when the file's name says" in "; ".join(plan.said)


def test_a_clock_without_a_date_gets_the_date_of_its_file(tmp_path: Path) -> None:
    """Times of day are put on the day that the file is named after."""
    for day in (1, 2):
        rows = [f"{8 + i // 60:02d}:{i % 60:02d}:00,{i}" for i in range(90)]
        (tmp_path / f"log_2024-07-0{day}.csv").write_text("\n".join(["Time,x", *rows]) + "\n")
    files = [tmp_path / f"log_2024-07-0{day}.csv" for day in (1, 2)]
    plan = plan_files(files, TableOptions(tz="Europe/London"), "mine")
    found = [s.start_utc.isoformat() for s in plan.sessions if s.start_utc is not None]
    assert found == ["2024-07-01T07:00:00+00:00", "2024-07-02T07:00:00+00:00"]


def test_a_days_name_without_a_time_of_day_says_so(tmp_path: Path) -> None:
    """The day is known, the time of day is not: it is counted from midnight, and that is said."""
    plan = plan_of(tmp_path, ["a_2024-03-02.csv", "a_2024-03-05.csv"])
    assert [s.start_utc.day for s in plan.sessions if s.start_utc] == [2, 5]
    assert "the time of day is not told: midnight" in "; ".join(plan.said)


def test_subject_and_condition_come_from_names_that_say_them(tmp_path: Path) -> None:
    """sub01_eyes_open is subject sub01 with eyes_open throughout; "unknown" is no label."""
    names = [
        f"sub0{s}_eyes_{c}.csv" for s in (1, 2) for c in ("open", "closed")
    ] + ["sub03_eyes_open.csv", "sub03_unknown.csv"]  # fmt: skip
    plan = plan_of(tmp_path, names)
    told = {s.session_id: (s.subject_id, [x[2] for x in s.labels]) for s in plan.sessions}
    assert told["sub01_eyes_closed"] == ("sub01", ["eyes_closed"])
    assert told["sub03_eyes_open"] == ("sub03", ["eyes_open"])
    assert told["sub03_unknown"] == ("sub03", [])
    (whole,) = plan.sessions[0].labels
    assert whole[:2] == (0.0, pytest.approx(plan.sessions[0].duration_s))
    assert whole[3] == "condition"


@pytest.mark.parametrize(
    ("names", "subjects", "conditions"),
    [
        (["walk_01", "walk_02", "sit_01", "sit_02"], set(), {"walk", "sit"}),
        (["P01_knee", "P02_knee", "P03_knee"], {"P01", "P02", "P03"}, set()),
        (["may", "june", "july"], set(), set()),
        (["pump-a", "pump-b", "pump-c"], set(), set()),
        (["S1-walk", "S1-sit", "S2-walk", "S2-sit"], {"S1", "S2"}, {"walk", "sit"}),
        (["S1_x", "S2_x", "other"], set(), set()),
        (["run_2024-03-02", "run_2024-03-05"], set(), set()),
    ],
)
def test_names_tell_only_what_holds_for_all(
    names: list[str], subjects: set[str], conditions: set[str]
) -> None:
    """A pattern that one file lacks, or words that come once, tell nothing."""
    told = told_by(names)
    assert set(told.subjects.values()) == subjects
    assert set(told.conditions.values()) == conditions
