"""The calls that answer a filled phrasing, by its template; see `phrasings/calls.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Json
from tool_use_om.evals.suites.questions.examples import Filled
from tool_use_om.evals.suites.questions.written import FOLDER

_SECONDS = (1.0, 60.0, 3600.0)
_PLACE = re.compile(r"\{(\w+)\}")
_STATISTICS = {
    "mean": r"\bmeans?\b|\baverages?\b|\bmoyennes?\b|mittelwert|durchschnitt|平均|均值",
    "median": r"\bmedians?\b|mediane?\b|médiane|中位数",
    "std": r"standard deviation|\bstd\b|standardabweichung|écart[- ]type|标准差",
    "variance": r"\bvariance\b|varianz|方差",
    "min": r"\bminimum\b|\blowest\b|\bmin\b|最小|最低",
    "max": r"\bmaximum\b|\bhighest\b|\bmax\b|\bpeak\b|最大|最高",
    "range": r"\brange\b|spannweite|étendue|极差",
    "rms": r"\brms\b|均方根",
}
_SPLITS = {"test": r"test|held.?out|hold.?out|测试|留出", "train": r"train|训练|entraîn"}


@lru_cache(maxsize=1)
def calls_of_templates() -> Mapping[str, Any]:
    """Return template → its calls, or "pending" where no tool answers it yet."""
    import yaml

    found: dict[str, Any] = yaml.safe_load((FOLDER / "calls.yaml").read_text("utf-8"))
    return found


def expected(one: Filled) -> list[dict[str, Any]] | None:
    """Return the expected calls; [] where no call is right, None where no tool answers it yet.

    Raises
    ------
    DataError : the template has none
    """
    calls = calls_of_templates().get(one.phrasing.template)
    if calls is None:
        raise DataError(f"The template {one.phrasing.template!r} has no line in calls.yaml.")
    if calls == "pending":
        return None
    return [{"tool": tool, "args": _args(args, one)} for tool, args in calls.items()]


def word_of(place: str, text: str) -> str | None:
    """Return the one statistic or split that a phrasing names by its plain word, or None.

    Parameters
    ----------
    place : "statistic" or "split"
    """
    known = _STATISTICS if place == "statistic" else _SPLITS
    said = [name for name, form in known.items() if re.search(form, text.casefold())]
    return said[0] if len(said) == 1 else None


def statistic_of(one: Filled) -> str | None:
    """Return the one statistic that a phrasing names by its plain word, or None."""
    return word_of("statistic", one.phrasing.text)


def _args(args: Mapping[str, Any], one: Filled) -> dict[str, Any]:
    found = {name: _value(value, one) for name, value in args.items()}
    return {name: value for name, value in found.items() if value is not None}


def _value(value: Json, one: Filled) -> Json:
    if isinstance(value, list):
        return [_value(item, one) for item in value]
    place = _PLACE.fullmatch(value) if isinstance(value, str) else None
    return value if place is None else _meant(place[1], one)


def _meant(place: str, one: Filled) -> Json:
    if place in {"statistic", "split"}:
        return word_of(place, one.phrasing.text)
    if place == "share":
        return one.meant["pct"] / 100
    meant = one.meant.get(place)
    if place == "dur" and meant is not None:
        return float(meant[0] * _SECONDS[meant[1]])
    return meant[0] if place == "value" and meant is not None else meant
