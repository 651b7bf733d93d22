"""A form of question: how it is planned and how what was found is told, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Result, ref
from tool_use_om.tools.look.found import Durations, SessionsCounted

Plan = Callable[[Planner, Ask], None]
Tell = Callable[[Answer, Result, Query], None]


@dataclass(frozen=True, kw_only=True)
class Form:
    """A family of questions.

    Parameters
    ----------
    plans : kind of question → adds the calls that answer it
    tells : tool → tells what it returned
    runs : task → tells what run_task found for it
    """

    plans: Mapping[str, Plan] = field(default_factory=dict)
    tells: Mapping[str, Tell] = field(default_factory=dict)
    runs: Mapping[str, Tell] = field(default_factory=dict)


def tell_zone(answer: Answer, result: Result, zone: str | None) -> None:
    """Say once whose clock the dates are told by, where that is not UTC."""
    if zone:
        answer.say(result, "Times are local: {zone}.", zone=ref(zone, "zone of the dates"))


def lengths_of(result: Result) -> Durations | None:
    """Return how long the sessions are that a result counted, where it found any."""
    found = result.if_found(SessionsCounted)
    return found.duration_s if found is not None and found.n_sessions else None
