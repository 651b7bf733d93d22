"""Between a bare plan and the calls it stands for: the steps that say nothing of the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tool_use_om.agent.orchestrator.protocol import PlannedCall

_OPEN = "show_session_stats"
_HEAD = "select_task_head"
_ENCODE = ("select_tokenizer", "configure_tokenizer", "select_channels_for_encoding")
_NEED_NONE = frozenset({"list_datasets", _OPEN})
_WHY = {
    _OPEN: "open the data and see what is there",
    "list_datasets": "see which data sets there are",
    "show_channel_stats": "compute what is asked",
    "measure_amounts": "compute what is asked",
    "select_channels": "use only the channels asked about",
    "filter_by_time": "keep only what is asked about",
    "plot_sessions": "draw it",
    "check_data": "look for what may be wrong",
    "select_tokenizer": "choose the frozen encoder",
    "configure_tokenizer": "cut windows that fit the data",
    "select_channels_for_encoding": "choose what the encoder sees",
    _HEAD: "choose the head",
    "configure_head": "set what was asked for",
    "run_task": "do what is asked",
    "compare_heads": "compare the heads",
    "compare_event_models": "let a few kinds of model try",
    "interpret_results": "explain the result",
    "request_labels": "ask for labels",
}


@dataclass(frozen=True)
class _State:
    opened: bool
    encoded: bool


def bare(calls: Sequence[PlannedCall], dataset: str) -> tuple[PlannedCall, ...]:
    """Return the calls without those `complete` puts back.

    Parameters
    ----------
    dataset : the one at hand; to open it again says nothing
    """
    own = tuple(_undated(call, dataset) for call in calls)
    idle = {_OPEN, *_ENCODE}
    short = tuple(c for c in own if c.args or c.tool not in idle)
    return short if short and complete(short) == own else own


def _undated(call: PlannedCall, dataset: str) -> PlannedCall:
    args = {k: v for k, v in call.args.items() if (k, v) != ("dataset", dataset)}
    return PlannedCall(tool=call.tool, args=args)


def complete(calls: Sequence[PlannedCall]) -> tuple[PlannedCall, ...]:
    """Return the calls with the data opened first, and encoded before a head is chosen."""
    out: list[PlannedCall] = []
    if calls and calls[0].tool not in _NEED_NONE:
        out.append(PlannedCall(tool=_OPEN))
    for call in calls:
        if call.tool == _HEAD:
            made = {c.tool for c in out}
            out += [PlannedCall(tool=name) for name in _ENCODE if name not in made]
        out.append(call)
    return tuple(out)


def why(tool: str) -> str:
    """Return the words a plan gives for a step."""
    return _WHY.get(tool, "needed for the answer")
