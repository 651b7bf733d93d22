"""The rule for rules and reader: agree → answered, disagree → asked back, empty set → neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.reader.agreement import Part, refines, written_form
from tool_use_om.agent.offline.reader.probe import Sorted
from tool_use_om.agent.offline.reader.slots import read_slots
from tool_use_om.agent.offline.reader.understand import decide

HOUSE = {
    "name": "house",
    "channels": [
        {"id": "meter.consumption", "unit": "kWh"},
        {"id": "meter.temperature", "unit": "degC"},
    ],
    "labels": {"state": ["heating", "cooling"]},
    "session_ids": ["house-1", "house-2"],
    "id_pattern": r"house-\d+",
    "subject_ids": ["anna", "ivo"],
    "duration_s": {"min": 3e6, "max": 3e7, "median": 1e7},
}


def _made(
    question: str, shares: Mapping[str, float], *, decided: bool = False, card: Any = HOUSE
) -> Query:
    names = Names.of([card])
    found = Sorted(forms=tuple(shares), shares=dict(shares) or {"drift": 0.05}, decided=decided)
    part = Part(slots=read_slots(question, names), found=found, rules=parse(question, [card]))
    return decide(part, (), names, [card])


@pytest.mark.parametrize(
    ("question", "form", "kind"),
    [
        ("anything odd in our consumption?", "anomaly-all", "anomaly"),
        ("tomorrow", "forecast-calendar", "forecast"),
        ("How much electricity altogether", "stat-channel", "stats"),
        ("average consumption at night", "stat-channel", "stats"),
        ("plot consumption", "plot-channel", "plot"),
    ],
)
def test_one_form_that_the_rules_refine_is_answered(question: str, form: str, kind: str) -> None:
    """The rules use every word; the reader's one form is the same question about less."""
    query = _made(question, {form: 0.4})
    assert [ask.kind for ask in query.asks] == [kind]
    assert query.by == "rules"
    assert query.choices == ()


def test_what_the_rules_read_is_answered_whole() -> None:
    (ask,) = _made("average consumption at night", {"stat-channel": 0.4}).asks
    assert dict(ask.calendar)["hours"] == [0, 1, 2, 3, 4, 5]


def test_a_set_that_holds_the_rules_form_lets_it_go() -> None:
    query = _made("mean of consumption?", {"stat-by-hour": 0.4, "stat-channel": 0.3})
    assert [ask.statistic for ask in query.asks] == ["mean"]
    assert query.choices == ()


def test_another_question_is_no_refinement() -> None:
    names = Names.of([HOUSE])
    for question, form in (
        ("mean of consumption for each session", "stat-channel"),
        ("maximum of consumption", "count-sessions"),
        ("when was consumption highest?", "stat-channel"),
    ):
        slots = read_slots(question, names)
        assert not refines(parse(question, [HOUSE]), form, slots, [HOUSE]), question


def test_a_real_disagreement_asks_back_with_just_the_two() -> None:
    """Neither is run; each choice is a question that runs."""
    query = _made("mean of consumption", {"total-duration": 0.9}, decided=True)
    assert query.asks == ()
    assert query.choices == (
        "What is the total duration of all sessions?",
        "What is the mean of consumption?",
    )


def test_a_reader_that_is_sure_stands_against_the_rules() -> None:
    """On voices left out none of its sentences was wrong there, and most of the rules' were."""
    query = _made("mean of consumption", {"stat-by-hour": 0.98}, decided=True)
    assert [ask.by for ask in query.asks] == ["hour"]
    assert query.by == "reader"


@pytest.mark.parametrize(
    "choice",
    [
        "What is the total duration of all sessions?",
        "What is the mean of consumption?",
        "What is the mean of consumption for each label?",
        "Is anything unusual in the data?",
        "Compare the mean of consumption for each session in house-1 and house-2.",
    ],
)
def test_a_choice_that_is_picked_runs_whatever_the_reader_thinks(choice: str) -> None:
    query = _made(choice, {"drift": 0.99}, decided=True)
    assert query.asks
    assert not query.refused
    assert query.asks == parse(choice, [HOUSE]).asks


def test_only_a_forms_own_words_are_its_sentence() -> None:
    names = Names.of([HOUSE])
    assert written_form(read_slots("What is the mean of consumption?", names)) == "stat-channel"
    assert written_form(read_slots("what's the mean of consumption like", names)) == ""


def test_one_form_alone_in_the_set_is_answered_where_the_rules_are_lost() -> None:
    query = _made("wie hoch war consumption im mean bei heating", {"stat-label": 0.55})
    (ask,) = query.asks
    assert (ask.kind, ask.labels, ask.statistic) == ("stats", ("heating",), "mean")


def test_one_form_alone_that_leaves_a_name_out_is_not_answered() -> None:
    query = _made("quantum consumption zzz average blob of house-1", {"stat-channel": 0.55})
    assert query.asks == ()


def test_one_unlikely_form_alone_is_asked_about() -> None:
    query = _made("zorp consumption zzz cycle blob", {"season": 0.3})
    assert query.asks == ()


def test_an_empty_set_is_not_understood() -> None:
    query = _made("zorp blub", {})
    assert query.asks == ()
    assert query.choices == ()
    assert query.not_understood


def test_rules_of_the_likeliest_kind_are_answered() -> None:
    """Which question of that kind it is, the rules know: they read the session."""
    shares = {"similar-session": 0.37, "odd-session": 0.28}
    query = _made("Which sessions are most similar to house-1?", shares)
    assert [(ask.kind, ask.sessions) for ask in query.asks] == [("similar", ("house-1",))]


def test_rules_of_another_kind_than_the_likeliest_are_asked_about() -> None:
    """A kind that is only possible is none to answer where the likeliest has room for all names."""
    query = _made("Find heating in house-1", {"total-label-session": 0.72, "check-gaps": 0.2})
    assert not query.asks


def test_form_without_room_for_a_name_gives_way_to_rules_that_use_it() -> None:
    """ "Find heating with prototypes" is no question about the head alone."""
    shares = {"configure-head": 0.83, "find-label": 0.1}
    (ask,) = _made("Find heating with prototypes", shares, decided=True).asks
    assert (ask.kind, ask.labels, ask.heads) == ("find", ("heating",), ("prototypes",))


def test_certain_form_stands_against_rules_of_another_kind() -> None:
    query = _made("Find heating with prototypes", {"configure-head": 0.96})
    assert not [ask for ask in query.asks if ask.kind == "find"]


@pytest.mark.parametrize("question", ["how many km in total", "how much kwh did it make in all"])
def test_unit_that_nothing_uses_is_never_dropped(question: str) -> None:
    """A count of sessions is no answer to "how many km": it is told, or not answered at all."""
    shares = {"count-sessions": 0.9, "total-duration": 0.06}
    query = _made(question, shares, decided=True)
    assert not query.asks or query.not_understood
    assert not query.read_as


def test_strange_words_make_a_form_an_offer_unless_it_is_likely() -> None:
    """ "A bang or knock" may be what it is all about."""
    question = "was there a bang or knock in any recording?"
    unsure = _made(question, {"check-gaps": 0.67}, decided=True)
    assert not unsure.asks
    assert unsure.choices
    assert _made(question, {"check-gaps": 0.9}, decided=True).asks


def test_unlikely_forms_are_not_offered() -> None:
    """Two forms of small share say nothing; one beside a much likelier one, neither."""
    question = "was it better than the one before"
    assert not _made(question, {"few-labels": 0.2, "count-sessions": 0.1}).choices
    offered = _made(question, {"check-gaps": 0.5, "time-span": 0.1}).choices
    assert len(offered) == 1
