"""The last step of every run: store what was found, tell the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tool_use_om.tools.call.arguments import Arguments
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.results import Draw
from tool_use_om.tools.call.working_set import WorkingSet

if TYPE_CHECKING:
    from tool_use_om.tools.encode.plan import Plan, Stopwatch


def finish_run(
    ctx: ToolContext,
    working_set: WorkingSet,
    args: Arguments,
    plan: Plan,
    *,
    content: Mapping[str, Any],
    detail: Mapping[str, Any],
    clock: Stopwatch,
    files: Mapping[str, Draw],
) -> ToolOutcome:
    """Store what run_task found, with how the data were encoded, and note it as the last run."""
    outcome = finish(
        ctx,
        working_set.but(dataset=plan.dataset.name, task=content["task"], head=content["head"]),
        args,
        tool="run_task",
        content=content,
        detail={**detail, "encoding": plan.to_json()},
        inputs={"content_hash": plan.dataset.content_hash},
        timing={**clock.seconds, **plan.cache_use.to_timing()},
        files=files,
    )
    noted = outcome.working_set.but(last_result_id=outcome.result.id)
    return replace(outcome, working_set=noted)
