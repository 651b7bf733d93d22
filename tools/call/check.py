"""Arguments checked with errors a language model can mend, and the schemas it sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from tool_use_om.data.errors import DataError, nearest
from tool_use_om.data.values import Json
from tool_use_om.tools.call.arguments import Arguments

A = TypeVar("A", bound=Arguments)

_SAID_ELSEWHERE = frozenset({"title", "description", "properties", "additionalProperties"})


def check_arguments(tool: str, model: type[A], args: Mapping[str, object]) -> A:
    """Return the arguments as the tool's model; raise DataError that says what to mend."""
    try:
        return model.model_validate(dict(args))
    except ValidationError as error:
        fields = model.model_fields
        wrong = "; ".join(_one(dict(e), list(fields)) for e in error.errors()[:5])
        listed = ", ".join(fields) or "none"
        raise DataError(f"{tool}: {wrong}. Its arguments: {listed}.") from error


def _one(error: dict[str, Any], fields: list[str]) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "arguments"
    if error["type"] == "extra_forbidden":
        close = nearest(where, fields, n=1)
        return f"unknown argument {where!r}" + (f", did you mean {close[0]!r}?" if close else "")
    if error["type"] == "missing":
        return f"{where!r} is required"
    return f"{where!r}: {error['msg'].lower()}, got {str(error['input'])[:60]!r}"


def json_schema(tool: str, model: type[Arguments], description: str) -> dict[str, Any]:
    """Return the JSON schema of a tool's arguments, as short as small models need it.

    An optional argument shows its plain type: leaving it out is how it is None.
    """
    full = model.model_json_schema()
    models = full.get("$defs", {})
    properties = {
        name: _plain(_inlined(schema, models))
        for name, schema in full.get("properties", {}).items()
    }
    return {
        "title": tool,
        "description": description,
        "type": "object",
        "properties": properties,
        "required": list(full.get("required", [])),
        "additionalProperties": False,
    }


def _inlined(schema: Json, models: Mapping[str, Any]) -> Json:
    """Return the schema with each reference replaced by the model it names: some hosts take none.

    A field of such a model is as plain as an argument: no titles, optional ones of their own type.
    """
    if isinstance(schema, list):
        return [_inlined(item, models) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        return _model(models[str(schema["$ref"]).rpartition("/")[2]], models)
    return {key: _inlined(value, models) for key, value in schema.items()}


def _model(schema: Mapping[str, Any], models: Mapping[str, Any]) -> dict[str, Any]:
    fields = schema.get("properties", {})
    return {
        **{k: v for k, v in schema.items() if k not in _SAID_ELSEWHERE},
        "properties": {name: _plain(_inlined(field, models)) for name, field in fields.items()},
    }


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in schema.items() if k not in {"title", "anyOf", "default"}}
    for option in schema.get("anyOf", []):
        if option.get("type") != "null":
            kept = {**_plain(option), **kept}
    if "prefixItems" in kept:  # a pair of numbers; few hosts read it, all read "items"
        kept["items"] = kept.pop("prefixItems")[0]
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    return kept
