"""run_task for task "forecast": judged on held-out futures, then run past the sessions' ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.names import resolve_name
from tool_use_om.tools.call.outcome import coverage_json, finish_run
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Plan, Stopwatch, plan_encoding, without_filters
from tool_use_om.tools.look.selection import (
    Segment,
    channels_of,
    label_names,
    open_current,
    select,
    with_filters,
)
from tool_use_om.tools.run.classify.gate import gate_notes
from tool_use_om.tools.run.drift import drift_json, drift_notes
from tool_use_om.tools.run.forecast.event import threshold_event
from tool_use_om.tools.run.forecast.figures import backtest_figure, forecast_figure
from tool_use_om.tools.run.forecast.gate import gated
from tool_use_om.tools.run.forecast.scores import compared, window_errors, window_sessions
from tool_use_om.tools.run.forecast.windows import (
    Request,
    fit_window,
    known_future,
    last_windows,
    split_segments,
    with_whole_future,
)

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.forecast.base import ForecastBatch, ForecastHead
    from tool_use_om.heads.trust.conformal import ConformalForecaster, IntervalForecast

DEFAULT_HEAD = "direct"
BASELINE = "seasonal_naive"
MEANING = (
    "mean, min, max: of the median forecast over the horizon; lower, upper: mean ends of the "
    "intervals for single values"
)
MAX_FORECASTS = 24  # stretches continued in one run
SHOWN_SESSIONS = 3


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The windows of the three splits with their futures, the same for every head."""

    plan: Plan
    request: Request
    train: ForecastBatch
    calibration: ForecastBatch
    held_out: ForecastBatch


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """A forecaster fitted and calibrated, and the held-out windows it is judged on."""

    plan: Plan
    request: Request
    head: ForecastHead
    naive: ForecastHead
    conformal: ConformalForecaster
    calibration: ForecastBatch
    held_out: ForecastBatch
    own: str
    gate: dict[str, Any] | None
    drift: dict[str, Any]


def run_forecast(ctx: ToolContext, working_set: WorkingSet, args: a.RunTask) -> ToolOutcome:
    """Forecast the asked channels past the end of the selected stretches, with measured error."""
    dataset = open_current(ctx, working_set)
    clock = Stopwatch()
    test = backtest(ctx, working_set, args, clock)
    segments, origin = _to_continue(ctx, dataset, working_set, args, test)
    with clock.lap("encode_s"):
        ends = last_windows(ctx, test.plan, segments, test.request)
    with clock.lap("predict_s"):
        ahead = test.conformal.predict(ends, test.request.horizon_s)
        checked = test.conformal.predict(test.held_out, test.request.horizon_s)
        scores = _judged(test, ctx.seed)
        event, chances = threshold_event(test, ends, args, ctx.seed)
    rows = [
        {**row, **({} if chances is None else {"probability": float(chances[i])})}
        for i, row in enumerate(_rows(ahead))
    ]
    return finish_run(
        ctx,
        working_set,
        args,
        test.plan,
        content={
            **_about(test),
            **scores,
            **({} if event is None else {"event": event}),
            "n_forecasts": len(ends),
            "forecasts_from": origin,
            "forecasts": rows[: SHOWN_SESSIONS * len(test.request.channels)],
            "gate": test.gate,
            "drift": test.drift,
            "notes": [n for n in (*test.plan.notes, test.conformal.note, *_warnings(test)) if n],
        },
        detail={
            "meaning": MEANING,
            "forecasts": rows,
            "series": _series(ahead),
        },
        clock=clock,
        files={
            "forecast.png": forecast_figure(ends, ahead),
            "backtest.png": backtest_figure(test.held_out, checked),
        },
    )


def _warnings(test: Backtest) -> list[str]:
    return [*gate_notes(test.gate), *drift_notes(test.drift)]


def _judged(test: Backtest, seed: int) -> dict[str, Any]:
    """The head's errors beside the baseline's, and its intervals' coverage, on held-out futures."""
    horizon_s = test.request.horizon_s
    scores = compared(
        window_errors(test.head.predict(test.held_out, horizon_s), test.held_out),
        window_errors(test.naive.predict(test.held_out, horizon_s), test.held_out),
        window_sessions(test.held_out),
        seed,
    )
    return {**scores, "coverage": coverage_json(test.conformal.measure(test.held_out, horizon_s))}


def _about(test: Backtest) -> dict[str, Any]:
    """What was forecast, how, and on what it was judged."""
    return {
        "task": "forecast",
        "head": test.own,
        "answered_by": test.head.name,
        "horizon_s": test.request.horizon_s,
        "context_s": test.plan.settings.window_s,
        "channels": list(test.request.channels),
        "label": test.request.label,
        "judged_on": {
            "split": "test",
            "n_sessions": len(set(test.held_out.windows.session_ids)),
            "n_windows": len(test.held_out),
        },
    }


def prepare(
    ctx: ToolContext, working_set: WorkingSet, args: a.RunTask, clock: Stopwatch
) -> Prepared:
    """Choose context and stride, cut and encode the three splits with their known futures."""
    dataset = open_current(ctx, working_set)
    request = _request(dataset, working_set, args)
    plan = own_rate_plan(ctx, working_set, request.channels)
    if not request.horizon_s:
        request = replace(request, horizon_s=plan.settings.window_s)
    stretches = {
        split: split_segments(plan, working_set, split, request.label)
        for split in ("train", "calibration", "test")
    }
    plan = fit_window(plan, stretches["train"], request.horizon_s)
    with clock.lap("encode_s"):
        batches = {k: known_future(ctx, plan, found, request) for k, found in stretches.items()}
    return Prepared(
        plan=plan,
        request=request,
        train=batches["train"],
        calibration=batches["calibration"],
        held_out=with_whole_future(batches["test"], request),
    )


def own_rate_plan(ctx: ToolContext, working_set: WorkingSet, channels: Sequence[str]) -> Plan:
    """Return what to encode so that the forecast channels stay at their own rate.

    Bringing a channel to another rate filters over samples on both sides, so that a context would
    hold some of the future that the forecast is judged on.

    Raises
    ------
    DataError : channels of different rates
    """
    chosen = without_filters(working_set)
    plan = plan_encoding(ctx, chosen, channels)
    rates = {c: plan.dataset.manifest.rate_of(c) for c in channels}
    if len(set(rates.values())) > 1:
        listed = ", ".join(f"{c} at {rate:g} Hz" for c, rate in rates.items())
        raise DataError(f"Forecast channels of one rate at a time; got {listed}. Name fewer.")
    (rate,) = set(rates.values())
    if plan.rate_hz == rate:
        return plan
    alone = plan_encoding(
        ctx, chosen.but(encoding_channels=tuple(channels), tokenizer_config=None), channels
    )
    note = f"Encoded alone, at their own {rate:g} Hz: {', '.join(channels)}."
    return replace(alone, notes=(note, *alone.notes))


def fit_forecaster(name: str, params: dict[str, Any], data: Prepared) -> ForecastHead:
    """Fit one forecast head on the training split."""
    from tool_use_om.heads.forecast.base import ForecastHead
    from tool_use_om.heads.registry import make_head

    head = make_head(name, **params)
    if not isinstance(head, ForecastHead):
        raise DataError(f"The head {name!r} does not forecast. Call select_task_head.")
    return head.fit(data.train, channels=data.request.channels)


def backtest(
    ctx: ToolContext, working_set: WorkingSet, args: a.RunTask, clock: Stopwatch
) -> Backtest:
    """Fit on train and calibrate on calibration; the test windows are kept for judging."""
    from tool_use_om.heads.trust.conformal import ConformalForecaster

    data = prepare(ctx, working_set, args, clock)
    with clock.lap("fit_s"):
        head = fit_forecaster(working_set.head or DEFAULT_HEAD, working_set.head_params, data)
        naive = head if head.name == BASELINE else fit_forecaster(BASELINE, {}, data)
    own, gate = head.name, None
    if args.allow_raw:
        head, gate = _gated(ctx, working_set, data, head, clock)
    with clock.lap("fit_s"):
        conformal = ConformalForecaster(head, coverage=args.coverage).calibrate(data.calibration)
    return Backtest(
        plan=data.plan,
        request=data.request,
        head=head,
        naive=naive,
        conformal=conformal,
        calibration=data.calibration,
        held_out=data.held_out,
        own=own,
        gate=gate,
        drift=drift_json(
            data.calibration.tokens,
            data.held_out.tokens,
            between=("calibration", "test"),
            seed=ctx.seed,
        ),
    )


def _gated(
    ctx: ToolContext,
    working_set: WorkingSet,
    data: Prepared,
    head: ForecastHead,
    clock: Stopwatch,
) -> tuple[ForecastHead, dict[str, Any]]:
    """Compare the head with raw-space fallbacks on folds of the training windows."""

    def refit(train: ForecastBatch) -> ForecastHead:
        name = working_set.head or DEFAULT_HEAD
        return fit_forecaster(name, working_set.head_params, replace(data, train=train))

    batches = (data.train, data.held_out)
    return gated(head, batches, data.request.horizon_s, refit, clock, seed=ctx.seed)


def _request(dataset: DataSet, working_set: WorkingSet, args: a.RunTask) -> Request:
    label = args.target_label or next(iter(working_set.labels), None)
    if label is not None:
        label = resolve_name("label", label, label_names(dataset))
    channels = channels_of(dataset, args.target_channels or working_set.channels)
    return Request(channels=channels, horizon_s=args.horizon_s or 0.0, label=label)


def _to_continue(
    ctx: ToolContext,
    dataset: DataSet,
    working_set: WorkingSet,
    args: a.RunTask,
    test: Backtest,
) -> tuple[list[Segment], str]:
    """Return the stretches to forecast from and where they come from, in words.

    In order: the stretches the last classification found for the same label; else the selected
    ones with that label; of these the held-out ones unless sessions are named.
    """
    found = None if args.sessions else _last_found(ctx, working_set, test.request.label)
    if found:
        return found[:MAX_FORECASTS], f"stretches found by {working_set.last_result_id}"
    narrowed = with_filters(dataset, working_set, a.SessionFilters(sessions=args.sessions))
    if test.request.label is not None:
        narrowed = narrowed.but(labels=(test.request.label,))
    if narrowed.sessions is None and narrowed.split is None:
        narrowed = narrowed.but(split="test")
    segments = list(select(dataset, narrowed).segments)
    return segments[:MAX_FORECASTS], "selected stretches"


def _last_found(
    ctx: ToolContext, working_set: WorkingSet, label: str | None
) -> list[Segment] | None:
    """The stretches of the last result, if it is a classification that sought this label."""
    if working_set.last_result_id is None or label is None:
        return None
    try:
        data = ctx.results.get(working_set.last_result_id).data
    except NotFoundError:
        return None
    if data.get("task") != "classify" or data.get("target_label") != label:
        return None
    rows = data["detail"]["segments"]
    return [
        Segment(session_id=r["session_id"], start_s=r["start_s"], end_s=r["end_s"], label=label)
        for r in rows
    ]


def _rows(ahead: IntervalForecast) -> list[dict[str, Any]]:
    """One row a stretch and channel, in the order of the stretches."""
    median = ahead.median
    rows = []
    for i, session_id in enumerate(ahead.session_ids):
        start = float(ahead.start_s[i])
        for j, channel in enumerate(ahead.channels):
            rows.append(
                {
                    "session_id": session_id,
                    "channel": channel,
                    "unit": ahead.units[j],
                    "start_s": start,
                    "end_s": start + float(ahead.time_s[-1]),
                    "mean": float(median[i, j].mean()),
                    "min": float(median[i, j].min()),
                    "max": float(median[i, j].max()),
                    "lower": float(ahead.lower[i, j].mean()),
                    "upper": float(ahead.upper[i, j].mean()),
                }
            )
    return rows


def _series(ahead: IntervalForecast) -> list[dict[str, Any]]:
    median = ahead.median
    pairs: Sequence[tuple[int, int]] = [
        (i, j) for i in range(len(ahead.session_ids)) for j in range(len(ahead.channels))
    ]
    return [
        {
            "session_id": ahead.session_ids[i],
            "channel": ahead.channels[j],
            "unit": ahead.units[j],
            "time_s": ahead.start_s[i] + ahead.time_s - ahead.time_s[0],
            "median": median[i, j],
            "lower": ahead.lower[i, j],
            "upper": ahead.upper[i, j],
        }
        for i, j in pairs
    ]
