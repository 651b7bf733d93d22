"""The teacher: what a filled phrasing means, as the plain question that the rules read surely."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.model import steps_of
from tool_use_om.agent.offline.reader.agreement import with_people
from tool_use_om.agent.offline.reader.forms import FORMS, reading
from tool_use_om.agent.offline.reader.places import filled as said_in
from tool_use_om.agent.offline.reader.slots import read_slots
from tool_use_om.agent.orchestrator.protocol import PlannedCall, in_order
from tool_use_om.evals.suites.questions.examples import Filled
from tool_use_om.evals.suites.questions.expected import expected
from tool_use_om.evals.suites.questions.scoring import score_calls

_LENGTHS = ("seconds", "minutes", "hours")
_TABLE = "show_session_stats"


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """The calls that answer a phrasing, and what it asks; or the reason why there are none."""

    calls: tuple[PlannedCall, ...] = ()
    understood: Query = field(default_factory=Query)
    reason: str = ""


def taught(one: Filled) -> Lesson:
    """Return what is to be learnt from a filled phrasing.

    What its places mean is known, so the form's plain question is filled with that, never with what
    the reader would have read; the calls must meet the expected ones.
    """
    want = expected(one)
    if want is None:
        return Lesson(reason="no tool answers it yet")
    form = one.phrasing.template
    if not want or form not in FORMS:
        return Lesson(reason="no call is right")
    names = Names.of([one.card])
    slots = read_slots(one.question, names)
    own = reading(form, {**said_in(form, slots), **_words(one.meant)})
    if own.missing:
        return Lesson(reason=f"the phrasing does not say its {own.missing[0]}")
    query = with_people(parse(own.text, [one.card]), form, slots)
    made = needed(planned(query, one.card), want)
    if not made or not score_calls(want, [{"tool": c.tool, "args": c.args} for c in made]):
        return Lesson(reason="the rules do not plan the expected calls")
    return Lesson(calls=made, understood=query)


def planned(query: Query, card: Mapping[str, Any]) -> tuple[PlannedCall, ...]:
    """Return the calls the rules plan for a query, in the protocol's form."""
    return tuple(
        in_order(
            PlannedCall(tool=s.tool, args=s.args | {name: f"@{k}" for name, k in s.late.items()})
        )
        for s in steps_of(query, [card])
    )


def needed(calls: tuple[PlannedCall, ...], want: list[dict[str, Any]]) -> tuple[PlannedCall, ...]:
    """Return the calls without a look at the sessions table that nothing asks for."""
    asked = {w["tool"] for w in want}
    if _TABLE in asked or len(calls) < 2 or calls[0].tool != _TABLE or calls[0].args:
        return calls
    return calls[1:]


def _words(meant: Mapping[str, Any]) -> dict[str, str]:
    return {place: _said(place, value) for place, value in meant.items()}


def _said(place: str, value: Any) -> str:  # noqa: ANN401 - per place
    if place == "dur":
        return f"{value[0]} {_LENGTHS[value[1]]}"
    if place == "value":
        return f"{value[0]} {value[1]}".strip()
    if place == "subject" and re.fullmatch(r"[^\W\d_]+", str(value)):
        return f"subject {value}"
    return str(value)
