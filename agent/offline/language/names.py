"""The names a question may use: data sets, channels, labels and session ids of the data at hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tool_use_om.agent.offline.language.lexicon import (
    MODALITY_WORDS,
    canonical_stems,
    lexicon,
    stems,
)
from tool_use_om.agent.offline.language.words import inflections, stem, words_of
from tool_use_om.data.units import measured_as

_SMALL = frozenset(
    {
        "a",
        "an",
        "the",
        "of",
        "in",
        "on",
        "from",
        "to",
        "at",
        "with",
        "and",
        "for",
        "up",
        "his",
        "her",
    }
)

# what a question has as words of its own for other things than sessions
_NO_SESSION = frozenset({"SUBJECT", "CLASS", "CHANNEL", "DATA", "DATASET", "LABELS", "SPLIT"})
_BOUNDED = r"(?<![\w-]){0}(?![\w-])"
_QUOTE = "[\"'`“”‘’]"
_SAID_TO_BE_A_SET = (
    rf"(?:\bdata[\s-]?set\s+(?:called\s+|named\s+)?{_QUOTE}?{{0}}(?![\w-])"
    rf"|(?<![\w-]){{0}}{_QUOTE}?\s+data[\s-]?set\b"
    rf"|(?<!\w){_QUOTE}{{0}}{_QUOTE}(?!\w))"
)


@dataclass(frozen=True)
class Names:
    """One data set's names, as its card gives them.

    Attributes
    ----------
    datasets : all data sets there are; the first is the current one
    channels : ids "modality.channel"
    units : of the channels, in their order
    labels : all labels of all label sets
    session_ids, subject_ids : some of them; `n_subjects` tells whether it is all
    session_noun : what the source calls one session ("night"), "" where it has no word
    """

    datasets: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    session_ids: tuple[str, ...] = ()
    id_pattern: str = ""
    subject_ids: tuple[str, ...] = ()
    n_subjects: int | None = None
    duration_s: Mapping[str, float] = field(default_factory=dict)
    session_noun: str = ""

    @classmethod
    def of(cls, cards: Sequence[Mapping[str, Any]], dataset: str | None = None) -> Names:
        """Return the names of `dataset` (default: of the first card) among `cards`."""
        cards = [c for c in cards if c.get("name")]
        if not cards:
            return cls()
        card = next((c for c in cards if c["name"] == dataset), cards[0])
        labels = [label for one in (card.get("labels") or {}).values() for label in one]
        rest = [str(c["name"]) for c in cards if c is not card]
        return cls(
            datasets=(str(card["name"]), *rest),
            channels=tuple(str(c["id"]) for c in card.get("channels") or ()),
            units=tuple(str(c.get("unit") or "") for c in card.get("channels") or ()),
            labels=tuple(dict.fromkeys(map(str, labels))),
            session_ids=tuple(map(str, card.get("session_ids") or ())),
            id_pattern=str(card.get("id_pattern") or ""),
            subject_ids=tuple(map(str, card.get("subject_ids") or ())),
            n_subjects=card.get("n_subjects"),
            session_noun=str(card.get("session_noun") or ""),
            duration_s={k: float(v) for k, v in (card.get("duration_s") or {}).items()},
        )

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        """The modalities, in order."""
        return tuple(dict.fromkeys(c.partition(".")[0] for c in self.channels))

    @cached_property
    def phrases(self) -> dict[tuple[str, ...], tuple[str, Any]]:
        """Phrase (as stems) → (tag, name) for data sets, modalities and long channel names.

        A word that several modalities share, such as ECG of two leads, means all of them.
        """
        table: dict[tuple[str, ...], tuple[str, Any]] = {
            _key(name): ("DATASETNAME", name) for name in self.datasets[:1]
        }
        shared: dict[tuple[str, ...], list[str]] = {}
        for modality in self.modalities:
            for synonym in _synonyms(modality):
                shared.setdefault(stems(synonym), []).append(modality)
        for key, found in shared.items():
            one = ("MODALITY", found[0]) if len(found) == 1 else ("CHANNELS", tuple(found))
            table[key] = one
        for modality in self.modalities:
            table[_key(modality)] = ("MODALITY", modality)
        for channel in self.channels:
            short = channel.partition(".")[2]
            for synonym in MODALITY_WORDS.get("_".join(words_of(channel)), "").split(", "):
                table[stems(synonym)] = ("CHANNELNAME", channel)
            table[_key(channel)] = ("CHANNELNAME", channel)
            if len(short) > 1:
                table.setdefault(_key(short), ("CHANNELNAME", channel))
        for key, channel in self._said_shortly().items():
            table.setdefault(key, ("CHANNELNAME", channel))
        if self.subject_noun and self.subject_noun not in {
            key[0] for key in table if len(key) == 1
        }:
            table[(self.subject_noun,)] = ("SUBJECT", "subject")
        if self.noun_stem:
            own = (self.noun_stem,)  # a file "nights" is asked about by its nights
            if table.get(own, ("DATASETNAME",))[0] == "DATASETNAME":
                table[own] = ("SESSION", "session")
        return table

    def _said_shortly(self) -> dict[tuple[str, ...], str]:
        """Return other words for a short name that one channel alone has: "pulse"."""
        shorts = ["_".join(words_of(_short(c))) for c in self.channels]
        return {
            stems(synonym): channel
            for channel, short in zip(self.channels, shorts, strict=True)
            if shorts.count(short) == 1
            for synonym in MODALITY_WORDS.get(short, "").split(", ")
            if synonym
        }

    @cached_property
    def subject_noun(self) -> str:
        """The stem of what the subjects are called, where their ids begin with it: "machine-01"."""
        heads = {re.split(r"[\s_.-]*\d", s, maxsplit=1)[0].casefold() for s in self.subject_ids}
        if len(heads) != 1 or not (word := next(iter(heads))).isalpha():
            return ""
        known = lexicon().get((stem(word),))
        return stem(word) if known is None and len(word) > 2 else ""

    @cached_property
    def noun_stem(self) -> str:
        """The stem of the source's own word for a session, "" where it means something else."""
        if not self.session_noun:
            return ""
        base = stem(self.session_noun.casefold())
        return "" if lexicon().get((base,), ("",))[0] in _NO_SESSION else base

    @cached_property
    def _spelled(self) -> dict[str, dict[str, list[tuple[str, Any]]]]:
        """Folded spelling → spelling → what is so called: channels, ids, labels."""
        table: dict[str, dict[str, list[tuple[str, Any]]]] = {}
        said: list[tuple[str, str, Any]] = [(c, "CHANNELNAME", c) for c in self.channels]
        said += [(s, "CHANNELNAME", c) for c in self.channels if len(s := _short(c)) > 1]
        said += [(s, "SESSIONID", s) for s in self.session_ids]
        said += [(s, "SUBJECTS", (s,)) for s in self.subject_ids if s not in self.session_ids]
        said += [(label, "LABEL", (label,)) for label in self.labels]
        for spelling, tag, value in said:
            places = table.setdefault(spelling.casefold(), {}).setdefault(spelling, [])
            places += [(tag, value)] if (tag, value) not in places else []
        return table

    def spelled(self, text: str) -> list[tuple[str, Any]]:
        """Return what is spelt exactly so, as (tag, value): the same letters, else the same folded.

        More than one: the spelling stands for several things.
        """
        found = self._spelled.get(text.casefold()) or {}
        return found.get(text) or [place for places in found.values() for place in places]

    def partly(self, word: str) -> tuple[str, ...]:
        """Return the channels of whose short name `word` is a part ("vibration_mm_s")."""
        base = stem(word)
        return tuple(c for c in self.channels if base in _key(_short(c))[:-1])

    def part_of(self, word: str) -> tuple[tuple[str, Any], ...]:
        """Return the modalities, else the channels, of whose name `word` is a part, as (tag, name).

        "fridge" is a part of the modality "fridge_A". A channel counts where the word begins its
        short name, before one where it stands elsewhere. More than one: it may mean either.
        """
        base = stem(word)
        if found := self.partly(word):
            return tuple(("CHANNELNAME", c) for c in found)
        if found := tuple(m for m in self.modalities if base in _key(m)):
            return tuple(self._only_channel(m) or ("MODALITY", m) for m in found)
        return tuple(("CHANNELNAME", c) for c in self.channels if base in _key(_short(c)))

    def _only_channel(self, modality: str) -> tuple[str, Any] | None:
        """Return the channel of a modality that has but one."""
        own = [c for c in self.channels if c.partition(".")[0] == modality]
        return ("CHANNELNAME", own[0]) if len(own) == 1 else None

    def measuring(self, quantity: str, beside: str = "") -> tuple[str, ...]:
        """Return the channels that measure an everyday quantity, by their name or else their unit.

        Parameters
        ----------
        beside : the word right before it; of several channels those whose name has it are meant,
            and what is a quantity of something else ("trading volume") is none of them
        """
        units, words = measured_as(quantity)
        wanted = frozenset(map(stem, words))
        named = tuple(c for c in self.channels if wanted & set(_key(c)))
        by_unit = tuple(c for c in self.channels if self.unit_of(c) in units)
        if not beside:
            return named or by_unit
        base = stem(beside)
        own = tuple(c for c in named if base in _key(c))
        return own or tuple(c for c in by_unit if base in _key(c))

    def may_measure(self, channel: str, quantity: str) -> bool:
        """Say whether a channel's unit is one of an everyday quantity, or not documented.

        Undocumented it may be, where its name says more than one word: "room temp" of "room_c".
        """
        units, _ = measured_as(quantity)
        unit = self.unit_of(channel)
        undocumented = unit in {"", "a.u."} and len(_key(_short(channel))) > 1
        return bool(units) and (unit in units or undocumented)

    @cached_property
    def axes(self) -> frozenset[str]:
        """One-letter channel names (x, y, z), which mean something only beside a modality."""
        shorts = (c.partition(".")[2].casefold() for c in self.channels)
        return frozenset(s for s in shorts if len(s) == 1)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of every name and its inflections, for spelling correction."""
        own = (*self.datasets[:1], *self.channels, *self.labels, self.session_noun)
        words = {w for name in own for w in words_of(name)}
        return frozenset(f for w in words if len(w) > 3 for f in inflections(w))

    @cached_property
    def label_stems(self) -> dict[str, frozenset[str]]:
        """Label → the stems that make it up, synonyms folded together."""
        return {label: _label_key(words_of(label)) for label in self.labels}

    def dataset_named(self, question: str) -> str | None:
        """Return the data set that a question names, None when it names none.

        A name of one word may be any word of a sentence ("cycle"), so it counts only in quotes or
        beside "data set"; one of several parts counts wherever it stands, unless what stands there
        is a channel or label of the data at hand.
        """
        here = {_key(name) for name in (*self.channels, *self.labels, *self.modalities)}
        for name in sorted(self.datasets, key=len, reverse=True):
            parts = words_of(name)
            written = r"[\s_.-]*".join(map(re.escape, parts))
            if re.search(_SAID_TO_BE_A_SET.format(written), question, re.IGNORECASE):
                return name
            apart = r"[\s_.-]+".join(map(re.escape, parts))
            whole = len(parts) > 1 and re.search(_BOUNDED.format(apart), question, re.IGNORECASE)
            if whole and _key(name) not in here:
                return name
        return None

    def meant(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the channels that channel and modality names stand for, in the data's order."""
        return tuple(c for c in self.channels if c in names or c.partition(".")[0] in names)

    def unit_of(self, channel: str) -> str:
        """Return the unit of a channel, "" where the card has none."""
        return dict(zip(self.channels, self.units, strict=False)).get(channel, "")

    def channel_of(self, modality: str, axis: str) -> str | None:
        """Return the channel id, or None when the modality has no such channel."""
        wanted = f"{modality}.{axis}".casefold()
        return next((c for c in self.channels if c.casefold() == wanted), None)

    def is_session(self, text: str) -> bool:
        """Say whether `text` has the form of a session id of these data."""
        if any(text.casefold() == s.casefold() for s in self.session_ids):
            return True
        if not self.id_pattern or "\\d" not in self.id_pattern:
            return False
        return re.fullmatch(self.id_pattern, text, re.IGNORECASE) is not None

    def session_numbered(self, number: int) -> str | None:
        """Return the id that "session 3" means: where ids have several forms, the held-out one."""
        forms = self.id_pattern.split("|")
        held_out = [s for s in self.session_ids if "test" in s.casefold()]
        examples = self.session_ids if len(forms) == 1 else held_out
        return _numbered(examples, number)

    def subject(self, said: str) -> str:
        """Return the subject id that "2" or "f1" means; as said if none is known."""
        for known in self.subject_ids:
            if said.casefold() == known.casefold():
                return known
        one_form = len({re.sub(r"\d+", "#", known) for known in self.subject_ids}) == 1
        found = _numbered(self.subject_ids, int(said)) if one_form and said.isdigit() else None
        return found or said


def _numbered(examples: Sequence[str], number: int) -> str | None:
    """Return the first example with its last number replaced, written to the same width."""
    for example in examples:
        last = re.search(r"\d+(?=\D*$)", example)
        if last:
            digits = str(number).zfill(len(last.group()))
            return example[: last.start()] + digits + example[last.end() :]
    return None


def fold_stem(word: str) -> str:
    """Return the stem, with label synonyms folded ("jogging" → "run")."""
    base = stem(word)
    return canonical_stems().get(base, base)


def _short(channel: str) -> str:
    """Return a channel's name without its modality."""
    return channel.partition(".")[2]


def _key(name: str) -> tuple[str, ...]:
    return tuple(stem(w) for w in words_of(name))


def _synonyms(modality: str) -> list[str]:
    """Return the other words for a modality; a longer name counts by the word it contains."""
    words = "_".join(words_of(modality))
    return [
        phrase
        for known, phrases in MODALITY_WORDS.items()
        if known in words
        for phrase in phrases.split(", ")
    ]


def _label_key(words: Sequence[str]) -> frozenset[str]:
    split = [part for word in words for part in _compound(word)]
    return frozenset(s for s in map(fold_stem, split) if s not in _SMALL)


def _compound(word: str) -> list[str]:
    """Split "sitdown", "standup", "getup", "liedown" as some data sets write them."""
    for ending in ("down", "up"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return [word[: -len(ending)], ending]
    return [word]
