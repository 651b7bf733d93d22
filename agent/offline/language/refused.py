"""Names of the question that the data do not have, and times that cannot be.

A word in the place of a channel or label that names nothing would otherwise be dropped and the
question answered for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tool_use_om.agent.offline.language.grammar import Node, rewrite, rule
from tool_use_om.agent.offline.language.measures import in_unit
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Ask
from tool_use_om.data.errors import nearest

_MOST_NAMED = 30
_PLACES = frozenset({"AND", "OR", "THEN", "COMMA", "STOP", "DASH", "SESSION"})
_OTHER_RANGES = frozenset({"WINDOW", "WINDOW_S", "STRIDE", "STRIDE_S"})
_ON_CHANNELS = frozenset({"stats", "forecast", "motif", "check", "plot"})
_RUN = (rule("X", "X+", lambda nodes: " ".join(str(n.value) for n in nodes)),)


def refused(
    question: str, nodes: Sequence[Node], asks: Sequence[Ask], names: Names
) -> tuple[str, ...]:
    """Return a sentence for each thing named that is not there; empty = the question can be met.

    Parameters
    ----------
    nodes : the question after the grammar, names resolved
    """
    said: list[str] = [_backwards(n) for n in nodes if n.tag == "BACKWARDS"]
    if any(n.tag in _OTHER_RANGES for n in nodes):
        said = []  # "change the window from 4 s to 2 s" names no stretch
    if not names.datasets:
        return tuple(said)
    joined = rewrite(nodes, _RUN)
    for index, node in enumerate(joined):
        if node.tag == "X" and _is_label(question, joined, index, asks):
            said.append(_missing("label", str(node.value), names.labels, names.datasets[0]))
        elif node.tag == "X" and _is_channel(joined, index, asks):
            said.append(_missing("channel", str(node.value), names.channels, names.datasets[0]))
    # what is asked of a channel that is not there needs no further word
    said = said or [text for ask in asks if (text := _unreachable(ask, names))]
    return tuple(dict.fromkeys(said))


def _is_label(question: str, nodes: Sequence[Node], index: int, asks: Sequence[Ask]) -> bool:
    """Say whether the unknown words stand where an activity is named, and none else is."""
    if any(ask.labels for ask in asks):
        return False
    words = r"[\W_]+".join(map(re.escape, str(nodes[index].value).split()))
    during = rf"\b(?:while|during|labell?ed)\s+(?:(?:the|an?)\s+)?{words}\b"
    if asks and re.search(during, question, re.IGNORECASE):
        return True
    found = re.search(rf"\b(?:find|detect|locate)\s+(?:(?:the|all|an?|any)\s+)*{words}\b",
                      question, re.IGNORECASE)  # fmt: skip
    return found is not None and _ends_there(nodes, index)


def _ends_there(nodes: Sequence[Node], index: int) -> bool:
    """Say whether the words are no mere attribute of the next one, as in "find nice walking"."""
    if index + 1 == len(nodes):
        return True
    after = nodes[index + 1]
    return after.tag in _PLACES or after.first > nodes[index].last + 1


def _is_channel(nodes: Sequence[Node], index: int, asks: Sequence[Ask]) -> bool:
    """Say whether the unknown words stand where a channel is named, and none else is."""
    measured = [ask for ask in asks if ask.kind in _ON_CHANNELS]
    if measured and _listed(nodes, index):
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
        after.tag not in _PLACES - {"SESSION"}
    )  # fmt: skip
    return before == "OF" and not attribute  # "the mean recorded then" names no channel


def _listed(nodes: Sequence[Node], index: int) -> bool:
    """Say whether the words stand in a list with a channel: "accelerometer and barometer"."""
    alone = index + 1 == len(nodes) or nodes[index + 1].tag in _PLACES
    return alone and any(
        nodes[index + step].tag in {"AND", "OR", "COMMA"}
        and nodes[index + 2 * step].tag == "CHANNELS"
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
    if in_unit(ask.level, unit) is not None:
        return ""
    return (
        f"`{channels[0]}` is in {unit or 'no known unit'}, so a level in {ask.level.unit} cannot "
        f"be compared with it. Give the level in the unit {unit or 'of its values'}".rstrip(".")
        + "."
    )


def _missing(kind: str, name: str, valid: Iterable[str], dataset: str) -> str:
    known = list(valid)
    shown = known if len(known) <= _MOST_NAMED else nearest(name, known, n=_MOST_NAMED)
    listed = ", ".join(f"`{k}`" for k in shown or known[:_MOST_NAMED])
    more = f", … ({len(known)} in all)" if len(known) > _MOST_NAMED else ""
    there = f"Its {kind}s are: {listed}{more}." if known else f"It has no {kind}s."
    return f'The data set `{dataset}` has no {kind} "{name}". {there}'


def _backwards(node: Node) -> str:
    start, end = node.value
    return (
        f"The stretch from {start:g} s to {end:g} s ends before it begins. Give the earlier time "
        f"first: seconds {end:g} to {start:g}."
        if start > end
        else f"The stretch from {start:g} s to {end:g} s is empty: its end must be after its start."
    )
