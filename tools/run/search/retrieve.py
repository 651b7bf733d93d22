"""run_task for task "retrieve": stretches like a query, or sessions unlike the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.content import Span
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.names import resolve_name, resolve_sessions
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Plan, Stopwatch, encode, plan_encoding, without_filters
from tool_use_om.tools.look.selection import (
    SHOWN,
    Segment,
    label_at,
    label_names,
    open_current,
    select,
)
from tool_use_om.tools.run.finish import finish_run
from tool_use_om.tools.run.search.figures import neighbours_figure, ranking_figure
from tool_use_om.tools.run.search.found import (
    NeighbourRow,
    NeighboursFound,
    RankedSession,
    Searched,
    SessionsRanked,
)
from tool_use_om.tools.run.search.motifs import run_motifs

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.contract.base import RetrievalHead
    from tool_use_om.heads.contract.results import Neighbour

DEFAULT_HEAD = "similarity"
STEPS_PER_QUERY = 4  # windows to search begin every quarter of the query's length


def run_retrieve(ctx: ToolContext, working_set: WorkingSet, args: a.RunTask) -> ToolOutcome:
    """Search for stretches like the query, or rank a label's sessions by how unlike they are."""
    if args.query_session is not None:
        return _search(ctx, working_set, args)
    if working_set.head == "motif":
        return run_motifs(ctx, working_set, args)
    label = args.target_label or next(iter(working_set.labels), None)
    if label is None:
        raise DataError(
            "Give query_session with query_start_s and query_end_s to search for its like, or "
            "target_label to rank the sessions of that label; head 'motif' finds what recurs."
        )
    return _rank(ctx, working_set, args, label)


def query_segment(dataset: DataSet, args: a.RunTask) -> Segment:
    """Return the query's stretch; a bound that is not given is the session's own.

    Raises
    ------
    NotFoundError : an unknown session
    DataError : a stretch outside the session; the message says its range
    """
    ids = dataset.sessions()["session_id"].tolist()
    (session_id,) = resolve_sessions([args.query_session or ""], ids)
    duration = dataset.duration_of(session_id)
    start = args.query_start_s or 0.0
    end = duration if args.query_end_s is None else args.query_end_s
    if not 0 <= start < end <= duration + 1e-6:
        raise DataError(
            f"The query must lie inside session {session_id!r}, 0 to {duration:g} s, and start "
            f"before it ends; got {start:g} to {end:g} s. Choose a range inside it."
        )
    return Segment(session_id=session_id, start_s=start, end_s=min(end, duration))


def _search(ctx: ToolContext, working_set: WorkingSet, args: a.RunTask) -> ToolOutcome:
    dataset = open_current(ctx, working_set)
    query = query_segment(dataset, args)
    clock = Stopwatch()
    plan = _plan_for_query(plan_encoding(ctx, without_filters(working_set)), query)
    pool = _searched(dataset, working_set, args)
    with clock.lap("encode_s"):
        asked = encode(ctx, plan, [query]).select([0])
        tokens = encode(ctx, plan, pool)
    with clock.lap("fit_s"):
        head = _head(working_set).fit(tokens)
    with clock.lap("predict_s"):
        found = head.query(asked, args.k)
    rows = [_row(dataset, n) for n in found]
    content = NeighboursFound(
        task="retrieve",
        head=head.name,
        query=Span(session_id=query.session_id, start_s=query.start_s, end_s=query.end_s),
        channels=list(plan.channels),
        n_searched=Searched(sessions=len({s.session_id for s in pool}), windows=len(tokens)),
        neighbours=rows[:SHOWN],
        notes=list(plan.notes),
    )
    return finish_run(
        ctx,
        working_set,
        args,
        plan,
        content=content,
        detail={"neighbours": [row.to_json() for row in rows]},
        clock=clock,
        figures={"neighbours": neighbours_figure(dataset, plan.channels, query, rows)},
    )


def _rank(ctx: ToolContext, working_set: WorkingSet, args: a.RunTask, label: str) -> ToolOutcome:
    from tool_use_om.heads.search.unlike import rank_sessions

    dataset = open_current(ctx, working_set)
    label = resolve_name("label", label, label_names(dataset))
    clock = Stopwatch()
    plan = plan_encoding(ctx, without_filters(working_set))
    segments = _searched(dataset, working_set.but(labels=(label,)), args)
    with clock.lap("encode_s"):
        tokens = encode(ctx, plan, segments)
    with clock.lap("predict_s"):
        ranking = rank_sessions(tokens)
    rows = [RankedSession(**vars(row)) for row in ranking.rows]
    content = SessionsRanked(
        task="retrieve",
        head=DEFAULT_HEAD,
        target_label=label,
        channels=list(plan.channels),
        n_sessions=len(rows),
        most_unlike=rows[0],
        most_typical=rows[-1],
        ranking=[RankedSession(session_id=r.session_id, distance=r.distance) for r in rows[:SHOWN]],
        meaning="distance: median distance in token space to the label's other sessions",
        notes=list(plan.notes),
    )
    return finish_run(
        ctx,
        working_set,
        args,
        plan,
        content=content,
        detail={"ranking": [row.to_json() for row in rows]},
        clock=clock,
        figures={"ranking": ranking_figure(label, rows)},
    )


def _plan_for_query(plan: Plan, query: Segment) -> Plan:
    """Cut windows as long as the query, starting every quarter of it."""
    least = plan.patch_s
    if query.duration_s < least - 1e-9:
        raise DataError(
            f"The query must last at least one patch, {least:g} s at {plan.rate_hz:g} Hz; got "
            f"{query.duration_s:g} s. Choose a longer range."
        )
    samples = max(round(query.duration_s / STEPS_PER_QUERY * plan.rate_hz), 1)
    return plan.with_window(query.duration_s, samples / plan.rate_hz)


def _searched(dataset: DataSet, working_set: WorkingSet, args: a.RunTask) -> list[Segment]:
    """The selected stretches to search through or to rank."""
    from tool_use_om.tools.look.selection import with_filters

    narrowed = with_filters(dataset, working_set, a.SessionFilters(sessions=args.sessions))
    return list(select(dataset, narrowed).segments)


def _head(working_set: WorkingSet) -> RetrievalHead:
    from tool_use_om.heads.contract.base import RetrievalHead
    from tool_use_om.heads.registry import make_head

    head = make_head(working_set.head or DEFAULT_HEAD, **working_set.head_params)
    if not isinstance(head, RetrievalHead):
        raise DataError(f"The head {working_set.head!r} does not search. Call select_task_head.")
    return head


def _row(dataset: DataSet, neighbour: Neighbour) -> NeighbourRow:
    return NeighbourRow(**{**vars(neighbour), "label": label_at(dataset, neighbour)})
