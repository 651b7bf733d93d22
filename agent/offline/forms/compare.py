"""Words for the results of compare_heads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, ref
from tool_use_om.tools.call.arguments import CompareHeads
from tool_use_om.tools.run.compared import (
    ClassifiersCompared,
    ErrorEstimate,
    ForecastersCompared,
)
from tool_use_om.tools.run.measures import ShareEstimate

_NOTHING = 5e-4  # a difference below this shows as zero


Compared = ClassifiersCompared | ForecastersCompared
Measured = ShareEstimate | ErrorEstimate


def tell_compared(answer: Answer, result: Result, query: Query) -> None:
    """Tell which head is best, whether clearly, and whether that is better than chance."""
    asked = any(ask.kind == "fewlabels" and "apart" in ask.topic for ask in query.asks)
    classified = result.if_found(ClassifiersCompared)
    found = classified or result.found(ForecastersCompared)
    told = asked and classified is not None and _verdict(answer, result, classified)
    if not told and found.best:
        clear = "" if found.difference.clear else ", though not clearly"
        answer.head(
            result, "the best head here is `{best}`" + clear, best=ref(found.best, "best head")
        )
    _rows(answer, result, found)
    answer.section("How sure")
    if classified is not None:
        _chance(answer, result, classified)
    _difference(answer, result, found)


def _measured(found: Compared) -> tuple[str, list[tuple[str, Measured]]]:
    """Return what the heads were judged by, and each head's value."""
    if isinstance(found, ClassifiersCompared):
        return "accuracy", [(row.head, row.accuracy) for row in found.rows]
    absolute = [(row.head, row.mae) for row in found.rows]
    scaled = [(row.head, row.mase) for row in found.rows]
    by_unit = any(value is not None for _, value in absolute)
    name, values = ("mean absolute error", absolute) if by_unit else ("scaled error (MASE)", scaled)
    return name, [(head, value) for head, value in values if value is not None]


def _rows(answer: Answer, result: Result, found: Compared) -> None:
    name, values = _measured(found)
    told = []
    for head, value in values:
        what = f"{name} of {head}"
        cells: tuple[Cell, ...] = (
            f"`{head}`",
            ref(value.value, what),
            (ref(value.lower, f"{what}, lower end"), ref(value.upper, f"{what}, upper end")),
        )
        told.append((result, cells))
    answer.section("The heads compared")
    answer.table(("head", name, "interval"), told)


def _chance(answer: Answer, result: Result, found: ClassifiersCompared) -> None:
    answer.say(
        result,
        "Always guessing the most common activity would get {c}.",
        c=ref(found.chance.accuracy, "accuracy by chance"),
    )
    answer.say(
        result, "Each head was trained {n} times, each time with other labelled sessions, and "
        "tested on held-out ones.",
        n=ref(found.repeats, "times each head was fitted"),
    )  # fmt: skip


def _difference(answer: Answer, result: Result, found: Compared) -> None:
    gap = found.difference
    if gap.value is None:
        return
    style = "percent" if gap.metric == "accuracy" else "plain"
    ends = {
        "lower": ref(gap.lower, "difference of the best two, lower end", style),
        "upper": ref(gap.upper, "difference of the best two, upper end", style),
    }
    pair = f"`{gap.a}` and `{gap.b}`"
    if abs(gap.value) < _NOTHING:
        answer.say(
            result, f"{pair} do not differ (interval {{lower}} to {{upper}}).",
            **ends,
        )  # fmt: skip
        return
    clear = "which is clear" if gap.clear else "which is not clear, as its interval includes zero"
    if _one_group(found):
        clear = "which is not clear, as there is only one held-out group"
    answer.say(
        result, f"The difference between {pair} is {{value}} ({{lower}} to {{upper}}), {clear}.",
        value=ref(gap.value, "difference of the best two", style), **ends,
    )  # fmt: skip


def _one_group(found: Compared) -> bool:
    """Say whether all that was measured comes from one session or subject."""
    return any(value.n_groups == 1 for _, value in _measured(found)[1])


def _verdict(answer: Answer, result: Result, found: ClassifiersCompared) -> bool:
    """Say whether the activities can be told apart: the best head's lower end against chance."""
    best = next((row for row in found.rows if row.head == found.best), None)
    if best is None:
        return False
    shots = result.asked(CompareHeads).labels_per_class
    few = "with {k} labels per class, " if shots is not None else ""
    lead = "yes: " if best.accuracy.lower > found.chance.accuracy else "not clearly: "
    if _one_group(found):
        lead = "with only one held-out group, this may not hold for others: "
    unit = found.judged_on.unit or "windows"
    return answer.head(
        result, f"{lead}{few}`{best.head}` classifies {{share}} of the held-out {unit} correctly; "
        "guessing would get {chance}",
        share=ref(best.accuracy.value, f"accuracy of {best.head}"),
        chance=ref(found.chance.accuracy, "accuracy by chance"),
        **({"k": ref(shots, "labels a class")} if few else {}),
    )  # fmt: skip


def _plan_fewlabels(p: Planner, ask: Ask) -> None:
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


def _plan_heads(p: Planner, ask: Ask) -> None:
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


FORM = Form(
    plans={"fewlabels": _plan_fewlabels, "heads": _plan_heads},
    tells={"compare_heads": tell_compared},
)
