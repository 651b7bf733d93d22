"""Phase 1: say in words what a stretch of a session does, from facts computed of its samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.definition import ToolDef
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.look.selection import (
    Segment,
    channels_of,
    open_current,
    select,
    with_filters,
)
from tool_use_om.tools.look.told import (
    AnyRow,
    CourseRow,
    LevelRow,
    LimitRow,
    OutRow,
    PlateauRow,
    ReachRow,
    SignalDescribed,
    TurnsRow,
)

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.describe.facts import Fact

MOST_CHANNELS = 8  # described in one call
_ROWS: dict[str, type[AnyRow]] = {
    "steady": LevelRow,
    "varies": ReachRow,
    "rise": CourseRow,
    "fall": CourseRow,
    "leak": CourseRow,
    "spike": OutRow,
    "dip": OutRow,
    "plateau": PlateauRow,
    "saw": TurnsRow,
    "cycle": TurnsRow,
    "saturated": LimitRow,
}


def describe_signal(
    ctx: ToolContext, working_set: WorkingSet, args: a.DescribeSignal
) -> ToolOutcome:
    """Describe one session, or a part of it, channel by channel."""
    from tool_use_om.heads.describe.sentences import sentence

    dataset = open_current(ctx, working_set)
    names = [args.session] if args.session else None
    chosen = with_filters(dataset, working_set, a.SessionFilters(sessions=names))
    found = select(dataset, chosen)
    stretch = _stretch(found.segments[0], args)
    asked = channels_of(dataset, args.channels or working_set.channels)
    channels = asked[:MOST_CHANNELS]
    facts = _facts(dataset, stretch, channels)
    if not facts:
        raise DataError(
            f"Session {stretch.session_id} has too few samples from {stretch.start_s:g} to "
            f"{stretch.end_s:g} s to describe {', '.join(channels)}. Take a longer stretch or "
            "other channels."
        )
    said = {fact.channel for fact in facts}
    return finish(
        ctx,
        working_set.but(dataset=dataset.name),
        args,
        tool="describe_signal",
        content=SignalDescribed(
            dataset=dataset.name,
            session_id=stretch.session_id,
            n_sessions=len(found.session_ids),
            start_s=stretch.start_s,
            end_s=stretch.end_s,
            rows=[_row(fact) for fact in facts],
            description=" ".join(sentence(fact) for fact in facts),
            unsaid=[c for c in channels if c not in said],
            n_left_out=len(asked) - len(channels),
        ),
        inputs={"content_hash": dataset.content_hash},
    )


def _stretch(first: Segment, args: a.DescribeSignal) -> Segment:
    """Return the part of a session that is meant.

    Raises
    ------
    DataError : it is empty, or outside of the session
    """
    start = max(first.start_s, args.start_s or 0.0)
    end = min(first.end_s, args.end_s or math.inf)
    if end <= start:
        raise DataError(
            f"From {args.start_s or 0:g} to {args.end_s or first.end_s:g} s there is nothing of "
            f"session {first.session_id}, which has {first.start_s:g} to {first.end_s:g} s. Give "
            "start_s and end_s within it."
        )
    return Segment(session_id=first.session_id, start_s=start, end_s=end)


def _facts(dataset: DataSet, stretch: Segment, channels: Sequence[str]) -> list[Fact]:
    """Return the facts of each channel, in the order of the channels."""
    from tool_use_om.heads.describe.facts import facts_of

    told: dict[str, list[Fact]] = {}
    for signal in dataset.read(stretch.session_id, channels, stretch.start_s, stretch.end_s):
        for i, channel in enumerate(signal.channels):
            unit = dataset.manifest.unit_of(channel)
            limit = 100.0 if unit == "%" else None
            told[channel] = facts_of(signal.time_s, signal.values[:, i], channel, unit, limit=limit)
    return [fact for channel in channels for fact in told.get(channel, ())]


def _row(fact: Fact) -> AnyRow:
    values = {k: int(v) if k == "n" else v for k, v in fact.values.items()}
    row = {"channel": fact.channel, "unit": fact.unit, "kind": fact.kind, **values}
    return _ROWS[fact.kind].model_validate(row)


DESCRIBE_SIGNAL = ToolDef(
    1,
    a.DescribeSignal,
    describe_signal,
    "Describe in words what the channels do in a stretch of one session, from computed facts.",
)
