"""A count of one stands before one thing."""

from __future__ import annotations

import pytest

from tool_use_om.agent.verify.render import counted


@pytest.mark.parametrize(
    ("value", "text", "said"),
    [
        ("1", " sessions hold", " session hold"),
        ("1", " people or sessions", " person or sessions"),
        ("1", " windows are short", " window is short"),
        ("1", " of the ", " of the "),
        ("1", " held-out sessions", " held-out session"),
        ("1", " classes.", " class."),
        ("1", " cycles of `a`", " cycle of `a`"),
        ("2", " sessions", " sessions"),
        ("1.0", " sessions", " sessions"),
        ("1", " is the mean", " is the mean"),
        ("1", " with samples", " with samples"),
        ("1", " sits lower", " sits lower"),
    ],
)
def test_noun_behind_one_is_singular(value: str, text: str, said: str) -> None:
    """Nouns that answers count, and the data's own, follow the number before them."""
    assert counted(value, text, "cycle") == said
