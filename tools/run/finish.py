"""The last step of every run, stored and told to the model; and a run read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from tool_use_om.data.show.figure import Figure
from tool_use_om.tools.call.arguments import Arguments, RunTask
from tool_use_om.tools.call.content import Content, Span
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.places import read
from tool_use_om.tools.call.results import Result
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.look.selection import Segment

if TYPE_CHECKING:
    from tool_use_om.tools.encode.plan import Plan, Stopwatch

M = TypeVar("M", bound=Content)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A stored run_task: what it was asked, on what working set, and what it found."""

    result: Result
    working_set: WorkingSet
    args: RunTask

    @property
    def data(self) -> dict[str, Any]:
        """The stored result."""
        return self.result.data

    def found(self, model: type[M]) -> M:
        """Return what the run found, as the model of such results."""
        return read(model, self.data)


def segment_of(span: Span) -> Segment:
    """Return the part of a session that a row of a result names."""
    return Segment(
        session_id=str(span.session_id), start_s=float(span.start_s), end_s=float(span.end_s)
    )


def finish_run(
    ctx: ToolContext,
    working_set: WorkingSet,
    args: Arguments,
    plan: Plan,
    *,
    content: Content | Mapping[str, Any],
    detail: Mapping[str, Any],
    clock: Stopwatch,
    figures: Mapping[str, Figure | None] | None = None,
) -> ToolOutcome:
    """Store what run_task found, with how the data were encoded, and note it as the last run."""
    found = content.to_json() if isinstance(content, Content) else content
    outcome = finish(
        ctx,
        working_set.but(dataset=plan.dataset.name, task=found["task"], head=found["head"]),
        args,
        tool="run_task",
        content=found,
        detail={**detail, "encoding": plan.to_json()},
        inputs={"content_hash": plan.dataset.content_hash},
        timing={**clock.seconds, **plan.cache_use.to_timing()},
        figures=figures,
    )
    noted = outcome.working_set.but(last_result_id=outcome.result.id)
    return replace(outcome, working_set=noted)
