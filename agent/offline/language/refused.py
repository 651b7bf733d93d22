"""What a question asks for that is not there, may be two things, or cannot be done.

A word in the place of a channel or label that names nothing would otherwise be dropped and the
question answered for all of them; a deed that no tool does, left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz import fuzz, process

from tool_use_om.agent.offline.language.grammar import Node, rewrite, rule
from tool_use_om.agent.offline.language.intents import intent_of
from tool_use_om.agent.offline.language.measures import in_unit
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Ask
from tool_use_om.agent.offline.language.words import Token
from tool_use_om.data.errors import NotFoundError, nearest
from tool_use_om.data.units import check_unit

_MOST_NAMED = 30
_PLACES = frozenset({"AND", "OR", "THEN", "COMMA", "STOP", "DASH", "SESSION"})
_OTHER_RANGES = frozenset({"WINDOW", "WINDOW_S", "STRIDE", "STRIDE_S"})
_ON_CHANNELS = frozenset({"stats", "forecast", "motif", "check", "plot", "narrow"})
_GENERAL = frozenset({"facts", "sessions", "datasets"})
_ABOUT_DATA = frozenset({
    "SESSION", "CHANNEL", "CHANNELS", "LABEL", "LABELS", "CLASS", "SUBJECT", "SUBJECTS",
    "SESSIONID", "DATASET", "DATASETNAME", "DATA", "SPLIT", "SPLITS", "DURATION", "UNITS",
    "RATEWORD", "LONGEST", "SHORTEST", "MIN", "MAX", "LENGTHS", "RANGE", "BALANCE", "SPAN",
    "NSESSIONS", "EXCEPT",
})  # fmt: skip
_RUN = (rule("X", "X+", lambda nodes: " ".join(str(n.value) for n in nodes)),)
# words right before a name that is what the measure is of ("mean of x", "mean x", "plot the x")
_MEASURES = frozenset({"STAT", "PLOT", "PREDICT"})
_ARTICLES = frozenset({"the", "a", "an", "all", "any", "every", "each", "my", "our", "its", "this"})
_BINDING = frozenset({"in", "with", "of", "for", "where", "that", "which", "show", "having", "as"})
_DATA = frozenset({"CHANNELS", "LABEL", "SESSIONID", "SUBJECTS", "SESSION", "RANGE", "DATA"})
_ENDS = frozenset({"AND", "THEN", "COMMA", "STOP", "DASH"})
# what says how or when, and names neither a deed nor a thing
_NO_NAME = re.compile(r"(?:ed|est|ly|ing)$|^(?:tomorrow|yesterday|today|tonight|event)$|\W")


@dataclass(frozen=True)
class Said:
    """A question: its text, its tokens, and its nodes after the grammar, names resolved."""

    question: str
    tokens: tuple[Token, ...]
    nodes: tuple[Node, ...]

    def text(self, node: Node) -> str:
        """Return a node's words as they were written."""
        return self.question[self.tokens[node.first].start : self.tokens[node.last].end]

    def swapped(self, node: Node, name: str) -> str:
        """Return the question with another name in a node's place."""
        start, end = self.tokens[node.first].start, self.tokens[node.last].end
        return self.question[:start] + name + self.question[end:]

    def before(self, node: Node) -> str:
        """Return the word before a node, articles passed over; "" at the beginning."""
        words = (t.text for t in reversed(self.tokens[: node.first]) if t.text not in _ARTICLES)
        return next(words, "")


class Missing(NamedTuple):
    """Why a question cannot be met (empty = it can), and what may have been meant instead."""

    reasons: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


def refused(said: Said, asks: Sequence[Ask], names: Names) -> Missing:
    """Return what is named that is not there, or cannot be done, each in a sentence."""
    reasons = [_backwards(n) for n in said.nodes if n.tag == "BACKWARDS"]
    if any(n.tag in _OTHER_RANGES for n in said.nodes):
        reasons = []  # "change the window from 4 s to 2 s" names no stretch
    if not names.datasets:
        return Missing(tuple(reasons))
    instead: list[str] = []
    whole = Said(said.question, said.tokens, tuple(rewrite(said.nodes, _RUN)))
    for index, node in enumerate(whole.nodes):
        reason, meant = _unmet(whole, index, asks, names)
        if reason:
            reasons.append(reason)
            instead += [whole.swapped(node, name) for name in meant]
    reasons = reasons or _of_something_else(whole, asks)
    # what is asked of a channel that is not there needs no further word
    reasons = reasons or [text for ask in asks if (text := _unreachable(ask, names))]
    return Missing(tuple(dict.fromkeys(reasons)), tuple(instead))


def _of_something_else(said: Said, asks: Sequence[Ask]) -> list[str]:
    """Return why a question is none about the data: it has words of its own, and none for data.

    "Who was recorded?" is about subjects; "who won?" only has the form of such a question.
    """
    strange = [said.text(node) for node in said.nodes if node.tag == "X"]
    general = bool(asks) and all(ask.kind in _GENERAL for ask in asks)
    if not general or not strange or any(node.tag in _ABOUT_DATA for node in said.nodes):
        return []
    listed = ", ".join(f'"{text}"' for text in strange)
    return [f"I find nothing about {listed} in these data, and answer only what they hold."]


def _unmet(
    said: Said, index: int, asks: Sequence[Ask], names: Names
) -> tuple[str, tuple[str, ...]]:
    """Return why a node cannot be met ("" = it can), and the names it may have meant."""
    node = said.nodes[index]
    text = said.text(node)
    if node.tag == "X":
        return _in_other_unit(said, node, asks, names) or _unknown(said, index, asks, names)
    if node.tag == "EITHER":
        return _either(text, [name for _, name in node.value[1]])
    if node.tag == "QUANTITY":
        return _missing("channel", text, names.channels, names)
    if node.tag == "BARRED" and any(ask.kind in _ON_CHANNELS - {"check"} for ask in asks):
        return f"Leaving out {node.value} is not possible here. Say what to keep instead.", ()
    if node.tag == "DEED" and _commands(said, index):
        return (
            f'I cannot "{text}": I look at data and explain them, and change or send nothing.',
            (),
        )
    return "", ()


def own_unit(said: Said, node: Node, asks: Sequence[Ask], names: Names) -> bool:
    """Say whether unknown words ask for the unit that the values are in anyway: "in celsius"."""
    unit, units = _unit_said(said, node), _units_told(asks, names)
    return bool(unit) and bool(units) and set(units.values()) == {unit}


def _unit_said(said: Said, node: Node) -> str:
    """Return the unit that "in celsius" asks for, "" for other words."""
    if node.tag != "X" or said.before(node) != "in":
        return ""
    try:
        return check_unit(said.text(node))
    except NotFoundError:
        return ""


def _units_told(asks: Sequence[Ask], names: Names) -> dict[str, str]:
    """Return channel → unit of those that are asked about by name."""
    meant = names.meant([c for ask in asks if ask.kind in _ON_CHANNELS for c in ask.channels])
    return {channel: names.unit_of(channel) or "no known unit" for channel in meant}


def _in_other_unit(
    said: Said, node: Node, asks: Sequence[Ask], names: Names
) -> tuple[str, tuple[str, ...]] | None:
    """Return that values stay in their own unit, where another one is asked for."""
    unit, units = _unit_said(said, node), _units_told(asks, names)
    if not unit or not units:
        return None
    listed = ", ".join(f"`{c}` is in {own}" for c, own in list(units.items())[:_MOST_NAMED])
    return f"{listed}, and values are not converted to {unit}. Ask without the unit.", ()


def _unknown(
    said: Said, index: int, asks: Sequence[Ask], names: Names
) -> tuple[str, tuple[str, ...]]:
    """Return why an unknown word stops the question; "" where it only says more than is used."""
    text = said.text(said.nodes[index])
    if _is_label(said, index, asks):
        return _missing("label", text, names.labels, names)
    if _is_channel(said, index, asks):
        return _missing("channel", text, names.channels, names)
    if _is_counted(said, index, asks):
        return _missing("channel", text, names.channels, names)
    if any(ask.kind == "facts" and ask.topic == "who" for ask in asks):
        return f'The data say who was recorded, and nothing about who "{text}".', ()
    if _commands(said, index) and _done_to_data(said, index):
        return f'I do not know how to "{text}" data, and leave it rather than guess.', ()
    return "", ()


def _either(text: str, found: Sequence[object]) -> tuple[str, tuple[str, ...]]:
    listed = tuple(n[0] if isinstance(n, tuple) else str(n) for n in found)
    shown = " or ".join(f"`{name}`" for name in listed)
    return f'"{text}" may be {shown}. Which one is meant?', listed


def _commands(said: Said, index: int) -> bool:
    """Say whether a word is the verb of a clause: it comes first in it, or after "me", "you"."""
    node = said.nodes[index]
    first = index == 0 or said.nodes[index - 1].tag in _ENDS
    before = said.tokens[node.first - 1].text if node.first else ""
    return first and before not in _ARTICLES | _BINDING | {"on", "at", "from", "during", "while"}


def _done_to_data(said: Said, index: int) -> bool:
    """Say whether data follow the word as what it is done to: "normalise accelerometer.x and …"."""
    node, after = said.nodes[index], said.nodes[index + 1 : index + 2]
    if not after or after[0].tag not in _DATA or _NO_NAME.search(said.text(node).casefold()):
        return False
    between = said.tokens[node.last + 1 : after[0].first]
    ends = [i for i, n in enumerate(said.nodes) if i > index and n.tag in _ENDS]
    clause = said.nodes[index : min(ends, default=len(said.nodes))]
    return all(t.text in _ARTICLES for t in between) and intent_of(clause) is None


def _is_label(said: Said, index: int, asks: Sequence[Ask]) -> bool:
    """Say whether the unknown words stand where an activity is named, and none else is."""
    nodes = said.nodes
    if _listed(nodes, index, "LABEL", {"AND", "OR"}):
        return True
    if any(ask.labels for ask in asks):
        return False
    words = r"[\W_]+".join(map(re.escape, str(nodes[index].value).split()))
    during = rf"\b(?:while|during|labell?ed|doing)\s+(?:(?:the|an?)\s+)?{words}\b"
    if asks and re.search(during, said.question, re.IGNORECASE):
        return True
    if _of_sessions(said, index):
        return True
    before = nodes[index - 1] if index else None
    return before is not None and before.tag == "FIND" and _ends_there(nodes, index) and (
        said.before(nodes[index]) == said.tokens[before.last].text
    )  # fmt: skip


def _of_sessions(said: Said, index: int) -> bool:
    """Say whether the words say which sessions: "sessions of swimming", "swimming sessions"."""
    nodes = said.nodes
    before = [n.tag for n in nodes[:index] if n.tag not in {"OF", "A", "USE"}][-1:]
    if before == ["SESSION"] and said.before(nodes[index]) in _BINDING:
        return _ends_there(nodes, index)
    after = nodes[index + 1] if index + 1 < len(nodes) else None
    return (
        after is not None
        and after.tag == "SESSION"
        and after.first == nodes[index].last + 1
        and not said.text(after).casefold().endswith("ed")
        and not any(n.tag == "SESSIONID" for n in nodes)
    )


def _ends_there(nodes: Sequence[Node], index: int) -> bool:
    """Say whether the words are no mere attribute of the next one, as in "find nice walking"."""
    if index + 1 == len(nodes):
        return True
    after = nodes[index + 1]
    return after.tag in _PLACES or after.first > nodes[index].last + 1


def _is_channel(said: Said, index: int, asks: Sequence[Ask]) -> bool:
    """Say whether the unknown words stand where a channel is named, and none else is."""
    nodes = said.nodes
    measured = [ask for ask in asks if ask.kind in _ON_CHANNELS]
    if measured and _listed(nodes, index, "CHANNELS", {"AND", "OR", "COMMA"}):
        return True
    if not measured or any(ask.channels for ask in measured):
        return False
    before = nodes[index - 1].tag if index else ""
    after = nodes[index + 1] if index + 1 < len(nodes) else None
    if after is not None and after.tag == "CHANNEL":
        return True
    if after is not None and after.tag in {"STAY", "LEVEL"} and any(a.level for a in measured):
        return True
    attribute = after is not None and after.first == nodes[index].last + 1 and (
        after.tag not in _PLACES - {"SESSION"} | {"OF", "PER"}
    )  # fmt: skip
    # "the mean recorded then" names no channel; "plot the wuzzle of …" does
    at_once = (
        before in _MEASURES
        and said.before(nodes[index]) == said.tokens[nodes[index - 1].last].text
        and not _NO_NAME.search((said.text(nodes[index]).casefold().split() or [""])[-1])
    )
    return (before == "OF" or at_once) and not attribute


def _is_counted(said: Said, index: int, asks: Sequence[Ask]) -> bool:
    """Say whether the unknown words are what is counted: "how many parts did we produce"."""
    node = said.nodes[index]
    before = said.nodes[index - 1] if index else None
    how_many = before is not None and said.text(before).casefold() in {"how many", "how much"}
    if not how_many or said.before(node) not in {"many", "much"}:
        return False
    named = not asks or any(ask.channels or ask.labels or ask.sessions for ask in asks)
    return not named and not any(n.tag in _ABOUT_DATA - {"RANGE"} for n in said.nodes)


def _listed(nodes: Sequence[Node], index: int, tag: str, joints: set[str]) -> bool:
    """Say whether the words stand in a list with such a name: "accelerometer and barometer"."""
    alone = index + 1 == len(nodes) or nodes[index + 1].tag in _PLACES
    return alone and any(
        nodes[index + step].tag in joints and nodes[index + 2 * step].tag == tag
        for step in (-1, 1)
        if 0 <= index + 2 * step < len(nodes)
    )


def _unreachable(ask: Ask, names: Names) -> str:
    """Return why a level cannot be asked about: several channels, or another kind of unit."""
    if ask.level is None:
        return ""
    channels = names.meant(ask.channels or names.channels)
    if len(channels) != 1:
        listed = ", ".join(f"`{c}`" for c in channels[:_MOST_NAMED])
        return f"A level is for one channel at a time. Name one of {listed}."
    unit = names.unit_of(channels[0])
    change = ask.kind == "events" and ask.level.unit == "%"  # of the last value
    if change or in_unit(ask.level, unit) is not None:
        return ""
    return (
        f"`{channels[0]}` is in {unit or 'no known unit'}, so a level in {ask.level.unit} cannot "
        f"be compared with it. Give the level in the unit {unit or 'of its values'}".rstrip(".")
        + "."
    )


def _missing(
    kind: str, name: str, valid: Iterable[str], names: Names
) -> tuple[str, tuple[str, ...]]:
    """Return that there is no such name and which there are, and those it may have meant."""
    known = list(valid)
    shown = known if len(known) <= _MOST_NAMED else nearest(name, known, n=_MOST_NAMED)
    listed = ", ".join(f"`{k}`" for k in shown or known[:_MOST_NAMED])
    more = f", … ({len(known)} in all)" if len(known) > _MOST_NAMED else ""
    there = f"Its {kind}s are: {listed}{more}." if known else f"It has no {kind}s."
    reason = f'The data set `{names.datasets[0]}` has no {kind} "{name}". {there}'
    groups = list(names.modalities) if kind == "channel" and len(names.modalities) > 1 else known
    near = process.extract(name, groups, scorer=fuzz.WRatio, limit=3)
    return reason, tuple(candidate for candidate, *_ in near)


def _backwards(node: Node) -> str:
    start, end = node.value
    return (
        f"The stretch from {start:g} s to {end:g} s ends before it begins. Give the earlier time "
        f"first: seconds {end:g} to {start:g}."
        if start > end
        else f"The stretch from {start:g} s to {end:g} s is empty: its end must be after its start."
    )
