"""Whose a value is: what the types of a result say of the names beside it and above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from tool_use_om.data.values import Json
from tool_use_om.tools.call.content import (
    GROUPING,
    HELD_OUT,
    JUDGED,
    OWNS_ALL,
    EachOf,
    Slot,
    Step,
    fit,
)

# what the names are of that say whose a row's numbers are, the first told first
_OWNERS = (
    "channel", "session", "label", "head", "model", "group", "subject", "feature", "name", "where",
)  # fmt: skip


def owner_of(content: Mapping[str, Any], steps: Sequence[Step]) -> tuple[tuple[str, str], ...]:
    """Return whose a value is: of its row first, then of the whole result."""
    root = {
        name: fit(field.annotation, content.get(name), tuple(field.metadata))
        for name, field in (steps[0].within.model or BaseModel).model_fields.items()
    }
    by = next((str(content.get(n) or "group") for n, s in root.items() if GROUPING in s.marks), "")
    found: dict[str, str] = {}
    for before, one in pairwise(steps):
        if one.within.model is not None:
            found |= _of_row(one, by or "group")
        elif one.within.keys is not None:
            found[one.within.keys.of] = one.key
        found |= _of_each(before, one)
    for name, slot in root.items():
        names = _owners_named(slot, content.get(name)) if OWNS_ALL in slot.marks else {}
        found |= {k: v for k, v in names.items() if steps[0].key != name and k not in found}
    judged = next((content.get(n) for n, s in root.items() if JUDGED in s.marks), None)
    number = JUDGED in steps[0].slot.marks and steps[-1].key.startswith("n_")
    if (number or HELD_OUT in steps[0].slot.marks) and isinstance(judged, Mapping):
        found["split"] = str(judged.get("split") or "test")
    return tuple(found.items())


def _of_row(one: Step, by: str) -> dict[str, str]:
    """Return what a row says of its own values; a name is not its own owner."""
    fields = (one.within.model or BaseModel).model_fields
    slots = {name: one.within.below(name, one.held.get(name)) for name in fields}
    said = {n: s.meaning for n, s in slots.items() if s is not None and s.meaning is not None}
    owners = [n for n, m in said.items() if m.owner and n != one.key]
    owners.sort(key=lambda n: _OWNERS.index(said[n].of))
    found = {
        by if said[n].of == "group" else said[n].of: one.held[n]
        for n in owners
        if isinstance(one.held.get(n), str)
    }
    ends = [next((n for n, m in said.items() if m.of == end), "") for end in ("start", "end")]
    start, end = (one.held.get(n) for n in ends)
    if one.key not in ends and isinstance(start, int | float) and isinstance(end, int | float):
        found["time"] = f"{start:g} s to {end:g} s"
    return found


def _of_each(before: Step, one: Step) -> dict[str, str]:
    """Return whose an item of a list is whose items belong to the names of the list beside it."""
    for mark in before.slot.marks:
        if isinstance(mark, EachOf) and before.within.model is not None:
            names = before.held[mark.beside]
            of = before.within.below(mark.beside, names)
            item = of and of.below("0", "")
            if item and item.meaning:
                return {item.meaning.of: str(names[int(one.key)])}
    return {}


def _owners_named(slot: Slot, value: Json) -> dict[str, str]:
    """Return the names by which a field owns the whole result, under what they are names of."""
    listed = isinstance(value, list)
    item = slot.below("0", "") if listed else slot
    names = [text for text in (value if listed else [value]) if isinstance(text, str)]
    return {item.meaning.of: " or ".join(names)} if names and item and item.meaning else {}
