"""run_task for task "forecast": judged on held-out futures, then run past the sessions' ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import NotFoundError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.content import Span
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.places import read
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.look.clock import told_zone
from tool_use_om.tools.look.selection import (
    Segment,
    open_current,
    select,
    with_filters,
)
from tool_use_om.tools.run.drift import drift_notes
from tool_use_om.tools.run.finish import finish_run, segment_of
from tool_use_om.tools.run.forecast.backtest import Backtest, backtest
from tool_use_om.tools.run.forecast.event import threshold_event
from tool_use_om.tools.run.forecast.figures import backtest_figure, forecast_figure
from tool_use_om.tools.run.forecast.found import (
    ForecastDifference,
    Forecasted,
    ForecastErrors,
    ForecastRow,
    ForecastStep,
    Total,
)
from tool_use_om.tools.run.forecast.scores import compared, window_errors, window_groups
from tool_use_om.tools.run.forecast.windows import (
    Request,
    last_windows,
    measured_end,
)
from tool_use_om.tools.run.gate import gate_notes
from tool_use_om.tools.run.measures import Coverage, JudgedOn

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.trust.conformal import IntervalForecast

MEANING = (
    "mean, min, max: of the median forecast over the horizon; lower, upper: mean ends of the "
    "intervals for single values"
)
MAX_STEPS = 36  # told one by one, with their dates
MAX_FORECASTS = 64  # stretches continued in one run; of more, evenly spaced ones
SHOWN_SESSIONS = 3


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
        coverage = test.conformal.measure(test.held_out, test.request.horizon_s)
        event, chances = threshold_event(test, ends, args, ctx.seed)
    rows = _rows(ahead, dataset, test.request, chances)
    metrics, difference, beats = scores
    return finish_run(
        ctx,
        working_set,
        args,
        test.plan,
        content=Forecasted(
            head=test.own,
            answered_by=test.head.name,
            horizon_s=test.request.horizon_s,
            told_s=test.request.horizon_s - test.request.from_s,
            period=args.period,
            context_s=test.plan.config.window_s,
            channels=list(test.request.channels),
            label=test.request.label,
            judged_on=_judged_on(test),
            metrics=metrics,
            beats_baseline=beats,
            difference=difference,
            coverage=Coverage.of(coverage),
            event=event,
            n_forecasts=len(ends),
            forecasts_from=origin,
            forecasts=rows[: SHOWN_SESSIONS * len(test.request.channels)],
            steps=_steps(ahead, dataset, test.request),
            zone=told_zone(dataset.manifest.calendar).get("zone") if rows[0].start_date else None,
            gate=test.gate,
            vote=test.vote,
            drift=test.drift,
            notes=[
                n
                for n in (
                    *test.plan.notes,
                    *_missing_ends(segments, test),
                    test.conformal.note,
                    *_warnings(test),
                )
                if n
            ],
        ),
        detail={
            "meaning": MEANING,
            "forecasts": [row.to_json() for row in rows],
            "series": _series(ahead),
        },
        clock=clock,
        figures={
            "forecast": forecast_figure(dataset, ends, ahead),
            "backtest": backtest_figure(dataset, test.held_out, checked),
        },
    )


def _warnings(test: Backtest) -> list[str]:
    told = [str(test.vote.why or test.vote.why_not)] if test.vote else []
    return [*gate_notes(test.gate), *told, *drift_notes(test.drift)]


def _judged(test: Backtest, seed: int) -> tuple[ForecastErrors, ForecastDifference, bool]:
    """The head's errors beside the baseline's on held-out futures, and whether they are smaller."""
    horizon_s = test.request.horizon_s
    return compared(
        window_errors(test.head.predict(test.held_out, horizon_s), test.held_out),
        window_errors(test.naive.predict(test.held_out, horizon_s), test.held_out),
        window_groups(test.held_out)[0],
        seed,
    )


def _judged_on(test: Backtest) -> JudgedOn:
    return JudgedOn(
        split="test",
        n_sessions=len(set(test.held_out.windows.session_ids)),
        n_windows=len(test.held_out),
        of_one_series=test.plan.dataset.manifest.by_time,
    )


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
        return evenly(found), f"stretches found by {working_set.last_result_id}"
    narrowed = with_filters(dataset, working_set, a.SessionFilters(sessions=args.sessions))
    if test.request.label is not None:
        narrowed = narrowed.but(labels=(test.request.label,))
    by_time = dataset.manifest.by_time  # a session cut into blocks is continued past its end
    if narrowed.sessions is None and narrowed.split is None and not by_time:
        narrowed = narrowed.but(split="test")
    segments = list(select(dataset, narrowed).segments)
    told = f"{MAX_FORECASTS} of {len(segments)} " if len(segments) > MAX_FORECASTS else ""
    return evenly(segments), f"{told}selected stretches"


def evenly(segments: list[Segment], most: int = MAX_FORECASTS) -> list[Segment]:
    """Return all stretches, or so many evenly spaced ones of them, the first and last among them.

    The first few alone would be those of the first subjects or labels.
    """
    if len(segments) <= most:
        return segments
    last = len(segments) - 1
    return [segments[round(i * last / (most - 1))] for i in range(most)]


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
    rows = [segment_of(read(Span, row)) for row in data["detail"]["segments"]]
    return [replace(row, label=label) for row in rows]


def _told_steps(ahead: IntervalForecast, i: int, dataset: DataSet, request: Request) -> np.ndarray:
    """Return the steps (k,) of a stretch's forecast that are told: those from `from_s` on."""
    import numpy as np

    if not request.from_s:
        return np.arange(len(ahead.time_s))
    begin = dataset.duration_of(ahead.session_ids[i]) + request.from_s
    time_s = ahead.start_s[i] + ahead.time_s - ahead.time_s[0]
    step = float(np.diff(ahead.time_s).min(initial=np.inf))
    told = np.flatnonzero(time_s >= begin - 0.5 * min(step, 1e9))
    return told if told.size else np.array([len(time_s) - 1])


def _rows(
    ahead: IntervalForecast, dataset: DataSet, request: Request, chances: np.ndarray | None
) -> list[ForecastRow]:
    """One row a stretch and channel, in the order of the stretches.

    Parameters
    ----------
    chances : (stretches,) that the one channel reaches a level
    """
    rows: list[ForecastRow] = []
    for i, session_id in enumerate(ahead.session_ids):
        told = _told_steps(ahead, i, dataset, request)
        start = float(ahead.start_s[i] + ahead.time_s[told[0]] - ahead.time_s[0])
        last = float(ahead.start_s[i] + ahead.time_s[-1] - ahead.time_s[0])
        median = ahead.median[:, :, told]
        dates = dataset.date_texts(session_id, [start, last])
        for j, channel in enumerate(ahead.channels):
            rows.append(
                ForecastRow(
                    session_id=session_id,
                    channel=channel,
                    unit=ahead.units[j],
                    start_s=start,
                    end_s=float(ahead.start_s[i] + ahead.time_s[-1]),
                    start_date=dates[0] if dates else None,
                    end_date=dates[1] if dates else None,
                    mean=float(median[i, j].mean()),
                    min=float(median[i, j].min()),
                    max=float(median[i, j].max()),
                    lower=float(ahead.lower[i, j, told].mean()),
                    upper=float(ahead.upper[i, j, told].mean()),
                    total=_total(float(median[i, j].sum()), ahead.units[j], ahead.time_s),
                    probability=None if chances is None else float(chances[len(rows)]),
                )
            )
    return rows


def _total(total: float, unit: str, time_s: np.ndarray) -> Total:
    """Return the sum over the steps, of power the energy: each step lasts one period."""
    kilowatts = {"kW": 1.0, "W": 1e-3}.get(unit)
    if kilowatts is None or len(time_s) < 2:
        return Total(value=total, unit=unit)
    return Total(value=total * kilowatts * float(time_s[1] - time_s[0]) / 3600.0, unit="kWh")


def _steps(ahead: IntervalForecast, dataset: DataSet, request: Request) -> list[ForecastStep]:
    """Return the first stretch's forecast step by step, where one channel has dates to tell."""
    told = _told_steps(ahead, 0, dataset, request)
    if len(ahead.channels) != 1 or len(told) > MAX_STEPS:
        return []
    time_s = ahead.start_s[0] + ahead.time_s[told] - ahead.time_s[0]
    dates = dataset.date_texts(ahead.session_ids[0], time_s)
    if dates is None:
        return []
    return [
        ForecastStep(
            date=date,
            median=float(ahead.median[0, 0, k]),
            lower=float(ahead.lower[0, 0, k]),
            upper=float(ahead.upper[0, 0, k]),
            unit=ahead.units[0],
        )
        for k, date in zip(told.tolist(), dates, strict=True)
    ]


def _missing_ends(segments: Sequence[Segment], test: Backtest) -> list[str]:
    """Name the sessions whose values end early, where their forecast starts."""
    found = [(s, measured_end(test.plan, s, test.request)) for s in segments]
    early = [f"{s.session_id} at {end.end_s:g} s" for s, end in found if end.end_s < s.end_s]
    if not early:
        return []
    shown = ", ".join(early[:5]) + (f" and {len(early) - 5} more" if len(early) > 5 else "")
    return [f"Values are missing at the end: the forecast starts where they end, {shown}."]


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
