"""run_task with head "motif": the stretches of the selected sessions that repeat best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import (
    Plan,
    Stopwatch,
    encode,
    plan_encoding,
    tokenizer_spec,
    without_filters,
)
from tool_use_om.tools.encode.rules import MIN_PATCHES
from tool_use_om.tools.look.selection import (
    SHOWN,
    Segment,
    label_at,
    open_current,
    select,
    with_filters,
)
from tool_use_om.tools.run.finish import finish_run
from tool_use_om.tools.run.search.figures import motifs_figure
from tool_use_om.tools.run.search.found import MotifRow, MotifsFound, Searched, Stretch

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.contract.results import Motif, Neighbour
    from tool_use_om.heads.numeric.distance_profile import Signal
    from tool_use_om.heads.search.motif import MotifSearch

_MOST_LAGS = 200_000  # samples in which a cycle is looked for
MEANING = (
    "distance: between the samples of the two stretches, each channel brought to mean 0 and "
    "deviation 1; 0 = the same shape"
)


def run_motifs(ctx: ToolContext, working_set: WorkingSet, args: a.RunTask) -> ToolOutcome:
    """Find the k pairs of stretches that repeat each other best; they last `window_s` seconds.

    Tokens, which come in whole patches, say where to look; the length is kept to the sample.

    Raises
    ------
    DataError : sessions that hold no stretch of that length twice
    """
    dataset = open_current(ctx, working_set)
    narrowed = with_filters(dataset, working_set, a.SessionFilters(sessions=args.sessions))
    segments = list(select(dataset, narrowed).segments)
    clock = Stopwatch()
    plan = plan_encoding(ctx, without_filters(working_set))
    working_set, note = _of_cycle(working_set, plan, segments)
    with clock.lap("encode_s"):
        wide = _wide(plan, working_set)
        tokens = encode(ctx, wide, segments)
    with clock.lap("fit_s"):
        head = _head(working_set, plan).fit(tokens)
    with clock.lap("predict_s"):
        signal = _signal(plan, segments, _length_s(working_set, plan))
        found = head.motifs(signal, args.k)
    length_s = signal.length / signal.rate_hz
    if not found:
        raise DataError(
            f"Nothing of {length_s:g} s comes twice in {len(segments)} stretches without "
            "overlapping itself. Choose a shorter window_s, or longer sessions."
        )
    rows = [_row(dataset, motif) for motif in found]
    return finish_run(
        ctx,
        working_set,
        args,
        plan,
        content=MotifsFound(
            task="retrieve",
            head=head.name,
            length_s=length_s,
            channels=list(plan.channels),
            n_searched=Searched(sessions=len({s.session_id for s in segments})),
            motifs=rows[:SHOWN],
            meaning=MEANING,
            notes=[*plan.notes, *([note] if note else [])],
        ),
        detail={"motifs": [row.to_json() for row in rows]},
        clock=clock,
        figures={"motif": motifs_figure(dataset, plan.channels, rows)},
    )


def _of_cycle(
    working_set: WorkingSet, plan: Plan, segments: Sequence[Segment]
) -> tuple[WorkingSet, str]:
    """Set a motif as long as the main cycle of the longest stretch, where nobody said how long."""
    import numpy as np

    from tool_use_om.heads.numeric.season import main_cycle

    config = working_set.tokenizer_config
    said = working_set.head_params.get("length_s") or (config is not None and config.window_s)
    if said:
        return working_set, ""
    longest = max(segments, key=lambda s: s.duration_s)
    found = []
    for signal in plan.dataset.read(
        longest.session_id, plan.channels, longest.start_s, longest.end_s
    ):
        even = np.arange(signal.time_s[0], signal.time_s[-1], 1 / signal.rate_hz)[:_MOST_LAGS]
        for values in signal.values.T:
            known = np.isfinite(values)
            if known.sum() > 2:
                series = np.interp(even, signal.time_s[known], values[known])
                found.append(main_cycle(series, signal.rate_hz))
    cycles = [c for c in found if c is not None]
    if not cycles:
        return working_set, ""
    main = max(cycles, key=lambda c: c.strength).period_s
    least = MIN_PATCHES * plan.patch_s
    length = round(round(main * max(1.0, np.ceil(least / main)) * plan.rate_hz) / plan.rate_hz, 6)
    if not least <= length <= longest.duration_s / 3:
        return working_set, ""
    params = {**working_set.head_params, "length_s": length}
    note = f"No length was said: {length:g} s, the main cycle, was taken."
    return working_set.but(head_params=params), note


def _wide(plan: Plan, working_set: WorkingSet) -> Plan:
    """Cut windows as long as the encoder takes, each stretch in about two of them.

    Their starts are no whole patches apart, so that a stretch is seen at two places of its patches.
    """
    length = max(1, round(plan.config.window_s * plan.rate_hz))
    patch = max(1, round(plan.patch_s * plan.rate_hz))
    longest = max(tokenizer_spec(working_set).native_context, length)
    room = max((longest - length) // 2, patch)
    stride = max(room // patch * patch - patch // 2, 1)
    return plan.with_window(longest / plan.rate_hz, stride / plan.rate_hz)


def _head(working_set: WorkingSet, plan: Plan) -> MotifSearch:
    from tool_use_om.heads.registry import make_head

    params = {**working_set.head_params, "length_s": _length_s(working_set, plan)}
    return cast("MotifSearch", make_head("motif", **params))


def _length_s(working_set: WorkingSet, plan: Plan) -> float:
    """Return the length asked for: the head's own setting, else the window's."""
    return float(working_set.head_params.get("length_s") or plan.config.window_s)


def _signal(plan: Plan, segments: list[Segment], length_s: float) -> Signal:
    """Return the samples of the sessions, NaN outside the segments."""
    import numpy as np

    from tool_use_om.heads.forecast.batch import whole_sessions
    from tool_use_om.heads.numeric.distance_profile import Signal

    names = list(dict.fromkeys(s.session_id for s in segments))
    sessions = whole_sessions(plan.dataset, names, plan.channels, plan.config)
    wanted = np.zeros((len(names), sessions.values.shape[2]), dtype=bool)
    for s in segments:
        first, last = (round(t * plan.rate_hz) for t in (s.start_s, s.end_s))
        wanted[names.index(s.session_id), first:last] = True
    masked = replace(sessions, mask=sessions.mask & wanted[:, None])
    return Signal.of(masked, max(4, round(length_s * plan.rate_hz)))


def _row(dataset: DataSet, motif: Motif) -> MotifRow:
    first, second = _stretch(dataset, motif.first), _stretch(dataset, motif.second)
    return MotifRow(distance=motif.distance, first=first, second=second)


def _stretch(dataset: DataSet, found: Neighbour) -> Stretch:
    label = label_at(dataset, found)
    return Stretch(
        session_id=found.session_id, start_s=found.start_s, end_s=found.end_s, label=label
    )
