"""Words for the results of run_task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tool_use_om.agent.offline.forms.search import tell_anomalies, tell_retrieved
from tool_use_om.agent.offline.forms.trust import (
    head_abstained,
    tell_abstained,
    tell_described,
    tell_drift,
    tell_event,
    tell_gate,
    tell_motifs,
)
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.writer import Answer, Cell, Ref, Result, named, number, ref

_SHOWN = 3
_ONE_EACH = 1.1  # activities in a prediction set; smaller ones could hardly be
_FEW = 20  # sessions on which a measured share is uncertain
_NOMINAL = "share of true values that the intervals should hold"
_MEASURES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "mae": "mean absolute error",
    "mase": "scaled error (MASE)",
    "crps": "interval error (CRPS)",
}


def tell_run(answer: Answer, result: Result, query: Query) -> None:
    """Tell what run_task found, by what was asked of it, else by its task."""
    if any(ask.kind == "drift" for ask in query.asks):
        tell_drift(answer, result)
        return
    if "motifs" in result.content:
        tell_motifs(answer, result, query)
    elif "described" in result.content:
        tell_described(answer, result)
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


def _classified(answer: Answer, result: Result, query: Query) -> None:
    target = result.content.get("target_label")
    kinds = {ask.kind for ask in query.asks}
    if target:
        if not kinds & {"rhythm", "channels", "why"}:  # then the explanation has the headline
            _found(answer, result, str(target))
        _stretches(answer, result, str(target))
    elif "why" not in kinds and not head_abstained(answer, result, query):
        answer.head(
            result, "{accuracy} of the held-out windows were named rightly",
            accuracy=ref("/metrics/accuracy/value", "share of windows named rightly", "percent"),
        )  # fmt: skip
    answer.section("How sure")
    _accuracy(answer, result)
    tell_abstained(answer, result, query)
    if target:
        answer.say(
            result, f"Of the windows called {named(target)}, {{precision}} are; of those that "
            "are, {recall} were found.",
            precision=ref("/target/precision", f"windows called {target} that are", "percent"),
            recall=ref("/target/recall", f"windows of {target} that were found", "percent"),
        )  # fmt: skip
    answer.say(
        result, "Sets that should hold the true activity in {nominal} of cases do in {empirical}"
        f"{_verdict_on(result, sets=True)}.",
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
    refs = {
        "accuracy": ref("/metrics/accuracy/value", "held-out windows named rightly", "percent"),
        "lower": ref("/metrics/accuracy/lower", "windows named rightly, lower end", "percent"),
        "upper": ref("/metrics/accuracy/upper", "windows named rightly, upper end", "percent"),
    }
    guessed = ""
    if result.look("/chance/accuracy") is not None:
        guessed = "; naming the commonest activity: {chance}"
        what = "accuracy of always naming the commonest activity"
        refs["chance"] = ref("/chance/accuracy", what, "percent")
    answer.say(
        result,
        f"{{accuracy}} of held-out windows are named rightly ({{lower}} to {{upper}}{guessed}).",
        **refs,
    )


def _verdict_on(result: Result, *, sets: bool) -> str:
    """Return what measured coverage means: as asked, more, or less."""
    nominal, empirical = result.look("/coverage/nominal"), result.look("/coverage/empirical")
    low, high = result.look("/coverage/lower"), result.look("/coverage/upper")
    if nominal is None or empirical is None:
        return ""
    if low is not None and high is not None and low <= nominal <= high:
        return ", in line with what was asked"
    if empirical > nominal:
        size = result.look("/coverage/mean_set_size")
        if sets and size is not None and size < _ONE_EACH:
            return ", more than asked, with hardly more than one activity in each"
        thing = "sets are larger" if sets else "intervals are wider"
        return f", more than asked: the {thing} than they need be"
    thing = "sets are smaller" if sets else "intervals are narrower"
    return f", less than asked: the {thing} than they should be"


def _forecast(answer: Answer, result: Result, query: Query) -> None:
    rows: list[dict[str, Any]] = result.content.get("forecasts") or []
    channels = _short([str(c) for c in result.content.get("channels") or []])
    label = result.content.get("label")
    found = any("n_sessions_found" in r.content for r in answer.results)
    whose = "of each" if found else f"of {named(label)}" if label else ""
    if not tell_event(answer, result, query):
        answer.head(
            result, f"the next {{horizon}} {whose} are forecast for {channels} with {{nominal}} "
            "intervals".replace("  ", " "),
            horizon=ref("/horizon_s", "length of the forecast", "unit"),
            nominal=ref("/coverage/nominal", _NOMINAL, "percent"),
        )  # fmt: skip
    answer.section("Forecast")
    _forecast_rows(answer, result, rows)
    answer.section("How good is the forecast")
    _forecast_errors(answer, result)
    answer.note("")
    beats = result.content.get("beats_baseline")
    if beats is not None:
        answer.note(
            "It beats the `seasonal_naive` baseline, which repeats the last cycle." if beats
            else "It does not clearly beat the `seasonal_naive` baseline, which repeats the last "
            "cycle."
        )  # fmt: skip
    if (result.look("/metrics/mase/value") or 0) > 1:
        answer.note(
            "A MASE above one means: it errs more than repeating the last value does for a "
            "single step."
        )
    sessions = result.look("/judged_on/n_sessions")
    only = "only " if sessions and sessions < _FEW else ""
    few = f", measured on {only}{{n}} sessions" if sessions else ""
    verdict_on = _verdict_on(result, sets=False)
    answer.say(
        result, f"The intervals hold {{empirical}} of the true values{verdict_on}{few}.",
        empirical=ref("/coverage/empirical", "measured share of true values inside", "percent"),
        **({"n": ref("/judged_on/n_sessions", "held-out sessions forecast to measure this")}
           if few else {}),
    )  # fmt: skip


def _forecast_rows(answer: Answer, result: Result, rows: Sequence[dict[str, Any]]) -> None:
    """Tell the forecasts of the first session, or some of several with one channel each."""
    first = [i for i, row in enumerate(rows) if row["session_id"] == rows[0]["session_id"]]
    one = len(first) >= _SHOWN
    shown = first if one else list(range(min(_SHOWN, len(rows))))
    if len({(rows[i]["start_s"], rows[i]["end_s"]) for i in shown}) == 1:
        whose = f" of `{rows[0]['session_id']}`, and its" if one else ", and their"
        answer.say(
            result, f"Mean over {{start}} to {{end}}{whose} {{nominal}} interval:",
            start=ref("/forecasts/0/start_s", "start of the forecast", "unit"),
            end=ref("/forecasts/0/end_s", "end of the forecast", "unit"),
            nominal=ref("/coverage/nominal", _NOMINAL, "percent"),
        )  # fmt: skip
    told = []
    for i in shown:
        name, at = f"{rows[i]['channel']} in {rows[i]['session_id']}", f"/forecasts/{i}"
        what = f"interval of {name}, mean over the forecast"
        cells: tuple[Cell, ...] = (
            *(() if one else (f"`{rows[i]['session_id']}`",)),
            f"`{rows[i]['channel']}`",
            ref(f"{at}/mean", f"forecast of {name}, mean over its time", "unit"),
            _ends(at, what, "unit"),
        )
        told.append((result, cells))
    session = () if one else ("session",)
    answer.table((*session, "channel", "mean", "interval"), told)


def _forecast_errors(answer: Answer, result: Result) -> None:
    rows = []
    for name in result.content.get("metrics") or {}:
        what, at = _MEASURES.get(name, name), f"/metrics/{name}"
        cells: tuple[Cell, ...] = (
            what,
            ref(f"{at}/value", f"{what} of the forecast", "unit"),
            _ends(at, f"{what} of the forecast", "unit"),
            ref(f"{at}/baseline", f"{what} of seasonal_naive", "unit"),
        )
        rows.append((result, cells))
    answer.table(("on held-out sessions", "this forecast", "interval", "seasonal_naive"), rows)


def _ends(at: str, what: str, style: str) -> tuple[Ref, Ref]:
    return (
        ref(f"{at}/lower", f"{what}, lower end", style),
        ref(f"{at}/upper", f"{what}, upper end", style),
    )


def _short(channels: Sequence[str]) -> str:
    """Return channel names with each modality once: "accelerometer x, y, z"."""
    axes: dict[str, list[str]] = {}
    for channel in channels:
        modality, _, axis = channel.partition(".")
        axes.setdefault(modality, []).append(axis)
    return " and ".join(f"{m} {', '.join(a)}".strip() for m, a in axes.items())


_RUNS: dict[str, Callable[[Answer, Result, Query], None]] = {
    "classify": _classified,
    "forecast": _forecast,
    "retrieve": tell_retrieved,
    "anomaly": tell_anomalies,
}
