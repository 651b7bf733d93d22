"""How every tool ends: the result stored, the short content cut from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tool_use_om.data.show.figure import ENDING, Figure, kept
from tool_use_om.tools.call.arguments import Arguments
from tool_use_om.tools.call.content import Content
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.results import TIMING, Draw
from tool_use_om.tools.call.working_set import WorkingSet


def finish(
    ctx: ToolContext,
    working_set: WorkingSet,
    args: Arguments,
    *,
    tool: str,
    content: Content | Mapping[str, Any],
    detail: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    timing: Mapping[str, float | str] | None = None,
    figures: Mapping[str, Figure | None] | None = None,
) -> ToolOutcome:
    """Store what a tool found and return its outcome.

    Parameters
    ----------
    working_set : WorkingSet, as the call leaves it
    content : what the model sees, as the model of such results; each of its JSON pointers also
        resolves in the stored result
    detail : the bulky rest, stored under "detail"
    inputs : what the result depends on besides the arguments and the working set
    timing : seconds and what else depends on the machine, under "timing", not hashed
    figures : what the result shows, by name; kept beside it as data
    """
    told = content.to_json() if isinstance(content, Content) else content
    state = working_set.to_state()
    used = {k: v for k, v in state.items() if k != "last_result_id"}
    data = {
        "args": args.model_dump(mode="json", exclude_none=True),
        "inputs": {"working_set": used, **(inputs or {})},
        **told,
        "detail": detail or {},
    }
    drawn = {name: figure for name, figure in (figures or {}).items() if figure is not None}
    files: dict[str, Draw] = {f"{name}{ENDING}": kept(figure) for name, figure in drawn.items()}
    result = ctx.results.put(tool, data, timing=timing, files=files)
    shown = [*told, *([TIMING] if timing else [])]
    return ToolOutcome(
        content={"result_id": result.id, **{key: result.data[key] for key in shown}},
        working_set=working_set,
        result=result,
    )
