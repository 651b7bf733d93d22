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
from tool_use_om.tools.run.classify.found import Classified
from tool_use_om.tools.run.forecast.found import (
    Forecasted,
    ForecastError,
    ForecastRow,
    ForecastStep,
)


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


def _tell_forecast(answer: Answer, result: Result, query: Query) -> None:
    found = result.found(Forecasted)
    channels = _short([str(c) for c in found.channels])
    continued = any(r.if_found(Classified) for r in answer.results)
    one = {str(row.session_id) for row in found.forecasts} if not continued else set()
    whose = " for each" if continued else f" for {named(found.label)}" if found.label else ""
    if not whose and len(one) == 1 and found.n_forecasts == 1:
        whose = f" for `{braces(one.pop())}`"
    nominal = ref(found.coverage.nominal, _NOMINAL)
    if not tell_event(answer, result, query) and not _one_forecast(answer, result, found, query):
        answer.head(
            result, f"the next {{horizon}} of {channels}{_from_to(found.forecasts)} are forecast"
            f"{whose}, with {{nominal}} intervals",
            horizon=ref(found.horizon_s, "length of the forecast"), nominal=nominal,
            **_dates(found.forecasts),
        )  # fmt: skip
    answer.section("Forecast")
    _forecast_rows(answer, result, found.forecasts, nominal)
    _forecast_steps(answer, result, found.steps)
    tell_zone(answer, result, found.zone)
    answer.section("How sure is the forecast")
    _off_by(answer, result, found)
    _held(answer, result, found)
    answer.section("Errors in detail")
    _forecast_errors(answer, result, found)
    mase = found.metrics.mase
    if mase is not None and (mase.value or 0) > 1:
        answer.note("")
        answer.note(
            "A MASE above one means larger errors than repeating the last value makes over a "
            "single step."
        )


def _off_by(answer: Answer, result: Result, found: Forecasted) -> None:
    """Tell how far off such forecasts are, beside repeating the last cycle."""
    error, what = found.metrics.mae, "by {error} on average"
    if error is None:
        error, what = found.metrics.mase, "by {error} times the error of repeating the last value"
    where = "parts" if found.judged_on.of_one_series else "sessions"
    verdict = ""
    if found.beats_baseline is not None:
        does = "clearly beats" if found.beats_baseline else "does not clearly beat"
        verdict = f", so it {does} that"
    if error is None:
        return
    answer.say(
        result, f"On held-out {where} it is off {what} ({{lower}} to {{upper}}); repeating the "
        f"last cycle (`seasonal_naive`) is off by {{baseline}}{verdict}.",
        error=ref(error.value, "error of the forecast"),
        lower=ref(error.lower, "error of the forecast, lower end"),
        upper=ref(error.upper, "error of the forecast, upper end"),
        baseline=ref(error.baseline, "error of seasonal_naive"),
    )  # fmt: skip


def _held(answer: Answer, result: Result, found: Forecasted) -> None:
    """Tell how many true values the intervals hold, and on how much that was measured."""
    judged = found.judged_on
    only = "only " if judged.n_sessions and judged.n_sessions < _FEW else ""
    few, n = "", ref(judged.n_sessions, "held-out sessions forecast to measure this")
    if judged.of_one_series:
        few = " (measured on {n} windows of its last, held-out part)"
        n = ref(judged.n_windows, "held-out windows forecast to measure this")
    elif judged.n_sessions:
        few = f" (measured on {only}{{n}} sessions)"
    verdict = verdict_on(found.coverage, str(judged.unit or "windows"))
    answer.say(
        result, "The {nominal} intervals contain {empirical} of the true values"
        f"{verdict}{few}.",
        nominal=ref(found.coverage.nominal, _NOMINAL),
        empirical=ref(found.coverage.empirical, "measured share of true values inside"),
        **({"n": n} if few else {}),
    )  # fmt: skip


_ALWAYS = frozenset({"low", "high", "nominal"})


def _one_forecast(answer: Answer, result: Result, found: Forecasted, query: Query) -> bool:
    """Tell a forecast of one channel of one session by its value; say whether that was possible."""
    if len(found.forecasts) != 1 or found.label:
        return False
    (row,) = found.forecasts
    summed = any(a.statistic == "sum" for a in query.asks if a.kind == "forecast")
    adds_up = summed and row.total is not None
    one = len(found.steps) == 1
    when = _from_to(found.forecasts)
    refs = {
        "channel": ref(row.channel, "channel forecast"),
        "mean": ref(row.mean, "forecast, mean over its time"),
        "low": ref(row.lower, "interval of single values, lower end"),
        "high": ref(row.upper, "interval of single values, upper end"),
        "nominal": ref(found.coverage.nominal, _NOMINAL),
        "horizon": ref(found.told_s or found.horizon_s, "length of what is forecast"),
        **_dates(found.forecasts),
    }
    if row.total is not None:
        refs["total"] = ref(row.total.value, "forecast, its steps together")
    lead = "to be {mean}" if one else "to average {mean} over the next {horizon}"
    text = f"`{{channel}}` is forecast {lead}{when}"
    if adds_up:
        step = "" if one else ", {mean} per step on average"
        text = f"`{{channel}}` is forecast to total {{total}} over the next {{horizon}}{when}{step}"
    used = {k: v for k, v in refs.items() if f"{{{k}}}" in text or k in _ALWAYS}
    values = "its {nominal} interval is" if one else "the {nominal} interval of single values is"
    return answer.head(result, f"{text}; {values} {{low}} to {{high}}", **used)


def _forecast_rows(
    answer: Answer, result: Result, rows: Sequence[ForecastRow], nominal: Ref
) -> None:
    """Tell the forecasts of the first session, or some of several with one channel each."""
    first = [row for row in rows if row.session_id == rows[0].session_id]
    one = len(first) >= _SHOWN
    shown = first if one else list(rows[:_SHOWN])
    if len({(row.start_s, row.end_s) for row in shown}) == 1:
        whose = f" for `{rows[0].session_id}`" if one else ""
        answer.say(
            result, f"The mean from {{start}} to {{end}}{whose}, with its {{nominal}} interval:",
            start=ref(rows[0].start_s, "start of the forecast"),
            end=ref(rows[0].end_s, "end of the forecast"), nominal=nominal,
        )  # fmt: skip
    told = []
    for row in shown:
        name = f"{row.channel} in {row.session_id}"
        cells: tuple[Cell, ...] = (
            *(() if one else (f"`{row.session_id}`",)),
            f"`{row.channel}`",
            ref(row.mean, f"forecast of {name}, mean over its time"),
            _ends(row, f"interval of {name}, mean over the forecast"),
        )
        told.append((result, cells))
    session = () if one else ("session",)
    answer.table((*session, "channel", "mean", "interval"), told)


def _from_to(rows: Sequence[ForecastRow]) -> str:
    """Return the words for from when to when all rows are, where they have dates."""
    dates = {(row.start_date, row.end_date) for row in rows}
    if len(dates) != 1 or None in next(iter(dates)):
        return ""
    return " ({from_date})" if len(set(next(iter(dates)))) == 1 else " ({from_date} to {to_date})"


def _dates(rows: Sequence[ForecastRow]) -> dict[str, Ref]:
    words = _from_to(rows)
    if not words:
        return {}
    ends = {
        "from_date": ref(rows[0].start_date, "first date of the forecast"),
        "to_date": ref(rows[0].end_date, "last date of the forecast"),
    }
    return {key: end for key, end in ends.items() if f"{{{key}}}" in words}


def _forecast_steps(answer: Answer, result: Result, rows: Sequence[ForecastStep]) -> None:
    """Tell a forecast on the calendar step by step."""
    if not rows:
        return
    answer.section("Step by step")
    told = []
    for row in rows:
        cells: tuple[Cell, ...] = (
            ref(row.date, "date of a step of the forecast"),
            ref(row.median, f"forecast for {row.date}"),
            _ends(row, f"interval for {row.date}"),
        )
        told.append((result, cells))
    answer.table(("date", "forecast", "interval"), told)


def _forecast_errors(answer: Answer, result: Result, found: Forecasted) -> None:
    measured = {
        "mean absolute error": found.metrics.mae,
        "scaled error (MASE)": found.metrics.mase,
        "interval error (CRPS)": found.metrics.crps,
    }
    rows = []
    for what, error in measured.items():
        if error is None:
            continue
        cells: tuple[Cell, ...] = (
            what,
            ref(error.value, f"{what} of the forecast"),
            _ends(error, f"{what} of the forecast"),
            ref(error.baseline, f"{what} of seasonal_naive"),
        )
        rows.append((result, cells))
    where = "parts" if found.judged_on.of_one_series else "sessions"
    answer.table((f"on held-out {where}", "this forecast", "interval", "seasonal_naive"), rows)


def _ends(row: ForecastRow | ForecastStep | ForecastError, what: str) -> tuple[Ref, Ref]:
    return ref(row.lower, f"{what}, lower end"), ref(row.upper, f"{what}, upper end")


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
    found = result.found(Forecasted)
    event = found.event
    if event is None:
        return False
    above = event.direction == "above"
    many = (found.n_forecasts or 1) > 1
    stays = any("stay" in ask.topic.split() for ask in query.asks)
    verb = _STAYS[above] if stays else "rises above" if above else "falls below"
    reached = ref(event.probability, "chance that the level is reached")
    missed = ref(event.probability_not, "chance that the level is not reached")
    which = _which(found) if many else ""
    when = "for the next" if stays else "within the next"
    answer.head(
        result, f"the chance that `{braces(str(event.channel))}` {verb} {{level}} {when} "
        "{horizon} is {chance}"
        + (f", averaged over {which} held-out sessions" if many else ""),
        level=ref(event.threshold, "level asked about"),
        horizon=ref(event.horizon_s, "time within which it may come"),
        chance=missed if stays else reached,
        **({"n": ref(found.n_forecasts, "stretches forecast from")} if many else {}),
        **({"m": ref(found.judged_on.n_sessions, "held-out sessions")} if "{m}" in which else {}),
    )  # fmt: skip
    if stays:
        answer.say(
            result, "The chance that it reaches the level at least once is {chance}; the two add "
            "up to one.", chance=reached,
        )  # fmt: skip
    told = [
        (result, (f"`{r.session_id}`", ref(r.probability, f"chance in {r.session_id}")))
        for r in found.forecasts[:_SHOWN_EVENTS]
        if r.probability is not None
    ]
    all_told = (found.n_forecasts or 0) <= len(told)
    answer.section("Chance by session" + ("" if all_told else ", the first of them"))
    answer.table(("session", "chance to reach it"), told if many else [])
    answer.section("How sure are such chances")
    answer.say(
        result, "In held-out data the level was reached {base} of the time. The Brier score there "
        "is {brier} ({lower} to {upper}; zero is perfect); always giving the overall rate scores "
        "{plain}.",
        base=ref(event.base_rate, "share of cases in which it came"),
        brier=ref(event.brier.value, "Brier score of the chances"),
        lower=ref(event.brier.lower, "Brier score, lower end"),
        upper=ref(event.brier.upper, "Brier score, upper end"),
        plain=ref(event.brier_of_base_rate, "Brier score of the base rate"),
    )  # fmt: skip
    return True


def _which(found: Forecasted) -> str:
    """Return which sessions were forecast: the tool goes on from the first of many."""
    fewer = (found.n_forecasts or 0) < (found.judged_on.n_sessions or 0)
    return "the first {n} of {m}" if fewer else "{n}"


FORM = Form(
    plans={"forecast": _plan_forecast},
    runs={"forecast": _tell_forecast},
)
