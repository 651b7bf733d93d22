"""The tools there are: one line adds one."""

from __future__ import annotations

from typing import Any

from tool_use_om.data.errors import unknown
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.definition import ToolDef
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode import tools as encode
from tool_use_om.tools.look import check
from tool_use_om.tools.look import tools as look
from tool_use_om.tools.look.describe import DESCRIBE_SIGNAL
from tool_use_om.tools.measure import tools as measure
from tool_use_om.tools.run import request_labels
from tool_use_om.tools.run import tools as run
from tool_use_om.tools.run.events import COMPARE_EVENT_MODELS

_DEFS: tuple[ToolDef[Any], ...] = (
    look.LIST_DATASETS,
    look.SHOW_SESSION_STATS,
    look.SHOW_CHANNEL_STATS,
    measure.MEASURE_AMOUNTS,
    DESCRIBE_SIGNAL,
    look.SELECT_CHANNELS,
    look.FILTER_BY_TIME,
    look.PLOT_SESSIONS,
    check.CHECK_DATA,
    encode.SELECT_TOKENIZER,
    encode.CONFIGURE_TOKENIZER,
    encode.SELECT_CHANNELS_FOR_ENCODING,
    run.SELECT_TASK_HEAD,
    run.CONFIGURE_HEAD,
    run.RUN_TASK,
    run.COMPARE_HEADS,
    COMPARE_EVENT_MODELS,
    run.INTERPRET_RESULTS,
    request_labels.REQUEST_LABELS,
)
TOOLS: dict[str, ToolDef[Any]] = {tool.name: tool for tool in _DEFS}


def tool_def(name: str) -> ToolDef[Any]:
    """Return the tool of this name; raise NotFoundError with the nearest names otherwise."""
    if name not in TOOLS:
        raise unknown("tool", name, TOOLS)
    return TOOLS[name]


def run_tool(
    name: str, args: dict[str, object], ctx: ToolContext, working_set: WorkingSet
) -> ToolOutcome:
    """Check the arguments and run one tool: the whole of a tool call, without LangChain.

    Raises
    ------
    TuomError : anything the caller can mend, bad arguments included
    """
    return tool_def(name).call(args, ctx, working_set)
