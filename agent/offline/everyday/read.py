"""An everyday question → what is to be measured: of what, in which groups, over which time.

It reads what the rules of forms do not: amounts by day, night, week or part of the day, energy,
counters, returns, times and events by group. Each word it uses is taken out of the text; what is
left is told, so that whoever asks sees what was not understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tool_use_om.agent.offline.everyday import lexicon as say
from tool_use_om.agent.offline.everyday.asks import asks_of
from tool_use_om.agent.offline.everyday.periods import names_time
from tool_use_om.agent.offline.everyday.slots import Slots, read_slots
from tool_use_om.agent.offline.everyday.spelling import corrected
from tool_use_om.agent.offline.everyday.text import Words
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Ask
from tool_use_om.data.units import is_measure

_ASIDE = frozenset(
    {"one of", "each", "or", "compare", "relation", "which", "energy", "worst", "return", "never"}
)
_WHEN_CHECKED = frozenset(
    {"one of", "each", "length", "when", "long", "often", "much", "which", "never", "or", "times"}
)
_SAME = frozenset(
    {
        "each",
        "much",
        "often",
        "energy",
        "when",
        "which",
        "compare",
        "or",
        "mean",
        "median",
        "relation",
    }
)
_ENOUGH = 3  # words with a meaning used, from which one may be left


_COUNTING = (
    r"how many|how much|how often|number of|most|fewest|which|what|what's|whats|total|average|"
    r"mean|wie ?viele?|combien de|"
    r"highest|lowest|best|worst|longest|by|per|each|every|pro|par|je"
)


_MODIFIERS = frozenset(
    {"resting", "overall", "daily", "indoor", "actual", "recorded", "main", "own"}
)
_OTHERWISE = frozenset({
    "euro", "euros", "dollar", "dollars", "money", "cost", "costs", "price", "calories",
    "cals", "calorie", "reps", "repetitions", "tempo", "speed", "risk", "probability",
    "likely", "why", "cause", "caused", "reason", "because", "predict", "forecast",
    "tomorrow", "next", "will", "regular", "periodic",
})  # fmt: skip
"""Words left over after which the rest would answer another question."""


_SPLIT = re.compile(
    r"\s*(?:[?!;]+\s+(?:and\s+|und\s+|et\s+)?|,?\s+(?:and (?:also )?|und |et )(?=(?:when|what|"
    r"which|who|how|at what|wann|was|wie|welche|"
    r"quand|combien|my|the (?:best|worst|longest|total|average)|total|is|are|in which|on which|"
    r"best|worst)\b)|,\s*(?=(?:when|how much|how long)\b))",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was made of a question.

    Parameters
    ----------
    asks : what is measured; empty where nothing was read
    left : words with a meaning of their own that nothing used, as they were written
    n_used : how many words with a meaning of their own were used
    choices : names of which one has to be chosen
    refused : why the data cannot answer
    """

    asks: tuple[Ask, ...] = ()
    text: str = ""
    left: tuple[str, ...] = ()
    n_used: int = 0
    choices: tuple[str, ...] = ()
    refused: str = ""

    @property
    def fair(self) -> bool:
        """Whether what was left is so little that the rest may be answered, with a word on it."""
        few = len(self.left) <= 1 and self.n_used >= _ENOUGH
        return bool(self.asks) and few and self._plain and not self.of_left

    @property
    def _plain(self) -> bool:
        """Whether nothing is added up: a part of a sum is not the sum."""
        told = [dict(a.amounts) for a in self.asks]
        return all(t.get("statistic") != "sum" and t.get("of", "value") == "value" for t in told)

    @property
    def of_left(self) -> bool:
        """Whether a word left over is what is counted or ranked: "how many reps"."""
        return any(
            re.search(
                rf"(?:{_COUNTING})\s+(?:\S+\s+)?{re.escape(word)}\b", self.text, re.IGNORECASE
            )
            and not (word.casefold() in _MODIFIERS and self._plain)
            for word in self.left
        ) or any(is_measure(w) or w.casefold() in _OTHERWISE or names_time(w) for w in self.left)

    @property
    def whole(self) -> bool:
        """Whether each word was used."""
        return bool(self.asks) and not self.left


def read_everyday(question: str, cards: Sequence[Mapping[str, Any]]) -> Reading:
    """Return what a question measures of the first data set."""
    names = Names.of(cards)
    card = next((c for c in cards if c.get("name")), None)
    if card is None:
        return Reading()
    question = corrected(question, names)
    words = Words(question)
    remark = re.search(say.REMARK, words.plain)
    if remark:
        words.use(remark.start(), remark.end())
    pieces = _pieces(question[: remark.start()] if remark else question)
    asks: list[Ask] = []
    before: Slots | None = None
    left: list[str] = []
    used = 0
    for piece in pieces:
        own = Words(piece)
        slots = read_slots(own, names, card)
        if slots.when.refused:
            return Reading(refused=slots.when.refused)
        checked = bool(asks) and asks[-1].kind == "check" and slots.said <= _WHEN_CHECKED
        if before is not None and (_same_again(slots, before) or checked):
            left += _content(own, card)
            continue
        slots = _inherit(slots, before)
        found = asks_of(slots, names, card) or _likewise(slots, asks)
        if len(slots.channels) > 1 and not found and slots.said:
            return Reading(choices=slots.channels)
        asks += [a for a in found if a not in asks]
        own_left = _content(own, card)
        if not found and slots.said - _ASIDE:
            own_left = re.findall(r"[^\W_]+", piece)  # it asks something that was not read
        left += own_left
        used += sum(1 for w in re.findall(r"[^\W_]+", piece) if w.lower() not in say.FILLERS) - len(
            own_left
        )
        before = slots if found or before is None else before
    return Reading(asks=tuple(asks), left=tuple(left), n_used=used, text=question)


def _pieces(question: str) -> list[str]:
    if re.search(r"(?i)\b(?:shifts?|schicht\w*)\b", question) and re.search(
        r"\d\s*-\s*\d", question
    ):
        return [question]  # their hours may stand behind it
    pieces = [p.strip() for p in _SPLIT.split(question) if p and p.strip(" ?!.,;")]
    return pieces or [question]


def _content(words: Words, card: Mapping[str, Any]) -> list[str]:
    """Return the words left over that mean something: no filler, no name of the set."""
    called = [str(card["name"]), *map(str, card.get("labels") or ())]
    own = {w for name in called for w in re.findall(r"[a-z]{3,}", name.casefold())}
    own |= {o.rstrip("s") for o in own}
    found = []
    for word, at in words.left():
        plain = word.casefold().strip("'’")
        end = at + len(word)
        if card.get("n_sessions") == 1 and _owned(words.plain, plain, end):
            continue
        if plain in say.FILLERS or plain in own or plain.rstrip("s") in own:
            continue
        found.append(word)
    return found


def _owned(text: str, word: str, end: int) -> bool:
    """Say whether a word is the owner's name for what was measured: "my inverter", "the hive"."""
    whose = r"(?:the|my|our|this|der|die|das|unser\w*|la|le|ma|mon)"
    follows = text[end:].lstrip()[:1]
    return re.search(rf"{whose} {re.escape(word)}$", text[:end]) is not None and (
        not follows.isalpha()
        or re.match(r"\s+(?:is|was|has|had|gain\w*|got|did|does)\b", text[end:]) is not None
    )


def _likewise(slots: Slots, asks: Sequence[Ask]) -> list[Ask]:
    """Return the asks before of another channel: "… stable? compare with outside"."""
    if len(slots.channels) != 1 or slots.said - {"compare", "or", "relation"} or not asks:
        return []
    return [
        replace(ask, amounts=tuple({**dict(ask.amounts), "channel": slots.channels[0]}.items()))
        for ask in asks
        if "channel" in dict(ask.amounts)
    ]


def _same_again(slots: Slots, before: Slots) -> bool:
    """Say whether a clause asks for what the one before tells anyway: "and how much was that"."""
    other = slots.channels and set(slots.channels) != set(before.channels)
    level = slots.level and slots.level != before.level
    named = other or slots.labels or level or slots.when.said or slots.by or slots.per
    return not named and slots.said <= _SAME


def _inherit(slots: Slots, before: Slots | None) -> Slots:
    if before is None:
        return slots
    if not slots.channels and not slots.labels:
        slots.channels, slots.labels = before.channels, before.labels
        slots.said |= before.said & {"energy", "return"}
    if not slots.when.said:
        slots.when = replace(before.when)
    if slots.level is None and not (slots.by or slots.said & {"most", "least", "mean", "total"}):
        slots.level, slots.passing = before.level, before.passing
    if not slots.by and before.by and slots.said & {"most", "least"}:
        slots.by = before.by
    slots.sessions = slots.sessions or before.sessions
    slots.subjects = slots.subjects or before.subjects
    return slots
