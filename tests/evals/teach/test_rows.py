"""Rows of the compact protocol: right by what the places mean, apart from what is held out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tool_use_om.agent.orchestrator.protocol import read_plan
from tool_use_om.agent.orchestrator.steps import complete
from tool_use_om.data.errors import DataError
from tool_use_om.data.synthetic.sets.drawn import draw_set
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.questions.examples import HELDOUT_SEEDS, Filled
from tool_use_om.evals.suites.questions.written import Phrasing, held_out, learnt
from tool_use_om.evals.teach.generate import beside, generate
from tool_use_om.evals.teach.rows import TEACH_SEEDS, Maker, check_apart
from tool_use_om.evals.teach.teacher import taught
from tool_use_om.evals.teach.verify import problem

CARD = {
    "name": "drawn-x-1",
    "channels": [{"id": "heart.rate", "unit": "bpm", "rate_hz": 1.0}],
    "labels": {"state": ["running", "walking"]},
    "session_ids": ["s01", "s02"],
    "id_pattern": r"s\d+",
    "subject_ids": ["p01"],
    "duration_s": {"min": 10.0, "median": 20.0, "max": 30.0},
}


def _one(template: str, text: str, question: str, **meant: object) -> Filled:
    phrasing = Phrasing(template=template, language="en", voice="x", text=text)
    return Filled(phrasing=phrasing, question=question, meant=meant, card=CARD)


def test_teacher_plans_what_the_places_mean() -> None:
    """The calls come from the meaning, whatever words the phrasing puts around it."""
    one = _one("find-label", "any {label} in there, mate?", "any running in there, mate?",
               label="running")  # fmt: skip
    lesson = taught(one)
    assert [c.tool for c in lesson.calls][-2:] == ["run_task", "interpret_results"]
    assert lesson.calls[-2].args == {"target_label": "running"}


def test_teacher_gives_its_reason() -> None:
    """A phrasing that lacks a place, or that no tool answers, teaches nothing and says why."""
    vague = _one("stat-channel", "{channel}, how is it", "heart.rate, how is it",
                 channel="heart.rate")  # fmt: skip
    assert taught(vague).reason == "the phrasing does not say its statistic"
    assert taught(_one("effect", "x", "x")).reason == "no tool answers it yet"


def test_rows_and_held_out_never_meet() -> None:
    """The build fails where a phrasing or a drawn set is among the held-out ones."""
    check_apart(learnt(), TEACH_SEEDS)
    with pytest.raises(DataError, match="held out"):
        check_apart(learnt(), range(HELDOUT_SEEDS.start - 1, HELDOUT_SEEDS.start + 1))
    with pytest.raises(DataError, match="held out"):
        check_apart([*learnt(), held_out()[0]], TEACH_SEEDS)


def test_row_whose_answer_is_not_the_truth_is_rejected(tmp_path: Path) -> None:
    """The answer to its calls must hold what numpy finds in the samples."""
    maker = Maker(seeds=range(1))
    at = next(i for i, p in enumerate(maker.phrasings) if p.template == "count-sessions")
    (row,) = [r for r in maker.rows(at).kept if r["meta"]["kind"] == "calls"]
    card = {**CARD, "name": row["meta"]["dataset"]}
    place = Workspace.at(tmp_path)
    right = _one("count-sessions", "how many", "how many")
    right = Filled(phrasing=right.phrasing, question="how many", meant={}, card=card)
    lesson = taught(right)
    assert problem(right, lesson.calls, lesson.understood.to_json(), place) == ""
    channel = draw_set(0).modalities[0]
    name = f"{channel.name}.{channel.channels[0].name}"
    mean = Phrasing(template="stat-channel", language="en", voice="x", text="mean {channel}")
    other = Filled(phrasing=mean, question="x", meant={"channel": name}, card=card)
    assert "does not say" in problem(other, lesson.calls, {}, place)


def test_generate_goes_on_and_gives_the_same_rows(tmp_path: Path) -> None:
    """Stopped and begun again, the rows are those of one run; a fifth of them has no calls."""
    maker = Maker(seeds=range(6))
    whole = generate(maker, tmp_path / "whole.jsonl", most=300)
    out = tmp_path / "rows.jsonl"
    generate(maker, out, most=100)
    parts = beside(out, "parts")
    with parts.open("a") as file:
        file.write('{"places": [1, 2], "kept": [{"pro')  # killed while it wrote
    again = generate(maker, out, most=300)
    key = json.dumps
    assert sorted(map(key, again.kept)) == sorted(map(key, whole.kept))
    assert whole.share_without_calls() >= 0.2
    assert whole.pairs
    for row in whole.kept:
        complete(read_plan(row["completion"]).calls)
    with pytest.raises(DataError, match="was begun with"):
        generate(Maker(seeds=range(6), seed=1), out, most=300)
