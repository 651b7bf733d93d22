"""Write an answer in the form of answers: our own fixed words, and a reference for each value.

A headline, short sections, tables; what the values say is for the forms of questions. Values are
written by `verify`, in the one place where that happens.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, TypeGuard, TypeVar

from pydantic import BaseModel

from tool_use_om.agent.verify.check import Ours
from tool_use_om.agent.verify.facts import fact_at, is_source, unit_in
from tool_use_om.agent.verify.form import reference
from tool_use_om.agent.verify.render import number, plain
from tool_use_om.data.show import markdown
from tool_use_om.data.units import for_people, unit_in_words
from tool_use_om.data.values import Json
from tool_use_om.tools.call.places import place_of, read
from tool_use_om.tools.results import result_model

M = TypeVar("M", bound=BaseModel)
_ARBITRARY = "a.u."  # a unit that nobody says: the answer notes that there is none
__all__ = ["Answer", "Cell", "Ref", "Result", "braces", "named", "number", "plain", "ref"]


@dataclass(frozen=True)
class Result:
    """One tool result as the interpret prompt gives it; `name` is what references call it."""

    name: str
    tool: str
    args: dict[str, Any]
    content: dict[str, Any]
    foreign: bool = False  # called with values that a model brought up: not told

    @classmethod
    def of(cls, raw: Mapping[str, Any], name: str = "") -> Result:
        """Return the prompt's result; content that is no object is kept as its text."""
        content = raw.get("content")
        shown = dict(content) if isinstance(content, Mapping) else {"text": content}
        foreign = bool(raw.get("foreign"))
        return cls(name, str(raw.get("tool")), dict(raw.get("args") or {}), shown, foreign)

    @classmethod
    def all_of(cls, raws: Sequence[Mapping[str, Any]]) -> list[Result]:
        """Return all results; those of successful calls are named r1, r2 … in their order."""
        good = itertools.count(1)
        return [cls.of(raw, f"r{next(good)}" if is_source(raw) else "") for raw in raws]

    def found(self, model: type[M]) -> M:
        """Return what the call found as the model of such results; each value knows its place."""
        return read(model, self.content, self)

    def if_found(self, model: type[M]) -> M | None:
        """Return what the call found if it is of this model."""
        return self.found(model) if result_model(self.tool, self.content) is model else None

    def asked(self, model: type[M]) -> M:
        """Return what the call was asked, as the model of its arguments."""
        return read(model, self.args, self, "/args")

    def look(self, pointer: str | None) -> Json:
        """Return the value at a JSON pointer, None if there is none."""
        try:
            return None if pointer is None else self._fact(pointer)[0]
        except LookupError:
            return None

    def unit(self, pointer: str | None) -> str | None:
        """Return the unit of the value there, None for a plain one."""
        try:
            return None if pointer is None else self._fact(pointer)[1]
        except LookupError:
            return None

    def _fact(self, pointer: str) -> tuple[Any, str | None]:
        # what was asked of a call may be said by our own words ("longer than …"), by no model's
        told = {**self.content, "args": self.args}
        return fact_at(told, pointer)[0], unit_in(self.tool, told, pointer)


@dataclass(frozen=True)
class Ref:
    """A value to be shown: where it stands, what it is, and how it is written."""

    pointer: str | None  # None: there is no such value
    what: str
    style: str = "plain"  # plain | percent | unit
    of: Result | None = None  # where it stands, if not in the result the sentence is about


def braces(name: str) -> str:
    """Return a name as a template takes it: its braces are no place for a value."""
    return name.replace("{", "{{").replace("}", "}}")


def named(name: object) -> str:
    """Return a name from the data as it stands in a template: Markdown's marks escaped, too."""
    return braces(plain(str(name)))


Cell = str | Ref | tuple[Ref, Ref]  # a pair is shown as "from to"


def ref(value: object, what: str, style: str | None = None, *, of: Result | None = None) -> Ref:
    """Return a reference to a value of a result.

    Parameters
    ----------
    value : as `Result.found` or `Result.asked` gave it; None = the result does not have it
    what : what the value is called
    style : plain, percent or unit; default: shares in percent, measures with their unit

    Raises
    ------
    TypeError : the value is none of a result, such as one that was computed
    """
    place = place_of(value)
    if place is None and isinstance(value, str) and value.startswith("/"):
        return Ref(value, what, style or "plain", of)
    if value is None:
        return Ref(None, what)
    if place is None or not isinstance(place.source, Result):
        raise TypeError(f"{what!r}: {value!r} was not read from a result, so nothing refers to it.")
    kind = place.meaning.kind if place.meaning else ""
    style = style or {"share": "percent", "measure": "unit"}.get(kind, "plain")
    return Ref(place.pointer, what, style, place.source)


@dataclass
class Answer:
    """The clauses of the headline and the lines of prose so far, and what each value is called."""

    results: Sequence[Result] = ()
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    units: set[str] = field(default_factory=set)
    clauses: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    title: str | None = None

    def head(self, result: Result, template: str, /, **refs: Ref) -> bool:
        """Add a clause to the headline; each ``{name}`` is a cited value."""
        return self._write(self.clauses, result, template, refs)

    def section(self, title: str) -> None:
        """Begin a section; its title stands before its first line, if there comes one."""
        self.title = braces(title)

    def say(self, result: Result, template: str, /, **refs: Ref) -> bool:
        """Add one line; each ``{name}`` is a cited value. Without a value there is no line."""
        return self._write(self.lines, result, template, refs)

    def note(self, text: str) -> None:
        """Add a line without values of its own; its braces are braces."""
        self._add(self.lines, braces(text))

    def table(self, headings: Sequence[str], rows: Sequence[tuple[Result, Sequence[Cell]]]) -> None:
        """Add a Markdown table; a unit that a whole column shares stands in its heading."""
        rows = [row for row in rows if _full(*row)]
        if not rows:
            return
        if self.title:
            self.lines += ["", f"**{self.title}**"]
            self.title = None
        units = [_shared_unit([(r, cells[i]) for r, cells in rows]) for i in range(len(headings))]
        titles = [f"{h} ({u})" if u else h for h, u in zip(headings, units, strict=True)]
        shown = [
            [self._cell(result, c, u) for c, u in zip(cells, units, strict=True)]
            for result, cells in rows
        ]
        align = "".join("l" if isinstance(c, str) else "r" for c in rows[0][1])
        self.lines += markdown.lines([braces(title) for title in titles], shown, align)

    def _cell(self, result: Result, cell: Cell, unit: str | None) -> str:
        if isinstance(cell, str):
            return re.sub(r"(?<!\\)\|", r"\\|", braces(cell))
        references = cell if isinstance(cell, tuple) else (cell,)
        texts = []
        for i, one in enumerate(references, 1):
            # "1.1 to 1.5 m/s": the unit once, at the end
            last = _unit_shown(references[-1], references[-1].of or result)
            same = i < len(references) and last == _unit_shown(one, one.of or result)
            bare = unit is not None or same
            texts.append(self._refer(one.of or result, one, f"bare-{one.style}" if bare else ""))
        return " to ".join(texts)

    def _write(
        self, lines: list[str], result: Result, template: str, refs: Mapping[str, Ref]
    ) -> bool:
        places = {name: r.of or result for name, r in refs.items()}
        values = {name: places[name].look(r.pointer) for name, r in refs.items()}
        if any(v is None or isinstance(v, dict) for v in values.values()):
            return False
        # inside a code span a name stands as it is, but for the mark that would end it
        code = {name for name in refs if f"`{{{name}}}`" in template}
        written = {
            name: self._refer(places[name], r, "code" if name in code else "")
            for name, r in refs.items()
        }
        # a literal brace stays doubled, as the form wants it
        doubled = template.replace("{{", "{{{{").replace("}}", "}}}}")
        self._add(lines, doubled.format(**written))
        return True

    def _refer(self, result: Result, reference_: Ref, style: str = "") -> str:
        """Return a reference as text; keep what it is called, and the unit it is shown in."""
        at = reference_.pointer or ""
        self.names.setdefault((result.name, at), reference_.what)
        own = reference_.style
        if own == "unit" and (unit := result.unit(reference_.pointer)):
            self.units.add(unit)
            own = "plain" if _ARBITRARY in unit else own
        value = result.look(reference_.pointer)
        if style == "code" and isinstance(value, int | float):
            style = ""
        return reference(result.name, at, style or own)

    def _add(self, lines: list[str], text: str) -> None:
        if self.title and lines is self.lines:
            lines += ["", f"**{self.title}.** {text}"]
            self.title = None
        else:
            lines.append(text)

    def ours(self) -> Ours:
        """Return the answer as `verify` takes it."""
        return Ours(prose=self.prose(), names=self.names)

    def prose(self) -> str:
        """Return the form, in Markdown: the headline, then paragraphs, lists and tables."""
        text = _headline(self.clauses)
        lines = ["", *self._whole_tables()]
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            if line.endswith((":", "**")) and _kind(following) == "text":
                continue  # what it announces has no rows
            kind, before = _kind(line), _kind(text.rsplit("\n", 1)[-1])
            if not text or not line or text.endswith("\n\n"):
                text += line or "\n\n"
            elif kind == before == "text":
                text += f" {line}"
            else:
                text += ("\n" if kind == before else "\n\n") + line
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    def _whole_tables(self) -> list[str]:
        """Return the lines without tables that have lost their heading or all their rows."""
        whole: list[str] = []
        for is_rows, group in itertools.groupby(self.lines, lambda line: _kind(line) == "row"):
            found = list(group)
            if not is_rows or (len(found) > 2 and found[1].startswith(markdown.RULE)):
                whole += found
        return whole


def _headline(clauses: Sequence[str]) -> str:
    if not clauses:
        return ""
    joined = ", and ".join(clauses) if len(clauses) < 3 else "; ".join(clauses)
    return f"**{joined[0].upper()}{joined[1:].removesuffix('.')}.**"


def _kind(line: str) -> str:
    return "row" if line.startswith("| ") else "item" if line.startswith("- ") else "text"


def _full(result: Result, cells: Sequence[Cell]) -> bool:
    """Tell whether every value of a row is there."""
    return all(
        not isinstance((r.of or result).look(r.pointer), dict | list | NoneType)
        for cell in cells
        for r in _refs(cell)
    )


def _refs(cell: Cell) -> tuple[Ref, ...]:
    return () if isinstance(cell, str) else cell if isinstance(cell, tuple) else (cell,)


def _shared_unit(column: Sequence[tuple[Result, Cell]]) -> str | None:
    """Return the unit that all values of a column are written in, None if there is none."""
    units = {_unit_shown(r, r.of or result) for result, cell in column for r in _refs(cell)}
    return units.pop() or None if len(units) == 1 else None


def _unit_shown(reference: Ref, result: Result) -> str:
    if reference.style == "percent":
        return "%"
    unit = result.unit(reference.pointer) if reference.style == "unit" else None
    if not unit:
        return ""
    if _ARBITRARY in unit:
        return ""
    value = result.look(reference.pointer)
    return unit_in_words(for_people(value, unit)[1] if _is_number(value) else unit)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _spaced(name: str) -> str:
    return name.replace("_", " ")
