"""Phase 1: amounts by group, and what follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.definition import ToolDef
from tool_use_om.tools.call.names import resolve_name
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.look.clock import moment_text, starts, told_zone
from tool_use_om.tools.look.selection import label_names, open_current, select
from tool_use_om.tools.measure.amounts import Table, amounts_of, ends_of
from tool_use_om.tools.measure.figures import amounts_figure
from tool_use_om.tools.measure.found import (
    AmountOf,
    AmountRow,
    Amounts,
    Difference,
    Passed,
    StretchRow,
)
from tool_use_om.tools.measure.grouping import CALENDAR

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tools.look.selection import Selection

_SHOWN = 48
_LISTED = 24
_TWO = 2
_NO_RATIO = frozenset({"degC", "degF"})  # twice as many degrees is not twice as warm


def measure_amounts(
    ctx: ToolContext, working_set: WorkingSet, args: a.MeasureAmounts
) -> ToolOutcome:
    """Put amounts together by group: highest and lowest, mean, how many pass a level."""
    dataset = open_current(ctx, working_set)
    asked = _checked(dataset, working_set, args)
    found = select(dataset, working_set)
    table = amounts_of(found, asked)
    rows = [AmountRow(**_told(row)) for row in table.rows]
    if not rows:
        raise DataError("Nothing to compute: no samples in what is asked about. Widen the filters.")
    whole = [row for row in rows if not row.part] or rows
    unit = rows[0].unit
    shown = sorted(rows, key=lambda row: -row.value)
    of = [row.value for row in (whole if table.adds_up else rows)]
    content = Amounts(
        of=table.of, statistic=asked.statistic, channel=asked.channel, label=asked.label,
        level=_level(dataset, asked, asked.above if asked.above is not None else asked.below),
        upper=_level(dataset, asked, asked.below if asked.above is not None else None),
        above=_side(asked), by=asked.by, per=asked.per, n_sessions=len(found.sessions),
        n_groups=len(rows),
        n_parts=sum(bool(row.part) for row in rows), recorded_s=table.recorded_s,
        rows=shown if len(shown) <= _SHOWN else [*shown[:_LISTED], *shown[-_LISTED:]],
        highest=shown[0],
        lowest=min(whole if table.adds_up else rows, key=lambda row: row.value),
        mean=AmountOf(value=sum(of) / len(of), unit=unit),
        total=AmountOf(value=sum(row.value for row in rows), unit=unit)
        if table.adds_up else None,
        without=[str(row.group) for row in rows if row.group and row.value == 0][:_LISTED]
        if table.of in {"time", "events"} else [],
        passed=_passed(rows, asked), difference=_difference(rows, table.of),
        **_ends(found, table, asked), note=table.note,
        zone=_zone(dataset, found, asked),
    )  # fmt: skip
    return finish(
        ctx,
        working_set.but(dataset=dataset.name),
        args,
        tool="measure_amounts",
        content=content,
        detail={"rows": [row.to_json() for row in rows]},
        inputs={"content_hash": dataset.content_hash},
        figures={"amounts": amounts_figure(content, rows)},
    )


def _checked(dataset: DataSet, ws: WorkingSet, args: a.MeasureAmounts) -> a.MeasureAmounts:
    """Return the arguments with names as the data spell them.

    Raises
    ------
    DataError : what is measured needs a channel, a label or a level that was not given
    """
    channels = dataset.manifest.channel_ids
    channel = args.channel
    if channel is None and args.label is None and len(ws.channels) == 1:
        (channel,) = ws.channels
    if channel is None and args.label is None:
        raise DataError(f"Name the channel or the label. Channels: {', '.join(channels[:12])}.")
    if channel is not None:
        channel = resolve_name("channel", channel, channels)
    label = resolve_name("label", args.label, label_names(dataset)) if args.label else None
    beyond = args.above is not None or args.below is not None
    if args.of in {"time", "events"} and label is None and not beyond:
        raise DataError("Time and events need a label, or a level: above or below.")
    if args.of not in {"time", "events"} and (label is not None or channel is None):
        raise DataError(f"An amount of kind {args.of!r} is of a channel. Filter by labels first.")
    if args.by == args.per:
        raise DataError("`per` is a smaller group inside `by`: per date, by weekday.")
    return args.model_copy(update={"channel": channel, "label": label})


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if v is not None}


def _side(asked: a.MeasureAmounts) -> bool | None:
    """Return whether what is above a level is meant, None where no level is."""
    return None if asked.above is None and asked.below is None else asked.above is not None


def _level(dataset: DataSet, asked: a.MeasureAmounts, value: float | None) -> AmountOf | None:
    if value is None or asked.channel is None:
        return None
    return AmountOf(value=value, unit=dataset.manifest.unit_of(asked.channel))


def _passed(rows: list[AmountRow], asked: a.MeasureAmounts) -> Passed | None:
    if asked.passing is None:
        return None
    level, below = asked.passing, asked.passing_below
    kept = [row for row in rows if (row.value < level if below else row.value > level)]
    kept.sort(key=lambda row: str(row.group))
    return Passed(
        n=len(kept), of=len(rows), above=not below, value=level, unit=rows[0].unit,
        first=kept[0].group if kept else None, last=kept[-1].group if kept else None,
    )  # fmt: skip


def _difference(rows: list[AmountRow], of: str) -> Difference | None:
    if len(rows) != _TWO:
        return None
    first, other = rows
    ratio = of != "return" and first.unit not in _NO_RATIO and min(first.value, other.value) > 0
    more = first.value / other.value - 1 if ratio else None
    return Difference(
        value=first.value - other.value, unit=first.unit, more_frac=more,
        first=str(first.group), other=str(other.group),
    )  # fmt: skip


def _ends(found: Selection, table: Table, asked: a.MeasureAmounts) -> dict[str, StretchRow]:
    begin = starts(found.sessions)
    calendar = found.dataset.manifest.calendar
    unit = found.dataset.manifest.unit_of(asked.channel) if asked.channel else None
    out: dict[str, StretchRow] = {}
    for name, one in ends_of(table, lowest=asked.above is None).items():
        start = begin.get(one["session_id"])
        more: dict[str, Any] = {"unit": unit} if one.get("extreme") is not None else {}
        out[name] = StretchRow(
            **one, from_=moment_text(start, one["start_s"], calendar),
            to=moment_text(start, one["end_s"], calendar), **more,
        )  # fmt: skip
    return out


def _zone(dataset: DataSet, found: Selection, asked: a.MeasureAmounts) -> str | None:
    told = {asked.by, asked.per} & CALENDAR or starts(found.sessions)
    return told_zone(dataset.manifest.calendar).get("zone") if told else None


MEASURE_AMOUNTS = ToolDef(
    1,
    a.MeasureAmounts,
    measure_amounts,
    "Amounts by group: totals, means, extremes, energy, counter steps, returns, time or number of "
    "times a label or level holds; by day, night, week, weekday, month, period, part of the day, "
    "session, subject or label.",
)
