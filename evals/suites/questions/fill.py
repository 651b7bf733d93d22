"""Fill the places of a phrasing from a data set: names, times, units, each in its language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tool_use_om.data.synthetic.sets.drawn import DrawnSet
from tool_use_om.data.values import Json

_PLACE = re.compile(r"\{(\w+)\}")
_LENGTHS = {
    "en": ("seconds", "minutes", "hours"),
    "de": ("Sekunden", "Minuten", "Stunden"),
    "fr": ("secondes", "minutes", "heures"),
    "zh": ("秒", "分钟", "小时"),
}
_HEADS = ("knn", "prototypes", "linear_probe", "ridge_probe")
_TOKENIZERS = ("moment-tiny", "moment-small", "moment-base")


def card_of(drawn: DrawnSet) -> dict[str, Any]:
    """Return the card of a drawn set, as the agent's plan sees it, without simulating it."""
    ids = [s[0] for s in drawn.sessions]
    lengths = [s[3] for s in drawn.sessions]
    forms = {re.sub(r"\d+", r"\\d+", re.escape(i).replace(r"\-", "-")) for i in ids}
    return {
        "name": drawn.name,
        "channels": [
            {"id": f"{m.name}.{c.name}", "unit": c.unit, "rate_hz": m.rate_hz}
            for m in drawn.modalities
            for c in m.channels
        ],
        "labels": {"state": sorted(drawn.labels)},
        "session_ids": ids[:: max(1, len(ids) // 6)][:6],
        "id_pattern": "|".join(sorted(forms)),
        "subject_ids": sorted(drawn.subjects)[:6],
        "duration_s": {
            "min": min(lengths),
            "median": float(np.median(lengths)),
            "max": max(lengths),
        },
    }


def fill(
    text: str, card: Mapping[str, Any], language: str, rng: np.random.Generator
) -> tuple[str, dict[str, Any]]:
    """Return the phrasing with its places filled, and place → what was meant.

    Parameters
    ----------
    card : the data set's, with its channels, labels, session and subject ids
    language : of the phrasing; lengths of time are written in it

    Returns
    -------
    The question, and the meaning of each place: channel and label names, seconds, numbers
    """
    meant = _meant(sorted(set(_PLACE.findall(text))), card, rng)
    said = {place: _said(place, value, language, rng) for place, value in meant.items()}
    return _PLACE.sub(lambda m: said[m[1]], text), meant


def _meant(
    places: Sequence[str], card: Mapping[str, Any], rng: np.random.Generator
) -> dict[str, Any]:
    channels = [str(c["id"]) for c in card["channels"]]
    labels = [str(one) for group in card["labels"].values() for one in group]
    drawn: dict[str, Sequence[Any]] = {
        "label": _two(labels, rng),
        "channel": _two(channels, rng),
        "session": _two(card["session_ids"], rng),
        "head": _two(_HEADS, rng),
        "modality": [str(rng.choice([c.partition(".")[0] for c in channels]))],
        "subject": _from(str(rng.choice(card["subject_ids"])), card["subject_ids"]),
        "t": sorted(rng.choice(np.arange(2, 15), 2, replace=False).tolist()),
        "hz": [round(float(v), 1) for v in sorted(rng.uniform(0.5, 4, 2))],
        "dur": [(int(rng.integers(2, 10)), int(rng.choice([0, 0, 0, 1])))],
        "n": [int(rng.integers(3, 20))],
        "k": [int(rng.integers(2, 9))],
        "pct": [int(rng.choice([80, 85, 90, 95, 99]))],
        "day": [f"2021-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"],
        "tokenizer": [str(rng.choice(_TOKENIZERS))],
        "dataset": [str(card["name"])],
    }
    meant = {place: _value(place, drawn) for place in places if place != "value"}
    if "value" in places:
        unit = next(
            c["unit"] for c in card["channels"] if c["id"] == meant.get("channel", channels[0])
        )
        meant["value"] = (int(rng.integers(2, 90)), "" if unit in {"a.u.", "1"} else unit)
    return meant


def _value(place: str, drawn: Mapping[str, Sequence[Json]]) -> Json:
    if place in {"t0", "t1"}:
        return drawn["t"][int(place[1])]
    stem, number = (place[:-1], 1) if place.endswith("2") else (place, 0)
    return drawn[stem][number]


def _from(first: str, names: Sequence[str]) -> list[str]:
    """Return a name and the one behind it, round the end."""
    place = list(names).index(first)
    return [first, str(names[(place + 1) % len(names)])]


def _two(names: Sequence[str], rng: np.random.Generator) -> list[str]:
    found = [str(n) for n in rng.permutation(list(names))[:2]]
    return found if len(found) == 2 else found * 2


def _said(place: str, value: Json, language: str, rng: np.random.Generator) -> str:
    if place == "dur":
        return f"{value[0]}{'' if language == 'zh' else ' '}{_LENGTHS[language][value[1]]}"
    if place == "value":
        return f"{value[0]} {value[1]}".strip()
    if place in {"channel", "channel2"} and rng.random() < 0.5:
        return str(value).replace(".", " ").replace("_", " ")
    if place in {"head", "head2"}:
        return str(value).replace("_", " ")
    return str(value)
