"""compare_event_models: which kind of model could tell that a level is reached, and whether any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.definition import ToolDef
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.look.selection import open_current
from tool_use_om.tools.run.compared_events import EventModelRow, EventModelsCompared
from tool_use_om.tools.run.measures import Estimate

if TYPE_CHECKING:
    from tool_use_om.heads.events.judge import Judged
    from tool_use_om.heads.events.windows import EventData

MODELS = ("base_rate", "last_day", "boosting", "minirocket")  # fitted in seconds
_CONTEXT, _LEAST_CONTEXT = 80, 10
_MOST_WINDOWS = 4000  # of a split


def compare_event_models(
    ctx: ToolContext, working_set: WorkingSet, args: a.CompareEventModels
) -> ToolOutcome:
    """Fit a few models on the earlier part of the data and judge them on the later one."""
    from tool_use_om.heads.events.cell import fit_and_say
    from tool_use_om.heads.events.event import ThresholdEvent, channel_of
    from tool_use_om.heads.events.judge import blocks_of, judge_model
    from tool_use_om.heads.events.windows import units_of

    dataset = open_current(ctx, working_set)
    units = units_of(dataset)
    channel = channel_of(args.channel, units)
    event = ThresholdEvent(
        on=channel, threshold=args.threshold, unit="%" if args.relative else units[channel],
        direction=args.direction, relative=args.relative, horizon_s=args.horizon_s,
    )  # fmt: skip
    data = _windows(dataset, event)
    labels: dict[str, Any] = {"validation": data.validation.y, "test": data.test.y}
    base_rate = float(data.train.y.mean())
    length, draws = blocks_of(len(data.test.y), data.test.windows.steps, seed=ctx.seed)
    found, failed = [], {}
    for name in MODELS:
        cell = fit_and_say(data, name, parameters=0, seed=ctx.seed)
        if cell["error"]:
            failed[name] = str(cell["error"])
            continue
        found.append(
            judge_model([cell], labels=labels, base_rate=base_rate, draws=draws, chances=None)[0]
        )
    found.sort(key=lambda judged: -judged.auc)
    able = [judged for judged in found if judged.beats_the_base_rate]
    return finish(
        ctx,
        working_set.but(dataset=dataset.name),
        args,
        tool="compare_event_models",
        content=EventModelsCompared(
            dataset=dataset.name,
            channel=channel,
            threshold=args.threshold,
            unit=event.unit,
            relative=args.relative,
            direction=args.direction,
            horizon_s=args.horizon_s,
            base_rate=base_rate,
            n_train=len(data.train.y),
            n_windows=len(data.test.y),
            n_events=int(data.test.y.sum()),
            rows=[_row(judged, len(data.test.y), length) for judged in found],
            best=able[0].model if able else None,
            as_good=[judged.model for judged in able[1:] if judged.upper >= able[0].auc],
            failed=failed,
            split=data.cuts.said(),
            notes=[],
        ),
        inputs={"content_hash": dataset.content_hash},
    )


def _windows(dataset: Any, event: Any) -> EventData:  # noqa: ANN401  # heads' own, known lazily
    """Cut windows no longer than a fifth of the longest stretch, and few enough to be quick."""
    from dataclasses import replace

    from tool_use_om.heads.events.series import read_series
    from tool_use_om.heads.events.windows import event_data

    longest = max(len(series.time_s) for series in read_series(dataset, event.on))
    context = min(_CONTEXT, max(_LEAST_CONTEXT, longest // 5))
    data = event_data(dataset, event, context=context)
    return replace(
        data,
        train=data.train.thinned(_MOST_WINDOWS),
        validation=data.validation.thinned(_MOST_WINDOWS),
        test=data.test.thinned(_MOST_WINDOWS),
    )


def _row(judged: Judged, n: int, length: int) -> EventModelRow:
    return EventModelRow(
        model=judged.model,
        auc=Estimate(
            value=judged.auc, lower=judged.lower, upper=judged.upper, n=n, n_groups=-(-n // length)
        ),
        skill=judged.skill,
        beats_base_rate=judged.beats_the_base_rate,
    )


COMPARE_EVENT_MODELS = ToolDef(
    2,
    a.CompareEventModels,
    compare_event_models,
    "Compare kinds of model on whether a channel reaches a level within a time; says if none can.",
)
