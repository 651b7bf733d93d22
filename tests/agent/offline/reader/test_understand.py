"""Rules and reader together: what both agree on is answered, nothing is guessed."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.model import plan_of
from tool_use_om.agent.offline.reader import understand as module
from tool_use_om.agent.offline.reader.agreement import Part
from tool_use_om.agent.offline.reader.encoder import installed
from tool_use_om.agent.offline.reader.probe import Sorted
from tool_use_om.agent.offline.reader.slots import read_slots
from tool_use_om.agent.offline.reader.understand import clauses, decide, understand

CARD = {
    "name": "plant",
    "channels": [
        {"id": "pump.pressure", "unit": "hPa"},
        {"id": "pump.flow", "unit": "a.u."},
        {"id": "heart.rate", "unit": "bpm"},
    ],
    "labels": {"state": ["idling", "valve open"]},
    "session_ids": ["run-003", "run-004"],
    "id_pattern": r"run-\d+",
    "subject_ids": ["anna", "ivo"],
    "duration_s": {"min": 20.0, "max": 80.0, "median": 50.0},
}


@pytest.fixture(autouse=True)
def _reader_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what `tests/conftest.py` sets for all other tests."""
    monkeypatch.delenv(module.VARIABLE)


needs_encoder = pytest.mark.skipif(not installed(), reason="the extra [language] is not installed")


def _decided(question: str, shares: Mapping[str, float], *, decided: bool = True) -> Query:
    """Return what is made of a question whose forms have these shares."""
    names = Names.of([CARD])
    found = Sorted(forms=tuple(shares), shares=dict(shares), decided=decided)
    part = Part(slots=read_slots(question, names), found=found, rules=parse(question, [CARD]))
    return decide(part, (), names, [CARD])


def test_what_rules_and_reader_agree_on_is_answered() -> None:
    query = _decided("mean of heart rate while idling?", {"stat-label": 0.99})
    assert query.by == "rules"
    assert [a.statistic for a in query.asks] == ["mean"]


def test_a_decided_form_is_answered_where_the_rules_do_not_understand() -> None:
    query = _decided("pls tell heart.rate mean of idling, thx mate", {"stat-label": 0.9})
    (ask,) = query.asks
    assert (ask.kind, ask.statistic, ask.labels) == ("stats", "mean", ("idling",))
    assert query.not_understood == ()


def test_a_name_that_the_form_has_no_place_for_is_asked_about() -> None:
    """Never answered as if it had not been said."""
    query = _decided("quantum heart.rate zzz average blob of run-003", {"stat-channel": 0.99})
    assert query.asks == ()
    assert "run-003" in query.refused[0]
    assert query.choices == ("What is the mean of heart.rate?",)


def test_a_missing_place_is_asked_for_with_questions_that_run() -> None:
    query = _decided("blub blub average of what zorp", {"stat-channel": 0.99})
    assert query.asks == ()
    assert len(query.choices) == 3
    for choice in query.choices:
        assert parse(choice, [CARD]).asks


def test_several_forms_ask_back_with_just_these() -> None:
    query = _decided(
        "heart.rate zorp blub, mean?", {"stat-channel": 0.45, "stat-by-label": 0.4}, decided=False
    )
    assert query.asks == ()
    assert query.choices == (
        "What is the mean of heart.rate?",
        "What is the mean of heart.rate for each label?",
    )


def test_no_form_is_not_understood() -> None:
    query = _decided("zorp blub", dict.fromkeys(("a", "b", "c", "d", "e"), 0.1), decided=False)
    assert query.asks == ()
    assert query.choices == ()
    assert query.not_understood


@pytest.mark.parametrize("form", ["cause", "advice", "action", "lacking", "irrelevant"])
def test_what_no_tool_answers_is_refused(form: str) -> None:
    query = _decided("why oh why zorp", {form: 0.99})
    assert query.asks == ()
    assert len(query.refused) == 1


def test_rules_alone_answer_where_the_encoder_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "installed", lambda: False)
    question = "How many sessions are there?"
    assert understand(question, [CARD]) == parse(question, [CARD])
    assert understand(question, [CARD]).by == "rules"


def test_the_reader_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(module.VARIABLE, "off")
    assert module.the_reader() is None


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("How many sessions are there and what channels do they have?", 2),
        ("How many sessions are there? Which labels?", 0),
        ("What is the mean of x between 1.5 and 2 s", 0),
        ("Find walking", 0),
    ],
)
def test_clauses_are_cut_where_both_sides_can_stand_alone(question: str, parts: int) -> None:
    assert len(clauses(question)) in {parts, 2 * bool(parts)}


@needs_encoder
def test_the_shipped_reader_reads_plain_questions() -> None:
    """What everybody asks first is answered, whatever its words."""
    for question, kind in (
        ("How many sessions are there?", "sessions"),
        ("What is the mean of heart.rate while idling?", "stats"),
        ("Find idling.", "find"),
        ("Is anything unusual in run-003?", "anomaly"),
    ):
        query, steps = plan_of(question, [CARD])
        assert [a.kind for a in query.asks] == [kind], question
        assert steps


@needs_encoder
def test_a_language_that_cannot_be_read_is_said() -> None:
    query = understand("¿Cuántas grabaciones hay en el conjunto de datos?", [CARD])
    assert query.asks == ()
    assert "cannot read" in query.refused[0]


@needs_encoder
@pytest.mark.parametrize(
    "question",
    ["Why did the pump break on Monday?", "Delete run-003.", "Write me a poem about the sea."],
)
def test_what_data_cannot_tell_is_not_answered(question: str) -> None:
    assert understand(question, [CARD]).asks == ()


@needs_encoder
def test_a_choice_runs_when_it_is_picked() -> None:
    """Each question that is offered is understood as it is written."""
    query = understand("heart.rate in idling, the blub of it", [CARD])
    for choice in query.choices:
        assert understand(choice, [CARD]).asks, choice


@needs_encoder
def test_reading_costs_little() -> None:
    """Processor time of one question, after the first; 30 ms on a quiet machine."""
    understand("How many sessions are there?", [CARD])
    started = time.process_time()
    for _ in range(5):
        understand("What is the mean of heart.rate while idling?", [CARD])
    assert (time.process_time() - started) / 5 < 0.5


@pytest.mark.parametrize(
    ("question", "statistic"),
    [
        ("Is the variance of pump.pressure higher while idling than while valve open?", "variance"),
        ("is the std of pump.pressure greater when idling than valve open", "std"),
        ("is pump.pressure higher while idling than while valve open", "mean"),
    ],
)
def test_the_statistic_that_is_compared_is_the_one_that_was_named(
    question: str, statistic: str
) -> None:
    (ask,) = understand(question, [CARD]).asks
    assert (ask.statistic, ask.by) == (statistic, "label")


@pytest.mark.parametrize("question", [
    "when did the flood start rising and when was the crest",
    "longest she ever slept in one go",
])  # fmt: skip
def test_what_the_recording_is_like_is_no_answer_to_what_happened_in_it(question: str) -> None:
    """Words of their own are what such questions are about; the span is only offered."""
    assert understand(question, [CARD]).asks == ()


def test_the_recording_itself_is_still_told() -> None:
    (ask,) = understand("which time span do the data cover?", [CARD]).asks
    assert (ask.kind, ask.topic) == ("facts", "span")
