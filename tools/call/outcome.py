"""How every tool ends: the result stored, the short content cut from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tool_use_om.tools.call.arguments import Arguments
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.results import TIMING, Draw
from tool_use_om.tools.call.working_set import WorkingSet

if TYPE_CHECKING:
    from tool_use_om.heads.numeric.metrics import Interval
    from tool_use_om.heads.trust.conformal import Coverage


def coverage_json(coverage: Coverage) -> dict[str, Any]:
    """Return a measured coverage as a result shows it."""
    kept = ("nominal", "empirical", "lower", "upper", "n")
    return {key: getattr(coverage, key) for key in kept}


def finish(
    ctx: ToolContext,
    working_set: WorkingSet,
    args: Arguments,
    *,
    tool: str,
    content: Mapping[str, Any],
    detail: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    timing: Mapping[str, float | str] | None = None,
    files: Mapping[str, Draw] | None = None,
) -> ToolOutcome:
    """Store what a tool found and return its outcome.

    Parameters
    ----------
    working_set : WorkingSet, as the call leaves it
    content : what the model sees; each of its JSON pointers also resolves in the stored result
    detail : the bulky rest, stored under "detail"
    inputs : what the result depends on besides the arguments and the working set
    timing : seconds and what else depends on the machine, under "timing", not hashed
    files : figures and tables to write beside the result
    """
    state = working_set.to_state()
    used = {k: v for k, v in state.items() if k != "last_result_id"}
    data = {
        "args": args.model_dump(mode="json", exclude_none=True),
        "inputs": {"working_set": used, **(inputs or {})},
        **content,
        "detail": detail or {},
    }
    result = ctx.results.put(tool, data, timing=timing, files=files)
    shown = [*content, *([TIMING] if timing else [])]
    return ToolOutcome(
        content={"result_id": result.id, **{key: result.data[key] for key in shown}},
        working_set=working_set,
        result=result,
    )


def as_json(interval: Interval) -> dict[str, Any]:
    """Return a measured value with its interval as a result shows it."""
    row = {key: getattr(interval, key) for key in ("value", "lower", "upper", "n", "n_groups")}
    return {**row, **({"note": interval.note} if interval.note else {})}
