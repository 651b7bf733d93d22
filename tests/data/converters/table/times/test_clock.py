"""Times as loggers, stop watches and people write them: the right moment, or a question back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.converters.table.convert import plan_files
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.plan import TablePlan
from tool_use_om.data.errors import DataError


def plan_of(folder: Path, head: str, rows: list[str], **options: Any) -> TablePlan:
    (folder / "mine.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return plan_files([folder / "mine.csv"], TableOptions(**options), "mine")


def times_of(plan: TablePlan) -> np.ndarray:
    ((time_s, _),) = plan.sessions[0].signals.values()
    return time_s


@pytest.mark.parametrize(
    ("written", "step_s"),
    [
        (["01-04-2024 00h00", "01-04-2024 01h00", "13-04-2024 00h00"], 3600),
        (["01.04.2024 00h", "01.04.2024 1h", "13.04.2024 0h"], 3600),
        (["13/04/2024 8h05", "13/04/2024 8h06", "13/04/2024 8h07"], 60),
        (["2024.04.01 08.00", "2024.04.01 08.10", "2024.04.01 08.20"], 600),
        (["20240401T0800", "20240401T0801", "20240401T0802"], 60),
        (["20240401", "20240402", "20240403"], 86400),
        (["1 avril 2024", "2 avril 2024", "3 avril 2024"], 86400),
        (["1er août 2024 08h00", "1er août 2024 09h00", "1er août 2024 10h00"], 3600),
        (["lundi 1 juillet 2024", "mardi 2 juillet 2024", "mercredi 3 juillet 2024"], 86400),
        (["1. März 2024 14:00", "1. März 2024 14:30", "1. März 2024 15:00"], 1800),
        (["31. Dez. 2023 23:00", "1. Jan. 2024 00:00", "1. Jan. 2024 01:00"], 3600),
        (["Mon Apr  1 08:00:00 2024", "Mon Apr  1 08:00:01 2024", "Mon Apr  1 08:00:02 2024"], 1),
        (["2024-Apr-01", "2024-Apr-02", "2024-Apr-03"], 86400),
        (["13.04.2024 14 Uhr", "13.04.2024 15 Uhr", "13.04.2024 16 Uhr"], 3600),
        (["2024-04-01 1 PM", "2024-04-01 2 PM", "2024-04-01 3 PM"], 3600),
    ],
)
def test_a_time_is_read_as_it_is_written(tmp_path: Path, written: list[str], step_s: float) -> None:
    """A date of every spelling starts on its day and steps as it says."""
    rows = [f'"{text}",{i}' for i, text in enumerate(written)]
    plan = plan_of(tmp_path, "date,x", rows)
    assert times_of(plan)[1] == pytest.approx(step_s)
    start = plan.sessions[0].start_utc
    assert start is not None
    digits = {"août": 8, "avril": 4, "juillet": 7, "März": 3, "Dez": 12}
    month = next((n for word, n in digits.items() if word in written[0]), 4)
    assert (start.year, start.month) == (2023 if month == 12 else 2024, month)


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("Date,Time,x", "{m:02d}/{d:02d}/2023,{half:02d}:00 {p}M,{i}"),
        ("Date,Time,x", "{m:02d}/{d:02d}/2023,{h:02d}h00,{i}"),
        ("Datum;Uhrzeit;x", "{d:02d}.{m:02d}.2023;{h:02d}.00;{i}"),
        ("Date,heure,x", "2023-{m:02d}-{d:02d},{h:02d}00,{i}"),
        ("date,hour,x", "2023-{m:02d}-{d:02d},{h},{i}"),
        ("date,HE,x", "2023-{m:02d}-{d:02d},{he},{i}"),
    ],
)
def test_a_date_and_a_time_column_keep_the_hours_of_a_clock_change(
    tmp_path: Path, head: str, row: str
) -> None:
    """Twelve midnight and noon are told apart; the doubled hour of autumn comes twice, in order."""
    hours = [(11, 4, h) for h in range(24)] + [(11, 5, h) for h in (0, 1, *range(1, 24))]
    rows = [
        row.format(m=m, d=d, h=h, he=h + 1, half=h % 12 or 12, p="AP"[h >= 12], i=i)
        for i, (m, d, h) in enumerate(hours)
    ]
    zone: dict[str, Any] = {"tz": "America/New_York"}
    if row.startswith("{m"):
        zone["order"] = "month-first"
    plan = plan_of(tmp_path, head, rows, **zone)
    assert np.diff(times_of(plan)).tolist() == [3600.0] * 48
    assert plan.sessions[0].start_utc.isoformat() == "2023-11-04T04:00:00+00:00"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("head", "written", "expected"),
    [
        ("elapsed", ["0:00:00", "0:00:02", "0:00:08", "1:00:00"], [0, 2, 8, 3600]),
        ("elapsed", ["00:00", "00:05", "59:58", "1:00:03"], [0, 5, 3598, 3603]),
        ("lap", ["0:00", "1:02", "2:04", "61:05"], [0, 62, 124, 3665]),
        ("t", ["0:00.5", "0:01.0", "0:01.5", "1:02.0"], [0, 0.5, 1.0, 61.5]),
        ("elapsed", ["0s", "30s", "1m 05s", "1h 02m"], [0, 30, 65, 3720]),
        ("time", ["PT0S", "PT30S", "PT1M5S", "PT1H2M"], [0, 30, 65, 3720]),
        ("time", ["22:00:00", "23:00:00", "00:00:00", "01:00:00"], [0, 3600, 7200, 10800]),
        ("Uhrzeit", ["22:00", "23:00", "00:00", "01:00"], [0, 3600, 7200, 10800]),
        ("duration", ["0 days 00:00:00", "0 days 01:00:00", "1 day, 0:00:00"], [0, 3600, 86400]),
    ],
)
def test_times_without_a_date_count_from_their_start(
    tmp_path: Path, head: str, written: list[str], expected: list[float]
) -> None:
    """A stop watch's h:mm:ss, mm:ss and 1h 02m, and a clock that passes midnight, are seconds."""
    plan = plan_of(tmp_path, f"{head};x", [f"{t};{i}" for i, t in enumerate(written)])
    assert times_of(plan).tolist() == pytest.approx(expected)
    assert plan.sessions[0].start_utc is None


def test_two_numbers_that_may_be_hours_or_minutes_are_asked_and_the_answer_is_taken(
    tmp_path: Path,
) -> None:
    """0:00, 0:01, 0:02 of a column "time" is asked back; both answers that are offered work."""
    rows = [f"0:{i:02d},{i}" for i in range(20)]
    with pytest.raises(DataError, match="--time-unit hh:mm or --time-unit mm:ss"):
        plan_of(tmp_path, "time,x", rows)
    for unit, step in (("hh:mm", 60), ("mm:ss", 1)):
        plan = plan_of(tmp_path, "time,x", rows, time_unit=unit)
        assert times_of(plan)[1] == step


def test_a_date_without_its_time_of_day_is_asked_and_the_answer_is_taken(tmp_path: Path) -> None:
    """--time Date where Time has the hours says what to say instead, and that works."""
    rows = [f"2024-04-{d:02d},{h:02d}:00,{h}" for d in (1, 2) for h in range(24)]
    with pytest.raises(DataError, match=r"--time Date\+Time"):
        plan_of(tmp_path, "Date,Time,x", rows, time="Date")
    plan = plan_of(tmp_path, "Date,Time,x", rows, time="Date+Time")
    assert np.diff(times_of(plan)).tolist() == [3600.0] * 47
