"""A small cascaded grammar: each rule rewrites a run of tagged nodes into one node.

A rule's pattern is a regular expression over tags, e.g. ``"FIRST (DUR|UNIT)"``; the rules run in
order, so numbers become durations, durations become ranges, ranges become what a question asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Node:
    """A piece of the question: its tag, its value, and its tokens `first` to `last`."""

    tag: str
    value: Any
    first: int
    last: int


@dataclass(frozen=True)
class Rule:
    """`pattern` over tags → a node of `tag` whose value `build` makes (None = leave as it is)."""

    tag: str
    pattern: re.Pattern[str]
    build: Callable[[Sequence[Node]], Any]


def rule(tag: str, pattern: str, build: Callable[[Sequence[Node]], Any]) -> Rule:
    """Return a rule; in `pattern` a word in capitals stands for one node of that tag."""
    spelled = re.sub(r"[A-Z][A-Z_0-9]*", lambda m: f"(?:<{m.group()}>)", pattern)
    return Rule(tag, re.compile(spelled.replace(" ", "")), build)


def rewrite(nodes: Sequence[Node], rules: Iterable[Rule]) -> list[Node]:
    """Return `nodes` after all `rules`, each applied once from left to right."""
    current = list(nodes)
    for one in rules:
        current = _apply(current, one)
    return current


def _apply(nodes: list[Node], one: Rule) -> list[Node]:
    place, text = {}, ""
    for index, node in enumerate(nodes):
        place[len(text)] = index
        text += f"<{node.tag}>"
    place[len(text)] = len(nodes)
    out: list[Node] = []
    done = 0
    for match in one.pattern.finditer(text):
        run = nodes[place[match.start()] : place[match.end()]]
        value = one.build(run) if run else None
        if value is not None:
            out += nodes[done : place[match.start()]]
            out.append(Node(one.tag, value, run[0].first, run[-1].last))
            done = place[match.end()]
    return out + nodes[done:]


def pick(nodes: Iterable[Node], *tags: str) -> list[Any]:
    """Return the values of the nodes with one of `tags`, in order."""
    return [node.value for node in nodes if node.tag in tags]
