"""Words for the results of run_task and compare_heads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tool_use_om.agent.offline_answer import Answer, Result, ref
from tool_use_om.agent.parse_query import Query

_SHOWN = 5
_SHOWN_FORECASTS = 6
_METRICS = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "mae": "mean absolute error",
    "mase": "MASE (error against a naive step)",
    "crps": "CRPS (error of the whole interval forecast)",
}
_SHARES = frozenset({"accuracy", "macro_f1"})


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


def _classified(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    target = result.content.get("target_label")
    if target and result.content.get("n_segments") == 0:
        answer.note(f"**{target}** was found in none of the held-out sessions.")
    elif target:
        answer.say(
            result, f"**{target}** was found in **{{n}}** of the {{total}} held-out sessions"
            " ({pieces} stretches).",
            n=ref("/n_sessions_found", f"held-out sessions with {target}"),
            total=ref("/judged_on/n_sessions", "held-out sessions"),
            pieces=ref("/n_segments", f"stretches of {target}"),
        )  # fmt: skip
    if target:
        _stretches(answer, result)
        answer.say(
            result, f"Of the windows called {target}, {{precision}} are {target}; of the windows "
            f"that are {target}, {{recall}} were found.",
            precision=ref("/target/precision", f"precision for {target}", "percent"),
            recall=ref("/target/recall", f"recall for {target}", "percent"),
        )  # fmt: skip
    _metrics(answer, result, "On the held-out sessions")
    answer.say(
        result, "Always naming the commonest activity would reach {chance}.",
        chance=ref("/chance/accuracy", "accuracy by chance", "percent"),
    )  # fmt: skip
    _coverage(answer, result, "prediction sets hold the true activity")


def _stretches(answer: Answer, result: Result) -> None:
    rows = result.content.get("segments") or []
    if rows:
        answer.note("The most certain ones:")
    for i, row in enumerate(rows[:_SHOWN]):
        doubt = (
            "" if row.get("in_prediction_set") in {True, None} else " (not in its prediction set)"
        )
        answer.say(
            result, f"- `{row['session_id']}`, {{start}} to {{end}}, confidence {{c}}{doubt}",
            start=ref(f"/segments/{i}/start_s", f"start in {row['session_id']}", "unit"),
            end=ref(f"/segments/{i}/end_s", f"end in {row['session_id']}", "unit"),
            c=ref(f"/segments/{i}/confidence", f"confidence in {row['session_id']}"),
        )  # fmt: skip


def _metrics(answer: Answer, result: Result, lead: str) -> None:
    """One line for all metrics, each with its interval and the baseline's value."""
    parts, refs = [], {}
    for name, row in (result.content.get("metrics") or {}).items():
        style, what = "percent" if name in _SHARES else "unit", _METRICS.get(name, name)
        part = f"{what} **{{{name}}}** ({{{name}_lower}} to {{{name}_upper}}"
        refs[name] = ref(f"/metrics/{name}/value", what, style)
        for end in ("lower", "upper"):
            refs[f"{name}_{end}"] = ref(f"/metrics/{name}/{end}", f"{what}, {end} end", style)
        if row.get("baseline") is not None:
            part += f"; `seasonal_naive` {{{name}_baseline}}"
            baseline = ref(f"/metrics/{name}/baseline", f"{what} of seasonal_naive", style)
            refs[f"{name}_baseline"] = baseline
        parts.append(part + ")")
    if parts:
        answer.say(result, f"{lead}: {', '.join(parts)}.", **refs)


def _coverage(answer: Answer, result: Result, what: str) -> None:
    answer.say(
        result, f"The {what} in {{empirical}} of held-out cases ({{n}} in all), where {{nominal}} "
        "was asked for.",
        nominal=ref("/coverage/nominal", "nominal coverage", "percent"),
        empirical=ref("/coverage/empirical", "measured coverage", "percent"),
        n=ref("/coverage/n", "cases the coverage was measured on"),
    )  # fmt: skip


def _forecast(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    channels = ", ".join(f"`{c}`" for c in result.content.get("channels") or [])
    label = result.content.get("label")
    answer.say(
        result, f"Forecast of {channels} for the next **{{horizon}}**"
        + (f" of {label}" if label else "") + ", by `{head}`:",
        horizon=ref("/horizon_s", "horizon", "unit"), head=ref("/head", "head"),
    )  # fmt: skip
    for i, row in enumerate((result.content.get("forecasts") or [])[:_SHOWN_FORECASTS]):
        name = f"{row['channel']} in {row['session_id']}"
        answer.say(
            result,
            f"- `{row['channel']}` in `{row['session_id']}`, {{start}} to {{end}}: mean {{mean}}, "
            "interval {lower} to {upper}",
            start=ref(f"/forecasts/{i}/start_s", f"start of the forecast of {name}", "unit"),
            end=ref(f"/forecasts/{i}/end_s", f"end of the forecast of {name}", "unit"),
            mean=ref(f"/forecasts/{i}/mean", f"forecast mean of {name}", "unit"),
            lower=ref(f"/forecasts/{i}/lower", f"lower end for {name}", "unit"),
            upper=ref(f"/forecasts/{i}/upper", f"upper end for {name}", "unit"),
        )  # fmt: skip
    _metrics(answer, result, "On held-out futures")
    verdict = result.content.get("beats_baseline")
    if verdict is not None:
        answer.note(
            "The head beats the seasonal naive baseline." if verdict
            else "The head does not clearly beat the seasonal naive baseline."
        )  # fmt: skip
    _coverage(answer, result, "intervals hold the true value")


def _retrieved(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    if result.content.get("ranking"):
        _ranked(answer, result)
        return
    answer.say(
        result, "Most like `{session}` from {start} to {end}:",
        session=ref("/query/session_id", "session searched from"),
        start=ref("/query/start_s", "start of the query", "unit"),
        end=ref("/query/end_s", "end of the query", "unit"),
    )  # fmt: skip
    for i, row in enumerate(result.content.get("neighbours") or []):
        label = f" ({row['label']})" if row.get("label") else ""
        answer.say(
            result, f"- `{row['session_id']}` from {{start}} to {{end}}{label}, distance {{d}}",
            start=ref(f"/neighbours/{i}/start_s", f"start in {row['session_id']}", "unit"),
            end=ref(f"/neighbours/{i}/end_s", f"end in {row['session_id']}", "unit"),
            d=ref(f"/neighbours/{i}/distance", f"distance to {row['session_id']}"),
        )  # fmt: skip


def _ranked(answer: Answer, result: Result) -> None:
    label = result.args.get("target_label") or result.content.get("target_label")
    what = f"{label} of the" if label else "of the"
    answer.say(
        result, f"The {what} session **`{{most}}`** is least like the others (distance {{d}}).",
        most=ref("/most_unlike/session_id", "session least like the others"),
        d=ref("/most_unlike/distance", "its distance from the others"),
    )  # fmt: skip
    answer.say(
        result, "The most typical one is `{typical}` (distance {d}).",
        typical=ref("/most_typical/session_id", "most typical session"),
        d=ref("/most_typical/distance", "distance of the most typical one"),
    )  # fmt: skip
    for i, row in enumerate(result.content["ranking"][1:_SHOWN], 1):
        answer.say(
            result, f"- then `{row['session_id']}`, distance {{d}}",
            d=ref(f"/ranking/{i}/distance", f"distance of {row['session_id']}"),
        )  # fmt: skip


def _anomalies(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    session = result.content.get("query_session") or "the held-out sessions"
    count = result.content.get("n_unusual")
    if count == 0:
        answer.note(f"Nothing unusual was found in `{session}`: no stretch is over the threshold.")
    else:
        answer.say(
            result, f"**{{n}}** stretch(es) of `{session}` are unusual.",
            n=ref("/n_unusual", f"unusual stretches of {session}"),
        )  # fmt: skip
    strangest = result.content.get("most_unusual") or {}
    where = f" of `{strangest['session_id']}`" if strangest.get("session_id") else ""
    answer.say(
        result, f"The strangest stretch{where} is from {{start}} to {{end}}, with score {{score}}.",
        start=ref("/most_unusual/start_s", "start of the strangest stretch", "unit"),
        end=ref("/most_unusual/end_s", "end of the strangest stretch", "unit"),
        score=ref("/most_unusual/score", "score of the strangest stretch"),
    )  # fmt: skip
    answer.say(
        result,
        "Its p-value is {p}.",
        p=ref("/most_unusual/p_value", "p-value of the strangest stretch"),
    )
    answer.say(result, "The threshold is {t}.", t=ref("/threshold", "threshold"))


def tell_compared(answer: Answer, result: Result, query: Query) -> None:
    """Tell which head is best, and whether clearly."""
    rows = result.content.get("rows") or []
    shots = result.args.get("labels_per_class")
    if shots is not None:
        answer.say(
            result, "With {k} labels a class:", k=ref("/args/labels_per_class", "labels a class")
        )
    for i, row in enumerate(rows):
        _head_row(answer, result, i, row)
    answer.say(
        result,
        "Chance alone would reach {c}.",
        c=ref("/chance/accuracy", "accuracy by chance", "percent"),
    )
    if result.content.get("best"):
        answer.say(result, "Best here: **{best}**.", best=ref("/best", "best head"))
    _difference(answer, result)
    if any(ask.kind == "fewlabels" and "apart" in ask.topic for ask in query.asks):
        _verdict(answer, result)


def _head_row(answer: Answer, result: Result, index: int, row: dict[str, Any]) -> None:
    measure = next((m for m in _METRICS if isinstance(row.get(m), dict)), None)
    if measure is None:
        return
    style = "percent" if measure in _SHARES else "unit"
    what, base = f"{_METRICS[measure]} of {row['head']}", f"/rows/{index}/{measure}"
    answer.say(
        result, f"- `{row['head']}`: {_METRICS[measure]} **{{value}}** ({{lower}} to {{upper}})",
        value=ref(f"{base}/value", what, style),
        lower=ref(f"{base}/lower", f"{what}, lower end", style),
        upper=ref(f"{base}/upper", f"{what}, upper end", style),
    )  # fmt: skip


def _difference(answer: Answer, result: Result) -> None:
    found = result.content.get("difference") or {}
    if not found or found.get("value") is None:
        return
    clear = "clear" if found.get("clear") else "not clear: its interval holds zero"
    answer.say(
        result, f"The difference between `{found.get('a')}` and `{found.get('b')}` is {{value}} "
        f"({{lower}} to {{upper}}), which is {clear}.",
        value=ref("/difference/value", "difference of the two best heads"),
        lower=ref("/difference/lower", "difference, lower end"),
        upper=ref("/difference/upper", "difference, upper end"),
    )  # fmt: skip


def _verdict(answer: Answer, result: Result) -> None:
    """Say whether the activities can be told apart: the best head's lower end against chance."""
    best = result.content.get("best")
    rows: list[dict[str, Any]] = result.content.get("rows") or []
    low = next((r["accuracy"].get("lower") for r in rows if r.get("head") == best), None)
    chance = result.look("/chance/accuracy")
    if low is None or chance is None:
        return
    answer.lines.insert(
        0,
        "**Yes**, clearly better than chance." if low > chance
        else "**Not clearly**: the interval reaches down to chance.",
    )  # fmt: skip


_RUNS: dict[str, Callable[[Answer, Result, Query], None]] = {
    "classify": _classified,
    "forecast": _forecast,
    "retrieve": _retrieved,
    "anomaly": _anomalies,
}
