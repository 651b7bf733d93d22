"""What a tool found, as a typed model: each number says in its type what it counts or measures.

The JSON that a language model sees is written from the model. Who reads a result back (`places`)
gets the model again, so that a field that is not there is an error, and writer and verifier take
unit, kind and owner of a value from its type in place of guessing from the spelling of its key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from keyword import iskeyword
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from jsonpointer import JsonPointer
from pydantic import BaseModel, ConfigDict, SkipValidation

from tool_use_om.data.values import Json, Untyped

Kind = Literal["measure", "count", "share", "score", "name", "verdict", "text"]


@dataclass(frozen=True)
class Meaning:
    """What stands in a field.

    Parameters
    ----------
    kind : a measure has a unit, a count none; a share is from 0 to 1 and may be said in percent;
        a score is a plain number (a distance, a p-value); a name is one out of the data or of this
        package; a verdict is yes or no; a text is a remark
    unit : the unit, where it is always the same
    unit_beside : the key beside it under which its unit stands, where it is the data's
    of : what a name is the name of ("channel"); of a second, whether a stretch starts or ends there
    owner : a name to which the numbers beside it belong
    """

    kind: Kind
    unit: str | None = None
    unit_beside: str | None = None
    of: str = ""
    owner: bool = False


@dataclass(frozen=True)
class Mark:
    """What a field of a whole result says of other fields.

    Parameters
    ----------
    says : "owner": the name there owns every other number of the result; "held out": what stands
        there was measured on the sessions that were judged; "judged": which ones these are;
        "grouping": what kind of name a group's is
    """

    says: Literal["owner", "held out", "judged", "grouping"]


@dataclass(frozen=True)
class EachOf:
    """A list whose items belong, one by one, to the names of the list beside it."""

    beside: str


OWNS_ALL = Mark("owner")
HELD_OUT = Mark("held out")
JUDGED = Mark("judged")
GROUPING = Mark("grouping")
TASK = Meaning("name", of="task")

# Values are kept as they come: an integer is not made a float, as the stored JSON tells them apart.
Seconds = Annotated[float, SkipValidation, Meaning("measure", unit="s")]
Start = Annotated[float, SkipValidation, Meaning("measure", unit="s", of="start")]
End = Annotated[float, SkipValidation, Meaning("measure", unit="s", of="end")]
Hertz = Annotated[float, SkipValidation, Meaning("measure", unit="Hz")]
Megabytes = Annotated[float, SkipValidation, Meaning("measure", unit="MB")]
Percent = Annotated[float, SkipValidation, Meaning("measure", unit="%")]
Measured = Annotated[float, SkipValidation, Meaning("measure", unit_beside="unit")]
Count = Annotated[int, SkipValidation, Meaning("count")]
Share = Annotated[float, SkipValidation, Meaning("share")]
Fraction = Annotated[float, SkipValidation, Meaning("share", unit="frac")]
Score = Annotated[float, SkipValidation, Meaning("score")]
Verdict = Annotated[bool, SkipValidation, Meaning("verdict")]
Text = Annotated[str, SkipValidation, Meaning("text")]
Moment = Annotated[str, SkipValidation, Meaning("text")]

Channel = Annotated[str, SkipValidation, Meaning("name", of="channel", owner=True)]
Session = Annotated[str, SkipValidation, Meaning("name", of="session", owner=True)]
Label = Annotated[str, SkipValidation, Meaning("name", of="label", owner=True)]
Subject = Annotated[str, SkipValidation, Meaning("name", of="subject", owner=True)]
Head = Annotated[str, SkipValidation, Meaning("name", of="head", owner=True)]
Model = Annotated[str, SkipValidation, Meaning("name", of="model", owner=True)]
Group = Annotated[str, SkipValidation, Meaning("name", of="group", owner=True)]
Feature = Annotated[str, SkipValidation, Meaning("name", of="feature", owner=True)]
Split = Annotated[str, SkipValidation, Meaning("name", of="split")]
DataSetName = Annotated[str, SkipValidation, Meaning("name", of="data set")]
Named = Annotated[str, SkipValidation, Meaning("name", of="name", owner=True)]
Where = Annotated[str, SkipValidation, Meaning("text", of="where", owner=True)]
Unit = Annotated[str, SkipValidation, Meaning("name", of="unit")]
Tokenizer = Annotated[str, SkipValidation, Meaning("name", of="tokenizer")]
Statistic = Annotated[str, SkipValidation, Meaning("name", of="statistic")]
Metric = Annotated[str, SkipValidation, Meaning("name", of="metric")]
Direction = Annotated[str, SkipValidation, Meaning("name", of="direction")]
# a name that the numbers beside it are not of
NamedLabel = Annotated[str, SkipValidation, Meaning("name", of="label")]
NamedHead = Annotated[str, SkipValidation, Meaning("name", of="head")]
NamedModel = Annotated[str, SkipValidation, Meaning("name", of="model")]


LEFT_OUT: Any = object()  # default of a field that may be missing, and null where it is told


class Row(BaseModel):
    """One object inside a result.

    What may be missing from it (a default of None) is left out of the JSON where it is None; what
    is always told is required, and null where there is none. A key that is a word of Python has an
    underscore behind it as a field ("from_").
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    def to_json(self) -> dict[str, Any]:
        """Return plain values, in the order of the fields."""
        told = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            key_of(name): _plain(value)
            for name, value in told.items()
            if value is not LEFT_OUT and (value is not None or _told_as_null(self, name))
        }


def _told_as_null(row: Row, name: str) -> bool:
    return type(row).model_fields[name].default is not None


def key_of(field: str) -> str:
    """Return the JSON key of a field."""
    return field.removesuffix("_")


def field_of(key: str) -> str:
    """Return the field of a JSON key."""
    return f"{key}_" if iskeyword(key) else key


def _plain(value: Untyped) -> Json:
    if isinstance(value, Row):
        return value.to_json()
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


class Span(Row):
    """A part of a session."""

    session_id: Session
    start_s: Start
    end_s: End


class Content(Row):
    """What one call found; `key` is a field that no other result of its tool has."""

    key: ClassVar[str] = ""

    @classmethod
    def is_of(cls, content: Mapping[str, Any]) -> bool:
        """Tell whether a result of the tool is of this model."""
        return cls.key in content


@dataclass(frozen=True)
class Slot:
    """What a type says of a value.

    Parameters
    ----------
    kind : the type, without "or None" and without remarks
    meaning : None for an object, a list, or what the type does not name
    marks : what the model says of the field besides
    """

    kind: Untyped
    meaning: Meaning | None = None
    marks: tuple[Untyped, ...] = ()

    @property
    def model(self) -> type[BaseModel] | None:
        """The model of an object, None for a list, a mapping or a plain value."""
        is_model = isinstance(self.kind, type) and issubclass(self.kind, BaseModel)
        return self.kind if is_model else None

    @property
    def keys(self) -> Meaning | None:
        """What the keys of a mapping are."""
        return fit(get_args(self.kind)[0], "").meaning if origin(self.kind) is dict else None

    def below(self, key: str, value: Json) -> Slot | None:
        """Return what is said of the value under a key or an index; None if there is no such."""
        if self.model is not None:
            field = self.model.model_fields.get(field_of(key))
            return field and fit(field.annotation, value, tuple(field.metadata))
        if self.kind is Any:
            return self
        place = {list: 0, tuple: 0, dict: 1}.get(origin(self.kind))
        return None if place is None else fit(get_args(self.kind)[place], value)


def origin(kind: Untyped) -> Untyped:
    """Return what a type with parameters is made from: `list` of `list[int]`; else None."""
    return get_origin(kind)


def fit(kind: Untyped, value: Json, remarks: tuple[Untyped, ...] = ()) -> Slot:
    """Return what a type says of a value; of "one or the other" what the value's shape is."""
    if origin(kind) is Annotated:
        inner, *more = get_args(kind)
        return fit(inner, value, (*more, *remarks))
    if origin(kind) in {Union, UnionType}:
        parts = [part for part in get_args(kind) if part is not NoneType]
        alike = [part for part in parts if _shape_of(part) == _shape(value)]
        whole = (part for part in alike if _holds(part, value))
        return fit(next(whole, (alike or parts)[0]), value, remarks)
    meaning = next((r for r in remarks if isinstance(r, Meaning)), None)
    return Slot(kind, meaning, tuple(r for r in remarks if isinstance(r, Mark | EachOf)))


def _holds(kind: Untyped, value: Json) -> bool:
    """Tell whether an object has all fields that a model asks for, and no other."""
    model = Slot(kind).model
    if model is None:
        return True
    fields = {key_of(name): field for name, field in model.model_fields.items()}
    asked = {key for key, field in fields.items() if field.is_required()}
    return asked <= set(value) <= set(fields)


def _shape_of(kind: Untyped) -> str:
    if origin(kind) is Annotated:
        return _shape_of(get_args(kind)[0])
    bare = origin(kind) or kind
    is_object = isinstance(bare, type) and issubclass(bare, BaseModel | dict)
    return "object" if is_object else "list" if bare in {list, tuple} else "plain"


def _shape(value: Json) -> str:
    if isinstance(value, Mapping):
        return "object"
    return "list" if isinstance(value, list | tuple) else "plain"


@dataclass(frozen=True)
class Step:
    """One step of a JSON pointer through a result: under which key of what, and what is there."""

    key: str
    within: Slot
    held: Json
    slot: Slot


def steps_to(model: type[BaseModel], pointer: str, content: Json) -> list[Step] | None:
    """Return the steps of a JSON pointer through a result; None where its model has no such field.

    Parameters
    ----------
    model : of the result
    content : the result's JSON
    """
    slot, at, found = Slot(model), content, []
    for raw in JsonPointer(pointer).parts:
        key, held = str(raw), at
        at = _inside(held, key)
        below = slot.below(key, at)
        if below is None:
            return None
        found.append(Step(key, slot, held, below))
        slot = below
    return found


def meaning_at(model: type[BaseModel], pointer: str, content: Json) -> Meaning | None:
    """Return what stands at a JSON pointer of a result, with its unit looked up beside it.

    Returns
    -------
    None where the model has no such field, or the pointer leads to a list or an object
    """
    steps = steps_to(model, pointer, content)
    return with_unit(steps[-1].slot.meaning, steps[-1].held) if steps else None


def with_unit(meaning: Meaning | None, beside: Json) -> Meaning | None:
    """Return a meaning with the unit that stands beside the value, where it is the data's."""
    if meaning is None or meaning.unit_beside is None:
        return meaning
    unit = beside.get(meaning.unit_beside) if isinstance(beside, Mapping) else None
    return replace(meaning, unit=unit if isinstance(unit, str) else None, unit_beside=None)


def texts_in(slot: Slot, value: Json) -> Iterator[tuple[Meaning | None, str]]:
    """Yield every text of a result with what it is, the keys of mappings by name among them."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if slot.keys is not None:
                yield slot.keys, str(key)
            if (below := slot.below(str(key), inner)) is not None:
                yield from texts_in(below, inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            if (below := slot.below("0", inner)) is not None:
                yield from texts_in(below, inner)
    elif isinstance(value, str):
        yield slot.meaning, value


def _inside(value: Json, key: str) -> Json:
    if isinstance(value, Mapping):
        return value.get(key)
    listed = isinstance(value, list) and key.isdecimal() and int(key) < len(value)
    return value[int(key)] if listed else None
