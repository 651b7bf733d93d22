"""Words for the results of run_task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.forms.trust import (
    head_abstained,
    tell_abstained,
    unit_of,
    verdict_on,
)
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, named, number, ref

_SHOWN = 3


def _tell_classified(answer: Answer, result: Result, query: Query) -> None:
    target = result.content.get("target_label")
    kinds = {ask.kind for ask in query.asks}
    if target:
        if not kinds & {"rhythm", "channels", "why"}:  # then the explanation has the headline
            _found(answer, result, str(target))
        _stretches(answer, result, str(target))
    elif "why" not in kinds and not head_abstained(answer, result, query):
        answer.head(
            result, f"{{accuracy}} of the held-out {unit_of(result)} were named rightly",
            accuracy=ref("/metrics/accuracy/value", f"share of {unit_of(result)} named rightly",
                         "percent"),
        )  # fmt: skip
    answer.section("How sure")
    _accuracy(answer, result)
    tell_abstained(answer, result, query)
    if target:
        answer.say(
            result, f"Of the {unit_of(result)} called {named(target)}, {{precision}} are; of those "
            "that are, {recall} were found.",
            precision=ref("/target/precision", f"{unit_of(result)} called {target} that are",
                          "percent"),
            recall=ref("/target/recall", f"{unit_of(result)} of {target} that were found",
                       "percent"),
        )  # fmt: skip
    answer.say(
        result, "Sets that should hold the true activity in {nominal} of cases do in {empirical}"
        f"{verdict_on(result, sets=True)}.",
        nominal=ref("/coverage/nominal", "share of prediction sets meant to be right", "percent"),
        empirical=ref("/coverage/empirical", "share of prediction sets that are right", "percent"),
    )  # fmt: skip


def _found(answer: Answer, result: Result, target: str) -> None:
    if result.content.get("n_segments") == 0:
        answer.head(
            result, f"{named(target)} was found in none of the {{total}} held-out sessions",
            total=ref("/judged_on/n_sessions", "held-out sessions"),
        )  # fmt: skip
        return
    answer.head(
        result, f"{named(target)} was found in {{n}} of the {{total}} held-out sessions",
        n=ref("/n_sessions_found", f"held-out sessions in which {target} was found"),
        total=ref("/judged_on/n_sessions", "held-out sessions"),
    )  # fmt: skip


def _stretches(answer: Answer, result: Result, target: str) -> None:
    found: list[dict[str, Any]] = result.content.get("segments") or []
    if not found:
        return
    answer.section("Found")
    whole = _whole_sessions(answer, found)
    if whole:
        answer.say(
            whole, "The most certain sessions, each {length} long and found whole, so when "
            f"{named(target)} begins within one was not tested:",
            length=ref("/duration_s/max", "length of each of the sessions found whole", "unit"),
        )  # fmt: skip
    else:
        answer.note("The most certain stretches:")
    rows = [_stretch(result, target, i, spans=not whole) for i in range(len(found[:_SHOWN]))]
    headings = ("session", "confidence") if whole else ("session", "from", "to", "confidence")
    answer.table(headings, [(result, cells) for cells in rows])


def _whole_sessions(answer: Answer, found: Sequence[dict[str, Any]]) -> Result | None:
    """Return the statistics of the sessions if all are of one length, and found from end to end."""
    stats = next((r for r in answer.results if r.look("/duration_s/max")), None)
    if stats is None:
        return None
    length = stats.look("/duration_s/max")
    whole = all(row.get("start_s") == 0 and row.get("end_s") == length for row in found)
    return stats if whole and stats.look("/duration_s/min") == length else None


def _stretch(result: Result, target: str, i: int, *, spans: bool) -> tuple[Cell, ...]:
    row = result.content["segments"][i]
    name, at = str(row["session_id"]), f"/segments/{i}"
    when = " to ".join(f"{number(float(row[end]))} s" for end in ("start_s", "end_s"))
    doubt = " (unsure)" if row.get("in_prediction_set") is False else ""
    ends = (
        ref(f"{at}/start_s", f"start of {target} in {name}", "unit"),
        ref(f"{at}/end_s", f"end of {target} in {name}", "unit"),
    )
    confidence = ref(f"{at}/confidence", f"confidence that {name} is {target}, {when}", "percent")
    return (f"`{name}`{doubt}", *(ends if spans else ()), confidence)


def _accuracy(answer: Answer, result: Result) -> None:
    unit = unit_of(result)
    refs = {
        "accuracy": ref("/metrics/accuracy/value", f"held-out {unit} named rightly", "percent"),
        "lower": ref("/metrics/accuracy/lower", f"{unit} named rightly, lower end", "percent"),
        "upper": ref("/metrics/accuracy/upper", f"{unit} named rightly, upper end", "percent"),
    }
    guessed = ""
    if result.look("/chance/accuracy") is not None:
        guessed = "; naming the commonest activity: {chance}"
        what = "accuracy of always naming the commonest activity"
        refs["chance"] = ref("/chance/accuracy", what, "percent")
    warned = ""
    if result.look("/metrics/accuracy/note"):
        refs["groups"] = ref("/metrics/accuracy/n_groups", "people or sessions behind the interval")
        warned = "; the interval is a guess, as there are only {groups} people or sessions"
    answer.say(
        result,
        f"{{accuracy}} of held-out {unit} are named rightly ({{lower}} to {{upper}}{guessed}"
        f"{warned}).",
        **refs,
    )


def _plan_find(p: Planner, ask: Ask) -> None:
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


FORM = Form(
    plans=dict.fromkeys(("find", "classify", "why", "rhythm", "channels"), _plan_find),
    runs={"classify": _tell_classified},
)
