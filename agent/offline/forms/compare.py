"""Words for the results of compare_heads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, ref

_MEASURES = {"accuracy": "accuracy", "mae": "mean absolute error", "mase": "scaled error (MASE)"}
_NOTHING = 5e-4  # a difference below this shows as zero


def tell_compared(answer: Answer, result: Result, query: Query) -> None:
    """Tell which head is best, whether clearly, and whether that is better than chance."""
    asked = any(ask.kind == "fewlabels" and "apart" in ask.topic for ask in query.asks)
    if not (asked and _verdict(answer, result)) and result.content.get("best"):
        clear = (result.content.get("difference") or {}).get("clear")
        answer.head(
            result, "the best head here is `{best}`" + ("" if clear else ", though not clearly"),
            best=ref("/best", "best head"),
        )  # fmt: skip
    _rows(answer, result)
    answer.section("How sure")
    _chance(answer, result)
    _difference(answer, result)


def _rows(answer: Answer, result: Result) -> None:
    rows: list[dict[str, Any]] = result.content.get("rows") or []
    measure = next((m for m in _MEASURES if any(isinstance(r.get(m), dict) for r in rows)), None)
    if measure is None:
        return
    name, style = _MEASURES[measure], "percent" if measure == "accuracy" else "unit"
    told = []
    for i, row in enumerate(rows):
        what, at = f"{name} of {row['head']}", f"/rows/{i}/{measure}"
        cells: tuple[Cell, ...] = (
            f"`{row['head']}`",
            ref(f"{at}/value", what, style),
            (
                ref(f"{at}/lower", f"{what}, lower end", style),
                ref(f"{at}/upper", f"{what}, upper end", style),
            ),
        )
        told.append((result, cells))
    answer.section("Heads")
    answer.table(("head", name, "interval"), told)


def _chance(answer: Answer, result: Result) -> None:
    answer.say(
        result, "Chance alone would reach {c}.",
        c=ref("/chance/accuracy", "accuracy by chance", "percent"),
    )  # fmt: skip
    answer.say(
        result, "Each head was fitted {n} times, each time on other labels of the training "
        "sessions, and judged on held-out ones.",
        n=ref("/repeats", "times each head was fitted"),
    )  # fmt: skip


def _difference(answer: Answer, result: Result) -> None:
    found = result.content.get("difference") or {}
    if not found or found.get("value") is None:
        return
    style = "percent" if found.get("metric") == "accuracy" else "plain"
    ends = {
        "lower": ref("/difference/lower", "difference of the best two, lower end", style),
        "upper": ref("/difference/upper", "difference of the best two, upper end", style),
    }
    pair = f"`{found.get('a')}` and `{found.get('b')}`"
    if abs(found["value"]) < _NOTHING:
        answer.say(
            result, f"Between {pair} there is no difference (interval {{lower}} to {{upper}}).",
            **ends,
        )  # fmt: skip
        return
    clear = "clear" if found.get("clear") else "not clear: its interval holds zero"
    if _one_group(result):
        clear = "not clear: there is one held-out group only, so nothing says how others would do"
    answer.say(
        result, f"The difference between {pair} is {{value}} ({{lower}} to {{upper}}), {clear}.",
        value=ref("/difference/value", "difference of the best two", style), **ends,
    )  # fmt: skip


def _one_group(result: Result) -> bool:
    """Say whether all that was measured comes from one session or subject."""
    rows: list[dict[str, Any]] = result.content.get("rows") or []
    return any(
        isinstance(one, dict) and one.get("n_groups") == 1 for row in rows for one in row.values()
    )


def _verdict(answer: Answer, result: Result) -> bool:
    """Say whether the activities can be told apart: the best head's lower end against chance."""
    best = result.content.get("best")
    rows: list[dict[str, Any]] = result.content.get("rows") or []
    place = next((i for i, r in enumerate(rows) if r.get("head") == best), 0)
    low, chance = result.look(f"/rows/{place}/accuracy/lower"), result.look("/chance/accuracy")
    if low is None or chance is None:
        return False
    shots = result.args.get("labels_per_class")
    few = "with {k} labels a class, " if shots is not None else ""
    lead = "yes: " if low > chance else "not clearly: "
    if _one_group(result):
        lead = "one held-out group only, so this cannot be said of others: "
    return answer.head(
        result, f"{lead}{few}`{best}` names {{share}} of held-out windows rightly, where chance "
        "reaches {chance}",
        share=ref(f"/rows/{place}/accuracy/value", f"accuracy of {best}", "percent"),
        chance=ref("/chance/accuracy", "accuracy by chance", "percent"),
        **({"k": ref("/args/labels_per_class", "labels a class")} if few else {}),
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
