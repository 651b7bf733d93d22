"""What a forecast is fitted, calibrated and judged on: windows with their known future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Plan, check_forecast, cut, encode_all
from tool_use_om.tools.encode.rules import MIN_PATCHES
from tool_use_om.tools.look.selection import Segment, select

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.heads.forecast.batch import ForecastBatch
    from tool_use_om.tokenizers.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be forecast: which channels, how far, of which activity (None = any)."""

    channels: tuple[str, ...]
    horizon_s: float
    label: str | None


def split_segments(
    plan: Plan, working_set: WorkingSet, split: str, label: str | None
) -> list[Segment]:
    """Return the stretches of one split: those with the label, or whole sessions.

    Raises
    ------
    DataError : there is none
    """
    narrowed = WorkingSet().but(
        split=split, labels=(label,) if label else (), subjects=working_set.subjects
    )
    return list(select(plan.dataset, narrowed).segments)


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


def known_future(
    ctx: ToolContext, plan: Plan, segments: Sequence[Segment], request: Request
) -> ForecastBatch:
    """Cut, encode and join the future of the segments' windows, as far as it is known.

    A window in which an asked channel is all gap is no context for it, yet what it holds is the
    future of others.
    """
    from tool_use_om.heads.forecast.batch import make_forecast_batch

    windows, tokens = cut(plan, segments), encode_all(ctx, plan, segments)
    kept = _with_context(tokens, request)
    return make_forecast_batch(
        windows.select(kept), tokens.select(kept), horizon_s=request.horizon_s, sessions=windows
    )


def _with_context(tokens: Tokens, request: Request) -> np.ndarray:
    """Return the windows that hold a whole patch of each asked channel.

    Raises
    ------
    DataError : there is none
    """
    import numpy as np

    columns = [tokens.channels.index(c) for c in request.channels]
    measured = np.asarray(tokens.mask[:, columns].any(axis=2))
    kept = np.flatnonzero(measured.all(axis=1))
    if not len(kept):
        raise DataError(
            f"No window holds a whole patch ({tokens.patch_s:.3g} s without a gap) of "
            f"{', '.join(request.channels)}. Choose other channels, sessions or times."
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
            f"No held-out stretch is long enough for a horizon of {request.horizon_s:g} s after a "
            f"context of {batch.windows.window_s:g} s. Shorten `horizon_s`."
        )
    return batch.select(np.flatnonzero(whole))


def last_windows(
    ctx: ToolContext, plan: Plan, segments: Sequence[Segment], request: Request
) -> ForecastBatch:
    """Return one window for each segment, ending where the segment ends; its future is unknown.

    A segment in whose last window an asked channel is all gap is left out.
    """
    from tool_use_om.heads.forecast.batch import ForecastBatch

    window_s = plan.config.window_s
    ends = [
        Segment(
            session_id=s.session_id,
            start_s=max(round(s.end_s - window_s, 9), 0.0),
            end_s=s.end_s,
            label=s.label,
        )
        for s in segments
    ]
    windows, tokens = cut(plan, ends), encode_all(ctx, plan, ends)
    kept = _with_context(tokens, request)
    return ForecastBatch(windows=windows.select(kept), tokens=tokens.select(kept))
