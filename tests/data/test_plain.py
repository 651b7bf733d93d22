"""Other people's text is shown without what would steer a terminal or turn a line round."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_use_om.data.plain import MARK, plain_text


@pytest.mark.parametrize(
    "char",
    [
        "\x1b",
        "\x07",
        "\x00",
        "\r",
        "\x7f",
        "\x9b",
        "\u202e",
        "\u2066",
        "\u200f",
        "\ufeff",
        "\ue000",
        "\u200b",
        "\u200c",
        "\u200d",
        "\xad",
        "\u061c",
        "\u2028",
        "\U000e0041",
    ],
)
def test_plain_text_replaces_what_is_not_seen(char: str) -> None:
    """ESC, BEL, NUL, CR, C1 controls, bidirectional and private characters become a mark."""
    assert plain_text(f"a{char}b") == f"a{MARK}b"


@pytest.mark.parametrize(
    "text",
    ["plain", "två\n\tlines", "m/s² · 10\u202f% – ‘x’", "日本", "نامه\u200cای", "👩\u200d💻"],
)
def test_plain_text_keeps_what_is_read(text: str) -> None:
    """Letters of any script, line feeds, tabs, spaces of any width, joiners."""
    assert plain_text(text) == text


@given(st.text())
def test_plain_text_is_printable_and_stays_as_it_is(text: str) -> None:
    """Twice is once, and nothing is lost but what is replaced."""
    shown = plain_text(text)
    assert plain_text(shown) == shown
    assert len(shown) == len(text)


def test_plain_text_is_linear() -> None:
    """A megabyte of control characters takes a moment."""
    started = time.process_time()
    plain_text("\x1b" * 1_000_000)
    assert time.process_time() - started < 5
