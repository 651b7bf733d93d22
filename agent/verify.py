"""The check every answer passes: each number, unit and comparison must follow from a tool result.

Plain code, no model. It covers numbers (digits, and words from "two" to "twelve"), the units behind
them, the values of findings, and orders between two numbers of one sentence. It does not judge
words without numbers ("mostly walking").
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from tool_use_om.agent.replies import Finding, Source
from tool_use_om.agent.verify_facts import (
    Fact,
    fact_at,
    facts_in_text,
    facts_of,
    rounds_to,
    supported,
)
from tool_use_om.agent.verify_text import comparison_in, numbers_in, sentences
from tool_use_om.agent.verify_units import Unit, read_unit

NOTHING_LEFT = "No statement of this answer could be traced to a tool result, so none is shown."
_BEATS = re.compile(r"\b(?:beats?|outperforms?|better than)\b", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|no|never|neither|fails? to)\b|n't\b", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“][^\"”\n]*[\"”]")


class Results(Protocol):
    """Where results are looked up; `tools.results.ResultStore` is one."""

    def resolve(self, result_id: str, pointer: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return the JSON value at `pointer` ("" = all of it); LookupError if there is none."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A statement and why no result supports it."""

    text: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What the check found.

    Attributes
    ----------
    ok : nothing was refused
    rejected : what was refused, findings first
    kept : the findings that stand, as JSON
    prose : the prose without the refused sentences
    checked : how many numbers and findings were looked at
    """

    ok: bool
    rejected: tuple[Refused, ...]
    kept: tuple[dict[str, Any], ...]
    prose: str
    checked: int

    def report(
        self, *, rounds: int, sent_back: Sequence[Mapping[str, Any]] = (), final: bool = False
    ) -> dict[str, Any]:
        """Return what goes into the state, builtins only.

        Parameters
        ----------
        rounds : how often the model has written an answer
        sent_back : what was refused in an earlier round
        final : what is refused now is cut, and not sent back
        """
        rejected = [{"text": r.text, "reason": r.reason} for r in self.rejected]
        return {
            "ok": self.ok,
            "checked": self.checked,
            "rounds": rounds,
            "rejected": rejected,
            "sent_back": list(sent_back),
            "cut": rejected if final else [],
        }


def verify(
    findings: Sequence[Mapping[str, Any]],
    prose: str,
    store: Results,
    question: str,
    *,
    contents: Mapping[str, Any] | None = None,
    also: Sequence[str] = (),
    quotes_are_claims: bool = True,
) -> Verification:
    """Check an answer against the results it rests on.

    Parameters
    ----------
    findings : as the model wrote them
    prose : the answer, Markdown
    store : where a finding's source is looked up
    question : its own numbers may be restated
    contents : result id → what the model was shown; None = the stored results the findings cite.
        A finding may cite these results only
    also : further texts whose numbers may be restated (errors of tools, data-set cards)
    quotes_are_claims : False leaves double-quoted text (examples of questions) unchecked
    """
    if contents is None:
        contents = _cited(findings, store)
    facts = _all_facts(contents, [question, *also])
    known = frozenset(f.unit.family for f in facts if f.unit)
    kept: list[dict[str, Any]] = []
    rejected: list[Refused] = []
    for raw in findings:
        try:
            kept.append(_check_finding(raw, store, contents, facts, known))
        except _UnsupportedError as error:
            rejected.append(Refused(text=_text_of(raw), reason=str(error)))
    cited = [*facts, *(_fact_of(finding) for finding in kept)]
    clean, refused, count = _check_prose(prose, cited, known, contents, quotes_are_claims)
    rejected += refused
    return Verification(
        ok=not rejected,
        rejected=tuple(rejected),
        kept=tuple(kept),
        prose=clean,
        checked=len(findings) + count,
    )


class _UnsupportedError(Exception):
    """The reason a statement is refused."""


def _check_finding(
    raw: Mapping[str, Any],
    store: Results,
    contents: Mapping[str, Any],
    facts: Sequence[Fact],
    known: frozenset[str],
) -> dict[str, Any]:
    try:
        finding = Finding.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise _UnsupportedError(
            f"it has not the form asked for: {where}: {first['msg']}"
        ) from error
    value, unit = _look_up(finding.source, store, contents)
    _check_value(finding, value, unit)
    if finding.compare:
        _check_order(finding, value, unit, _look_up(finding.compare.other, store, contents))
    own = [Fact(float(value), read_unit(unit))] if _is_number(value) else []
    _check_sentence(finding.statement, [*facts, *own], known, contents)
    checked = finding.model_dump(mode="json")
    return checked | {"value": finding.value if value is None else value} | _unit(finding, unit)


def _unit(finding: Finding, unit: str | None) -> dict[str, str | None]:
    """Return the unit of the value as stored: the model's own may be another of its family."""
    return {"unit": unit if unit else finding.unit}


def _look_up(source: Source, store: Results, contents: Mapping[str, Any]) -> tuple[Any, str | None]:
    if source.result_id not in contents:
        raise _UnsupportedError(f"{source.result_id[:40]!r} is no result of this answer")
    for whole in (contents[source.result_id], None):
        try:
            document = store.resolve(source.result_id, "") if whole is None else whole
            return fact_at(document, source.pointer)
        except LookupError as error:
            reason = str(error)
    raise _UnsupportedError(f"{source.result_id} has nothing at {source.pointer[:80]!r}: {reason}")


def _check_value(finding: Finding, value: Any, unit: str | None) -> None:  # noqa: ANN401 - JSON
    said = finding.value
    if said is None:
        return
    if not _is_number(value) or not _is_number(said):
        if not _same_words(said, value):
            raise _UnsupportedError(f"the result says {str(value)[:80]!r}, not {said!r}")
        return
    scale = _scale(read_unit(finding.unit), read_unit(unit), float(value))
    if not any(_rounds(float(str(said)), float(value) * s) for s in scale):
        shown = f"{value} {unit or ''}".strip()
        raise _UnsupportedError(f"the result says {shown}, not {said} {finding.unit or ''}".strip())


def _scale(said: Unit | None, stored: Unit | None, value: float) -> tuple[float, ...]:
    """Return the factors that may lead from the stored value to the said one; none fits: empty."""
    if said is None:
        return (1.0,)
    if stored is None:
        plain = said.family == "fraction" and abs(value) <= 1
        return (1 / said.factor,) if plain else ()
    return (stored.factor / said.factor,) if stored.family == said.family else ()


def _rounds(said: float, value: float) -> bool:
    text = repr(said)
    decimals = 0 if said == int(said) else len(text.partition(".")[2])
    return math.isclose(said, value, rel_tol=1e-6) or rounds_to(said, decimals, value)


def _same_words(said: object, value: object) -> bool:
    if isinstance(said, bool) or isinstance(value, bool) or _is_number(said) or _is_number(value):
        return said is value
    if isinstance(value, list | tuple):
        return isinstance(said, str) and all(str(v).casefold() in said.casefold() for v in value)
    return str(said).casefold().strip() == str(value).casefold().strip()


def _check_order(
    finding: Finding,
    value: Any,  # noqa: ANN401 - any JSON value
    unit: str | None,
    other: tuple[Any, str | None],
) -> None:
    op = finding.compare.op if finding.compare else "="
    if not (_is_number(value) and _is_number(other[0])):
        raise _UnsupportedError("only numbers can be compared")
    left, right = read_unit(unit), read_unit(other[1])
    if left and right and left.family != right.family:
        raise _UnsupportedError(f"{unit} and {other[1]} cannot be compared")
    a = float(value) * (left.factor if left else 1.0)
    b = float(other[0]) * (right.factor if right else 1.0)
    holds = {">": a > b, "<": a < b, "=": math.isclose(a, b, rel_tol=1e-3)}[op]
    if not holds:
        raise _UnsupportedError(f"the results say {value} and {other[0]}, so {op!r} does not hold")


def _check_prose(
    prose: str,
    facts: Sequence[Fact],
    known: frozenset[str],
    contents: Mapping[str, Any],
    quotes_are_claims: bool,  # noqa: FBT001 - private; the public function takes it by name
) -> tuple[str, list[Refused], int]:
    kept: list[str] = []
    refused: list[Refused] = []
    count = 0
    for sentence, gap in sentences(prose):
        claims = sentence if quotes_are_claims else _QUOTED.sub('""', sentence)
        try:
            count += _check_sentence(claims, facts, known, contents)
            kept.append(sentence + gap)
        except _UnsupportedError as error:
            refused.append(Refused(text=sentence.strip(), reason=str(error)))
            kept.append(gap if "\n" in gap else "")
    return _tidy("".join(kept)), refused, count


def _check_sentence(
    sentence: str, facts: Sequence[Fact], known: frozenset[str], contents: Mapping[str, Any]
) -> int:
    numbers = numbers_in(sentence, known)
    for number in numbers:
        if not supported(number, facts):
            unit = f" {number.unit.family}" if number.unit else ""
            raise _UnsupportedError(f"no result says {number.text}{unit}")
    claim = comparison_in(sentence, numbers)
    if claim:
        a = claim.left.value * (claim.left.unit.factor if claim.left.unit else 1.0)
        b = claim.right.value * (claim.right.unit.factor if claim.right.unit else 1.0)
        if not (a > b if claim.op == ">" else a < b):
            raise _UnsupportedError(
                f"it orders {claim.left.text} and {claim.right.text} the wrong way round"
            )
    _check_beats(sentence, contents)
    return len(numbers)


def _check_beats(sentence: str, contents: Mapping[str, Any]) -> None:
    """Refuse "beats the baseline" where every result that judged it says it did not."""
    if "baseline" not in sentence.casefold() or not _BEATS.search(sentence):
        return
    verdicts = [
        c["beats_baseline"]
        for c in contents.values()
        if isinstance(c, Mapping) and isinstance(c.get("beats_baseline"), bool)
    ]
    if verdicts and (_NOT.search(sentence) is None) not in verdicts:
        raise _UnsupportedError("the result says the opposite about the baseline")


def _tidy(text: str) -> str:
    """Remove what cutting leaves behind: blank runs, list marks and headings with nothing below."""
    text = re.sub(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]*$\n?", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _all_facts(contents: Mapping[str, Any], texts: Sequence[str]) -> list[Fact]:
    facts = [fact for content in contents.values() for fact in facts_of(content)]
    known = frozenset(f.unit.family for f in facts if f.unit)
    return facts + [fact for text in texts for fact in facts_in_text(text, known)]


def _cited(findings: Sequence[Mapping[str, Any]], store: Results) -> dict[str, Any]:
    ids = {str((f.get("source") or {}).get("result_id") or "") for f in findings}
    contents: dict[str, Any] = {}
    for result_id in sorted(ids):
        try:
            contents[result_id] = store.resolve(result_id, "")
        except LookupError:
            continue
    return contents


def _fact_of(finding: Mapping[str, Any]) -> Fact:
    value = finding["value"]
    return Fact(float(value) if _is_number(value) else math.nan, read_unit(finding["unit"]))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text_of(finding: Mapping[str, Any]) -> str:
    return str(finding.get("statement") or finding)[:300]
