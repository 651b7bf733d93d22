"""What a forecast is fitted, calibrated and judged on: windows with their known future."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.data.units import duration_text
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Plan, check_forecast, cut, encode_all, parts_of
from tool_use_om.tools.encode.rules import MIN_PATCHES
from tool_use_om.tools.look.selection import Segment, select

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.forecast.batch import ForecastBatch
    from tool_use_om.tokenizers.tokens import Tokens
    from tool_use_om.tokenizers.windows.windows import WindowBatch


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be forecast: which channels, how far, of which activity (None = any).

    Parameters
    ----------
    by_samples : no window can be encoded, so that only models of samples answer
    from_s : what is told begins so many seconds behind the end: tomorrow is not the next 24 hours
    """

    channels: tuple[str, ...]
    horizon_s: float
    label: str | None
    by_samples: bool = False
    from_s: float = 0.0


def split_segments(
    plan: Plan, working_set: WorkingSet, split: str, label: str | None
) -> list[Segment]:
    """Return the stretches of one split: those with the label, or whole sessions.

    Raises
    ------
    DataError : there is none
    """
    if plan.dataset.manifest.by_time and label is None:
        return _blocks(plan.dataset, working_set, split)
    narrowed = WorkingSet().but(
        split=split, labels=(label,) if label else (), subjects=working_set.subjects
    )
    return list(select(plan.dataset, narrowed).segments)


def _blocks(dataset: DataSet, working_set: WorkingSet, split: str) -> list[Segment]:
    """Return the blocks of a split; those held out with the free time before them, as context."""
    parts = parts_of(dataset, split, lead=split != "train")
    if working_set.subjects:
        table = dataset.sessions()
        held = set(table.loc[table["subject_id"].isin(working_set.subjects), "session_id"])
        parts = [p for p in parts if p.session_id in held]
    if not parts:
        raise DataError(
            f"{dataset.name} has nothing in the split {split!r}: {dataset.manifest.split_rule}. "
            "Import a longer series, or more of them."
        )
    return parts


def judged_from(dataset: DataSet, batch: ForecastBatch, split: str) -> ForecastBatch:
    """Return the windows whose future lies in a block of the split, not in the gap before it.

    Where sessions are whole, all of them.
    """
    import numpy as np

    if not dataset.manifest.by_time or split == "train":
        return batch
    parts = dataset.split_parts(split)
    columns = (parts[c].tolist() for c in ("session_id", "start_s", "end_s"))
    blocks = list(zip(*columns, strict=True))
    ends = batch.windows.start_s + batch.windows.window_s
    kept = [
        i
        for i, (name, end) in enumerate(zip(batch.windows.session_ids, ends, strict=True))
        if any(s == name and low - 1e-6 <= end < high for s, low, high in blocks)
    ]
    return batch.select(np.array(kept, dtype=np.int64))


BY_TIME_SHARE = 2 / 3  # of a held-out block and its lead that context and horizon may take
BY_TIME_WINDOWS = 96  # to learn from in one series, about
BY_TIME_HELD_OUT = 24


def fit_one_series(
    plan: Plan, stretches: Mapping[str, Sequence[Segment]], horizon_s: float
) -> Plan:
    """Return the plan with a window and stride for sessions that are split by time.

    Context and horizon take at most two thirds of what is held out, twice the horizon at least
    where that leaves room; the stride is short, so that one series gives many windows.

    Raises
    ------
    DataError : a horizon that leaves no room for a context of two patches
    """
    check_forecast(plan.config)
    step = 1 / plan.rate_hz
    room = min(max(s.duration_s for s in parts) for parts in stretches.values())
    least = MIN_PATCHES * plan.patch_s
    if horizon_s > room - least + 1e-9:
        raise DataError(
            f"`horizon_s` must be in (0, {max(room - least, 0):g}], got {horizon_s:g}: the part "
            f"held out of this series is {duration_text(room)} long and must hold the context of "
            f"at least {duration_text(least)}, too. Ask for at most "
            f"{duration_text(max(room - least, 0))}, or import a longer series."
        )
    most = max(BY_TIME_SHARE * room - horizon_s, min(2 * horizon_s, room - horizon_s - 2 * step))
    patches = max(int(min(plan.config.window_s, most) / plan.patch_s + 1e-9), MIN_PATCHES)
    window = patches * plan.patch_s
    counts = {"train": BY_TIME_WINDOWS, "calibration": BY_TIME_HELD_OUT, "test": BY_TIME_HELD_OUT}
    strides = [
        sum(max(s.duration_s - window - horizon_s, 0.0) for s in parts) / counts[split]
        for split, parts in stretches.items()
    ]
    samples = max(int(min(plan.config.stride_s, *strides) * plan.rate_hz), 1)
    note = (
        ""
        if math.isclose(window, plan.config.window_s)
        else f"The context is {patches * plan.patch_s * plan.rate_hz:g} samples, so that it and "
        "the horizon fit into each block of the series."
    )
    return plan.with_window(window, samples / plan.rate_hz, note)


def judgeable(plan: Plan, stretches: Mapping[str, Sequence[Segment]], request: Request) -> Plan:
    """Return the plan with the longest context that lets most held-out sessions be judged.

    A context nearly as long as the sessions leaves no window with a whole future where the end of
    a session is missing; it is halved while that lets more sessions be judged.
    """
    best, most = plan, _n_judged(plan, stretches["test"], request)
    patches = round(plan.config.window_s / plan.patch_s)
    while most < len({s.session_id for s in stretches["test"]}) and patches // 2 >= MIN_PATCHES:
        patches //= 2
        window = patches * plan.patch_s
        stride = min(plan.config.stride_s, window / 2)
        samples = max(round(stride * plan.rate_hz), 1)
        note = (
            f"The context is {window:g} s, so that held-out sessions with missing ends can be "
            "judged, too."
        )
        shorter = plan.with_window(window, samples / plan.rate_hz, note)
        n = _n_judged(shorter, stretches["test"], request)
        if n > most:
            best, most = shorter, n
    return best


def _n_judged(plan: Plan, segments: Sequence[Segment], request: Request) -> int:
    """Return how many sessions have a window whose future is measured up to the horizon."""
    import numpy as np

    windows = cut(plan, segments)
    columns = [windows.channels.index(c) for c in request.channels]
    ahead = round(request.horizon_s * plan.rate_hz)
    length = windows.values.shape[2]
    found: set[str] = set()
    for s in segments:
        whole_s = cut(plan.with_window(s.duration_s, s.duration_s), [s])
        grid = np.asarray(whole_s.mask[0, columns].any(axis=0))
        first = np.rint(
            (windows.start_s[np.array(windows.session_ids) == s.session_id] - s.start_s)
            * plan.rate_hz
        ).astype(np.int64)
        at = first + length + ahead - 1
        whole = at[(at < len(grid)) & (first >= 0)]
        if grid[whole].any():
            found.add(s.session_id)
    return len(found)


def fit_window(plan: Plan, segments: Sequence[Segment], horizon_s: float) -> Plan:
    """Return the plan with a window that leaves room for the horizon in half of the segments.

    The stride is shortened where segments are hardly longer than window and horizon together, so
    that each still gives several windows with a known future.

    Raises
    ------
    DataError : a horizon that leaves no room for the shortest context of two patches, or
        overlapping patches or super-patches
    """
    check_forecast(plan.config)
    room = median(s.duration_s for s in segments)
    least = MIN_PATCHES * plan.patch_s
    if horizon_s > room - least + 1e-9:
        raise DataError(
            f"`horizon_s` must be in (0, {max(room - least, 0):g}], got {horizon_s:g}: half of the "
            f"stretches to learn from last at most {room:g} s, and the context needs {least:g} s. "
            "Shorten it, or choose longer sessions."
        )
    window, note = plan.config.window_s, ""
    if window + horizon_s > room + 1e-9:
        patches = int((room - horizon_s) / plan.patch_s + 1e-9)
        window = patches * plan.patch_s
        note = (
            f"The context is {window:g} s, not {plan.config.window_s:g} s: stretches of "
            f"{room:g} s must hold it and the horizon of {horizon_s:g} s."
        )
    slack = max(room - window - horizon_s, 0.0) / 3
    samples = max(round(min(plan.config.stride_s, slack) * plan.rate_hz), 1)
    return plan.with_window(window, samples / plan.rate_hz, note)


Contexts = tuple["WindowBatch", "Tokens"]


def contexts_of(ctx: ToolContext, plan: Plan, segments: Sequence[Segment]) -> Contexts:
    """Cut and encode the segments' windows, those without a whole patch included."""
    return cut(plan, segments), encode_all(ctx, plan, segments, allow_empty=True)


def answerable(
    contexts: Mapping[str, Contexts], request: Request, patch_s: float
) -> tuple[Request, list[str]]:
    """Return the request with the channels that every split has contexts of, and what changed.

    A channel that the fewest windows hold is left out until some windows of each split hold all the
    others. Where no channel has a window that can be encoded, samples alone are forecast from.

    Raises
    ------
    DataError : a split without any value of the asked channels
    """
    for by_samples in (False, True):
        asked = replace(request, by_samples=by_samples)
        kept = _held_together([_held(*own, asked) for own in contexts.values()])
        if not kept:
            continue
        channels = tuple(request.channels[i] for i in kept)
        notes = []
        if len(kept) < len(request.channels):
            left = ", ".join(c for c in request.channels if c not in channels)
            notes.append(f"Left out, as too little of it was measured without gaps: {left}.")
        if by_samples:
            notes.append(
                f"No stretch of {duration_text(patch_s)} is without a gap, so models of single "
                "values answer, without the encoder."
            )
        return replace(asked, channels=channels), notes
    raise DataError(
        f"{', '.join(request.channels)}: no value in a part of the series that is needed to learn "
        "from or to check with. Choose another channel."
    )


def _held(windows: WindowBatch, tokens: Tokens, request: Request) -> np.ndarray:
    """Which asked channels (n, C) each window holds a whole patch of, or a sample."""
    import numpy as np

    columns = [tokens.channels.index(c) for c in request.channels]
    mask = windows.mask if request.by_samples else tokens.mask
    return np.asarray(mask[:, columns].any(axis=2))


def _held_together(parts: Sequence[np.ndarray]) -> list[int]:
    """Return which columns some row of each part (n, C) holds all of, the fullest ones."""
    fewest = [min(int(part[:, i].sum()) for part in parts) for i in range(parts[0].shape[1])]
    kept = [i for i, n in enumerate(fewest) if n]
    while kept and not all(part[:, kept].all(axis=1).any() for part in parts):
        kept.remove(min(kept, key=lambda i: fewest[i]))
    return kept


def known_future(windows: WindowBatch, tokens: Tokens, request: Request) -> ForecastBatch:
    """Join windows and their tokens with the future of the windows, as far as it is known.

    A window in which an asked channel is all gap is no context for it, yet what it holds is the
    future of others.
    """
    from tool_use_om.heads.forecast.batch import make_forecast_batch

    kept = _with_context(windows, tokens, request)
    return make_forecast_batch(
        windows.select(kept), tokens.select(kept), horizon_s=request.horizon_s, sessions=windows
    )


def _with_context(windows: WindowBatch, tokens: Tokens, request: Request) -> np.ndarray:
    """Return the windows that are a context of each asked channel.

    Raises
    ------
    DataError : there is none
    """
    import numpy as np

    kept = np.flatnonzero(_held(windows, tokens, request).all(axis=1))
    if not len(kept):
        raise DataError(
            f"There is no stretch of {duration_text(tokens.patch_s)} without a gap of "
            f"{', '.join(request.channels)} to forecast from. Choose other channels or sessions."
        )
    return kept


def with_whole_future(batch: ForecastBatch, request: Request) -> ForecastBatch:
    """Return the windows whose future is known up to the end of the horizon.

    Raises
    ------
    DataError : there is none
    """
    import numpy as np

    columns = [batch.windows.channels.index(c) for c in request.channels]
    if batch.future_mask is None:
        raise DataError("These windows have no known future.")
    whole = batch.future_mask[:, columns, -1].any(axis=1)
    if not whole.any():
        raise DataError(
            f"No held-out stretch has measured values for {request.horizon_s:g} s after a context "
            f"of {batch.windows.window_s:g} s. Ask for a shorter horizon, or give a shorter "
            "window_s to configure_tokenizer."
        )
    return batch.select(np.flatnonzero(whole))


def measured_end(plan: Plan, segment: Segment, request: Request) -> Segment:
    """Return a segment up to the last value that one of the asked channels has in it."""
    import numpy as np

    last = -1.0
    for signal in plan.dataset.read(
        segment.session_id, request.channels, segment.start_s, segment.end_s
    ):
        known = signal.time_s[np.isfinite(signal.values).any(axis=1)]
        last = max(last, float(known[-1]) + 1 / signal.rate_hz if known.size else -1.0)
    if last < 0 or last > segment.end_s - 1.5 / plan.rate_hz:
        return segment
    return replace(segment, end_s=last)


def last_windows(
    ctx: ToolContext, plan: Plan, segments: Sequence[Segment], request: Request
) -> ForecastBatch:
    """Return one window for each segment, ending where its values end; its future is unknown.

    A segment in whose last window an asked channel is all gap is left out.
    """
    from tool_use_om.heads.forecast.batch import ForecastBatch

    window_s = plan.config.window_s
    segments = [measured_end(plan, s, request) for s in segments]
    ends = [
        Segment(
            session_id=s.session_id,
            start_s=max(round(s.end_s - window_s, 9), 0.0),
            end_s=s.end_s,
            label=s.label,
        )
        for s in segments
    ]
    windows, tokens = contexts_of(ctx, plan, ends)
    kept = _with_context(windows, tokens, request)
    return ForecastBatch(windows=windows.select(kept), tokens=tokens.select(kept))
