"""What a clause asks, by the kinds of nodes in it, and the slots filled from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from tool_use_om.agent.offline.language.grammar import Node, pick
from tool_use_om.agent.offline.language.measures import Level
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Ask, Kind
from tool_use_om.agent.offline.language.times import Bound, Duration, Span
from tool_use_om.data.values import Json
from tool_use_om.heads.registry import head_spec


class _Intent(NamedTuple):
    """A clause is of `kind` if it has a tag of each set in `needs`, and none of `lacks`."""

    kind: Kind
    needs: tuple[str, ...]
    lacks: str = ""


_OF_ONE_SET = "DURATION|LABEL|SESSION|CHANNEL|CLASS|LABELS|SUBJECT|DATASETNAME"
_OF_SESSIONS = _OF_ONE_SET + "|CHANNELS|SPLIT|SPLITS|UNITS|DATA|SESSIONID"
# First match wins: the special before the general. Each string of `needs` is "A|B" = A or B.
_INTENTS = (
    _Intent("forecast", ("CHANCE|PREDICT|HORIZON|STAY", "LEVEL")),
    _Intent("request", ("ASK", "AMOUNT|NUM|SHOTS|NSESSIONS|WINDOW|LIST")),
    _Intent("why", ("EXPLAIN",)),
    _Intent("described", ("BAND|ATTRIBUTE|POINTED", "FIND|LIKE|LIST|COUNT|WINDOW")),
    _Intent("drift", ("DRIFT",)),
    _Intent("motif", ("MOTIF",), "LIKE|NEIGHBOURS"),
    _Intent("check", ("CHECK|FAULT",), "PREDICT|CLASSIFY|STAT"),
    _Intent("unlike", ("UNLIKE", "LABEL|SESSION|OTHERS")),
    _Intent("similar", ("LIKE|NEIGHBOURS", "SESSIONID|RANGE")),
    _Intent("anomaly", ("ODD",)),
    _Intent("head", ("HEAD", "RECOMMEND"), "COMPARE"),
    _Intent("heads", ("HEAD|FORECASTER", "BEST|COMPARE|RECOMMEND")),
    _Intent("heads", ("HEADPAIR",)),
    _Intent("heads", ("HEADNAME|NEIGHBOURS", "COMPARE|BEST")),
    _Intent("forecast", ("PREDICT|HORIZON",)),
    _Intent("rhythm", ("RHYTHM",)),
    _Intent("channels", ("IMPORTANT", "CHANNEL|CHANNELS")),
    _Intent("fewlabels", ("SHOTS|AMOUNT", "APART|ACCURACY|CLASSIFY|CLASS")),
    _Intent("fewlabels", ("SHOTS",)),
    _Intent("stats", ("STAT",)),
    _Intent("classify", ("CLASSIFY",)),
    _Intent("classify", ("APART|ACCURACY", "CLASS|LABEL|LABELS")),
    _Intent("find", ("FIND", "LABEL|EXCEPT")),
    _Intent("plot", ("PLOT",)),
    _Intent("head", ("HEADNAME|NEIGHBOURS",)),
    _Intent("forecast", ("OPTION", "FORECASTER")),
    _Intent("classify", ("OPTION", "COMPARE|BEST|USE|HEAD")),
    _Intent("classify", ("OPTION|ABSTAIN|SETSIZE",)),
    _Intent("window", ("WINDOW_S|STRIDE_S|SETTING",)),
    _Intent("tokenizer", ("TOKENIZER|TOKNAME",)),
    _Intent("find", ("LIST", "SESSION", "LABEL"), "COUNT"),
    _Intent("datasets", ("DATASET|DATA", "LIST|COUNT"), _OF_ONE_SET),
    _Intent("sessions", ("COUNT|LIST|DESCRIBE|DURATION|MIN|MAX|COMPARE", _OF_SESSIONS)),
    _Intent("sessions", ("DURATION|CHANNEL|SPLITS|DESCRIBE",), "X"),
    _Intent("sessions", ("SESSION", "LABEL|SPLIT|SUBJECTS"), "X"),
    _Intent("narrow", ("REST",)),
)  # fmt: skip


def intent_of(clause: Sequence[Node]) -> Kind | None:
    """Return what the clause asks, or None when it asks nothing by itself."""
    tags = {node.tag for node in clause}
    if len(set(pick(clause, "HEADNAME"))) + ("NEIGHBOURS" in tags) > 1:
        tags.add("HEADPAIR")
    for intent in _INTENTS:
        needed = all(tags & set(need.split("|")) for need in intent.needs)
        if needed and not tags & set(intent.lacks.split("|")):
            return intent.kind
    return None


def read_ask(kind: Kind, clause: Sequence[Node], names: Names) -> Ask:
    """Return the clause as an Ask: each slot from the nodes that can fill it."""
    labels, excluded = _labels(clause, names)
    shots = pick(clause, "SHOTS", *(["AMOUNT"] if kind == "fewlabels" else []))
    pairs = [head for pair in pick(clause, "HEADPAIR") for head in pair]
    heads = (*pairs, *pick(clause, "HEADNAME"), *pick(clause, "NEIGHBOURS"))
    heads = tuple(dict.fromkeys(heads)) if kind != "similar" else ()
    return Ask(
        kind=kind,
        topic=" ".join(_topics(clause)),
        labels=labels,
        excluded=excluded,
        channels=_channels(clause, names),
        sessions=tuple(dict.fromkeys(pick(clause, "SESSIONID"))),
        subjects=tuple(names.subject(s) for group in pick(clause, "SUBJECTS") for s in group),
        split=_first(pick(clause, "SPLIT")),
        statistic=_first(pick(clause, "STAT")),
        by=_by(clause, labels),
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
        level=_level(clause) if kind == "forecast" else None,
        settings=tuple(dict(pick(clause, "SETTING")).items()),
        options=_options(clause),
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
    said = [b for b in pick(clause, "BY") if b != "channel"]
    if said:
        return str(said[0])
    compared = any(n.tag in {"COMPARE", "BETWEEN"} for n in clause)
    return "label" if compared and len(labels) > 1 and not pick(clause, "EXCEPT") else None


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
        slots |= _stretch(span)
    for low in pick(clause, "MIN"):
        slots |= _limit("min", low)
    for high in pick(clause, "MAX"):
        slots |= _limit("max", high)
    for span in pick(clause, "LENGTHS"):
        slots |= {"min_s": span.start_s, "max_s": span.end_s}
    bare = [d.seconds for d in pick(clause, "DUR") if isinstance(d, Duration)]
    horizon = _first([*map(float, pick(clause, "HORIZON")), *(bare if kind == "forecast" else [])])
    return slots | ({"horizon_s": horizon} if horizon is not None else {})


def _stretch(span: Span) -> dict[str, float | None]:
    return {"tail_s": span.start_s} if span.tail else {"start_s": span.start_s, "end_s": span.end_s}


def _limit(side: str, bound: Bound) -> dict[str, float | bool]:
    return {f"{side}_s": bound.seconds, f"strict_{side}": bound.strict}
