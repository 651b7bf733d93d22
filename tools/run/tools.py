"""run_task: hands the call to the runner of the working set's task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from statistics import median_low
from typing import Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.names import resolve_name
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.results import Result
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.look.selection import labels_available, open_current

RUNNERS: dict[str, str] = {
    "classify": "tool_use_om.tools.run.classify.run:run_classify",
    "forecast": "tool_use_om.tools.run.forecast.run:run_forecast",
    "retrieve": "tool_use_om.tools.run.search.retrieve:run_retrieve",
    "anomaly": "tool_use_om.tools.run.search.anomaly:run_anomaly",
}
ZERO_SHOT = "tool_use_om.tools.run.classify.described:run_attributes"


def run_task(ctx: ToolContext, working_set: WorkingSet, args: a.RunTask) -> ToolOutcome:
    """Fit and run the selected head.

    Raises
    ------
    DataError : no task is selected, or what the runner of the task refuses
    """
    if working_set.task is None and not args.descriptions:
        raise DataError(f"No task is selected. Call select_task_head with one of {list(RUNNERS)}.")
    runner = ZERO_SHOT if args.descriptions else RUNNERS[str(working_set.task)]
    if args.descriptions and working_set.task not in {None, "classify"}:
        raise DataError("Descriptions are for task 'classify'. Call select_task_head with it.")
    module, _, name = runner.partition(":")
    outcome: ToolOutcome = getattr(import_module(module), name)(ctx, working_set, args)
    return outcome


def select_task_head(
    ctx: ToolContext, working_set: WorkingSet, args: a.SelectTaskHead
) -> ToolOutcome:
    """Choose the task's head: the one named, else by the labels there are."""
    from tool_use_om.heads.registry import choose_head, head_specs

    dataset = open_current(ctx, working_set)
    there = labels_available(dataset)
    specs = {spec.name: spec for spec in head_specs() if spec.task == args.task}
    choice = choose_head(args.task, _labels_per_class(there, args))
    name, why = choice.name, choice.why
    if args.head is not None:
        name, why = resolve_name(f"{args.task} head", args.head, specs), "asked for by name"
    return finish(
        ctx,
        working_set.but(dataset=dataset.name, task=args.task, head=name, head_params={}),
        args,
        tool="select_task_head",
        content={
            "task": args.task,
            "head": name,
            "why": why,
            "labels_per_class_available": there,
            "unit_of_labels": "training sessions",
            "alternatives": [
                {"name": s.name, "good_at": s.good_at, "bad_at": s.bad_at}
                for s in specs.values()
                if s.name != name
            ],
        },
        detail={"heads": [s.to_json() for s in specs.values()]},
        inputs={"content_hash": dataset.content_hash},
    )


def configure_head(ctx: ToolContext, working_set: WorkingSet, args: a.ConfigureHead) -> ToolOutcome:
    """Change settings of the selected head; earlier settings stay."""
    from tool_use_om.heads.registry import head_spec

    if working_set.head is None:
        raise DataError("No head is selected. Call select_task_head first.")
    given = {**working_set.head_params, **args.params}
    params = head_spec(working_set.head).resolve(given)
    return finish(
        ctx,
        working_set.but(head_params={k: params[k] for k in given}),
        args,
        tool="configure_head",
        content={"head": working_set.head, "params": params},
    )


def _labels_per_class(there: dict[str, int], args: a.SelectTaskHead) -> int:
    """Return how many labels the class in the middle has, or every class is said to have."""
    present = [n for n in there.values() if n]
    if args.task == "classify" and len(present) < 2:
        raise DataError(
            "Classifying needs labelled training sessions of two classes at least; there are "
            f"{len(present)}. Use task='retrieve' or 'anomaly'."
        )
    per_class = median_low(present) if present else 0
    return per_class if args.labels_per_class is None else min(per_class, args.labels_per_class)


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
