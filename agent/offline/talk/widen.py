"""Words that take a restriction away: "any label", "over the entire session", "for everyone"."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LETTING_GO = (
    r"(?:forget|drop|remove|clear|take (?:out|away|off)|leave out|ignore|lose|without|no(?: more)?|"
    r"any|all|every|not just)\s+(?:the |that |those |any |all |about )*"
)
_WHOLE = r"(?:over |for |in |on |across )?(?:the |its? )?(?:entire|whole|full|complete)\s+"
_FEW = 7  # words; a longer sentence asks something of its own
_POPULATION = (
    "sessions", "subjects", "split", "start_s", "end_s", "tail_s", "min_s", "max_s", "strict_min",
    "strict_max", "calendar",
)  # fmt: skip
_STRETCH = ("start_s", "end_s", "tail_s")
_PATTERNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (rf"^{_LETTING_GO}(?:labels?|activit(?:y|ies)|class(?:es)?|states?)\b", ("labels", "excluded")),
    (rf"^{_LETTING_GO}(?:person|people|persons|subjects?|patients?|NOUN)s?\b",
     ("subjects", "sessions")),
    (r"\b(?:everyone|everybody|all of them|the others too)\b", ("subjects", "sessions")),
    (rf"^{_LETTING_GO}splits?\b|\b(?:all|every) splits?\b", ("split",)),
    (rf"^{_LETTING_GO}(?:time(?: (?:window|range|limit|part|filter))?|window|stretch|part|range|"
     r"seconds?|minutes?|hours?|days?)\b", _STRETCH),
    (rf"^{_WHOLE}(?:session|recording|year|month|week|day|night|series|time|run|length|period)\b",
     _STRETCH),
    (rf"^{_LETTING_GO}(?:sessions?|recordings?)\b|^all sessions\b", ("sessions",)),
    (r"\b(?:overall|in total|just one number|a single number)\b", ("by",)),
    (rf"^{_LETTING_GO}(?:filters?|restrictions?|selections?|limits?)\b", _POPULATION),
    (r"^(?:for |on |over |with |of |in )?(?:all|everything|all of it|all data)$", _POPULATION),
    (rf"^{_WHOLE}(?:data ?set|data|thing)\b|\bwhole data ?set\b", _POPULATION),
)  # fmt: skip


def let_go(text: str, subject_noun: str = "") -> tuple[str, ...]:
    """Return the slots of an `Ask` whose restriction a few words take away; () where none.

    Parameters
    ----------
    subject_noun : what the data call a subject ("machine"), "" where nothing
    """
    plain = text.casefold().strip(" ?.!,;:")
    if len(plain.split()) > _FEW:
        return ()
    return tuple(dict.fromkeys(_slots(plain, subject_noun)))


def _slots(plain: str, subject_noun: str) -> Iterator[str]:
    for pattern, slots in _PATTERNS:
        if re.search(pattern.replace("NOUN", re.escape(subject_noun) or "subject"), plain):
            yield from slots
            if slots == _POPULATION:
                yield from ("labels", "excluded")
