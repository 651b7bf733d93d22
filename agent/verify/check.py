"""From the form to the answer: references resolved, claims evaluated, everything else refused.

A paragraph that our own writer wrote from these very results stands as it is; its references are
resolved here, too. Any other sentence must be references, claims and words the scanner lets pass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from tool_use_om.agent.verify.around import check_kind
from tool_use_om.agent.verify.claims import Told, read_claims, tell
from tool_use_om.agent.verify.facts import Fact, NoFactError, Source, Sources, fact_at, unit_in
from tool_use_om.agent.verify.form import (
    ClaimMark,
    Piece,
    Reference,
    Words,
    blocks,
    check_size,
    pieces,
    sentences,
)
from tool_use_om.agent.verify.render import (
    code,
    counted,
    in_full,
    name_words,
    owner_of,
    plain,
    shown,
)
from tool_use_om.agent.verify.scan import (
    Clause,
    RefusedError,
    Token,
    check_sentence,
    clauses,
    words_of,
)
from tool_use_om.agent.verify.words import CONNECTING, COUNTED, NOUNS
from tool_use_om.data.plain import plain_text

NOTHING_LEFT = "No statement of this answer could be traced to a tool result, so none is shown."
# Characters for private use mark, in `Checked.marked`, a value ("start index bar text end") and a
# model's own words; other people's text cannot hold them, as `plain_text` takes them out.
VALUE_START, VALUE_BAR, VALUE_END, OWN_START, OWN_END = "\ue000\ue001\ue002\ue003\ue004"
_SHOWN_LENGTH = 300
_NUMBERED = re.compile(r"\d{1,3}[.)]\s+")


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A statement as it was written, and why it is not shown."""

    text: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Ours:
    """What our own writer says of the results: the form, and what each value of it is called."""

    prose: str = ""
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """An answer after the check.

    Attributes
    ----------
    prose : what stands, as people read it (Markdown)
    marked : the same with the places of values and of a model's own words marked
    form : what stands, as it was written
    findings : the values that stand, each with its source
    rejected : what was refused, and why
    own : the sentences that hold a model's own words beside references and claims
    sentences : how many stand or were refused
    """

    prose: str
    marked: str
    form: str
    findings: tuple[dict[str, Any], ...]
    rejected: tuple[Refused, ...]
    own: tuple[str, ...]
    sentences: int

    @property
    def ok(self) -> bool:
        """Whether nothing was refused."""
        return not self.rejected

    @property
    def sourced(self) -> bool:
        """Whether each sentence that stands is references, claims and fixed words only."""
        return not self.own and bool(self.findings)

    def refusing(self, reason: str) -> Checked:
        """Return this with the whole answer refused for a reason."""
        whole = Refused(text="the whole answer", reason=reason)
        return replace(self, rejected=(whole,))


def check(
    prose: str,
    claims: Sequence[Any],
    sources: Sources,
    ours: Ours | None = None,
) -> Checked:
    """Resolve and check an answer.

    Parameters
    ----------
    prose : the form, as the model wrote it
    claims : typed claims, raw
    sources : the results of this run
    ours : what our own writer made of them; its paragraphs stand as they are

    Raises
    ------
    DataError : the answer is longer than the limits allow
    """
    mine = ours or Ours()
    fixed = set(blocks(mine.prose))
    strange = [b for b in blocks(prose) if b not in fixed]
    check_size("\n\n".join(strange), len(claims))
    return _Checker(sources, mine.names, claims).run(prose, fixed)


class _Place(NamedTuple):
    """A value and where it stands."""

    source: Source
    path: str
    value: Any
    unit: str | None


class _Checker:
    """Goes through one answer and keeps what stands."""

    def __init__(
        self, sources: Sources, names: Mapping[tuple[str, str], str], claims: Sequence[Any]
    ) -> None:
        self.sources, self.names = sources, names
        self.claims, self.broken = read_claims(claims)
        self.findings: list[dict[str, Any]] = []
        self.places: dict[tuple[str, str], int] = {}
        self.rejected: list[Refused] = []
        self.own: list[str] = []
        self.count = 0
        nouns = (source.content.get("session_noun") for source in sources.found.values())
        self._noun = next((str(noun) for noun in nouns if noun), "")

    def run(self, prose: str, fixed: set[str]) -> Checked:
        marked, form = [], []
        for block in blocks(prose):
            if block in fixed:
                self.count += 1
                marked.append(self._fixed(block))
                form.append(block)
            else:
                kept, text = self._written(block)
                marked += [text] if text else []
                form += [kept] if kept else []
        whole = "\n\n".join(marked)
        return Checked(
            prose=unmarked(whole), marked=whole, form="\n\n".join(form),
            findings=tuple(self.findings), rejected=tuple(self.rejected), own=tuple(self.own),
            sentences=self.count,
        )  # fmt: skip

    # -- our own paragraphs ------------------------------------------------------------------------

    def _fixed(self, block: str) -> str:
        parts: list[str] = []
        for piece in pieces(block):
            if isinstance(piece, Words):
                text = counted(_last_value(parts), plain_text(piece.text), self._noun)
                ended = parts and parts[-1].rstrip(VALUE_END).endswith(".")
                # "1.3 a.u.." at an end
                parts.append(text[1:] if ended and text.startswith(".") else text)
            elif isinstance(piece, Reference):
                parts.append(self._ours(piece))
        return "".join(parts)

    def _ours(self, piece: Reference) -> str:
        source = self.sources.found[piece.name]
        told = {**source.content, "args": source.args}
        value, unit = fact_at(told, piece.path)[0], unit_in(source.tool, told, piece.path)
        style = piece.style or "plain"
        text = shown(value, unit, style)
        if isinstance(value, bool) or not isinstance(value, int | float):
            text = code(text) if style == "code" else plain(text)
        if isinstance(value, list):
            return text
        said = self.names.get((piece.name, piece.path)) or piece.path
        whole = shown(value, unit, style.removeprefix("bare-"))
        at = _Place(source, piece.path, value, unit)
        return self._cite(at, f"{_capital(said)}: {whole}", text)

    # -- what a model wrote ------------------------------------------------------------------------

    def _written(self, block: str) -> tuple[str, str]:
        kept, told = [], []
        for line in block.split("\n"):
            if not line.strip():
                continue
            mark, said = _list_mark(line)
            good = [pair for s in sentences(said) if (pair := self._sentence(s))]
            if good:
                kept.append(mark + " ".join(form for form, _ in good))
                told.append(mark + " ".join(text for _, text in good))
        return "\n".join(kept), "\n".join(told)

    def _sentence(self, sentence: str) -> tuple[str, str] | None:
        self.count += 1
        before = len(self.findings), dict(self.places)
        try:
            return sentence, self._told(sentence)
        except RefusedError as error:
            del self.findings[before[0] :]
            self.places = before[1]
            text = plain_text(sentence)[:_SHOWN_LENGTH]
            self.rejected.append(Refused(text=text, reason=str(error)))
            return None

    def _told(self, sentence: str) -> str:
        found = list(pieces(sentence))
        tokens, facts, claims = self._read(found)
        claimed = [[f for *_, f in claims[t.text].facts] for t in tokens if t.kind == "claim"]
        check_sentence(tokens, facts, self.sources.names, claimed)
        check_kind(tokens)
        own = [t.text for t in tokens if t.kind == "word" and not _plain_word(t.text)]
        parts: list[str] = []
        at = 0
        of_clause = _clause_of(tokens, facts)
        for piece in found:
            if isinstance(piece, Words):
                parts.append(counted(_last_value(parts), _without_marks(piece.text), self._noun))
            elif isinstance(piece, Reference):
                parts.append(self._value(piece, facts[at], of_clause[at]))
                at += 1
            elif isinstance(piece, ClaimMark):
                parts.append(self._claim(claims[piece.id]))
        text = "".join(parts).strip()
        text = text[:1].upper() + text[1:]
        if own or not (facts or claims):
            self.own.append(unmarked(text))
            return f"{OWN_START}{text}{OWN_END}"
        return text

    def _read(self, found: Sequence[Piece]) -> tuple[list[Token], list[Fact], dict[str, Told]]:
        tokens: list[Token] = []
        facts: list[Fact] = []
        claims: dict[str, Told] = {}
        for piece in found:
            if isinstance(piece, Words):
                tokens += words_of(_without_marks(piece.text))
            elif isinstance(piece, Reference):
                tokens.append(Token("fact", at=len(facts)))
                facts.append(self._fact(piece))
            elif isinstance(piece, ClaimMark):
                tokens.append(Token("claim", piece.id, sum(t.kind == "claim" for t in tokens)))
                claims[piece.id] = self._holds(piece.id)
            else:
                raise RefusedError(f"{piece.text[:60]!r} is neither a reference nor a claim")
        return tokens, facts, claims

    def _fact(self, piece: Reference) -> Fact:
        try:
            found = self.sources.fact(piece.name, piece.path)
        except NoFactError as error:
            raise RefusedError(f"{piece.name}#{piece.path[:60]}: {error}") from error
        if isinstance(found.value, bool):
            raise RefusedError("a verdict is a claim of kind 'is' or 'not', not a value")
        texts = isinstance(found.value, list) and all(isinstance(v, str) for v in found.value)
        if not (found.is_number or isinstance(found.value, str) or (texts and found.value)):
            raise RefusedError(
                f"{piece.name}#{piece.path[:60]} is no single value; all names of a list are "
                "written {r1#/channels/*/id}"
            )
        return found

    def _holds(self, name: str) -> Told:
        if name in self.broken:
            raise RefusedError(f"claim {name!r} has not the form asked for: {self.broken[name]}")
        if name not in self.claims:
            raise RefusedError(f"there is no claim {name!r}")
        try:
            return tell(self.claims[name], self.sources)
        except RefusedError as error:
            raise RefusedError(f"claim {name!r}: {error}") from error

    def _value(self, piece: Reference, found: Fact, clause: Clause) -> str:
        source = self.sources.found[piece.name]
        said = frozenset(str(f.value).casefold() for f in clause.facts if not f.is_number)
        if isinstance(found.value, list):
            listed = ", ".join(f"`{code(str(v))}`" for v in found.value)
            return f"{listed} ({len(found.value)} of {found.whole})" if found.whole else listed
        text = in_full(found, said, frozenset(clause.words))
        values = any(f.is_number for f in clause.facts) or clause.has_claim
        if not found.is_number and not values and (role := _role(found)):
            text += f" ({role})"
        whole = f"{_capital(found.name)}: {in_full(found, words=name_words(found))}"
        at = _Place(source, piece.path, found.value, found.unit)
        return self._cite(at, whole, text)

    def _claim(self, told: Told) -> str:
        """Return a claim's words, linked to the first value it rests on; all become findings."""
        text = told.text
        for number, (name, path, found) in enumerate(reversed(told.facts), start=1):
            if isinstance(found.value, list):
                continue
            said = f"{_capital(found.name)}: {in_full(found, words=name_words(found))}"
            at = _Place(self.sources.found[name], path, found.value, found.unit)
            marked = self._cite(at, said, told.text)
            text = marked if number == len(told.facts) else text
        return text

    def _cite(self, at: _Place, statement: str, text: str) -> str:
        """Keep a value as a finding, once; return its text with the place of it marked."""
        if at.source.result_id is None:
            return text
        key = (at.source.result_id, at.path)
        if key not in self.places:
            self.places[key] = len(self.findings)
            where = {"result_id": at.source.result_id, "pointer": at.path}
            self.findings.append(
                {"statement": statement, "value": at.value, "unit": at.unit, "source": where}
            )
        return f"{VALUE_START}{self.places[key]}{VALUE_BAR}{text}{VALUE_END}"


def _last_value(parts: Sequence[str]) -> str:
    """Return the value that stands last, without the marks of its place; "" before the first."""
    return unmarked(parts[-1]) if parts else ""


def unmarked(text: str) -> str:
    """Return marked text as people read it in a terminal."""
    parts = text.split(VALUE_START)
    bare = parts[0] + "".join(p.partition(VALUE_BAR)[2] for p in parts[1:])
    for mark in (VALUE_END, OWN_START, OWN_END):
        bare = bare.replace(mark, "")
    return bare


def _role(found: Fact) -> str:
    """Return what a name that stands alone is: "highest variance", "most unlike"."""
    head, _, last = found.name.rpartition(", ")
    return head if head else last if last in {"best"} else owner_of(found)


def _clause_of(tokens: Sequence[Token], facts: Sequence[Fact]) -> dict[int, Clause]:
    return {at: clause for clause in clauses(tokens, facts) for at in clause.places}


def _list_mark(line: str) -> tuple[str, str]:
    """Return a line's list mark or heading mark, and what follows it."""
    bare = line.lstrip()
    for mark in ("- ", "* ", "+ ", "### ", "## ", "# "):
        if bare.startswith(mark):
            shown_mark = "- " if mark in {"* ", "+ "} else mark
            return shown_mark, bare[len(mark) :].strip()
    if numbered := _NUMBERED.match(bare):
        return "- ", bare[numbered.end() :].strip()  # numbers are never a model's own
    return "", bare.strip()


def _without_marks(text: str) -> str:
    """Return a model's words without Markdown's emphasis and code marks."""
    return text.replace("*", "").replace("_", " ").replace("`", "")


def _plain_word(word: str) -> bool:
    return word in CONNECTING or word in COUNTED or word in NOUNS or word == "s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
