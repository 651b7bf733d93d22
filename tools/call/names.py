"""Forgiving names: what a model or a person writes → the ids the data set has."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from tool_use_om.data.errors import unknown

_FILLER = frozenset({"axis", "channel", "channels", "data", "of", "sensor", "signal", "the"})
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "acceleration": ("accelerometer",),
    "rotation": ("gyroscope",),
    "hr": ("heart", "rate"),
    "heartrate": ("heart", "rate"),
    "pulse": ("heart", "rate"),
    "ekg": ("ecg",),
}
_CLOSE = 0.84  # difflib ratio from which a word counts as misspelt, not as another word


def fold(name: str) -> tuple[str, ...]:
    """Return the words of a name: lower case, split at signs and between letters and digits."""
    return tuple(re.findall(r"[^\W\d_]+|\d+", name.casefold()))


def resolve_name(kind: str, name: str, valid: Iterable[str]) -> str:
    """Return the one valid name meant: same words, else one misspelt, else one that begins so.

    Raises
    ------
    NotFoundError : none is meant, or more than one could be
    """
    names = list(valid)
    if name in names:
        return name
    wanted = _plain(name)
    for alike in (_same, _misspelt, _begins):
        hits = [v for v in names if alike(wanted, _plain(v))]
        if len(hits) == 1:
            return hits[0]
    raise unknown(kind, name, names)


def resolve_names(kind: str, names: Sequence[str], valid: Iterable[str]) -> tuple[str, ...]:
    """Return the valid names meant, in the order given, without repeats."""
    known = list(valid)
    return tuple(dict.fromkeys(resolve_name(kind, name, known) for name in names))


def resolve_sessions(names: Sequence[str], valid: Iterable[str]) -> tuple[str, ...]:
    """Return the session ids meant; "test 3" is enough where one id ends in these words."""
    known = list(valid)
    return tuple(dict.fromkeys(_session(name, known) for name in names))


def resolve_channels(names: Sequence[str], valid: Sequence[str]) -> tuple[str, ...]:
    """Return the channel ids meant, in the data set's order.

    Accepts ids, modality names and their beginnings ("acc x", "gyro", "accelerometer_x", "all").

    Raises
    ------
    NotFoundError : a name that fits no channel
    """
    chosen: set[str] = set()
    for name in names:
        hits = _channels(name, valid)
        if not hits:
            raise unknown("channel", name, [*valid, *{v.partition(".")[0] for v in valid}])
        chosen.update(hits)
    return tuple(v for v in valid if v in chosen)


def _channels(name: str, valid: Sequence[str]) -> list[str]:
    if name.strip().casefold() in {"all", "*", "every", "all channels"}:
        return list(valid)
    plain = [w for w in fold(name) if w not in _FILLER]
    words = [meant for w in plain for meant in _SYNONYMS.get(w, (w,))]
    exact = [v for v in valid if v.casefold() == name.strip().casefold()]
    return exact or [v for v in valid if words and all(_in_channel(w, v) for w in words)]


def _in_channel(word: str, channel: str) -> bool:
    parts = {*fold(channel), *channel.casefold().split(".")}
    return any(
        part == word or (len(word) > 2 and (part.startswith(word) or _close(word, part)))
        for part in parts
    )


def _session(name: str, valid: Sequence[str]) -> str:
    wanted = _numbered(name)
    if name not in valid and wanted:
        hits = [v for v in valid if _numbered(v)[-len(wanted) :] == wanted]
        if len(hits) == 1:
            return hits[0]
        dropped = [w for w in wanted if w != "session"]
        hits = [v for v in valid if dropped and _numbered(v)[-len(dropped) :] == dropped]
        if len(hits) == 1:
            return hits[0]
    return resolve_exact("session", name, valid)


def resolve_exact(kind: str, name: str, valid: Sequence[str]) -> str:
    """Return `name` as `valid` spells it, letter case aside; raise NotFoundError otherwise."""
    for known in valid:
        if known == name or known.casefold() == name.strip().casefold():
            return known
    raise unknown(kind, name, valid)


def _numbered(name: str) -> list[str]:
    return [str(int(w)) if w.isdecimal() else w for w in fold(name)]


def _plain(name: str) -> str:
    return " ".join(fold(name))


def _same(wanted: str, known: str) -> bool:
    return wanted == known or wanted.replace(" ", "") == known.replace(" ", "")


def _misspelt(wanted: str, known: str) -> bool:
    return _close(wanted, known) and _numbers(wanted) == _numbers(known)


def _begins(wanted: str, known: str) -> bool:
    cut = wanted[-1:].isdigit() and known[len(wanted) :][:1].isdigit()  # 1 does not mean 10
    return len(wanted) > 2 and known.startswith(wanted) and not cut


def _numbers(plain: str) -> list[str]:
    """Return the numbers in a name: another number is another name, not a slip."""
    return re.findall(r"\d+", plain)


def _close(a: str, b: str) -> bool:
    return min(len(a), len(b)) > 3 and difflib.SequenceMatcher(None, a, b).ratio() >= _CLOSE
