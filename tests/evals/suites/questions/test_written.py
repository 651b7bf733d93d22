"""Phrasings: the held-out ones are frozen, and none of them is learnt from."""

from __future__ import annotations

import re

import pytest

from tool_use_om.data.synthetic.sets.drawn import draw_set
from tool_use_om.evals.suites.questions import written
from tool_use_om.evals.suites.questions.examples import HELDOUT_SEEDS, LEARNT_SEEDS, filled
from tool_use_om.evals.suites.questions.expected import expected
from tool_use_om.evals.suites.questions.written import Phrasing, held_out, learnt, overlap


def test_held_out_phrasings_are_the_frozen_ones() -> None:
    assert len(held_out()) == 819


def test_another_held_out_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "HELDOUT", "eda.jsonl")
    with pytest.raises(written.DataError, match="frozen"):
        held_out()


def test_no_held_out_phrasing_is_learnt() -> None:
    assert overlap(learnt(), held_out()) == []


def test_overlap_sees_through_case_marks_and_spaces() -> None:
    a = Phrasing(template="t", language="en", voice="v", text="Find {label}!")
    b = Phrasing(template="t", language="en", voice="w", text="find   {label}")
    assert overlap([a], [b]) == [b.text]


def test_at_least_thirty_phrasings_a_template_in_four_languages() -> None:
    rows = learnt()
    counts = {t: sum(r.template == t for r in rows) for t in {r.template for r in rows}}
    assert len(counts) >= 80
    assert min(counts.values()) >= 30
    assert {r.language for r in rows} == {"en", "de", "fr", "zh"}


def test_held_out_data_sets_never_meet_training() -> None:
    assert not set(LEARNT_SEEDS) & set(HELDOUT_SEEDS)
    assert len({draw_set(s).name for s in (*LEARNT_SEEDS, *HELDOUT_SEEDS)}) == 80


def test_filled_phrasings_have_no_place_left_and_expect_calls() -> None:
    for one in filled(learnt()[::50], LEARNT_SEEDS):
        assert "{" not in one.question
        calls = expected(one)
        assert calls is None or not re.search(r"\{\w+\}", str(calls))
