"""What was read, as a plain question: offered where it is only a part of what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tool_use_om.agent.offline.everyday.read import read_everyday
from tool_use_om.agent.offline.language.query import Ask

_GROUPS = {
    "date": "for each day", "hour": "for each hour of the day", "night": "for each night",
    "week": "for each week", "weekday": "for each day of the week", "month": "for each month",
    "year": "for each year", "session": "for each session", "subject": "for each subject",
    "label": "for each label",
}  # fmt: skip
_OF = {"energy": "energy", "rise": "total", "return": "return"}
_STATISTICS = {"sum": "total", "min": "minimum", "max": "maximum", "mean": "mean",
               "median": "median", "change": "net change"}  # fmt: skip
_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def sentence_of(ask: Ask, cards: Sequence[Mapping[str, Any]]) -> str:
    """Return the question that asks just this; "" where none is read so again."""
    if ask.kind != "amounts" or ask.subjects or ask.sessions or ask.labels:
        return ""
    text = _written(dict(ask.amounts), dict(ask.calendar))
    again = read_everyday(text, cards) if text else None
    same = again is not None and again.whole and len(again.asks) == 1
    if not same or again is None:
        return ""
    (found,) = again.asks
    alike = (dict(found.amounts), found.calendar) == (dict(ask.amounts), ask.calendar)
    return text if alike else ""


def _written(amounts: Mapping[str, Any], calendar: Mapping[str, Any]) -> str:
    by = amounts.get("by", "whole")
    if by not in _GROUPS and by != "whole":
        return ""
    group = f" {_GROUPS[by]}" if by != "whole" else ""
    what = _subject(amounts)
    return f"{what}{group}{_when(calendar)}?" if what else ""


def _subject(amounts: Mapping[str, Any]) -> str:
    of, channel = amounts.get("of", "value"), str(amounts.get("channel", ""))
    if amounts.get("passing") is not None:
        return ""
    if of in {"time", "events"}:
        subject = str(amounts.get("label") or channel)
        side = "above" if amounts.get("above") is not None else "below"
        level = amounts.get("above", amounts.get("below"))
        beyond = f" {side} {level:g}" if level is not None else ""
        return (
            f"How long in total is {subject}{beyond}"
            if of == "time"
            else f"How many times is {subject}{beyond}"
        )
    word = _OF.get(of) or _STATISTICS.get(str(amounts.get("statistic", "mean")), "")
    return f"What is the {word} of {channel}" if word else ""


def _when(calendar: Mapping[str, Any]) -> str:
    said = ""
    if calendar.get("first_date") and calendar.get("last_date"):
        first, last = calendar["first_date"], calendar["last_date"]
        said += f" on {first}" if first == last else f" from {first} to {last}"
    if hours := calendar.get("hours"):
        said += f" between {hours[0]} and {(hours[-1] + 1) % 24} o'clock"
    if days := calendar.get("weekdays"):
        said += " on " + " and ".join(_DAYS[d] for d in days)
    return said
