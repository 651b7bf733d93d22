"""The tools, one line each: name, phase, arguments, function, description."""

from __future__ import annotations

from tool_use_om.data.errors import unknown
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.definition import ToolDef
from tool_use_om.tools.call.working_set import WorkingSet

_T = "tool_use_om.tools."
_DEFS = (
    ToolDef("list_datasets", 1, a.ListDatasets, _T + "look.tools:list_datasets",
            "List the data sets there are, with their channels and labels."),
    ToolDef("show_session_stats", 1, a.ShowSessionStats, _T + "look.tools:show_session_stats",
            "Open a data set and count sessions, durations and labels. Filters here only count."),
    ToolDef("show_channel_stats", 1, a.ShowChannelStats, _T + "look.tools:show_channel_stats",
            "Compute one statistic a channel (by label, session or subject) of the working set."),
    ToolDef("select_channels", 1, a.SelectChannels, _T + "look.tools:select_channels",
            "Choose the channels that later steps use."),
    ToolDef("filter_by_time", 1, a.FilterByTime, _T + "look.tools:filter_by_time",
            "Narrow the working set by time, label, subject, split, duration or session id."),
    ToolDef("plot_sessions", 1, a.PlotSessions, _T + "look.tools:plot_sessions",
            "Draw the signals of a few sessions, with their labels."),
    ToolDef("check_data", 1, a.CheckData, _T + "look.check:check_data",
            "Check the data for gaps, stuck sensors, clipping, repeats, odd units, label and split "
            "faults."),
    ToolDef("select_tokenizer", 2, a.SelectTokenizer, _T + "encode.tools:select_tokenizer",
            "Choose the frozen encoder that turns windows into tokens."),
    ToolDef("configure_tokenizer", 2, a.ConfigureTokenizer, _T + "encode.tools:configure_tokenizer",
            "Set window, stride and rate in seconds and hertz; defaults come from the data."),
    ToolDef("select_channels_for_encoding", 2, a.SelectChannelsForEncoding,
            _T + "encode.tools:select_channels_for_encoding",
            "Choose which of the selected channels the encoder sees."),
    ToolDef("select_task_head", 2, a.SelectTaskHead, _T + "run.tools:select_task_head",
            "Choose the task (classify, forecast, retrieve, anomaly) and the light head for it."),
    ToolDef("configure_head", 2, a.ConfigureHead, _T + "run.tools:configure_head",
            "Change settings of the selected head."),
    ToolDef("run_task", 2, a.RunTask, _T + "run.tools:run_task",
            "Fit and run the selected head for real: metrics, coverage and what was found."),
    ToolDef("compare_heads", 2, a.CompareHeads, _T + "run.compare:compare_heads",
            "Compare the heads of the current task on held-out sessions, with intervals."),
    ToolDef("interpret_results", 2, a.InterpretResults, _T + "run.tools:interpret_results",
            "Explain the last run by computation: rhythm, salient channels, nearest examples."),
    ToolDef("request_labels", 2, a.RequestLabels, _T + "run.request_labels:request_labels",
            "Ask a person to label the most informative windows."),
)  # fmt: skip

TOOLS: dict[str, ToolDef] = {tool.name: tool for tool in _DEFS}


def tool_def(name: str) -> ToolDef:
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
    from tool_use_om.tools.call.check import check_arguments

    tool = tool_def(name)
    checked = check_arguments(tool, args)
    return tool.load()(ctx, working_set.fresh(), checked)
