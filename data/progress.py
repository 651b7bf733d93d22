"""How long work reports where it is: a plain callback, so that no layer needs a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

Progress = Callable[[dict[str, Any]], None]
T = TypeVar("T")


def track(
    items: Sequence[T] | Iterable[T],
    progress: Progress | None,
    *,
    phase: str,
    unit: str,
    total: int,
) -> Iterator[T]:
    """Yield `items`, reporting {"phase", "done", "total", "unit"} after each."""
    for done, item in enumerate(items, start=1):
        yield item
        if progress is not None:
            progress({"phase": phase, "done": done, "total": total, "unit": unit})
