"""Short and recurring gaps of an even series, joined for the encoder and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tool_use_om.data.units import duration_text
from tool_use_om.tools.encode.plan import Plan
from tool_use_om.tools.look.selection import Segment

if TYPE_CHECKING:
    import numpy as np

ENOUGH = 0.9  # of the patches of every channel are whole: nothing is joined
SHORT = 3  # samples; gaps no longer are joined
RECURS = 5  # gaps of one length, half of all: closed Sundays, nights
MOST_READ = 24  # sessions looked at


def with_joined_gaps(plan: Plan, segments: Sequence[Segment], channels: Sequence[str]) -> Plan:
    """Return the plan that joins short and recurring gaps for the encoder, and says so.

    Samples are read for what is measured, compared and forecast as they are: only tokens know the
    straight lines.

    Parameters
    ----------
    segments : where gaps are looked for
    channels : whose gaps count
    """
    import numpy as np

    patch = max(round(plan.patch_s * plan.rate_hz), 1)
    longest, share, rate = 0, 1.0, plan.rate_hz
    for segment in segments[:MOST_READ]:
        for signal in plan.dataset.read(
            segment.session_id, channels, segment.start_s, segment.end_s
        ):
            for values in np.asarray(signal.values).T:
                measured = signal.time_s[np.isfinite(values)]
                gaps = gaps_of(measured, signal.rate_hz)
                span = max((segment.end_s - segment.start_s) * signal.rate_hz, 1.0)
                share = min(share, 1.0 - len(gaps) * patch / span)
                most = longest_joined(gaps, len(measured))
                if most / signal.rate_hz > longest / rate:
                    longest, rate = most, signal.rate_hz
    if not longest or share >= ENOUGH:
        return plan
    config = plan.config.model_copy(update={"join_s": longest / rate})
    note = (
        f"Gaps of up to {longest} missing samples are bridged by straight lines for the encoder "
        "only; what is counted and measured uses recorded values."
    )
    return replace(plan, config=config, notes=(*plan.notes, note))


def joined_throughout(plan: Plan, segment: Segment) -> Plan:
    """Return the plan that joins every gap of a segment, where nothing could be encoded else."""
    config = plan.config.model_copy(update={"join_s": segment.duration_s})
    note = (
        f"No stretch of {duration_text(plan.patch_s)} is without a gap: windows are compared along "
        "straight lines between the values, and each value is judged by how far it deviates."
    )
    return replace(plan, config=config, notes=(*plan.notes, note))


def gaps_of(time_s: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return how many samples each gap between measured ones lacks (g,).

    Parameters
    ----------
    time_s : ndarray (m,), seconds of the measured samples
    """
    import numpy as np

    lacking = np.rint(np.diff(time_s) * rate_hz).astype(np.int64) - 1
    return np.asarray(lacking[lacking > 0])


def longest_joined(gaps: np.ndarray, n_measured: int) -> int:
    """Return the longest gap to join, samples: a few, or the length that keeps coming back.

    Lines never outnumber the measured samples.

    Parameters
    ----------
    gaps : ndarray (g,), samples that each gap lacks
    n_measured : how many samples there are
    """
    import numpy as np

    lengths, counts = np.unique(gaps, return_counts=True)
    fitting = [
        int(length)
        for length, count in zip(lengths, counts, strict=True)
        if length <= SHORT or count >= max(RECURS, len(gaps) / 2)
    ]
    return max((n for n in fitting if gaps[gaps <= n].sum() <= n_measured), default=0)
