"""What a tool found, as a typed model: each number says in its type what it counts or measures.

The JSON that a language model sees is dumped from the model; writer and verifier ask `meaning_at`
what stands at a pointer of it, in place of guessing from the spelling of its keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from jsonpointer import JsonPointer
from pydantic import BaseModel, ConfigDict

from tool_use_om.data.values import Json, Untyped

Kind = Literal["measure", "count", "share", "score", "name", "verdict", "text"]


@dataclass(frozen=True)
class Meaning:
    """What stands in a field.

    Parameters
    ----------
    kind : a measure has a unit, a count none; a share is from 0 to 1 and may be said in percent;
        a score is a plain number (a distance, a p-value); a name is one out of the data; a verdict
        is yes or no; a text is a remark
    unit : the unit, where it is always the same
    unit_beside : the key beside it under which its unit stands, where it is the data's
    """

    kind: Kind
    unit: str | None = None
    unit_beside: str | None = None


Seconds = Annotated[float, Meaning("measure", unit="s")]
Count = Annotated[int, Meaning("count")]
Share = Annotated[float, Meaning("share")]
Score = Annotated[float, Meaning("score")]
Measured = Annotated[float, Meaning("measure", unit_beside="unit")]
Name = Annotated[str, Meaning("name")]
Verdict = Annotated[bool, Meaning("verdict")]
Text = Annotated[str, Meaning("text")]


class Row(BaseModel):
    """One object inside a result; what was not set is not written."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Content(Row):
    """What one call found; `key` is the field that no other result has."""

    key: ClassVar[str] = ""

    def to_json(self) -> dict[str, Any]:
        """Return builtins, in the order of the fields; what was not set is left out."""
        return self.model_dump(exclude_unset=True)


def meaning_at(model: type[BaseModel], pointer: str, content: Json) -> Meaning | None:
    """Return what stands at a JSON pointer of a result, with its unit looked up beside it.

    Parameters
    ----------
    model : of the result
    content : the result's JSON, where the data's own units stand

    Returns
    -------
    None where the model has no such field, or the pointer leads to a list or an object
    """
    kind: Any = model
    found: Meaning | None = None
    at = content
    for step in JsonPointer(pointer).parts:
        beside = at
        kind, found = _below(kind, str(step))
        if kind is None:
            return None
        at = _inside(at, str(step))
    if found is None or found.unit_beside is None:
        return found
    unit = beside.get(found.unit_beside) if isinstance(beside, Mapping) else None
    return Meaning(found.kind, unit=unit if isinstance(unit, str) else None)


def _below(kind: Untyped, step: str) -> tuple[Any, Meaning | None]:
    """Return the type under a key or an index, and what its field says of it."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(step)
        if field is None:
            return None, None
        said = next((m for m in field.metadata if isinstance(m, Meaning)), None)
        inner, own = _bare(field.annotation)
        return inner, said or own
    origin: Untyped = get_origin(kind)
    inside = {list: 0, tuple: 0, dict: 1}.get(origin)
    return (None, None) if inside is None else _bare(get_args(kind)[inside])


def _bare(kind: Untyped) -> tuple[Any, Meaning | None]:
    """Return a type without "or None" and without its remarks, and the remark about its meaning."""
    origin: Untyped = get_origin(kind)
    if origin is Annotated:
        inner, *remarks = get_args(kind)
        return _bare(inner)[0], next((r for r in remarks if isinstance(r, Meaning)), None)
    if origin in {Union, UnionType}:
        return _bare(next(k for k in get_args(kind) if k is not type(None)))
    return kind, None


def _inside(value: Json, step: str) -> Json:
    if isinstance(value, Mapping):
        return value.get(step)
    listed = isinstance(value, list) and step.isdecimal() and int(step) < len(value)
    return value[int(step)] if listed else None
