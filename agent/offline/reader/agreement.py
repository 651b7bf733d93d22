"""Whether rules and reader read a question alike, and the plain sentence of what the rules read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from tool_use_om.agent.offline.forms.registry import PLANS, plan_steps
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.reader.forms import FORMS, kept, places, reading
from tool_use_om.agent.offline.reader.places import STATISTICS, filled, unused
from tool_use_om.agent.offline.reader.probe import Sorted
from tool_use_om.agent.offline.reader.slots import Slots

Cards = Sequence[Mapping[str, Any]]
LIKELY = 0.5
"""Share of a form from which on it may confirm rules that left words out, or stand alone."""
POSSIBLE = 0.05
"""Share of all forms of a kind from which on the reader holds it possible."""
CERTAIN = 0.95
"""Share of a form from which on the reader stands against rules that read another kind."""
_COMPARED = 20  # forms of a set that the plan of the rules is compared with
_REFINED = 8  # forms of a set that may be the same question about less
_EXAMPLE = {
    "name": "example",
    "channels": [{"id": f"sensor.{one}", "unit": "V"} for one in ("alpha", "beta")],
    "labels": {"state": ["walking", "running"]},
    "session_ids": ["run-001", "run-002"],
    "id_pattern": r"run-\d+",
    "subject_ids": ["anna", "ivo"],
    "duration_s": {"min": 20.0, "max": 80.0, "median": 50.0},
}
_SAID = {
    "label": "walking", "label2": "running", "channel": "sensor.alpha", "channel2": "sensor.beta",
    "modality": "sensor", "session": "run-001", "session2": "run-002", "subject": "subject anna",
    "subject2": "subject ivo", "dur": "5 seconds", "t0": "3", "t1": "5", "n": "5", "k": "4",
    "pct": "90", "hz": "1.5", "hz2": "2", "head": "knn", "head2": "prototypes",
    "tokenizer": "moment-small", "dataset": "example", "day": "2026-01-05", "value": "2",
    "statistic": "mean", "extreme": "highest", "extremum": "maximum", "above": "above",
    "split": "test", "lively": "vigorous", "weekday": "on weekends", "month": "by month",
    "ahead": "7 days",
}  # fmt: skip
_OF_PLACE: Mapping[str, tuple[str, ...]] = {
    "label": ("labels",), "channel": ("channels",), "modality": ("channels",),
    "session": ("sessions",), "subject": ("subjects",), "statistic": ("statistic",),
    "dur": ("horizon_s", "start_s", "end_s", "tail_s", "min_s", "max_s"),
    "split": ("split",), "n": ("shots", "count"), "k": ("k", "count"), "value": ("level",),
    "extreme": ("statistic",), "extremum": ("statistic",), "above": ("level", "statistic"),
    "ahead": ("horizon_s",),
}  # fmt: skip
"""Place → what of an `Ask` is not said where it is empty."""
_WHICH = frozenset(
    {"label", "labels", "class", "split", "splits", "subject", "sessionid", "session"}
)
"""Topics that say which sessions are meant, not what is asked of them."""
_MANNER = ("kind", "statistic", "by", "task")
"""What makes two asks of one kind different questions; the rest is what they are about."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A question or one clause of it, as both understand it."""

    slots: Slots
    found: Sorted
    rules: Query


def complete(rules: Query) -> bool:
    """Say whether the rules use each word of a question and can plan it."""
    planned = bool(rules.asks) and all(ask.kind in PLANS for ask in rules.asks)
    return planned and not rules.refused and not rules.not_understood


def agreed(part: Part, names: Names, cards: Cards) -> bool:
    """Say whether the rules' reading is one that the reader has, too.

    Either the likeliest form plans the same calls; or the rules use each word, and some form of the
    set plans the same calls or is the same question about less (`refines`).
    """
    rules, shares = part.rules, part.found.shares
    if not rules.asks or rules.refused or any(ask.kind not in PLANS for ask in rules.asks):
        return False
    compared = part.found.forms[:_COMPARED]
    if not complete(rules):
        compared = tuple(form for form in compared[:1] if shares[form] >= LIKELY)
    wanted = plan_of(rules, names)
    if any(plan_of(query_of(form, part.slots, cards), names) == wanted for form in compared):
        return bool(wanted)
    near = compared[:_REFINED] if complete(rules) else ()
    return any(refines(rules, form, part.slots, cards) for form in near) or same_kind(part)


def same_kind(part: Part) -> bool:
    """Say whether rules that use each word ask for the kind that the reader holds likeliest.

    The rules then say which question of that kind it is: they read its names and its numbers. Where
    the likeliest form has no place for a name that the rules use, a possible kind is enough.
    """
    rules, found = part.rules, part.found
    if not complete(rules) or max(found.shares.values(), default=0.0) >= CERTAIN:
        return False
    kinds: dict[str, float] = {}
    for form, share in found.shares.items():
        if kind := _kinds().get(form):
            kinds[kind] = kinds.get(kind, 0.0) + share
    asked = {ask.kind for ask in rules.asks}
    if len(asked) == 1 and kinds and max(kinds, key=lambda kind: kinds[kind]) in asked:
        return True
    first = next(iter(found.shares), "")
    left = first in FORMS and bool(unused(first, part.slots))
    return left and all(kinds.get(kind, 0.0) >= POSSIBLE for kind in asked)


def refines(rules: Query, form: str, slots: Slots, cards: Cards) -> bool:
    """Say whether the rules read the form's question, and of what it is about at least as much.

    "Anything odd in our consumption?" is "Is anything unusual in the data?", of one channel. What
    the question leaves open of the form (a statistic, a session) is what the rules make of it.
    """
    if form not in FORMS or len(rules.asks) != 1:
        return False
    (ask,) = rules.asks
    known = filled(form, slots)
    missing = reading(form, known).missing
    said = {place: words for place in missing if (words := _open(place, ask, cards))}
    own = reading(form, {**known, **said})
    if own.missing or not kept(form, query := parse(own.text, cards)) or len(query.asks) != 1:
        return False
    free = {name for place in missing for name in _OF_PLACE.get(place.rstrip("2"), ())}
    return _within(query.asks[0], ask, free)


def _same_topic(one: Ask, other: Ask) -> bool:
    """Say whether both want to hear the same of sessions; one may say more of which."""
    if one.kind == "facts":
        return one.topic == other.topic
    return set(one.topic.split()) - _WHICH == set(other.topic.split()) - _WHICH


def _within(one: Ask, other: Ask, free: set[str]) -> bool:
    """Say whether `other` is the same question as `one`, and about as much or more."""
    empty = Ask(kind=one.kind)
    if any(getattr(one, name) != getattr(other, name) for name in _MANNER if name not in free):
        return False
    if "when" in {one.want, other.want} and one.want != other.want:
        return False
    about = (f.name for f in fields(Ask) if f.name not in {*_MANNER, *free, "topic", "want"})
    return all(
        getattr(one, name) in (getattr(other, name), getattr(empty, name)) for name in about
    ) and (one.kind not in {"facts", "sessions"} or _same_topic(one, other))


def _open(place: str, ask: Ask, cards: Cards) -> str:
    """Return words for a place that the question leaves empty: what the rules read, else a name."""
    if place == "statistic":
        return STATISTICS.get(ask.statistic or "", "")
    names = Names.of(cards)
    listed = {
        "session": names.session_ids, "subject": [f"subject {s}" for s in names.subject_ids],
        "label": names.labels, "channel": names.channels, "modality": names.modalities,
    }  # fmt: skip
    return next(iter(listed.get(place, ())), "")


def query_of(form: str, slots: Slots, cards: Cards) -> Query:
    """Return the query of a form's question; without asks where it does not run as it is."""
    if form not in FORMS or (own := reading(form, filled(form, slots))).missing:
        return Query()
    query = with_people(parse(own.text, cards), form, slots)
    runs = kept(form, query) and not query.refused and all(a.kind in PLANS for a in query.asks)
    return query if runs else Query()


def plan_of(query: Query, names: Names) -> list[tuple[str, dict[str, Any], dict[str, str]]]:
    """Return the calls that a query plans, for comparison."""
    return [(step.tool, step.args, step.late) for step in plan_steps(query, names)]


def with_people(query: Query, form: str, slots: Slots) -> Query:
    """Return the query with the subjects that the slots name, as they are written."""
    from dataclasses import replace

    said = filled(form, slots)
    people = slots.found.get("subject", ()) if "subject" in said else ()
    people = tuple(p for p in people if not p.casefold().startswith("subject "))
    if not people or not query.asks:
        return query
    asks = tuple(ask if ask.subjects else replace(ask, subjects=people) for ask in query.asks)
    missed = tuple(m for m in query.not_understood if m.casefold() not in map(str.casefold, people))
    return replace(query, asks=asks, not_understood=missed)


def sentence_of(rules: Query, slots: Slots, names: Names, cards: Cards) -> str:
    """Return the plain sentence of what the rules read; "" where no form says it."""
    wanted = plan_of(rules, names)
    if len(rules.asks) != 1 or not wanted:
        return ""
    for form in _forms_of(rules.asks[0].kind):
        query = query_of(form, slots, cards)
        if query.asks and plan_of(query, names) == wanted:
            return reading(form, filled(form, slots)).text
    return ""


def written_form(slots: Slots) -> str:
    """Return the form whose own sentence the question is, word for word; "" where none is.

    So a choice that was offered runs when it is picked.
    """
    text = _bare(slots.text)
    return next((form for form in FORMS if _is_written(form, text, slots)), "")


def _is_written(form: str, text: str, slots: Slots) -> bool:
    first = FORMS[form].partition("{")[0].partition("[")[0].casefold().rstrip(".? ")
    return text.startswith(first) and text in {_bare(t) for t in _sentences(form, slots)}


def _sentences(form: str, slots: Slots) -> Iterator[str]:
    """Yield a form's sentence with all its places, and with those left out that may be."""
    known = filled(form, slots)
    yield reading(form, known).text
    if "[" in FORMS[form]:
        yield reading(form, {p: w for p, w in known.items() if not p.startswith("channel")}).text


def _bare(text: str) -> str:
    return " ".join(text.casefold().rstrip(".?! ").split())


@lru_cache(maxsize=64)
def _forms_of(kind: str) -> tuple[str, ...]:
    """Return the forms that ask for this kind, those with the most places first."""
    own = [form for form, made in _kinds().items() if made == kind]
    return tuple(sorted(own, key=lambda form: -len(places(form))))


@lru_cache(maxsize=1)
def _kinds() -> dict[str, str]:
    """Return form → the kind of what it asks, read from its sentence about an example."""
    asked = {form: parse(reading(form, _SAID).text, [_EXAMPLE]).asks for form in FORMS}
    return {form: asks[0].kind for form, asks in asked.items() if asks}
