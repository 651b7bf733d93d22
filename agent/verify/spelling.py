"""What the spelling of its keys says of a result that has no model: unit, share, name and owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tool_use_om.data.values import Json

# keys that count things, whatever unit their neighbours have
COUNTS = frozenset({"n", "k", "seed", "total_n", "budget", "done", "repeats"})
# what is said of a channel's event: shares and scores, not in the channel's unit beside them
COUNTS |= {
    "probability", "probability_not", "base_rate", "brier", "brier_of_base_rate", "skill",
    "reliability",
}  # fmt: skip
# the stored bulk, what depends on the machine, and what a call was asked: no sources
HIDDEN = frozenset({"detail", "timing", "kind", "args", "inputs", "result_id"})
# keys whose text is a name out of the data or of this package; other text is no fact
NAMES: Mapping[str, str] = {
    "channel": "channel", "channels": "channel", "id": "channel", "session_id": "session",
    "sessions": "session", "query_session": "session", "label": "label", "labels": "label",
    "target_label": "label", "given": "label", "suggested": "label", "subject_id": "subject",
    "dataset": "data set", "name": "name", "split": "split", "between": "split", "head": "head",
    "best": "head", "a": "head", "b": "head", "model": "model", "answered_by": "model",
    "tokenizer": "tokenizer", "group": "group", "feature": "feature", "unit": "unit",
    "statistic": "statistic", "metric": "metric", "direction": "direction", "dropped": "channel",
    "task": "task",
}  # fmt: skip
# keys of a row, or of a whole result, that say whose its numbers are
_SPELT_OWNERS = (
    "channel", "id", "session_id", "label", "head", "model", "group", "subject_id", "feature",
    "name", "where",
)  # fmt: skip
_ROOT_OWNERS = ("target_label", "label", "labels", "query_session", "split")
PER = {"sessions_per_label": "label", "sessions_per_split": "split", "found": "label"}
_ON_HELD_OUT = frozenset({"metrics", "coverage", "target", "abstention", "chance", "faithfulness"})
_SHARES = frozenset(
    [
        "accuracy",
        "precision",
        "recall",
        "coverage",
        "confidence",
        "probability",
        "probability_not",
        "base_rate",
    ]
)


def is_share(keys: Sequence[str], unit: str | None) -> bool:
    """Tell whether the keys and the unit of a number say that it is a share of one."""
    spelt = any(k in _SHARES for k in keys) or keys[-1].endswith("_frac")
    counted = keys[-1] in COUNTS - _SHARES or keys[-1].startswith("n_")
    return spelt and not counted and unit in {None, "frac"}


def name_of(keys: Sequence[str]) -> str:
    """Return what a text at the end of these keys is the name of; "" for a remark."""
    return NAMES.get(next((k for k in reversed(keys) if not k.isdecimal()), ""), "")


def owner_by_keys(content: Mapping[str, Any], keys: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return whose a value is: of its row first, then of the whole result."""
    found: dict[str, str] = {}
    value: Any = content
    for depth, key in enumerate(keys):
        if depth and isinstance(value, Mapping):
            found |= _spelt_row(value, key, str(content.get("by") or "group"))
        if depth and isinstance(value, Mapping) and keys[depth - 1] in PER:
            found[PER[keys[depth - 1]]] = key
        value = value[key] if isinstance(value, Mapping) else value[int(key)]
    if keys[:2] == ["drift", "n_sessions"] and keys[2:]:
        found["split"] = str(content["drift"]["between"][int(keys[2])])
    for key in _ROOT_OWNERS:
        given = content.get(key)
        names = [n for n in (given if isinstance(given, list) else [given]) if isinstance(n, str)]
        if names and keys[0] != key and NAMES[key] not in found:
            found[NAMES[key]] = " or ".join(names)
    number = keys[0] == "judged_on" and keys[-1].startswith("n_")
    if (number or keys[0] in _ON_HELD_OUT) and isinstance(
        judged := content.get("judged_on"), Mapping
    ):
        found["split"] = str(judged.get("split") or "test")
    return tuple((kind, str(name)) for kind, name in found.items())


def _spelt_row(row: Mapping[str, Any], key: str, by: str) -> dict[str, str]:
    """Return what a row says of its own values; a name is not its own owner."""
    found: dict[str, str] = {}
    for name in _SPELT_OWNERS:
        if name != key and isinstance(row.get(name), str):
            found[by if name == "group" else NAMES.get(name, name)] = row[name]
    ends = row.get("start_s"), row.get("end_s")
    if key not in {"start_s", "end_s"} and all(isinstance(e, int | float) for e in ends):
        found["time"] = f"{ends[0]:g} s to {ends[1]:g} s"
    return found


def texts_under(value: Json, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield (key, text) of every text in a result, a list's items under the list's key."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in PER and isinstance(inner, Mapping):
                yield from ((PER[name], str(label)) for label in inner)
            elif name not in HIDDEN:
                yield from texts_under(inner, str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_under(inner, key)
    elif isinstance(value, str):
        yield key, value
