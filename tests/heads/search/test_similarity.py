"""Search: the approximate index against the exact one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tool_use_om.heads.registry import make_head


def _many(make_tokens: Callable[..., Any], n: int, seed: int) -> Any:
    return make_tokens([f"c{i % 12:02d}" for i in range(n)], seed=seed)


def test_approximate_index_finds_most_of_the_exact_neighbours(
    make_tokens: Callable[..., Any],
) -> None:
    """Of the ten nearest of 1500 windows at least nine in ten are found, at the same distances."""
    tokens, asked = _many(make_tokens, 1500, 0), _many(make_tokens, 40, 1)
    exact: Any = make_head("similarity").fit(tokens)  # type: ignore[attr-defined]
    near: Any = make_head("similarity", index="approximate").fit(tokens)  # type: ignore[attr-defined]
    hits = []
    for row in range(len(asked)):
        wanted = exact.query(asked.select([row]), 10)
        found = near.query(asked.select([row]), 10)
        assert len(found) == 10
        hits += [n in found for n in wanted]
        opened = near._compared(near._embed(near._rows(asked.select([row]))), 10)
        assert len(opened) < 1000
    assert np.mean(hits) >= 0.9


def test_approximate_index_with_all_cells_open_is_the_exact_one(
    make_tokens: Callable[..., Any],
) -> None:
    """Nothing is lost but by cells that stay closed; every window lies in one cell."""
    tokens, asked = _many(make_tokens, 300, 0), _many(make_tokens, 5, 1)
    exact: Any = make_head("similarity").fit(tokens)  # type: ignore[attr-defined]
    near: Any = make_head("similarity", index="approximate", probes=1000).fit(tokens)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(np.sort(near.order_), np.arange(300))
    for row in range(5):
        query = asked.select([row])
        assert near.query(query, 10) == exact.query(query, 10)


def test_approximate_index_works_where_windows_are_few_or_alike(
    make_tokens: Callable[..., Any],
) -> None:
    """Fewer windows than neighbours asked for, all the same, give what there is."""
    tokens = make_tokens(["a"] * 3)
    tokens.values[:] = tokens.values[:1]
    tokens.context[:] = tokens.context[:1]
    near: Any = make_head("similarity", index="approximate").fit(tokens)  # type: ignore[attr-defined]
    assert len(near.query(make_tokens(["a"], seed=1), 10)) == 2
