"""When, how often and how long a label of the data holds is read from the data."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.offline.answer import told
from tool_use_om.agent.offline.forms.registry import plan_steps
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.parse import parse

CARD: dict[str, Any] = {
    "name": "pump",
    "channels": [{"id": "signal.P_el", "unit": "W"}, {"id": "signal.flow", "unit": "l/s"}],
    "labels": {"state": ["Heating", "Defrost", "Grid fault"]},
    "session_ids": ["LOG"],
    "duration_s": {"min": 1000.0, "max": 1000.0},
}


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("When was Grid fault?", "Grid fault"),
        ("how often did it defrost", "Defrost"),
        ("how many times was Defrost", "Defrost"),
        ("How many defrost stretches are there?", "Defrost"),
        ("how long was the longest Defrost?", "Defrost"),
        ("how long was it in grid fault", "Grid fault"),
        ("when did the grid fault start and end", "Grid fault"),
        ("when was the last defrost", "Defrost"),
    ],
)
def test_the_labels_are_read_and_nothing_is_recognised(question: str, label: str) -> None:
    query = parse(question, [CARD])
    (step,) = plan_steps(query, Names.of([CARD]))
    assert step.tool == "show_session_stats"
    assert step.args["stretches_of"] == [label]
    assert not query.not_understood


def test_a_time_of_the_calendar_narrows_what_is_read() -> None:
    steps = plan_steps(parse("how many times did it defrost in April", [CARD]), Names.of([CARD]))
    assert [s.tool for s in steps] == ["show_session_stats", "filter_by_time", "show_session_stats"]
    assert steps[1].args == {"months": [4]}


def test_the_session_asked_about_or_its_noun_keeps_the_question_one_of_labels() -> None:
    card = {**CARD, "session_ids": ["n1", "n2"], "id_pattern": r"n\d+", "session_noun": "night"}
    for question, sessions in (
        ("when did it defrost at night", []),
        ("when did it defrost in n2", ["n2"]),
    ):
        (step,) = plan_steps(parse(question, [card]), Names.of([card]))
        assert step.args["stretches_of"] == ["Defrost"]
        assert step.args.get("sessions", []) == sessions


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("how many sessions have Defrost", "sessions"),
        ("what is the maximum of P_el during Defrost", "stats"),
        ("how many times was P_el above 5 W during Defrost", "stats"),
        ("How many sessions are there and how many of them were in Defrost?", "sessions"),
        ("Find Defrost", "find"),
    ],
)
def test_other_questions_that_name_a_label_stay_what_they_are(question: str, kind: str) -> None:
    *_, ask = parse(question, [CARD]).asks
    assert (ask.kind, ask.labels) == (kind, ("Defrost",))


def test_finding_in_one_long_series_tells_the_labelled_stretches_too() -> None:
    one = plan_steps(parse("Find Defrost", [CARD]), Names.of([CARD]))
    many = {**CARD, "session_ids": ["a", "b"]}
    of_many = plan_steps(parse("Find Defrost", [many]), Names.of([many]))
    assert [s.args.get("stretches_of") for s in (one[0], of_many[0])] == [["Defrost"], None]
    assert [s.tool for s in one] == [s.tool for s in of_many]


def _stretch(at: float, moment: str, until: str) -> dict[str, Any]:
    return {
        "session_id": "LOG", "start_s": at, "end_s": at + 600.0, "from": moment, "to": until,
        "length_s": 600.0,
    }  # fmt: skip


def test_the_answer_counts_the_stretches_and_says_when_they_are() -> None:
    first = _stretch(0.0, "2025-01-06 03:20", "2025-01-06 03:30")
    last = _stretch(7200.0, "2025-01-06 05:20", "2025-01-06 05:30")
    content = {
        "dataset": "pump", "n_sessions": 1, "n_sessions_total": 1,
        "duration_s": {"min": 9000.0, "median": 9000.0, "max": 9000.0, "total": 9000.0},
        "label_times": [
            {"label": "Defrost", "n_stretches": 2, "n_sessions": 1, "total_s": 1200.0,
             "time_frac": 0.13333,
             "longest": first, "shortest": last, "last": last, "stretches": [first, last]}
        ],
    }  # fmt: skip
    query = parse("how often did it defrost", [CARD])
    (step,) = plan_steps(query, Names.of([CARD]))
    result = {"tool": step.tool, "args": step.args, "content": content}
    text = told({"results": [result], "understood": query.to_json()}).prose
    assert "Defrost occurs 2 times, 20 min in total, 13.3 % of the time" in text
    assert "Each lasts 10 min" in text
    assert "2025-01-06 03:20" in text
    assert "2025-01-06 05:30" in text
