"""What the names of files say where a pattern holds for all: when each began, whose it is, what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from tool_use_om.data.converters.table.labels import LabelColumn
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.readings import Readings, Understood
from tool_use_om.data.converters.table.times.column import TimeColumn, moment
from tool_use_om.data.converters.table.times.zones import in_zone

_DATE = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d{2})(?P<s>[-_.]?)(?P<m>0[1-9]|1[0-2])(?P=s)(?P<d>0[1-9]|[12]\d|3[01])"
    r"(?:[-_T. ]?(?P<h>[01]\d|2[0-3])[-_.:h]?(?P<n>[0-5]\d)(?:[-_.:]?(?P<c>[0-5]\d))?)?(?!\d)"
)
_WHO = re.compile(
    r"(?i)^(?:sub|subj|subject|s|p|pat|patient|vp|proband|part|participant|ppt|id|pid|user|person|"
    r"athlete|runner|rider|animal|rat|mouse|horse|cow|dog|car|unit|machine|device)[- ]?\d+$"
)
_UNTOLD = frozenset({"unknown", "unlabelled", "unlabeled", "unbekannt", "inconnu", "na", "todo"})


@dataclass(frozen=True, kw_only=True)
class Told:
    """What file names tell of the sessions they name.

    Parameters
    ----------
    starts : name → its local time, in seconds since 1970 by that clock; {} unless all have one
    clock : the dates have a time of day
    subjects : name → whose it is, {} unless all say so
    conditions : name → what is left of it, None for "unknown"; {} unless it comes again
    """

    starts: Mapping[str, float]
    clock: bool
    subjects: Mapping[str, str]
    conditions: Mapping[str, str | None]


def told_by(names: Sequence[str]) -> Told:
    """Return what names of files tell; a pattern that one of them lacks tells nothing."""
    dates = {n: _DATE.search(n) for n in names}
    starts = {n: _moment(m) for n, m in dates.items() if m is not None}
    clock = bool(starts) and all(m is not None and m["h"] is not None for m in dates.values())
    known = {n: t for n, t in starts.items() if t is not None}
    if len(known) < len(names) or (len(names) == 1 and not clock):
        known, clock = {}, False
    parts = {n: [p for p in re.split(r"[_\s.,]+|-(?=\D)", _DATE.sub("", n)) if p] for n in names}
    who = {n: next((p for p in own if _WHO.match(p)), None) for n, own in parts.items()}
    subjects = {n: w for n, w in who.items() if w is not None}
    if len(subjects) < len(names) or len(names) < 2:
        subjects = {}
    rest = {
        n: "_".join(p for p in own if p != subjects.get(n) and not re.fullmatch(r"[#-]?\d+", p))
        for n, own in parts.items()
    }
    return Told(starts=known, clock=clock, subjects=subjects, conditions=_conditions(rest))


def _moment(found: re.Match[str]) -> float | None:
    year, month, day, hour, minute, second = (int(found[k] or 0) for k in "ymdhnc")
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _conditions(rest: Mapping[str, str]) -> dict[str, str | None]:
    """Return what differs between names as labels: few, and most of them come again."""
    plain = {n: re.sub(r"\d+$", "", text).strip("-_") for n, text in rest.items()}
    known = Counter(t for t in plain.values() if t and t.casefold() not in _UNTOLD)
    again = sum(1 for n in known.values() if n > 1)
    if len(known) < 2 or 2 * again < len(known) or 2 * len(known) > len(rest) + 1:
        return {}
    if any(not t for t in plain.values()):
        return {}
    return {n: t if t in known else None for n, t in plain.items()}


def with_names(
    table: Understood, told: Told, of: Mapping[str, str], options: TableOptions
) -> Understood:
    """Return a table with what the names of its files tell.

    A start counts only where the table itself tells no date; a subject, a condition only where no
    column says it.

    Parameters
    ----------
    of : session → the file's name
    """
    if not (told.starts or told.subjects or told.conditions):
        return table
    names = np.array([of.get(k) for k in table.keys], dtype=object)
    if any(n is None for n in set(names.tolist())):
        return table
    said: list[str] = []
    if told.starts and table.clock is not None and not table.clock.absolute:
        table, how = _dated(table, told, of, options)
        said.append(how)
    if told.subjects and "subject" not in table.facts:
        whose = np.array([told.subjects[n] for n in names], dtype=object)
        table = replace(table, facts={**table.facts, "subject": whose})
        said.append("subject by the file's name")
    if told.conditions and not any(c.name == "condition" for c in table.labels):
        texts = np.array([told.conditions[n] for n in names], dtype=object)
        own = LabelColumn(name="condition", texts=texts)
        table = replace(table, labels=(*table.labels, own))
        said.append("label 'condition' by the file's name")
    return replace(table, said=(*table.said, *said))


def _dated(
    table: Understood, told: Told, of: Mapping[str, str], options: TableOptions
) -> tuple[Understood, str]:
    """Return a table whose sessions begin when their files' names say."""
    local = {k: told.starts[n] for k, n in of.items()}
    clocks = options.clock(table.readings[0].cells)

    def moved(clock: TimeColumn, keys: np.ndarray) -> TimeColumn:
        zero = np.array([local[k] for k in keys])
        if clock.of_day:
            day = zero // 86_400 * 86_400
            return in_zone(day + clock.seconds, clock.form, clocks)
        each = {k: float(in_zone(np.array([local[k]]), "", clocks).seconds[0]) for k in local}
        start = np.array([each[k] for k in keys])
        return replace(clock, seconds=start + clock.seconds, absolute=True, zone=options.tz)

    readings = tuple(_with_clock(r, moved(r.clock, r.keys)) for r in table.readings)
    first, last = moment(min(local.values())), moment(max(local.values()))
    zone = options.tz or "read as UTC (--tz names another)"
    form = "%Y-%m-%d %H:%M" if told.clock else "%Y-%m-%d"
    span = f"{first:{form}}" + (f" to {last:{form}}" if last > first else "")
    unclear = "" if told.clock else ", the time of day is not told: midnight"
    said = f"started when the file's name says: {span} ({zone}{unclear})"
    whole = moved(table.clock, table.keys) if table.clock is not None else None
    return replace(table, readings=readings, clock=whole), said


def _with_clock(readings: Readings, clock: TimeColumn) -> Readings:
    return replace(readings, clock=clock)
