"""What results say, as a flat list of numbers with their units."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tool_use_om.agent.verify.prose import Number, numbers_in
from tool_use_om.data.units import Unit, read_unit, unit_of_key
from tool_use_om.data.values import Json

# keys that count things, whatever unit their neighbours have
_COUNTS = frozenset({"n", "k", "seed", "total_n", "budget", "done", "repeats"})
# what is said of a channel's event: shares and scores, not in the channel's unit beside them
_COUNTS |= {
    "probability",
    "probability_not",
    "base_rate",
    "brier",
    "brier_of_base_rate",
    "skill",
    "reliability",
}
_HIDDEN = frozenset({"detail", "timing", "kind"})  # the stored bulk, which no model is shown
_RELATIVE_GUARD = 0.1


@dataclass(frozen=True)
class Fact:
    """A number that a result (or the question) states."""

    value: float
    unit: Unit | None


def facts_of(content: Json) -> list[Fact]:
    """Return every number in a result's content: its numbers, lengths of lists, digits in texts."""
    shown = content
    if isinstance(content, Mapping):
        shown = {k: v for k, v in content.items() if k not in _HIDDEN}
    return list(_walk(shown, None))


def facts_in_text(text: str, known_units: frozenset[str] = frozenset()) -> list[Fact]:
    """Return the numbers that a text states."""
    return [Fact(n.value, n.unit) for n in numbers_in(text, known_units)]


def fact_at(content: Json, pointer: str) -> tuple[Any, str | None]:
    """Return the value a JSON pointer names and the unit it stands in (None: a plain value).

    Raises
    ------
    LookupError : the pointer leads nowhere
    """
    if pointer and not pointer.startswith("/"):
        raise LookupError(f"a pointer starts with '/', got {pointer[:60]!r}")
    value, unit = content, None
    for raw in pointer.split("/")[1:]:
        key = raw.replace("~1", "/").replace("~0", "~")
        unit = _unit_below(value, key, unit)
        value = _step(value, key)
    return value, unit


def supported(number: Number, facts: Sequence[Fact]) -> bool:
    """Tell whether a fact, rounded as the number is written, in its unit, gives the number."""
    return any(_matches(number, fact) for fact in facts)


def rounds_to(shown: float, decimals: int, value: float) -> bool:
    """Tell whether `value` rounded to `decimals` digits is `shown`, at most a tenth away."""
    away = abs(shown - value)
    near = away <= 0.5 * 10.0**-decimals * (1 + 1e-9) + 1e-12
    return near and (away <= _RELATIVE_GUARD * abs(value) or away <= 1e-9)


def _matches(number: Number, fact: Fact) -> bool:
    if number.unit is None and number.decimals <= 0:  # a count: nothing to round
        return math.isclose(number.value, fact.value, rel_tol=1e-9)
    if number.unit is None:
        return rounds_to(number.value, number.decimals, fact.value)
    if fact.unit is None:
        fraction = number.unit.family == "fraction" and abs(fact.value) <= 1
        scale = number.unit.factor if fraction else math.nan
        return rounds_to(number.value, number.decimals, fact.value / scale)
    if fact.unit.family != number.unit.family:
        return False
    return rounds_to(
        number.value, number.decimals, fact.value * fact.unit.factor / number.unit.factor
    )


def _walk(value: Json, unit: str | None) -> Iterator[Fact]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(inner, _unit_below(value, str(key), unit))
    elif isinstance(value, list | tuple):
        yield Fact(float(len(value)), None)
        for inner in value:
            yield from _walk(inner, unit)
    elif isinstance(value, str):
        yield from facts_in_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield Fact(float(value), read_unit(unit))


def _unit_below(parent: Json, key: str, inherited: str | None) -> str | None:
    if not isinstance(parent, Mapping):
        return inherited
    if key in _COUNTS or key.startswith("n_"):
        return None
    if own := unit_of_key(key):
        return own
    beside = parent.get("unit")
    return beside if isinstance(beside, str) else inherited


def _step(value: Json, key: str) -> Json:
    if isinstance(value, Mapping) and key in value:
        return value[key]
    if isinstance(value, list | tuple) and key.isdecimal() and int(key) < len(value):
        return value[int(key)]
    raise LookupError(f"no {key[:40]!r} there")
