"""Parse a question about sessions of signals: text in, a `Query` out.

Tokens are corrected and tagged (parse_tags), rewritten by a cascade of grammar rules (numbers,
limits, times, then the slots below), cut into clauses, and each clause becomes one `Ask`
(parse_intents). No statistics, no randomness: the same question gives the same query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tool_use_om.agent.offline.language.grammar import Node, pick, rewrite
from tool_use_om.agent.offline.language.intents import intent_of
from tool_use_om.agent.offline.language.lexicon import lexicon
from tool_use_om.agent.offline.language.measures import Level
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Ask, Kind, Query
from tool_use_om.agent.offline.language.refused import Said, own_unit, refused
from tool_use_om.agent.offline.language.rules import _AFTER_NAMES, _MEASURED, _SLOTS
from tool_use_om.agent.offline.language.slots import read_ask
from tool_use_om.agent.offline.language.tags import read_words
from tool_use_om.agent.offline.language.times import (
    GLUED_UNITS,
    LIMITS,
    NUMBERS,
    TIMES,
    UNITS,
    Span,
)
from tool_use_om.agent.offline.language.words import Token, stem

_ENCODING = frozenset(
    {"find", "classify", "described", "forecast", "similar", "motif", "anomaly", "unlike"}
)
_UNRANKED = frozenset({"stats", "facts", "sessions", "plot"})
_MOST_CHOICES = 3
_BOUNDARIES = frozenset({"AND", "THEN", "COMMA", "STOP", "DASH"})
_STRANGE = frozenset({"X", "CODE", "QUANTITY", "EITHER"})


def parse(
    question: str,
    cards: Sequence[Mapping[str, Any]] = (),
    working_set: Mapping[str, Any] | None = None,
) -> Query:
    """Return what `question` asks about the data sets that `cards` describe.

    Parameters
    ----------
    question : free text; may be empty
    cards : data-set cards as the plan prompt carries them, the current one first
    working_set : its "dataset", if any, is the one meant unless the question names another
    """
    current = (working_set or {}).get("dataset")
    names = Names.of(cards, current)
    named = names.dataset_named(question)
    dataset = named or current or next(iter(names.datasets), None)
    if named:
        names = Names.of(cards, named)
    query, instead = _understood(question, names, dataset, named)
    runs = [q for q in dict.fromkeys(instead) if _runs(_understood(q, names, dataset, named)[0])]
    return replace(query, choices=tuple(runs[:_MOST_CHOICES]))


@dataclass(frozen=True)
class Fragment:
    """Some words read for themselves, whether or not they ask anything.

    Attributes
    ----------
    kind : what they ask by themselves; None where they only say more of something
    nodes : what the grammar made of them
    unknown : phrases that are no words of the trade, nor names of the data
    """

    kind: Kind | None
    nodes: tuple[Node, ...]
    unknown: tuple[str, ...]


def read_fragment(text: str, names: Names) -> Fragment:
    """Return what the grammar makes of words that need not be a question."""
    tokens, found = read_words(text, names)
    nodes = [n for n in _resolve(_grammar(found), names) if n.tag not in _BOUNDARIES]
    unknown = _unknown(text, tokens, [n for n in nodes if n.tag in _STRANGE], ())
    return Fragment(intent_of(nodes), tuple(nodes), unknown)


def _runs(query: Query) -> bool:
    """Say whether all of a question can be answered."""
    return bool(query.asks) and not query.refused and not query.not_understood


def _understood(
    question: str, names: Names, dataset: str | None, named: str | None
) -> tuple[Query, tuple[str, ...]]:
    """Return the query, and the questions that may have been meant instead."""
    tokens, found = read_words(question, names)
    nodes = _resolve(_lengths(_grammar(found), tokens), names)
    clauses = [_searched(kind, clause, names) for kind, clause in _clauses(nodes)]
    asks = _inherit([read_ask(kind, clause, names) for kind, clause in clauses])
    if not asks and named:
        asks = [Ask(kind="sessions", topic="describe")]
    said = Said(question, tuple(tokens), tuple(nodes))
    nodes = [node for node in nodes if not own_unit(said, node, asks, names)]
    missing = refused(replace(said, nodes=tuple(nodes)), asks, names)
    query = Query(
        asks=_merge(asks),
        dataset=dataset,
        not_understood=_unknown(question, tokens, nodes, asks),
        refused=missing.reasons,
    )
    return query, missing.instead


def _grammar(nodes: Sequence[Node]) -> list[Node]:
    # Measures first ("from 1.5 to 2 Hz" is no stretch); limits ("over 30 s" is no horizon), then
    # times, then limits that need a range.
    return rewrite(nodes, (*NUMBERS, *_MEASURED, *LIMITS, *TIMES, *LIMITS, *_SLOTS))


def _lengths(nodes: Sequence[Node], tokens: Sequence[Token]) -> list[Node]:
    """Return what only the words around tell.

    "The next week" is seven days ahead, "next week" the calendar's; how much of the time something
    is "between 70 and 180" asks for values, not for seconds of the session.
    """
    out = []
    often = {n.tag for n in nodes} & {"OFTEN", "PORTION"}
    for node in nodes:
        span = node.value
        closed = node.tag == "RANGE" and None not in {span.start_s, span.end_s}
        if closed and often and _bare(tokens[node.first : node.last + 1]):
            level = Level(span.start_s, "", above=True, upper=span.end_s)
            node = Node("LEVEL", level, node.first, node.last)  # noqa: PLW2901
        before = tokens[node.first - 1].text if node.first else ""
        if node.tag == "COMING" and before in {"the", "this"} and node.last > node.first:
            unit = {"next_week": "week", "next_month": "month", "next_year": "year"}
            if node.value in unit:
                node = Node("HORIZON", UNITS[unit[node.value]], node.first, node.last)  # noqa: PLW2901
        out.append(node)
    return out


def _bare(tokens: Sequence[Token]) -> bool:
    """Say whether a stretch is of bare numbers: no unit of time and no clock is said."""
    return all(t.kind != "clock" and t.text not in GLUED_UNITS for t in tokens)


def _resolve(nodes: Sequence[Node], names: Names) -> list[Node]:
    """Turn modalities, axes and numbered sessions into names, then join what was said of them."""
    out: list[Node] = []
    for node in nodes:
        tag_, value = node.tag, node.value
        if tag_ in {"MODALITY", "CHANNELNAME"}:
            tag_, value = "CHANNELS", (value,)
        elif tag_ == "AXISOF":
            modalities = [value[0]] if value[0] else list(names.modalities)
            ids = [names.channel_of(m, value[1]) for m in modalities]
            tag_, value = "CHANNELS", tuple(c for c in ids if c)
        elif tag_ == "SESSIONNUMBER":
            found = names.session_numbered(int(value))
            tag_, value = ("SESSIONID", found) if found else ("X", f"session {value}")
        elif tag_ == "REST" and value.tail:
            tag_, value = _without_end(value.end_s, names)
        out.append(Node(tag_, value, node.first, node.last))
    return rewrite(out, _AFTER_NAMES)


def _without_end(seconds: float, names: Names) -> tuple[str, Any]:
    """Return the stretch before the last seconds, where all sessions end at the same time."""
    known = names.duration_s
    if known and known["min"] == known["max"] > seconds:
        return "REST", Span(None, known["max"] - seconds)
    return "BARRED", "the end of sessions of different lengths"


def _clauses(nodes: Sequence[Node]) -> list[tuple[Kind, list[Node]]]:
    """Cut at "and", "then" and punctuation wherever both sides ask something of their own."""
    pieces: list[list[Node]] = [[]]
    for node in nodes:
        if node.tag in _BOUNDARIES:
            pieces.append([])
        else:
            pieces[-1].append(node)
    whole: list[list[Node]] = []
    pending: list[Node] = []
    for piece in pieces:
        if intent_of(piece) is None:
            if whole:
                whole[-1] += piece
            else:
                pending += piece
        else:
            whole.append(pending + piece)
            pending = []
    joined = [pending] if pending and not whole else whole
    return [(kind, clause) for clause in joined if (kind := intent_of(clause)) is not None]


_ODD_LABELS = frozenset(map(stem, ("anomaly", "anomalous", "outlier")))


def _searched(kind: Kind, clause: list[Node], names: Names) -> tuple[Kind, list[Node]]:
    """Let "find anomalies" be a search for them where a label is called "anomaly", too.

    A label that could mean something else ("fault") does so unless there is no other to tell it
    from. A search must not know where the labels are, so it forgets them.
    """
    named = {label for group in pick(clause, "LABEL") for label in group}
    stems = {label: stem(label.casefold()) for label in names.labels}
    odd = {label for label, own in stems.items() if lexicon().get((own,), ("",))[0] == "ODD"}
    always = {label for label in odd if stems[label] in _ODD_LABELS}
    meant = odd if odd == set(names.labels) else always
    if kind != "find" or not named or not named <= meant or pick(clause, "EXCEPT"):
        return kind, clause
    return "anomaly", [node for node in clause if node.tag != "LABEL"]


def _inherit(asks: Sequence[Ask]) -> list[Ask]:
    """Let a later clause that names no data of its own speak about the same as the one before."""
    out: list[Ask] = []
    for ask in asks:
        out.append(_inherited(ask, out[-1]) if out else ask)
    # "skip the first two seconds and plot it" asks for one thing
    return [ask for ask in out if ask.kind != "narrow"] or out[-1:]


def _inherited(ask: Ask, before: Ask) -> Ask:
    times = {name: getattr(ask, name) for name in ("start_s", "end_s", "tail_s")}
    said = ask.labels or ask.sessions or ask.subjects or ask.split
    if before.kind == "narrow" and said:
        ask = replace(ask, start_s=before.start_s, end_s=before.end_s)
    if not said and all(time is None for time in times.values()):
        ask = replace(
            ask, labels=before.labels, excluded=before.excluded, sessions=before.sessions,
            subjects=before.subjects, split=before.split, start_s=before.start_s,
            end_s=before.end_s, tail_s=before.tail_s,
        )  # fmt: skip
    if ask.kind == before.kind == "stats" and not ask.channels:
        ask = replace(ask, channels=before.channels, by=ask.by or before.by)
    return ask


def _merge(asks: Sequence[Ask]) -> tuple[Ask, ...]:
    """Join neighbouring asks that one run of tools answers (window and stride; count and list)."""
    out: list[Ask] = []
    for ask in asks:
        if out and _narrows(out[-1], ask):
            out.append(ask)
        elif out and out[-1].kind == ask.kind and ask.kind in {"window", "tokenizer", "sessions"}:
            out[-1] = _joined(out[-1], ask)
        elif out and ask.kind == "check" and (said := _said(out[-1], ask)) is not None:
            out[-1] = replace(said, faults=tuple(dict.fromkeys(out[-1].faults + ask.faults)))
        elif out and out[-1].kind == "check" and ask.topic == "unlabelled":
            out[-1] = replace(out[-1], faults=tuple(dict.fromkeys((*out[-1].faults, "hole"))))
        elif out and _only_how(ask, out[-1]):
            out[-1] = _made_so(out[-1], ask)
        else:
            out.append(ask)
    return tuple(out)


_FILTERS = ("labels", "sessions", "subjects", "split", "min_s", "max_s")


def _narrows(before: Ask, ask: Ask) -> bool:
    """Say whether all sessions are asked for first, then some: "how many, and how many failed"."""
    of_all = not any(getattr(before, name) for name in _FILTERS)
    some = any(getattr(ask, name) for name in _FILTERS)
    return before.kind == ask.kind == "sessions" and of_all and some


def _only_how(ask: Ask, before: Ask) -> bool:
    """Say whether an ask says no more than how the one before is to be carried out."""
    how = replace(
        ask, kind=before.kind, topic="", options=(), settings=(), window_s=None, stride_s=None,
        tokenizer=None, approximate=False, task=before.task, labels=(), excluded=False,
        sessions=(), subjects=(), split=None, start_s=None, end_s=None, tail_s=None,
    )  # fmt: skip
    same = _inherited(Ask(kind=ask.kind), before)
    data = ("labels", "sessions", "subjects", "split", "start_s", "end_s", "tail_s")
    return (
        how == Ask(kind=before.kind, task=before.task)
        and (ask.kind in {"window", "tokenizer"} or bool(ask.options))
        and before.kind in _ENCODING
        and (all(getattr(ask, n) == getattr(same, n) for n in data))
    )


def _made_so(ask: Ask, how: Ask) -> Ask:
    return replace(
        ask,
        options=_once(ask.options + how.options),
        settings=_once(ask.settings + how.settings),
        window_s=how.window_s or ask.window_s,
        stride_s=how.stride_s or ask.stride_s,
        tokenizer=how.tokenizer or ask.tokenizer,
    )


def _once(pairs: Sequence[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    return tuple(dict(pairs).items())


def _said(first: Ask, second: Ask) -> Ask | None:
    """Return what both of two checks are about, whatever they look for; None if it differs."""
    bare = [replace(ask, topic="", faults=()) for ask in (first, second)]
    said = [ask for ask in bare if ask != Ask(kind="check")]
    return bare[0] if not said else said[0] if said[-1] == said[0] else None


def _joined(first: Ask, second: Ask) -> Ask:
    fields = {
        name: value
        for name in first.__dataclass_fields__
        if (value := getattr(second, name)) and not getattr(first, name)
    }
    topics = " ".join(dict.fromkeys([*first.topic.split(), *second.topic.split()]))
    return replace(first, **{**fields, "topic": topics})


def _unknown(
    question: str, tokens: Sequence[Token], nodes: Sequence[Node], asks: Sequence[Ask]
) -> tuple[str, ...]:
    """Return phrases of neighbouring unknown words; numbers that no slot took count as unknown.

    A word is told as it was written, not as its spelling was corrected.
    """
    stray = {"X", "CODE", "QUANTITY", "EITHER", "DEED"} | ({"NUM", "MEASURE"} if asks else set())
    if not any(ask.level for ask in asks):
        stray.add("LEVEL")
    if not any(ask.attributes for ask in asks):
        stray |= {"BAND", "ATTRIBUTE", "PACE"}
    if any(ask.kind in _UNRANKED for ask in asks):
        stray.add("BEST")  # "strongest", where nothing is ranked
    phrases: list[list[Node]] = []
    for node in nodes:
        if node.tag not in stray:
            continue
        if phrases and phrases[-1][-1].last + 1 == node.first:
            phrases[-1].append(node)
        else:
            phrases.append([node])
    return tuple(question[tokens[p[0].first].start : tokens[p[-1].last].end] for p in phrases)
