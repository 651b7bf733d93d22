"""Write an answer in which every number is copied from a result and cited as a finding."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tool_use_om.agent.verify_facts import fact_at


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

    def look(self, pointer: str) -> Any:  # noqa: ANN401 - any JSON value
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


def ref(pointer: str, what: str, style: str = "plain", above: str | None = None) -> Ref:
    """Return a reference into the result that a sentence is about."""
    return Ref(pointer, what, style, above)


@dataclass
class Answer:
    """The findings and the lines of prose so far."""

    findings: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def say(self, result: Result, template: str, /, **refs: Ref) -> bool:
        """Add one line; each ``{name}`` is a cited value. Without a value there is no line."""
        values = {name: result.look(r.pointer) for name, r in refs.items()}
        if any(v is None or isinstance(v, dict) for v in values.values()):
            return False
        shown = {name: _shown(values[name], r, result) for name, r in refs.items()}
        self.lines.append(template.format(**shown).replace("..", "."))  # "1.3 a.u.." at an end
        for name, reference in refs.items():
            if not isinstance(values[name], list | dict):
                self._cite(result, reference, values[name], shown[name])
        return True

    def note(self, text: str) -> None:
        """Add a line without values of its own."""
        self.lines.append(text)

    def _cite(self, result: Result, reference: Ref, value: object, shown: str) -> None:
        if result.result_id is None:
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
                "source": {"result_id": result.result_id, "pointer": reference.pointer},
                "compare": {"op": ">", "other": other} if claim else None,
            }
        )

    def without(self, rejected: Sequence[str]) -> Answer:
        """Return the answer without the lines and findings that were refused."""
        bad = [text.strip() for text in rejected if text.strip()]
        return Answer(
            [f for f in self.findings if f["statement"] not in bad],
            [line for line in self.lines if not any(_holds(line, text) for text in bad)],
        )

    def prose(self) -> str:
        """Return the lines as Markdown: list lines below each other, others as paragraphs."""
        text = ""
        for line, following in zip(self.lines, [*self.lines[1:], ""], strict=True):
            if line.endswith(":") and not following.startswith("- "):
                continue  # a heading whose items were refused
            item, after_item = line.startswith("- "), text.rsplit("\n", 1)[-1].startswith("- ")
            if not text or not line or text.endswith("\n\n"):
                text += line or "\n\n"
            elif item or after_item:
                text += ("\n" if item and after_item else "\n\n") + line
            else:
                text += f" {line}"
        return re.sub(r"\n{3,}", "\n\n", text).strip()


def _holds(line: str, text: str) -> bool:
    return text in line or (line.strip() != "" and line.strip("-* \n") in text)


def _shown(value: Any, reference: Ref, result: Result) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return ", ".join(str(v) for v in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if reference.style == "percent":
        return f"{number(100 * value)} %"
    unit = result.unit(reference.pointer) if reference.style == "unit" else None
    return number(value) + (f" {_written(unit)}" if unit and unit != "1" else "")


def _written(unit: str) -> str:
    return {"s": "s", "hz": "Hz", "frac": "", "pct": "%"}.get(unit.casefold(), unit)


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
    return short + "0" if short.endswith(".") else short
