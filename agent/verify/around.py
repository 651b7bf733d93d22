"""What kind of sentence it is: one that announces, one of values, or one around claims."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tool_use_om.agent.verify.scan import COPULAS, RefusedError, Token
from tool_use_om.agent.verify.words import ANNOUNCING, AROUND, COUNTED, JOINING, NOUNS


def check_kind(tokens: Sequence[Token]) -> None:
    """Refuse a sentence that announces too much, asks, or wraps a claim in words of its own.

    Raises
    ------
    RefusedError : with the reason, for the model
    """
    words = [t.text for t in tokens if t.kind == "word"]
    kinds = {t.kind for t in tokens}
    if not kinds & {"fact", "claim"}:
        if loose := [w for w in words if w not in ANNOUNCING and w not in COUNTED]:
            raise RefusedError(f"{loose[0]!r} asserts something without a reference or a claim")
        return
    first = next((t for t in tokens if t.kind != "mark"), None)
    if "?" in {t.text for t in tokens} or (first and first.text in COPULAS):
        raise RefusedError("an answer tells, it does not ask")
    if "so" in words[1:]:
        raise RefusedError("'so' concludes one thing from another")
    if "claim" in kinds:
        _check_around(tokens, words)


def _check_around(tokens: Sequence[Token], words: Sequence[str]) -> None:
    for word in words:
        if not (word in AROUND or word in COUNTED or word in NOUNS):
            raise RefusedError(f"{word!r} beside a claim changes what it says")
    places = [i for i, t in enumerate(tokens) if t.kind in {"fact", "claim"}]
    for i, j in pairwise(places):
        between = {t.text for t in tokens[i + 1 : j] if t.kind == "word"}
        if tokens[i].kind == "claim" and between - JOINING:
            raise RefusedError("claims are joined by a comma or 'and' only")
    last = max(i for i, t in enumerate(tokens) if t.kind == "claim")
    after = [t.text for t in tokens[last + 1 :] if t.kind == "word"]
    if last == places[-1] and set(after) - (_BEHIND | COUNTED.keys()):
        raise RefusedError(f"{after[0]!r} behind a claim changes what it says")


_BEHIND = frozenset({"here", "in", "the", "these", "data", "too", "also", "dataset", "set"})
