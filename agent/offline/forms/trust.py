"""Words for chances, repeats, described activities, drift, fallbacks and requests for labels."""

from __future__ import annotations

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, named, ref
from tool_use_om.tools.run.classify.found import Classified
from tool_use_om.tools.run.forecast.found import Forecasted
from tool_use_om.tools.run.measures import Candidate, Coverage, Ends, SetCoverage, Vote

_SHOWN = 5


def unit_of(found: Classified) -> str:
    """Return what a result judged, in a word: sessions or windows."""
    return str(found.judged_on.unit or "windows")


def tell_drift(answer: Answer, result: Result) -> bool:
    """Tell whether the held-out sessions differ from those calibrated on."""
    drift = (result.if_found(Forecasted) or result.found(Classified)).drift
    if drift is None:
        return answer.head(
            result, "drift could not be tested, as no sessions are set apart for that"
        )
    first, second = (named(name) for name in drift.between)
    if drift.p_value is None:
        answer.head(result, f"drift between the {first} and the {second} sessions was not tested")
        answer.note(f"Why: {str(drift.why_not or '').rstrip('.')}.")
        return True
    lead = "yes, the data have drifted" if drift.drifted else "no drift was found"
    n, m = drift.n_sessions or (None, None)
    answer.head(
        result, f"{lead} between the {{n}} {first} and the {{m}} {second} sessions (p = {{p}})",
        n=ref(n, f"{drift.between[0]} sessions compared"),
        m=ref(m, f"{drift.between[1]} sessions compared"),
        p=ref(drift.p_value, "p-value of the test for drift"),
    )  # fmt: skip
    answer.note(
        "The p-value is how often shuffling whole sessions between the two groups sets them at "
        "least this far apart, as the encoder sees them."
    )
    if drift.between[0] == "calibration":
        answer.note(
            "The calibration sessions stand in for the training sessions, because intervals and "
            "sets are calibrated on them."
        )
    return True


def tell_gate(answer: Answer, result: Result) -> None:
    """Tell who answers, with what each candidate reached and what it costs to keep."""
    found = result.if_found(Forecasted) or result.if_found(Classified)
    told = None if found is None else found.gate or found.vote
    if found is None or told is None or not told.rows:
        return
    metric = str(told.metric)
    style = "percent" if metric == "accuracy" else "plain"
    # folds compare channels of any unit, so errors there are in deviations; on test in their own
    tested = "mean absolute error" if "deviations" in metric else metric
    rows = [
        (result, _candidate(row, metric, tested, style))
        for row in told.rows
        if row.test is not None
    ]
    answer.section("Which models answered")
    if isinstance(told, Vote):
        answer.note("Several models answer together, weighted by how well each did in training:")
    else:
        answer.note(f"`{told.answered_by}` answered; that was decided on the training sessions:")
    on_test = "on test data" if tested == metric else f"{tested} on test data"
    answer.table(("model", f"{metric}, cross-validated", "interval", on_test, "memory"), rows)


def _candidate(row: Candidate, metric: str, tested: str, style: str) -> tuple[Cell, ...]:
    name = row.model
    test = row.test.value if isinstance(row.test, Ends) else row.test
    return (
        f"`{name}`",
        ref(row.folds.value, f"{metric} of {name} on held-out folds", style),
        (
            ref(row.folds.lower, f"{metric} of {name}, lower end", style),
            ref(row.folds.upper, f"{metric} of {name}, upper end", style),
        ),
        ref(test, f"{tested} of {name} on the test sessions", style),
        ref(row.memory_mb, f"memory of {name}"),
    )


def head_abstained(answer: Answer, result: Result, query: Query) -> bool:
    """Put into the headline how often no answer is given, where that was asked for."""
    found = result.found(Classified)
    if found.abstention is None or not any("abstain" in ask.topic.split() for ask in query.asks):
        return False
    right, unit = found.abstention.accuracy_answered, unit_of(found)
    return answer.head(
        result, f"{{share}} of the held-out {unit} are left open, and {{right}} of the others are "
        "classified correctly",
        share=ref(found.abstention.abstained_frac, f"held-out {unit} left open"),
        right=ref(right and right.value, f"{unit} named rightly where an answer is given"),
    )  # fmt: skip


def tell_abstained(answer: Answer, result: Result, query: Query) -> None:
    """Tell how much was left open, where something was or somebody asked."""
    asked = any("abstain" in ask.topic.split() for ask in query.asks)
    found = result.found(Classified)
    told = found.abstention
    if told is None or not (told.abstained_frac or asked):
        return
    unit = unit_of(found)
    refs = {
        "share": ref(told.abstained_frac, f"held-out {unit} left open"),
        "size": ref(told.max_set_size, "activities that may remain for an answer"),
    }
    empty = found.coverage and found.coverage.empty_frac
    text = f"{{share}} of the held-out {unit} are left open because "
    if not empty:
        text += "more than {size} activity remains possible"
    elif empty >= told.abstained_frac:
        text += "no activity is likely enough"
    else:
        text += "no activity is likely enough ({empty}) or more than {size} remains possible"
        refs["empty"] = ref(empty, f"{unit} without a likely activity")
    if "{size}" not in text:
        del refs["size"]
    if told.accuracy_answered is not None:
        text += "; {right} of the others are classified correctly"
        what = f"{unit} named rightly where an answer is given"
        refs["right"] = ref(told.accuracy_answered.value, what)
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


def verdict_on(coverage: Coverage, unit: str) -> str:
    """Return what measured coverage means: as asked, more, or less.

    Parameters
    ----------
    unit : what was judged, in a word
    """
    nominal, empirical = coverage.nominal, coverage.empirical
    sets = isinstance(coverage, SetCoverage)
    set_size = coverage.mean_set_size if isinstance(coverage, SetCoverage) else None
    low, high = coverage.lower, coverage.upper
    if low is not None and high is not None and low <= nominal <= high:
        if abs(empirical - nominal) <= _AS_ASKED:
            return ", as intended"
        side = "less" if empirical < nominal else "more"
        return f", {side} than intended, though with so few {unit} that may be chance"
    if empirical > nominal:
        if set_size is not None and set_size < _ONE_EACH:
            return ", more than intended, yet with hardly more than one activity per set"
        thing = "sets could be smaller" if sets else "intervals could be narrower"
        return f", more than intended, so the {thing}"
    thing = "sets are too small" if sets else "intervals are too narrow"
    return f", less than intended, so the {thing}"


FORM = Form(plans={"drift": _plan_drift})
