"""A forecast measured on stretches whose next seconds are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.data.units import adds_up
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.names import resolve_name, resolve_sessions
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.gaps import with_joined_gaps
from tool_use_om.tools.encode.plan import Plan, Stopwatch, plan_encoding, whole, without_filters
from tool_use_om.tools.encode.rules import MIN_PATCHES
from tool_use_om.tools.look.selection import channels_of, label_names, open_current
from tool_use_om.tools.run.drift import drift_between
from tool_use_om.tools.run.forecast.ahead import span_ahead
from tool_use_om.tools.run.forecast.blend import blended
from tool_use_om.tools.run.forecast.gate import gated
from tool_use_om.tools.run.forecast.windows import (
    Request,
    answerable,
    contexts_of,
    fit_one_series,
    fit_window,
    judgeable,
    judged_from,
    known_future,
    split_segments,
    with_whole_future,
)
from tool_use_om.tools.run.measures import Drift, Gate, Vote

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.forecast.base import ForecastHead
    from tool_use_om.heads.forecast.batch import ForecastBatch
    from tool_use_om.heads.trust.conformal import ConformalForecaster


DEFAULT_HEAD = "direct"


BASELINE = "seasonal_naive"


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
    gate: Gate | None
    vote: Vote | None
    drift: Drift


def prepare(
    ctx: ToolContext, working_set: WorkingSet, args: a.RunTask, clock: Stopwatch
) -> Prepared:
    """Choose context and stride, cut and encode the three splits with their known futures."""
    dataset = open_current(ctx, working_set)
    request = _request(dataset, working_set, args)
    plan = own_rate_plan(ctx, working_set, request.channels)
    if not request.horizon_s:
        request = replace(request, horizon_s=plan.config.window_s)
    ids = dataset.sessions()["session_id"].tolist()
    plan = with_joined_gaps(plan, whole(dataset, ids), request.channels)
    stretches = {
        split: split_segments(plan, working_set, split, request.label)
        for split in ("train", "calibration", "test")
    }
    if dataset.manifest.by_time and request.label is None:
        plan = fit_one_series(plan, stretches, request.horizon_s)
    else:
        plan = fit_window(plan, stretches["train"], request.horizon_s)
        plan = judgeable(plan, stretches, request)
    with clock.lap("encode_s"):
        contexts = {k: contexts_of(ctx, plan, found) for k, found in stretches.items()}
        request, notes = answerable(contexts, request, plan.patch_s)
        plan = replace(plan, notes=(*plan.notes, *notes))
        batches = {
            k: judged_from(dataset, known_future(*found, request), k)
            for k, found in contexts.items()
        }
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
    if alone.rate_hz != rate:
        longest = float(plan.dataset.sessions()["duration_s"].max()) * rate
        raise DataError(
            f"A forecast needs {MIN_PATCHES * alone.patch_s * alone.rate_hz:g} samples before it, "
            f"and those of its horizon; the longest session has {longest:.0f}. "
            "Import a longer series."
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
    if data.request.by_samples:
        working_set = working_set.but(head=BASELINE, head_params={})
    with clock.lap("fit_s"):
        head = fit_forecaster(working_set.head or DEFAULT_HEAD, working_set.head_params, data)
        naive = head if head.name == BASELINE else fit_forecaster(BASELINE, {}, data)
    own = head.name
    gate: Gate | None = None
    vote: Vote | None = None
    if args.allow_raw:
        head, gate = _gated(ctx, working_set, data, head, clock)
    else:
        batches = (data.train, data.held_out)
        refit = _refit(working_set, data)
        head, vote = blended(head, batches, data.request.horizon_s, refit, clock, seed=ctx.seed)
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
        vote=vote,
        drift=drift_between(
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
) -> tuple[ForecastHead, Gate]:
    """Compare the head with raw-space fallbacks on folds of the training windows."""
    batches = (data.train, data.held_out)
    refit = _refit(working_set, data)
    return gated(head, batches, data.request.horizon_s, refit, clock, seed=ctx.seed)


def _refit(working_set: WorkingSet, data: Prepared) -> Callable[[ForecastBatch], ForecastHead]:
    """Return what fits the working set's head on some of the training windows."""

    def refit(train: ForecastBatch) -> ForecastHead:
        name = working_set.head or DEFAULT_HEAD
        return fit_forecaster(name, working_set.head_params, replace(data, train=train))

    return refit


def _refuse_counters(dataset: DataSet, channels: Sequence[str]) -> None:
    """Refuse to forecast meters: what they will read says nothing of what will be used.

    Raises
    ------
    DataError : all channels are amounts that count up
    """
    from tool_use_om.heads.numeric.counter import is_counter

    meant = [c for c in channels if adds_up(dataset.manifest.unit_of(c))]
    if not meant or len(meant) < len(channels) or dataset.manifest.n_sessions > 1:
        return
    (session,) = dataset.sessions()["session_id"].tolist()
    signals = dataset.read(session, meant)
    if all(is_counter(column) for signal in signals for column in signal.values.T):
        raise DataError(
            f"{', '.join(meant)} counts up like a meter: a forecast of its readings would not be "
            "one of what is used. Import a column of what was used each step, the reading less the "
            "one before, and ask again."
        )


def _request(dataset: DataSet, working_set: WorkingSet, args: a.RunTask) -> Request:
    label = args.target_label or next(iter(working_set.labels), None)
    if label is not None:
        label = resolve_name("label", label, label_names(dataset))
    channels = channels_of(dataset, args.target_channels or working_set.channels)
    _refuse_counters(dataset, channels)
    if args.period is None:
        return Request(channels=channels, horizon_s=args.horizon_s or 0.0, label=label)
    ids = dataset.sessions()["session_id"].tolist()
    asked = resolve_sessions(args.sessions, ids) if args.sessions else (working_set.sessions or ids)
    first, horizon = span_ahead(dataset, list(asked)[-1], args.period)
    return Request(channels=channels, horizon_s=round(horizon, 6), label=label, from_s=first)
