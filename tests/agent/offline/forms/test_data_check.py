"""Questions on the quality of the data: planned as one check, told with sourced findings."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.offline.answer import told
from tool_use_om.agent.offline.model import plan_of
from tool_use_om.agent.verify.check import Checked

Cards = list[dict[str, Any]]
KINDS = ["leak", "unit", "rate", "repeat", "stuck", "clipping", "overlap", "gap", "missing", "hole"]
CHECKED: dict[str, Any] = {
    "dataset": "homes",
    "kinds": KINDS,
    "n_sessions": 80,
    "n_sessions_read": 40,
    "n_problems": 1,
    "n_notes": 1,
    "places": {"gap": 1, "stuck": 1},
    "worst": [
        {"kind": "gap", "severity": "problem", "where": "acc", "n_sessions": 3,
         "session_id": "s-01", "start_s": 19.95, "end_s": 30.05, "value": 10.1, "unit": "s",
         "text": "2 gaps without samples, 12.3 s in all"},
        {"kind": "stuck", "severity": "note", "where": "acc.{x}_|", "n_sessions": 1,
         "session_id": "s-02", "start_s": 0.0, "end_s": 60.0, "value": 60.0, "unit": "s",
         "text": "repeats the value 2 without any change; it never changes: a setting?"},
    ],
    "unchecked": [],
}  # fmt: skip


def calls(question: str, cards: Cards) -> list[tuple[str, dict[str, Any]]]:
    """Return the planned calls but the first, which opens the data set."""
    return [(step.tool, step.args) for step in plan_of(question, cards)[1]][1:]


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("Is the data clean?", None),
        ("check the data quality", None),
        ("Is any sensor stuck?", ["stuck"]),
        ("Do subjects leak between the splits?", ["leak"]),
        ("Does any participant show up in both train and test?", ["leak"]),
        ("Is there clipping?", ["clipping"]),
        ("Are there duplicated recordings?", ["repeat"]),
        ("Do labels overlap?", ["overlap"]),
        ("Are there gaps in the labels?", ["hole"]),
        ("Are the units right?", ["unit"]),
        ("Are there gaps and stuck channels?", ["gap", "missing", "stuck"]),
    ],
)
def test_question_about_quality_becomes_one_check(
    question: str, kinds: list[str] | None, cards: Cards
) -> None:
    """The kinds named are looked for, all where none is named; nothing narrows the check."""
    assert calls(question, cards) == [("check_data", {"kinds": kinds} if kinds else {})]


def test_check_takes_channels_sessions_and_time_along(cards: Cards) -> None:
    """What the question names beside the fault is where the check looks."""
    found = calls("Are there gaps in the accelerometer in the first 5 seconds?", cards)
    gaps = {"kinds": ["gap", "missing"], "channels": ["accelerometer"]}
    assert found == [("filter_by_time", {"end_s": 5.0}), ("check_data", gaps)]
    found = calls("Run a quality check on session bm-test-003", cards)
    assert found == [("filter_by_time", {"sessions": ["bm-test-003"]}), ("check_data", {})]


def test_a_clip_is_still_a_recording(cards: Cards) -> None:
    """The word for a recording and the word for a fault are told apart."""
    assert plan_of("How many clips are there?", cards)[1][0].tool == "show_session_stats"
    assert calls("Is anything clipped?", cards) == [("check_data", {"kinds": ["clipping"]})]


def write(content: dict[str, Any]) -> tuple[dict[str, Any], Checked]:
    """Return the answer on one check, rendered."""
    result = {"result_id": "r-1", "tool": "check_data", "args": {}, "content": content}
    checked = told({"question": "Is the data clean?", "results": [result]})
    return {"prose": checked.prose, "findings": checked.findings}, checked


def test_check_is_told_with_its_worst_places() -> None:
    """Each finding says kind, place, session and seconds; every number stands in the result."""
    reply, checked = write(CHECKED)
    assert checked.rejected == ()
    prose = reply["prose"]
    assert prose.startswith("**The check of `homes` found 1 problem and 1 lesser finding.**")
    assert "- gaps, `acc`: 2 gaps without samples, 12.3 s in all; in 3 sessions" in prose
    assert "worst in `s-01` from 19.9 s to 30.1 s." in prose.replace("19.95", "19.9")
    assert "The samples of 40 of 80 sessions were read" in prose
    pointers = {f["source"]["pointer"] for f in reply["findings"]}
    assert {"/n_problems", "/worst/0/n_sessions", "/worst/0/start_s", "/worst/1/end_s"} <= pointers


def test_check_that_finds_nothing_says_what_it_looked_for() -> None:
    """Nothing found names the kinds; one kind is answered by itself."""
    clean = CHECKED | {"n_problems": 0, "n_notes": 0, "places": {}, "worst": []}
    reply, checked = write(clean | {"n_sessions_read": 80})
    assert checked.rejected == ()
    assert reply["prose"].startswith("**Nothing wrong was found in `homes`.**")
    assert "stuck sensors" in reply["prose"]
    reply, _ = write(clean | {"kinds": ["stuck"]})
    assert reply["prose"].startswith("**`homes` has no stuck sensors.**")


def test_check_that_cannot_be_made_is_no_all_clear() -> None:
    """Without published subjects a question on leakage is answered as not checked."""
    unseen = "the source does not publish subjects"
    clean = {"n_problems": 0, "n_notes": 0, "places": {}, "worst": [], "unchecked": [unseen]}
    reply, _ = write(CHECKED | clean | {"kinds": ["leak"]})
    assert reply["prose"].startswith("**This could not be checked for `homes`.**")
    assert f"Not checked: {unseen}." in reply["prose"]
