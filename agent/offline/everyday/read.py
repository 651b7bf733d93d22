"""An everyday question → what is to be measured: channel or label, in which groups, over which time.

It reads what the rules of forms do not: amounts by day, night, week or part of the day, energy,
counters, returns, times and events by group. Each word it uses is taken out of the text; what is
left is told, so that whoever asks sees what was not understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from tool_use_om.agent.offline.everyday import lexicon as say
from tool_use_om.agent.offline.everyday.channels import best_of, channels_meant
from tool_use_om.agent.offline.everyday.periods import When, read_when
from tool_use_om.agent.offline.everyday.spelling import corrected
from tool_use_om.agent.offline.everyday.text import Words
from tool_use_om.agent.offline.language.measures import Level, in_unit
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.data.units import adds_up, is_measure, spellings

_TIMES = {spelling for spelling, *_ in spellings("time")}
_SPELLED = {s.replace(" ", "").casefold(): name for s, name, _ in spellings() if s not in _TIMES}
_ENOUGH = 3  # words with a meaning used, from which one may be left
_COUNTING = (
    r"how many|how much|how often|number of|most|fewest|which|what|what's|whats|total|average|mean|wie ?viele?|combien de|"
    r"highest|lowest|best|worst|longest"
)
_OTHERWISE = frozenset(
    "euro euros dollar dollars money cost costs price calories cals calorie reps repetitions tempo speed risk "
    "probability likely why cause caused reason because predict forecast tomorrow next will".split()
)
"""Words left over after which the rest would answer another question."""
_POWER = frozenset({"W", "kW", "MW"})
_COUNTED = frozenset(
    {
        "steps",
        "step",
        "schritte",
        "pas",
        "count",
        "requests",
        "hits",
        "errors",
        "sales",
        "passengers",
    }
)
_DATED = frozenset(
    {"date", "night", "week", "month", "year", "hour", "weekday", "weekend", "parts", "periods"}
)
_SPLIT = re.compile(
    r"\s*(?:[?!;]+\s+(?:and\s+|und\s+|et\s+)?|,?\s+(?:and (?:also )?|und |et )(?=(?:when|what|which|who|how|at what|wann|was|wie|welche|"
    r"quand|combien|my|the (?:best|worst|longest|total|average)|total|is|are|in which|on which|best|worst)\b)|,\s*(?=(?:when|how much|how long)\b))",
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
        return (
            bool(self.asks) and len(self.left) <= 1 and self.n_used >= _ENOUGH and not self.of_left
        )

    @property
    def of_left(self) -> bool:
        """Whether a word left over is what is counted or ranked: "how many reps"."""
        return any(
            re.search(
                rf"(?:{_COUNTING})\s+(?:\S+\s+)?{re.escape(word)}\b", self.text, re.IGNORECASE
            )
            for word in self.left
        ) or any(is_measure(w) or w.casefold() in _OTHERWISE for w in self.left)

    @property
    def whole(self) -> bool:
        """Whether each word was used."""
        return bool(self.asks) and not self.left


@dataclass
class _Slots:
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
    before: _Slots | None = None
    left: list[str] = []
    used = 0
    for piece in pieces:
        own = Words(piece)
        slots = _slots(own, names, card)
        if slots.when.refused:
            return Reading(refused=slots.when.refused)
        if before is not None and _same_again(slots, before):
            left += _content(own, names)
            continue
        slots = _inherit(slots, before)
        found = _asks(slots, names, card)
        if len(slots.channels) > 1 and not found and slots.said:
            return Reading(choices=slots.channels)
        asks += [a for a in found if a not in asks]
        own_left = _content(own, names)
        left += own_left if found or _means(own_left) else []
        used += sum(1 for w in re.findall(r"[^\W_]+", piece) if w.lower() not in say.FILLERS) - len(
            own_left
        )
        before = slots if found or before is None else before
    return Reading(asks=tuple(asks), left=tuple(left), n_used=used, text=question)


def _pieces(question: str) -> list[str]:
    pieces = [p.strip() for p in _SPLIT.split(question) if p and p.strip(" ?!.,;")]
    return pieces or [question]


def _means(left: Sequence[str]) -> bool:
    return bool(left)


def _content(words: Words, names: Names) -> list[str]:
    """Return the words left over that mean something: no filler, no name of the set or its owner."""
    own = {w for name in names.datasets[:1] for w in re.findall(r"[a-z]{3,}", name.casefold())}
    own |= {o.rstrip("s") for o in own}
    found = []
    for word, _ in words.left():
        plain = word.casefold().strip("'’")
        if plain in say.FILLERS or plain in own or plain.rstrip("s") in own:
            continue
        found.append(word)
    return found


def _slots(words: Words, names: Names, card: Mapping[str, Any]) -> _Slots:
    days = card.get("dates") or {}
    first = date.fromisoformat(days["from"]) if days else None
    last = date.fromisoformat(days["to"]) if days else None
    labels = _labels(words, names)
    sessions, subjects = _people(words, names)
    level, passing = _level(words, names)
    when = read_when(words, first, last)
    channels = channels_meant(words, names)
    by, per = _groups(words)
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
    return _Slots(when=when, channels=channels, labels=labels, sessions=sessions, subjects=subjects,
                  level=level, by=by, per=per, said=frozenset(said), passing=passing)  # fmt: skip


_TAGS = (
    ("gaps", say.GAPS), ("share", say.SHARE), ("times", r"how many times?|number of times?|wie oft"),
    ("long", say.HOW_LONG), ("often", say.HOW_OFTEN),
    ("much", say.HOW_MUCH), ("most", say.MOST), ("least", say.LEAST), ("mean", say.MEAN),
    ("median", say.MEDIAN), ("total", say.TOTAL), ("trend", say.TREND), ("return", say.RETURN),
    ("change", say.CHANGE), ("stable", say.STABLE), ("energy", say.ENERGY), ("compare", say.COMPARE),
    ("when", say.WHEN), ("never", say.NEVER), ("or", r"or|oder|ou"),
)  # fmt: skip
_SPAN = (
    r"(?:over |in |during |across )*(?:these|the|those|last|past)? ?"
    r"(?P<n>\d{1,3}|two|three|four|five|six) (?P<unit>days?|weeks?|months?|years?)"
)
_KINDS = (
    ("worst", r"worst|schlimmste\w*|schlechteste\w*|pire"), ("energy", say.ENERGY),
    ("which", r"which|what|welche?[rsnm]?|quelle?s?|who|wer|qui"), ("return", say.RETURN),
    ("max", r"max(?:imum|imal\w*)?|highest|peak|hochste\w*|hottest|warmest|record"),
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
_ABOVE = (r"above|over|more than|greater than|higher than|exceed(?:s|ed|ing)?|past|beyond|at least|>=?|hit|hits|reach(?:es|ed)?|"
          r"uber|mehr als|hoher als|plus de|au-dessus de|hotter than|warmer than|faster than|top(?:s|ped)?")  # fmt: skip
_BELOW = (r"below|under|less than|lower than|beneath|<=?|unter|weniger als|moins de|en dessous de|colder than|"
          r"slower than|(?:drop|go|fall|dip|went|fell)(?:s|ped)? (?:below|under)")  # fmt: skip
_UNIT = r"(?:\s?(°\s?[cf]|%|degrees?(?: [cf]\w*)?|deg [cf]|[a-zµ/²³]{1,7}(?![\w])))?"


def _level(words: Words, names: Names) -> tuple[Level | None, float | None]:
    """Return a level that is passed; "freezing" is one, too."""
    if words.find("(?:below |under )?freezing|frost(?:y| days?)?|frozen"):
        words.find("below|under")
        words.use(
            *words.find(
                "(?:(?:drop|go|went|fall|fell)\\w* )?(?:below |under )?(?:freezing|frost(?:y| days?)?|frozen)"
            ).span()
        )  # type: ignore[union-attr]
        return Level(0.0, "degC", above=False), None
    for pattern, above in ((_BELOW, False), (_ABOVE, True)):
        match = words.find(rf"(?:{pattern})\s+{_NUMBER}{_UNIT}")
        if match:
            groups = [g for g in match.groups()]
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
    if plain == "%":
        return "%"
    return _SPELLED.get(plain.casefold(), "")


def _groups(words: Words) -> tuple[str, str]:
    """Return what is compared, and the smaller group inside it that amounts are made for."""
    by = per = ""
    lead = (r"(?:(?:on |at |in |for |during |am |an |um |zu |a |par )*(?:which|what|welche[rmns]?|quelle?s?)(?: other)?|"
            rf"{say.MOST}|{say.LEAST}|worst|how many|on how many|wie viele|combien de|number of|compare the|the other)")  # fmt: skip
    one = r"(?:per|each|every|by|a|an|je|pro|par|for each|for every|of each|in each|across|grouped by|over the)"
    for group, nouns in say.GROUPS:
        match = words.find(rf"(?:{one})\s+(?:single )?(?:{nouns})")
        if match and not per and not _is_rate(words, match):
            per = group
            words.use(match.start(), match.end())
            continue
        match = words.find(rf"(?:{lead})\s+(?:{nouns})")
        if (
            match
            and group == "hour"
            and re.match("(?:on )?how many|wie viele|combien", match.group())
        ):
            continue  # a length of time
        if match and not by:
            by = group
            start = match.end() - len(re.search(rf"(?:{nouns})$", match.group()).group())  # type: ignore[union-attr]
            words.use(start, match.end())
    if not by and words.find(r"(?:who|wer|qui)"):
        by = "subject"
    if not by and words.find(r"(?:busiest|quietest) (?:day|weekday)"):
        by = "weekday"
    return by, per


def _is_rate(words: Words, match: re.Match[str]) -> bool:
    """Say whether "a day" is part of a unit or a name: "m3/day", "a night at the opera"."""
    return words.plain[: match.start()].rstrip().endswith("/")


def _same_again(slots: _Slots, before: _Slots) -> bool:
    """Say whether a clause asks for what the one before tells anyway: "and how much was that"."""
    other = slots.channels and set(slots.channels) != set(before.channels)
    named = other or slots.labels or slots.level or slots.when.said or slots.by or slots.per
    return not named and slots.said <= {"much", "often", "energy", "when", "which", "compare", "or"}


def _inherit(slots: _Slots, before: _Slots | None) -> _Slots:
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


def _asks(slots: _Slots, names: Names, card: Mapping[str, Any]) -> list[Ask]:
    """Return what these slots ask; nothing where they do not make a question."""
    by, per = _grouping(slots, names, card)
    base: dict[str, Any] = {
        "calendar": tuple(slots.when.calendar.items()),
        "sessions": slots.sessions,
        "subjects": slots.subjects,
    }
    extra: dict[str, Any] = {}
    if by == "periods":
        extra["periods"] = slots.when.periods
    if by == "parts":
        extra["parts"] = slots.when.parts or [[6, 14], [14, 22], [22, 6]]
    group = {"by": by, **({"per": per} if per else {}), **extra}
    if slots.labels and not slots.channels:
        return _of_labels(slots, base, group)
    if not slots.channels:
        slots.channels = _unnamed(slots, names)
    if len(slots.channels) > 1:
        slots.channels = best_of(slots.channels, names)
    if len(slots.channels) != 1:
        return []
    if slots.labels:
        base["labels"] = slots.labels if len(slots.labels) == 1 or by != "whole" else ()
        if len(slots.labels) > 1:
            base["labels"], group = slots.labels, {**group, "by": "label"}
    return _of_channel(slots, slots.channels[0], names, base, group)


def _unnamed(slots: _Slots, names: Names) -> tuple[str, ...]:
    """Return the channel that a question without any must mean: the only one that it can be."""
    if (
        not slots.said & {"mean", "median", "total", "max", "min", "long", "often"}
        and not slots.level
    ):
        return ()
    if len(names.channels) == 1:
        return names.channels
    if slots.by in {"date", "week", "month"} and slots.level is not None and not slots.level.unit:
        counted = [c for c in names.channels if adds_up_here(c, names.unit_of(c))]
        if len(counted) == 1:
            return tuple(counted)
    documented = [c for c in names.channels if names.unit_of(c) not in {"a.u.", "", "1", "count"}]
    return tuple(documented) if len(documented) == 1 else ()


def _grouping(slots: _Slots, names: Names, card: Mapping[str, Any]) -> tuple[str, str]:
    """Return the groups that are compared and the smaller ones inside them."""
    by, per = slots.when.by or slots.by, slots.per
    several = (card.get("n_subjects") or 0) > 1
    if by == "subject" and not several:
        by = "session"
    if per == "subject" and not several:
        per = "session"
    if per and not by:
        if per in {"session", "subject", "label"} or not slots.said & {"mean"}:
            by, per = per, ""
        else:
            by, per = per, ""
    if by == per:
        per = ""
    del names
    return by or "whole", per


def _ask(slots: _Slots, base: Mapping[str, Any], want: str, **amounts: object) -> Ask:
    kept = {k: v for k, v in amounts.items() if v is not None and v != ""}
    del slots
    return Ask(kind="amounts", want=want, amounts=tuple(kept.items()), **base)


def _want(slots: _Slots, group: Mapping[str, Any]) -> str:
    if group["by"] == "whole":
        return "value"
    if "mean" in slots.said and not slots.said & {"most", "least", "which"}:
        return "mean"
    return "least" if "least" in slots.said else "most"


def _of_labels(slots: _Slots, base: Mapping[str, Any], group: Mapping[str, Any]) -> list[Ask]:
    said, label = slots.said, slots.labels[0]
    grouped = group["by"] != "whole"
    if "never" in said and (slots.by or grouped):
        by = group["by"] if grouped else "session"
        return [_ask(slots, base, "none", of="time", label=label, **{**group, "by": by})]
    if (
        not said
        & {"long", "often", "total", "share", "most", "least", "mean", "compare", "much", "trend"}
        and not grouped
    ):
        return []
    often = "often" in said and not said & {"long", "share"}
    return [
        _ask(slots, base, _want(slots, group), of="events" if often else "time", label=one, **group)
        for one in slots.labels
    ]


def _of_channel(
    slots: _Slots, channel: str, names: Names, base: Mapping[str, Any], group: Mapping[str, Any]
) -> list[Ask]:
    said, unit = slots.said, names.unit_of(channel)
    grouped = group["by"] != "whole"
    amount = {"channel": channel, **group}
    if slots.level is not None:
        return _of_level(slots, channel, unit, base, group)
    if "trend" in said and not grouped and not said & {"most", "least"}:
        return [Ask(kind="stats", statistic="trend", channels=(channel,), **base)]
    if "return" in said and _is_price(channel):
        want = (
            "least" if said & {"worst", "least"} or slots.said & {"dump"} else _want(slots, group)
        )
        return [_ask(slots, base, want, of="return", **amount)]
    if "stable" in said:
        return [_ask(slots, base, "value", statistic="std", **amount)]
    want = _want(slots, group)
    if _by_energy(said, unit, grouped=grouped):
        return [_ask(slots, base, want, of="energy", **amount)]
    if "change" in said and not adds_up_here(channel, unit):
        return [_ask(slots, base, want, statistic="change", **amount)]
    summed = adds_up_here(channel, unit)
    if summed and (
        said & {"total", "much", "often", "change"}
        or (group["by"] in _DATED and not said & {"max", "min"})
    ):
        return _sums(slots, base, want, amount)
    statistics = _statistics(said, grouped=grouped)
    if not statistics and not grouped:
        return []
    if group["by"] in {"date", "night"} and said & {"most", "least"} and "mean" not in said:
        statistics = ["max" if "most" in said and "least" not in said else "min"]
    if not statistics:
        statistics = ["mean"]
    return [
        _ask(slots, base, "least" if one == "min" else want, statistic=one, **amount)
        for one in statistics
    ]


def _sums(
    slots: _Slots, base: Mapping[str, Any], want: str, amount: Mapping[str, Any]
) -> list[Ask]:
    by = amount["by"]
    if by in {"weekday", "weekend", "parts", "hour", "periods"}:
        amount = {"per": "date", **amount}
    return [_ask(slots, base, want, statistic="sum", **amount)]


def adds_up_here(channel: str, unit: str) -> bool:
    """Say whether amounts of a channel add up: its unit says so, or it counts things."""
    from tool_use_om.agent.offline.everyday.channels import parts_of

    return (adds_up(unit) and unit != "kg") or bool(_COUNTED & set(parts_of(channel)))


def _by_energy(said: frozenset[str], unit: str, *, grouped: bool) -> bool:
    if unit not in _POWER:
        return False
    peak = said & {"mean", "max", "min"} and not said & {"total"}
    return ("energy" in said and (grouped or not peak)) or (
        bool(said & {"total", "much"}) and not peak
    )


def _is_price(channel: str) -> bool:
    from tool_use_om.agent.offline.everyday.channels import parts_of

    return bool({"close", "price", "adj", "kurs", "closing"} & set(parts_of(channel)))


def _statistics(said: frozenset[str], *, grouped: bool) -> list[str]:
    rules = (
        ("min", {"min", "least"}), ("max", {"max", "most"}), ("median", {"median"}), ("mean", {"mean"}),
    )  # fmt: skip
    if grouped:
        return ["mean"] if "mean" in said else ["median"] if "median" in said else []
    return [name for name, tags in rules if said & tags]


def _of_level(
    slots: _Slots, channel: str, unit: str, base: Mapping[str, Any], group: Mapping[str, Any]
) -> list[Ask]:
    level = slots.level
    if level is None:
        return []
    value = in_unit(level, unit) if level.unit else level.value
    if level.unit == "degC" and unit == "degF":
        value = level.value * 9 / 5 + 32
    if value is None:
        return []
    if group["by"] in {"date", "night", "week", "month", "hour"} and slots.by:
        statistic = "sum" if adds_up_here(channel, unit) else "max" if level.above else "min"
        own = (
            {"of": "energy"}
            if "energy" in slots.said and unit in _POWER
            else {"statistic": statistic}
        )
        return [_ask(slots, base, "passed", channel=channel, passing=value,
                     passing_below=None if level.above else True, **own, **group)]  # fmt: skip
    side = {"above": value} if level.above else {"below": value}
    often = "often" in slots.said and not slots.said & {"long", "share", "total"}
    of = "events" if often else "time"
    asks = [_ask(slots, base, _want(slots, group), of=of, channel=channel, **side, **group)]
    if "often" in slots.said and not often:
        asks.append(
            _ask(slots, base, _want(slots, group), of="events", channel=channel, **side, **group)
        )
    return asks


def query_of(reading: Reading, dataset: str | None) -> Query:
    """Return a reading as what travels in the state."""
    return Query(asks=reading.asks, dataset=dataset, not_understood=reading.left, by="reader")
