"""Phrasings as people write them, in their files: to learn from, and held out under a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tool_use_om.data.errors import DataError

FOLDER = Path(__file__).with_name("phrasings")
LEARNT = ("eda.jsonl", "models.jsonl", "more.jsonl")
HELDOUT = "heldout.jsonl"
HELDOUT_SHA256 = "a1e637e53cea8367addce9fc5745aed45a41b9f41af6649ec1f19124a1db692e"
"""Of the held-out file, written apart and frozen before any model or rule was fitted."""


@dataclass(frozen=True, kw_only=True)
class Phrasing:
    """One way to ask something; its places are in braces."""

    template: str
    language: str
    voice: str
    text: str


def learnt() -> list[Phrasing]:
    """Return the phrasings to learn from."""
    return [row for name in LEARNT for row in _read(FOLDER / name)]


def held_out() -> list[Phrasing]:
    """Return the held-out phrasings.

    Raises
    ------
    DataError : the file is not the frozen one
    """
    found = hashlib.sha256((FOLDER / HELDOUT).read_bytes()).hexdigest()
    if found != HELDOUT_SHA256:
        raise DataError(f"{HELDOUT} is not the frozen file: its SHA-256 is {found}.")
    return list(_read(FOLDER / HELDOUT))


def overlap(first: Sequence[Phrasing], second: Sequence[Phrasing]) -> list[str]:
    """Return the texts of `second` that `first` has, too, whatever case, marks and spaces."""
    known = {_bare(one.text) for one in first}
    return [one.text for one in second if _bare(one.text) in known]


def _bare(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum() or c in "{}")


def _read(file: Path) -> Iterator[Phrasing]:
    for line in file.read_text("utf-8").splitlines():
        row = json.loads(line)
        yield Phrasing(
            template=row["template"], language=row["lang"], voice=row["voice"], text=row["text"]
        )
