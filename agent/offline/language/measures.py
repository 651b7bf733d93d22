"""Levels and rates said with a unit of measure: "2 g", "30 °C", "1.5 to 2 Hz"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tool_use_om.agent.offline.language.grammar import Node
from tool_use_om.data.units import read_unit, spellings

_CASE_COUNTS = frozenset("AKNBCFJ")  # "5 a class" has no amperes
_NO_MEASURES = frozenset({"1", "a.u.", "count", "%", "frac"})


def _pattern(spelling: str) -> str:
    """Return what matches a spelling behind a number, whatever the spaces and powers in it."""
    if spelling in _CASE_COUNTS:
        return f"(?-i:{spelling})"
    escaped = re.escape(spelling).replace(r"\ ", r"\s+").replace("/", r"\s?/\s?")
    return escaped.replace(r"\^2", r"(?:\^?2|²)").replace(r"\^3", r"(?:\^?3|³)")


_TIME = {spelling for spelling, *_ in spellings("time", "fraction")}
_WRITTEN: dict[str, str] = {
    _pattern(spelling): name
    for spelling, name, _ in sorted(spellings(), key=lambda row: -len(row[0]))
    if spelling not in _TIME and spelling[0] not in "/" and name not in _NO_MEASURES
} | {r"a\.\s?u\.?|arbitrary units": "a.u."}
_MEASURE = re.compile(
    r"\s*(?:" + "|".join(f"(?P<m{i}>{form})" for i, form in enumerate(_WRITTEN)) + r")(?![\w/])",
    re.IGNORECASE,
)
_ABOUT = 0.15  # "about 2 Hz" reaches so far to both sides


@dataclass(frozen=True)
class Level:
    """A level that a channel may reach, in its unit ("" = none said), and from which side.

    With `upper` it is a band: from the value to that.
    """

    value: float
    unit: str
    above: bool
    upper: float | None = None


def measure_at(text: str, start: int) -> tuple[str, int] | None:
    """Return the unit of measure that `text` has at `start`, and where it ends; None if none."""
    found = _MEASURE.match(text, start)
    if not found:
        return None
    return list(_WRITTEN.values())[int(str(found.lastgroup)[1:])], found.end()


def in_unit(level: Level, unit: str) -> float | None:
    """Return the level in `unit`, None where one cannot be had from the other."""
    if not level.unit or level.unit.casefold() == unit.casefold():
        return level.value
    said, wanted = read_unit(level.unit), read_unit(unit)
    if said is None or wanted is None or said.family != wanted.family:
        return None
    return round(level.value * said.factor / wanted.factor, 9)


def level_of(nodes: Sequence[Node]) -> Level:
    """Read "above 30 degC", "under a level of 2"."""
    number = next(float(n.value) for n in nodes if n.tag == "NUM")
    unit = next((str(n.value) for n in nodes if n.tag == "MEASURE"), "")
    percent = any(n.tag == "PERCENT" for n in nodes)
    return Level(number, "%" if percent else unit, nodes[0].tag == "MORE")


def between_of(nodes: Sequence[Node]) -> Level | None:
    """Read "between 70 and 180 mg/dL" as a band of values; rates (Hz) are none."""
    low, high = (float(n.value) for n in nodes if n.tag == "NUM")
    units = [str(n.value) for n in nodes if n.tag == "MEASURE"]
    percent = any(n.tag == "PERCENT" for n in nodes)
    unit = "%" if percent else units[-1] if units else ""
    return Level(low, unit, above=True, upper=high) if low < high and unit != "Hz" else None


def band_of(nodes: Sequence[Node]) -> tuple[float, float] | None:
    """Read "1.5 to 2 Hz" or "2 Hz" as lowest and highest rate; another measure is none."""
    if [n.value for n in nodes if n.tag == "MEASURE"][-1] != "Hz":
        return None
    rates = [float(n.value) for n in nodes if n.tag == "NUM"]
    low, high = (rates[0] * (1 - _ABOUT), rates[0] * (1 + _ABOUT)) if len(rates) == 1 else rates[:2]
    return (round(low, 6), round(high, 6)) if 0 <= low < high else None
