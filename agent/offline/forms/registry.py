"""From what a question asks to tool calls: the offline model's plan.

A plan depends on the question and the data-set cards only, so that every phase of a run works out
the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tool_use_om.agent.offline.forms.described import contraries
from tool_use_om.agent.offline.language.measures import in_unit
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner, Step

_SURVEYED = 5  # sessions checked when none is named


def plan_steps(query: Query, names: Names, tools: Sequence[str] = ()) -> list[Step]:
    """Return the tool calls that answer `query`, only of `tools` if any are named."""
    planner = Planner(query, names)
    for ask in query.asks:
        _PLANS[ask.kind](planner, ask)
    return [s for s in planner.steps if not tools or s.tool in tools]


def _datasets(p: Planner, ask: Ask) -> None:  # noqa: ARG001 - same form as the other plans
    p.add("list_datasets", "see which data sets there are")


def _sessions(p: Planner, ask: Ask) -> None:
    if _none_fits(p.names.duration_s, ask):
        p.open()  # none has such a length: see which they have
    p.add(
        "show_session_stats", "count the sessions and see what they hold",
        dataset=p.query.dataset, labels=list(ask.labels), sessions=list(ask.sessions),
        subjects=list(ask.subjects), split=ask.split, **dict[str, Any](p.limits(ask)),
    )  # fmt: skip


def _none_fits(known: Mapping[str, float], ask: Ask) -> bool:
    """Tell whether no session can be as long, or as short, as asked."""
    if not known:
        return False
    low, high = ask.min_s, ask.max_s
    too_long = low is not None and (low > known["max"] or (ask.strict_min and low == known["max"]))
    too_short = high is not None and (
        high < known["min"] or (ask.strict_max and high == known["min"])
    )
    return too_long or too_short


def _stats(p: Planner, ask: Ask) -> None:
    p.open()
    if ask.channels:
        p.add("select_channels", "look at these channels only", channels=list(ask.channels))
    p.narrow(ask)
    p.add(
        "show_channel_stats", f"compute the {ask.statistic or 'std'}",
        statistic=ask.statistic, by=ask.by,
    )  # fmt: skip


def _plot(p: Planner, ask: Ask) -> None:
    p.open()
    found = any(s.tool == "run_task" for s in p.steps)
    if not found or ask.start_s is not None or ask.tail_s is not None:
        p.narrow(_without_sessions(ask))
    p.add(
        "plot_sessions", "draw the signals", sessions=list(ask.sessions),
        channels=list(ask.channels), max_sessions=min(ask.count, 12) if ask.count else None,
        late={"sessions": "found_sessions"} if found and not ask.sessions else {},
    )  # fmt: skip


def _check(p: Planner, ask: Ask) -> None:
    p.open()
    p.narrow(replace(ask, split=None) if "leak" in ask.faults else ask)
    p.add(
        "check_data", "look for what may be wrong with the data",
        kinds=list(ask.faults), channels=list(ask.channels),
    )  # fmt: skip


def _without_sessions(ask: Ask) -> Ask:
    return replace(ask, sessions=())


def _find(p: Planner, ask: Ask) -> None:
    if any(_same_search(ask, earlier) for earlier in p.searched):
        return  # one run answers both, such as cadence and salient channels of one activity
    p.searched.append(ask)
    p.open()
    p.fresh()
    if ask.start_s is not None or ask.end_s is not None or ask.split:
        p.narrow(ask, labels=False)
    p.encode(ask)
    p.head(ask, "classify", shots=ask.shots)
    for label in ask.labels[:4] or (None,):
        p.add(
            "run_task", f"find {label}" if label else "recognise every activity",
            target_label=label, sessions=list(ask.sessions), coverage=ask.coverage,
            labels_per_class=ask.shots, **dict(ask.options),
        )  # fmt: skip
        p.add("interpret_results", "explain what was found")


def _same_search(ask: Ask, earlier: Ask) -> bool:
    return replace(ask, kind="find", topic="") == replace(earlier, kind="find", topic="")


def _fewlabels(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    p.encode(ask)
    p.head(ask, "classify", shots=ask.shots)
    p.add(
        "compare_heads", "measure how well so few labels do",
        heads=list(ask.heads), labels_per_class=ask.shots, **_rare(ask),
    )  # fmt: skip


def _rare(ask: Ask) -> dict[str, Any]:
    return {name: value for name, value in ask.options if name == "rare_labels"}


def _described(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    if ask.start_s is not None or ask.end_s is not None or ask.split:
        p.narrow(ask, labels=False)
    p.encode(ask)
    if p.names.labels:  # without labels there is no head to choose, and none is needed
        p.head(ask, "classify")
    name = ask.labels[0] if len(ask.labels) == 1 else "as described"
    p.add(
        "run_task", "score windows against what was described, and against its contrary",
        target_label=name, sessions=list(ask.sessions),
        descriptions=[{"name": name, **dict(ask.attributes)}, *contraries(dict(ask.attributes))],
    )  # fmt: skip


def _drift(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    p.encode(ask)
    task = "classify" if p.names.labels else "forecast"
    p.head(ask, task)
    channels = list(ask.channels) if task == "forecast" else None
    p.add("run_task", "compare the held-out sessions with the others", target_channels=channels)


def _motif(p: Planner, ask: Ask) -> None:
    p.open()
    p.narrow(ask)
    if ask.channels:
        p.add("select_channels", "look at these channels only", channels=list(ask.channels))
    p.encode(ask)
    p.add("select_task_head", "search for what repeats", task="retrieve", head="motif")
    p.add("run_task", "find the stretches that repeat best", k=ask.k or ask.count)


def _forecast(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    found = any(s.tool == "run_task" for s in p.steps)
    if ask.channels and not found:
        p.add("select_channels", "forecast these channels", channels=list(ask.channels))
    p.encode(ask)
    p.head(ask, "forecast")
    reached = _reached(p.names, ask)
    # after a search for the same label, run_task continues the stretches that were found
    for label in ask.labels[:4] or (None,):
        p.add(
            "run_task", "forecast, and measure how good such forecasts are",
            target_label=label, target_channels=list(ask.channels), horizon_s=ask.horizon_s,
            sessions=list(ask.sessions), coverage=ask.coverage, **reached, **dict(ask.options),
        )  # fmt: skip
        p.add("interpret_results", "explain the forecast")


def _reached(names: Names, ask: Ask) -> dict[str, Any]:
    """Return the level that may be reached, in the unit of its channel."""
    channels = names.meant(ask.channels or names.channels)
    if ask.level is None or len(channels) != 1:
        return {}
    value = in_unit(ask.level, names.unit_of(channels[0]))
    return {"threshold": value, "direction": "above" if ask.level.above else "below"}


def _similar(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    p.encode(ask)
    p.head(ask, "retrieve")
    if ask.approximate:
        p.add("configure_head", "search the nearest cells only", params={"index": "approximate"})
    p.add(
        "run_task", "search for what is most like it",
        query_session=ask.sessions[0] if ask.sessions else None,
        query_start_s=ask.start_s, query_end_s=ask.end_s, k=ask.k or ask.count,
    )  # fmt: skip


def _unlike(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    p.encode(ask)
    p.head(ask, "retrieve")
    for label in ask.labels[:4] or (None,):
        p.add("run_task", "rank the sessions by how unlike the others they are", target_label=label)
        p.add("interpret_results", "see what sets the odd one apart")


def _anomaly(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    p.encode(ask)
    p.head(ask, "anomaly")
    for session in ask.sessions[:4]:
        p.add(
            "run_task", "score each stretch against the usual ones",
            query_session=session, query_start_s=ask.start_s, query_end_s=ask.end_s,
            coverage=ask.coverage,
        )  # fmt: skip
        p.add("interpret_results", "see what sets the strangest stretch apart")
    if not ask.sessions:
        _survey(p, ask)


def _survey(p: Planner, ask: Ask) -> None:
    """Check the first held-out sessions where no session is named: a check takes one at a time."""
    p.add(
        "show_session_stats", "no session is named: take held-out ones",
        labels=list(ask.labels), subjects=list(ask.subjects), split=ask.split or "test",
    )  # fmt: skip
    for place in range(_SURVEYED):
        late = {"query_session": f"session_{place}"}
        p.add("run_task", "score each stretch against the usual ones", late=late)


def _heads(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    p.encode(ask)
    p.head(_without_heads(ask), ask.task, shots=ask.shots)
    p.add(
        "compare_heads", "measure the heads against each other",
        heads=list(ask.heads), labels_per_class=ask.shots, **_rare(ask),
    )  # fmt: skip


def _without_heads(ask: Ask) -> Ask:
    return replace(ask, heads=())


def _head(p: Planner, ask: Ask) -> None:
    p.open()
    p.head(ask, ask.task, shots=ask.shots)


def _tokenizer(p: Planner, ask: Ask) -> None:
    p.open()
    ask = p.told = p.as_told(ask)
    p.add("select_tokenizer", "choose the frozen encoder", tokenizer=ask.tokenizer)
    p.configure(ask, "see which windows fit the data")


def _window(p: Planner, ask: Ask) -> None:
    p.open()
    ask = p.told = p.as_told(ask)
    p.configure(ask, "set the windows as asked")


def _request(p: Planner, ask: Ask) -> None:
    p.open()
    p.encode(ask)
    p.add("request_labels", "ask for the labels that help most", budget=ask.count or 10)


_PLANS: dict[str, Callable[[Planner, Ask], None]] = {
    "datasets": _datasets,
    "sessions": _sessions,
    "stats": _stats,
    "plot": _plot,
    "check": _check,
    "find": _find,
    "classify": _find,
    "fewlabels": _fewlabels,
    "described": _described,
    "drift": _drift,
    "motif": _motif,
    "why": _find,
    "forecast": _forecast,
    "similar": _similar,
    "unlike": _unlike,
    "anomaly": _anomaly,
    "rhythm": _find,
    "channels": _find,
    "heads": _heads,
    "head": _head,
    "tokenizer": _tokenizer,
    "window": _window,
    "request": _request,
}
