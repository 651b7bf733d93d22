"""The parts of an everyday question: channel, label, level, time, groups, and what is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from tool_use_om.agent.offline.everyday import lexicon as say
from tool_use_om.agent.offline.everyday.channels import channel_beside, channels_meant
from tool_use_om.agent.offline.everyday.periods import When, read_when
from tool_use_om.agent.offline.everyday.text import Words
from tool_use_om.agent.offline.language.measures import Level
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.data.units import spellings

_TIMES = {spelling for spelling, *_ in spellings("time")}


_SPELLED = {s.replace(" ", "").casefold(): name for s, name, _ in spellings() if s not in _TIMES}


@dataclass
class Slots:
    """What a clause says.

    Parameters
    ----------
    when : times of the calendar and what is compared on it
    by, per : the groups that are compared, and smaller ones inside them
    said : what kind of thing is asked, by the tags below
    passing : the number of a level as it was said
    beside : another channel that the words name
    """

    when: When
    channels: tuple[str, ...]
    labels: tuple[str, ...]
    sessions: tuple[str, ...]
    subjects: tuple[str, ...]
    level: Level | None
    by: str
    per: str
    said: frozenset[str]
    passing: float | None
    beside: str = ""


def read_slots(words: Words, names: Names, card: Mapping[str, Any]) -> Slots:
    """Return what a clause says, its words used."""
    days = card.get("dates") or {}
    first = date.fromisoformat(days["from"]) if days else None
    last = date.fromisoformat(days["to"]) if days else None
    labels = _labels(words, names)
    sessions, subjects = _people(words, names)
    level, passing = _level(words, names)
    when = read_when(words, first, last)
    channels = channels_meant(words, names)
    beside = channel_beside(words, names, channels[0]) if len(channels) == 1 else ""
    by, per = _groups(words, names)
    said = {tag for tag, pattern in _KINDS if words.has(pattern)}
    said |= {tag for tag, pattern in _TAGS if words.has(pattern)}
    if "times" in said and not _apart(
        words, say.HOW_LONG, r"how many times?|number of times?|wie oft"
    ):
        said -= {"long"}
    for _, pattern in _TAGS:
        words.take_all(pattern)
    if _whole_span(words, first, last):
        words.take(_SPAN)
    return Slots(when=when, channels=channels, labels=labels, sessions=sessions, subjects=subjects,
                  level=level, by=by, per=per, said=frozenset(said), passing=passing,
                 beside=beside)  # fmt: skip


_TAGS = (
    ("gaps", say.GAPS), ("share", say.SHARE), ("times", r"how many times?|number of times?|wie "
        r"oft"),
    ("long", say.HOW_LONG), ("often", say.HOW_OFTEN),
    ("much", say.HOW_MUCH), ("most", say.MOST), ("least", say.LEAST), ("mean", say.MEAN),
    ("quality", say.QUALITY), ("median", say.MEDIAN), ("total", say.TOTAL), ("trend", say.TREND),
    ("return", say.RETURN),
    ("change", say.CHANGE), ("stable", say.STABLE), ("energy", say.ENERGY),
    ("compare", say.COMPARE),
    ("when", say.WHEN), ("never", say.NEVER), ("or", r"or|oder|ou"),
)  # fmt: skip


_COUNTED_LEAD = r"(?:on |in )?how many|wie viele|combien|number of"


_SPAN = (
    r"(?:over |in |during |across )*(?:these|the|those|last|past)? ?"
    r"(?P<n>\d{1,3}|two|three|four|five|six) (?P<unit>days?|weeks?|months?|years?)"
)


_KINDS = (
    ("busiest", r"busiest|quietest"),
    ("each", r"each|every|all|both|per|je(?:de[rs]?)?|chaque"),
    ("one of", r"which|welche[rsnm]?|quelle?s?"), ("length", r"how long|hours|"
        r"minutes|stunden|minuten|wie lange|combien de temps"),
    ("relation", say.RELATION),
    ("worst", r"worst|schlimmste\w*|schlechteste\w*|pire"), ("energy", say.ENERGY),
    ("which", r"which|what|welche?[rsnm]?|quelle?s?|who|wer|qui"), ("return", say.RETURN),
    ("max", r"max(?:imum|imal\w*)?|highest|peak|hochste\w*|hottest|warmest"),
    ("min", r"min(?:imum|imal\w*)?|lowest|niedrigste\w*|tiefste\w*|coldest"),
)  # fmt: skip


def _apart(words: Words, pattern: str, other: str) -> bool:
    """Say whether words of one pattern stand outside those of another."""
    barred = [m.span() for m in re.finditer(other, words.plain)]
    found = re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", words.plain)
    return any(all(m.end() <= a or m.start() >= b for a, b in barred) for m in found)


def _whole_span(words: Words, first: date | None, last: date | None) -> bool:
    """Say whether "over these 3 weeks" is just how long the data are."""
    found = words.find(_SPAN)
    if not found or first is None or last is None:
        return False
    number = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}.get(found["n"]) or int(
        found["n"]
    )
    days = number * {"d": 1, "w": 7, "m": 30.4, "y": 365.25}[found["unit"][0]]
    return abs((last - first).days + 1 - days) <= max(1.0, 0.15 * days)


def _labels(words: Words, names: Names) -> tuple[str, ...]:
    found: list[tuple[int, str]] = []
    for label in sorted(names.labels, key=len, reverse=True):
        stem = re.escape(re.sub(r"[_\s-]+", " ", label.casefold()).strip()).replace(
            r"\ ", r"[\s_-]+"
        )
        match = words.find(rf"{stem}(?:s|es|ing|ed|ning)?")
        if match:
            found.append((match.start(), label))
            for one in words.take_all(rf"{stem}(?:s|es|ing|ed|ning)?"):
                words.use(one.start(), one.end())
    return tuple(label for _, label in sorted(found))


def _people(words: Words, names: Names) -> tuple[tuple[str, ...], tuple[str, ...]]:
    sessions = [s for s in names.session_ids if words.take(re.escape(s.casefold()))]
    subjects = [s for s in names.subject_ids if len(s) > 1 and words.take(re.escape(s.casefold()))]
    return tuple(sessions), tuple(s for s in subjects if s not in sessions)


_NUMBER = r"(-?\d[\d.,]*)\s?(k(?![a-z]))?"


_ABOVE = (r"above|over|more than|greater than|higher than|exceed(?:s|ed|ing)?|exceedances? of|"
          r"crossings? of|past|beyond|at "
          r"least|hit|hits|reach(?:es|ed)?|"
          r"uber|mehr als|hoher als|plus de|au-dessus de|hotter than|warmer than|faster than|"
          r"top(?:s|ped)?")  # fmt: skip


_BELOW = (r"below|under|less than|lower than|beneath|unter|weniger als|moins de|en dessous "
          r"de|colder than|"
          r"slower than|(?:drop|go|fall|dip|went|fell)(?:s|ped)? (?:below|under)")  # fmt: skip


_HOURS = 24
_FREEZING = (
    r"(?:(?:drop|go|went|fall|fell)\w* )?(?:below |under )?(?:freezing|frost(?:y| days?)?|frozen)"
)
_UNIT = r"(?:\s?(°\s?[cf]|%|degrees?(?: [cf]\w*)?|deg [cf]|[a-zµ/²³]{1,7}(?![\w])))?"


def _level(words: Words, names: Names) -> tuple[Level | None, float | None]:
    """Return a level that is passed; "freezing" is one, too."""
    if words.take(_FREEZING):
        return Level(0.0, "degC", above=False), None
    if found := _between(words):
        return found, None
    for pattern, above in ((_BELOW, False), (_ABOVE, True), ("<=?", False), (">=?", True)):
        match = words.find(rf"(?:{pattern})\s*{_NUMBER}{_UNIT}")
        if match:
            groups = match.groups()
            value = _number(groups[-3], groups[-2])
            said = (groups[-1] or "").strip()
            unit = _unit(said)
            end = (
                match.end()
                if unit or said.startswith(("deg", "°"))
                else match.end() - len(groups[-1] or "")
            )
            words.use(match.start(), end)
            return Level(value, unit, above=above), value
    del names
    return None, None


def _between(words: Words) -> Level | None:
    """Read "between 3.9 and 10" as a band of values; hours and dates are none."""
    match = words.find(
        rf"(?:between|zwischen|entre)\s+{_NUMBER}\s+(?:and|und|et)\s+{_NUMBER}{_UNIT}"
    )
    if not match:
        return None
    low, high = _number(match[1], match[2]), _number(match[3], match[4])
    unit = _unit((match[5] or "").strip())
    if low >= high or not (unit or "." in match[1] + match[3] or high > _HOURS):
        return None
    end = match.end() if unit else match.end(3)
    words.use(match.start(), end)
    return Level(low, unit, above=True, upper=high)


def _number(text: str, thousand: str | None) -> float:
    text = text.rstrip(".,")
    if re.fullmatch(r"-?\d{1,3}(?:[.,]\d{3})+", text):
        text = re.sub(r"[.,]", "", text)
    return float(text.replace(",", ".")) * (1000 if thousand else 1)


def _unit(said: str) -> str:
    plain = said.replace(" ", "")
    if plain in {"°c", "degreesc", "degc", "degreescelsius"}:
        return "degC"
    if plain in {"°f", "degreesf", "degf", "degreesfahrenheit"}:
        return "degF"
    if plain in {"degree", "degrees", "deg", "°"}:
        return ""  # of the channel's own scale
    if plain == "%":
        return "%"
    return {"kilo": "kg", "kilos": "kg"}.get(plain) or _SPELLED.get(plain.casefold(), "")


def _groups(words: Words, names: Names) -> tuple[str, str]:
    """Return what is compared, and the smaller group inside it that amounts are made for."""
    by = per = ""
    lead = (r"(?:(?:on |at |in |for |during |am |an |um |zu |a |par )*(?:which|what|"
            r"welche[rmns]?|quelle?s?)(?: other)?|"
            rf"{say.MOST}|{say.LEAST}|worst|how many|on how many|wie viele|combien de|number of|"
            rf"compare the|the other)")  # fmt: skip
    one = (
        r"(?:per|each|every|by|a|an|je|pro|par|for each|for every|of each|in each|across|"
        r"grouped by|over the)"
    )
    for group, nouns in say.GROUPS:
        match = words.find(rf"(?:{one})\s+(?:single )?(?:{nouns})")
        if match and not per and not _is_rate(words, match):
            per = group
            words.use(match.start(), match.end())
            continue
        match = words.find(rf"(?:{lead})\s+(?:{nouns})") or words.find(
            rf"(?:{say.MOST}|{say.LEAST}|worst)\s+(?:[a-z]+\s+)?(?:{nouns})", again=True
        )
        counted = match and re.match(_COUNTED_LEAD, match.group())
        if counted and group in {"hour", "session", "subject", "label"}:
            continue  # a length of time; how many recordings there are is no amount of them
        if match and not by:
            by = group
            start = match.end() - len(re.search(rf"(?:{nouns})$", match.group()).group())  # type: ignore[union-attr]
            words.use(start, match.end())
    if not by and not per:
        by = _own_groups(words, names)
    if not by and words.find(r"(?:who|wer|qui)"):
        by = "subject"
    if not by and words.find(r"(?:busiest|quietest) (?:day|weekday)"):
        by = "weekday"
    return by, per


def _own_groups(words: Words, names: Names) -> str:
    """Return "subject" where an owner's own word for what was recorded is grouped by: "per host".

    Only where there are several subjects or sessions, and the word is none of the lexicon.
    """
    several = len(set(names.session_ids)) > 1
    match = words.find(r"(?:per|each|every|which|welche[rs]?|quelle?|by|for each) ([a-z]{3,})")
    if not match or not several or match[1] in say.FILLERS:
        return ""
    if any(re.fullmatch(f"(?:{pattern})", match[1]) for _, pattern in _TAGS):
        return ""
    words.use(match.start(), match.end())
    return "subject"


def _is_rate(words: Words, match: re.Match[str]) -> bool:
    """Say whether "a day" is part of a unit or a name: "m3/day", "a night at the opera"."""
    return words.plain[: match.start()].rstrip().endswith("/")
