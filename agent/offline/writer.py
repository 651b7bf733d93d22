"""Write an answer in which every number is copied from a result and cited as a finding.

A headline, short sections, tables; what the values say is for the `offline_interpret` files.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, TypeGuard

from tool_use_om.agent.verify.facts import fact_at
from tool_use_om.data.units import for_people
from tool_use_om.data.values import Json


@dataclass(frozen=True)
class Result:
    """One tool result as the interpret prompt gives it; `document` is its content and arguments."""

    result_id: str | None
    tool: str
    args: dict[str, Any]
    content: dict[str, Any]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Result:
        """Return the prompt's result; content that is no object is kept as its text."""
        content = raw.get("content")
        shown = dict(content) if isinstance(content, Mapping) else {"text": content}
        return cls(raw.get("result_id"), str(raw.get("tool")), dict(raw.get("args") or {}), shown)

    def look(self, pointer: str) -> Json:
        """Return the value at a JSON pointer, None if there is none."""
        try:
            return self._fact(pointer)[0]
        except LookupError:
            return None

    def unit(self, pointer: str) -> str | None:
        """Return the unit of the value there, None for a plain one."""
        try:
            return self._fact(pointer)[1]
        except LookupError:
            return None

    def _fact(self, pointer: str) -> tuple[Any, str | None]:
        # the stored result, which findings are checked against, has the arguments under "args"
        return fact_at({**self.content, "args": self.args}, pointer)


@dataclass(frozen=True)
class Ref:
    """A value to be shown: where it stands, what it is, and how it is written."""

    pointer: str
    what: str
    style: str = "plain"  # plain | percent | unit
    above: str | None = None  # pointer of a value that this one is larger than
    of: Result | None = None  # where it stands, if not in the result the sentence is about


# Markdown's own marks; an underscore inside a word is literal, as in Brush_teeth
_MARKS = re.compile(r"[\\`*<|\[\]]|(?<![^\W_])_|_(?![^\W_])")


def plain(text: str) -> str:
    """Return a name from the data as Markdown shows it letter by letter."""
    return _MARKS.sub(lambda m: "\\" + m.group(), text.replace("\n", " "))


def braces(name: str) -> str:
    """Return a name as a template takes it: its braces are no place for a value."""
    return name.replace("{", "{{").replace("}", "}}")


def named(name: object) -> str:
    """Return a name from the data as it stands in a template: Markdown's marks escaped, too."""
    return braces(plain(str(name)))


Cell = str | Ref | tuple[Ref, Ref]  # a pair is shown as "from to"


def ref(
    pointer: str,
    what: str,
    style: str = "plain",
    above: str | None = None,
    of: Result | None = None,
) -> Ref:
    """Return a reference into a result."""
    return Ref(pointer, what, style, above, of)


@dataclass
class Answer:
    """The findings, the clauses of the headline and the lines of prose so far."""

    results: Sequence[Result] = ()
    findings: list[dict[str, Any]] = field(default_factory=list)
    clauses: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    title: str | None = None

    def head(self, result: Result, template: str, /, **refs: Ref) -> bool:
        """Add a clause to the headline; each ``{name}`` is a cited value."""
        return self._write(self.clauses, result, template, refs)

    def section(self, title: str) -> None:
        """Begin a section; its title stands before its first line, if there comes one."""
        self.title = title

    def say(self, result: Result, template: str, /, **refs: Ref) -> bool:
        """Add one line; each ``{name}`` is a cited value. Without a value there is no line."""
        return self._write(self.lines, result, template, refs)

    def note(self, text: str) -> None:
        """Add a line without values of its own."""
        self._add(self.lines, text)

    def table(self, headings: Sequence[str], rows: Sequence[tuple[Result, Sequence[Cell]]]) -> None:
        """Add a Markdown table; a unit that a whole column shares stands in its heading."""
        rows = [row for row in rows if _full(*row)]
        if not rows:
            return
        if self.title:
            self.lines += ["", f"**{self.title}**"]
            self.title = None
        units = [_shared_unit([(r, cells[i]) for r, cells in rows]) for i in range(len(headings))]
        named = [f"{h} ({u})" if u else h for h, u in zip(headings, units, strict=True)]
        self.lines.append(_row(named))
        self.lines.append(_row(["---" if isinstance(c, str) else "---:" for c in rows[0][1]]))
        for result, cells in rows:
            shown = [self._cell(result, c, u) for c, u in zip(cells, units, strict=True)]
            self.lines.append(_row(shown))

    def _cell(self, result: Result, cell: Cell, unit: str | None) -> str:
        if isinstance(cell, str):
            return re.sub(r"(?<!\\)\|", r"\\|", cell)
        references = cell if isinstance(cell, tuple) else (cell,)
        texts = []
        for i, reference in enumerate(references, 1):
            place = reference.of or result
            value = place.look(reference.pointer)
            self._cite(place, reference, value, _shown(value, reference, place))
            # "1.1 to 1.5 m/s": the unit once, at the end
            last = _unit_shown(references[-1], references[-1].of or result)
            bare = unit is not None or (
                i < len(references) and last == _unit_shown(reference, place)
            )
            text = _shown(value, reference, place, bare=bare)
            texts.append(text if isinstance(value, int | float) else plain(text))
        return " to ".join(texts)

    def _write(
        self, lines: list[str], result: Result, template: str, refs: Mapping[str, Ref]
    ) -> bool:
        places = {name: r.of or result for name, r in refs.items()}
        values = {name: places[name].look(r.pointer) for name, r in refs.items()}
        if any(v is None or isinstance(v, dict) for v in values.values()):
            return False
        shown = {name: _shown(values[name], r, places[name]) for name, r in refs.items()}
        # inside a code span a name stands as it is, but for the mark that would end it
        code = {name for name in refs if f"`{{{name}}}`" in template}
        written = {
            name: text if isinstance(values[name], int | float)
            else text.replace("`", "'") if name in code else plain(text)
            for name, text in shown.items()
        }  # fmt: skip
        # "1.3 a.u.." at an end
        self._add(lines, template.format(**written).replace("..", "."))
        for name, reference in refs.items():
            if not isinstance(values[name], list | dict):
                self._cite(places[name], reference, values[name], shown[name])
        return True

    def _add(self, lines: list[str], text: str) -> None:
        if self.title and lines is self.lines:
            lines += ["", f"**{self.title}.** {text}"]
            self.title = None
        else:
            lines.append(text)

    def _cite(self, result: Result, reference: Ref, value: object, shown: str) -> None:
        source = {"result_id": result.result_id, "pointer": reference.pointer}
        if result.result_id is None or any(f["source"] == source for f in self.findings):
            return
        other = {"result_id": result.result_id, "pointer": reference.above}
        larger = reference.above and result.look(reference.above)
        claim = (
            isinstance(larger, int | float) and isinstance(value, int | float) and value > larger
        )
        self.findings.append(
            {
                "statement": f"{reference.what[:1].upper()}{reference.what[1:]}: {shown}",
                "value": value,
                "unit": result.unit(reference.pointer),
                "source": source,
                "compare": {"op": ">", "other": other} if claim else None,
            }
        )

    def without(self, rejected: Sequence[str]) -> Answer:
        """Return the answer without the lines and findings that were refused."""
        bad = [text.strip() for text in rejected if text.strip()]
        return Answer(
            self.results,
            [f for f in self.findings if f["statement"] not in bad],
            [c for c in self.clauses if not any(_holds(c, text) for text in bad)],
            [line for line in self.lines if not any(_holds(line, text) for text in bad)],
        )

    def prose(self) -> str:
        """Return Markdown: the headline, then paragraphs, lists and tables."""
        text = _headline(self.clauses)
        lines = ["", *self._whole_tables()]
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            if line.endswith((":", "**")) and _kind(following) == "text":
                continue  # what it announces was refused
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
            if not is_rows or (len(found) > 2 and found[1].startswith("| ---")):
                whole += found
        return whole


def _headline(clauses: Sequence[str]) -> str:
    if not clauses:
        return ""
    joined = ", and ".join(clauses) if len(clauses) < 3 else "; ".join(clauses)
    return f"**{joined[0].upper()}{joined[1:].removesuffix('.')}.**"


def _kind(line: str) -> str:
    return "row" if line.startswith("| ") else "item" if line.startswith("- ") else "text"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


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
    if not unit or unit == "1":
        return ""
    value = result.look(reference.pointer)
    return _written(for_people(value, unit)[1] if _is_number(value) else unit)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _holds(line: str, text: str) -> bool:
    line, text = line.casefold(), text.casefold()
    return text in line or (line.strip("-* \n") != "" and line.strip("-* \n") in text)


def _shown(value: Json, reference: Ref, result: Result, *, bare: bool = False) -> str:
    if isinstance(value, list):
        return ", ".join(str(v) for v in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    unit = "" if bare else _unit_shown(reference, result)
    if reference.style == "unit" and (own := result.unit(reference.pointer)):
        value = for_people(float(value), own)[0]
    text = number(100 * value if reference.style == "percent" else value)
    gap = "" if unit.startswith("/") else " "
    return f"{text}{gap}{unit}" if unit else text


def _written(unit: str) -> str:
    """Return a unit as people write it: Hz, m/s², a.u.²."""
    plain = {"s": "s", "hz": "Hz", "frac": "", "pct": "%"}.get(unit.casefold(), unit)
    squared = re.sub(r"\^2$", "²", plain)
    return re.sub(r"^\(([^()/]*)\)²$", r"\1²", squared)


def number(value: float) -> str:
    """Return a number to three figures, integers whole; always a correct rounding.

    What is no integer keeps a decimal, so that it is not read as a count.
    """
    if not math.isfinite(value):
        return "not finite"
    if float(value) == int(value) and abs(value) < 1e15:
        return str(int(value))
    size = math.floor(math.log10(abs(value)))
    text = f"{value:.{min(12, max(1, 2 - size))}f}"
    short = text.rstrip("0")
    shown = short + "0" if short.endswith(".") else short
    return "0.0" if shown == "-0.0" else shown


def _spaced(name: str) -> str:
    return name.replace("_", " ")
