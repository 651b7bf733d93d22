"""Read descriptions back: words and numbers to facts, by a grammar that knows no template.

It is how the corpus is checked. A sentence it cannot read counts as a contradiction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tool_use_om.heads.describe.facts import VALUES, Fact, Kind

# the first kind whose words occur; two directions in one sentence are none
_WORDS: tuple[tuple[Kind, str], ...] = (
    ("saw", r"saw-?tooth|builds? up .*drops?"),
    ("leak", r"\bleaks?\b|never gives|releases nothing"),
    ("saturated", r"\blimit\b|saturat"),
    ("spike", r"\bspikes?\b|\bbursts?\b"),
    ("dip", r"\bdips?\b"),
    ("plateau", r"\bplateau\b"),
    ("cycle", r"\bcycle\b|\bswings?\b|\brepeats?\b"),
    ("rise", r"\brises?\b|\bclimbs?\b|\bupward\b|\bincreases?\b"),
    ("fall", r"\bfalls?\b|\bdeclines?\b|\bdownward\b|\bdecreases?\b"),
    ("varies", r"\bvaries\b|\bwanders\b|\banywhere\b"),
    ("steady", r"\bstays?\b|\bsteady\b|\bstable\b"),
)
_UP, _DOWN = r"\b(?:rise|climb|upward|increase)s?\b", r"\b(?:fall|decline|downward|decrease)s?\b"
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_NUMBER = re.compile(r"(?P<number>-?\d+(?:\.\d+)?)(?: (?P<unit>[^\s,.;:]+))?")
_TOLERANCE = 0.055  # of two digits, the half of the last one
_ENDS = r"\.(?=\s+[A-Za-z]|\s*$)"


@dataclass(frozen=True)
class _Number:
    """A number of a sentence: its value (seconds for times), its unit, the words behind it."""

    value: float
    unit: str
    behind: str


def read_back(text: str, channels: Mapping[str, str]) -> list[Fact | None]:
    """Return the fact of each sentence; None for one that cannot be read.

    Parameters
    ----------
    channels : channel → its unit
    """
    for unit in {u for u in channels.values() if "." in u}:
        told = re.sub(rf"{re.escape(unit)}(?=\s+[a-z])", unit.replace(".", ""), text)
        text = told.replace(unit, unit.replace(".", "") + ".")
    return [_fact(s.strip(), channels) for s in re.split(_ENDS, text) if s.strip()]


def contradictions(text: str, truth: Sequence[Fact], channels: Mapping[str, str]) -> list[str]:
    """Return what a text says that its truth does not, and what of the truth it leaves out."""
    found = read_back(text, channels)
    wrong = [f"cannot be read: {text}" for fact in found if fact is None]
    said = [fact for fact in found if fact is not None]
    wrong += [f"says {_short(f)}" for f in said if not any(same(f, t) for t in truth)]
    wrong += [f"leaves out {_short(t)}" for t in truth if not any(same(f, t) for f in said)]
    return wrong


def same(one: Fact, other: Fact) -> bool:
    """Say whether two facts are one but for rounding."""
    if (one.kind, one.channel) != (other.kind, other.channel) or {*one.values} != {*other.values}:
        return False
    return all(_near(k, v, other.values[k]) for k, v in one.values.items())


def _near(name: str, one: float, other: float) -> bool:
    if name == "n":
        return one == other
    if name == "share_frac":
        return abs(one - other) <= 0.0051
    return abs(one - other) <= _TOLERANCE * max(abs(one), abs(other)) + 1e-12


def _short(fact: Fact) -> str:
    return f"{fact.channel} {fact.kind} " + ", ".join(
        f"{k} {v:.4g}" for k, v in fact.values.items()
    )


def _fact(sentence: str, channels: Mapping[str, str]) -> Fact | None:
    low = sentence.casefold()
    named = [c for c in channels if re.search(rf"\b{re.escape(c.casefold())}\b", low)]
    kind = next((k for k, words in _WORDS if re.search(words, low)), None)
    if len(named) != 1 or kind is None or (re.search(_UP, low) and re.search(_DOWN, low)):
        return None
    values = _values(kind, _numbers(low), low)
    if {*values} != {*VALUES[kind]} or not _sensible(kind, values):
        return None
    return Fact(kind=kind, channel=named[0], unit=channels[named[0]], values=values)


def _sensible(kind: Kind, values: Mapping[str, float]) -> bool:
    """Say whether numbers and words agree: what rises ends higher."""
    if kind in {"rise", "leak"}:
        return values["last"] > values["first"]
    if kind == "fall":
        return values["last"] < values["first"]
    return values.get("low", 0.0) <= values.get("high", 1.0)


def _numbers(sentence: str) -> list[_Number]:
    found = []
    for match in _NUMBER.finditer(sentence):
        unit = match["unit"] or ""
        size = _SECONDS.get(unit, 1.0)
        behind = sentence[match.end() :].lstrip()
        found.append(_Number(float(match["number"]) * size, unit, behind))
    return found


def _values(kind: Kind, numbers: Iterable[_Number], low: str) -> dict[str, float]:
    """Return the values by what stands around each number; too few or too many give none."""
    found = list(numbers)
    times = [n for n in found if n.unit in _SECONDS]
    shares = [n for n in found if n.behind.startswith("of the time")]
    counts = [n for n in found if re.match(r"spikes|bursts|dips|times|short", n.unit)]
    plain = [n for n in found if n not in [*times, *shares, *counts]]
    if kind in {"spike", "dip"}:
        once = {"n": 1.0} if re.search(r"\bone\b|\bonce\b", low) and not counts else {}
        return once | _named(("n",), counts) | _named(("top",), plain) | _named(("at_s",), times)
    held = {"plateau": ("start_s", "end_s"), "saw": ("period_s",), "cycle": ("period_s",)}
    values = _named([k for k in VALUES[kind] if not k.endswith(("_s", "_frac"))], plain)
    values |= _named(held.get(kind, ()), times)
    if shares:
        values["share_frac"] = shares[0].value / 100
    return {} if len(values) != len(found) else values


def _named(names: Sequence[str], numbers: Sequence[_Number]) -> dict[str, float]:
    """Return the numbers by name; none where there are more or fewer than names."""
    if len(names) != len(numbers):
        return {}
    return {name: number.value for name, number in zip(names, numbers, strict=True)}
