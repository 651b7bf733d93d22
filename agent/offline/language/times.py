"""The grammar of numbers, durations and times: "a minute and a half", "seconds 3 to 5"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tool_use_om.agent.offline.language.grammar import Node, Rule, rule
from tool_use_om.data.format.calendar import STEP_S
from tool_use_om.data.units import spellings

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = "third fourth fifth sixth seventh eighth ninth tenth"
NUMBER_WORDS: dict[str, float] = {
    **{word: float(value) for value, word in enumerate(_ONES.split())},
    "couple": 2.0,
    "dozen": 12.0,
    "once": 1.0,
    "twice": 2.0,
}
TENS: dict[str, float] = {word: 10.0 * n for n, word in enumerate(_TENS.split(), 2)}
ORDINALS: dict[str, int] = {word: n for n, word in enumerate(_ORDINALS.split(), 3)}
UNITS: dict[str, float] = {
    spelling: factor
    for spelling, name, factor in spellings("time")
    if (spelling, name) != ("d", "d")
}
"""A month and a year are nominal ones, as sets on a calendar of months keep their samples."""
GLUED_UNITS: dict[str, float] = {**UNITS, "m": 60, "d": 86400}
"""Units that count only right behind a digit, as in 1m30s, besides those that always do."""


@dataclass(frozen=True)
class Span:
    """A stretch of a session in seconds; None = open. `tail` counts back from the session's end."""

    start_s: float | None = None
    end_s: float | None = None
    tail: bool = False


@dataclass(frozen=True)
class Duration:
    """Seconds, and the unit they were said in (so that "3 to 5 min" means minutes twice)."""

    seconds: float
    unit: float


@dataclass(frozen=True)
class Bound:
    """A limit on durations; `strict` when the limit itself is out ("longer than")."""

    seconds: float
    strict: bool


def clock_seconds(text: str) -> float:
    """Return the seconds of "m:ss" or "h:mm:ss"."""
    total = 0.0
    for part in text.split(":"):
        total = total * 60 + float(part)
    return total


def _sum(nodes: Sequence[Node]) -> float:
    return sum(float(n.value) for n in nodes if n.tag in {"NUM", "TENS"})


def _hundreds(nodes: Sequence[Node]) -> float:
    split = [n.tag for n in nodes].index("HUNDRED")
    before = [n.value for n in nodes[:split] if n.tag == "NUM"]
    return (before[0] if before else 1.0) * 100 + _sum(nodes[split + 1 :])


def _fraction(nodes: Sequence[Node]) -> float:
    """Read "three quarters", "one and a half" (a count of the thing that follows)."""
    whole = [n.value for n in nodes if n.tag == "NUM"]
    part = float(next(n.value for n in nodes if n.tag == "FRACTION"))
    added = any(n.tag == "AND" for n in nodes)
    return (whole[0] + part if added else whole[0] * part) if whole else part


def _duration(nodes: Sequence[Node]) -> Duration:
    """Count × unit; a missing count ("a minute", "half a minute") is one or the fraction."""
    unit = float(next(n.value for n in nodes if n.tag == "UNIT"))
    counts = [n.value for n in nodes if n.tag in {"NUM", "FRACTION"}]
    return Duration((counts[0] if counts else 1.0) * unit, unit)


def _compound(nodes: Sequence[Node]) -> Duration | None:
    parts = [n.value for n in nodes if n.tag == "DUR"]
    if not parts[1].unit < parts[0].unit:
        return None
    return Duration(parts[0].seconds + parts[1].seconds, parts[1].unit)


def _and_fraction(nodes: Sequence[Node]) -> Duration:
    whole, part = nodes[0].value, next(n.value for n in nodes if n.tag == "FRACTION")
    return Duration(whole.seconds + part * whole.unit, whole.unit)


def _ends(nodes: Sequence[Node]) -> tuple[float, float] | None:
    ends = _points(nodes)
    return ends if ends[0] < ends[1] else None


def _points(nodes: Sequence[Node]) -> tuple[float, float]:
    """Return both ends of "3 to 5 s" in seconds; a bare number borrows the other's unit."""
    points = [n for n in nodes if n.tag in {"NUM", "DUR", "CLOCK"}]
    unit = next((n.value for n in nodes if n.tag == "UNIT"), None)
    unit = unit or next((n.value.unit for n in points if isinstance(n.value, Duration)), 1.0)
    ends = [_seconds(n, float(unit)) for n in points]
    return ends[0], ends[1]


def _seconds(node: Node, unit: float) -> float:
    if isinstance(node.value, Duration):
        return node.value.seconds
    return float(node.value) if node.tag == "CLOCK" else float(node.value) * unit


def _range(nodes: Sequence[Node]) -> Span | None:
    ends = _ends(nodes)
    return Span(*ends) if ends else None


def _backwards(nodes: Sequence[Node]) -> tuple[float, float] | None:
    """Return both ends of a range that ends where it begins or before."""
    ends = _points(nodes)
    return ends if ends[0] >= ends[1] else None


def _one(nodes: Sequence[Node]) -> float:
    """Return the seconds of the one time in the run ("the next second" = 1)."""
    node = next(n for n in nodes if n.tag in {"DUR", "CLOCK", "UNIT"})
    return _seconds(node, 1.0)


def _ordinal_unit(nodes: Sequence[Node]) -> Span | None:
    """Read "the third minute", "the second minute"."""
    count = 2 if nodes[0].tag == "UNIT" else int(nodes[0].value)
    unit = float(nodes[1].value)
    return Span((count - 1) * unit, count * unit) if unit >= 60 or count > 2 else None


def _left(nodes: Sequence[Node]) -> Span | None:
    """Return what is left of a session without a stretch at its start or its end.

    Without its last n seconds: a span whose end counts back from the session's end.
    """
    span: Span = nodes[-1].value
    if span.tail:
        return Span(None, span.start_s, tail=True)
    if not span.start_s and span.end_s is not None:
        return Span(span.end_s, None)
    return Span(None, span.start_s) if span.end_s is None else None


def _tail(nodes: Sequence[Node]) -> Span:
    return Span(_one(nodes), None, tail=True)


def _behind(nodes: Sequence[Node]) -> Span | None:
    """Read "after the first two seconds", "with the first two seconds cut off"."""
    span: Span = next(n.value for n in nodes if n.tag == "RANGE")
    left_out = any(n.tag == "NOT" for n in nodes)
    if span.tail or span.end_s is None or (left_out and span.start_s):
        return None
    return Span(span.end_s, None)


def _business_days(nodes: Sequence[Node]) -> Duration | None:
    """Read "10 business days"; "10 weekends" is no length of time."""
    if str(nodes[-1].value) != "0 1 2 3 4":
        return None
    count = next((float(n.value) for n in nodes if n.tag == "NUM"), 1.0)
    return Duration(count * STEP_S["business_day"], STEP_S["business_day"])


def _next_business_day(nodes: Sequence[Node]) -> float | None:
    said = _business_days(nodes)
    return None if said is None else said.seconds


_PERIODS = {STEP_S["week"]: "next_week", STEP_S["month"]: "next_month", STEP_S["year"]: "next_year"}


def _period(nodes: Sequence[Node]) -> str | None:
    """Read "next week" as the calendar's; "the next week" (see parse) is seven days."""
    return _PERIODS.get(float(nodes[1].value))


_POINT = "(DUR|NUM|CLOCK)"
_THROUGH = "(TO|DASH|AND|UNTIL)"

NUMBERS: tuple[Rule, ...] = (
    rule("NUM", "TENS DASH? NUM", _sum),
    rule("NUM", "TENS", _sum),
    rule("NUM", "(A|NUM)? HUNDRED (AND? NUM)?", _hundreds),
    rule("NUM", "NUM AND A? FRACTION (?=UNIT)", _fraction),
    rule("FRACTION", "NUM FRACTION", _fraction),
    rule("DUR", "(NUM|FRACTION|A FRACTION) DASH? OF? A? UNIT", _duration),
    rule("DUR", "NUM DAYS", _business_days),
    rule("DUR", "A UNIT (?=AND A? FRACTION)", _duration),
    rule("DUR", "DUR AND A? FRACTION", _and_fraction),
    rule("DUR", "DUR AND? DUR", _compound),
)
"""From number words and units to NUM and DUR."""

TIMES: tuple[Rule, ...] = (
    rule("RANGE", f"(FROM|BETWEEN) UNIT? {_POINT} {_THROUGH} UNIT? {_POINT}", _range),
    rule("RANGE", f"UNIT {_POINT} {_THROUGH} UNIT? {_POINT}", _range),
    rule("BACKWARDS", f"(FROM|BETWEEN)? UNIT {_POINT} {_THROUGH} UNIT? {_POINT}", _backwards),
    rule("BACKWARDS", f"(FROM|BETWEEN) (DUR|CLOCK) {_THROUGH} {_POINT}", _backwards),
    rule("BACKWARDS", f"(FROM|BETWEEN) {_POINT} {_THROUGH} (DUR|CLOCK)", _backwards),
    rule("RANGE", f"(DUR|CLOCK) (TO|DASH|UNTIL) {_POINT}", _range),
    rule("RANGE", f"{_POINT} (TO|DASH|UNTIL) (DUR|CLOCK)", _range),
    rule("RANGE", "FIRST DUR", lambda n: Span(0.0, _one(n))),
    rule("RANGE", "FIRST UNIT", lambda n: Span(0.0, _one(n))),
    rule("RANGE", "LAST (DUR|UNIT)", _tail),
    rule("RANGE", "DUR OF? FIRST", lambda n: Span(0.0, _one(n))),
    rule("RANGE", "DUR (BEFORE|FROM|TO|OF|UNTIL)? A? ENDWORD", _tail),
    rule("RANGE", "FROM? DUR ONWARD", lambda n: Span(_one(n), None)),
    rule("RANGE", "NOT DUR", lambda n: Span(_one(n), None)),
    rule("RANGE", "RANGE NOT(?!COUNT|LABEL)", _behind),
    rule("RANGE", "(ORDINAL|UNIT) UNIT", _ordinal_unit),
    rule("RANGE", "AFTER (DUR|CLOCK|UNIT)", lambda n: Span(_one(n), None)),
    rule("RANGE", "AFTER A? RANGE", _behind),
    rule("RANGE", "(UNTIL|BEFORE) (DUR|CLOCK)", lambda n: Span(None, _one(n))),
    rule("REST", "NOT A? RANGE", _left),
    rule("BARRED", "NOT A? RANGE", lambda _: "a stretch in the middle"),
    rule("COMING", "COMING COMMA UNIT X* ENDWORD?", lambda n: str(n[0].value)),
    rule("COMING", "COMING COMMA? COMING", lambda n: str(n[0].value)),
    rule("COMING", "NEXT UNIT", _period),
    rule("HORIZON", "NEXT (DUR|UNIT)", _one),
    rule("HORIZON", "NEXT DAYS", _next_business_day),
    rule("HORIZON", "(DUR|A? UNIT) AHEAD", _one),
    rule("DUR", "A UNIT", _duration),
)
"""From DUR to stretches of a session (RANGE) and times ahead (HORIZON)."""

LIMITS: tuple[Rule, ...] = (
    rule("LESS", "NOT MORE", lambda _: False),
    rule("MORE", "NOT LESS", lambda _: False),
    rule("MIN", "MORE DUR", lambda n: Bound(_one(n), bool(n[0].value))),
    rule("MAX", "LESS DUR", lambda n: Bound(_one(n), bool(n[0].value))),
    rule("MIN", "DUR ORMORE", lambda n: Bound(_one(n), strict=False)),
    rule("MAX", "DUR ORLESS", lambda n: Bound(_one(n), strict=False)),
    rule("LENGTHS", "RANGE LONG", lambda n: n[0].value),
)
"""Limits on how long sessions are; they run before TIMES except LENGTHS, which needs a RANGE."""
