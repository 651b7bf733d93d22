"""compare_heads: the heads of one task on the same held-out windows, with honest intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.show.figure import Bar, Figure, unit_shown
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.names import resolve_names
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.run.classify import run as classify
from tool_use_om.tools.run.classify.cases import Units
from tool_use_om.tools.run.classify.labelled import few_labels
from tool_use_om.tools.run.classify.study import Study, fit_head, prepare, settle_rare
from tool_use_om.tools.run.compared import (
    ClassifierRow,
    ClassifiersCompared,
    ErrorEstimate,
    ForecasterRow,
    ForecastersCompared,
    HeadDifference,
)
from tool_use_om.tools.run.figures import compared_figure
from tool_use_om.tools.run.forecast.backtest import Prepared, fit_forecaster
from tool_use_om.tools.run.forecast.backtest import prepare as prepare_forecast
from tool_use_om.tools.run.forecast.scores import (
    Errors,
    finite_mean,
    window_errors,
    window_sessions,
)
from tool_use_om.tools.run.measures import Estimate, JudgedOn, ShareEstimate

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.heads.numeric.metrics import Interval

F1_RESAMPLES = 200  # macro-F1 is slow to resample over many draws


def compare_classifiers(
    ctx: ToolContext, working_set: WorkingSet, args: a.CompareHeads
) -> ToolOutcome:
    """Fit each head on the same draws of training sessions and score the same test units."""
    import numpy as np

    names = _names("classify", args.heads)
    clock = Stopwatch()
    study = prepare(ctx, working_set, clock)
    if args.labels_per_class is not None:
        study = settle_rare(study, args.labels_per_class, args.rare_labels)
    known = study.test.known()
    units = Units.of(known, by_session=study.by_session)
    test = known.select(units.first)
    draws = _draws(ctx, study, args)
    said = _predictions(ctx, working_set, draws, names, clock)
    truth = test.y.astype(np.str_)
    right = {name: np.mean([s == truth for s in found], axis=0) for name, found in said.items()}
    ranked = sorted(names, key=lambda name: -float(right[name].mean()))
    rows = [
        ClassifierRow(
            head=name,
            accuracy=ShareEstimate.of(
                _interval(right[name], groups=test.groups, seed=ctx.seed, share=True)
            ),
            macro_f1=_macro_f1(truth, said[name], test.groups, ctx.seed),
        )
        for name in ranked
    ]
    gap = _difference(ranked, right, test.groups, "accuracy", ctx.seed)
    bars = [_bar(row.head, row.accuracy, "%") for row in rows]
    return finish(
        ctx,
        working_set.but(dataset=study.plan.dataset.name, task="classify"),
        args,
        tool="compare_heads",
        content=ClassifiersCompared(
            labels_per_class=args.labels_per_class,
            repeats=len(draws),
            judged_on=JudgedOn(
                split="test",
                n_sessions=len(test) if study.by_session else None,
                n_windows=None if study.by_session else len(test),
                unit=study.unit,
                unit_of_labels="sessions",
            ),
            rows=rows,
            best=ranked[0],
            difference=gap,
            chance=classify.chance(truth),
            rare_labels=study.rare,
            notes=list(study.notes),
        ),
        detail={"encoding": study.plan.to_json()},
        inputs={"content_hash": study.plan.dataset.content_hash},
        timing=dict(clock.seconds),
        figures={"heads": compared_figure(right, test.groups, bars, gap, ("accuracy", "%"))},
    )


def compare_forecasters(
    ctx: ToolContext, working_set: WorkingSet, args: a.CompareHeads
) -> ToolOutcome:
    """Fit each head on the same windows and score the same held-out futures.

    Label, channels and horizon are those of the last forecast, where there was one.
    """
    names = _names("forecast", args.heads)
    clock = Stopwatch()
    data = prepare_forecast(ctx, working_set, _last_request(ctx, working_set), clock)
    errors = {name: _errors(working_set, data, name, clock) for name in names}
    sessions = window_sessions(data.held_out)
    by = "mae" if errors[names[0]].mae is not None else "mase"
    values = {name: e.by_name()[by][0] for name, e in errors.items()}
    ranked = sorted(names, key=lambda name: finite_mean(values[name]))
    rows = [_forecast_row(name, errors[name], sessions, ctx.seed) for name in ranked]
    gap = _difference(ranked, values, sessions, by, ctx.seed)
    return finish(
        ctx,
        working_set.but(dataset=data.plan.dataset.name, task="forecast"),
        args,
        tool="compare_heads",
        content=ForecastersCompared(
            horizon_s=data.request.horizon_s,
            channels=list(data.request.channels),
            label=data.request.label,
            judged_on=JudgedOn(split="test", n_windows=len(data.held_out)),
            rows=rows,
            best=ranked[0],
            difference=gap,
            notes=list(data.plan.notes),
        ),
        detail={"encoding": data.plan.to_json()},
        inputs={"content_hash": data.plan.dataset.content_hash},
        timing=dict(clock.seconds),
        figures={"heads": _errors_figure(rows, values, sessions, gap, by)},
    )


def _bar(head: str, measured: ShareEstimate | ErrorEstimate, unit: str) -> Bar:
    scale = 100.0 if unit == "%" else 1.0
    low, high = (float(v) * scale for v in (measured.lower, measured.upper))
    value = float(measured.value) * scale
    text = f"{value:.3g} {unit_shown(unit)}".strip()
    return Bar(name=head, value=value, text=text, low=low, high=high, colour="soft")


def _errors_figure(
    rows: Sequence[ForecasterRow],
    values: dict[str, np.ndarray],
    sessions: np.ndarray,
    gap: HeadDifference,
    by: str,
) -> Figure | None:
    measured = [(row.head, row.mae if by == "mae" else row.mase) for row in rows]
    unit = str(getattr(measured[0][1], "unit", "") or "") if by == "mae" else ""
    bars = [_bar(head, value, unit) for head, value in measured if value is not None]
    name = "mean absolute error" if by == "mae" else "scaled error (MASE)"
    return compared_figure(values, sessions, bars, gap, (name, unit)) if bars else None


def _errors(working_set: WorkingSet, data: Prepared, name: str, clock: Stopwatch) -> Errors:
    params = working_set.head_params if name == working_set.head else {}
    with clock.lap(f"{name}_fit_s"):
        head = fit_forecaster(name, params, data)
    return window_errors(head.predict(data.held_out, data.request.horizon_s), data.held_out)


def _draws(ctx: ToolContext, study: Study, args: a.CompareHeads) -> list[Study]:
    """The whole training split, or repeated draws of a few sessions a class."""
    if args.labels_per_class is None:
        return [study]
    drawn = (
        few_labels(study.train, args.labels_per_class, (ctx.seed, args.labels_per_class, i))
        for i in range(args.repeats)
    )
    return [replace(study, train=part) for part in drawn]


def _predictions(
    ctx: ToolContext,
    working_set: WorkingSet,
    draws: Sequence[Study],
    names: Sequence[str],
    clock: Stopwatch,
) -> dict[str, list[np.ndarray]]:
    """What each head, fitted on each draw, says of each judged unit: a session by its windows."""
    import numpy as np

    said: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for done, draw in enumerate(draws):
        ctx.progress({"phase": "compare", "done": done, "total": len(draws), "unit": "draws"})
        test = draw.test.known()
        units = Units.of(test, by_session=draw.by_session)
        for name in names:
            with clock.lap(f"{name}_fit_s"):
                head = fit_head(working_set, draw, name)
            proba = units.mean(head.predict_proba(test.tokens))
            said[name].append(head.classes_[proba.argmax(axis=1)].astype(np.str_))
    return said


def _names(task: str, asked: Sequence[str] | None) -> tuple[str, ...]:
    from tool_use_om.heads.registry import head_specs

    specs = [spec for spec in head_specs() if spec.task == task]
    known = [spec.name for spec in specs]
    listed = tuple(spec.name for spec in specs if spec.listed)
    names = resolve_names(f"{task} head", asked, known) if asked else listed
    if len(names) < 2:
        raise DataError(f"Comparing needs two heads at least, got {names}. There are: {known}.")
    return names


def _interval(
    values: np.ndarray,
    *,
    groups: np.ndarray,
    seed: int,
    share: bool = False,
) -> Interval:
    from tool_use_om.heads.numeric.metrics import bootstrap_interval

    return bootstrap_interval(values, groups=groups, statistic=finite_mean, seed=seed, share=share)


def _macro_f1(
    truth: np.ndarray, said: Sequence[np.ndarray], groups: np.ndarray, seed: int
) -> Estimate:
    """Mean macro-F1 over the draws, with its interval over sessions."""
    from tool_use_om.heads.numeric.metrics import bootstrap_interval, macro_f1

    def mean_f1(true: np.ndarray, *each: np.ndarray) -> float:
        return sum(macro_f1(true, one) for one in each) / len(each)

    n = max(F1_RESAMPLES // len(said), 50) if len(said) > 1 else F1_RESAMPLES
    found = bootstrap_interval(
        truth, *said, groups=groups, statistic=mean_f1, n_resamples=n, seed=seed, share=True
    )
    return Estimate.of(found)


def _difference(
    ranked: Sequence[str],
    values: dict[str, np.ndarray],
    groups: np.ndarray,
    metric: str,
    seed: int,
) -> HeadDifference:
    """Best minus second best, paired window by window; clear if its interval leaves out zero."""
    from tool_use_om.heads.numeric.metrics import paired_difference

    first, second = ranked[0], ranked[1]
    gap = paired_difference(values[first], values[second], groups=groups, seed=seed)
    return HeadDifference(
        a=first,
        b=second,
        metric=metric,
        value=gap.value,
        lower=gap.lower,
        upper=gap.upper,
        clear=gap.clear,
    )


def _forecast_row(name: str, errors: Errors, sessions: np.ndarray, seed: int) -> ForecasterRow:
    measured = {
        metric: ErrorEstimate.of(_interval(values, groups=sessions, seed=seed)).in_unit(unit)
        for metric, (values, unit) in errors.by_name().items()
    }
    return ForecasterRow(head=name, **measured)


def _last_request(ctx: ToolContext, working_set: WorkingSet) -> a.RunTask:
    """The arguments of the last run, if it was a forecast."""
    if working_set.last_result_id is not None:
        try:
            data = ctx.results.get(working_set.last_result_id).data
        except NotFoundError:
            return a.RunTask()
        if data.get("task") == "forecast":
            return a.RunTask.model_validate(data["args"])
    return a.RunTask()
