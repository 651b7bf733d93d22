"""A form of question: how it is planned and how what was found is told, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Result, ref
from tool_use_om.tools.call.arguments import FilterByTime
from tool_use_om.tools.look.found import Durations, SessionsCounted

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_WORKDAYS, _WEEKEND = [0, 1, 2, 3, 4], [5, 6]

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


def on_calendar(asked: FilterByTime) -> str:
    """Return " on weekends", " in April", " between 06:00 and 12:00"."""
    said = ""
    if days := sorted(asked.weekdays or []):
        names = [f"{_WEEKDAYS[d]}s" for d in days]
        known = {tuple(_WEEKEND): "weekends", tuple(_WORKDAYS): "working days"}
        said += " on " + known.get(tuple(days), " and ".join(names))
    if months := asked.months:
        said += " in " + " and ".join(_MONTHS[m - 1] for m in months)
    if hours := asked.hours:
        said += f" from {hours[0]:02d}:00 to {(hours[-1] + 1) % 24:02d}:00"
    first, last = asked.first_date, asked.last_date
    if first and last:
        said += f" on {first}" if first == last else f" from {first} to {last}"
    elif first or last:
        said += f" since {first}" if first else f" up to {last}"
    return said
