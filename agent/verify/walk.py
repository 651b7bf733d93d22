"""Walks through results, arguments and cards: their numbers, their texts, the names in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tool_use_om.data.values import Json

# the stored bulk, what depends on the machine, and what a call was asked: no sources
HIDDEN = frozenset({"detail", "timing", "kind", "args", "inputs", "result_id"})
# keys of a mapping whose own keys are names of the data
PER = {"sessions_per_label": "label", "sessions_per_split": "split", "found": "label"}


def echoes(args: Mapping[str, Any], keys: Sequence[str], value: object) -> bool:
    """Tell whether a number is what the call was asked for, under the same word."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    words = {w for key in keys for w in key.split("_")} - {"s", "n", "hz", "per", "value"}
    for name, given in args.items():
        if words & set(name.split("_")) and any(
            given_one == value for given_one in numbers_in(given)
        ):
            return True
    return False


def numbers_in(value: Json) -> Iterator[float]:
    """Yield every number; verdicts are none."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from numbers_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from numbers_in(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def texts_in(value: Json) -> Iterator[str]:
    """Yield every text; keys are none."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, str):
        yield value


def named_in(value: Json, key: str) -> Iterator[tuple[str, str]]:
    """Yield (key, text) of every text in a result, a list's items under the list's key."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in PER and isinstance(inner, Mapping):
                yield from ((PER[name], str(label)) for label in inner)
            elif name not in HIDDEN:
                yield from named_in(inner, str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from named_in(inner, key)
    elif isinstance(value, str):
        yield key, value


def names_of_card(card: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names a data set's card gives: its own, its channels, labels, sessions, splits."""
    yield str(card.get("name") or "")
    yield from (str(c.get("id")) for c in card.get("channels") or [] if isinstance(c, Mapping))
    for key in ("labels", "session_ids", "subject_ids"):
        yield from texts_in(card.get(key) or [])
    yield from map(str, card.get("splits") or {})
