"""The scanner whose only job is to refuse: what a model writes beside references and claims.

No digit, number word, unit, comparison, negation or verdict, no name of the data, and no word
outside a closed list; a noun of a fact only where a reference of its clause is such a fact. One
pass over the characters, so that the time is linear in the length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tool_use_om.agent.verify.facts import Fact
from tool_use_om.agent.verify.render import name_words
from tool_use_om.agent.verify.words import (
    ALLOWED,
    CONNECTING,
    COUNTED,
    LISTING,
    NOUNS,
    WHY_REFUSED,
)

_MARKS = frozenset(" \t\n.,;:!?()'\"’‘“”…")
_CLAUSE_ENDS = frozenset(",;:()")
_CLAUSE_WORDS = frozenset({"and", "while", "whereas", "but"})
_DASHES = frozenset("-–—−~/&+")
_RANGE_WORDS = frozenset({"to", "through", "until"})
_LONGEST_WORD = 30


class RefusedError(Exception):
    """Why a sentence may not be said."""


@dataclass(frozen=True)
class Token:
    """A word (folded), a mark of punctuation, or a place: the index of what is referred to."""

    kind: str  # "word", "mark", "fact", "claim"
    text: str = ""
    at: int = 0


@dataclass(frozen=True)
class Clause:
    """The words and the facts of a clause; `named` are those facts that are names."""

    words: tuple[str, ...]
    facts: tuple[Fact, ...]
    has_claim: bool


def words_of(text: str) -> Iterator[Token]:
    """Yield the words and marks of a text that holds no reference.

    Raises
    ------
    RefusedError : a character that no word of an answer has, such as a digit or a foreign letter
    """
    word: list[str] = []
    previous = " "
    for i, char in enumerate(text):
        following = text[i + 1 : i + 2]
        if char.isascii() and char.isalpha():
            word.append(char.casefold())
            if len(word) > _LONGEST_WORD:
                raise RefusedError("a word is longer than any word")
        else:
            inside = char in "-'’" and previous.isalpha() and following.isalpha()
            if word:
                yield Token("word", "".join(word))
                word = []
            if not inside:
                yield _mark(char)
        previous = char
    if word:
        yield Token("word", "".join(word))


def _mark(char: str) -> Token:
    if char.isdigit() or char.isnumeric():
        raise RefusedError(f"the digit {char!r} is no reference")
    if char in _MARKS:
        return Token("mark", char)
    if char in _DASHES:
        return Token("mark", "–" if char in "-–—" else char)
    raise RefusedError(f"the sign {char!r} is not allowed outside references")


def check_sentence(tokens: Sequence[Token], facts: Sequence[Fact], names: frozenset[str]) -> None:
    """Refuse a sentence unless each word of it may stand where it does.

    Parameters
    ----------
    tokens : the sentence; "fact" and "claim" tokens index `facts`
    facts : what is referred to; a claim's facts share its index, as a tuple in `facts`
    names : the names of sessions, channels, labels … in the data, folded

    Raises
    ------
    RefusedError : with the reason, for the model
    """
    _check_words(tokens, names)
    _check_joints(tokens, facts)
    for clause in clauses(tokens, facts):
        _check_clause(clause)


def _check_words(tokens: Sequence[Token], names: frozenset[str]) -> None:
    for i, token in enumerate(tokens):
        if token.kind == "mark" and token.text in "~/&+−":
            raise RefusedError(f"the sign {token.text!r} is not allowed outside references")
        if token.kind != "word":
            continue
        word = token.text
        if word in names and word not in CONNECTING:
            raise RefusedError(f"{word!r} is a name in the data: refer to it")
        if word in ALLOWED or word in NOUNS or word in COUNTED:
            continue
        if word == "s" and i and tokens[i - 1].kind != "mark":
            continue  # the session's
        kind = WHY_REFUSED.get(word)
        if kind:
            raise RefusedError(f"the {kind} {word!r} asserts: write a reference or a claim")
        raise RefusedError(f"{word!r} is not a word an answer may use outside references")


def _check_joints(tokens: Sequence[Token], facts: Sequence[Fact]) -> None:
    """Refuse what would change a value: "−{x}", "{x}k", and "{x} to {y}", which is a range."""
    spaced = [t for t in tokens if not (t.kind == "mark" and t.text in " \t\n")]
    for i, token in enumerate(tokens[:-1]):
        after = tokens[i + 1]
        if token.kind in {"fact", "claim"} and after.kind not in {"mark"}:
            raise RefusedError("a reference needs a space or a mark behind it")
        if after.kind in {"fact", "claim"} and token.kind not in {"mark"}:
            raise RefusedError("a reference needs a space or a mark before it")
        if token.text == "–" and "fact" in {after.kind, tokens[i - 1].kind if i else ""}:
            raise RefusedError("a dash at a reference reads as a sign or a range")
    for before, middle, behind in zip(spaced, spaced[1:], spaced[2:], strict=False):
        values = before.kind == "fact" == behind.kind
        joined = middle.text == "–" or middle.text in _RANGE_WORDS
        if values and joined and _is_value(before, facts) and _is_value(behind, facts):
            raise RefusedError("a range is a claim of kind 'range'")


def clauses(tokens: Sequence[Token], facts: Sequence[Fact]) -> list[Clause]:
    """Return the clauses of a sentence: up to a comma, a colon, "and", "while", "but".

    What has no reference belongs to the clause that follows, else to the one before; so do names
    before a comma or a colon: "For {session}, {value}", "{channel}: {value}".
    """
    found: list[list[Token]] = []
    group: list[Token] = []
    for token in tokens:
        mark = token.kind == "mark" and token.text in _CLAUSE_ENDS
        if not (mark or (token.kind == "word" and token.text in _CLAUSE_WORDS)):
            group.append(token)
            continue
        if _stands_alone(group, facts, before_mark=mark):
            found.append(group)
            group = []
    if found and not any(t.kind in {"fact", "claim"} for t in group):
        found[-1] += group
    else:
        found.append(group)
    return [_clause(one, facts) for one in found]


def _stands_alone(group: Sequence[Token], facts: Sequence[Fact], *, before_mark: bool) -> bool:
    """Tell whether what was read so far is a clause of its own."""
    values = any(t.kind == "claim" or (t.kind == "fact" and _is_value(t, facts)) for t in group)
    names = any(t.kind == "fact" for t in group)
    return values or (names and not before_mark)


def _clause(group: Sequence[Token], facts: Sequence[Fact]) -> Clause:
    return Clause(
        words=tuple(t.text for t in group if t.kind == "word"),
        facts=tuple(facts[t.at] for t in group if t.kind == "fact"),
        has_claim=any(t.kind == "claim" for t in group),
    )


def _check_clause(clause: Clause) -> None:
    values = [f for f in clause.facts if not _is_name(f)]
    named = [f for f in clause.facts if _is_name(f)]
    for word in clause.words:
        if word in NOUNS:
            _check_noun(word, values, clause)
        elif word in COUNTED:
            _check_counted(word, values, named)
    _check_owners(values, named)
    if named and not values and not clause.has_claim:
        _check_listing(clause, named)


def _check_noun(word: str, values: Sequence[Fact], clause: Clause) -> None:
    if clause.has_claim and not values:
        raise RefusedError(f"a claim says itself what it is about: leave {word!r} out")
    if not values:
        raise RefusedError(f"{word!r} needs its reference in the same clause")
    for fact in values:
        if not NOUNS[word] & _said_of(fact):
            raise RefusedError(f"{word!r} is not what {fact.name!r} is")


def _check_counted(word: str, values: Sequence[Fact], named: Sequence[Fact]) -> None:
    counts = [f for f in values if "number" in name_of_count(f)]
    if not counts:
        return
    kinds = COUNTED[word]
    of = any(kinds & _said_of(f) for f in counts) or any(kinds & f.words for f in named)
    if not of:
        raise RefusedError(f"{word!r} is not what {counts[0].name!r} counts")


def name_of_count(fact: Fact) -> frozenset[str]:
    """Return {"number"} for a fact that counts, nothing for another."""
    counts = fact.is_number and fact.unit is None and float(fact.value).is_integer()
    said = "number" in fact.name or " per " in f" {fact.name} "
    return frozenset({"number"}) if counts and said and not fact.share else frozenset()


def _check_owners(values: Sequence[Fact], named: Sequence[Fact]) -> None:
    """Refuse a name beside a value that is not its owner's."""
    for name in named:
        for value in values:
            owners = {n.casefold() for _, n in value.owner}
            if str(name.value).casefold() not in owners:
                raise RefusedError(f"{value.name!r} there is not of {str(name.value)[:40]!r}")


def _check_listing(clause: Clause, named: Sequence[Fact]) -> None:
    words = {w for w in clause.words if w not in CONNECTING and w not in COUNTED}
    if words - LISTING:
        raise RefusedError("names without a value may only be listed")
    if len(named) == 1 and named[0].in_list and isinstance(named[0].value, str):
        raise RefusedError("one name of several says nothing by itself: give a value or a claim")
    kinds = {kind_of(f) for f in named}
    if len(kinds) > 1:
        raise RefusedError("two names of different kinds need a value that both own")


def kind_of(fact: Fact) -> str:
    """Return what kind of name a fact is, by the last word of its own name."""
    return sorted(fact.words & set(COUNTED))[0] if fact.words & set(COUNTED) else fact.name


def _is_name(fact: Fact) -> bool:
    return isinstance(fact.value, str) or (
        isinstance(fact.value, list) and all(isinstance(v, str) for v in fact.value)
    )


def _is_value(token: Token, facts: Sequence[Fact]) -> bool:
    return facts[token.at].is_number


def _said_of(fact: Fact) -> frozenset[str]:
    owners = {w for kind, name in fact.owner for w in (*kind.split(), name) if kind == "split"}
    share = frozenset({"share"}) if fact.share else frozenset()
    return fact.words | name_words(fact) | owners | share
