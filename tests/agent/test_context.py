"""The run's context: defaults, coercion, and what Studio's form shows."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tool_use_om.agent.context import AgentContext, coerce_context
from tool_use_om.data.errors import DataError


def test_context_is_the_default_when_a_plain_invoke_gives_none() -> None:
    """`runtime.context` is None then; every field has a default."""
    assert coerce_context(None) == AgentContext()


def test_context_is_kept_as_it_is() -> None:
    """An AgentContext passes through."""
    context = AgentContext(model="x:y")
    assert coerce_context(context) is context


def test_context_takes_our_fields_out_of_a_foreign_one() -> None:
    """A parent graph's context may carry our fields among its own, as mapping or as object."""

    @dataclass
    class Foreign:
        user: str = "u"
        dataset: str = "towers"

    assert coerce_context(Foreign()).dataset == "towers"
    assert coerce_context({"seed": 3, "other": object()}) == AgentContext(seed=3)
    assert coerce_context(object()) == AgentContext()


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": "x"}, {"max_tool_calls": 1000}])
def test_context_names_the_field_that_cannot_be_used(wrong: dict[str, object]) -> None:
    """Field, rule and value are in the error."""
    with pytest.raises(DataError, match=next(iter(wrong))):
        coerce_context(wrong)


def test_context_fields_say_where_studio_shows_them() -> None:
    """Each field names the nodes it configures."""
    fields = AgentContext.model_json_schema()["properties"]
    assert all(field["langgraph_nodes"] for field in fields.values())
    assert fields["model"]["langgraph_type"] == "text"
