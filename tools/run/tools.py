"""run_task: hands the call to the runner of the working set's task."""

from __future__ import annotations

from importlib import import_module

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.working_set import WorkingSet

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
