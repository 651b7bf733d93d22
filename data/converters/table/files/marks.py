"""Cells that are no plain number: marks of a missing value, numbers with a suffix, money."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MISSING = frozenset([
    "", "nan", "na", "n/a", "n.a.", "#n/a", "null", "none", "nil", "unavailable", "unknown",
])  # fmt: skip
_SIGNS_ONLY = re.compile(r"[-\u2013\u2014._*?#/:]+")  # "--.-", "--:--", "***"
_UNTOLD = frozenset({"", "nan", "na", "null", "none"})  # what programs write, not people
_MOST_MARKS = 4  # different texts
_FEWEST_NUMBERS = 0.9  # of the filled cells, where other texts mark missing values
_SUFFIXED = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+))([KkMB]|\s?%)")
_TIMES = {"K": 1e3, "M": 1e6, "B": 1e9, "%": 1.0}
_WORDS = {"K": "thousands", "M": "millions", "B": "billions", "%": "percent"}
_CURRENCIES = {"£": "GBP", "$": "USD", "€": "EUR"}
_SIGN = "[£$€]|GBP|USD|EUR"
_BEFORE = rf"^([-+]?) ?(?:{_SIGN}) ?([-+]?[.,]?\d)"
_BEHIND = rf"(\d) ?(?:{_SIGN})$"
_KELVIN = re.compile(r"(?i)temp|kelvin|[\[(]k[\])]")


def is_missing(text: str | None) -> bool:
    """Whether a cell says everywhere that there is no value."""
    return text is None or text.casefold() in MISSING or bool(_SIGNS_ONLY.fullmatch(text))


def without_currency(column: pa.Array) -> tuple[pa.Array, str]:
    """Return text without the one sign of money before or behind all its numbers, and its unit.

    Text that is written otherwise stays as it is, and its unit is "".
    """
    sample = [t for t in column.slice(0, 200).to_pylist() if t and re.search(r"\d", t)]
    first = money_in(sample[0]) if sample else None
    if first is None:
        return column, ""
    texts = [t for t in pc.unique(column).to_pylist() if t and re.search(r"\d", t)]
    if any(money_in(t) != first for t in texts):
        return column, ""
    plain = pc.replace_substring_regex(column, _BEFORE, r"\1\2")
    return pc.replace_substring_regex(plain, _BEHIND, r"\1"), first


def without_sign(text: str) -> str:
    """Return a cell without a sign of money before or behind its number."""
    return re.sub(_BEHIND, r"\1", re.sub(_BEFORE, r"\1\2", text))


def money_in(text: str) -> str | None:
    """Return the currency of a number, "GBP" of "£9,870" and "12 £"; None where it has none."""
    if without_sign(text) == text:
        return None
    found = re.search(_SIGN, text)
    return None if found is None else _CURRENCIES.get(found.group(), found.group())


def is_blank(text: str) -> bool:
    """Whether a cell of labels says that there is none: "-"; "NA" and "none" may be labels."""
    return not text or bool(_SIGNS_ONLY.fullmatch(text))


def marks_of(texts: Sequence[str | None], values: np.ndarray) -> Counter[str] | None:
    """Return how often each text of a numeric column marks a missing value.

    None if other texts than marks are among the numbers: more than one cell in ten, more than a
    few different ones, or any with a digit ("<0.1", "12a"), which may be a value.

    Parameters
    ----------
    texts : (n,) the cells, None = empty
    values : (n,) their numbers, NaN = none
    """
    others = [t for t, v in zip(texts, values, strict=True) if t is not None and np.isnan(v)]
    odd = Counter(t for t in others if not is_missing(t))
    numbers = int(np.isfinite(values).sum())
    if odd and (
        len({t.casefold() for t in odd}) > _MOST_MARKS
        or numbers < _FEWEST_NUMBERS * (numbers + odd.total())
        or any(re.search(r"\d", t) for t in odd)
    ):
        return None
    return odd + Counter(t for t in others if is_missing(t) and t.casefold() not in _UNTOLD)


def scaled(name: str, plain: Sequence[str | None], values: np.ndarray) -> tuple[np.ndarray, str]:
    """Return a column's numbers with its suffixes read, and which there are, "" for none.

    Either all numbers are percents, or K, M and B say thousands, millions and billions; K of a
    temperature is no thousand.

    Parameters
    ----------
    plain : (n,) the cells with a decimal point and nothing between thousands, None = empty
    values : (n,) the numbers of those without a suffix, NaN = none
    """
    found = {i: m for i, t in enumerate(plain) if t and (m := _SUFFIXED.fullmatch(t))}
    signs = {i: m.group(2).strip().upper() for i, m in found.items()}
    used = "".join(s for s in _TIMES if s in set(signs.values()))
    mixed = "%" in used and (used != "%" or bool(np.isfinite(values).any()))
    if not found or mixed or ("K" in used and _KELVIN.search(name)):
        return values, ""
    out = values.copy()
    for i, match in found.items():
        out[i] = float(match.group(1)) * _TIMES[signs[i]]
    return out, used


def assumed(marks: Mapping[str, Counter[str]], suffixes: Mapping[str, str]) -> list[str]:
    """Return in words which cells of which columns were taken as missing or read by a suffix."""
    by_text: dict[str, dict[str, int]] = defaultdict(dict)
    for column, counts in marks.items():
        for text, n in counts.items():
            by_text[text][column] = n
    notes = []
    for text, columns in by_text.items():
        n, names = sum(columns.values()), list(columns)
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        are = "cells {} of {} are" if n > 1 else "cell {} of {} is"
        notes.append(f"{n} {are.format(repr(text[:20]), shown)} taken as missing.")
    for column, used in suffixes.items():
        notes.append(
            f"{column} is written with {', '.join(used)}: read as "
            f"{', '.join(_WORDS[s] for s in used)}."
        )
    return notes
