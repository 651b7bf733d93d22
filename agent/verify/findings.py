"""One finding against its source: value, unit and order as the result has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import ValidationError

from tool_use_om.agent.replies import Finding, Source
from tool_use_om.agent.verify.facts import Fact, fact_at, rounds_to
from tool_use_om.data.units import Unit, read_unit
from tool_use_om.data.values import Json


class Results(Protocol):
    """Where results are looked up; `tools.results.ResultStore` is one."""

    def resolve(self, result_id: str, pointer: str) -> Json:
        """Return the JSON value at `pointer` ("" = all of it); LookupError if there is none."""


class UnsupportedError(Exception):
    """The reason a statement is refused."""


def check_finding(
    raw: Mapping[str, Any], store: Results, contents: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the finding as JSON, with the value and unit as stored.

    Its statement's own numbers are the caller's to check.

    Raises
    ------
    UnsupportedError : its source says something else, or is none of `contents`
    """
    try:
        finding = Finding.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UnsupportedError(f"it has not the form asked for: {where}: {first['msg']}") from error
    value, unit = _look_up(finding.source, store, contents)
    _check_value(finding, value, unit)
    if finding.compare:
        _check_order(finding, value, unit, _look_up(finding.compare.other, store, contents))
    checked = finding.model_dump(mode="json")
    return checked | {"value": finding.value if value is None else value} | _unit(finding, unit)


def fact_of(finding: Mapping[str, Any]) -> Fact:
    """Return a checked finding's value as a fact; NaN (supports nothing) if it is no number."""
    value = finding["value"]
    return Fact(float(value) if _is_number(value) else math.nan, read_unit(finding["unit"]))


def _unit(finding: Finding, unit: str | None) -> dict[str, str | None]:
    """Return the unit of the value as stored: the model's own may be another of its family."""
    return {"unit": unit if unit else finding.unit}


def _look_up(source: Source, store: Results, contents: Mapping[str, Any]) -> tuple[Any, str | None]:
    if source.result_id not in contents:
        raise UnsupportedError(f"{source.result_id[:40]!r} is no result of this answer")
    for whole in (contents[source.result_id], None):
        try:
            document = store.resolve(source.result_id, "") if whole is None else whole
            return fact_at(document, source.pointer)
        except LookupError as error:
            reason = str(error)
    raise UnsupportedError(f"{source.result_id} has nothing at {source.pointer[:80]!r}: {reason}")


def _check_value(finding: Finding, value: Json, unit: str | None) -> None:
    said = finding.value
    if said is None:
        return
    if not _is_number(value) or not _is_number(said):
        if not _same_words(said, value):
            raise UnsupportedError(f"the result says {str(value)[:80]!r}, not {said!r}")
        return
    scale = _scale(read_unit(finding.unit), read_unit(unit), float(value))
    if not any(_rounds(float(str(said)), float(value) * s) for s in scale):
        shown = f"{value} {unit or ''}".strip()
        raise UnsupportedError(f"the result says {shown}, not {said} {finding.unit or ''}".strip())


def _scale(said: Unit | None, stored: Unit | None, value: float) -> tuple[float, ...]:
    """Return the factors that may lead from the stored value to the said one; none fits: empty."""
    if said is None:
        return (1.0,)
    if stored is None:
        plain = said.family == "fraction" and abs(value) <= 1
        return (1 / said.factor,) if plain else ()
    return (stored.factor / said.factor,) if stored.family == said.family else ()


def _rounds(said: float, value: float) -> bool:
    text = repr(said)
    decimals = 0 if said == int(said) else len(text.partition(".")[2])
    return math.isclose(said, value, rel_tol=1e-6) or rounds_to(said, decimals, value)


def _same_words(said: object, value: object) -> bool:
    if isinstance(said, bool) or isinstance(value, bool) or _is_number(said) or _is_number(value):
        return said is value
    if isinstance(value, list | tuple):
        return isinstance(said, str) and all(str(v).casefold() in said.casefold() for v in value)
    return str(said).casefold().strip() == str(value).casefold().strip()


def _check_order(
    finding: Finding,
    value: Json,
    unit: str | None,
    other: tuple[Any, str | None],
) -> None:
    op = finding.compare.op if finding.compare else "="
    if not (_is_number(value) and _is_number(other[0])):
        raise UnsupportedError("only numbers can be compared")
    left, right = read_unit(unit), read_unit(other[1])
    if left and right and left.family != right.family:
        raise UnsupportedError(f"{unit} and {other[1]} cannot be compared")
    a = float(value) * (left.factor if left else 1.0)
    b = float(other[0]) * (right.factor if right else 1.0)
    holds = {">": a > b, "<": a < b, "=": math.isclose(a, b, rel_tol=1e-3)}[op]
    if not holds:
        raise UnsupportedError(f"the results say {value} and {other[0]}, so {op!r} does not hold")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
