"""Phase 2: choose the task and its head, run it, compare its heads, explain what came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median_low
from typing import Any

from tool_use_om.data.errors import DataError
from tool_use_om.data.show.figure import Figure
from tool_use_om.heads.contract.spec import Task
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.content import Content
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.definition import ToolDef
from tool_use_om.tools.call.names import resolve_name
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.found import HeadConfigured, HeadSelected, OtherHead
from tool_use_om.tools.look.selection import labels_available, open_current
from tool_use_om.tools.run import explained
from tool_use_om.tools.run.classify import explain as classify_explain
from tool_use_om.tools.run.classify.described import run_attributes
from tool_use_om.tools.run.classify.run import run_classify
from tool_use_om.tools.run.classify.suspects import run_suspects
from tool_use_om.tools.run.compare import compare_classifiers, compare_forecasters
from tool_use_om.tools.run.figures import change_figure, rhythm_figure
from tool_use_om.tools.run.finish import Run
from tool_use_om.tools.run.forecast import explain as forecast_explain
from tool_use_om.tools.run.forecast.run import run_forecast
from tool_use_om.tools.run.search import explain as search_explain
from tool_use_om.tools.run.search.anomaly import run_anomaly
from tool_use_om.tools.run.search.retrieve import run_retrieve


@dataclass(frozen=True, kw_only=True)
class TaskTools:
    """What is done for one task: how it runs, is explained, and its heads are compared."""

    run: Callable[[ToolContext, WorkingSet, a.RunTask], ToolOutcome]
    explain: Callable[[ToolContext, Run], dict[str, Any]]
    compare: Callable[[ToolContext, WorkingSet, a.CompareHeads], ToolOutcome] | None = None


TASKS: dict[Task, TaskTools] = {
    "classify": TaskTools(
        run=run_classify, explain=classify_explain.explain, compare=compare_classifiers
    ),
    "forecast": TaskTools(
        run=run_forecast, explain=forecast_explain.explain, compare=compare_forecasters
    ),
    "retrieve": TaskTools(run=run_retrieve, explain=search_explain.explain_retrieve),
    "anomaly": TaskTools(run=run_anomaly, explain=search_explain.explain_anomaly),
}


def run_task(ctx: ToolContext, working_set: WorkingSet, args: a.RunTask) -> ToolOutcome:
    """Fit and run the selected head; described activities need none.

    Raises
    ------
    DataError : no task is selected, or what the runner of the task refuses
    """
    if args.descriptions:
        if working_set.task not in {None, "classify"}:
            raise DataError("Descriptions are for task 'classify'. Call select_task_head with it.")
        return run_attributes(ctx, working_set, args)
    if args.suspect_labels:
        if working_set.task != "classify":
            raise DataError(
                "Suspect labels are for task 'classify'. Call select_task_head with it."
            )
        return run_suspects(ctx, working_set, args)
    if working_set.task is None:
        raise DataError(f"No task is selected. Call select_task_head with one of {list(TASKS)}.")
    return TASKS[working_set.task].run(ctx, working_set, args)


def compare_heads(ctx: ToolContext, working_set: WorkingSet, args: a.CompareHeads) -> ToolOutcome:
    """Compare the heads of the selected task.

    Raises
    ------
    DataError : the task has no heads to compare
    """
    task = working_set.task or "classify"
    compare = TASKS[task].compare
    if compare is None:
        known = [name for name, tools in TASKS.items() if tools.compare is not None]
        raise DataError(f"compare_heads compares heads for {known}, not {task!r}.")
    return compare(ctx, working_set, args)


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
        content=HeadSelected(
            task=args.task,
            head=name,
            why=why,
            labels_per_class_available=there,
            unit_of_labels="training sessions",
            alternatives=[
                OtherHead(name=s.name, good_at=s.good_at, bad_at=s.bad_at)
                for s in specs.values()
                if s.name != name and s.listed
            ],
        ),
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
        content=HeadConfigured(head=working_set.head, params=params),
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
    task: Task = run.data["task"]
    told = {"task": task, "explains": result_id, **TASKS[task].explain(ctx, run)}
    content = next(k for k in explained.KINDS if k.is_of(told)).model_validate(told)
    return finish(
        ctx,
        working_set,
        args,
        tool="interpret_results",
        content=content,
        inputs={"explains": result_id, "content_hash": run.data["inputs"]["content_hash"]},
        figures=_explained(ctx, run, content),
    )


def _explained(ctx: ToolContext, run: Run, content: Content) -> dict[str, Figure | None]:
    """Return the rhythm of what was found and what would change it, where that is known."""
    if not isinstance(content, explained.ClassificationExplained):
        return {}
    dataset = open_current(ctx, run.working_set)
    channels = run.data["detail"]["encoding"]["channels"]
    return {
        "rhythm": rhythm_figure(dataset, channels, content),
        "change": change_figure(dataset, channels, content),
    }


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


SELECT_TASK_HEAD = ToolDef(
    2,
    a.SelectTaskHead,
    select_task_head,
    "Choose the task (classify, forecast, retrieve, anomaly) and the light head for it.",
)
CONFIGURE_HEAD = ToolDef(
    2,
    a.ConfigureHead,
    configure_head,
    "Change settings of the selected head.",
)
RUN_TASK = ToolDef(
    2,
    a.RunTask,
    run_task,
    "Fit and run the selected head for real: metrics, coverage and what was found.",
)
COMPARE_HEADS = ToolDef(
    2,
    a.CompareHeads,
    compare_heads,
    "Compare the heads of the current task on held-out sessions, with intervals.",
)
INTERPRET_RESULTS = ToolDef(
    2,
    a.InterpretResults,
    interpret_results,
    "Explain the last run by computation: rhythm, salient channels, nearest examples.",
)
