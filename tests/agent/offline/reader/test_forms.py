"""Every form of question is a sentence that the rules read for certain, and answer."""

from __future__ import annotations

import pytest

from tool_use_om.agent.offline.forms.registry import plan_steps
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.reader.forms import FORMS, REFUSED, kept, places, reading
from tool_use_om.evals.suites.questions.expected import calls_of_templates
from tool_use_om.evals.suites.questions.written import learnt

CARD = {
    "name": "basic-motions",
    "channels": [
        {"id": f"{modality}.{axis}", "unit": unit}
        for modality, unit in (("accelerometer", "m/s^2"), ("gyroscope", "rad/s"))
        for axis in "xyz"
    ],
    "labels": {"activity": ["Badminton", "Running", "Standing", "Walking"]},
    "session_ids": ["bm-train-001", "bm-test-003"],
    "id_pattern": r"bm-train-\d+|bm-test-\d+",
    "subject_ids": ["s1", "s2"],
    "duration_s": {"min": 10.0, "max": 10.0, "median": 10.0},
}
SLOTS = {
    "label": "walking", "label2": "running", "channel": "accelerometer.x",
    "channel2": "gyroscope y", "modality": "accelerometer", "session": "bm-test-003",
    "session2": "bm-train-001", "subject2": "subject 1",
    "subject": "subject 2", "dur": "5 seconds", "t0": "3", "t1": "5", "n": "5", "k": "4",
    "pct": "90", "hz": "1.5", "hz2": "2", "head": "knn", "head2": "prototypes",
    "tokenizer": "moment-small", "dataset": "basic-motions", "day": "2026-01-05", "value": "2",
    "statistic": "mean", "extreme": "highest", "extremum": "maximum", "above": "above",
    "split": "test", "lively": "vigorous and rhythmic", "weekday": "on weekends",
    "month": "by month", "ahead": "7 days",
}  # fmt: skip
PENDING = frozenset({"effect"})
"""Forms that no tool answers yet: the reader says so and runs nothing."""
_NEWER = frozenset(name for name, calls in calls_of_templates().items() if calls == "pending")


@pytest.mark.parametrize("form", sorted(set(FORMS) - PENDING))
def test_a_forms_sentence_is_kept_or_nothing_is_run(form: str) -> None:
    """What the rules make of a form's sentence is the form, with a plan; else it is not run."""
    own = reading(form, SLOTS)
    assert not own.missing
    query = parse(own.text, [CARD])
    if kept(form, query):
        assert plan_steps(query, Names.of([CARD]))
        assert not query.refused


def test_most_forms_can_be_answered() -> None:
    """A change of the rules that loses forms shows here."""
    lost = [f for f in FORMS if not kept(f, parse(reading(f, SLOTS).text, [CARD]))]
    assert len(lost) <= 30, lost


def test_an_optional_place_is_left_out_with_its_words() -> None:
    assert reading("trend", {"channel": "heart rate"}).text.startswith("Does heart rate rise")
    assert reading("motifs", {}).text == "Which patterns repeat?"
    assert reading("motifs", {"channel": "x"}).text == "Which patterns repeat in x?"


def test_a_missing_place_is_named() -> None:
    own = reading("stat-label", {"channel": "heart rate", "statistic": "mean"})
    assert own.missing == ("label",)
    assert "…" in own.text


def test_forms_phrasings_and_calls_are_of_the_same_templates() -> None:
    """One line and its phrasings add a form; none is without the other."""
    known = set(FORMS) | set(REFUSED)
    assert {p.template for p in learnt()} == known
    assert set(calls_of_templates()) == known


def test_places_of_phrasings_are_places_of_their_form() -> None:
    """What a phrasing names, the form's sentence can say."""
    for one in learnt():
        if one.template in REFUSED or one.template in PENDING | _NEWER:
            continue
        said = {part.partition("}")[0] for part in one.text.split("{")[1:]}
        assert said <= set(places(one.template)), one
