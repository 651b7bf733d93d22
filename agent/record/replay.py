"""Run a trace's tool calls again from nothing and compare what comes back.

A trace that replays is true of the data it names: it may be trained on and its figures quoted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from tool_use_om.agent.record.trace import Call, Trace, read_content, stable
from tool_use_om.data.errors import TuomError
from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool

# Results keep six digits; other processors may differ in the last of them.
RELATIVE = 1e-4
ABSOLUTE = 1e-8


class Replay(BaseModel):
    """What replaying a trace showed; `reason` says where and how it first differed.

    `working_sets` are as the run's state held them: before each call, and after the last one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    same: bool
    n_calls: int
    reason: str | None = None
    working_sets: tuple[dict[str, Any], ...] = ()


def replay(trace: Trace, workspace: Workspace) -> Replay:
    """Run the calls of `trace` again and compare each observation.

    Each question of the conversation starts from a fresh working set, as it does in a run.
    Times and result ids may differ, numbers by a relative 1e-4; anything else counts.

    Parameters
    ----------
    trace : Trace, as recorded
    workspace : Workspace, where its data set is; results are stored there again under their ids
    """
    if problem := _data_changed(trace, workspace):
        return Replay(same=False, n_calls=0, reason=problem)
    observed = _observations(trace.messages)
    context = ToolContext(workspace=workspace, seed=trace.seed, dataset=_offered(trace))
    working_set = WorkingSet()
    held: list[dict[str, Any]] = [{}]
    ids: dict[str, str] = {}
    for number, call in enumerate(trace.calls):
        if number in observed.asked_at:
            working_set, held[-1] = WorkingSet(), {}
        content, working_set = _run(call, context, working_set, ids)
        recorded = observed.values[number] if number < len(observed.values) else None
        if problem := difference(stable(recorded), stable(content)):
            reason = f"call {number + 1} ({call.tool}) {problem}"
            return Replay(same=False, n_calls=number, reason=reason)
        if call.result_id and isinstance(content, dict) and content.get("result_id"):
            ids[call.result_id] = content["result_id"]
        held.append(_as_recorded(working_set, ids) if call.ok else held[-1])
    return Replay(same=True, n_calls=len(trace.calls), working_sets=tuple(held))


def difference(recorded: Json, replayed: Json, where: str = "") -> str | None:
    """Return where and how two JSON values differ, or None when they are the same."""
    if isinstance(recorded, Mapping) and isinstance(replayed, Mapping):
        keys = [*recorded, *(k for k in replayed if k not in recorded)]
        pairs = [(f"{where}/{k}", recorded.get(k), replayed.get(k)) for k in keys]
    elif isinstance(recorded, list) and isinstance(replayed, list):
        if len(recorded) != len(replayed):
            return f"at {where or '/'}: {len(recorded)} items recorded, {len(replayed)} replayed"
        both = zip(recorded, replayed, strict=True)
        pairs = [(f"{where}/{i}", a, b) for i, (a, b) in enumerate(both)]
    else:
        if _equal(recorded, replayed):
            return None
        return (
            f"at {where or '/'}: {str(recorded)[:80]!r} recorded, {str(replayed)[:80]!r} replayed"
        )
    return next((found for at, a, b in pairs if (found := difference(a, b, at))), None)


def _equal(a: Json, b: Json) -> bool:
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (a, b))
    if numbers:
        return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return bool(a == b)


def _data_changed(trace: Trace, workspace: Workspace) -> str | None:
    if trace.dataset is None:
        return None
    from tool_use_om.data.catalog import open_dataset

    try:
        found = open_dataset(trace.dataset, workspace).content_hash
    except TuomError as error:
        return f"data set {trace.dataset!r} cannot be opened: {error}"
    if found != trace.dataset_hash:
        return f"data set {trace.dataset!r} has other content than when the run was recorded"
    return None


def _offered(trace: Trace) -> str | None:
    return str(trace.cards[0]["name"]) if trace.cards else trace.dataset


class _Observed(NamedTuple):
    """What each answered call returned, and the numbers of the calls a question was put before."""

    values: list[Any]
    asked_at: set[int]


def _observations(messages: Sequence[Mapping[str, Any]]) -> _Observed:
    replies = {m.get("tool_call_id"): m for m in messages if m["role"] == "tool"}
    observed = _Observed([], set())
    for message in messages:
        if message["role"] == "user":
            observed.asked_at.add(len(observed.values))
        called = [c["id"] for c in message.get("tool_calls") or () if c["id"] in replies]
        observed.values.extend(read_content(replies[i].get("content")) for i in called)
    return observed


def _as_recorded(working_set: WorkingSet, ids: Mapping[str, str]) -> dict[str, Any]:
    recorded = {new: old for old, new in ids.items()}
    state = working_set.to_state()
    return {k: recorded.get(v, v) if isinstance(v, str) else v for k, v in state.items()}


def _run(
    call: Call, context: ToolContext, working_set: WorkingSet, ids: Mapping[str, str]
) -> tuple[Any, WorkingSet]:
    try:
        outcome = run_tool(call.tool, _with_ids(call.arguments, ids), context, working_set)
    except TuomError as error:
        return f"Error: {error}", working_set
    return outcome.content, outcome.working_set


def _with_ids(arguments: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    return {k: ids.get(v, v) if isinstance(v, str) else v for k, v in arguments.items()}
