"""Whether an answer says what is true: its first sentence, its findings, its names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tool_use_om.evals.suites.questions.truth import Truth

_HEAD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_SOME = 0.5  # share of the parts from which on an answer is partly right


def judged(truth: Truth, state: Mapping[str, Any]) -> str:
    """Return "right", "partly" or "wrong": what an answer says, beside what is true.

    One number or name must be in the answer's first sentence; of several names all must be in the
    answer, and none that are not true in its first sentence; of the numbers of groups all must be
    among the values it shows. Numbers agree within the truth's tolerance, in its unit.

    Parameters
    ----------
    state : of a finished run, with "answer" and "findings"
    """
    answer = str(state.get("answer") or "")
    found = _HEAD.search(answer)
    head = found[1] if found else answer
    value = truth.value
    if isinstance(value, Mapping):
        return _of_groups(truth, value, state.get("findings") or ())
    if isinstance(value, tuple):
        return _of_names(truth, value, answer, head)
    if isinstance(value, str):
        return "right" if _said(value, head) else "wrong"
    return (
        "right" if _number(truth, value, _shown_in(head, state.get("findings") or ())) else "wrong"
    )


def _shown_in(head: str, findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the findings whose value stands in the first sentence as it is written."""
    return [f for f in findings if _said(str(f.get("statement", "")).rpartition(": ")[2], head)]


def _number(truth: Truth, value: float, findings: Iterable[Mapping[str, Any]]) -> bool:
    return any(_equal(truth, value, one) for one in findings)


def _equal(truth: Truth, value: float, finding: Mapping[str, Any]) -> bool:
    got, unit = finding.get("value"), finding.get("unit")
    if isinstance(got, bool) or not isinstance(got, int | float):
        return False
    if truth.unit == "%" and unit == "frac":
        got, unit = 100 * got, "%"
    if truth.unit and unit != truth.unit:
        return False
    return abs(got - value) <= max(truth.tolerance * abs(value), 1e-5 * abs(value), 1e-9)


def _of_groups(
    truth: Truth, groups: Mapping[str, float], findings: Sequence[Mapping[str, Any]]
) -> str:
    met = sum(_number(truth, value, findings) for value in groups.values())
    if met == len(groups):
        return "right"
    return "partly" if met >= _SOME * len(groups) else "wrong"


def _of_names(truth: Truth, names: Sequence[str], answer: str, head: str) -> str:
    if any(_said(name, head) for name in truth.others):
        return "wrong"
    if not names:
        return "right" if re.search(r"\bno\b|\bnone\b", head, re.IGNORECASE) else "wrong"
    met = sum(_said(name, answer) for name in names)
    if met == len(names) or (met >= min(len(names), 10) and "and others" in head):
        return "right"
    return "partly" if met >= _SOME * len(names) else "wrong"


def _said(name: str, text: str) -> bool:
    pattern = rf"(?<![\w.-]){re.escape(name)}(?![\w-])"
    return bool(name) and re.search(pattern, text, re.IGNORECASE) is not None
