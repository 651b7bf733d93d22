"""What a head says about itself, and the check of what it is asked to be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from tool_use_om.data.errors import DataError, unknown

ParamValue = bool | int | float | str | None
Task = Literal["classify", "forecast", "retrieve", "anomaly"]
_KIND_IN_WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
}


@dataclass(frozen=True, kw_only=True)
class Param:
    """One setting of a head: its default gives the type, `low`/`high`/`choices` the limits.

    Parameters
    ----------
    default : the value used when none is given; None means "chosen from the data"
    kind : "bool", "int", "float" or "str"
    low, high : inclusive limits of a number
    choices : the only values allowed, where there are few
    """

    name: str
    default: ParamValue
    description: str
    kind: Literal["bool", "int", "float", "str"]
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def check(self, value: object) -> ParamValue:
        """Return `value` as this parameter's type; raise DataError naming the rule it breaks."""
        if value is None and self.default is None:
            return None
        if self.kind == "bool" and isinstance(value, bool):
            return value
        if self.kind == "str" and isinstance(value, str) and value in (self.choices or (value,)):
            return value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.kind in {"int", "float"} and is_number:
            with suppress(OverflowError):  # a whole number of hundreds of digits
                return self._number(float(value))  # type: ignore[arg-type]  # is_number says so
        raise self._error(value)

    def rule(self) -> str:
        """Return the limits in words, such as `a whole number from 1 to 50`."""
        if self.choices:
            return "one of " + ", ".join(repr(c) for c in self.choices)
        span = f" from {self.low:g} to {self.high:g}" if self.low is not None else ""
        empty = " or null (chosen from the data)" if self.default is None else ""
        return _KIND_IN_WORDS[self.kind] + span + empty

    def _number(self, value: float) -> ParamValue:
        whole = self.kind == "int"
        low = self.low if self.low is not None else value
        high = self.high if self.high is not None else value
        finite = math.isfinite(value)
        if not finite or not low <= value <= high or (whole and value != int(value)):
            raise self._error(value)
        return int(value) if whole else value

    def _error(self, value: object) -> DataError:
        return DataError(f"`{self.name}` must be {self.rule()}, got {value!r}.")


@dataclass(frozen=True, kw_only=True)
class HeadSpec:
    """What the language model and people choose a head by.

    Parameters
    ----------
    labels_needed : labels a class from which the head is useful; 0 = needs none
    said : the words people use for it; a question that holds one of them names this head
    listed : whether it is offered and compared where nobody names it (docs/results.md has the rule)
    """

    name: str
    task: Task
    summary: str
    good_at: str
    bad_at: str
    labels_needed: int
    params: tuple[Param, ...] = ()
    said: tuple[str, ...] = ()
    listed: bool = True

    def defaults(self) -> dict[str, ParamValue]:
        """Return every parameter with its default."""
        return {p.name: p.default for p in self.params}

    def resolve(self, given: Mapping[str, object]) -> dict[str, ParamValue]:
        """Return the full, checked parameters.

        Raises
        ------
        NotFoundError : a name this head does not have; the valid ones are listed
        DataError : a value outside its limits
        """
        known = {p.name: p for p in self.params}
        for name in given:
            if name not in known:
                raise unknown(f"parameter of head {self.name!r}", name, known)
        return self.defaults() | {name: known[name].check(value) for name, value in given.items()}

    def to_json(self) -> dict[str, object]:
        """Return the spec as builtins, limits in words."""
        params = [
            {"name": p.name, "default": p.default, "rule": p.rule(), "description": p.description}
            for p in self.params
        ]
        plain = {k: getattr(self, k) for k in ("name", "task", "summary", "good_at", "bad_at")}
        return {**plain, "labels_needed": self.labels_needed, "params": params}
