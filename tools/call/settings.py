"""The settings heads have, as a JSON schema: some hosts take no object without properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES: Mapping[str, str] = {"bool": "boolean", "int": "integer", "float": "number"}


def head_settings(schema: dict[str, Any]) -> None:
    """Add every setting that some head has to the schema of an object."""
    from tool_use_om.heads.registry import head_specs

    found: dict[str, Any] = {}
    for param in (param for spec in head_specs() for param in spec.params):
        field: dict[str, Any] = {"type": _TYPES.get(param.kind, "string")}
        if param.choices:
            field["enum"] = list(param.choices)
        found.setdefault(param.name, field)
    schema["properties"] = found
    schema["additionalProperties"] = False
