"""The typed results there are, and what stands at a pointer of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tool_use_om.tools.call.content import Content, Meaning, meaning_at
from tool_use_om.tools.run.classify.suspects import SuspectsFound
from tool_use_om.tools.run.search.found import (
    MotifsFound,
    NeighboursFound,
    SessionsRanked,
    UnusualFound,
)

# tool → the models of what it may find; each is known by the field that no other has
RESULTS: dict[str, tuple[type[Content], ...]] = {
    "run_task": (NeighboursFound, SessionsRanked, MotifsFound, UnusualFound, SuspectsFound),
}


def result_model(tool: str, content: Mapping[str, Any]) -> type[Content] | None:
    """Return the model of a tool's result; None = this result has none yet."""
    return next((m for m in RESULTS.get(tool, ()) if m.key in content), None)


def unit_at(tool: str, pointer: str, content: Mapping[str, Any]) -> Meaning | None:
    """Return what stands at a JSON pointer of a tool's result: count, share, or in which unit.

    Parameters
    ----------
    tool : str, which the content came from
    content : the result's JSON

    Returns
    -------
    None where the result has no model yet, or nothing in its model stands there
    """
    model = result_model(tool, content)
    return None if model is None else meaning_at(model, pointer, content)
