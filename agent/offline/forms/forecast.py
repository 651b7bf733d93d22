"""Forecasts: what comes next, how sure it is, whether a level is reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tool_use_om.agent.offline.forms.form import Form, tell_zone
from tool_use_om.agent.offline.forms.trust import verdict_on
from tool_use_om.agent.offline.language.measures import in_unit
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Ref, Result, braces, named, ref


def _plan_forecast(p: Planner, ask: Ask) -> None:
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
            period=ask.ahead or None,
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


_SHOWN, _SHOWN_EVENTS = 3, 5
_FEW = 20  # sessions on which a measured share is uncertain


_NOMINAL = "share of true values that the intervals should hold"


_MEASURES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "mae": "mean absolute error",
    "mase": "scaled error (MASE)",
    "crps": "interval error (CRPS)",
}


def _tell_forecast(answer: Answer, result: Result, query: Query) -> None:
    rows: list[dict[str, Any]] = result.content.get("forecasts") or []
    channels = _short([str(c) for c in result.content.get("channels") or []])
    label = result.content.get("label")
    found = any("n_sessions_found" in r.content for r in answer.results)
    whose = "of each" if found else f"of {named(label)}" if label else ""
    if not tell_event(answer, result, query) and not _one_forecast(answer, result, query):
        answer.head(
            result, f"the next {{horizon}} {whose}{_from_to(rows)} are forecast for {channels} "
            "with {nominal} intervals".replace("  ", " "),
            horizon=ref("/horizon_s", "length of the forecast", "unit"),
            nominal=ref("/coverage/nominal", _NOMINAL, "percent"),
            **_dates(rows),
        )  # fmt: skip
    answer.section("Forecast")
    _forecast_rows(answer, result, rows)
    _forecast_steps(answer, result)
    tell_zone(answer, result, "/zone")
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
    series = bool(result.look("/judged_on/of_one_series"))
    only = "only " if sessions and sessions < _FEW else ""
    few = f", measured on {only}{{n}} sessions" if sessions and not series else ""
    if series:
        few = ", measured on {n} windows of its last, held-out part"
    verdict = verdict_on(result, sets=False)
    answer.say(
        result, f"The intervals hold {{empirical}} of the true values{verdict}{few}.",
        empirical=ref("/coverage/empirical", "measured share of true values inside", "percent"),
        **({"n": ref("/judged_on/n_windows", "held-out windows forecast to measure this")
            if series else
            ref("/judged_on/n_sessions", "held-out sessions forecast to measure this")}
           if few else {}),
    )  # fmt: skip


_ENDS = frozenset({"low", "high", "nominal"})


def _one_forecast(answer: Answer, result: Result, query: Query) -> bool:
    """Tell a forecast of one channel of one session by its value; say whether that was possible."""
    rows: list[dict[str, Any]] = result.content.get("forecasts") or []
    if len(rows) != 1 or result.content.get("label"):
        return False
    summed = any(a.statistic == "sum" for a in query.asks if a.kind == "forecast")
    adds_up = summed and isinstance(rows[0].get("total"), dict)
    one = len(result.content.get("steps") or []) == 1
    when = _from_to(rows)
    refs = {
        "channel": ref("/forecasts/0/channel", "channel forecast"),
        "mean": ref("/forecasts/0/mean", "forecast, mean over its time", "unit"),
        "total": ref("/forecasts/0/total/value", "forecast, its steps together", "unit"),
        "low": ref("/forecasts/0/lower", "interval of single values, lower end", "unit"),
        "high": ref("/forecasts/0/upper", "interval of single values, upper end", "unit"),
        "nominal": ref("/coverage/nominal", _NOMINAL, "percent"),
        "horizon": ref("/told_s", "length of what is forecast", "unit"),
        **_dates(rows),
    }
    lead = "at {mean}" if one else "at {mean} on average over {horizon}"
    text = f"`{{channel}}` is forecast {lead}{when}"
    if adds_up:
        step = "" if one else ", {mean} a step on average"
        text = f"`{{channel}}` is forecast to add up to {{total}} over {{horizon}}{when}{step}"
    used = {k: v for k, v in refs.items() if f"{{{k}}}" in text or k in _ENDS}
    values = "" if one else " for single values"
    return answer.head(
        result, f"{text}; the {{nominal}} interval{values} is {{low}} to {{high}}", **used
    )


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


def _from_to(rows: Sequence[dict[str, Any]]) -> str:
    """Return the words for from when to when all rows are, where they have dates."""
    dates = {(r.get("start_date"), r.get("end_date")) for r in rows}
    if len(dates) != 1 or None in next(iter(dates)):
        return ""
    return " ({from_date})" if len(set(next(iter(dates)))) == 1 else " ({from_date} to {to_date})"


def _dates(rows: Sequence[dict[str, Any]]) -> dict[str, Ref]:
    words = _from_to(rows)
    named = {"from_date": ("start_date", "first"), "to_date": ("end_date", "last")}
    return {
        key: ref(f"/forecasts/0/{at}", f"{which} date of the forecast")
        for key, (at, which) in named.items()
        if f"{{{key}}}" in words
    }


def _forecast_steps(answer: Answer, result: Result) -> None:
    """Tell a forecast on the calendar step by step."""
    rows: list[dict[str, Any]] = result.content.get("steps") or []
    if not rows:
        return
    answer.section("Step by step")
    told = []
    for i, row in enumerate(rows):
        date, at = row["date"], f"/steps/{i}"
        cells: tuple[Cell, ...] = (
            ref(f"{at}/date", "date of a step of the forecast"),
            ref(f"{at}/median", f"forecast for {date}", "unit"),
            _ends(at, f"interval for {date}", "unit"),
        )
        told.append((result, cells))
    answer.table(("date", "forecast", "interval"), told)


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
    where = "parts" if result.look("/judged_on/of_one_series") else "sessions"
    answer.table((f"on held-out {where}", "this forecast", "interval", "seasonal_naive"), rows)


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


_STAYS = {True: "stays below", False: "stays above"}  # a level asked about from above, below


def tell_event(answer: Answer, result: Result, query: Query) -> bool:
    """Tell how likely a level is reached, and how well such chances were known before."""
    event = result.content.get("event")
    if not event:
        return False
    above = event["direction"] == "above"
    channel = f"`{braces(str(event['channel']))}`"
    many = (result.look("/n_forecasts") or 1) > 1
    stays = any("stay" in ask.topic.split() for ask in query.asks)
    verb = _STAYS[above] if stays else "rises above" if above else "falls below"
    chance = ref("/event/probability", "chance that the level is reached", "percent")
    if stays:
        chance = ref("/event/probability_not", "chance that the level is not reached", "percent")
    which = _which(result) if many else ""
    when = "for the next" if stays else "within the next"
    answer.head(
        result, f"the chance that {channel} {verb} {{level}} {when} {{horizon}} is {{chance}}"
        + (f", averaged over {which} held-out sessions" if many else ""),
        level=ref("/event/threshold", "level asked about", "unit"),
        horizon=ref("/event/horizon_s", "time within which it may come", "unit"),
        chance=chance,
        **({"n": ref("/n_forecasts", "stretches forecast from")} if many else {}),
        **({"m": ref("/judged_on/n_sessions", "held-out sessions")} if "{m}" in which else {}),
    )  # fmt: skip
    if stays:
        answer.say(
            result, "The chance that it reaches the level at least once is {chance}; both together "
            "are the whole.",
            chance=ref("/event/probability", "chance that the level is reached", "percent"),
        )  # fmt: skip
    rows: list[dict[str, Any]] = result.content.get("forecasts") or []
    told: list[tuple[Result, tuple[Cell, ...]]] = [
        (
            result,
            (
                f"`{row['session_id']}`",
                ref(f"/forecasts/{i}/probability", f"chance in {row['session_id']}", "percent"),
            ),
        )
        for i, row in enumerate(rows[:_SHOWN_EVENTS])
        if row.get("probability") is not None
    ]
    all_told = (result.look("/n_forecasts") or 0) <= len(told)
    answer.section("Chance by session" + ("" if all_told else ", the first of them"))
    answer.table(("session", "chance to reach it"), told if many else [])
    answer.section("How good are such chances")
    answer.say(
        result, "In held-out windows the level was reached in {base} of cases. The Brier score "
        "there is {brier} ({lower} to {upper}), where zero is perfect; always saying how often it "
        "was reached in the calibration windows scores {plain}.",
        base=ref("/event/base_rate", "share of cases in which it came", "percent"),
        brier=ref("/event/brier/value", "Brier score of the chances"),
        lower=ref("/event/brier/lower", "Brier score, lower end"),
        upper=ref("/event/brier/upper", "Brier score, upper end"),
        plain=ref("/event/brier_of_base_rate", "Brier score of the base rate"),
    )  # fmt: skip
    return True


def _which(result: Result) -> str:
    """Return which sessions were forecast: the tool goes on from the first of many."""
    fewer = (result.look("/n_forecasts") or 0) < (result.look("/judged_on/n_sessions") or 0)
    return "the first {n} of {m}" if fewer else "{n}"


FORM = Form(
    plans={"forecast": _plan_forecast},
    runs={"forecast": _tell_forecast},
)
