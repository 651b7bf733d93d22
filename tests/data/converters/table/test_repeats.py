"""Rows of one time: the same row again, rows of several, and what is refused with advice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tool_use_om.data.converters.table.convert import plan_files
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.plan import TablePlan
from tool_use_om.data.errors import DataError

MONDAY = 1_747_020_000  # 2025-05-12, Unix seconds


def plan_of(folder: Path, head: str, rows: list[str], **options: Any) -> TablePlan:
    (folder / "mine.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return plan_files([folder / "mine.csv"], TableOptions(**options), "mine")


def lengths(plan: TablePlan) -> dict[str, int]:
    return {s.session_id: len(next(iter(s.signals.values()))[0]) for s in plan.sessions}


EVEN = [f"{MONDAY + 20 * i},{20 + i / 7:.2f}" for i in range(60)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([*EVEN, EVEN[5]], "1 row comes twice, word for word: one is kept"),
        ([EVEN[3], *EVEN, EVEN[5]], "2 rows come twice, word for word: one of each is kept"),
        (
            [EVEN[3], *EVEN, EVEN[3]],
            "1 row comes more than once (2 too many), word for word: one is kept",
        ),
    ],
)
def test_rows_that_come_again_word_for_word_are_dropped_and_said(
    tmp_path: Path, rows: list[str], said: str
) -> None:
    """One of each is kept, wherever in the file the others stand."""
    plan = plan_of(tmp_path, "ts,level", rows)
    assert lengths(plan) == {"mine": 60}
    assert said in plan.said
    assert plan.n_rows == len(rows)


def test_readings_that_come_again_word_for_word_are_dropped_too(tmp_path: Path) -> None:
    """One row a reading: the repeated one goes, and the sensors share their times again."""
    rows = [f"{MONDAY + 20 * i},{n},{i / 7:.2f}" for i in range(40) for n in ("in", "out")]
    plan = plan_of(tmp_path, "ts,sensor,value", [*rows, rows[7]])
    assert [c.name for m in plan.modalities for c in m.channels] == ["in", "out"]
    assert "1 row comes twice, word for word: one is kept" in plan.said


def test_the_same_row_in_two_runs_of_a_stop_watch_is_kept(tmp_path: Path) -> None:
    """Each run begins at 0 with the same value: these are no repeats."""
    plan = plan_of(tmp_path, "t_s,x", [f"{t},{t / 4}" for _ in range(3) for t in range(20)])
    assert lengths(plan) == {"mine-1": 20, "mine-2": 20, "mine-3": 20}


def test_different_rows_of_one_time_are_refused_with_advice_that_works(tmp_path: Path) -> None:
    """One time comes, not "1 times come"; what differs is shown; without one of them it reads."""
    rows = [*EVEN[:30], f"{MONDAY + 20 * 29},99", *EVEN[30:]]
    with pytest.raises(DataError, match="1 time comes twice") as refused:
        plan_of(tmp_path, "ts,level", rows)
    assert "first 2025-05-12T03:29:40, where 'level' is 24.14 and 99;" in str(refused.value)
    assert "keep one row a time" in str(refused.value)
    del rows[30]
    assert lengths(plan_of(tmp_path, "ts,level", rows)) == {"mine": 60}


def ward(*, more: str = "") -> list[str]:
    """Return rounds of eight beds, two of them noted in one minute."""
    return [
        f"2024-02-{10 + r // 12} {6 + r % 12:02d}:{b // 2:02d},{b}{more.format(b=b)},{60 + r % 7}"
        for r in range(48)
        for b in range(8)
    ]


def test_the_one_column_that_tells_rows_of_one_time_apart_is_the_session(tmp_path: Path) -> None:
    """Beds are numbers; of each, a time comes once; so do no pulses."""
    plan = plan_of(tmp_path, "Obs time,Bed,HR", ward())
    assert lengths(plan) == {str(b): 48 for b in range(8)}
    assert "taken as sessions: Bed (of each, a time comes once)" in plan.said
    assert [c.name for c in plan.modalities[0].channels] == ["HR"]
    assert plan.session_noun == "bed"


def test_of_several_such_columns_none_is_taken_and_both_are_named(tmp_path: Path) -> None:
    """The advice works: either of them, named, is the session."""
    rows = ward(more=",{b}0")
    with pytest.raises(DataError, match="say --session 'Bed' or --session 'Pump'"):
        plan_of(tmp_path, "Obs time,Bed,Pump,HR", rows)
    plan = plan_of(tmp_path, "Obs time,Bed,Pump,HR", rows, session="Bed", skip=("Pump",))
    assert len(plan.sessions) == 8


def test_few_repeats_need_a_name_that_keys_have_or_more_than_chance(tmp_path: Path) -> None:
    """One shared minute of 14 cows: "Kuh-Nr" is a key; the same numbers called "Milch" are not."""
    rows = [f"2024-09-0{2 + i // 60} {i // 10 % 6 + 8:02d}:{i % 10 * 5:02d},{400 + i % 14},{i % 9}"
            for i in range(180)]  # fmt: skip
    rows.insert(6, rows[5].replace(",405,", ",411,"))
    plan = plan_of(tmp_path, "Datum,Kuh-Nr,kg", rows)
    assert len(plan.sessions) == 14
    with pytest.raises(DataError, match="1 time comes twice"):
        plan_of(tmp_path, "Datum,Milch,kg", rows)
    with pytest.raises(DataError, match="1 time comes twice"):
        plan_of(tmp_path, "Datum,Kuh-Nr,kg", rows, session="none")


def test_rare_kinds_of_records_are_told_apart_beyond_chance(tmp_path: Path) -> None:
    """Six insulin notes in the minute of a reading: their type tells, though few times repeat."""
    rows = [f"17-02-2025 {i // 4:02d}:{i % 4 * 15:02d},0,{5 + i % 9 / 10}" for i in range(90)]
    rows += [f"17-02-2025 {h:02d}:15,4,{h / 10}" for h in (7, 8, 12, 13, 18, 19)]
    plan = plan_of(tmp_path, "Timestamp,Record Type,Glucose mmol/L", rows)
    assert lengths(plan) == {"0": 90, "4": 6}


def test_rows_of_several_that_come_mixed_are_a_session_each(tmp_path: Path) -> None:
    """Three vans, each every 20 s: no time comes twice, but only within one are steps even."""
    rows = sorted(
        f"{MONDAY + start + 20 * i},VAN-{van},{30 + i % 9 / 10}"
        for van, start in (("A", 0), ("B", 6), ("C", 15))
        for i in range(60)
    )
    plan = plan_of(tmp_path, "ts,unit,kmh", [*rows, *rows[4:6]])
    assert lengths(plan) == {"VAN-A": 60, "VAN-B": 60, "VAN-C": 60}
    assert plan.modalities[0].rate_hz == pytest.approx(1 / 20)
    assert any(s.startswith("taken as sessions: unit") for s in plan.said)
    assert any(s.startswith("2 rows come twice") for s in plan.said)


def test_labels_that_change_often_on_an_even_clock_stay_labels(tmp_path: Path) -> None:
    """On and off by turns in even steps are what one thing does, not rows of two."""
    rows = [f"{MONDAY + 20 * i},{'on' if i % 2 else 'off'},{i % 7}" for i in range(80)]
    plan = plan_of(tmp_path, "ts,pump,flow", rows)
    assert lengths(plan) == {"mine": 80}
    assert {label for _, _, label, _ in plan.sessions[0].labels} == {"on", "off"}
