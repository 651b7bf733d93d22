"""The scanner whose only job is to refuse: what a model writes beside references and claims.

No digit, number word, unit, comparison, negation or verdict, no name of the data, and no word
outside a closed list; a noun of a fact only where a reference of its clause is such a fact. One
pass over the characters, so that the time is linear in the length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tool_use_om.agent.verify.facts import Fact
from tool_use_om.agent.verify.render import letters_of, name_words
from tool_use_om.agent.verify.words import (
    ALLOWED,
    CONNECTING,
    COUNTED,
    LISTING,
    NOUNS,
    UNCOUNTED,
    WHY_REFUSED,
)

_MARKS = frozenset(" \t\n.,;:!?()'\"’‘“”…")
_CLAUSE_ENDS = frozenset(",;:()")
_CLAUSE_WORDS = frozenset({"and", "while", "whereas", "but"})
_DASHES = frozenset("-–—−~/&+")
_RANGE_WORDS = frozenset({"to", "through", "until"})
_LONGEST_WORD = 30
# the two ends of one range, side by side in a result
RANGES = {("lower", "upper"), ("min", "max"), ("start_s", "end_s")}
COPULAS = frozenset({"is", "are", "was", "were", "has", "have", "had", "am"})
# parts of a name that change what is said, so that the name of the rest is not enough
_ROLES = frozenset({"chance", "baseline"})
_AS_IT_IS = frozenset({"median", "empirical", "mean", "value"})  # what stands for the whole
_STANDOUT = frozenset({"highest", "lowest", "longest", "shortest", "best", "nearest", "unusual"})
_SPLIT_WORDS = NOUNS["held"] | NOUNS["split"]


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
    claimed: tuple[Fact, ...] = ()
    has_claim: bool = False
    wholes: tuple[Fact, ...] = ()  # "of which": the second of "{n_unusual} of {n_windows}"
    places: tuple[int, ...] = ()  # of all these facts, in the sentence


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


def check_sentence(
    tokens: Sequence[Token],
    facts: Sequence[Fact],
    names: frozenset[str],
    claimed: Sequence[Sequence[Fact]] = (),
) -> None:
    """Refuse a sentence unless each word of it may stand where it does.

    Parameters
    ----------
    tokens : the sentence; "fact" tokens index `facts`, "claim" tokens `claimed`
    facts : what is referred to
    names : the names of sessions, channels, labels … in the data, folded
    claimed : the facts each claim rests on

    Raises
    ------
    RefusedError : with the reason, for the model
    """
    _check_words(tokens, names, facts)
    _check_joints(tokens, facts)
    for clause in clauses(tokens, facts, claimed):
        _check_clause(clause)


def _check_words(tokens: Sequence[Token], names: frozenset[str], facts: Sequence[Fact]) -> None:
    for i, token in enumerate(tokens):
        if token.kind == "mark" and token.text in "~/&+−":
            raise RefusedError(f"the sign {token.text!r} is not allowed outside references")
        if token.kind != "word":
            continue
        word = token.text
        if word in names and word not in CONNECTING:
            raise RefusedError(f"{word!r} is a name in the data: refer to it")
        if word == "used" and _next_word(tokens, i) == "to":
            raise RefusedError("'used to' tells of another time")
        if word == "between" and _is_range(_ends_behind(tokens, i, facts)):
            continue
        if word in ALLOWED or word in NOUNS or word in COUNTED:
            continue
        if word == "over" and _previous_word(tokens, i) in _COMPUTED:
            continue  # "computed over {n} sessions"
        if word == "most" and _next_word(tokens, i) == "unusual":
            continue  # "the most unusual window": that word is checked
        if word == "s" and i and tokens[i - 1].kind != "mark":
            continue  # the session's
        kind = WHY_REFUSED.get(word)
        if kind:
            raise RefusedError(f"the {kind} {word!r} asserts: write a reference or a claim")
        raise RefusedError(f"{word!r} is not a word an answer may use outside references")


_COMPUTED = frozenset({"averaged", "calculated", "computed", "judged", "measured", "taken"})


def _previous_word(tokens: Sequence[Token], at: int) -> str:
    before = [t for t in tokens[max(0, at - 3) : at] if t.kind != "mark" or t.text.strip()]
    return before[-1].text if before else ""


def _next_word(tokens: Sequence[Token], at: int) -> str:
    behind = [t for t in tokens[at + 1 : at + 4] if t.text not in {" ", "\t"} or t.kind != "mark"]
    return behind[0].text if behind else ""


def _ends_behind(tokens: Sequence[Token], at: int, facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Return the two facts of "between {a} and {b}" behind a word, or fewer."""
    behind = [t for t in tokens[at + 1 : at + 8] if t.kind != "mark" or t.text.strip()][:3]
    shape = [t.kind if t.kind != "word" else t.text for t in behind]
    return (facts[behind[0].at], facts[behind[2].at]) if shape == ["fact", "and", "fact"] else ()


def _is_range(ends: Sequence[Fact]) -> bool:
    """Tell whether two facts are the ends of one range, the lower one first."""
    if len(ends) != 2 or ends[0].row != ends[1].row:
        return False
    keys = [end.place[1].rpartition("/")[2] for end in ends]
    return (keys[0], keys[1]) in RANGES


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
        if values and middle.text in COPULAS and not _may_be(facts[before.at], facts[behind.at]):
            raise RefusedError("one name is no other: they stand in different rows")
        numbers = values and _is_value(before, facts) and _is_value(behind, facts)
        if numbers and joined and not _is_range((facts[before.at], facts[behind.at])):
            raise RefusedError("a range is a claim of kind 'range'")
    for i, token in enumerate(spaced):
        if token.kind == "fact" and _is_value(token, facts):
            _check_behind(facts[token.at], spaced[i + 1 : i + 5])


def _may_be(one: Fact, other: Fact) -> bool:
    """Tell whether "{one} is {other}" may be said: of a value and a name, or within one row."""
    return not (_is_name(one) and _is_name(other)) or one.row == other.row


def _check_behind(fact: Fact, behind: Sequence[Token]) -> None:
    """Refuse a value said to be a number of what no tool counted: "{x} windows", "{n} signals"."""
    counts = bool(name_of_count(fact))
    for token in behind:
        if token.kind != "word" or token.text in CONNECTING:
            return
        if token.text in UNCOUNTED or (token.text in COUNTED and not counts):
            raise RefusedError(f"{fact.name!r} is no number of {token.text}")


def clauses(
    tokens: Sequence[Token], facts: Sequence[Fact], claimed: Sequence[Sequence[Fact]] = ()
) -> list[Clause]:
    """Return the clauses of a sentence: up to a comma, a colon, "and", "while", "but".

    What has no reference belongs to the clause that follows, else to the one before; so do names
    before a comma, a colon or "while": "For {session}, {value}", "{channel} while {label} has".
    """
    found: list[list[Token]] = []
    group: list[Token] = []
    inside = _inside_ranges(tokens, facts)
    for i, token in enumerate(tokens):
        mark = token.kind == "mark" and token.text in _CLAUSE_ENDS
        ends = mark or (token.kind == "word" and token.text in _CLAUSE_WORDS)
        if not ends or i in inside:
            group.append(token)
            continue
        if _stands_alone(group, facts, before_mark=mark or token.text != "and"):
            found.append(group)
            group = []
    if found and not any(t.kind in {"fact", "claim"} for t in group):
        found[-1] += group
    else:
        found.append(group)
    return [_clause(one, facts, claimed) for one in found]


def _inside_ranges(tokens: Sequence[Token], facts: Sequence[Fact]) -> set[int]:
    """Return where the "and" of "between {a} and {b}" stands, which ends no clause."""
    inside = set()
    for i, token in enumerate(tokens):
        ends = _ends_behind(tokens, i, facts) if token.text == "between" else ()
        if ends:
            inside.add(next(j for j in range(i, len(tokens)) if tokens[j].text == "and"))
    return inside


def _stands_alone(group: Sequence[Token], facts: Sequence[Fact], *, before_mark: bool) -> bool:
    """Tell whether what was read so far is a clause of its own."""
    values = any(t.kind == "claim" or (t.kind == "fact" and _is_value(t, facts)) for t in group)
    names = any(t.kind == "fact" for t in group)
    return values or (names and not before_mark)


def _clause(
    group: Sequence[Token], facts: Sequence[Fact], claimed: Sequence[Sequence[Fact]]
) -> Clause:
    spaced = [t for t in group if t.kind != "mark" or t.text.strip()]
    wholes = []
    for before, of, behind in zip(spaced, spaced[1:], spaced[2:], strict=False):
        if before.kind == "fact" == behind.kind and of.text == "of":
            part, whole = facts[before.at], facts[behind.at]
            if part.row == whole.row and name_of_count(part) and name_of_count(whole):
                wholes.append(behind.at)
    return Clause(
        words=tuple(t.text for t in group if t.kind == "word"),
        facts=tuple(facts[t.at] for t in group if t.kind == "fact" and t.at not in wholes),
        claimed=tuple(f for t in group if t.kind == "claim" for f in (claimed or [()] * 99)[t.at]),
        has_claim=any(t.kind == "claim" for t in group),
        wholes=tuple(facts[at] for at in wholes),
        places=tuple(t.at for t in group if t.kind == "fact"),
    )


def _check_clause(clause: Clause) -> None:
    values = [f for f in clause.facts if not _is_name(f)]
    named = [f for f in clause.facts if _is_name(f)]
    for word in clause.words:
        if word in NOUNS:
            _check_noun(word, values, named, clause)
        elif word in COUNTED:
            _check_counted(word, [*values, *clause.wholes], named, clause.wholes)
    _check_owners([*values, *clause.wholes, *clause.claimed], named)
    _check_scope(clause, values, named)
    if named and not values and not clause.has_claim:
        _check_listing(clause, named)


def _check_noun(word: str, values: Sequence[Fact], named: Sequence[Fact], clause: Clause) -> None:
    if word == "between" and any(_is_range(pair) for pair in pairwise(clause.facts)):
        return
    about = values or clause.claimed or named
    if not about:
        raise RefusedError(f"{word!r} needs its reference in the same clause")
    for fact in about:
        most = "most" in fact.words and "most" not in clause.words
        if not NOUNS[word] & _said_of(fact) or (word == "unusual" and most):
            raise RefusedError(f"{word!r} is not what {fact.name!r} is")
        if fact.is_number and values:
            _check_role(word, fact, clause)


def _check_role(word: str, fact: Fact, clause: Clause) -> None:
    """Refuse "the accuracy is {its lower end}": who names a value names it wholly."""
    parts = [letters_of(part) for part in fact.name.split(", ")]
    said = {w for s in clause.words for w in (s, *NOUNS.get(s, ()))}
    of_split = NOUNS[word] & _SPLIT_WORDS and not NOUNS[word] & name_words(fact)
    if len(parts) < 2 or of_split or word in _STANDOUT:
        return
    unsaid = [p for p in parts[:-1] if p <= _ROLES and not p & said]
    of_last = NOUNS[word] & parts[-1] or word in parts[-1]
    if not of_last and not parts[-1] & (_AS_IT_IS | said):
        unsaid.append(parts[-1])
    if unsaid:
        raise RefusedError(f"{word!r} there is {fact.name!r}: say so")


_OF_THE_DATA = frozenset({"data", "dataset", "set", "signals", "recordings"})


def _check_scope(clause: Clause, values: Sequence[Fact], named: Sequence[Fact]) -> None:
    """Refuse "the mean of the channels is {one channel's}" where no name says whose it is."""
    said = {str(f.value).casefold() for f in named}
    for before, word in pairwise(w for w in clause.words if w not in {"the", "these", "this", "a"}):
        if before != "of" or not (word in COUNTED or word in _OF_THE_DATA):
            continue
        for fact in values:
            unsaid = {n.casefold() for k, n in fact.owner if k not in {"split", "time"}} - said
            if not name_of_count(fact) and fact.in_list and unsaid:
                raise RefusedError(f"{fact.name!r} is of {min(unsaid)!r} only: refer to that")


def _check_counted(
    word: str, values: Sequence[Fact], named: Sequence[Fact], wholes: Sequence[Fact]
) -> None:
    counts = [f for f in values if name_of_count(f)]
    if not counts:
        return
    kinds = COUNTED[word]
    of = any(kinds & _counted_by(f) for f in wholes or counts) or any(
        kinds & f.words for f in named
    )
    if not of:
        raise RefusedError(f"{word!r} is not what {counts[0].name!r} counts")


def _counted_by(fact: Fact) -> frozenset[str]:
    """Return the words of what a count counts: those of its path, not of whose it is."""
    return name_words(fact) | letters_of(fact.place[1])


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
    words = {w for w in clause.words if not (w in CONNECTING or w in COUNTED or w in NOUNS)}
    if words - LISTING:
        raise RefusedError("names without a value may only be listed")
    rows = {f.row for f in named}
    dates = [f.name for f in named if f.name in {"first date", "last date"}]
    if dates != sorted(dates):
        raise RefusedError("the last date stands before the first")
    if len(named) == 1 and named[0].in_list and isinstance(named[0].value, str):
        raise RefusedError(
            "one name of several says nothing by itself: give a value, a claim, or all of them "
            "(r1#/channels/*/id)"
        )
    if len({kind_of(f) for f in named}) > 1 and len(rows) > 1:
        raise RefusedError("two names of different kinds need a value that both own")


def kind_of(fact: Fact) -> str:
    """Return what kind of name a fact is."""
    return fact.named or fact.name


def _is_name(fact: Fact) -> bool:
    return isinstance(fact.value, str) or (
        isinstance(fact.value, list) and all(isinstance(v, str) for v in fact.value)
    )


def _is_value(token: Token, facts: Sequence[Fact]) -> bool:
    return facts[token.at].is_number


def _said_of(fact: Fact) -> frozenset[str]:
    owners = {w for kind, name in fact.owner for w in (*kind.split(), name) if kind == "split"}
    whole = fact.name.startswith("number of ") and not fact.owner
    total = frozenset({"total"}) if whole else frozenset()
    return fact.words | name_words(fact) | owners | total
