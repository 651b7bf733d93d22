"""Which of two readings of a question stands: that of the forms, or that of an everyday amount."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tool_use_om.agent.offline.everyday.read import Reading, read_everyday
from tool_use_om.agent.offline.everyday.sentence import sentence_of
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.reader.forms import REFUSED

_OFFERED = 3
_SHOWN = 6  # words that are named
_READ = 2  # words that are read, from which the language is one that is read
_SPECIAL = frozenset({"energy", "return", "rise"})
_GROUPED = frozenset({"stats", "facts", "sessions", "amounts"})


def measured(question: str, other: Query, cards: Sequence[Mapping[str, Any]]) -> Query:
    """Return the query that stands.

    Where the forms answer, they stand, unless the amount uses every word and is about a time, a
    group or a quantity (energy, a return) that they leave out. Where they do not answer, an amount
    that uses every word stands, or all but one that is not what is counted.

    Parameters
    ----------
    other : what rules or reader made of the question
    """
    if other.anew or _foreign(other, cards) or set(other.refused) & set(REFUSED.values()):
        return other  # advice, deeds, causes: refused, whatever else is read
    found = read_everyday(question, cards)
    if found.refused and not _answers(other):
        return Query(dataset=other.dataset, refused=(found.refused,), by="rules")
    if not found.asks:
        return _in_tongue(found, other)
    if _answers(other):
        return _query(found, other) if found.whole and _says_more(found.asks, other.asks) else other
    if found.whole or found.fair:
        return _query(found, other)
    return _offered(found, other, cards) or _in_tongue(found, other)


def _offered(found: Reading, other: Query, cards: Sequence[Mapping[str, Any]]) -> Query | None:
    """Return a question back that offers the part which was read; None where it is no question.

    What is left is told, so that the person sees why: "I read a part of this, without …".
    """
    lacking = any(" has no " in said for said in other.refused)
    if lacking or (other.refused and not other.choices):
        return None  # what the data lack is said as it is
    texts = [text for ask in found.asks[:_OFFERED] if (text := sentence_of(ask, cards))]
    if not texts or found.n_used < _READ:
        return None
    left = ", ".join(f'"{word}"' for word in found.left[:_SHOWN])
    said = f"I read only a part of this, without {left}."
    return Query(
        dataset=other.dataset, refused=(said,), choices=tuple(dict.fromkeys(texts)), by=other.by
    )


def _in_tongue(found: Reading, other: Query) -> Query:
    """Return a refusal of the language as what was not understood, where words of it were."""
    foreign = any("this language I cannot read" in said for said in other.refused)
    if not foreign or found.n_used < _READ:
        return other
    return Query(dataset=other.dataset, not_understood=found.left or (found.text,), by=other.by)


def _foreign(other: Query, cards: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether the question is about another data set than the first."""
    first = next((c.get("name") for c in cards if c.get("name")), None)
    return other.dataset not in (None, first)


def _answers(query: Query) -> bool:
    return bool(query.asks) and not query.refused


def _says_more(asks: Sequence[Ask], others: Sequence[Ask]) -> bool:
    """Say whether amounts use a time, a group or a quantity that other asks do not."""
    if any(ask.kind not in _GROUPED for ask in others):
        return False
    if _adds(asks) and not _adds(others) and any(ask.statistic for ask in others):
        return True  # what was used is asked for, not the highest reading of the meter
    # facts of labels are told for all together, whatever group was said
    told = [o for o in others if o.calendar or o.level or (o.by and o.kind == "stats")]
    for ask in asks:
        amounts = dict(ask.amounts)
        special = amounts.get("of") in _SPECIAL or amounts.get("by", "whole") != "whole"
        if (ask.calendar and not any(o.calendar for o in others)) or (special and not told):
            return True
    return len(asks) > len(others) and not told


def _adds(asks: Sequence[Ask]) -> bool:
    return any("sum" in {ask.statistic, dict(ask.amounts).get("statistic")} for ask in asks)


def _query(found: Reading, other: Query) -> Query:
    return replace(
        Query(dataset=other.dataset, asks=found.asks, not_understood=found.left), by="rules"
    )
