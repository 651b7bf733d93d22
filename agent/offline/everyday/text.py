"""A question as it is read piece by piece: what is understood is taken, what is left stays."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache


def folded(text: str) -> str:
    """Return text in small letters without accents, each character in its place."""
    out = []
    for character in text.casefold() if len(text.casefold()) == len(text) else text.lower():
        base = unicodedata.normalize("NFD", character)[:1]
        out.append(base if len(base) == 1 else " ")
    found = "".join(out)
    return found if len(found) == len(text) else text.lower()


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")


@dataclass
class Words:
    """The text of a question, and which of its characters have been used."""

    text: str
    plain: str = ""
    used: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Fold the text; nothing of it is used yet."""
        self.plain = folded(self.text)
        self.used = [False] * len(self.text)

    def find(self, pattern: str, *, again: bool = False) -> re.Match[str] | None:
        """Return the first place where whole words fit and none is used; `again` = used or not."""
        for found in _compiled(pattern).finditer(self.plain):
            if again or not any(self.used[found.start() : found.end()]):
                return found
        return None

    def take(self, pattern: str) -> re.Match[str] | None:
        """Return such a place and use it."""
        found = self.find(pattern)
        if found:
            self.use(found.start(), found.end())
        return found

    def take_all(self, pattern: str) -> list[re.Match[str]]:
        """Use and return all such places."""
        found = []
        while (one := self.take(pattern)) is not None:
            found.append(one)
            if not one.group():
                break
        return found

    def has(self, pattern: str) -> bool:
        """Say whether such words stand anywhere, used or not."""
        return self.find(pattern, again=True) is not None

    def use(self, start: int, end: int) -> None:
        """Mark characters as used."""
        self.used[start:end] = [True] * (end - start)

    def left(self) -> list[tuple[str, int]]:
        """Return the words of which nothing was used, as written, with where each begins."""
        return [
            (self.text[m.start() : m.end()], m.start())
            for m in re.finditer(r"[^\W_]+(?:['’][^\W_]+)?", self.plain)
            if not any(self.used[m.start() : m.end()])
        ]
