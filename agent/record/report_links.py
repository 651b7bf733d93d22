"""Which finding a number in the prose is: the link a reader can follow."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tool_use_om.agent.verify.facts import rounds_to

_NUMBER = re.compile(r"(?<![\w.#/-])[-+−]?\d+(?:\.\d+)?(?![\w/])")
_WORD = re.compile(r"[^\W\d_][\w-]*")
_CLAUSE_END = re.compile(r"[.;:,!?](?:\s|$)|\(|\)")
# Markup, and entities, are never searched for numbers; these tags end what is read together.
_MARKUP = re.compile(r"(<[^>]*>|&[a-z#0-9]+;)")
_BLOCK_END = re.compile(r"</(?:p|li|tr|h\d)>")


def anchor(result_id: str, pointer: str = "") -> str:
    """Return the page anchor of a value: the result's id and its JSON pointer."""
    return html.escape(f"{result_id}{pointer}", quote=True)


def link_numbers(rendered: str, findings: Sequence[Mapping[str, Any]]) -> str:
    """Return HTML in which each number that a finding states links to that finding's source.

    Where several findings state the same number, the one whose statement has most words in common
    with the clause is meant, then with the paragraph or table row, then one not linked to so far.
    """
    linker = _Linker(findings)
    start, parts = 0, []
    for end in (*(m.end() for m in _BLOCK_END.finditer(rendered)), len(rendered)):
        parts.append(linker.block(rendered[start:end]))
        start = end
    return "".join(parts)


class _Linker:
    def __init__(self, findings: Sequence[Mapping[str, Any]]) -> None:
        self.findings = [f for f in findings if (f.get("source") or {}).get("result_id")]
        self.words = [_words(f"{f.get('statement')} {f['source']['pointer']}") for f in findings]
        self.used: set[int] = set()

    def block(self, rendered: str) -> str:
        pieces = _MARKUP.split(rendered)
        plain = " ".join(pieces[::2])
        around, linked, at = _words(plain), [], 0
        for i, piece in enumerate(pieces):
            if i % 2:
                linked.append(piece)
                continue
            linked.append(
                _NUMBER.sub(
                    lambda m, at=at: self.link(m.group(), _clause(plain, at + m.start()), around),
                    piece,
                )
            )
            at += len(piece) + 1
        return "".join(linked)

    def link(self, text: str, clause: set[str], around: set[str]) -> str:
        fitting = [i for i, f in enumerate(self.findings) if _states(f.get("value"), text)]
        if not fitting:
            return text

        def closeness(i: int) -> tuple[int, int, bool, int]:
            words = self.words[i]
            return len(words & clause), len(words & around), i not in self.used, -i

        best = max(fitting, key=closeness)
        self.used.add(best)
        finding = self.findings[best]
        source = finding["source"]
        target = anchor(source["result_id"], source["pointer"])
        said = f"{finding.get('statement')} · {source['result_id']}{source['pointer']}"
        title = html.escape(f"{said} = {finding['value']!r}", quote=True)
        return f'<a class="num" href="#{target}" title="{title}">{text}</a>'


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def _clause(plain: str, position: int) -> set[str]:
    """Return the words of the clause around a position: nearer than its neighbours' words."""
    start = max((m.end() for m in _CLAUSE_END.finditer(plain, 0, position)), default=0)
    end = _CLAUSE_END.search(plain, position)
    return _words(plain[start : end.start() if end else len(plain)])


def _states(value: Any, text: str) -> bool:  # noqa: ANN401 - a finding's value, any JSON
    """Tell whether `text` is `value` rounded to the digits `text` shows (per cent allowed)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    said, decimals = float(text.replace("−", "-")), len(text.partition(".")[2])
    return rounds_to(said, decimals, value) or rounds_to(said, decimals, value * 100)
