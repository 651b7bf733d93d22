"""What was taken over from a question before, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tool_use_om.agent.offline.language.query import Ask

_KINDS = {
    "sessions": "count of sessions", "stats": "statistic", "find": "find", "forecast": "forecast",
    "classify": "classification", "similar": "similar stretches", "anomaly": "unusual stretches",
    "motif": "repeats", "fewlabels": "few labels", "heads": "comparison of heads",
}  # fmt: skip
_STATISTICS = {"min": "minimum", "max": "maximum", "std": "standard deviation", "sum": "total"}
_NAMES = ("labels", "channels", "sessions", "subjects", "split", "statistic", "by", "heads")
_TIMES = {
    "horizon_s": "horizon", "window_s": "window", "stride_s": "stride", "min_s": "at least",
    "max_s": "at most", "tail_s": "the last",
}  # fmt: skip
_NUMBERS = {"k": "number of results", "shots": "labels a class", "coverage": "coverage"}


def in_words(asks: Sequence[Ask]) -> str:
    """Return what was asked, short: "find, walking; forecast, accelerometer, horizon 5 s"."""
    return "; ".join(_one(ask, _slots(ask)) for ask in asks)


def what_stayed(pairs: Sequence[tuple[Ask, Ask]]) -> str:
    """Return what (old, new) asks have in common: "find, accelerometer"."""
    told = []
    for old, new in pairs:
        before = _slots(old)
        told.append(_one(new, {n: v for n, v in _slots(new).items() if before.get(n) == v}))
    return "; ".join(told)


def same_as(kept: Ask) -> str:
    """Return what a new question takes over: "of walking, accelerometer"."""
    said = list(_slots(kept).values())
    return "the same data" if not said else f"of {', '.join(said)}"


def what_changed(old: Ask, new: Ask) -> str:
    """Return what differs: "walking → running", "horizon 5 s → 1 s"."""
    before, after = _slots(old), _slots(new)
    found = []
    for slot, value in after.items():
        if value != before.get(slot, ""):
            was = before.get(slot, "")
            found.append(f"{was} → {value}" if was else value)
    found += [f"no longer {was}" for slot, was in before.items() if slot not in after]
    return ", ".join(found)


def _one(ask: Ask, slots: Mapping[str, str]) -> str:
    kind = _KINDS.get(ask.kind, ask.kind)
    said = dict(slots)
    if ask.kind == "stats":
        kind = said.pop("statistic", kind)
    return ", ".join([kind, *said.values()])


def _slots(ask: Ask) -> dict[str, str]:
    """Return each filled slot in words."""
    found: dict[str, str] = {}
    for name in _NAMES:
        if (value := getattr(ask, name)) not in (None, ()):
            found[name] = _named(name, value)
    if ask.excluded and "labels" in found:
        found["labels"] = f"only {found['labels']}"
    if ask.start_s is not None or ask.end_s is not None:
        end = "the end" if ask.end_s is None else f"{ask.end_s:g} s"
        found["stretch"] = f"{ask.start_s or 0:g} s to {end}"
    for name, word in _TIMES.items():
        if (seconds := getattr(ask, name)) is not None:
            found[name] = f"{word} {seconds:g} s"
    for name, word in _NUMBERS.items():
        if (number := getattr(ask, name)) is not None:
            found[name] = f"{word} {number:g}"
    for name, value in (*ask.calendar, *ask.settings, *ask.options):
        found[name] = f"{name.replace('_', ' ')} {_listed(value)}"
    if ask.level is not None:
        side = "above" if ask.level.above else "below"
        found["level"] = f"{side} {ask.level.value:g} {ask.level.unit}".strip()
    return found


def _named(slot: str, value: object) -> str:
    if slot == "subjects":
        return f"subject {_listed(value)}"
    if slot == "by":
        return f"by {value}"
    if slot == "split":
        return f"{value} split"
    if slot == "statistic":
        return _STATISTICS.get(str(value), str(value).replace("_", " "))
    return _listed(value)


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
