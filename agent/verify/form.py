"""The form of an answer: prose in which every fact is a reference, read in one pass.

``{r3#/metrics/mase/value}`` refers to a value of the third result, ``{c1}`` to the claim "c1";
``{{`` and ``}}`` stand for braces. In a path, ``%``, braces, bars and spaces are percent-encoded.
Our own writer adds how a value is written: ``{r3#/coverage/nominal|percent}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tool_use_om.data.errors import DataError
from tool_use_om.data.units import SPANS

MAX_CHARS = 20_000  # of the prose a model writes
MAX_CLAIMS = 60
MAX_REFERENCES = 400
STYLES = frozenset(
    {"plain", "unit", "percent", "bare-plain", "bare-unit", "bare-percent", "code"}
    | {f"in-{unit}" for unit in SPANS}
)

_REFERENCE = re.compile(r"(?P<name>r\d{1,4})#(?P<path>(?:/[^/{}|\s]*)+)(?:\|(?P<style>[a-z-]+))?")
_CLAIM = re.compile(r"c\d{1,3}")
_ESCAPED = {"%": "%25", "{": "%7B", "}": "%7D", "|": "%7C", " ": "%20", "\n": "%0A", "\t": "%09"}
_CODE = re.compile(r"%([0-9A-F]{2})")


@dataclass(frozen=True)
class Words:
    """Text between references, braces unescaped."""

    text: str


@dataclass(frozen=True)
class Reference:
    """A value by result and path; `style` is set by our own writer only."""

    name: str
    path: str
    style: str | None = None


@dataclass(frozen=True)
class ClaimMark:
    """The place of a typed claim, by its id."""

    id: str


@dataclass(frozen=True)
class Broken:
    """Braces that hold neither a reference nor a claim."""

    text: str


Piece = Words | Reference | ClaimMark | Broken


def encode(path: str) -> str:
    """Return a JSON pointer as it stands in a reference."""
    return "".join(_ESCAPED.get(c, "%0D" if c == "\r" else c) for c in path)


def decode(path: str) -> str:
    """Return the JSON pointer that a reference's path stands for."""
    return _CODE.sub(lambda m: chr(int(m[1], 16)), path)


def reference(name: str, path: str, style: str | None = None) -> str:
    """Return a reference as text."""
    return f"{{{name}#{encode(path)}{f'|{style}' if style else ''}}}"


def pieces(text: str) -> Iterator[Piece]:
    """Yield the words, references and claims of a text, in order; linear in its length."""
    at, words = 0, []
    while at < len(text):
        here = min((i for i in (text.find("{", at), text.find("}", at)) if i >= 0), default=-1)
        if here < 0:
            break
        words.append(text[at:here])
        if text[here : here + 2] in {"{{", "}}"}:
            words.append(text[here])
            at = here + 2
            continue
        end = text.find("}", here, here + 500) if text[here] == "{" else -1
        if "".join(words):
            yield Words("".join(words))
        words = []
        at = here + 1 if end < 0 else end + 1
        yield _marked(text[here:at])
    words.append(text[at:])
    if "".join(words):
        yield Words("".join(words))


def _marked(text: str) -> Piece:
    inner = text[1:-1]
    if _CLAIM.fullmatch(inner):
        return ClaimMark(inner)
    found = _REFERENCE.fullmatch(inner)
    if found is None or (found["style"] and found["style"] not in STYLES):
        return Broken(text)
    return Reference(found["name"], decode(found["path"]), found["style"])


def blocks(text: str) -> list[str]:
    """Return the paragraphs, lists and tables of a text; a bare title stays with what it titles."""
    found: list[str] = []
    for block in (b.strip("\n") for b in text.split("\n\n")):
        if not block.strip():
            continue
        if found and _is_title(found[-1]):
            found[-1] += "\n\n" + block
        else:
            found.append(block)
    return found


def sentences(line: str) -> list[str]:
    """Return the sentences of one line; a reference is never cut; linear in its length."""
    found, start, depth = [], 0, 0
    for i, char in enumerate(line):
        depth += (char == "{") - (char == "}" and depth > 0)
        ends = char in ".!?" and not depth and line[i + 1 : i + 2] in {" ", "\t", ""}
        if ends:
            found.append(line[start : i + 1].strip())
            start = i + 1
    if line[start:].strip():
        found.append(line[start:].strip())
    return [s for s in found if s]


def check_size(prose: str, claims: int) -> None:
    """Raise DataError, naming the limit, for an answer longer than any can usefully be."""
    if len(prose) > MAX_CHARS:
        raise DataError(f"The answer has {len(prose)} characters; the limit is {MAX_CHARS}.")
    if claims > MAX_CLAIMS:
        raise DataError(f"The answer has {claims} claims; the limit is {MAX_CLAIMS}.")
    if (count := prose.count("#/")) > MAX_REFERENCES:
        raise DataError(f"The answer has {count} references; the limit is {MAX_REFERENCES}.")


def _is_title(block: str) -> bool:
    last = block.rsplit("\n", 1)[-1]
    return (last.startswith("**") and last.endswith("**") and "." not in last[-4:]) or (
        last.startswith("#")
    )
