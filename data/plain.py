"""Other people's text made safe to show: nothing in it steers a terminal or turns a line round."""

from __future__ import annotations

import unicodedata

MARK = "�"  # stands where such a character was
_KEPT = frozenset("\n\t")
# Zero-width joiners are text between letters of the scripts that need them, and in emoji; between
# others they only hide that two names differ.
_JOINERS = frozenset("\u200c\u200d")


def plain_text(text: str) -> str:
    """Return `text` with each control, bidirectional or private character as a mark.

    ESC, BEL, NUL, CR, U+202E and their kind are what Python calls not printable; line feeds, tabs
    and spaces of any width stay. Linear in the length of the text.
    """
    if text.isprintable():
        return text
    around = zip(" " + text, text, text[1:] + " ", strict=False)
    return "".join(c if _shown(c) or _joins(c, a, b) else MARK for a, c, b in around)


def _shown(char: str) -> bool:
    return char.isprintable() or char in _KEPT or unicodedata.category(char) == "Zs"


def _joins(char: str, before: str, after: str) -> bool:
    """Say whether a joiner stands where writing needs one."""
    return char in _JOINERS and all(c > "\u024f" and c.isprintable() for c in (before, after))
