"""Words for the results of run_task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tool_use_om.agent.offline_answer import Answer, Cell, Ref, Result, number, ref
from tool_use_om.agent.parse_query import Query

_SHOWN = 3
_SHOWN_RANKS = 5
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
    """Tell what run_task found, by its task."""
    _RUNS.get(str(result.content.get("task")), _tell_by_shape)(answer, result, query)
    for note in result.content.get("notes") or []:
        answer.note(f"*{note}*")


def _tell_by_shape(answer: Answer, result: Result, query: Query) -> None:
    """Results that do not name their task are told by what they hold."""
    for key, tell in (("neighbours", _retrieved), ("ranking", _retrieved), ("windows", _anomalies)):
        if key in result.content:
            tell(answer, result, query)
            return


def _classified(answer: Answer, result: Result, query: Query) -> None:
    target = result.content.get("target_label")
    kinds = {ask.kind for ask in query.asks}
    if target:
        if not kinds & {"rhythm", "channels"}:  # then the explanation has the headline
            _found(answer, result, str(target))
        _stretches(answer, result, str(target))
    else:
        answer.head(
            result, "{accuracy} of the held-out windows were named rightly",
            accuracy=ref("/metrics/accuracy/value", "share of windows named rightly", "percent"),
        )  # fmt: skip
    answer.section("How sure")
    _accuracy(answer, result)
    if target:
        answer.say(
            result, f"Of the windows called {target}, {{precision}} are; of those that are, "
            "{recall} were found.",
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
            result, f"{target} was found in none of the {{total}} held-out sessions",
            total=ref("/judged_on/n_sessions", "held-out sessions"),
        )  # fmt: skip
        return
    answer.head(
        result, f"{target} was found in {{n}} of the {{total}} held-out sessions",
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
            f"{target} begins within one was not tested:",
            length=ref("/duration_s/max", "length of a session", "unit"),
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
        thing = "sets are larger" if sets else "intervals are wider"
        return f", more than asked: the {thing} than they need be"
    thing = "sets are smaller" if sets else "intervals are narrower"
    return f", less than asked: the {thing} than they should be"


def _forecast(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    rows: list[dict[str, Any]] = result.content.get("forecasts") or []
    channels = _short([str(c) for c in result.content.get("channels") or []])
    label = result.content.get("label")
    found = any("n_sessions_found" in r.content for r in answer.results)
    whose = "of each" if found else f"of {label}" if label else ""
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
        empirical=ref("/coverage/empirical", "share of true values in the intervals", "percent"),
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


def _retrieved(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    if result.content.get("ranking"):
        _ranked(answer, result)
        return
    rows: list[dict[str, Any]] = result.content.get("neighbours") or []
    if rows:
        label = f" ({rows[0]['label']})" if rows[0].get("label") else ""
        answer.head(
            result, "the stretch most like {start} to {end} of `{session}` is "
            f"`{rows[0]['session_id']}` from {{from_s}} to {{to_s}}{label}",
            session=ref("/query/session_id", "session searched from"),
            start=ref("/query/start_s", "start of the stretch searched for", "unit"),
            end=ref("/query/end_s", "end of the stretch searched for", "unit"),
            from_s=ref("/neighbours/0/start_s", "start of the most similar stretch", "unit"),
            to_s=ref("/neighbours/0/end_s", "end of the most similar stretch", "unit"),
        )  # fmt: skip
    told = []
    for i, row in enumerate(rows):
        name, at = row["session_id"], f"/neighbours/{i}"
        cells: tuple[Cell, ...] = (
            f"`{name}`",
            ref(f"{at}/start_s", f"start of the similar stretch in {name}", "unit"),
            ref(f"{at}/end_s", f"end of the similar stretch in {name}", "unit"),
            str(row.get("label") or ""),
            ref(f"{at}/distance", f"distance of the stretch in {name}"),
        )
        told.append((result, cells))
    answer.section("Most alike")
    answer.table(("session", "from", "to", "activity", "distance"), told)
    answer.section("How to read it")
    answer.say(
        result, "A distance compares what the encoder makes of two stretches: zero is the same, and"
        " only its order means something. {windows} windows of {sessions} sessions were searched.",
        windows=ref("/n_searched/windows", "windows searched"),
        sessions=ref("/n_searched/sessions", "sessions searched"),
    )  # fmt: skip


def _ranked(answer: Answer, result: Result) -> None:
    label = result.args.get("target_label") or result.content.get("target_label")
    whose = f"whose {label} looks" if label else "that looks"
    answer.head(
        result, f"`{{most}}` is the session {whose} least like the others: its distance to them is "
        "{d}, that of the most typical one, `{typical}`, {low}",
        most=ref("/most_unlike/session_id", "session least like the others"),
        d=ref("/most_unlike/distance", "its distance to the others"),
        typical=ref("/most_typical/session_id", "most typical session"),
        low=ref("/most_typical/distance", "distance of the most typical session"),
    )  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for i, row in enumerate(result.content["ranking"][:_SHOWN_RANKS]):
        what = f"distance of {row['session_id']} to the others"
        told.append((result, (f"`{row['session_id']}`", ref(f"/ranking/{i}/distance", what))))
    answer.section("Least like the others")
    answer.table(("session", "distance"), told)
    answer.section("How to read it")
    answer.say(
        result, "The distance is the median one, in what the encoder makes of the signal, to the "
        "other sessions{of}; {n} were compared.".replace("{of}", f" of {label}" if label else ""),
        n=ref("/n_sessions", "sessions compared"),
    )  # fmt: skip


def _anomalies(answer: Answer, result: Result, query: Query) -> None:
    checked = [r for r in answer.results if "n_unusual" in r.content] or [result]
    if result is not checked[0]:
        return  # one table holds all of them
    usual = [r for r in checked if r.content.get("n_unusual") == 0]
    for each in checked:
        if each not in usual:
            _unusual_headline(answer, each)
    _usual_headline(answer, usual)
    answer.section("Strangest stretch")
    told = []
    for each in checked:
        name = str(each.content.get("query_session") or each.look("/most_unusual/session_id"))
        cells: tuple[Cell, ...] = (
            f"`{name}`",
            ref("/most_unusual/start_s", f"start of the strangest stretch of {name}", "unit"),
            ref("/most_unusual/end_s", f"end of the strangest stretch of {name}", "unit"),
            ref("/most_unusual/score", f"score of the strangest stretch of {name}"),
            ref("/threshold", f"threshold for {name}"),
            ref("/most_unusual/p_value", f"p-value of the strangest stretch of {name}"),
        )
        told.append((each, cells))
    answer.table(("session", "from", "to", "score", "threshold", "p-value"), told)
    answer.section("How to read it")
    answer.say(
        result, "A score is the distance to the most similar of {n} training windows. The "
        "threshold is set for {nominal} of usual windows to stay within it; of held-out ones "
        "{empirical} do.",
        n=ref("/compared_with/n_windows", "training windows compared with"),
        nominal=ref("/coverage/nominal", "usual windows meant to stay within it", "percent"),
        empirical=ref("/coverage/empirical", "held-out windows that stay within it", "percent"),
    )  # fmt: skip
    answer.note("The p-value is the share of usual windows that are at least as strange.")
    if not any(ask.sessions for ask in query.asks):
        answer.note("No session was named, so only these were checked.")


def _usual_headline(answer: Answer, results: Sequence[Result]) -> None:
    names = [f"`{r.content.get('query_session') or 'the held-out sessions'}`" for r in results]
    if not results:
        return
    lead = f"nothing unusual was found in {', '.join(names)}"
    windows = ref("/n_windows", f"windows of {names[0]} that were scored")
    why = ": none of its {n} windows scores over the threshold"
    if len(results) > 1 or not answer.head(results[0], lead + why, n=windows):
        answer.head(results[0], lead)


def _unusual_headline(answer: Answer, result: Result) -> None:
    verb = "is" if result.content.get("n_unusual") == 1 else "are"
    name = result.content.get("query_session") or "the held-out sessions"
    answer.head(
        result, f"{{n}} of the {{all}} windows of `{name}` {verb} unusual, most of all {{start}} to "
        "{end}",
        n=ref("/n_unusual", f"unusual windows of {name}"),
        all=ref("/n_windows", f"windows of {name} that were scored"),
        start=ref("/most_unusual/start_s", f"start of the strangest stretch of {name}", "unit"),
        end=ref("/most_unusual/end_s", f"end of the strangest stretch of {name}", "unit"),
    )  # fmt: skip


_RUNS: dict[str, Callable[[Answer, Result, Query], None]] = {
    "classify": _classified,
    "forecast": _forecast,
    "retrieve": _retrieved,
    "anomaly": _anomalies,
}
