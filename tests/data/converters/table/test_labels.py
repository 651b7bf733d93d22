"""Columns of text are labels where they label: stages, alarms, logs of changes, stretches."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tool_use_om.data.converters.table.convert import plan_files
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.plan import TablePlan
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.graphs.commands.data import app


def plan_of(folder: Path, head: str, rows: list[str], **options: Any) -> TablePlan:
    (folder / "mine.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return plan_files([folder / "mine.csv"], TableOptions(**options), "mine")


MINUTES = [f"2024-07-01 {i // 60:02d}:{i % 60:02d}" for i in range(240)]


def test_text_with_blanks_is_labels_and_blank_is_none(tmp_path: Path) -> None:
    """Stages of sleep are labels, several such columns are sets; being awake has no label."""
    stage = ["deep"] * 60 + [""] * 60 + ["light"] * 60 + ["-"] * 60
    alarm = [""] * 200 + ["HI"] * 10 + [""] * 20 + ["LO"] * 10
    rows = [
        f"{t},{i % 7},{a},{b}"
        for i, (t, a, b) in enumerate(zip(MINUTES, stage, alarm, strict=True))
    ]
    plan = plan_of(tmp_path, "time,x,sleep,Alarm", rows)
    assert sorted(plan.sessions[0].labels) == [
        (0.0, 3600.0, "deep", "sleep"),
        (7200.0, 10800.0, "light", "sleep"),
        (12000.0, 12600.0, "HI", "Alarm"),
        (13800.0, 14400.0, "LO", "Alarm"),
    ]
    assert "labels are 'sleep', 'Alarm' (blank = none)" in plan.said
    none = plan_of(tmp_path, "time,x,sleep,Alarm", rows, label="none")
    assert none.sessions[0].labels == ()


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["PRESS-04"] * 240, "left out: 'z', 'PRESS-04' throughout"),
        (["", "plumber came", "", "away"] + [""] * 236, "left out as text: 'z'"),
        ([f"id{i}" for i in range(240)], "left out as text: 'z'"),
    ],
)
def test_text_that_labels_nothing_is_left_out_and_said(
    tmp_path: Path, texts: list[str], said: str
) -> None:
    """One name throughout, remarks here and there, and names of rows are no labels."""
    plan = plan_of(
        tmp_path,
        "time,x,z",
        [f"{t},{i % 7},{z}" for i, (t, z) in enumerate(zip(MINUTES, texts, strict=True))],
    )
    assert plan.sessions[0].labels == ()
    assert said in plan.said


# minutes from 6:00 at which a press changed, and to what
PRESS = [(0, "SETUP"), (20, "RUN"), (60, "IDLE"), (61, "RUN"), (200, "FAULT"), (203, "RUN"),
         (500, "IDLE"), (505, "RUN"), (560, "FAULT"), (900, "OFF")]  # fmt: skip


def log(*, counter: bool) -> list[str]:
    return [
        f"2024/05/02 {6 + m // 60:02d}:{m % 60:02d}:00|P4|{s}" + (f"|{1000 + 8 * m}" * counter)
        for m, s in PRESS
    ]


def test_a_log_of_changes_holds_until_the_next_row(tmp_path: Path) -> None:
    """Each state lasts to the next row however long; no gap is seen; the counter is a channel."""
    plan = plan_of(tmp_path, "ts|machine|state|counter", log(counter=True))
    assert plan.sessions[0].labels == tuple(
        (60.0 * a, 60.0 * b, s, "state") for (a, s), (b, _) in pairwise(PRESS)
    )
    assert [c.name for c in plan.modalities[0].channels] == ["counter"]
    assert "a row a change: 'state' until the next row (the last, OFF, has no length)" in plan.said
    assert any("Rows come when something happens" in n for n in plan.notes)


def test_a_log_without_numbers_has_the_length_of_each_row_as_channel(tmp_path: Path) -> None:
    """Text alone is enough for a data set: how long each state held is its channel, in seconds."""
    plan = plan_of(tmp_path, "ts|machine|state", log(counter=False))
    (channel,) = plan.modalities[0].channels
    assert (channel.name, channel.unit) == ("length", "s")
    ((_, values),) = plan.sessions[0].signals.values()
    assert values[:3, 0].tolist() == [1200.0, 2400.0, 60.0]


def test_a_steady_table_whose_labels_change_often_is_no_log(tmp_path: Path) -> None:
    """Rows a minute apart are samples, though each has another label than the one before."""
    rows = [f"{t},{i % 7},{'ab'[i % 2]}" for i, t in enumerate(MINUTES)]
    plan = plan_of(tmp_path, "time,x,state", rows)
    assert plan.sessions[0].labels[0] == (0.0, 60.0, "a", "state")
    assert len(plan.sessions[0].labels) == len(MINUTES)


EVENTS = [
    ("08:00", "09:30", "walk", 3),
    ("09:00", "09:10", "call", 1),
    ("09:00", "12:00", "work", 2),
    ("13:00", "", "work", 5),
    ("14:00", "18:00", "work", 4),
]


@pytest.mark.parametrize(
    ("head", "n_channels"),
    [("Start;End;Activity;Effort", 1), ("start_time;end_time;what", 1), ("von;bis;was", 1)],
)
def test_a_table_of_starts_and_ends_is_stretches(
    tmp_path: Path, head: str, n_channels: int
) -> None:
    """Each row is a stretch, overlaps and equal starts too; an open end has none."""
    width = head.count(";") + 1
    rows = [
        ";".join((f"2024-07-{d:02d} {a}", f"2024-07-{d:02d} {b}" if b else "", c, str(n))[:width])
        for d in (1, 2, 3)
        for a, b, c, n in EVENTS
    ]
    (tmp_path / "diary.csv").write_text("\n".join([head, *rows]) + "\n")
    space = str(tmp_path / "ws")
    result = CliRunner().invoke(app, ["import", str(tmp_path / "diary.csv"), "--workspace", space])
    assert result.exit_code == 0, result.output
    found = DataSet.open(tmp_path / "ws" / "datasets" / "diary")
    labels = found.labels()
    assert len(labels) == 12
    day = labels[labels["start_s"] < 86_400]
    assert day[["start_s", "end_s", "label"]].values.tolist() == [
        [0.0, 5400.0, "walk"], [3600.0, 4200.0, "call"], [3600.0, 14400.0, "work"],
        [21600.0, 36000.0, "work"],
    ]  # fmt: skip
    assert len(found.manifest.channel_ids) == n_channels
    assert found.manifest.duration_s == 2 * 86_400 + 36_000


@pytest.mark.parametrize(
    ("head", "lengths"),
    [
        ("Start,Duration (min),Type", ["30", "45", "90"]),
        ("started,duration,Type", ["0:30:00", "0:45:00", "1:30:00"]),
        ("Beginn,Dauer,Typ", ["30m", "45m", "1h 30m"]),
    ],
)
def test_a_start_and_a_length_are_a_stretch(tmp_path: Path, head: str, lengths: list[str]) -> None:
    """A diary of starts and lengths has the stretches that one of starts and ends has."""
    rows = [
        f"2024-07-{d:02d} {8 + 3 * i}:00,{length},{('run', 'ride', 'swim')[i]}"
        for d in range(1, 6)
        for i, length in enumerate(lengths)
    ]
    plan = plan_of(tmp_path, head, rows)
    assert plan.sessions[0].labels[:3] == (
        (0.0, 1800.0, "run", head.split(",")[2]),
        (10800.0, 13500.0, "ride", head.split(",")[2]),
        (21600.0, 27000.0, "swim", head.split(",")[2]),
    )
