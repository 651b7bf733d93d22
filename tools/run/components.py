"""Level, trend, season and rest of stretches of sessions, channel by channel, as results show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch


def components(windows: WindowBatch) -> list[dict[str, Any]]:
    """Return a row a channel: medians over the windows, the season being each window's cadence.

    Returns
    -------
    list of channel, level and unit, trend (value, unit), trend_frac, season_frac, rest_frac (of the
    variance within a window, they sum to about 1; None where nothing varies)
    """
    import numpy as np

    from tool_use_om.heads.numeric.decompose import decompose
    from tool_use_om.heads.numeric.rhythm import cadence

    try:
        hz = cadence(windows).hz
    except DataError:
        hz = np.full(len(windows.session_ids), np.nan)
    parts = decompose(windows, hz)

    def middle(values: np.ndarray) -> float | None:
        known = values[np.isfinite(values)]
        return float(np.median(known)) if len(known) else None

    return [
        {
            "channel": channel,
            "level": middle(parts.level[:, j]),
            "unit": unit,
            "trend": {"value": middle(parts.trend_per_s[:, j]), "unit": f"{unit}/s"},
            "trend_frac": middle(parts.trend_share[:, j]),
            "season_frac": middle(parts.season_share[:, j]),
            "rest_frac": middle(parts.rest_share[:, j]),
        }
        for j, (channel, unit) in enumerate(zip(windows.channels, windows.units, strict=True))
    ]
