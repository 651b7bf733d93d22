"""The check every answer passes: each number, unit and comparison must follow from a tool result.

Plain code, no model. It covers numbers (digits, and words from "two" to "twelve"), the units behind
them, the values of findings, and orders between two numbers of one sentence. It does not judge
words without numbers ("mostly walking").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from tool_use_om.agent.verify.facts import Fact, facts_in_text, facts_of, supported
from tool_use_om.agent.verify.findings import Results, UnsupportedError, check_finding, fact_of
from tool_use_om.agent.verify.prose import (
    Number,
    blocks,
    cell_numbers,
    cells,
    column_units,
    comparison_in,
    numbers_in,
    sentences,
)

NOTHING_LEFT = "No statement of this answer could be traced to a tool result, so none is shown."
_BEATS = re.compile(r"\b(?:beats?|outperforms?|better than)\b", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|no|never|neither|fails? to)\b|n't\b", re.IGNORECASE)
# "## Forecast", "**Forecast**"; a headline is a sentence and ends as one
_TITLE = re.compile(r"#{1,6} [^\n]+|\*\*[^*\n]*[^*\n.!?]\*\*")
_QUOTED = re.compile(r"[\"“][^\"”\n]*[\"”]")


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
            finding = check_finding(raw, store, contents)
            own = [*facts, fact_of(finding)]
            _check_sentence(finding["statement"], own, known, contents)
            kept.append(finding)
        except UnsupportedError as error:
            rejected.append(Refused(text=_text_of(raw), reason=str(error)))
    cited = [*facts, *(fact_of(finding) for finding in kept)]
    clean, refused, count = _check_prose(prose, cited, known, contents, quotes_are_claims)
    rejected += refused
    return Verification(
        ok=not rejected,
        rejected=tuple(rejected),
        kept=tuple(kept),
        prose=clean,
        checked=len(findings) + count,
    )


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
    for is_table, lines in blocks(prose):
        if is_table:
            text, bad, checked = _check_table(lines, facts, known, contents)
        else:
            text, bad, checked = _check_text(
                "".join(lines), facts, known, contents, quotes_are_claims
            )
        kept.append(text)
        refused += bad
        count += checked
    text = _tidy("".join(kept))
    return _without_bare_titles(text) if refused else text, refused, count


def _check_text(
    text: str,
    facts: Sequence[Fact],
    known: frozenset[str],
    contents: Mapping[str, Any],
    quotes_are_claims: bool,  # noqa: FBT001 - private, as above
) -> tuple[str, list[Refused], int]:
    kept: list[str] = []
    refused: list[Refused] = []
    count = 0
    for sentence, gap in sentences(text):
        claims = sentence if quotes_are_claims else _QUOTED.sub('""', sentence)
        try:
            count += _check_sentence(claims, facts, known, contents)
            kept.append(sentence + gap)
        except UnsupportedError as error:
            refused.append(Refused(text=sentence.strip(), reason=str(error)))
            kept.append(gap if "\n" in gap else "")
    return "".join(kept), refused, count


def _check_table(
    lines: Sequence[str],
    facts: Sequence[Fact],
    known: frozenset[str],
    contents: Mapping[str, Any],
) -> tuple[str, list[Refused], int]:
    """Check a table row by row; what is left of it is a table still, or nothing.

    Rows stand or fall as a whole; without its heading, a table says nothing.
    """
    heading, rule, *rows = lines
    try:
        count = _check_sentence(heading, facts, known, contents)
    except UnsupportedError as error:
        reason = f"its table's heading is not supported: {error}"
        return "", [Refused(text=line.strip(), reason=reason) for line in (heading, *rows)], 0
    units = column_units(heading, known)
    kept: list[str] = []
    refused: list[Refused] = []
    for row in rows:
        try:
            for cell, unit in zip_longest(cells(row), units[: len(cells(row))]):
                numbers = cell_numbers(cell, unit, known)
                _check_numbers(cell, numbers, facts)
                count += len(numbers)
            _check_beats(row, contents)
            kept.append(row)
        except UnsupportedError as error:
            refused.append(Refused(text=row.strip(), reason=str(error)))
    return "".join([heading, rule, *kept]) if kept else "", refused, count


def _check_sentence(
    sentence: str, facts: Sequence[Fact], known: frozenset[str], contents: Mapping[str, Any]
) -> int:
    numbers = numbers_in(sentence, known)
    _check_numbers(sentence, numbers, facts)
    _check_beats(sentence, contents)
    return len(numbers)


def _check_numbers(text: str, numbers: list[Number], facts: Sequence[Fact]) -> None:
    for number in numbers:
        if not supported(number, facts):
            unit = f" {number.unit.family}" if number.unit else ""
            raise UnsupportedError(f"no result says {number.text}{unit}")
    claim = comparison_in(text, numbers)
    if claim:
        a = claim.left.value * (claim.left.unit.factor if claim.left.unit else 1.0)
        b = claim.right.value * (claim.right.unit.factor if claim.right.unit else 1.0)
        if not (a > b if claim.op == ">" else a < b):
            raise UnsupportedError(
                f"it orders {claim.left.text} and {claim.right.text} the wrong way round"
            )


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
        raise UnsupportedError("the result says the opposite about the baseline")


def _tidy(text: str) -> str:
    """Remove what cutting leaves behind: blank runs and list marks."""
    text = re.sub(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]*$\n?", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _without_bare_titles(text: str) -> str:
    """Remove titles, and announcements ending in a colon, whose table or text was cut."""
    paragraphs = text.split("\n\n")
    kept: list[str] = []
    for paragraph in reversed(paragraphs):
        ends = not kept or _TITLE.fullmatch(kept[-1]) is not None
        if ends and _TITLE.fullmatch(paragraph):
            continue
        if ends and paragraph.endswith(":"):
            before = [s + gap for s, gap in sentences(paragraph) if s.strip()][:-1]
            if not (paragraph := "".join(before).strip()):
                continue
        kept.append(paragraph)
    return "\n\n".join(reversed(kept))


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


def _text_of(finding: Mapping[str, Any]) -> str:
    return str(finding.get("statement") or finding)[:300]
