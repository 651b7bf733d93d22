"""The typed results there are, and what stands at a pointer of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tool_use_om.tools.call.content import Content, Meaning, meaning_at
from tool_use_om.tools.encode.found import (
    EncodedChannels,
    HeadConfigured,
    HeadSelected,
    TokenizerSelected,
    WindowsConfigured,
)
from tool_use_om.tools.look import statistics
from tool_use_om.tools.look.checked import Checked
from tool_use_om.tools.look.found import (
    ChannelsSelected,
    DataSetsListed,
    Drawn,
    Filtered,
    SessionsCounted,
)
from tool_use_om.tools.look.told import SignalDescribed
from tool_use_om.tools.measure.found import Amounts
from tool_use_om.tools.run import explained
from tool_use_om.tools.run.classify.found import Classified, Described
from tool_use_om.tools.run.classify.suspects import SuspectsFound
from tool_use_om.tools.run.compared import ClassifiersCompared, ForecastersCompared
from tool_use_om.tools.run.compared_events import EventModelsCompared
from tool_use_om.tools.run.forecast.found import Forecasted
from tool_use_om.tools.run.request_labels import LabelsGiven
from tool_use_om.tools.run.search.found import (
    MotifsFound,
    NeighboursFound,
    SessionsRanked,
    UnusualFound,
)

# tool → the models of what it may find; each is known by the field that no other has
RESULTS: dict[str, tuple[type[Content], ...]] = {
    "list_datasets": (DataSetsListed,),
    "show_session_stats": (SessionsCounted,),
    "select_channels": (ChannelsSelected,),
    "filter_by_time": (Filtered,),
    "plot_sessions": (Drawn,),
    "show_channel_stats": statistics.KINDS,
    "measure_amounts": (Amounts,),
    "check_data": (Checked,),
    "describe_signal": (SignalDescribed,),
    "select_tokenizer": (TokenizerSelected,),
    "configure_tokenizer": (WindowsConfigured,),
    "select_channels_for_encoding": (EncodedChannels,),
    "select_task_head": (HeadSelected,),
    "configure_head": (HeadConfigured,),
    "interpret_results": explained.KINDS,
    "request_labels": (LabelsGiven,),
    "run_task": (
        Classified,
        Described,
        Forecasted,
        NeighboursFound,
        SessionsRanked,
        MotifsFound,
        UnusualFound,
        SuspectsFound,
    ),
    "compare_heads": (ClassifiersCompared, ForecastersCompared),
    "compare_event_models": (EventModelsCompared,),
}


def result_model(tool: str, content: Mapping[str, Any]) -> type[Content] | None:
    """Return the model of a tool's result; None = this result has none yet."""
    known = RESULTS.get(tool, ())
    if len(known) == 1:
        return known[0]
    return next((m for m in known if m.is_of(content)), None)


def unit_at(tool: str, pointer: str, content: Mapping[str, Any]) -> Meaning | None:
    """Return what stands at a JSON pointer of a tool's result: count, share, or in which unit.

    Parameters
    ----------
    tool : str, which the content came from
    content : the result's JSON

    Returns
    -------
    None where the result has no model yet, or nothing in its model stands there
    """
    model = result_model(tool, content)
    return None if model is None else meaning_at(model, pointer, content)
