"""Which tool call comes next: the plan, how far it got, and errors mended once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from rapidfuzz.distance import OSA

from tool_use_om.agent.offline.planner import Step
from tool_use_om.data.values import Json

Call = tuple[str, dict[str, Any]]

_SUGGESTED = re.compile(r"Unknown .*?'(?P<bad>[^']*)'\. Did you mean '(?P<good>[^']*)'")
_NO_SESSION = ("Unknown session", "Error: Unknown session")
_SLIPS = 2  # wrong letters in a session's id that is still the one meant
_DIGITS = re.compile(r"\d+")
_INTERVAL = re.compile(
    r"[`']?(?P<name>[a-z_]+)[`']? must be in [\[(](?P<low>[\d.eE+-]+), (?P<high>[\d.eE+-]+)[\])]"
)
_AT_MOST = re.compile(r"[`']?(?P<name>[a-z_]+)[`']? must be at most (?P<high>[\d.eE+-]+)")
_UNKNOWN_ARGUMENT = re.compile(r"unknown argument '(?P<name>\w+)'")


def next_call(steps: Sequence[Step], messages: Sequence[BaseMessage]) -> Call | None:
    """Return the next call, or None when the plan is done or an error cannot be mended.

    Parameters
    ----------
    messages : the conversation; what comes after the last human message is this run
    """
    done = _made(messages)
    index = 0
    mended = False
    for _, result in done:
        if result.status != "error":
            index, mended = index + 1, False
        elif mended:
            return None
        else:
            mended = True
    if mended:
        call, result = done[-1]
        return mend(call, str(result.content))
    if index >= len(steps):
        return None
    return _ready(steps[index], [_content(result) for _, result in done])


def mend(call: Call, error: str) -> Call | None:
    """Return the call with what the error complains of replaced by what it offers, if it does."""
    tool, args = call
    unknown = _SUGGESTED.search(error)
    if unknown and _DIGITS.findall(unknown["bad"]) != _DIGITS.findall(unknown["good"]):
        return None  # another number is another session or subject, not a slip
    if unknown and error.startswith(_NO_SESSION) and _far(unknown["bad"], unknown["good"]):
        return None
    if unknown:
        fixed = _replaced(args, unknown["bad"], unknown["good"])
    elif limits := _INTERVAL.search(error) or _AT_MOST.search(error):
        fixed = _limited(args, limits["name"], limits.groupdict().get("low"), limits["high"])
    elif extra := _UNKNOWN_ARGUMENT.search(error):
        fixed = {k: v for k, v in args.items() if k != extra["name"]}
    else:
        return None
    return (tool, fixed) if fixed != args else None


def _far(bad: str, good: str) -> bool:
    """Say whether one name is no slip of the other."""
    return OSA.distance(bad.casefold(), good.casefold(), score_cutoff=_SLIPS) > _SLIPS


def _replaced(args: Mapping[str, Any], bad: str, good: str) -> dict[str, Any]:
    def one(value: Json) -> Json:
        if isinstance(value, list):
            return list(dict.fromkeys(one(v) for v in value))
        return good if isinstance(value, str) and value.casefold() == bad.casefold() else value

    return {name: one(value) for name, value in args.items()}


def _limited(args: Mapping[str, Any], name: str, low: str | None, high: str) -> dict[str, Any]:
    """Return the arguments with a number over its limit set to the limit; one under it stays."""
    value = args.get(name)
    limit = float(high)
    if not isinstance(value, int | float) or value <= limit:
        return dict(args)
    if low is not None and limit <= float(low):
        return dict(args)
    return {**args, name: int(limit) if isinstance(value, int) else limit}


def _made(messages: Sequence[BaseMessage]) -> list[tuple[Call, ToolMessage]]:
    """Return this run's calls with their results."""
    last = max((i for i, m in enumerate(messages) if isinstance(m, HumanMessage)), default=-1)
    calls: dict[str, Call] = {}
    made = []
    for message in messages[last + 1 :]:
        if isinstance(message, AIMessage):
            calls |= {str(c["id"]): (c["name"], dict(c["args"])) for c in message.tool_calls}
        elif isinstance(message, ToolMessage) and message.tool_call_id in calls:
            made.append((calls[message.tool_call_id], message))
    return made


def _content(message: ToolMessage) -> dict[str, Any]:
    try:
        content = json.loads(str(message.content))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _ready(step: Step, results: Sequence[Mapping[str, Any]]) -> Call | None:
    """Fill in what the step takes from earlier results; None when they have nothing for it."""
    args = dict(step.args)
    for name, source in step.late.items():
        found = _LATE[source](results)
        if not found:
            return None
        args[name] = found
    return step.tool, args


def _found_sessions(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the sessions in which the last search found something, each once, in order."""
    for result in reversed(results):
        if "segments" in result:
            return list(dict.fromkeys(str(s["session_id"]) for s in result["segments"]))
    return []


def _half_patch(results: Sequence[Mapping[str, Any]]) -> float | None:
    """Return half the seconds of a patch, as the last configuration has it."""
    found = [r["patch_s"] for r in results if r.get("patch_s") is not None]
    return float(found[-1]) / 2 if found else None


def _session(place: int) -> Callable[[Sequence[Mapping[str, Any]]], str | None]:
    """Return what takes the session at `place` of the last list of sessions."""

    def take(results: Sequence[Mapping[str, Any]]) -> str | None:
        tables = [r["sessions"] for r in results if "n_sessions_total" in r]
        listed = tables[-1] if tables else []
        return str(listed[place]) if place < len(listed) else None

    return take


_LATE: dict[str, Callable[[Sequence[Mapping[str, Any]]], Any]] = {
    "found_sessions": _found_sessions,
    "half_patch": _half_patch,
    **{f"session_{place}": _session(place) for place in range(10)},
}
LATE_SOURCES: Mapping[str, tuple[str, ...]] = {
    "sessions": ("found_sessions",),
    "query_session": tuple(f"session_{place}" for place in range(10)),
    "patch_stride_s": ("half_patch",),
}
"""Argument → what it may take from earlier results."""
