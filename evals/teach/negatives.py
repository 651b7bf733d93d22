"""Questions that no call answers: what they ask back, what the data lack, what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tool_use_om.agent.offline.reader.forms import REFUSED
from tool_use_om.agent.orchestrator.protocol import Plan
from tool_use_om.data.synthetic.sets.drawn import draw_set
from tool_use_om.evals.suites.questions.examples import Filled
from tool_use_om.evals.suites.questions.fill import card_of, fill
from tool_use_om.evals.suites.questions.written import Phrasing

_POINTED = {
    "session": {
        "en": ("that one", "it", "this recording", "that session"),
        "de": ("dieser Aufnahme", "der da"),
        "fr": ("cet enregistrement", "celui-là"),
        "zh": ("那个记录", "它"),
    },
    "label": {
        "en": ("that activity", "the same thing as before", "that"),
        "de": ("diese Tätigkeit", "das von eben"),
        "fr": ("cette activité", "la même chose"),
        "zh": ("那个活动", "同样的事"),
    },
    "channel": {
        "en": ("it", "that signal", "the other one"),
        "de": ("dieses Signal", "der andere"),
        "fr": ("ce signal", "l'autre"),
        "zh": ("那个信号", "另一个"),
    },
    "subject": {
        "en": ("him", "that person", "the other one"),
        "de": ("diese Person", "ihn"),
        "fr": ("cette personne", "lui"),
        "zh": ("那个人", "他"),
    },
}
"""Place → words that point at something nothing has named."""
_KINDS = ("slow", "fast", "left", "right", "indoor", "outdoor")
_SHARED = {"skin.temperature": "room", "pump.flow": "breath", "breath.volume": "market"}
"""Channel → another modality that has a channel of this name."""


def refused(one: Filled) -> Plan | None:
    """Return the refusal a phrasing of the "none" templates is met with."""
    form = one.phrasing.template
    return Plan(refuse=form) if form in REFUSED else None  # type: ignore[arg-type]


def lacking(
    phrasing: Phrasing, seeds: range, rng: np.random.Generator
) -> tuple[Filled, Plan] | None:
    """Return the phrasing about a label or channel of another set, which this set lacks."""
    place = _place(phrasing.text, ("label", "channel"))
    if place is None:
        return None
    card, other = (card_of(draw_set(int(s))) for s in rng.choice(seeds, 2, replace=False))
    foreign = [n for n in _names(other, place) if not _known(n, card)]
    if not foreign:
        return None
    strange = str(rng.choice(foreign))
    said = strange.replace(".", " ").replace("_", " ") if place == "channel" else strange
    one = _filled(phrasing, phrasing.text.replace(f"{{{place}}}", said), card, rng)
    return one, Plan(lacks=said)


def pointing(
    phrasing: Phrasing, seeds: range, rng: np.random.Generator
) -> tuple[Filled, Plan] | None:
    """Return the phrasing with "that one" where a name should stand: it must be asked for."""
    place = _place(phrasing.text, ("session", "subject", "label", "channel"))
    if place is None:
        return None
    said = str(rng.choice(_POINTED[place][phrasing.language]))
    text = phrasing.text.replace(f"{{{place}}}", said)
    card = card_of(draw_set(int(rng.choice(seeds))))
    return _filled(phrasing, text, card, rng), Plan(ask=place)


def ambiguous(
    phrasing: Phrasing, seeds: range, rng: np.random.Generator
) -> tuple[Filled, Plan] | None:
    """Return the phrasing with a word that fits two names of the set, which must be asked."""
    place = _place(phrasing.text, ("label", "channel"))
    if place is None or f"{{{place}2}}" in phrasing.text:
        return None
    card = card_of(draw_set(int(rng.choice(seeds))))
    made = _two_labels(card, rng) if place == "label" else _two_channels(card, rng)
    if made is None:
        return None
    card, word, options = made
    one = _filled(phrasing, phrasing.text.replace(f"{{{place}}}", word), card, rng)
    return one, Plan(ask=word, options=options)


def _two_labels(
    card: Mapping[str, Any], rng: np.random.Generator
) -> tuple[dict[str, Any], str, tuple[str, ...]] | None:
    labels = _names(card, "label")
    plain = [name for name in labels if " " not in name]
    if not plain:
        return None
    word = str(rng.choice(plain))
    at = 2 * int(rng.integers(len(_KINDS) // 2))
    options = tuple(f"{kind} {word}" for kind in _KINDS[at : at + 2])
    kept = sorted([*(n for n in labels if n != word), *options])
    return {**card, "labels": {"state": kept}}, word, tuple(n for n in kept if n in options)


def _two_channels(
    card: Mapping[str, Any], rng: np.random.Generator
) -> tuple[dict[str, Any], str, tuple[str, ...]] | None:
    channel = str(rng.choice(list(_SHARED)))
    own = channel.partition(".")[2]
    options = (channel, f"{_SHARED[channel]}.{own}")
    others = [c for c in card["channels"] if not str(c["id"]).endswith(f".{own}")]
    added = [{"id": name, "unit": "a.u.", "rate_hz": 1.0} for name in options]
    mixed = [*others, *added] if rng.random() < 0.5 else [*added, *others]
    return {**card, "channels": mixed}, own, options


def _filled(
    phrasing: Phrasing, text: str, card: Mapping[str, Any], rng: np.random.Generator
) -> Filled:
    question, meant = fill(text, card, phrasing.language, rng)
    return Filled(
        phrasing=replace(phrasing, text=text), question=question, meant=meant, card=dict(card)
    )


def _place(text: str, places: Sequence[str]) -> str | None:
    return next((p for p in places if f"{{{p}}}" in text), None)


def _names(card: Mapping[str, Any], place: str) -> list[str]:
    if place == "channel":
        return [str(c["id"]) for c in card["channels"]]
    return [str(n) for group in card["labels"].values() for n in group]


def _known(name: str, card: Mapping[str, Any]) -> bool:
    """Say whether a word of `name` stands in a name of the card: then it is not lacking."""
    words = set(name.replace("_", ".").split("."))
    own = [*_names(card, "channel"), *_names(card, "label")]
    return any(words & set(n.replace("_", ".").split(".")) for n in own)
