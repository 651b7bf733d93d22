"""One question → one `Query`: what rules and reader agree on, else the reader, or a question back.

The rule, in order, on the reader's conformal set of forms, the likeliest first:

1. The question is a form's own sentence, word for word, as the choices are that were offered
   before: it is run.
2. Rules and reader agree: the likeliest form plans the calls that the rules plan; or the rules use
   every word of the question, and the set holds a form that plans the same calls or is the same
   question about less ("anything odd in our consumption?" beside "anything unusual?"), or its
   likeliest kind is the rules' while no form is certain. Then what the rules read is answered.
3. The rules name something that the data lack: refused.
4. Of a question of several clauses, each is read by itself. Where all are read, all are answered;
   where only some are, or the rules see more in the whole than its form has, the person chooses.
5. The likeliest form is decided (right in 97 of 100 such cases on voices left out), or it is alone
   in the set, more likely than not, and the question fills its places and names nothing more. If
   no tool answers it (why, advice, an act …), it is refused. If the rules use every word and read
   another question, and its share is below 0.95 (from there on the reader is right and the rules
   mostly wrong), that is a real disagreement: the person chooses between the two. If English words
   are strange to the trade and the data and its share is below 0.8, it is offered, not answered.
   Else it is answered; a place that must be filled and is not is asked for.
6. Up to four forms in the set: the person chooses, from questions that run as they are written;
   what is unlikely is not offered.
7. Else, and where the set is empty, the question is not understood, and nothing is guessed.

So an answer needs the reader: what the rules alone make of a question is not run. They answer alone
where the reader is turned off.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tool_use_om.agent.offline.everyday.agree import measured
from tool_use_om.agent.offline.everyday.lexicon import FILLERS
from tool_use_om.agent.offline.forms.registry import PLANS
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.reader.agreement import (
    LIKELY,
    Part,
    agreed,
    complete,
    query_of,
    sentence_of,
    with_people,
    written_form,
)
from tool_use_om.agent.offline.reader.encoder import SentenceEncoder, installed, sentence_encoder
from tool_use_om.agent.offline.reader.forms import FORMS, REFUSED, Reading, kept, reading
from tool_use_om.agent.offline.reader.places import STATISTICS, filled, unused
from tool_use_om.agent.offline.reader.probe import Probe, Sorted
from tool_use_om.agent.offline.reader.slots import Slots, read_slots
from tool_use_om.agent.offline.reader.tongues import LANGUAGES, language_of
from tool_use_om.data.units import is_measure

VARIABLE = "TUOM_READER"
"""Set to "off", the rules answer alone."""
WEIGHTS = Path(__file__).with_name("weights")
_CHOICES = 4
_SEVERAL = 2
_SURE = 0.95  # share from which on the reader stands against rules that read another question
_OVER_STRANGE = 0.8  # share from which on a form is read though words of the question are strange
_UNLIKELY = 0.25  # share up to which no form is worth offering
_BESIDE = 0.4  # of the likeliest form's share, from which on another is offered beside it
_WHOLE = frozenset({"span", "longest", "shortest", "total"})
"""Facts of recordings as a whole."""
_EXACT = frozenset({"variance", "std", "median", "range", "rms"})
_SHORTEST = 3  # words of a clause
_BETWEEN = re.compile(
    r"(?<=[^\d\s])[.?!;]+\s+|[。？！；]|,?\s+(?:and then|and also|and|then|und dann|und|puis|et)\s+"
)
_STRANGE_VERB = "I do not know how to"  # what `language.refused` says of a verb
_ONE = "I can answer these one at a time."
_BACK = "I can read this in more than one way."
_UNSURE = "I am not sure that I read this rightly."
_MORE = "One thing is missing."
_CANNOT = 'I read this as "{}", and no tool here answers that.'
_PART = "I can read this only without {}."


class Reader:
    """Names the form of a question, and makes the `Query` of it.

    Parameters
    ----------
    probe : fitted on `encoder`
    encoder : frozen
    """

    def __init__(self, probe: Probe, encoder: SentenceEncoder) -> None:
        self._probe = probe
        self._encoder = encoder

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return the encoder's vectors (B, D)."""
        return self._encoder.encode(texts)

    def sort(self, slots: Slots) -> Sorted:
        """Return the conformal set of forms of a question."""
        vector = self._encoder.encode([slots.masked])[0]
        return self._probe.sort(vector, slots, language_of(slots.text))

    def understand(self, question: str, cards: Sequence[Mapping[str, Any]]) -> Query:
        """Return what a question asks; see the rule at the top."""
        rules = parse(question, cards)
        names = Names.of(cards, rules.dataset)
        texts = [question, *clauses(question)]
        slots = [read_slots(text, names) for text in texts]
        vectors = self._encoder.encode([s.masked for s in slots])
        whole, *parts = (
            Part(slots=s, found=self._probe.sort(v, s, language_of(s.text)), rules=parse(t, cards))
            for t, s, v in zip(texts, slots, vectors, strict=True)
        )
        return measured(question, decide(whole, parts, names, cards), cards)


def understand(question: str, cards: Sequence[Mapping[str, Any]] = ()) -> Query:
    """Return what a question asks about the data sets of `cards`.

    The reader answers where its encoder is installed, the rules alone otherwise; `by` says which.

    Parameters
    ----------
    cards : as the plan prompt carries them, the current one first
    """
    reader = the_reader() if question.strip() else None
    if reader is not None:
        return reader.understand(question, cards)
    return measured(question, parse(question, cards), cards)


def the_reader() -> Reader | None:
    """Return the shipped reader; None without its encoder, or where $TUOM_READER is off."""
    return _loaded() if os.environ.get(VARIABLE, "") != "off" and installed() else None


@lru_cache(maxsize=1)
def _loaded() -> Reader:
    return Reader(Probe.load(WEIGHTS), sentence_encoder())


def clauses(question: str) -> list[str]:
    """Return the clauses of a question of several; [] where it is one."""
    pieces = [p.strip(" ,") for p in _BETWEEN.split(question)]
    whole = [p for p in pieces if p and (len(p.split()) >= _SHORTEST or not p.isascii())]
    return whole if 1 < len(whole) <= _CHOICES else []


def decide(
    whole: Part, parts: Sequence[Part], names: Names, cards: Sequence[Mapping[str, Any]]
) -> Query:
    """Return what is to be done with a question of these clauses (none where it is one)."""
    rules, slots, found = whole.rules, whole.slots, whole.found
    if (settled := _settled(whole, names, cards)) is not None:
        return settled
    if (several := _of_clauses(rules, parts, names, cards)) is not None:
        return several
    compound = len({ask.kind for ask in rules.asks}) > 1 and not rules.not_understood
    if not compound and (found.decided or _single(whole, cards)):
        return _decided(whole, names, cards)
    worth = _worth_offering(found)
    asked = _offered(worth, whole, cards) if 1 <= len(found.forms) <= _CHOICES else None
    return asked or _not_understood(rules, slots)


def _worth_offering(found: Sorted) -> list[str]:
    """Return the forms that a person may well have meant; none where all are unlikely."""
    shares = {form: found.shares.get(form, 0.0) for form in found.forms}
    most = max(shares.values(), default=0.0)
    if most <= _UNLIKELY:
        return []
    return [form for form, share in shares.items() if share >= _BESIDE * most]


def _settled(whole: Part, names: Names, cards: Sequence[Mapping[str, Any]]) -> Query | None:
    """Return what needs no choice: a form's own words, what both read, what the rules refuse."""
    rules, slots = whole.rules, whole.slots
    if (form := written_form(slots)) and (own := query_of(form, slots, cards)).asks:
        return own
    if agreed(whole, names, cards):
        if _about_recording(rules) and _of_something(rules, slots):
            return _offered([next(iter(whole.found.shares))], whole, cards) or _not_understood(
                rules, slots
            )
        return replace(rules, not_understood=_measures(rules))
    refused = _firmly_refused(rules) and language_of(slots.text) == "en"
    fixed = _of_sessions(rules) or _of_labels(rules) or _of_events(rules)
    return rules if refused or fixed else None


def _single(whole: Part, cards: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether one likely form alone is in the set, with a place for all that is named."""
    if len(whole.found.forms) != 1 or complete(whole.rules):
        return False
    (form,) = whole.found.forms
    if whole.found.shares[form] < LIKELY:
        return False
    return (
        form in FORMS
        and bool(query_of(form, whole.slots, cards).asks)
        and not unused(form, whole.slots)
    )


_UNFORMED = frozenset({"cadence", "change", "time_between", "days", "count"})


def _of_sessions(rules: Query) -> bool:
    """Say whether the rules use each word of a question that no form of the reader can say.

    It compares sessions, where the likeliest form may be the same question about subjects, or asks
    for a statistic that no form has a word for.
    """
    used = bool(rules.asks) and not rules.not_understood and not rules.refused
    kinds = {ask.kind for ask in rules.asks}
    return (
        used
        and all(
            a.by == "session" or a.kind == "unlike" or a.statistic in _UNFORMED for a in rules.asks
        )
        and (kinds <= PLANS.keys())
    )


def _of_labels(rules: Query) -> bool:
    """Say whether the rules use each word of a question when or how often a label holds.

    The label is one of the data's own, so the data say it, and nothing has to be recognised.
    """
    return complete(rules) and all("stretches" in ask.topic.split() for ask in rules.asks)


def _of_events(rules: Query) -> bool:
    """Say whether the rules use each word of a question which model could tell an event.

    It is asked in fixed words that no form of the reader has.
    """
    return complete(rules) and all(ask.kind == "events" for ask in rules.asks)


def _firmly_refused(rules: Query) -> bool:
    """Say whether the rules name something the data lack; a verb they do not know may be slang."""
    return any(not said.startswith(_STRANGE_VERB) for said in rules.refused)


def _of_clauses(
    rules: Query, parts: Sequence[Part], names: Names, cards: Sequence[Mapping[str, Any]]
) -> Query | None:
    """Return the query of several clauses each read by itself; None where fewer than two are."""
    texts: list[str] = []
    same = 0
    for part in parts:
        form = next(iter(part.found.shares))
        text = runnable(form, part.slots, cards) if part.found.decided else ""
        if text and not unused(form, part.slots):
            texts.append(text)
        same += bool(text) or agreed(part, names, cards)
    sure = bool(rules.asks) and not rules.not_understood
    if len(parts) > 1 and same == len(parts) and sure:
        return rules
    texts = list(dict.fromkeys(texts))
    if len(texts) < _SEVERAL:
        return None
    query = parse(" ".join(texts), cards)
    if len(texts) == len(parts) and query.asks and not query.not_understood and not query.refused:
        return replace(query, by="reader", read_as=" ".join(texts))
    return _ask_back(rules, _ONE, texts)


def _decided(whole: Part, names: Names, cards: Sequence[Mapping[str, Any]]) -> Query:
    """Return what is done with the likeliest form: refused, answered, or asked back about."""
    rules, slots = whole.rules, whole.slots
    form, share = next(iter(whole.found.shares.items()))
    if form in REFUSED:
        return Query(dataset=rules.dataset, refused=(REFUSED[form],), by="reader")
    other = sentence_of(rules, slots, names, cards) if share < _SURE and complete(rules) else ""
    if other:
        offered = [text for text in (runnable(form, slots, cards), other) if text]
        return _ask_back(rules, _BACK if len(offered) > 1 else _UNSURE, offered)
    strange = _strange(rules, slots)
    own = _of_something(rules, slots)
    of_recording = own and _about_recording(query_of(form, slots, cards))
    if _measures(rules) or of_recording or (strange and share < _OVER_STRANGE):
        # a word of the person's own may be what the question is about
        return _offered([form], whole, cards) or _not_understood(rules, slots)
    return _read(form, slots, names, cards, rules)


def _of_something(rules: Query, slots: Slots) -> bool:
    """Say whether a question has strange words that carry something: "flood", not "one"."""
    words = {w for said in rules.not_understood for w in re.findall(r"[^\W_]+", said.casefold())}
    return _strange(rules, slots) and not words <= FILLERS


def _about_recording(query: Query) -> bool:
    """Say whether only the recording as a whole is told: its span, its length, its sessions.

    That is no answer to "when did the flood start" or "how long did she sleep in one go", however
    alike the words are.
    """
    return bool(query.asks) and all(
        ask.kind == "facts" and set(ask.topic.split()) <= _WHOLE and not ask.labels
        for ask in query.asks
    )


def _measures(rules: Query) -> tuple[str, ...]:
    """Return the units that a question asks in and nothing used: "km" of "how many km in all".

    A count of sessions or their length is no answer to such a question, whatever else agrees.
    """
    return tuple(word for word in rules.not_understood if is_measure(word))


def _strange(rules: Query, slots: Slots) -> bool:
    """Say whether an English question has words that are no words of the trade nor of the data."""
    return bool(rules.not_understood) and language_of(slots.text) == "en"


def _offered(forms: Sequence[str], whole: Part, cards: Sequence[Mapping[str, Any]]) -> Query | None:
    """Return a question back that offers these forms; None where none of them runs."""
    texts = [text for form in forms if (text := runnable(form, whole.slots, cards))]
    if not texts:
        return None
    return _ask_back(whole.rules, _BACK if len(texts) > 1 else _UNSURE, texts)


def runnable(form: str, slots: Slots, cards: Sequence[Mapping[str, Any]]) -> str:
    """Return the form's question where it runs as it is written, else ""."""
    return _reading(form, slots).text if query_of(form, slots, cards).asks else ""


def _reading(form: str, slots: Slots) -> Reading:
    return reading(form, filled(form, slots))


def _read(
    form: str, slots: Slots, names: Names, cards: Sequence[Mapping[str, Any]], rules: Query
) -> Query:
    """Return the one form's query, or ask for what it lacks or leaves out."""
    own = _reading(form, slots)
    if own.missing:
        return _ask_back(rules, _MORE, completed(form, slots, names))
    left = unused(form, slots)
    if left:
        listed = ", ".join(f'"{words}"' for words in left)
        return _ask_back(rules, _PART.format(listed), [own.text])
    query = with_people(parse(own.text, cards), form, slots)
    if any(ask.kind not in PLANS for ask in query.asks):
        query = replace(query, asks=())
    if query.refused:
        return replace(query, by="reader")
    if not kept(form, query):
        return Query(dataset=rules.dataset, refused=(_CANNOT.format(own.text),), by="reader")
    return _of_the_statistic(replace(query, by="reader", read_as=own.text), rules)


def _of_the_statistic(query: Query, rules: Query) -> Query:
    """Return the query with the statistic that the rules read, where the form has only a mean.

    "Is the variance higher while running than while walking" compares variances.
    """
    said = {a.statistic for a in rules.asks if a.kind == "stats"} & _EXACT
    means = [a for a in query.asks if a.kind == "stats" and a.statistic == "mean"]
    if len(said) != 1 or not means:
        return query
    (statistic,) = said
    asks = tuple(replace(a, statistic=statistic) if a in means else a for a in query.asks)
    named = STATISTICS.get(str(statistic), str(statistic))
    return replace(query, asks=asks, read_as=re.sub(r"\bmean\b", named, query.read_as, count=1))


def completed(form: str, slots: Slots, names: Names) -> list[str]:
    """Return the form's question with what is missing filled from the data's own names."""
    known = filled(form, slots)
    missing = reading(form, known).missing
    options: Mapping[str, Sequence[str]] = {
        "statistic": list(STATISTICS.values())[:_CHOICES],
        "channel": names.channels,
        "channel2": [c for c in names.channels if c != known.get("channel")],
        "label": names.labels,
        "label2": [one for one in names.labels if one != known.get("label")],
        "modality": names.modalities,
        "session": names.session_ids,
        "session2": [one for one in names.session_ids if one != known.get("session")],
        "subject": [s if not s.isalpha() else f"subject {s}" for s in names.subject_ids],
        "dataset": names.datasets,
        "extreme": ("highest", "lowest"),
        "extremum": ("maximum", "minimum"),
        "above": ("above", "below"),
        "split": ("test", "training"),
        "dur": ("5 seconds", "1 minute"),
    }
    first, *rest = missing
    others = {place: _first(options.get(place, ())) for place in rest}
    if not all(others.values()):
        return []
    return [
        reading(form, {**known, **others, first: option}).text
        for option in list(options.get(first, ()))[:_CHOICES]
    ]


def _first(options: Sequence[str]) -> str:
    return options[0] if options else ""


def _ask_back(rules: Query, lead: str, choices: Sequence[str]) -> Query:
    """Return a question back: its choices are questions that run as they are written."""
    if not choices:
        return Query(dataset=rules.dataset, not_understood=rules.not_understood, by="reader")
    return Query(dataset=rules.dataset, refused=(lead,), choices=tuple(choices), by="reader")


def _not_understood(rules: Query, slots: Slots) -> Query:
    """Return that nothing is known for certain; a language that cannot be read is named."""
    tongue = language_of(slots.text)
    if tongue not in LANGUAGES:
        said = "I read English, and some German, French and Chinese; this language I cannot read."
        return Query(dataset=rules.dataset, refused=(said,), by="reader")
    if rules.refused and tongue == "en":
        return rules
    missed = rules.not_understood or (slots.text,)
    return Query(dataset=rules.dataset, not_understood=missed, by="reader")
