"""interpret_results: explains a stored run by computation; one explainer a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.results import Result
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.look.selection import open_current


@dataclass(frozen=True, kw_only=True)
class Run:
    """A stored run_task: what it was asked, on what working set, and what it found."""

    result: Result
    working_set: WorkingSet
    args: a.RunTask

    @property
    def data(self) -> dict[str, Any]:
        """The stored result."""
        return self.result.data


Explainer = Callable[[ToolContext, Run], dict[str, Any]]
EXPLAINERS: dict[str, str] = {
    "classify": "tool_use_om.tools.run.classify.explain:explain",
    "forecast": "tool_use_om.tools.run.forecast.explain:explain",
    "retrieve": "tool_use_om.tools.run.search.explain:explain_retrieve",
    "anomaly": "tool_use_om.tools.run.search.explain:explain_anomaly",
}


def interpret_results(
    ctx: ToolContext, working_set: WorkingSet, args: a.InterpretResults
) -> ToolOutcome:
    """Explain the last run_task, or the one named.

    Raises
    ------
    DataError : nothing has been run, the result is no run_task, or the data have changed since
    NotFoundError : no such result
    """
    result_id = args.result_id or working_set.last_result_id
    if result_id is None:
        raise DataError("There is nothing to interpret yet. Call run_task first.")
    run = _load(ctx, result_id)
    module, _, name = EXPLAINERS[run.data["task"]].partition(":")
    explain: Explainer = getattr(import_module(module), name)
    content = {"task": run.data["task"], "explains": result_id, **explain(ctx, run)}
    return finish(
        ctx,
        working_set,
        args,
        tool="interpret_results",
        content=content,
        inputs={"explains": result_id, "content_hash": run.data["inputs"]["content_hash"]},
    )


def _load(ctx: ToolContext, result_id: str) -> Run:
    result = ctx.results.get(result_id)
    if result.data.get("kind") != "run_task":
        raise DataError(
            f"{result_id} came from {result.data.get('kind')}; only run_task results are explained."
        )
    run = Run(
        result=result,
        working_set=WorkingSet.model_validate(result.data["inputs"]["working_set"]),
        args=a.RunTask.model_validate(result.data["args"]),
    )
    if open_current(ctx, run.working_set).content_hash != result.data["inputs"]["content_hash"]:
        raise DataError(f"The data set has changed since {result_id}. Call run_task again.")
    return run
