"""Every tool's result has a model; each number says what it is, and no rename goes unnoticed."""

from __future__ import annotations

from typing import Any, Literal, get_args

import jsonpointer
import pytest
from pydantic import BaseModel, ValidationError

from tool_use_om.tools.call.content import Content, Slot, fit, key_of, origin
from tool_use_om.tools.call.places import place_of, read
from tool_use_om.tools.registry import TOOLS
from tool_use_om.tools.results import RESULTS, result_model

MODELS = [(tool, model) for tool, models in RESULTS.items() for model in models]


def sample(kind: Any) -> Any:
    """Return some JSON of a type, whole to the last optional field."""
    slot = fit(kind, {}) if not isinstance(kind, Slot) else kind
    if slot.model is not None:
        fields = slot.model.model_fields.items()
        return {key_of(name): sample(field.annotation) for name, field in fields}
    of = get_args(slot.kind)
    if origin(slot.kind) is Literal:
        return of[0]
    if origin(slot.kind) in {list, dict}:
        return [sample(of[0])] if origin(slot.kind) is list else {"a/b": sample(of[1])}
    return {bool: True, int: 3, float: 0.5, str: "name"}.get(slot.kind, "anything")


def whole(model: type[Content]) -> dict[str, Any]:
    """Return a result with every field; a statistic is known by its name."""
    found: dict[str, Any] = sample(model)
    statistics = getattr(model, "statistics", ())
    return {**found, **({"statistic": min(statistics)} if statistics else {})}


def leaves(value: Any) -> list[Any]:
    """Return every value of a model that a sentence could refer to."""
    if isinstance(value, BaseModel):
        return [one for name in type(value).model_fields for one in leaves(getattr(value, name))]
    if isinstance(value, dict):
        return [one for inner in value.values() for one in leaves(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in leaves(inner)]
    return [] if value is None or isinstance(value, bool) else [value]


def test_every_tool_has_a_model_of_its_result() -> None:
    """A tool without one could be renamed under the words that tell it."""
    assert RESULTS.keys() == TOOLS.keys()


@pytest.mark.parametrize(("tool", "model"), MODELS)
def test_every_value_resolves_and_says_what_it_is(tool: str, model: type[Content]) -> None:
    """The place of each value leads back to it; no number is without a meaning."""
    content = whole(model)
    assert result_model(tool, content) is model
    told = leaves(read(model, content))
    assert told
    for value in told:
        place = place_of(value)
        assert place is not None
        assert jsonpointer.resolve_pointer(content, place.pointer) == value
        assert place.meaning is not None or not isinstance(value, int | float)


@pytest.mark.parametrize(("tool", "model"), MODELS)
def test_a_result_is_written_as_it_was_read(tool: str, model: type[Content]) -> None:
    """Reading loses nothing, and writes the same keys in the same order."""
    del tool
    content = whole(model)
    assert read(model, content).to_json() == content
    assert list(read(model, content).to_json()) == [key_of(name) for name in model.model_fields]


@pytest.mark.parametrize(("tool", "model"), MODELS)
def test_a_renamed_field_fails_loudly(tool: str, model: type[Content]) -> None:
    """A tool that writes another key is stopped, and so is a sentence that reads one."""
    del tool
    content = whole(model)
    name, value = next(iter(content.items()))
    with pytest.raises(ValidationError, match="renamed"):
        model.model_validate({**content, "renamed": value})
    with pytest.raises(AttributeError):
        getattr(read(model, content), f"{name}_renamed")
