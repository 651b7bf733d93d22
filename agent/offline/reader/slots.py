"""What stands in a question's places, and the question with its names and numbers masked.

The grammar finds names, times and numbers; the encoder then sees "walking" for every label and
"5 seconds" for every length of time, so what a data set calls its things does not matter to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tool_use_om.agent.offline.language.grammar import Node, rewrite
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.rules import _SLOTS
from tool_use_om.agent.offline.language.tags import read_words
from tool_use_om.agent.offline.language.times import NUMBERS, Duration
from tool_use_om.agent.offline.language.words import Token
from tool_use_om.agent.offline.reader.glossary import glossed
from tool_use_om.agent.offline.reader.tongues import language_of, plain

_RULES = (*NUMBERS, *(r for r in _SLOTS if r.tag in {"AXISOF", "SUBJECTS", "SESSIONNUMBER"}))
_MASKS = {
    "label": ("walking", "running", "sitting"),
    "channel": ("channel", "signal"),
    "modality": ("sensor",),
    "session": ("session",),
    "subject": ("subject",),
    "dur": ("5 seconds",),
    "num": ("3", "7", "9"),
    "value": ("20",),
    "head": ("knn", "prototypes"),
    "tokenizer": ("encoder",),
    "dataset": ("dataset",),
    "day": ("monday",),
}
_TAGS = {
    "LABEL": "label", "CHANNELS": "channel", "CHANNELNAME": "channel",
    "AXISOF": "channel", "SESSIONNUMBER": "session", "MODALITY": "modality", "SESSIONID": "session",
    "SUBJECTS": "subject", "DUR": "dur", "NUM": "num", "CLOCK": "num",
    "HEADNAME": "head", "NEIGHBOURS": "head", "TOKNAME": "tokenizer", "DATASETNAME": "dataset",
    "DAY": "day",
}  # fmt: skip
_NAMED = frozenset({"label", "channel", "modality", "session", "subject", "dataset", "day"})
_COUNTED = frozenset({"NUM", "DUR", "CLOCK"})
_LOOSE = frozenset({"one", "once", "twice", "couple"})  # number words that mostly count nothing
KINDS = tuple(_MASKS)
"""Kinds of place, in the order in which the probe counts them."""
_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|jän|mär|mai|okt|dez|janv|févr|mars|avr|juin|"
    "juil|août|déc"
)
_DAY = re.compile(
    rf"\b(?:\d{{4}}-\d\d-\d\d|\d{{1,2}}\.\d{{1,2}}\.(?:\d{{2,4}})?|\d{{1,2}}\.?\s(?:{_MONTHS})[a-zé]*"
    rf"(?:\s\d{{4}})?|(?:{_MONTHS})[a-z]*\s\d{{1,2}}\b(?:,?\s\d{{4}})?|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day)(?!\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Slots:
    """A question as the reader sees it.

    Parameters
    ----------
    text : the question, plain (see `tongues.plain`)
    masked : the same with a word for each name and number, other languages word by word in English
    found : kind of place → the words found there, in order, each once
    numbers : every number and time in order, times in seconds
    tags : what the grammar's words say besides: "COUNT count", "STAT mean" …
    """

    text: str
    masked: str
    found: dict[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: tuple[float, ...] = ()
    tags: tuple[str, ...] = ()


def read_slots(question: str, names: Names) -> Slots:
    """Return the slots of a question about data of these names."""
    text = plain(question)
    tokens, said_nodes = read_words(text, names)
    spans: list[tuple[int, int, str]] = []
    said: list[str] = []
    nodes = rewrite(said_nodes, _RULES)
    for node, after in zip(nodes, [*nodes[1:], None], strict=False):
        start, end = tokens[node.first].start, tokens[node.last].end
        kind = _kind(node, text[start:end])
        if kind == "num" and after is not None and after.tag == "MEASURE":
            spans.append((start, tokens[after.last].end, "value"))
        elif kind:
            spans.append((start, end, kind))
        else:
            said.append(_tag(node))
    spans = _apart([*_days(text), *_people(text, names), *_levels(text, names), *spans])
    named = [(a, b) for a, b, kind in spans if kind in _NAMED]
    numbers = _numbers(text, tokens, nodes, named)
    tongue = language_of(text)
    mended = _mended(text, tokens) if tongue == "en" else []
    masked = _masked(text, _apart([*spans, *_own_noun(tokens, names), *mended]))
    if tongue != "en":
        masked = glossed(masked, tongue)
        nodes = rewrite(read_words(masked, Names.of([]))[1], _RULES)
        said += [_tag(node) for node in nodes if node.tag not in _TAGS]
    return Slots(
        text=text,
        masked=masked,
        found=_found(text, spans),
        numbers=numbers,
        tags=tuple(dict.fromkeys(filter(None, said))),
    )


def _tag(node: Node) -> str:
    """Return what a word says in the grammar; "" for what says nothing."""
    if node.tag in {"X", "A", "OF", "CODE", "MEASURE"}:
        return ""
    return f"{node.tag} {node.value}" if isinstance(node.value, str) else node.tag


def _kind(node: Node, text: str) -> str | None:
    """Return the kind of place a node is; "a second", "the minute" and "one of them" are none."""
    if node.tag == "DUR" and not any(c.isdigit() for c in text) and len(text.split()) < 2:
        return None
    if node.tag == "NUM" and text.casefold() in _LOOSE:
        return None
    if node.tag == "CHANNELS" and all("." not in str(c) for c in node.value):
        return "modality"
    return _TAGS.get(node.tag)


def _mended(text: str, tokens: Sequence[Token]) -> list[tuple[int, int, str]]:
    """Return the words whose spelling was corrected, as spans of the kind "=word"."""
    written = [(t, text[t.start : t.end].casefold()) for t in tokens if t.kind == "word"]
    return [
        (t.start, t.end, f"={t.text}")
        for t, word in written
        if t.text != word and word.isascii() and "'" not in word
    ]


def _own_noun(tokens: Sequence[Token], names: Names) -> list[tuple[int, int, str]]:
    """Return the data's own word for a session as spans of the kind "=session"."""
    return [
        (t.start, t.end, "=sessions" if t.text.endswith("s") else "=session")
        for t in tokens
        if names.noun_stem and t.kind == "word" and t.stem == names.noun_stem
    ]


def _numbers(
    text: str,
    tokens: Sequence[Token],
    nodes: Sequence[Node],
    named: Sequence[tuple[int, int]],
) -> tuple[float, ...]:
    """Return the numbers and times that stand in no name and no date."""
    found = []
    for node in nodes:
        start, end = tokens[node.first].start, tokens[node.last].end
        inside = any(start < b and a < end for a, b in named)
        if node.tag in _COUNTED and not inside and text[start:end].casefold() not in _LOOSE:
            said = node.value
            found.append(said.seconds if isinstance(said, Duration) else float(said))
    return tuple(found)


def _days(text: str) -> list[tuple[int, int, str]]:
    return [(m.start(), m.end(), "day") for m in _DAY.finditer(text)]


def _people(text: str, names: Names) -> list[tuple[int, int, str]]:
    """Find sessions, subjects and data sets by their ids as the data write them."""
    found: list[tuple[int, int, str]] = []
    known = {
        "session": names.session_ids,
        "subject": names.subject_ids,
        "dataset": tuple(filter(None, [names.dataset_named(text)])),
    }
    for kind, ids in known.items():
        for one in ids:
            pattern = rf"(?<![A-Za-z0-9_-]){re.escape(one)}(?![A-Za-z0-9_-])"
            found += [(m.start(), m.end(), kind) for m in re.finditer(pattern, text, re.IGNORECASE)]
    return found


def _levels(text: str, names: Names) -> list[tuple[int, int, str]]:
    """Find numbers in a unit that a channel of the data has."""
    units = sorted({u for u in names.units if u not in {"", "1", "s"}}, key=len, reverse=True)
    if not units:
        return []
    pattern = rf"(?<![\w.])-?\d+(?:\.\d+)?\s?(?:{'|'.join(map(re.escape, units))})(?![\w/])"
    return [(m.start(), m.end(), "value") for m in re.finditer(pattern, text)]


def _apart(spans: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Return the spans in order; of overlapping ones the earlier of the list stands."""
    kept: list[tuple[int, int, str]] = []
    for span in spans:
        if all(span[1] <= other[0] or other[1] <= span[0] for other in kept):
            kept.append(span)
    return sorted(kept)


def _masked(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    out, done = "", 0
    seen: dict[str, list[str]] = {}
    for start, end, kind in spans:
        if kind.startswith("="):
            out, done = out + text[done:start] + kind[1:], end
            continue
        words = seen.setdefault(kind, [])
        said = text[start:end].casefold()
        if said not in words:
            words.append(said)
        masks = _MASKS[kind]
        out += text[done:start] + masks[min(words.index(said), len(masks) - 1)]
        done = end
    return " ".join((out + text[done:]).split())


def _found(text: str, spans: Sequence[tuple[int, int, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for start, end, kind in spans:
        words = found.get(kind, ())
        found[kind] = words if text[start:end] in words else (*words, text[start:end])
    return found
