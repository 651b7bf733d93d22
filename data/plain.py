"""Other people's text made safe to show: nothing in it steers a terminal or turns a line round."""

from __future__ import annotations

import unicodedata

MARK = "�"  # stands where such a character was
_KEPT = frozenset("\n\t")
# Zero-width joiners, which scripts need, are printable text; what reorders it is not.
_JOINERS = frozenset("\u200c\u200d")


def plain_text(text: str) -> str:
    """Return `text` with each control, bidirectional or private character as a mark.

    ESC, BEL, NUL, CR, U+202E and their kind are what Python calls not printable; line feeds, tabs
    and spaces of any width stay. Linear in the length of the text.
    """
    if text.isprintable():
        return text
    return "".join(c if _shown(c) else MARK for c in text)


def _shown(char: str) -> bool:
    known = char in _KEPT or char in _JOINERS
    return char.isprintable() or known or unicodedata.category(char) == "Zs"
