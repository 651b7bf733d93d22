"""Every form of question: one line each. A form brings its plan and its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tool_use_om.agent.offline.forms import (
    compare,
    data,
    data_check,
    described,
    encode,
    events,
    find,
    forecast,
    labels,
    search,
    trust,
    why,
)
from tool_use_om.agent.offline.forms.described import tell_described
from tool_use_om.agent.offline.forms.form import Form, Plan, Tell
from tool_use_om.agent.offline.forms.labels import tell_suspects
from tool_use_om.agent.offline.forms.search import tell_anomalies, tell_motifs, tell_retrieved
from tool_use_om.agent.offline.forms.trust import tell_drift, tell_gate
from tool_use_om.agent.offline.forms.values import amounts, course, stats
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.planner import Planner, Step
from tool_use_om.agent.offline.writer import Answer, Result, ref

FORMS: tuple[Form, ...] = (
    data.FORM,
    stats.FORM,
    amounts.FORM,
    course.FORM,
    data_check.FORM,
    encode.FORM,
    find.FORM,
    described.FORM,
    forecast.FORM,
    search.FORM,
    compare.FORM,
    events.FORM,
    trust.FORM,
    why.FORM,
    labels.FORM,
)


def plan_steps(query: Query, names: Names, tools: Sequence[str] = ()) -> list[Step]:
    """Return the tool calls that answer `query`, only of `tools` if any are named."""
    planner = Planner(query, names)
    for ask in query.asks:
        PLANS[ask.kind](planner, ask)
    return [s for s in planner.steps if not tools or s.tool in tools]


def unused_slots(query: Query, names: Names) -> list[str]:
    """Return what was understood but changes no tool call, in words: nothing would answer it.

    A fact is told from what is there already, so what it is about need not be in a call.
    """
    whole = plan_steps(query, names)
    said = {
        (slot, getattr(ask, slot)): None
        for ask in query.asks
        for slot in _CALLED_WITH
        if getattr(ask, slot) not in (None, (), 0.0) and slot not in _TOLD.get(ask.kind, ())
    }
    return [
        _slot_in_words(slot, value)
        for slot, value in said
        if plan_steps(_without(query, slot, value), names) == whole
    ]


# slots that only a tool call can meet; the last seconds are explained where they cannot be cut out
_CALLED_WITH = (
    "labels", "channels", "sessions", "subjects", "split", "start_s", "end_s", "min_s", "max_s",
    "horizon_s", "shots", "coverage", "heads", "tokenizer", "window_s", "stride_s", "level",
    "statistic", "by", "faults",
)  # fmt: skip
# what these ask of is compared, or told from what is there, whatever the call
_TOLD: dict[str, tuple[str, ...]] = {
    "facts": _CALLED_WITH,
    "datasets": _CALLED_WITH,
    "sessions": ("channels",),
    "drift": ("split",),
    "check": ("split",),
    "forecast": ("statistic",),
}


def _without(query: Query, slot: str, value: object) -> Query:
    """Return the query as if this had not been said."""
    empty: dict[str, Any] = {slot: () if isinstance(value, tuple) else None}
    asks = (replace(ask, **empty) if getattr(ask, slot) == value else ask for ask in query.asks)
    return replace(query, asks=tuple(asks))


def _slot_in_words(slot: str, value: object) -> str:
    if isinstance(value, tuple):
        named = ", ".join(map(str, value))
        return f"subject {named}" if slot == "subjects" else named
    if slot.endswith("_s"):
        return f"{slot.removesuffix('_s')} {value:g} s" if isinstance(value, float) else str(value)
    return f"{slot} {value}"


def tell_run(answer: Answer, result: Result, query: Query) -> None:
    """Tell what run_task found, by what was asked of it, else by its task."""
    if any(ask.kind == "drift" for ask in query.asks):
        tell_drift(answer, result)
        return
    if "motifs" in result.content:
        tell_motifs(answer, result, query)
    elif "described" in result.content:
        tell_described(answer, result)
    elif "suspects" in result.content:
        tell_suspects(answer, result)
    else:
        _RUNS.get(str(result.content.get("task")), _tell_by_shape)(answer, result, query)
        tell_gate(answer, result)
    for note in result.content.get("notes") or []:
        answer.note(f"*{note}*")


def _tell_by_shape(answer: Answer, result: Result, query: Query) -> None:
    """Results that do not name their task are told by what they hold."""
    for key, tell in (
        ("neighbours", tell_retrieved),
        ("ranking", tell_retrieved),
        ("windows", tell_anomalies),
    ):
        if key in result.content:
            tell(answer, result, query)
            return


def tell_generic(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """List the plain values of a result that has no words of its own."""
    answer.note(f"`{result.tool}` returned:")
    for key, value in result.content.items():
        if key != "result_id" and isinstance(value, int | float | str):
            answer.say(result, f"- {key}: {{v}}", v=ref(f"/{key}", key, "unit"))


PLANS: dict[str, Plan] = {kind: plan for form in FORMS for kind, plan in form.plans.items()}
_RUNS: dict[str, Tell] = {task: tell for form in FORMS for task, tell in form.runs.items()}
TELLS: dict[str, Tell] = {
    **{tool: tell for form in FORMS for tool, tell in form.tells.items()},
    "run_task": tell_run,
}
