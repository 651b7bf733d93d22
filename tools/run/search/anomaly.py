"""run_task for task "anomaly": is a stretch of a session unlike everything usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.data.units import duration_text
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.gaps import joined_throughout, with_joined_gaps
from tool_use_om.tools.encode.plan import (
    Plan,
    Stopwatch,
    cut,
    encode_all,
    parts_of,
    plan_encoding,
    whole,
    without_filters,
)
from tool_use_om.tools.encode.rules import MIN_PATCHES, MOVEMENT_RATE_HZ
from tool_use_om.tools.look.clock import told_zone
from tool_use_om.tools.look.selection import SHOWN, Segment, label_at, open_current, select
from tool_use_om.tools.run.finish import finish_run, segment_of
from tool_use_om.tools.run.measures import Coverage
from tool_use_om.tools.run.search.figures import scores_figure
from tool_use_om.tools.run.search.found import (
    Amount,
    Irregular,
    Outlier,
    Scan,
    ScoredWindow,
    ScorePart,
    ThresholdCoverage,
    TopWindow,
    UnusualFound,
)
from tool_use_om.tools.run.search.retrieve import query_segment

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.contract.base import AnomalyHead
    from tool_use_om.heads.search import outliers
    from tool_use_om.tokenizers.tokens import Tokens

DEFAULT_HEAD = "ensemble"


def run_anomaly(ctx: ToolContext, working_set: WorkingSet, args: a.RunTask) -> ToolOutcome:
    """Score the windows of one session against the usual ones of other sessions."""
    dataset = open_current(ctx, working_set)
    if args.query_session is None:
        raise DataError("Give query_session: the session to check for unusual stretches.")
    query = query_segment(dataset, args)
    clock = Stopwatch()
    plan = _series_window(plan_encoding(ctx, without_filters(working_set)), query)
    plan, gaps = _bridged(plan, query)
    plan, by_values = _readable(ctx, with_joined_gaps(plan, [query], plan.channels), query)
    alone = _alone(dataset, working_set, plan.channels, query)
    plan = _by_itself(plan, query) if alone else plan
    usual, check = usual_segments(dataset, working_set, query)
    if alone:
        usual, check = whole(dataset, [query.session_id]), {}
    unfitted = _head(working_set)
    with clock.lap("encode_s"):
        asked = _encoded(ctx, plan, [query], unfitted)
        parts = {k: _encoded(ctx, plan, own, unfitted) for k, own in check.items()}
        held_out = {name: part for name, part in parts.items() if len(part)}
        tokens = _encoded(ctx, plan, usual, unfitted)
        if not len(tokens):
            tokens, held_out = asked, {}
    with clock.lap("fit_s"):
        head = unfitted.fit(tokens)
        if "calibration" in held_out:
            head.calibrate(held_out["calibration"])
    with clock.lap("predict_s"):
        threshold = head.threshold(args.coverage)
        rows = _rows(asked, head, threshold)
        scanned = _scanned(dataset, plan.channels, query, alone=alone or by_values)
    seen: dict[str, Any] = {**_parts(head, asked), **scanned, **gaps}
    return finish_run(
        ctx,
        working_set,
        args,
        plan,
        content=UnusualFound(
            task="anomaly",
            head=head.name,
            query_session=query.session_id,
            channels=list(plan.channels),
            compared_with=Amount(n_sessions=len(set(tokens.session_ids)), n_windows=len(tokens)),
            n_windows=len(rows),
            n_unusual=sum(r.unusual for r in rows),
            threshold=threshold,
            most_unusual=TopWindow(
                **rows[0].to_json(), label=label_at(dataset, segment_of(rows[0]))
            ),
            windows=rows[:SHOWN],
            **seen,
            coverage=_coverage(head, threshold, args.coverage, held_out),
            notes=list(plan.notes),
        ),
        detail={"windows": [row.to_json() for row in rows]},
        clock=clock,
        figures={
            "scores": scores_figure(
                dataset,
                plan.channels,
                query,
                rows,
                threshold,
                outliers=scanned["scan"].found if scanned else (),
            )
        },
    )


SERIES_WINDOWS = 40  # windows that one long series is cut into, side by side, to be compared
MOST_TOLD = 8


def _series_window(plan: Plan, query: Segment, *, always: bool = False) -> Plan:
    """Return the plan with a window for a single long series: a fortieth of it."""
    if not plan.dataset.manifest.by_time and not always:
        return plan
    patches = max(int(query.duration_s / SERIES_WINDOWS / plan.patch_s), MIN_PATCHES)
    window_s = patches * plan.patch_s
    if window_s >= plan.config.window_s:
        return plan
    stride_s = max(round(window_s * plan.rate_hz) // 2, 1) / plan.rate_hz
    note = f"Windows of {patches * plan.patch_s * plan.rate_hz:g} samples suit a series this long."
    return plan.with_window(window_s, stride_s, note)


LEVELS_APART = 3.0  # times as far as a session moves: no other session says what is usual
FEWEST_SAMPLES = 500  # of a series that says so itself


def _alone(
    dataset: DataSet, working_set: WorkingSet, channels: Sequence[str], query: Segment
) -> bool:
    """Return whether a session is a long series at a level of its own, to be judged by itself.

    So are the servers of a fleet or the products of a shop. Whoever selects what counts as usual
    is followed; recordings of movement are compared with other recordings.
    """
    chosen = working_set.sessions is not None or working_set.split or working_set.labels
    if chosen or dataset.manifest.by_time:
        return False
    stats = dataset.channel_stats(channels=channels)
    own = stats[stats["session_id"] == query.session_id]
    for channel in own["channel"]:
        rows = stats[stats["channel"] == channel]
        rate = dataset.manifest.rate_of(str(channel))
        long = rate < MOVEMENT_RATE_HZ and query.duration_s * rate >= FEWEST_SAMPLES
        apart = float(rows["mean"].std(ddof=0)) > LEVELS_APART * float(rows["std"].median())
        if long and (apart or len(rows) == 1):
            return True
    return False


def _by_itself(plan: Plan, query: Segment) -> Plan:
    """Return the plan with windows for one long series, and why it is judged by itself."""
    note = (
        f"The sessions lie at levels of their own, so {query.session_id} is compared with the rest "
        "of itself, not with other sessions."
    )
    cut_down = _series_window(plan, query, always=True)
    return replace(cut_down, notes=(*cut_down.notes, note))


def _scanned(
    dataset: DataSet, channels: Sequence[str], query: Segment, *, alone: bool
) -> dict[str, Scan]:
    """Return what stands out in the whole of a long series, sample by sample.

    Sets whose sessions are whole are not scanned so, but where a session is judged by itself:
    elsewhere other sessions say what is usual.
    """
    import numpy as np

    from tool_use_om.heads.search.outliers import scan

    if not dataset.manifest.by_time and not alone:
        return {}
    rows: list[Outlier] = []
    n_samples = 0
    for signal in dataset.read(query.session_id, channels, query.start_s, query.end_s):
        n_samples = max(n_samples, len(signal.time_s))
        for i, channel in enumerate(signal.channels):
            found = scan(np.asarray(signal.values[:, i], dtype=np.float64))
            for o in found.outliers:
                edges = [float(signal.time_s[k]) for k in (o.first, o.last, o.at)]
                dates = dataset.date_texts(query.session_id, edges)
                rows.append(
                    Outlier(
                        session_id=query.session_id,
                        channel=channel,
                        kind=o.kind,
                        start_s=edges[0],
                        end_s=edges[1],
                        at_s=edges[2],
                        value=o.value,
                        unit=signal.units[i],
                        deviations=o.score,
                        **({"date": dates[2]} if dates else {})
                        | _usual(found, o, np.asarray(signal.values[:, i], dtype=np.float64)),
                    )
                )
    rows.sort(key=lambda row: -row.deviations)
    zone = told_zone(dataset.manifest.calendar) if rows and rows[0].date else {}
    told = Scan(n_found=len(rows), n_samples=n_samples, found=rows[:MOST_TOLD], **zone)
    return {"scan": told}


def _usual(found: outliers.Scan, outlier: outliers.Outlier, values: np.ndarray) -> dict[str, Any]:
    """Return where the other values lie; of a step of a price, where the other steps lie, too."""
    import numpy as np

    if outlier.change_frac is None:
        return {"usual_low": found.low, "usual_high": found.high}
    low, high = np.nanquantile(values, [0.01, 0.99])
    return {
        "usual_low": float(low), "usual_high": float(high), "change_frac": outlier.change_frac,
        "step_low_frac": found.low, "step_high_frac": found.high,
    }  # fmt: skip


def usual_segments(
    dataset: DataSet, working_set: WorkingSet, query: Segment
) -> tuple[list[Segment], dict[str, list[Segment]]]:
    """What counts as usual, and what to calibrate and check the threshold on.

    Without a selection: the training split is usual, the other two are held out. A selection is all
    usual, and the threshold is then set by leaving its own windows out in turn. The query's session
    is in none of them.
    """
    chosen = working_set.sessions is not None or working_set.split or working_set.labels
    if chosen:
        found = select(dataset, working_set).segments
        usual = [s for s in found if s.session_id != query.session_id]
        return usual or whole(dataset, [query.session_id]), {}
    if dataset.manifest.by_time:
        held = {k: parts_of(dataset, k) for k in ("calibration", "test")}
        return parts_of(dataset, "train"), {k: parts for k, parts in held.items() if parts}
    table = dataset.sessions()
    others = table[table["session_id"] != query.session_id]
    by_split = {
        str(name): whole(dataset, group["session_id"].tolist())
        for name, group in others.groupby("split")
    }
    usual = by_split.pop("train", [])
    return usual or whole(dataset, [query.session_id]), by_split


def _head(working_set: WorkingSet) -> AnomalyHead:
    from tool_use_om.heads.contract.base import AnomalyHead
    from tool_use_om.heads.registry import make_head

    head = make_head(working_set.head or DEFAULT_HEAD, **working_set.head_params)
    if not isinstance(head, AnomalyHead):
        raise DataError(f"The head {head.name!r} finds no anomalies. Call select_task_head.")
    return head


def _encoded(ctx: ToolContext, plan: Plan, segments: list[Segment], head: AnomalyHead) -> Tokens:
    """Encode what can be, with the extremes of each window for a head that reads them."""
    import numpy as np

    from tool_use_om.tokenizers.encode.extremes import with_extremes

    config = plan.config
    plain = config.fusion == "common" and config.super_s is None
    if not (head.reads_extremes and plain and {"mean", "std"} <= set(config.context_names)):
        tokens = encode_all(ctx, plan, segments, allow_empty=True)
    else:
        encoded = encode_all(ctx, plan, segments, allow_empty=True)
        tokens = with_extremes(encoded, cut(plan, segments))
    return tokens.select(np.flatnonzero(tokens.mask.any(axis=(1, 2))))


def _readable(ctx: ToolContext, plan: Plan, query: Segment) -> tuple[Plan, bool]:
    """Return the plan that can encode the session, and whether all gaps had to be joined for that.

    Raises
    ------
    DataError : too few values for a single patch
    """
    if encode_all(ctx, plan, [query], allow_empty=True).mask.any():
        return plan, False
    joined = joined_throughout(plan, query)
    if encode_all(ctx, joined, [query], allow_empty=True).mask.any():
        return joined, True
    raise DataError(
        f"{query.session_id} has too few values to say what is usual: "
        f"{duration_text(plan.patch_s)} of values are needed. Choose a longer session."
    )


MOST_EMPTY = 0.02  # of an even grid; time stamps that leave more empty are irregular


def _bridged(plan: Plan, query: Segment) -> tuple[Plan, dict[str, Irregular]]:
    """Return the plan that reads irregular time stamps between neighbours farther apart."""
    from tool_use_om.tokenizers.windows.resample import irregular

    found = [
        irregular(signal.time_s, signal.rate_hz)
        for signal in plan.dataset.read(query.session_id, plan.channels, query.start_s, query.end_s)
    ]
    empty, bridge_s = max(found, default=(0.0, 0.0))
    if empty <= MOST_EMPTY:
        return plan, {}
    config = plan.config.model_copy(update={"bridge_s": bridge_s})
    return replace(plan, config=config), {"irregular": Irregular(empty=empty, bridged_s=bridge_s)}


def _rows(asked: Tokens, head: AnomalyHead, threshold: float) -> list[ScoredWindow]:
    """One row a window, the strangest first."""
    scores, p_values = head.score(asked), head.p_values(asked)
    rows = [
        ScoredWindow(
            session_id=asked.session_ids[i],
            start_s=float(asked.window_start_s[i]),
            end_s=float(asked.end_s[i]),
            score=float(scores[i]),
            p_value=float(p_values[i]),
            unusual=bool(scores[i] > threshold),
        )
        for i in range(len(asked))
    ]
    return sorted(rows, key=lambda row: -row.score)


def _parts(head: AnomalyHead, asked: Tokens) -> dict[str, list[ScorePart]]:
    """Return what each view says of the strangest window; nothing for a head of one view."""
    from tool_use_om.heads.search.ensemble import Ensemble

    if not isinstance(head, Ensemble):
        return {}
    strangest = int(head.score(asked).argmax())
    found = head.parts(asked.select([strangest]))
    return {"parts": [ScorePart(view=n, score=float(score[0])) for n, score in found.items()]}


def _coverage(
    head: AnomalyHead, threshold: float, nominal: float, held_out: dict[str, Tokens]
) -> ThresholdCoverage:
    """How many usual windows stay under the threshold: measured on the test split if it is free."""
    from tool_use_om.heads.trust.conformal import measured_coverage

    if "test" not in held_out:
        inside = float((head.reference_ <= threshold).mean())
        n = len(head.reference_)
        return ThresholdCoverage(
            nominal=nominal, empirical=inside, n=n, measured_on="fitted windows"
        )
    tokens = held_out["test"]
    measured = measured_coverage(head.score(tokens) <= threshold, nominal, tokens.session_ids)
    return ThresholdCoverage(**Coverage.of(measured).to_json(), measured_on="test")
