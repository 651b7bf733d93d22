"""Phase 1: look at the data and choose what to work on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.definition import ToolDef
from tool_use_om.tools.call.names import resolve_name
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.look.clock import CALENDAR_GROUPS, CalendarFilter, group_order, told_zone
from tool_use_om.tools.look.contents import contents_of, label_times
from tool_use_om.tools.look.figures import (
    Asked,
    counted_figure,
    sessions_figure,
    statistic_figure,
)
from tool_use_om.tools.look.found import (
    ChannelsSelected,
    DataSetRow,
    DataSetsListed,
    Drawn,
    Durations,
    Filtered,
    LabelTimes,
    SessionsCounted,
)
from tool_use_om.tools.look.selection import (
    SHOWN,
    Selection,
    channel_rows,
    channels_of,
    open_current,
    records,
    select,
    with_filters,
)
from tool_use_om.tools.look.statistics import model_of

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet

_FILTERS = ("sessions", "labels", "subjects", "split", "min_duration_s", "max_duration_s")
_RANGE = ("start_s", "end_s", "tail_s")
_CALENDAR = ("hours", "weekdays", "months", "first_date", "last_date")
_CALENDAR_ROWS = 48  # rows of hours, weekdays or months that are shown
_KEPT = 1000  # sessions listed in a stored result


def list_datasets(ctx: ToolContext, working_set: WorkingSet, args: a.ListDatasets) -> ToolOutcome:
    """List every data set of the workspace with what it holds."""
    from tool_use_om.data.catalog import available, open_dataset

    names = available(ctx.workspace)
    rows = []
    for done, name in enumerate(names):
        ctx.progress({"phase": "open", "done": done, "total": len(names), "unit": "data sets"})
        rows.append(_dataset_row(open_dataset(name, ctx.workspace)))
    return finish(
        ctx, working_set, args, tool="list_datasets", content=DataSetsListed(datasets=rows)
    )


def show_session_stats(
    ctx: ToolContext, working_set: WorkingSet, args: a.ShowSessionStats
) -> ToolOutcome:
    """Open and select a data set; count what the filters given here would leave."""
    chosen = _switch(ctx, working_set, args.dataset)
    dataset = open_current(ctx, chosen)
    filtered = with_filters(dataset, chosen, args)
    found = select(dataset, filtered, may_be_empty=True)
    content = SessionsCounted(
        dataset=dataset.name,
        **_counts(found),
        **_contents(found),
        **contents_of(found, args.at_s),
        label_times=_label_times(dataset, filtered, args.stretches_of),
    )
    return finish(
        ctx,
        chosen.but(dataset=dataset.name),
        args,
        tool="show_session_stats",
        content=content,
        detail={"sessions": records(found.sessions.drop(columns="start_utc").head(_KEPT))},
        inputs={"content_hash": dataset.content_hash},
        figures={"counted": counted_figure(content, args, _every_label(content, dataset, args))},
    )


def _every_label(
    content: SessionsCounted, dataset: DataSet, args: a.ShowSessionStats
) -> dict[str, int]:
    """Return the sessions of each label, those that were not asked for among them."""
    if not args.labels:
        return dict(content.sessions_per_label)
    return _sessions_per_label(select(dataset, WorkingSet(dataset=dataset.name)))


def _label_times(
    dataset: DataSet, filtered: WorkingSet, labels: list[str] | None
) -> list[LabelTimes] | None:
    """Return when the asked labels hold within the filters; None where none is asked for."""
    if not labels:
        return None
    asked = with_filters(dataset, filtered, a.SessionFilters(labels=labels))
    recorded_s = select(dataset, filtered, may_be_empty=True).total_s
    return label_times(select(dataset, asked, may_be_empty=True), recorded_s)


def show_channel_stats(
    ctx: ToolContext, working_set: WorkingSet, args: a.ShowChannelStats
) -> ToolOutcome:
    """Compare channels by one statistic over the working set."""
    from tool_use_om.tools.look.channel_stats import channel_statistics
    from tool_use_om.tools.look.course import COURSES

    dataset = open_current(ctx, working_set)
    channels = channels_of(dataset, args.channels or working_set.channels)
    found = select(dataset, working_set)
    ranking = channel_statistics(
        found, channels, by=args.by, statistic=args.statistic, percent=args.percent,
        threshold=args.threshold, upper=args.upper,
    )  # fmt: skip
    rows = ranking.rows
    highest, lowest = rows[0], rows[-1]
    comparable = args.statistic not in COURSES and lowest["value"] > 0
    ratio = highest["value"] / lowest["value"] if comparable else None
    return finish(
        ctx,
        working_set.but(dataset=dataset.name),
        args,
        tool="show_channel_stats",
        content=model_of(args.statistic)(
            statistic=args.statistic,
            by=args.by,
            n_sessions=len(found.sessions),
            labels=list(working_set.labels),
            session_noun=dataset.manifest.session_noun or None,
            n_rows=ranking.n_rows,
            percent=args.percent,
            note=ranking.note or None,
            zone=_zone(dataset, working_set, args, rows),
            **_beyond(dataset, args, rows),
            rows=shown_rows(rows, args.by if args.statistic != "unlike" else "channel"),
            highest=highest,
            lowest=lowest,
            ratio=ratio,
        ),
        detail={"rows": rows},
        inputs={"content_hash": dataset.content_hash},
        figures={"statistic": statistic_figure(Asked(found, channels, args, rows))},
    )


def _beyond(
    dataset: DataSet, args: a.ShowChannelStats, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return how many days lie beyond a threshold, where one is given for days of one channel."""
    one = len({row["channel"] for row in rows}) == 1
    level = args.threshold
    if level is None or args.by != "date" or not one or args.statistic not in {"sum", "max", "min"}:
        return {}
    above = args.statistic != "min"
    n = sum(row["value"] > level if above else row["value"] < level for row in rows)
    channel = rows[0]["channel"]
    unit = dataset.manifest.unit_of(channel)
    return {
        "beyond": {
            "n": n, "of": len(rows), "above": above, "channel": channel,
            "level": {"value": level, "unit": unit},
        }
    }  # fmt: skip


def _zone(
    dataset: DataSet, ws: WorkingSet, args: a.ShowChannelStats, rows: list[dict[str, Any]]
) -> str | None:
    """Return the zone of the dates where any are told, or chose what is looked at."""
    dated = any(row.get("time") or (row.get("longest") or {}).get("time") for row in rows)
    if args.by in CALENDAR_GROUPS or CalendarFilter.of(ws) is not None or dated:
        return told_zone(dataset.manifest.calendar).get("zone")
    return None


def shown_rows(rows: list[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    """Return what the model sees: the first rows, those of the calendar in its order.

    Of few channels each one's highest and lowest are among them, so that no other is told as these.
    """
    if by in CALENDAR_GROUPS and len(rows) <= _CALENDAR_ROWS:
        order = group_order(by, [str(row["group"]) for row in rows])
        places = sorted(range(len(rows)), key=lambda i: (rows[i]["channel"], order[i]))
        return [rows[i] for i in places]
    ends: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        ends.setdefault(str(row["channel"]), [i, i])[1] = i
    kept = set(range(min(len(rows), 2 * SHOWN + 4)))
    if len(ends) <= SHOWN:
        kept |= {i for pair in ends.values() for i in pair}
    return [rows[i] for i in sorted(kept)]


def select_channels(
    ctx: ToolContext, working_set: WorkingSet, args: a.SelectChannels
) -> ToolOutcome:
    """Choose the channels of later steps; an earlier choice for the encoder is dropped."""
    dataset = open_current(ctx, working_set)
    channels = channels_of(dataset, args.channels)
    chosen = working_set.but(dataset=dataset.name, channels=channels, encoding_channels=())
    return finish(
        ctx,
        chosen,
        args,
        tool="select_channels",
        content=ChannelsSelected(channels=channel_rows(dataset, channels)),
        inputs={"content_hash": dataset.content_hash},
    )


def filter_by_time(ctx: ToolContext, working_set: WorkingSet, args: a.FilterByTime) -> ToolOutcome:
    """Narrow the working set; nothing changes if nothing would be left.

    `tail_s` and the calendar's filters cut every session by itself.
    """
    dataset = open_current(ctx, working_set)
    start = working_set
    if args.reset:
        empty = WorkingSet()
        start = working_set.but(
            **{name: getattr(empty, name) for name in (*_FILTERS, *_RANGE, *_CALENDAR)}
        )
    chosen = with_filters(dataset, _with_range(start, args), args)
    found = select(dataset, chosen)
    return finish(
        ctx,
        chosen,
        args,
        tool="filter_by_time",
        content=Filtered(
            n_sessions=len(found.sessions),
            n_segments=len(found.stretches),
            total_s=found.total_s,
            start_s=float(found.stretches["start_s"].min()),
            end_s=float(found.stretches["end_s"].max()),
            labels=list(chosen.labels),
            split=chosen.split,
            sessions=found.sessions["session_id"].head(SHOWN).tolist(),
            note=_range_note(dataset, chosen),
        ),
        detail={"segments": [vars(s) for s in found.segments]},
        inputs={"content_hash": dataset.content_hash},
    )


def plot_sessions(ctx: ToolContext, working_set: WorkingSet, args: a.PlotSessions) -> ToolOutcome:
    """Draw the selected sessions in one figure, labels shaded."""
    dataset = open_current(ctx, working_set)
    channels = channels_of(dataset, args.channels or working_set.channels)
    narrowed = with_filters(dataset, working_set, a.SessionFilters(sessions=args.sessions))
    found = select(dataset, narrowed).session_ids
    asked = [s for s in narrowed.sessions or found if s in found]
    ids = asked[: args.max_sessions]
    span = (working_set.start_s, working_set.end_s)
    return finish(
        ctx,
        working_set.but(dataset=dataset.name),
        args,
        tool="plot_sessions",
        content=Drawn(sessions=ids, channels=list(channels), n_figures=1),
        inputs={"content_hash": dataset.content_hash},
        figures={"sessions": sessions_figure(dataset, ids, channels, span)},
    )


def _switch(ctx: ToolContext, working_set: WorkingSet, name: str | None) -> WorkingSet:
    """Select another data set: choices made for the old one do not hold for it."""
    from tool_use_om.data.catalog import available

    if name is None:
        return working_set
    meant = resolve_name("data set", name, available(ctx.workspace))
    if meant == working_set.dataset:
        return working_set
    return WorkingSet(dataset=meant)


def _with_range(working_set: WorkingSet, args: a.FilterByTime) -> WorkingSet:
    given = {name: getattr(args, name) for name in (*_RANGE, *_CALENDAR)}
    chosen = working_set.but(**{k: v for k, v in given.items() if v is not None})
    if chosen.end_s is not None and (chosen.start_s or 0.0) >= chosen.end_s:
        raise DataError(
            f"`end_s` must be after `start_s`, got {chosen.start_s or 0:g} to {chosen.end_s:g} s. "
            "Give both, or reset=true to drop the earlier range."
        )
    return chosen


def _range_note(dataset: DataSet, working_set: WorkingSet) -> str | None:
    longest = float(dataset.sessions()["duration_s"].max())
    if working_set.end_s is None or working_set.end_s <= longest:
        return None
    return f"Sessions end by {longest:g} s, so end_s={working_set.end_s:g} cuts nothing."


def _dataset_row(dataset: DataSet) -> DataSetRow:
    manifest = dataset.manifest
    return DataSetRow(
        name=manifest.name,
        title=manifest.title,
        n_sessions=manifest.n_sessions,
        n_subjects=manifest.n_subjects,
        channels=list(manifest.channel_ids)[: 2 * SHOWN],
        labels={name: list(values)[: 2 * SHOWN] for name, values in manifest.label_sets.items()},
        duration_s=manifest.duration_s,
        synthetic=manifest.synthetic,
    )


def _counts(found: Selection) -> dict[str, Any]:
    durations = found.sessions["duration_s"].astype(float)
    return {
        "n_sessions": len(found.sessions),
        "n_sessions_total": found.dataset.manifest.n_sessions,
        "n_subjects": found.dataset.manifest.n_subjects
        and int(found.sessions["subject_id"].nunique()),
        "duration_s": Durations(
            min=durations.min(),
            median=durations.median(),
            max=durations.max(),
            total=durations.sum(),
        ),
        "session_noun": found.dataset.manifest.session_noun or None,
    }


def _contents(found: Selection) -> dict[str, Any]:
    dataset = found.dataset
    per_label = _sessions_per_label(found)
    held = {split: dataset.split_sessions(split) for split in sorted(dataset.manifest.splits)}
    chosen = set(found.session_ids)
    per_split = {split: len(chosen.intersection(ids)) for split, ids in held.items()}
    return {
        "sessions_per_label": per_label,
        "sessions_per_split": {split: n for split, n in per_split.items() if n},
        "channels": channel_rows(dataset, dataset.manifest.channel_ids)[: 2 * SHOWN],
        "sessions": found.sessions["session_id"].head(SHOWN).tolist(),
    }


def _sessions_per_label(found: Selection) -> dict[str, int]:
    from tool_use_om.data.format.index_writer import among

    dataset = found.dataset
    pooled = dataset.pooled_stats(dataset.manifest.channel_ids[:1], by="label")
    if found.every_session and pooled is not None:
        return dict(zip(pooled["group"].tolist(), pooled["sessions"].tolist(), strict=True))
    labels = dataset.labels()
    if not found.every_session:
        labels = labels[among(labels["session_id"], found.sessions["session_id"])]
    counted = labels.groupby("label")["session_id"].nunique()
    return {str(k): int(v) for k, v in counted.items()}


LIST_DATASETS = ToolDef(
    1,
    a.ListDatasets,
    list_datasets,
    "List the data sets there are, with their channels and labels.",
)
SHOW_SESSION_STATS = ToolDef(
    1,
    a.ShowSessionStats,
    show_session_stats,
    "Open a data set and count sessions, durations and labels. Filters here only count.",
)
SHOW_CHANNEL_STATS = ToolDef(
    1,
    a.ShowChannelStats,
    show_channel_stats,
    "Compute one statistic a channel (by label, session or subject) of the working set.",
)
SELECT_CHANNELS = ToolDef(
    1,
    a.SelectChannels,
    select_channels,
    "Choose the channels that later steps use.",
)
FILTER_BY_TIME = ToolDef(
    1,
    a.FilterByTime,
    filter_by_time,
    "Narrow the working set by time, label, subject, split, duration or session id.",
)
PLOT_SESSIONS = ToolDef(
    1,
    a.PlotSessions,
    plot_sessions,
    "Draw the signals of a few sessions, with their labels.",
)
