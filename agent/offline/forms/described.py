"""What a described activity is told apart from: the same attributes, each turned round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORDS = {
    "intensity": {"still": "still", "low": "calm", "medium": "moderate", "high": "vigorous"},
    "regularity": {"none": "without rhythm", "some": "fairly regular", "strong": "rhythmic"},
}
_FASTEST = 4.0  # the band above a described one ends at so many times its upper end


def contraries(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return descriptions that each differ from `attributes` in one of them; at least one.

    Parameters
    ----------
    attributes : cadence_hz, intensity, regularity, posture, as a description names them
    """
    found: list[dict[str, Any]] = []
    if band := attributes.get("cadence_hz"):
        low, high = band
        found += [{"name": "slower", "cadence_hz": [0.0, low]}] if low > 0 else []
        found.append({"name": "faster", "cadence_hz": [high, _FASTEST * high]})
    for attribute, words in _WORDS.items():
        if said := attributes.get(attribute):
            found += [
                {"name": name, attribute: word}
                for word, name in words.items()
                if _apart(word, said)
            ]
    if posture := attributes.get("posture"):
        found.append({"name": "turned over", "posture": {c: -v for c, v in posture.items()}})
    return found


def _apart(word: str, said: str) -> bool:
    """Say whether two words exclude each other; "still" is part of "low"."""
    return word != said and not (word == "still" and said == "low")
