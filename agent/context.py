"""What holds for a whole run and is chosen by the caller, not by the model."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped

_MODEL_NODES: list[JsonValue] = ["plan", "act", "interpret"]
_ALL_NODES: list[JsonValue] = [*_MODEL_NODES, "tools"]


class AgentContext(BaseModel):
    """Model, data set, workspace and limits of one run; every field has a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        default="offline",
        min_length=1,
        description="Which model plans and explains: 'offline' (no key, no network), "
        "'google_genai:<name>', 'local:<folder>', or '<provider>:<name>'.",
        json_schema_extra={"langgraph_nodes": _MODEL_NODES, "langgraph_type": "text"},
    )
    dataset: str = Field(
        default="basic-motions",
        min_length=1,
        description="The data set that questions are about unless they name another.",
        json_schema_extra={"langgraph_nodes": _ALL_NODES, "langgraph_type": "text"},
    )
    workspace: str | None = Field(
        default=None,
        description="Folder for data sets, token cache and results; "
        "empty = $TUOM_WORKSPACE, else ./.tuom.",
        json_schema_extra={"langgraph_nodes": ["tools"], "langgraph_type": "text"},
    )
    seed: int = Field(
        default=0,
        ge=0,
        description="Seed of everything random in a run.",
        json_schema_extra={"langgraph_nodes": ["tools"]},
    )
    max_tool_calls: int = Field(
        default=20,
        ge=0,
        le=100,
        description="After this many tool calls a run answers with what it has.",
        json_schema_extra={"langgraph_nodes": ["act"]},
    )


def coerce_context(given: object) -> AgentContext:
    """Return `given` as an AgentContext.

    Parameters
    ----------
    given : None (a plain `invoke`: the defaults), an AgentContext, a mapping, or a foreign graph's
        context object, of which the fields with our names are used and the others left alone

    Raises
    ------
    DataError : a field of ours has a value that cannot be used
    """
    if given is None:
        return AgentContext()
    if isinstance(given, AgentContext):
        return given
    values = {name: _field(given, name) for name in AgentContext.model_fields}
    try:
        return AgentContext.model_validate({k: v for k, v in values.items() if v is not None})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}, got {e['input']!r}"
            for e in error.errors()
        )
        raise DataError(f"The run's context cannot be used. {wrong}.") from error


def _field(given: object, name: str) -> Untyped:
    return given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)
