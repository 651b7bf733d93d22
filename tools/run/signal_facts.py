"""The rhythm of stretches of sessions, with its interval over sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch


def rhythm(windows: WindowBatch, seed: int) -> dict[str, Any]:
    """Return cadence_hz (median, lower, upper, n), the period and how strongly it repeats.

    Only windows that repeat count (`n`); `rhythmic_frac` says how many do. Where the rate is too
    low or nothing repeats, cadence_hz and period_s are None and `why_not` says so.
    """
    import numpy as np

    from tool_use_om.heads.numeric.metrics import bootstrap_interval
    from tool_use_om.heads.numeric.rhythm import cadence

    try:
        found = cadence(windows)
    except DataError as error:
        return {"cadence_hz": None, "period_s": None, "why_not": str(error)}
    repeats = np.isfinite(found.hz)
    if not repeats.any():
        return {"cadence_hz": None, "period_s": None, "why_not": "no window repeats clearly"}
    sessions = np.array(windows.session_ids, dtype=np.str_)[repeats]
    hz = bootstrap_interval(
        found.hz[repeats],
        groups=sessions,
        statistic=lambda values: float(np.median(values)),
        seed=seed,
    )
    return {
        "cadence_hz": {
            "median": hz.value,
            "lower": hz.lower,
            "upper": hz.upper,
            "n": hz.n,
            "n_sessions": hz.n_groups,
        },
        "period_s": 1.0 / hz.value,
        "rhythm_strength": float(np.median(found.strength[repeats])),
        "rhythmic_frac": float(repeats.mean()),
    }


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
