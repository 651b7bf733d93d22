"""The slots of a question, filled from the nodes of its clause: one `Ask`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tool_use_om.agent.offline.language.grammar import Node, pick
from tool_use_om.agent.offline.language.intents import (
    _ASKED_IN_TIME,
    _ASKED_WHEN,
    _NOT_COUNTED,
    _NOT_OF_LABELS,
    _OF_SESSIONS,
    _pairs,
)
from tool_use_om.agent.offline.language.measures import Level
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Ask, Kind
from tool_use_om.agent.offline.language.times import Bound, Duration, Span
from tool_use_om.data.values import Json
from tool_use_om.heads.registry import head_spec


def read_ask(kind: Kind, clause: Sequence[Node], names: Names) -> Ask:
    """Return the clause as an Ask: each slot from the nodes that can fill it."""
    labels, excluded = _labels(clause, names)
    if kind == "stats" and pick(clause, "STRONGER"):
        labels = ()  # "stronger in the faulty ones than in the good": all labels are compared
    shots = pick(clause, "SHOTS", *(["AMOUNT"] if kind == "fewlabels" else []))
    pairs = [head for pair in pick(clause, "HEADPAIR") for head in pair]
    heads = (*pairs, *pick(clause, "HEADNAME"), *pick(clause, "NEIGHBOURS"))
    heads = tuple(dict.fromkeys(heads)) if kind != "similar" else ()
    return Ask(
        kind=kind,
        topic=" ".join(_fact_topics(clause) if kind == "facts" else _topics(clause)),
        labels=labels,
        excluded=excluded,
        channels=_channels(clause, names),
        sessions=tuple(dict.fromkeys(pick(clause, "SESSIONID"))),
        subjects=tuple(names.subject(s) for group in pick(clause, "SUBJECTS") for s in group),
        split=_first(pick(clause, "SPLIT")),
        statistic=_statistic_of(kind, clause),
        by=_by(clause, labels),
        percent=_first(pick(clause, "PERCENT_OF")),
        want=_want(clause) if kind == "stats" else "value",
        calendar=_calendar(clause) if kind in _DATED or _dated_labels(kind, clause) else (),
        at_s=_moment(clause) if kind == "facts" else None,
        shots=_first(shots),
        coverage=_first(pick(clause, "SHARE")),
        heads=heads,
        tokenizer=_first(pick(clause, "TOKNAME")),
        window_s=_first(pick(clause, "WINDOW_S")),
        stride_s=_first(pick(clause, "STRIDE_S")),
        k=_first(pick(clause, "K")),
        count=_count(clause),
        faults=tuple(dict.fromkeys(k for f in pick(clause, "FAULT") for k in f.split())),
        task=_task(clause, heads),
        level=_level(clause) if kind in {"forecast", "stats", "events"} else None,
        settings=tuple(dict(pick(clause, "SETTING")).items()),
        options=_options(clause),
        ahead=_first(pick(clause, "COMING")) or "" if kind == "forecast" else "",
        unit_s=_unit_asked(kind, clause),
        attributes=_attributes(clause, names) if kind == "described" else (),
        approximate=bool(pick(clause, "APPROXIMATE")),
        **_times(kind, clause),
    )  # fmt: skip


def _level(clause: Sequence[Node]) -> Level | None:
    """Return the level that may be reached; who asks what stays below it asks what rises above."""
    level: Level | None = _first(pick(clause, "LEVEL"))
    return replace(level, above=not level.above) if level and pick(clause, "STAY") else level


def _options(clause: Sequence[Node]) -> tuple[tuple[str, Any], ...]:
    """Return what is said on how to run, as arguments of run_task."""
    said: dict[str, Any] = dict.fromkeys(pick(clause, "OPTION"), True)
    for name, tag_ in (("rare_labels", "RAREOUT"), ("max_set_size", "SETSIZE")):
        said |= dict.fromkeys([name] * bool(pick(clause, tag_)), _first(pick(clause, tag_)))
    return tuple(said.items())


def _attributes(clause: Sequence[Node], names: Names) -> tuple[tuple[str, Any], ...]:
    """Return what a description says: cadence_hz, intensity, regularity, posture."""
    bands = pick(clause, "BAND")
    said: dict[str, Any] = {"cadence_hz": list(bands[0])} if bands else {}
    said |= dict(str(word).split(" ", 1) for word in pick(clause, "ATTRIBUTE"))
    posture: dict[str, float] = {}
    for _, (where, share) in pick(clause, "POINTED"):
        modality, axis = where if isinstance(where, tuple) else where.split(".", 1)
        modalities = [modality] if modality else list(names.modalities)
        found = [c for m in modalities if (c := names.channel_of(m, axis))]
        posture |= {found[0]: share} if found else {}
    return tuple((said | ({"posture": posture} if posture else {})).items())


_TOPICS = frozenset(f"{_OF_SESSIONS}|COUNT|DESCRIBE|APART|ABSTAIN|EXPLAIN|BEST|STAY".split("|"))


def _first(values: Sequence[Any]) -> Json:
    return values[0] if values else None


def _topics(clause: Sequence[Node]) -> list[str]:
    """Return what a question about sessions wants to hear of."""
    said = [t.lower() for t in dict.fromkeys(n.tag for n in clause) if t in _TOPICS]
    return said + list(dict.fromkeys(map(str, pick(clause, "EXPLAIN"))))


def _labels(clause: Sequence[Node], names: Names) -> tuple[tuple[str, ...], bool]:
    """Return the labels meant, and whether they were named by what they are not."""
    barred = {label for group in pick(clause, "EXCEPT") for label in group}
    said = [label for group in pick(clause, "LABEL") for label in group if label not in barred]
    if said or not barred:
        return tuple(dict.fromkeys(said)), False
    return tuple(label for label in names.labels if label not in barred), True


def _channels(clause: Sequence[Node], names: Names) -> tuple[str, ...]:
    barred = [channel for group in pick(clause, "WITHOUT") for channel in group]
    said = [c for group in pick(clause, "CHANNELS") for c in group]
    if said or not barred:
        return tuple(dict.fromkeys(said))
    return tuple(
        c for c in names.channels if not any(c == b or c.startswith(b + ".") for b in barred)
    )


def _by(clause: Sequence[Node], labels: Sequence[str]) -> str | None:
    said = [b for b in pick(clause, "BY") if b != "channel"] or pick(clause, "BYTIME")
    if said and not _unlike_days(clause):
        return str(said[0])
    tags, stats = {node.tag for node in clause}, set(pick(clause, "STAT"))
    compared = bool(tags & {"COMPARE", "BETWEEN", "OR"}) or not stats
    if compared and len(labels) > 1 and "EXCEPT" not in tags:
        return "label"
    if group := _group_said(clause, tags):
        return group
    asks = bool(tags & {"LIST", "WHO", "COMPARE"}) or bool(stats & {"min", "max"})
    return _group_asked(tags, labels) if stats and asks else None


def _group_said(clause: Sequence[Node], tags: set[str]) -> str | None:
    """Return the group that other words than "by" speak of."""
    rules = (
        (_of_days(clause) or _unlike_days(clause), "date"),
        (len(pick(clause, "DAYS")) > 1, "weekday"),  # "on weekdays and on weekends"
        ({"UNLIKE", "SUBJECT"} <= tags, "subject"),
        ({"LOOKS", "SESSION"} <= tags, "session"),
        ({"STRONGER", "LABEL"} <= tags, "label"),
    )
    return next((group for holds, group in rules if holds), None)


_DAY_S = 86_400.0


def _of_days(clause: Sequence[Node]) -> bool:
    """Say whether days beyond a level are counted: "how many days were above 20 kWh"."""
    tags = [node.tag for node in clause]
    return {"COUNT", "LEVEL"} <= set(tags) and _DAY_S in pick(clause, "UNIT")


def _unlike_days(clause: Sequence[Node]) -> bool:
    """Say whether days are compared: "was one of the days different"."""
    days = _DAY_S in pick(clause, "UNIT") or bool({"hour", "date"} & {*pick(clause, "BYTIME")})
    return bool(pick(clause, "UNLIKE")) and days


def _group_asked(tags: set[str], labels: Sequence[str]) -> str | None:
    """Return the group that "which activity", "who" or "which session" asks for."""
    if "WHO" in tags or ("SUBJECT" in tags and "SUBJECTS" not in tags):
        return "subject"
    if tags & {"CLASS", "LABELS"} and not labels:
        return "label"
    return "session" if {"SESSION", "LIST"} <= tags and "SESSIONID" not in tags else None


def _statistic_of(kind: Kind, clause: Sequence[Node]) -> str | None:
    """Return the statistic asked for; "how much" of what is to come is its sum."""
    if kind == "stats":
        return _statistic(clause)
    said = _first(pick(clause, "STAT"))
    counted = kind == "forecast" and any(n.tag in {"COUNT", "TOTAL"} for n in clause)
    return "sum" if counted and said is None else said


def _unit_asked(kind: Kind, clause: Sequence[Node]) -> float | None:
    """Return the unit of time that a length is asked in, seconds: "how many weeks"."""
    said = [float(n) for n in pick(clause, "UNIT")]
    return said[0] if kind in {"facts", "sessions"} and len(set(said)) == 1 else None


def _statistic(clause: Sequence[Node]) -> str | None:
    """Return what is to be computed; "highest variance" is a variance, the highest one."""
    tags = {node.tag for node in clause} | _pairs(clause)
    said = [str(value) for value in pick(clause, "STAT")]
    level: Level | None = _first(pick(clause, "LEVEL"))
    exact = [value for value in said if value not in {"min", "max"}]
    rules = (
        (_of_days(clause), "days"),
        (level is not None and level.upper is not None, "time_between"),
        (level is not None, "time_above" if level and level.above else "time_below"),
        ("CYCLE" in tags, "cycle"),
        ("PERCENT_OF" in tags, "percentile"),
        ("CHANNELPAIR" in tags and bool(tags & {"CORR", "TREND"}), "correlation"),
        (bool(said), (exact or said or [""])[0]),
        ("CORR" in tags, "correlation"),
        ("LABELPAIR" in tags, "mean"),
        (bool(tags & {"TREND", "DRIFT"}), "trend"),
        ({"TOTAL", "BYTIME"} <= tags, "sum"),
        ("STRONGER" in tags, "rms"),
    )
    return next((statistic for holds, statistic in rules if holds), None)


def _want(clause: Sequence[Node]) -> str:
    """Return whether a moment or a group is asked for and not only a value."""
    tags = {node.tag for node in clause}
    if "WHEN" in tags:
        return "when"
    return "group" if tags & {"LIST", "WHO"} else "value"


_DATED = frozenset({"stats", "plot", "check"})


def _calendar(clause: Sequence[Node]) -> tuple[tuple[str, Any], ...]:
    """Return the calendar's filters: hours, weekdays, months, first and last date."""
    said: dict[str, Any] = {}
    days = [int(d) for group in pick(clause, "DAYS") for d in str(group).split()]
    if days and len(pick(clause, "DAYS")) == 1:
        said["weekdays"] = sorted(set(days))
    if hours := [int(h) for group in pick(clause, "HOURS") for h in str(group).split()]:
        said["hours"] = hours
    if months := [int(m) for m in pick(clause, "MONTH")]:
        said["months"] = sorted(set(months))
    for span in pick(clause, "DATES"):
        said |= {"first_date": span[0], "last_date": span[1]}
    return tuple(said.items())


def _dated_labels(kind: Kind, clause: Sequence[Node]) -> bool:
    return kind == "facts" and _reads_labels({node.tag for node in clause})


def _moment(clause: Sequence[Node]) -> float | None:
    """Return the one moment of a session that is asked about, seconds."""
    if pick(clause, "RANGE") or not pick(clause, "SESSIONID"):
        return None
    said = [d.seconds for d in pick(clause, "DUR") if isinstance(d, Duration)]
    clock = [float(c) for c in pick(clause, "CLOCK")]
    moments = [*said, *clock, *map(float, pick(clause, "NUM"))]
    return moments[0] if moments else None


def _fact_topics(clause: Sequence[Node]) -> list[str]:
    """Return which facts are asked for, as `forms/facts` names them."""
    tags = {node.tag for node in clause}
    share = "often" in pick(clause, "OFTEN") and not _calendar(clause)
    timed = ["total" if share else "stretches"] if _reads_labels(tags) else []
    found = timed or [topic for tag_, topic in _TOPIC_OF if tag_ in tags]
    if found:
        return found
    if "SESSIONID" in tags and tags & {"HAPPEN", "LABELS", "CLASS"}:
        return ["at"] if _moment(clause) is not None else ["labels_of"]
    if "PORTION" in tags and "LABEL" in tags:
        return ["share"]
    if tags & {"DURATION", "OFTEN", "TOTAL", "STAT", "UNIT"}:
        return ["total"]
    if "UNITS" in tags:
        return ["units"]
    return ["who"] if "SUBJECT" in tags else ["list"]


def _reads_labels(tags: set[str]) -> bool:
    """Say whether it is asked when, how often or how long labels of the data hold."""
    counted = bool(tags & set(_ASKED_IN_TIME.split("|"))) and not tags & set(
        _NOT_COUNTED.split("|")
    )
    timed = "LABEL" in tags and (_ASKED_WHEN in tags or counted)
    return timed and not tags & set(_NOT_OF_LABELS.split("|"))


_TOPIC_OF = (
    ("NOLABEL", "unlabelled"), ("BALANCE", "balance"), ("RATEWORD", "rate"), ("SPAN", "span"),
    ("LONGEST", "longest"), ("SHORTEST", "shortest"), ("WHO", "who"),
)  # fmt: skip


def _count(clause: Sequence[Node]) -> int | None:
    found = _first([*pick(clause, "NSESSIONS"), *pick(clause, "AMOUNT"), *pick(clause, "SHOTS")])
    loose = [int(n) for n in pick(clause, "NUM") if n == int(n) and n >= 1]
    return int(found) if found is not None else next(iter(loose), None)


def _task(clause: Sequence[Node], heads: Sequence[str]) -> str:
    tags = {node.tag for node in clause}
    if tags & {"FORECASTER", "PREDICT"}:
        return "forecast"
    tasks = [head_spec(head).task for head in heads]
    return next((task for task in tasks if task != "classify"), "classify")


def _times(kind: Kind, clause: Sequence[Node]) -> dict[str, Any]:
    """Return stretch, horizon and limits; a bare duration is the horizon where one is needed."""
    slots: dict[str, Any] = {}
    for span in pick(clause, "RANGE", "REST"):
        lengths = kind == "sessions" and not span.tail
        slots |= {"min_s": span.start_s, "max_s": span.end_s} if lengths else _stretch(span)
    for low in pick(clause, "MIN"):
        slots |= _limit("min", low)
    for high in pick(clause, "MAX"):
        slots |= _limit("max", high)
    for span in pick(clause, "LENGTHS"):
        slots |= {"min_s": span.start_s, "max_s": span.end_s}
    bare = [d.seconds for d in pick(clause, "DUR") if isinstance(d, Duration)]
    horizon = _first(
        [*map(float, pick(clause, "HORIZON")), *(bare if kind in {"forecast", "events"} else [])]
    )
    return slots | ({"horizon_s": horizon} if horizon is not None else {})


def _stretch(span: Span) -> dict[str, float | None]:
    return {"tail_s": span.start_s} if span.tail else {"start_s": span.start_s, "end_s": span.end_s}


def _limit(side: str, bound: Bound) -> dict[str, float | bool]:
    return {f"{side}_s": bound.seconds, f"strict_{side}": bound.strict}
