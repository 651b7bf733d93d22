"""Prose taken apart: its sentences, its numbers with their units, and what it compares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from tool_use_om.data.units import Unit, unit_after, unit_named

_NUMBER = re.compile(
    r"(?P<sign>(?<![\w)])[-−+])?"
    r"(?<![\w^])(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\w.])\.\d+)"
    r"(?:[eE](?P<exponent>[-+−]?\d+))?"
)
_WORDS = {
    word: value
    for value, word in enumerate(
        ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"), start=2
    )
} | {"twelve": 12, "twenty": 20, "thirty": 30, "sixty": 60, "half a": 0.5}
_WORD_NUMBER = re.compile(rf"(?<![\w-])(?:{'|'.join(_WORDS)})(?![\w])", re.IGNORECASE)
# What carries digits but states no number: links' targets, code spans that are names, pointers,
# ids and names with letters ("bm-test-003", "MOMENT-1", "r-0a1b2c", "F1"), ordinals.
_NAMES = re.compile(
    r"\]\([^)\s]*\)|https?://\S+|(?<![\w])/[A-Za-z_][\w/~-]*"
    r"|(?<![\w.])(?=[\w.:-]*\d)[A-Za-z_]\w*(?:[-.:]\w+)*"
    r"|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,}\b|\b\d+(?:st|nd|rd|th)\b"
)
_LIST_MARK = re.compile(r"^\s*(?:\d+[.)]|[-*+])\s+(?:\d+[.)]\s+)?", re.MULTILINE)
_MARK = re.compile(r"\s*(?:[-*+]\s+)?\d+[.)]")
_RANGE = re.compile(r"^\s*(?:[-–—~]|±|to|and|or|,)\s*$")
_ABBREVIATIONS = ("e.g.", "i.e.", "vs.", "a.u.", "approx.", "ca.", "cf.", "incl.", "resp.", "no.")
_UP = r"(?:higher|greater|larger|bigger|longer|faster|stronger|above|exceed\w*|more)"
_DOWN = r"(?:lower|smaller|less|shorter|slower|weaker|below|under|fewer)"
_ORDER = re.compile(rf"\b(?:(?P<up>{_UP})|(?P<down>{_DOWN}))\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|no|never|neither|n't)\b|n't\b", re.IGNORECASE)


@dataclass(frozen=True)
class Number:
    """A number as written: its value, the digits after the point it shows, its unit, its place."""

    value: float
    decimals: int
    unit: Unit | None
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Claim:
    """Two numbers and the order a sentence says they have: ">" or "<"."""

    left: Number
    op: str
    right: Number


def numbers_in(text: str, known_units: frozenset[str] = frozenset()) -> list[Number]:
    """Return the numbers that `text` states, in order; names that contain digits are none."""
    bare = _blank(_NAMES, _blank(_LIST_MARK, text))
    found = [_number(m, bare, known_units) for m in _NUMBER.finditer(bare)]
    found += [_word_number(m, bare, known_units) for m in _WORD_NUMBER.finditer(bare)]
    return _share_units(sorted(found, key=lambda n: n.start), bare)


def sentences(text: str) -> Iterator[tuple[str, str]]:
    """Yield (sentence, what separates it from the next); joined, they give `text` back.

    A line is never joined to the next, so that list items, table rows and headings stand alone.
    """
    for line, end in re.findall(r"([^\n]*)(\n+|$)", text):
        pieces = re.split(r"(?<=[.!?])(\s+)(?=[^\s])", line)
        held = ""
        for i in range(0, len(pieces), 2):
            held += pieces[i]
            gap = pieces[i + 1] if i + 1 < len(pieces) else ""
            if gap and (held.casefold().endswith(_ABBREVIATIONS) or _MARK.fullmatch(held)):
                held += gap
                continue
            if held or not gap:
                yield held, gap or end
            held = ""


def comparison_in(sentence: str, numbers: list[Number]) -> Claim | None:
    """Return the order a sentence claims between two neighbouring numbers of one unit, if it does.

    A negated sentence claims nothing here: "not higher than" leaves equality open.
    """
    if _NEGATION.search(sentence):
        return None
    for left, right in pairwise(numbers):
        order = _ORDER.search(sentence, left.end, right.start)
        same = left.unit and right.unit and left.unit.family == right.unit.family
        if order and (same or (left.unit is right.unit is None and "than" in sentence)):
            return Claim(left, ">" if order["up"] else "<", right)
    return None


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda m: " " * (len(m.group()) - 1) + "\x00", text)


def _number(match: re.Match[str], text: str, known: frozenset[str]) -> Number:
    digits = match["digits"].replace(",", "")
    exponent = int((match["exponent"] or "0").replace("−", "-"))
    sign = -1.0 if match["sign"] in {"-", "−"} else 1.0
    decimals = len(digits.partition(".")[2]) - exponent
    unit = unit_after(text[match.end() : match.end() + 40], known)
    value = sign * float(digits) * 10.0**exponent
    return Number(value, decimals, unit, match.group(), match.start(), match.end())


def _word_number(match: re.Match[str], text: str, known: frozenset[str]) -> Number:
    value = float(_WORDS[match.group().casefold()])
    unit = unit_after(text[match.end() : match.end() + 40], known)
    return Number(value, 0, unit, match.group(), match.start(), match.end())


def _share_units(numbers: list[Number], text: str) -> list[Number]:
    """Give "9.9" in "9.9 to 10.0 s" the unit that is written once, at the end."""
    shared = list(numbers)
    for i in range(len(shared) - 2, -1, -1):
        left, right = shared[i], shared[i + 1]
        if left.unit is None and right.unit and _RANGE.match(text[left.end : right.start]):
            shared[i] = Number(
                left.value, left.decimals, right.unit, left.text, left.start, left.end
            )
    return shared


_RULE = re.compile(r"(?=[^\n]*\|)(?=[^\n]*-)[ \t|:-]+")


_CELL_END = re.compile(r"(?<!\\)\|")


_HEADING_UNIT = (
    re.compile(r"[(\[](?P<unit>.+)[)\]]\s*$"),
    re.compile(r"(?:,\s+|\bin\s+)(?P<unit>\S+)\s*$"),
)


def blocks(text: str) -> Iterator[tuple[bool, list[str]]]:
    """Yield (is a table, its lines with their ends); all lines joined give `text` back.

    A table is a line, a rule like ``|---|---|`` under it, and what follows up to a blank line.
    """
    lines = text.splitlines(keepends=True)
    plain: list[str] = []
    i = 0
    while i < len(lines):
        if "|" in lines[i] and i + 1 < len(lines) and _RULE.fullmatch(lines[i + 1].rstrip("\n")):
            if plain:
                yield False, plain
            end = next((j for j in range(i, len(lines)) if not lines[j].strip()), len(lines))
            yield True, lines[i:end]
            plain, i = [], end
        else:
            plain.append(lines[i])
            i += 1
    if plain:
        yield False, plain


def cells(row: str) -> list[str]:
    """Return the texts between the bars of a row."""
    inner = row.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip() for cell in _CELL_END.split(inner)]


def column_units(heading: str, known: frozenset[str]) -> list[Unit | None]:
    """Return the unit each column's heading ends with: "mean (m/s^2)", "start, s", "error in %"."""
    return [_unit_at_end(cell, known) for cell in cells(heading)]


def cell_numbers(cell: str, unit: Unit | None, known: frozenset[str]) -> list[Number]:
    """Return the numbers of a cell; those without a unit of their own have the column's."""
    # the bar keeps "2) 5" from being read as an item of a list, whose mark states nothing
    found = numbers_in(f"| {cell}", known)
    return [n if n.unit else replace(n, unit=unit) for n in found]


def _unit_at_end(cell: str, known: frozenset[str]) -> Unit | None:
    for pattern in _HEADING_UNIT:
        found = pattern.search(cell)
        unit = unit_named(found["unit"], known) if found else None
        if unit:
            return unit
    return None
