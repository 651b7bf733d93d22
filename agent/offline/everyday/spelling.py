"""Slips of the finger in words that everyday questions are made of: "abvoe", "avarage"."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import OSA

from tool_use_om.agent.offline.everyday import lexicon
from tool_use_om.agent.offline.language.names import Names

_SHORTEST = 5
_WORDS = """
above below under average highest lowest maximum minimum total often longest during between
weekend yesterday night morning evening temperature pressure humidity consumption battery weight
january february march april june july august september october november december monday tuesday
wednesday thursday friday saturday sunday increasing decreasing rising falling compare normally
usually percentage minutes hours seconds trend energy
"""
_KEYS = tuple(_WORDS.split())


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """Return every word of the lexicon: what is one of them is no slip."""
    patterns = [value for value in vars(lexicon).values() if isinstance(value, str)]
    patterns += [pattern for _, pattern in lexicon.GROUPS]
    return frozenset(re.findall(r"[a-z]+", " ".join(patterns).casefold())) | lexicon.FILLERS


def corrected(question: str, names: Names) -> str:
    """Return a question with single slips in its key words mended; names of the data stay."""
    named = (*names.channels, *names.labels, *names.datasets, *names.session_ids)
    own = {w.casefold() for name in named for w in re.findall(r"[^\W_]+", name)}

    def mend(match: re.Match[str]) -> str:
        word = match.group()
        plain = word.casefold()
        if len(plain) < _SHORTEST or plain in own or plain in _known() or plain in _KEYS:
            return word
        near = [key for key in _KEYS if abs(len(key) - len(plain)) <= 1 and plain[0] == key[0]
                and OSA.distance(plain, key, score_cutoff=1) <= 1]  # fmt: skip
        return near[0] if len(near) == 1 and not near[0].startswith(plain) else word

    question = re.sub(r"(?i)\bi mean\b,?", "", question)  # no mean is asked for
    return re.sub(r"[^\W\d_]+", mend, question)
