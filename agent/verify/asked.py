"""What a call was asked, and what the cards name: no result, but known names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tool_use_om.data.values import Json


def echoes(args: Mapping[str, Any], keys: Sequence[str], value: object) -> bool:
    """Tell whether a number is what the call was asked for, under the same word."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    words = {w for key in keys for w in key.split("_")} - {"s", "n", "hz", "per", "value"}
    for name, given in args.items():
        if words & set(name.split("_")) and any(
            given_one == value for given_one in numbers_of(given)
        ):
            return True
    return False


def numbers_of(value: Json) -> Iterator[float]:
    """Yield every number; verdicts are none."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from numbers_of(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from numbers_of(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def texts_of(value: Json) -> Iterator[str]:
    """Yield every text; keys are none."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_of(inner)
    elif isinstance(value, str):
        yield value


def names_of_card(card: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names that the card of a data set gives: its own, channels, labels, splits."""
    yield str(card.get("name") or "")
    yield from (str(c.get("id")) for c in card.get("channels") or [] if isinstance(c, Mapping))
    for key in ("labels", "session_ids", "subject_ids"):
        yield from texts_of(card.get(key) or [])
    yield from map(str, card.get("splits") or {})
