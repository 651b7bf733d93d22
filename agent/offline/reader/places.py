"""What stands in each place of a form, and whether the form uses all that the question names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from tool_use_om.agent.offline.reader.forms import places
from tool_use_om.agent.offline.reader.slots import Slots

STATISTICS = {
    "mean": "mean", "median": "median", "min": "minimum", "max": "maximum", "range": "range",
    "std": "standard deviation", "variance": "variance", "rms": "RMS", "sum": "sum",
}  # fmt: skip
_SPLITS = {
    "test": r"test|held.?out|hold.?out|validier|prüf|zurückgehalten|évaluation|retenu|测试|"
    r"留出|验证",
    "train": r"train|learn|lern|apprentissage|entraîn|训练",
    "calibration": r"calibrat|kalibrier|校准",
}
_LOW = re.compile(
    r"\b(?:low(?:est|er)?|least|min(?:imum|imal\w*|s)?|small(?:est)?|bottom\w*|trough|fewest|"
    r"niedrig\w*|klein\w*|tief\w*|gering\w*|bas(?:se)?s?|faible\w*|petite?s?|moins)\b|最低|最小",
    re.IGNORECASE,
)
_BELOW = re.compile(
    r"\b(?:below|under\w*|less|lower|short(?:er)?|fewer|kürzer|courte?s?|"
    r"beneath|short of|fall\w*|drop\w*|unter\w*|kleiner|weniger|"
    r"sous|dessous|inférieur\w*|moins)\b|低于|小于|以下|不到",
    re.IGNORECASE,
)
_ABOVE = re.compile(
    r"\b(?:above|over|more|longer?|länger|longues?|exceed\w*|beyond|higher|greater|past|top\w*|über\w*|mehr|größer|"
    r"dépass\w*|dessus|supérieur\w*|plus)\b|高于|大于|超过|以上",
    re.IGNORECASE,
)
_HIGH = re.compile(
    r"\b(?:high\w*|most|max\w*|peak\w*|top\w*|larg\w*|big\w*|great\w*|record|höch\w*|größ\w*|"
    r"meist\w*|plus|haute?s?|grande?s?|élevée?s?)\b|最高|最大|峰",
    re.IGNORECASE,
)
_LATE = re.compile(r"\b(?:last|final|letzte\w*|derni\w*|end|closing)\b|最后", re.IGNORECASE)
_EARLY = re.compile(
    r"\b(?:first|initial|opening|beginning|start|erste\w*|premi\w*)\b|最初|开头|前", re.IGNORECASE
)
_NOT = re.compile(r"\b(?:not|no|never|nicht|kein\w*|pas)\b|n't|不|没", re.IGNORECASE)
_LIVELY = {
    "vigorous": r"vigorous|energetic|intens|lively|strenuous|violent|high.energy|heftig|lebhaft|"
    r"kräftig|vigoureu|énergique|剧烈|激烈|活跃|有力",
    "calm": r"calm|quiet|gentle|still\b|peaceful|low.(?:intensity|activity|energy)|tranquil|ruhig|"
    r"sanft|calme|平静|安静|平缓|缓和",
    "without rhythm": r"irregular|not? (?:rhythm|regular|period)|without (?:rhythm|a beat)|erratic|"
    r"jerky|non.periodic|unregelmäßig|unrhythmisch|irrégulier|不规则|无节奏|没有节奏",
    "rhythmic": r"rhythm|regular|periodic|steady beat|puls|regelmäßig|gleichmäßig|rythm|régulier|"
    r"节奏|节律|规律|有规则",
}
_WEEKEND = re.compile(
    r"week.?ends?|saturday|wochenende|samstag|fins? de semaine|周末", re.IGNORECASE
)
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH = re.compile(rf"\b(?:in|of|during|for|over)\s+({'|'.join(_MONTHS)})\b", re.IGNORECASE)
_AHEAD = (
    (re.compile(r"\btomorrow\b|\bmorgen\b|\bdemain\b|明天|next day", re.IGNORECASE), "tomorrow"),
    (re.compile(r"next week|coming week|nächste\w* woche|semaine prochaine|下周|下个?星期",
                re.IGNORECASE), "next week"),
    (re.compile(r"next month|coming month|nächste\w* monat|mois prochain|下个?月", re.IGNORECASE),
     "next month"),
)  # fmt: skip
_ALSO = {"dur": ("t0", "t1"), "value": ("pct", "hz"), "day": ("weekday", "ahead")}
"""Kind of slot → places that use it in their own way."""
_NUMBERED = {"t0": 0, "t1": 1, "hz": 0, "hz2": 1, "n": 0, "k": 0, "pct": 0}


def filled(form: str, slots: Slots) -> dict[str, str]:
    """Return place → words for each place of `form` that the question fills."""
    found = {place: _value(place, slots) for place in places(form)}
    return {place: words for place, words in found.items() if words}


def unused(form: str, slots: Slots) -> list[str]:
    """Return the names and numbers of the question that `form` has no place for."""
    wanted = places(form)
    left: list[str] = []
    for kind, words in slots.found.items():
        own = [p for p in wanted if _kind_of(p, slots) == kind]
        if set(_ALSO.get(kind, ())) & set(wanted):
            continue
        left += words[len(own) :] if kind != "num" else ()
    numbers = sum(p in _NUMBERED or p in {"dur", "value"} for p in wanted)
    extra = len(slots.numbers) - numbers
    return [*left, *(f"{n:g}" for n in slots.numbers[numbers:])] if extra > 0 and not left else left


def _kind_of(place: str, slots: Slots) -> str:
    """Return the kind of slot that fills a place; a sensor fills a channel's where none is."""
    kind = place.rstrip("2") if place != "t2" else place
    if kind == "channel" and "channel" not in slots.found:
        return "modality"
    if kind == "modality" and "modality" not in slots.found:
        return "channel"
    if kind == "value" and "value" not in slots.found:
        return "num"
    return kind


def _value(place: str, slots: Slots) -> str:
    if place in _NUMBERED:
        number = _NUMBERED[place]
        return f"{slots.numbers[number]:g}" if len(slots.numbers) > number else ""
    if place in _WORDED:
        return _WORDED[place](slots)
    words = slots.found.get(_kind_of(place, slots), ())
    number = 1 if place.endswith("2") else 0
    said = words[number] if len(words) > number else ""
    if place in {"subject", "subject2"} and said and said.isalpha():
        return f"subject {said}"
    return said


def _statistic(slots: Slots) -> str:
    return next((STATISTICS[s] for s in _said(slots, "STAT") if s in STATISTICS), "")


def _said(slots: Slots, tag: str) -> list[str]:
    return [one.partition(" ")[2] for one in slots.tags if one.partition(" ")[0] == tag]


def _split(slots: Slots) -> str:
    text = slots.text.casefold()
    found = [split for split, form in _SPLITS.items() if re.search(form, text)]
    return found[0] if len(found) == 1 else ""


def _either(slots: Slots, low: re.Pattern[str], high: re.Pattern[str], words: Sequence[str]) -> str:
    """Return the first or second word where only one side is said."""
    down, up = low.search(slots.masked), high.search(slots.masked)
    return words[0] if down and not up else words[1] if up and not down else ""


def directed(form: str, slots: Slots) -> str:
    """Return the form, or its opposite where the question says so: "shorter" is not "longer"."""
    if form not in _OPPOSITE or _NOT.search(slots.masked):
        return form
    low, high = _SIDES[form if form in _SIDES else _OPPOSITE[form]]
    side = _either(slots, low, high, ("low", "high"))
    down = form in _SIDES
    return _OPPOSITE[form] if (side == "high" and down) or (side == "low" and not down) else form


def _lively(slots: Slots) -> str:
    text = slots.text.casefold()
    found = [word for word, form in _LIVELY.items() if re.search(form, text)]
    if "without rhythm" in found and "rhythmic" in found:
        found.remove("rhythmic")
    return " and ".join(found) if len({"vigorous", "calm"} & set(found)) < 2 else ""


def _weekday(slots: Slots) -> str:
    return "on weekends" if _WEEKEND.search(slots.text) else "by day of the week"


def _month(slots: Slots) -> str:
    named = _MONTH.search(slots.text)
    return f"in {named[1].capitalize()}" if named else "by month"


def _ahead(slots: Slots) -> str:
    return next((word for form, word in _AHEAD if form.search(slots.text)), "")


_SIDES = {
    "count-shorter": (_BELOW, _ABOVE),
    "chance-below": (_BELOW, _ABOVE),
    "shortest-session": (_LOW, _HIGH),
    "stat-last": (_LATE, _EARLY),
}
"""The lower one of two opposite forms → the words of the lower and of the higher side."""
_PAIRS = (
    ("count-shorter", "count-longer"), ("chance-below", "chance-above"),
    ("shortest-session", "longest-session"), ("stat-last", "stat-first"),
)  # fmt: skip
_OPPOSITE = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
_WORDED: Mapping[str, Callable[[Slots], str]] = {
    "statistic": _statistic,
    "split": _split,
    "extreme": lambda s: _either(s, _LOW, _HIGH, ("lowest", "highest")),
    "extremum": lambda s: _either(s, _LOW, _HIGH, ("minimum", "maximum")),
    "above": lambda s: _either(s, _BELOW, _ABOVE, ("below", "above")),
    "lively": _lively,
    "weekday": _weekday,
    "month": _month,
    "ahead": _ahead,
}
