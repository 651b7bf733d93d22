"""A result read back as its model, where each value knows where it stands.

`read` gives the typed model of a result's JSON. Its numbers, texts and lists are what they are, and
carry besides the place they came from: who refers to a value takes the pointer from the value, so
that no pointer is ever spelt. What was computed from them has no place, and cannot be referred to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, TypeVar, cast, get_args

from pydantic import BaseModel

from tool_use_om.data.values import Json, Untyped
from tool_use_om.tools.call.content import Meaning, Slot, fit, key_of, origin, with_unit
from tool_use_om.tools.call.results import escape

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class Place:
    """Where a value stands.

    Parameters
    ----------
    source : the result it was read from, as the reader named it
    pointer : its JSON pointer there
    meaning : what its type says of it, its unit looked up; None where no type names it
    """

    source: object
    pointer: str
    meaning: Meaning | None


class _Float(float):
    place: Place


class _Int(int):
    place: Place


class _Text(str):
    place: Place


class _List(list[Any]):
    place: Place


_PLACED: dict[type, type] = {float: _Float, int: _Int, str: _Text, list: _List}


def place_of(value: object) -> Place | None:
    """Return where a value read by `read` stands; None for any other value."""
    return getattr(value, "place", None)


def read(model: type[M], content: Json, source: object = None, at: str = "") -> M:
    """Return a result's JSON as its model, each value with its place.

    What is not there reads as nothing (None, an empty list, an object of such), as results of
    earlier versions may lack a field; a field that the model does not have is an AttributeError.

    Parameters
    ----------
    source : what to note as the place's source
    at : JSON pointer of the content inside its result
    """
    return cast("M", _Reader(source).value(Slot(model), content, None, at))


@dataclass(frozen=True)
class _Reader:
    """Goes through a result and its type side by side."""

    source: object

    def value(self, slot: Slot, value: Json, beside: Json, at: str) -> Json:
        if slot.model is not None and isinstance(value, Mapping):
            return self._object(slot.model, value, at)
        if isinstance(value, Mapping):
            return {key: self._below(slot, str(key), value, at) for key in value}
        if isinstance(value, list | tuple):
            value = [self._below(slot, str(i), value, at) for i in range(len(value))]
        kind = next((kind for kind in _PLACED if isinstance(value, kind)), None)
        if kind is None or isinstance(value, bool):
            return value
        placed = _PLACED[kind](value)
        placed.place = Place(self.source, at, with_unit(slot.meaning, beside))
        return placed

    def _object(self, model: type[BaseModel], value: Mapping[str, Any], at: str) -> BaseModel:
        fields = {
            name: self._below(Slot(model), key, value, at)
            if (key := key_of(name)) in value
            else _nothing(field.annotation)
            for name, field in model.model_fields.items()
        }
        return model.model_construct(**fields)

    def _below(self, slot: Slot, key: str, within: Json, at: str) -> Json:
        inner = within[key] if isinstance(within, Mapping) else within[int(key)]
        return self.value(slot.below(key, inner) or _ANY, inner, within, f"{at}/{escape(key)}")


_ANY = Slot(Any)


def _nothing(kind: Untyped) -> Json:
    """Return what a field that is not there reads as."""
    slot = fit(kind, None)
    if NoneType in get_args(kind):
        return None
    empty: dict[Untyped, Json] = {list: [], dict: {}}
    return empty.get(origin(slot.kind)) if slot.model is None else read(slot.model, {})
