"""Phase 1: look the working set over for what may be wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tool_use_om.data.show.figure import MOST_ROWS, Colour, Figure, Part, Row, Timeline
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.definition import ToolDef
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.look.checked import Checked, IssueRow, Lacking
from tool_use_om.tools.look.clock import moment_text, starts, told_zone
from tool_use_om.tools.look.selection import SHOWN, channels_of, open_current, select, with_filters

if TYPE_CHECKING:
    from tool_use_om.data.format.calendar import Calendar
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.data.quality.issue import Issue, Scope

MAX_VALUES = 30_000_000  # read in one call: some ten seconds on one core


def check_data(ctx: ToolContext, working_set: WorkingSet, args: a.CheckData) -> ToolOutcome:
    """Look for gaps, clipping, stuck sensors, repeats, label holes, odd units and split leaks."""
    from tool_use_om.data.quality.check import check_dataset, sessions_read
    from tool_use_om.data.quality.issue import KINDS

    dataset = open_current(ctx, working_set)
    scope = _scope(dataset, working_set, args)
    meant, read = sessions_read(dataset, scope)
    found = check_dataset(dataset, scope=scope, progress=ctx.progress)
    issues = [i for i in found if i.kind != "unchecked"]
    begin = starts(dataset.sessions())
    return finish(
        ctx,
        working_set.but(dataset=dataset.name),
        args,
        tool="check_data",
        content=Checked(
            dataset=dataset.name,
            zone=told_zone(dataset.manifest.calendar).get("zone") if begin else None,
            kinds=[k for k in KINDS if k != "unchecked" and scope.wants(frozenset({k}))],
            n_sessions=len(meant),
            n_sessions_read=len(read),
            rule=_rule(meant, read),
            n_problems=sum(i.severity == "problem" for i in issues),
            n_notes=sum(i.severity == "note" for i in issues),
            lacking=_lacking(dataset, read, scope) if _counts(args) else None,
            places=dict(Counter(i.kind for i in issues)),
            worst=[_row(i, begin, dataset.manifest.calendar) for i in issues[:SHOWN]],
            unchecked=[i.text for i in found if i.kind == "unchecked" and i.where != "sessions"],
        ),
        detail={"issues": [i.model_dump(mode="json") for i in found]},
        inputs={"content_hash": dataset.content_hash},
        figures={"places": _figure(dataset, issues, read)},
    )


def _lacking(dataset: DataSet, read: Sequence[str], scope: Scope) -> Lacking:
    from tool_use_om.data.quality.check import lacking

    return Lacking.model_validate(lacking(dataset, read, scope))


def _counts(args: a.CheckData) -> bool:
    """Say whether it was asked what lacks, so that all of it is counted."""
    return bool(args.kinds and {"gap", "missing"} & set(args.kinds))


def _scope(dataset: DataSet, working_set: WorkingSet, args: a.CheckData) -> Scope:
    """Return what the working set and the arguments mean, within what one call may read."""
    from tool_use_om.data.quality.issue import Scope

    asked = with_filters(dataset, working_set, a.SessionFilters(sessions=args.sessions))
    found = select(dataset, asked).session_ids
    narrowed = len(found) < dataset.manifest.n_sessions
    names = args.channels or working_set.channels
    return Scope(
        sessions=tuple(found) if narrowed else None,
        channels=channels_of(dataset, names) if names else None,
        kinds=frozenset(args.kinds) if args.kinds else None,
        start_s=working_set.start_s or 0.0,
        end_s=working_set.end_s,
        max_sessions=args.max_sessions,
        max_values=MAX_VALUES,
    )


def _rule(meant: Sequence[str], read: Sequence[str]) -> str:
    whole = "labels, subjects and stored statistics are checked for all"
    if len(read) == len(meant):
        return f"the samples of all sessions meant were read; {whole}"
    return f"sessions spread evenly over those meant were read; {whole}"


def _row(issue: Issue, begin: Mapping[str, datetime], calendar: Calendar) -> IssueRow:
    start = begin.get(issue.session_id or "")
    ends = [
        None if at is None else moment_text(start, at, calendar) or None
        for at in (issue.start_s, issue.end_s)
    ]
    row = issue.model_dump(mode="json", exclude_none=True)
    return IssueRow(**row, from_=ends[0], to=ends[1])


def _figure(dataset: DataSet, issues: Sequence[Issue], read: Sequence[str]) -> Figure | None:
    """Return the sessions under each other with the places of what was found, the worst first."""
    placed = [i for i in issues if i.start_s is not None and i.end_s is not None and i.session_id]
    if not placed:
        return None
    kinds = list(dict.fromkeys(i.kind for i in placed))
    tints: dict[str, Colour] = {kind: _TINTS[n % len(_TINTS)] for n, kind in enumerate(kinds)}
    parts: dict[str, list[Part]] = {}
    for i in placed:
        length = dataset.duration_of(str(i.session_id))
        start, end = float(i.start_s or 0.0), float(i.end_s or 0.0)
        part = Part(start=start, end=max(end, start + length / 300), colour=tints[i.kind])
        parts.setdefault(str(i.session_id), []).append(part)
    order = [*parts, *(s for s in read if s not in parts)]
    texts = {
        s: ", ".join(dict.fromkeys(i.kind for i in placed if i.session_id == s)) for s in parts
    }
    rows = tuple(
        Row(name=s, length=dataset.duration_of(s), parts=tuple(parts.get(s, ())),
            text=texts.get(s, ""))
        for s in order[:MOST_ROWS]
    )  # fmt: skip
    told = "; ".join(f"{i.kind} in {i.session_id}" for i in placed[:5])
    left = len(order) - len(rows)
    return Figure(
        title="Where it was found", panels=(Timeline(title="Sessions", rows=rows),),
        alt=f"A timeline of {len(order)} sessions. {told}.",
        note=f"{left} more sessions are in the result." if left > 0 else "",
    )  # fmt: skip


_TINTS: tuple[Colour, ...] = ("b", "a", "d", "c", "e", "f")


CHECK_DATA = ToolDef(
    1,
    a.CheckData,
    check_data,
    "Check the data for gaps, stuck sensors, clipping, repeats, odd units, label and split faults.",
)
