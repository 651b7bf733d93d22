"""Words for chances, repeats, described activities, drift, fallbacks and requests for labels."""

from __future__ import annotations

from typing import Any

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, named, ref

_SHOWN = 5


def unit_of(result: Result) -> str:
    """Return what a result judged, in a word: sessions or windows."""
    return str(result.look("/judged_on/unit") or "windows")


def tell_drift(answer: Answer, result: Result) -> bool:
    """Tell whether the held-out sessions differ from those calibrated on."""
    drift = result.content.get("drift")
    if not drift:
        return answer.head(result, "drift could not be tested: no sessions are set apart for it")
    first, second = (named(name) for name in drift["between"])
    if drift.get("p_value") is None:
        answer.head(result, f"drift between the {first} and the {second} sessions was not tested")
        answer.note(f"Why: {str(drift.get('why_not', '')).rstrip('.')}.")
        return True
    lead = "yes, there is drift" if drift["drifted"] else "no drift was found"
    answer.head(
        result, f"{lead}: between {{n}} {first} and {{m}} {second} sessions p is {{p}}",
        n=ref("/drift/n_sessions/0", f"{drift['between'][0]} sessions compared"),
        m=ref("/drift/n_sessions/1", f"{drift['between'][1]} sessions compared"),
        p=ref("/drift/p_value", "p-value of the test for drift"),
    )  # fmt: skip
    answer.note(
        "The p-value is the share of random exchanges of whole sessions that set the two parts at "
        "least as far apart in what the encoder makes of them."
    )
    if drift["between"][0] == "calibration":
        answer.note(
            "The calibration sessions stand in for the training ones: intervals and sets are "
            "calibrated on them."
        )
    return True


def tell_gate(answer: Answer, result: Result) -> None:
    """Tell who answers, with what each candidate reached and what it costs to keep."""
    key = "gate" if result.content.get("gate") else "vote"
    gate = result.content.get(key)
    rows: list[dict[str, Any]] = (gate or {}).get("rows") or []
    if not gate or not rows:
        return
    share = gate.get("metric") == "accuracy"
    style, metric = ("percent" if share else "plain"), str(gate["metric"])
    # folds compare channels of any unit, so errors there are in deviations; on test in their own
    tested = "mean absolute error" if "deviations" in metric else metric
    told = []
    for i, row in enumerate(rows):
        if "test" not in row:
            continue
        name, at = str(row["model"]), f"/{key}/rows/{i}"
        test = f"{at}/test/value" if isinstance(row["test"], dict) else f"{at}/test"
        cells: tuple[Cell, ...] = (
            f"`{name}`",
            ref(f"{at}/folds/value", f"{metric} of {name} on held-out folds", style),
            (
                ref(f"{at}/folds/lower", f"{metric} of {name}, lower end", style),
                ref(f"{at}/folds/upper", f"{metric} of {name}, upper end", style),
            ),
            ref(test, f"{tested} of {name} on the test sessions", style),
            ref(f"{at}/memory_mb", f"memory of {name}", "unit"),
        )
        told.append((result, cells))
    answer.section("Who answers")
    if key == "vote":
        answer.note("The models answer together; how much each counts was weighed in training:")
    else:
        answer.note(f"`{gate['answered_by']}` answers; decided on the training sessions:")
    on_test = "on test" if tested == metric else f"{tested} on test"
    answer.table(("model", f"{metric} on folds", "interval", on_test, "memory"), told)


def head_abstained(answer: Answer, result: Result, query: Query) -> bool:
    """Put into the headline how often no answer is given, where that was asked for."""
    if not any("abstain" in ask.topic.split() for ask in query.asks):
        return False
    return answer.head(
        result, f"{{share}} of the held-out {unit_of(result)} are left open, and of the others "
        "{right} are named rightly",
        share=ref("/abstention/abstained_frac", f"held-out {unit_of(result)} left open", "percent"),
        right=ref("/abstention/accuracy_answered/value",
                  f"{unit_of(result)} named rightly where an answer is given", "percent"),
    )  # fmt: skip


def tell_abstained(answer: Answer, result: Result, query: Query) -> None:
    """Tell how much was left open, where something was or somebody asked."""
    asked = any("abstain" in ask.topic.split() for ask in query.asks)
    share = result.look("/abstention/abstained_frac")
    if share is None or not (share or asked):
        return
    unit = unit_of(result)
    refs = {
        "share": ref("/abstention/abstained_frac", f"held-out {unit} left open", "percent"),
        "size": ref("/abstention/max_set_size", "activities that may remain for an answer"),
    }
    empty = result.look("/coverage/empty_frac") or 0.0
    text = f"{{share}} of held-out {unit} are left open, as "
    if not empty:
        text += "more than {size} activity stays possible"
    elif empty >= share:
        text += "no activity is likely enough"
    else:
        text += "no activity is likely enough ({empty}) or more than {size} stays possible"
        refs["empty"] = ref("/coverage/empty_frac", f"{unit} without a likely activity", "percent")
    if "{size}" not in text:
        del refs["size"]
    if result.look("/abstention/accuracy_answered/value") is not None:
        text += "; of the others {right} are named rightly"
        what = f"{unit} named rightly where an answer is given"
        refs["right"] = ref("/abstention/accuracy_answered/value", what, "percent")
    answer.say(result, f"{text}.", **refs)


def _plan_drift(p: Planner, ask: Ask) -> None:
    p.open()
    p.fresh()
    p.encode(ask)
    task = "classify" if p.names.labels else "forecast"
    p.head(ask, task)
    channels = list(ask.channels) if task == "forecast" else None
    p.add("run_task", "compare the held-out sessions with the others", target_channels=channels)


_AS_ASKED = 0.05  # measured coverage that far from what was asked still keeps the promise
_ONE_EACH = 1.1  # activities in a prediction set; smaller ones could hardly be


def verdict_on(result: Result, *, sets: bool) -> str:
    """Return what measured coverage means: as asked, more, or less."""
    nominal, empirical = result.look("/coverage/nominal"), result.look("/coverage/empirical")
    low, high = result.look("/coverage/lower"), result.look("/coverage/upper")
    if nominal is None or empirical is None:
        return ""
    if low is not None and high is not None and low <= nominal <= high:
        if abs(empirical - nominal) <= _AS_ASKED:
            return ", in line with what was asked"
        side = "less" if empirical < nominal else "more"
        return (
            f", {side} than asked, though so few {unit_of(result)} cannot rule out what was asked"
        )
    if empirical > nominal:
        size = result.look("/coverage/mean_set_size")
        if sets and size is not None and size < _ONE_EACH:
            return ", more than asked, with hardly more than one activity in each"
        thing = "sets are larger" if sets else "intervals are wider"
        return f", more than asked: the {thing} than they need be"
    thing = "sets are smaller" if sets else "intervals are narrower"
    return f", less than asked: the {thing} than they should be"


FORM = Form(plans={"drift": _plan_drift})
