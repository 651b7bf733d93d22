"""Why stretches are alike or unlike: what their levels and scales say, channel by channel."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.places import read
from tool_use_om.tools.encode.plan import cut, plan_encoding, without_filters
from tool_use_om.tools.look.selection import open_current, select, with_filters
from tool_use_om.tools.run.finish import Run, segment_of
from tool_use_om.tools.run.search.anomaly import usual_segments
from tool_use_om.tools.run.search.found import (
    MotifsFound,
    NeighbourRow,
    NeighboursFound,
    SessionsRanked,
    UnusualFound,
)
from tool_use_om.tools.run.signal_facts import rhythm

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.tokenizers.windows.windows import WindowBatch

SHOWN_REASONS = 3
FLOOR = 1e-9


def explain_retrieve(ctx: ToolContext, run: Run) -> dict[str, Any]:
    """Explain a search by its neighbours' labels and rhythm, a ranking by what sets it apart."""
    if NeighboursFound.key in run.data:
        return _explain_search(ctx, run)
    if MotifsFound.key in run.data:
        raise DataError(
            "A search for what recurs already says where and how alike its stretches are; there is "
            "nothing further to explain. Search from one of them (query_session, query_start_s, "
            "query_end_s) and explain that."
        )
    plan = plan_encoding(ctx, without_filters(run.working_set))
    found = run.found(SessionsRanked)
    label, odd = str(found.target_label), str(found.most_unlike.session_id)
    narrowed = with_filters(
        plan.dataset, run.working_set, a.SessionFilters(sessions=run.args.sessions)
    ).but(labels=(label,))
    segments = select(plan.dataset, narrowed).segments
    own = cut(plan, [s for s in segments if s.session_id == odd])
    others = cut(plan, [s for s in segments if s.session_id != odd])
    return {
        "target_label": label,
        "session_id": odd,
        "set_apart_by": set_apart(own, others),
        "own_rhythm": rhythm(own, ctx.seed),
        "others_rhythm": rhythm(others, ctx.seed),
    }


def explain_anomaly(ctx: ToolContext, run: Run) -> dict[str, Any]:
    """Explain the strangest window by what sets it apart from the usual ones."""
    plan = plan_encoding(ctx, without_filters(run.working_set))
    top = run.found(UnusualFound).most_unusual
    dataset = open_current(ctx, run.working_set)
    own = segment_of(top)
    usual, _ = usual_segments(dataset, run.working_set, own)
    return {
        "session_id": own.session_id,
        "start_s": own.start_s,
        "end_s": own.end_s,
        "p_value": top.p_value,
        "unusual": top.unusual,
        "set_apart_by": set_apart(cut(plan, [own]), cut(plan, usual)),
    }


def _explain_search(ctx: ToolContext, run: Run) -> dict[str, Any]:
    rows = [read(NeighbourRow, row) for row in run.data["detail"]["neighbours"]]
    own = segment_of(run.found(NeighboursFound).query)
    plan = plan_encoding(ctx, without_filters(run.working_set))
    plan = plan.with_window(own.duration_s, own.duration_s)
    labels = Counter(str(row.label) for row in rows)
    common, count = labels.most_common(1)[0]
    near = [segment_of(row) for row in rows]
    return {
        "labels": dict(labels),
        "most_common_label": common,
        "most_common_frac": count / len(rows),
        "query_rhythm": rhythm(cut(plan, [own]), ctx.seed),
        "neighbours_rhythm": rhythm(cut(plan, near), ctx.seed),
        "nearest_to_farthest": rows[-1].distance / max(rows[0].distance, FLOOR),
    }


def set_apart(own: WindowBatch, others: WindowBatch) -> list[dict[str, Any]]:
    """Return the levels and spreads in which `own` differs most from `others`.

    Returns
    -------
    list of channel, feature ("mean" or "std" of a window), value and others_median in `unit`, and
    z: how many of the others' standard deviations lie between them
    """
    import numpy as np

    mine, theirs = _features(own), _features(others)
    rows: list[dict[str, Any]] = []
    for name, values in theirs.items():
        middle, spread = np.nanmedian(values, axis=0), np.nanstd(values, axis=0)
        value = np.nanmean(mine[name], axis=0)
        for i, channel in enumerate(own.channels):
            rows.append(
                {
                    "channel": channel,
                    "feature": name,
                    "value": float(value[i]),
                    "others_median": float(middle[i]),
                    "unit": own.units[i],
                    "z": float((value[i] - middle[i]) / max(float(spread[i]), FLOOR)),
                }
            )
    return sorted(rows, key=lambda r: -abs(r["z"]))[:SHOWN_REASONS]


def _features(windows: WindowBatch) -> dict[str, np.ndarray]:
    """Mean and standard deviation of each window and channel, each (B, C)."""
    import numpy as np

    count = np.maximum(windows.mask.sum(axis=2), 1)
    mean = windows.values.sum(axis=2, dtype=np.float64) / count
    gap = np.where(windows.mask, windows.values - mean[..., None], 0.0)
    return {"mean": mean, "std": np.sqrt((gap**2).sum(axis=2) / count)}
