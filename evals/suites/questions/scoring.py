"""What a question with known right tool calls looks like, and how calls are scored against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tool_use_om.data.values import Json

Call = Mapping[str, Any]
"""``{"tool": name, "args": {…}}``"""


def score_calls(expect: Sequence[Mapping[str, Any]], calls: Sequence[Call]) -> bool:
    """Say whether a run's tool calls are right.

    Right means: each expectation is met by a call of its own (any order, further calls allowed);
    a call meets one when the tool is the same and each expected argument is there with an equal
    value (numbers within 1e-6, names whatever the case and the order, a modality's name for all
    its channels; of a list of objects each wanted one is there, with what is wanted of it).
    An expectation ``{"any_of": [calls]}`` is met by any one of them. With nothing expected, any
    call is wrong.
    """
    if not expect:
        return not calls
    return _assign(list(expect), list(calls))


def tools_right(expect: Sequence[Mapping[str, Any]], calls: Sequence[Call]) -> bool:
    """Say whether the right tools were called, whatever their arguments."""
    bare = [_without_args(e) for e in expect]
    return score_calls(bare, calls)


def _without_args(expected: Mapping[str, Any]) -> dict[str, Any]:
    if "any_of" in expected:
        return {"any_of": [_without_args(e) for e in expected["any_of"]]}
    return {"tool": expected["tool"], "args": {}}


def _assign(expect: list[Mapping[str, Any]], calls: list[Call]) -> bool:
    if not expect:
        return True
    fitting = [i for i, made in enumerate(calls) if _meets(expect[0], made)]
    return any(_assign(expect[1:], calls[:i] + calls[i + 1 :]) for i in fitting)


def _meets(expected: Mapping[str, Any], made: Call) -> bool:
    if "any_of" in expected:
        return any(_meets(option, made) for option in expected["any_of"])
    args = made.get("args") or {}
    return bool(made["tool"] == expected["tool"]) and all(
        name in args and _equal(value, args[name]) for name, value in expected["args"].items()
    )


def _equal(want: Json, got: Json) -> bool:
    if isinstance(want, bool) or isinstance(got, bool) or want is None or got is None:
        return type(want) is type(got) and bool(want == got)
    if isinstance(want, (int, float)):
        return isinstance(got, (int, float)) and abs(want - got) <= 1e-6
    if isinstance(want, Mapping):
        return isinstance(got, Mapping) and all(
            k in got and _equal(v, got[k]) for k, v in want.items()
        )
    if isinstance(want, Sequence) and not isinstance(want, str):
        names = [got] if isinstance(got, str) else got
        if want and all(isinstance(item, Mapping) for item in want):
            return isinstance(names, Sequence) and all(
                any(_equal(item, one) for one in names) for item in want
            )
        return isinstance(names, Sequence) and _names(want, want) == _names(names, want)
    return str(want).casefold() == str(got).casefold()


def _names(names: Sequence[Any], want: Sequence[Any]) -> set[str]:
    """Return the names folded; channels of a modality wanted whole count as it."""
    whole = {str(w).casefold() for w in want if "." not in str(w)}
    folded = [str(n).casefold() for n in names]
    return {n.partition(".")[0] if n.partition(".")[0] in whole else n for n in folded}
