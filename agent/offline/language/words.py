"""From text to words: tokens with their place, light stemming, and spelling tolerance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

_TOKEN = re.compile(
    r"""(?P<clock>\d+:\d{2}(?::\d{2})?(?:\.\d+)?)
      | (?P<adapter>(?<![\w])[A-Za-z][A-Za-z0-9.-]*\+[A-Za-z][A-Za-z0-9_-]*)
      | (?P<name>(?<![\w])(?:[A-Za-z]+\d+[A-Za-z0-9]*(?:[-_.][A-Za-z0-9]+)*
                            |[A-Za-z]+(?:[-_.][A-Za-z0-9]+)+))
      | (?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)
      | (?P<word>[^\W\d_]+(?:['’][a-z]+)?)
      | (?P<mark>>=|<=|[-–—,.;:?!=<>≥≤%@/&])""",
    re.VERBOSE,
)
_REMEMBERED = 10_000  # words a speller keeps its answer for
_PART = re.compile(r"[^\W\d_]+|\d+")
_VOWEL = re.compile(r"[aeiouy]")


@dataclass(frozen=True)
class Token:
    """One token: its kind (clock, adapter, name, number, word, mark), folded text and place."""

    kind: str
    text: str
    start: int
    end: int

    @cached_property
    def stem(self) -> str:
        """Its text without inflection."""
        return stem(self.text)


def tokenise(text: str) -> list[Token]:
    """Return the tokens of `text` in order; what is no token (quotes, brackets) is left out."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        folded = match.group().casefold().replace("’", "'")
        if kind == "word":
            folded = re.sub(r"'(s|re|ll|d|ve|m)$", "", folded).replace("'", "")
        token = Token(kind, folded, match.start(), match.end())
        found = [*found[:-1], _negative(token)] if _signed(found, token, text) else [*found, token]
    return found


def _signed(before: Sequence[Token], token: Token, text: str) -> bool:
    """Tell whether a minus right before a number is its sign: "-5 s", not "3 -5 s" or "3-5"."""
    if token.kind != "number" or not before or before[-1].text != "-":
        return False
    minus = before[-1]
    touches = minus.end == token.start and text[: minus.start][-1:].isspace()
    return touches and len(before) > 1 and before[-2].kind == "word"


def _negative(token: Token) -> Token:
    return Token(token.kind, "-" + token.text, token.start - 1, token.end)


def split_name(token: Token) -> list[Token]:
    """Return the words and numbers inside a name token that turned out to be no known name."""
    parts = []
    for match in _PART.finditer(token.text):
        kind = "number" if match.group().isdigit() else "word"
        place = token.start + match.start()
        parts.append(Token(kind, match.group(), place, place + len(match.group())))
    return parts


def words_of(name: str) -> tuple[str, ...]:
    """Return the folded words of a name written with spaces, `_`, `-`, `.` or CamelCase."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return tuple(part.casefold() for part in _PART.findall(spaced))


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return a light stem: plural, -ing, -ed and a final -e are dropped."""
    if len(word) <= 3:
        return word
    word = _singular(word)
    for ending in ("ing", "ed"):
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) >= 3 and _VOWEL.search(base):
            doubled = base[-1] == base[-2] and base[-1] not in "lsz"
            word = base[:-1] if doubled else base
            break
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def inflections(word: str) -> set[str]:
    """Return the forms of `word` that people write, so that misspelt ones are recognised too."""
    base = stem(word)
    doubled = base + base[-1]
    return {word, base, base + "s", base + "ing", doubled + "ing", base + "ed"}


class Speller:
    """Finds the known word that a misspelt one stands for.

    A word that English has is never misspelt: "skip" is no slip of "skin".
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._known: dict[str, str | None] = {}
        self._words = sorted({w for w in words if len(w) >= 4})

    def correct(self, word: str) -> str | None:
        """Return the one nearest known word; None when none, or more than one, may be meant."""
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        if word not in self._known:
            self._known[word] = None if is_english(word) else self._nearest(word)
        return self._known[word]

    def _nearest(self, word: str) -> str | None:
        """Look through all words.

        One slip is allowed from four letters on, two from eight on; the first letter must be
        right (or swapped with the second) unless the word has six letters or more. Of equally near
        words those with the same last letter are meant; they must be forms of one word.
        """
        limit = 0 if len(word) < 4 else 1 if len(word) < 8 else 2
        if not limit:
            return None
        near = process.extract(
            word, self._words, scorer=OSA.distance, score_cutoff=limit, limit=None
        )
        ranked = sorted(
            (distance, word[-1] != known[-1], known)
            for known, distance, _ in near
            if _same_start(word, known)
        )
        best = [known for *rank, known in ranked if tuple(rank) == ranked[0][:2]]
        return best[0] if len({stem(known) for known in best}) == 1 else None


def _same_start(word: str, known: str) -> bool:
    return word[0] == known[0] or len(word) >= 6 or word[:2] == known[1::-1]


def is_english(word: str) -> bool:
    """Say whether a folded word, or another form of it, is an ordinary English one."""
    return word in english() or stem(word) in english()


@lru_cache(maxsize=1)
def english() -> frozenset[str]:
    """Return the ordinary words with their stems.

    The list: whole English words of the vocabulary of uncased BERT (Devlin et al., 2019;
    Apache-2.0), and words of our own.
    """
    listed = Path(__file__).with_name("english.txt").read_text("utf-8").split()
    return frozenset([*listed, *map(stem, listed)])


_FUNCTION_WORDS = (
    "the is are was were be been being do does did doing have has had can could would should will "
    "shall may might must i you we they he she it its me my our your their them this that these "
    "those there here in on at for with while during when if so as than too very please pls me "
    "into out over off up down about again any some all both such same who whom whose how why "
    "what which where show give get see let lets make us tell want need like know go got just "
    "someone somebody anyone anything everything something people time times activity really "
    "happen happens happening look looks looking one ones thing things much many most more "
    "now still only even well hello hi hey thanks thank because said say says using used "
    "value values different kind type larger largest smaller smallest biggest big small high low "
    "highest lowest rank order total result results answer question question's compute calculate "
    "determine report display provide return work works part parts bit bits place places within "
    "check checked anywhere somewhere along across around also whole entire own able im ive id "
    "whats wheres hows theres clearly goes often calibrated explanation going "
    "whether put come comes came shows shown showing taken gets given gives among else kindly "
    "actually exactly currently simply briefly quickly interested curious wonder wondering didnt "
    "isnt wasnt since always ever ok okay allow search measured measurement measurements reading "
    "readings recorded collected seen number numbers seem seems appear appears occur occurs "
    "occurring case cases present itself each way nothing anybody everybody everyone none help "
    "dear sir madam regards kind sorry wish hope think believe guess idea sort stuff bring "
    "length lengths series several outside curve curves team shape shapes error errors examine "
    "inspect rely estimate explain nobody "
    "pull fetch grab state specify mention inform including included contain contains "
    "contained exist exists made makes making done being data dataset turn turns yes please"
)


FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
