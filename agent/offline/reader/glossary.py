"""German, French and Chinese words as English ones, word by word: so that one encoder reads them.

`words/` holds a file a language, a line a meaning: the English words, a colon, and what says so
there. The longest entry wins; a word without one stays as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).with_name("words")
GLOSSED = ("de", "fr", "zh")
"""Languages with a file of words."""


def glossed(text: str, language: str) -> str:
    """Return a text of `language` with the words of its glossary in English; others as they are."""
    if language not in GLOSSED:
        return text
    words, pattern = _glossary(language)
    apart = " " if language == "zh" else ""
    found = pattern.sub(
        lambda m: f"{apart}{words[m[0]]}{apart}", text.casefold().replace("\u2019", "'")
    )
    return " ".join(found.split())


def meanings() -> list[str]:
    """Return every English meaning of the glossaries."""
    return [meaning for tongue in GLOSSED for meaning in _glossary(tongue)[0].values()]


@lru_cache(maxsize=8)
def _glossary(language: str) -> tuple[dict[str, str], re.Pattern[str]]:
    words: dict[str, str] = {}
    for line in (FOLDER / f"{language}.txt").read_text("utf-8").splitlines():
        meaning, _, said = line.partition(": ")
        for one in said.split(", "):
            words.setdefault(one.casefold(), meaning)
    before, after = ("", "") if language == "zh" else (r"(?<![^\W\d_])", r"(?![^\W\d_])")
    longest = sorted(words, key=len, reverse=True)
    return words, re.compile(before + f"(?:{'|'.join(map(re.escape, longest))})" + after)
