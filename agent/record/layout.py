"""What of an answer stands where on its page: the answer, its figure, how sure it is, the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tool_use_om.agent.verify.check import OWN_END, OWN_START, VALUE_BAR, VALUE_END, VALUE_START
from tool_use_om.data.show.figure import Figure

OPEN = ("How sure",)  # sections that are not folded
MOST_OPEN = 3  # figures that are not folded
_TITLE = re.compile(r"\*\*(?P<title>[^*\n]{1,60}?)\.?\*\*(?:\s+|$)")
_VALUE = re.compile(rf"{VALUE_START}(\d+){VALUE_BAR}([^{VALUE_END}]*){VALUE_END}")


@dataclass(frozen=True)
class Section:
    """A part of the answer under its title, in Markdown."""

    title: str
    text: str

    @property
    def is_open(self) -> bool:
        """Whether it stands on the page, not folded away."""
        return self.title.startswith(OPEN)


@dataclass(frozen=True)
class Layout:
    """An answer in parts, each Markdown.

    Parameters
    ----------
    before : lines that say what was not used or taken over
    headline : the first sentence, which is the answer; "" where there is none
    lead : what follows it
    table : of the values that the lead has; a figure may show them
    sections : the rest under its titles
    after : remarks on the whole, such as how the question was read
    """

    before: str = ""
    headline: str = ""
    lead: str = ""
    table: str = ""
    sections: Sequence[Section] = field(default_factory=tuple)
    after: str = ""

    @classmethod
    def of(cls, markdown: str) -> Layout:
        """Return the parts of an answer; what has no such form is all lead."""
        blocks = re.split(r"\n{2,}", markdown.strip())
        before = list(_taken(blocks, _is_remark))
        headline = blocks.pop(0) if blocks and _is_headline(blocks[0]) else ""
        if not headline:
            return cls(before="\n\n".join(before), lead="\n\n".join(blocks))
        after: list[str] = []
        while blocks and _is_remark(blocks[-1]) and "Their weights" not in blocks[-1]:
            after.insert(0, blocks.pop())
        lead = list(_taken(blocks, lambda block: not _TITLE.match(block)))
        table = "\n\n".join(block for block in lead if block.startswith("| "))
        lead = [block for block in lead if not block.startswith("| ")]
        return cls(
            "\n\n".join(before), headline, "\n\n".join(lead), table, tuple(_sections(blocks)),
            "\n\n".join(after),
        )  # fmt: skip


def _taken(blocks: list[str], wanted: Any) -> Iterator[str]:  # noqa: ANN401 - any test of a text
    while blocks and wanted(blocks[0]):
        yield blocks.pop(0)


def _is_remark(block: str) -> bool:
    return block.startswith("*") and not block.startswith("**") and block.endswith("*")


def _is_headline(block: str) -> bool:
    bare = block.removeprefix(OWN_START).removesuffix(OWN_END)
    return bare.startswith("**") and bare.endswith("**") and "\n" not in bare


def _sections(blocks: Sequence[str]) -> Iterator[Section]:
    title, held = "", [""]
    for block in blocks:
        found = _TITLE.match(block)
        if found:
            if title:
                yield Section(title, "\n\n".join(b for b in held if b))
            title, held = found["title"], [block[found.end() :]]
        else:
            held.append(block)
    if title:
        yield Section(title, "\n\n".join(b for b in held if b))


def sources_in(text: str, findings: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return (result id, JSON pointer) of each value that a marked text shows, in its order."""
    places = [int(found[1]) for found in _VALUE.finditer(text)]
    sources = [findings[i].get("source") or {} for i in places if i < len(findings)]
    return [(str(s.get("result_id")), str(s.get("pointer"))) for s in sources]


def spoken(text: str) -> str:
    """Return a marked text as words alone, such as a picture's alternative text."""
    bare = _VALUE.sub(lambda m: m[2], text)
    bare = bare.replace(OWN_START, "").replace(OWN_END, "")
    return re.sub(r"\\([\\`*<|\[\]_])", r"\1", re.sub(r"[*`]", "", bare)).strip()


@dataclass(frozen=True)
class Kept:
    """A figure of one result."""

    result_id: str
    tool: str
    figure: Figure


def arranged(
    kept: Sequence[Kept], cited: Sequence[tuple[str, str]]
) -> tuple[list[Kept], list[Kept], list[Kept]]:
    """Return the figures that are the answer, those that say how sure it is, and all others.

    Parameters
    ----------
    kept : in the order of the calls
    cited : what the first sentence shows, as `sources_in` gives it
    """
    named = {result_id for result_id, _ in cited}
    shown = [k for k in kept if k.figure.place == "answer" and _is_of(k, cited)]
    if not shown and not named:
        shown = [k for k in kept if k.figure.place == "answer" and not k.figure.about][-1:]
    if any(k.tool != "show_session_stats" for k in shown):
        shown = [k for k in shown if k.tool != "show_session_stats"]
    shown = shown[:MOST_OPEN]
    runs = {k.result_id for k in shown} | named
    checks = [k for k in kept if k.figure.place == "check" and k.result_id in runs]
    rest = [k for k in kept if k not in shown and k not in checks]
    return shown, checks, rest


def _is_of(kept: Kept, cited: Sequence[tuple[str, str]]) -> bool:
    return any(
        kept.result_id == result_id and pointer.startswith(kept.figure.about)
        for result_id, pointer in cited
    )
