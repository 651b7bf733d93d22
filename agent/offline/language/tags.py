"""From words to tagged nodes: names of the data, words of the lexicon, numbers, unknown words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from tool_use_om.agent.offline.language.grammar import Node
from tool_use_om.agent.offline.language.lexicon import (
    EXACT_WORDS,
    canonical_stems,
    lexicon,
    lexicon_words,
)
from tool_use_om.agent.offline.language.measures import measure_at
from tool_use_om.agent.offline.language.names import Names, fold_stem
from tool_use_om.agent.offline.language.times import (
    GLUED_UNITS,
    NUMBER_WORDS,
    ORDINALS,
    TENS,
    UNITS,
    clock_seconds,
)
from tool_use_om.agent.offline.language.words import (
    FUNCTION_WORDS,
    Speller,
    Token,
    split_name,
    stem,
    tokenise,
    words_of,
)
from tool_use_om.tokenizers.registry import TOKENIZERS

_MARKS = {
    "-": "DASH", "–": "DASH", "—": "DASH", ",": "COMMA", "=": "EQ", "%": "PERCENT",
    "<": "LESS", ">": "MORE", "<=": "LESS", "≤": "LESS", ">=": "MORE", "≥": "MORE", "&": "AND",
    "/": "DASH", "@": "AT",
}  # fmt: skip
_AMBIGUOUS_UNITS = frozenset({"min", "hr", "hrs", "h", "s"})
_FRACTIONS = {"half": 0.5, "quarter": 0.25, "quarters": 0.25, "halves": 0.5}
_NUMBERS: dict[str, Mapping[str, float]] = {
    "NUM": NUMBER_WORDS,
    "TENS": TENS,
    "FRACTION": _FRACTIONS,
    "ORDINAL": ORDINALS,
}
_QUANTITIES = frozenset({"power", "energy"})  # statistics, too, where no channel is called so
# beside these a word such as "cycle" is a rhythm, whatever sessions are called
_RHYTHM_WORDS = ("daily", "weekly", "yearly", "annual", "monthly", "seasonal", "day", "hour", "log")
_RHYTHMS = frozenset(map(stem, _RHYTHM_WORDS))
_COUNTED = frozenset({"part", "parts"})  # things, right behind "how many"
_BESIDE = frozenset({"X", "LAST", "FIRST", "CHANNELNAME", "EITHER", "DATASETNAME"})
_LONGEST_PHRASE = 5
_RUN = re.compile(r"\w+(?:[._/-]\w+)*")
_ROLES = {
    **dict.fromkeys(("session", "record", "recording", "file", "trial"), "SESSIONID"),
    **dict.fromkeys(("subject", "person", "participant", "patient", "user"), "SUBJECTS"),
}
_NUMERIC = frozenset({"NUM", "TENS", "FRACTION"})


def tag(question: str, names: Names) -> list[Node]:
    """Return the question as nodes; words that only bind (articles, "please") are left out.

    A word that nothing knows becomes a node "X" with its text, a name of several things a node
    "EITHER" with them.
    """
    return read_words(question, names)[1]


def read_words(question: str, names: Names) -> tuple[list[Token], list[Node]]:
    """Return the question's tokens, and the nodes they make."""
    tokens = _words(question, names)
    claimed = _exact(tokens, question, names)
    claimed |= _unclaimed(_phrases(tokens, names, least=2), claimed)
    claimed |= _labels(tokens, names, claimed)
    claimed |= _unclaimed(_phrases(tokens, names, least=1), claimed)
    return tokens, _quantities(_sequence(tokens, question, names, claimed), tokens, question, names)


def _quantities(
    nodes: Sequence[Node], tokens: Sequence[Token], question: str, names: Names
) -> list[Node]:
    """Replace what is named by what it is ("oven temperature", "price") by the channels for it.

    Where several fit and no word beside it tells them apart, they become a node "EITHER".
    """
    out: list[Node] = []
    for node in nodes:
        last = out[-1] if out else None
        beside = last if last and last.last + 1 == node.first else None
        if beside and node.tag == "CHANNELNAME" == beside.tag and node.value == beside.value:
            out[-1] = Node(node.tag, node.value, beside.first, node.last)  # "line pressure"
            continue
        found, joined = _measuring(node, beside, tokens, names)
        if not found:
            out.append(node)
            continue
        first = beside.first if joined and beside else node.first
        out = out[:-1] if joined else out
        said = question[tokens[first].start : tokens[node.last].end]
        made = _node_of([("CHANNELNAME", c) for c in found], said, first)
        out.append(Node(made.tag, made.value, first, node.last))
    return out


def _measuring(
    node: Node, beside: Node | None, tokens: Sequence[Token], names: Names
) -> tuple[tuple[str, ...], bool]:
    """Return the channels of a quantity, and whether the word before it is part of its name."""
    if node.tag not in {"QUANTITY", "X"}:
        return (), False
    quantity = " ".join(t.text for t in tokens[node.first : node.last + 1])
    if beside is not None:
        found = names.measuring(quantity, tokens[beside.last].text)
        if found and beside.tag in _BESIDE:
            return found, True
        if beside.tag in {"X", "CHANNELNAME", "QUANTITY", "EITHER", "CODE"}:
            return (), False
    return names.measuring(quantity), False


def _words(question: str, names: Names) -> list[Token]:
    """Tokenise, keep exact names whole, take apart names that are none, and correct spelling."""
    tokens: list[Token] = []
    for token in _with_names(question, names):
        kept = names.is_session(token.text) or _is_code(token) or _follows_session(tokens, token)
        if (token.kind == "name" and _no_channel(token, names)) or (
            token.kind == "adapter" and token.text.partition("+")[0] in TOKENIZERS
        ):
            tokens.append(token)
        elif token.kind in {"adapter", "name"} and not kept:
            tokens += split_name(token)
        else:
            tokens.append(token)
    speller, known = _speller(names)
    return [_corrected(t, speller, known) for t in tokens]


def _with_names(question: str, names: Names) -> list[Token]:
    """Return the tokens, those inside an exact name of the data replaced by it."""
    exact = [
        Token("exact", run.group(), run.start(), run.end())
        for run in _RUN.finditer(question)
        if _distinct(run.group()) and names.spelled(run.group())
    ]
    taken = {place for token in exact for place in range(token.start, token.end)}
    kept = [t for t in tokenise(question) if not taken.intersection(range(t.start, t.end))]
    return sorted([*kept, *exact], key=lambda token: token.start)


def _distinct(run: str) -> bool:
    """Say whether a run of letters is no plain word: it has a digit, a mark or an inner capital."""
    return not run.isalpha() or re.search(r"[^\W\d_][A-Z]", run) is not None


def _exact(tokens: Sequence[Token], question: str, names: Names) -> dict[int, Node]:
    """Return first token → node of names spelt exactly: they win over any other reading.

    A plain word is the id of a session or subject only right behind the word for it.
    """
    found: dict[int, Node] = {}
    for index, token in enumerate(tokens):
        said = question[token.start : token.end]
        before = _ROLES.get(tokens[index - 1].stem) if index else None
        places = names.spelled(said) if token.kind == "exact" or before else []
        if before:
            of_role = [place for place in places if place[0] == before]
            places = of_role or (places if token.kind == "exact" else [])
        if not places and token.kind == "word" and _names_a_quantity(token):
            exact = names.spelled(said)
            places = exact or [("CHANNELNAME", c) for c in names.partly(token.text)]
        if places:
            found[index] = _node_of(places, said, index)
    return found


def _names_a_quantity(token: Token) -> bool:
    """Say whether a word is what may be measured, so that a channel's name may begin with it."""
    tag_, _ = lexicon().get((token.stem,), ("", ""))
    return tag_ == "QUANTITY" or token.text in _QUANTITIES


def _node_of(places: Sequence[tuple[str, Any]], said: str, index: int) -> Node:
    if len(places) > 1:
        return Node("EITHER", (said, tuple(places)), index, index)
    return Node(*places[0], index, index)


def _unclaimed(found: Mapping[int, Node], claimed: Mapping[int, Node]) -> dict[int, Node]:
    return {k: v for k, v in found.items() if _free(v, claimed)}


def _no_channel(token: Token, names: Names) -> bool:
    """Say whether a name is written as a channel of a modality that has no such one."""
    modality, dot, rest = token.text.partition(".")
    known = any(modality == m.casefold() for m in names.modalities)
    return bool(dot) and known and len(words_of(rest)) == 1 and not names.spelled(token.text)


def _is_code(token: Token) -> bool:
    """Say whether a name is a bare code such as f1 or s07."""
    return any(c.isdigit() for c in token.text) and token.text.isalnum()


def _follows_session(before: Sequence[Token], token: Token) -> bool:
    """Say whether a name is the id of a session by its place: "session day-01"."""
    said = bool(before) and before[-1].text in {"session", "recording"}
    return said and any(c.isdigit() for c in token.text)


@lru_cache(maxsize=32)
def _speller_of(words: frozenset[str], extra: frozenset[str]) -> tuple[Speller, frozenset[str]]:
    vocabulary = words | lexicon_words() | set(NUMBER_WORDS) | set(TENS) | set(ORDINALS)
    vocabulary |= {u for u in UNITS if len(u) > 3}
    known = vocabulary | FUNCTION_WORDS | set(GLUED_UNITS) | set(_FRACTIONS)
    everything = {stem(w) for w in known} | known | extra | set(canonical_stems())
    return Speller(vocabulary), frozenset(everything)


def _speller(names: Names) -> tuple[Speller, frozenset[str]]:
    stems_in_names = frozenset(s for phrase in names.phrases for s in phrase)
    return _speller_of(names.words, stems_in_names | names.axes)


def _corrected(token: Token, speller: Speller, known: frozenset[str]) -> Token:
    if token.kind != "word" or token.text in known or token.stem in known:
        return token
    better = speller.correct(token.text)
    return Token("word", better, token.start, token.end) if better else token


def _phrases(tokens: Sequence[Token], names: Names, least: int) -> dict[int, Node]:
    """Return first token → node of the longest known phrase there, of at least `least` words."""
    found: dict[int, Node] = {}
    index = 0
    while index < len(tokens):
        node = _phrase_at(tokens, index, names, least)
        if node:
            found[index] = node
        index = node.last + 1 if node else index + 1
    return found


def _phrase_at(tokens: Sequence[Token], index: int, names: Names, least: int) -> Node | None:
    for length in range(min(_LONGEST_PHRASE, len(tokens) - index), least - 1, -1):
        run = tokens[index : index + length]
        if all(t.kind in {"word", "number"} for t in run):
            key = tuple(t.stem for t in run)
            own = length == 1 and key[0] == names.noun_stem
            exact = EXACT_WORDS.get(run[0].text) if length == 1 and not own else None
            known = None if _of_sessions(key, names) else lexicon().get(key)
            hit = exact or names.phrases.get(key) or known
            if hit:
                return Node(hit[0], hit[1], index, index + length - 1)
    return None


def _of_sessions(key: Sequence[str], names: Names) -> bool:
    """Say whether a phrase of the lexicon speaks of the data's own sessions: "one cycle"."""
    return bool(names.noun_stem) and names.noun_stem in key and not _RHYTHMS & set(key)


def _free(node: Node, claimed: Mapping[int, Node]) -> bool:
    return all(node.last < c.first or c.last < node.first for c in claimed.values())


def _labels(tokens: Sequence[Token], names: Names, claimed: Mapping[int, Node]) -> dict[int, Node]:
    """Return first token → LABEL node: whole labels first, then the word only some labels have."""
    taken = {i for node in claimed.values() for i in range(node.first, node.last + 1)}
    folded = [fold_stem(t.text) if t.kind == "word" else "" for t in tokens]
    found: dict[int, Node] = {}
    for label, key in sorted(names.label_stems.items(), key=lambda item: -len(item[1])):
        for first in range(len(tokens)):
            last = _covers(folded, tokens, first, key)
            if last is not None and not taken & set(range(first, last + 1)):
                found[first] = Node("LABEL", (label,), first, last)
                taken |= set(range(first, last + 1))
    for index, base in enumerate(folded):
        if base and index not in taken and (some := _partial(base, tokens[index], names)):
            found[index] = Node("LABEL", some, index, index)
    return found


def _covers(
    folded: Sequence[str], tokens: Sequence[Token], first: int, key: frozenset[str]
) -> int | None:
    """Return the last token of a stretch from `first` that has all of `key` and little else."""
    missing = set(key)
    if folded[first] not in missing:
        return None
    for index in range(first, min(len(folded), first + len(key) + 3)):
        if folded[index] in missing:
            missing.discard(folded[index])
        elif tokens[index].text not in FUNCTION_WORDS and tokens[index].text not in {
            "a",
            "an",
            "of",
            "from",
            "to",
        }:
            return None
        if not missing:
            return index
    return None


def _partial(base: str, token: Token, names: Names) -> tuple[str, ...]:
    """Return the labels that share this word ("drinking" → Drink_glass), unless it means more."""
    if token.text in FUNCTION_WORDS or (token.stem,) in lexicon():
        return ()
    return tuple(label for label, key in names.label_stems.items() if base in key)


def _sequence(
    tokens: Sequence[Token], question: str, names: Names, claimed: Mapping[int, Node]
) -> list[Node]:
    nodes: list[Node] = []
    index = 0
    while index < len(tokens):
        unit = _unit(tokens, index, nodes) or _measure(tokens, index, question, nodes)
        node = unit or claimed.get(index) or _single(tokens, index, question, names)
        if node:
            nodes.append(node)
        index = (node.last if node else index) + 1
    return nodes


def _unit(tokens: Sequence[Token], index: int, before: Sequence[Node]) -> Node | None:
    """Return a UNIT node; short ones ("min", "h") count only right after a number."""
    token = tokens[index]
    if token.kind != "word":
        return None
    previous = before[-1] if before else None
    after_number = previous is not None and previous.tag in _NUMERIC and previous.last == index - 1
    if after_number and token.text in GLUED_UNITS:
        return Node("UNIT", float(GLUED_UNITS[token.text]), index, index)
    if token.text in UNITS and (
        token.text not in _AMBIGUOUS_UNITS
        or (previous is not None and previous.tag in {"A", "FIRST", "LAST", "NEXT"})
    ):
        return Node("UNIT", float(UNITS[token.text]), index, index)
    return None


def _measure(
    tokens: Sequence[Token], index: int, question: str, before: Sequence[Node]
) -> Node | None:
    """Return a MEASURE node with the unit right behind a number ("2 g"), however it is spelt."""
    if not before or before[-1].tag != "NUM" or before[-1].last != index - 1:
        return None
    found = measure_at(question, tokens[index - 1].end)
    if found is None or found[1] <= tokens[index].start:
        return None
    inside = [i for i in range(index, len(tokens)) if tokens[i].start < found[1]]
    return Node("MEASURE", found[0], index, inside[-1])


def _single(tokens: Sequence[Token], index: int, question: str, names: Names) -> Node | None:
    """Return the node of one token that is in no phrase; None for a word that only binds."""
    token = tokens[index]
    text, said = token.text, question[token.start : token.end]
    if token.kind == "mark":
        kind = _MARKS.get(text, "STOP" if text in ".;:?!" else "")
        return Node(kind, text in {"<", ">"}, index, index) if kind else None
    if token.kind == "name":
        kind = "SESSIONID" if names.is_session(text) else "CODE"
        return Node("QUANTITY" if _no_channel(token, names) else kind, said, index, index)
    plain: dict[str, tuple[str, Callable[[str], Any]]] = {
        "clock": ("CLOCK", clock_seconds),
        "number": ("NUM", lambda number: float(number.replace(",", ""))),
        "adapter": ("TOKNAME", lambda _: said),
    }
    if token.kind in plain:
        tag_, read = plain[token.kind]
        return Node(tag_, read(text), index, index)
    return _word(tokens, index, question, names)


def _word(tokens: Sequence[Token], index: int, question: str, names: Names) -> Node | None:
    token = tokens[index]
    text = token.text
    for kind, table in _NUMBERS.items():
        if text in table:
            return Node(kind, table[text], index, index)
    if text in names.axes:
        return Node("AXIS", text, index, index)
    counted = index > 0 and tokens[index - 1].text == "many" and text in _COUNTED
    if (text in FUNCTION_WORDS and not counted) or len(text) == 1:
        return None
    said = question[token.start : token.end]
    if places := names.spelled(said) or [("CHANNELNAME", c) for c in names.partly(text)]:
        return _node_of(places, said, index)
    return Node("X", text, index, index)
