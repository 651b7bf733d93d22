"""How good a forecast is, window by window, beside the seasonal naive one of the same run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tool_use_om.tools.run.forecast.found import (
    ForecastDifference,
    ForecastError,
    ForecastErrors,
)

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.heads.forecast.batch import Forecast, ForecastBatch


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Mean errors of each window, (B,) each; NaN where a window has no known value.

    Parameters
    ----------
    mae, crps : in `unit`; mixed units are not averaged, then both are None
    mase : mean absolute error over that of repeating the last value inside the context
    """

    unit: str | None
    mae: np.ndarray | None
    crps: np.ndarray | None
    mase: np.ndarray

    def by_name(self) -> dict[str, tuple[np.ndarray, str]]:
        """Return the measured errors with their units."""
        named = {
            "mae": (self.mae, self.unit),
            "mase": (self.mase, "1"),
            "crps": (self.crps, self.unit),
        }
        return {k: (v, u) for k, (v, u) in named.items() if v is not None and u is not None}


def window_errors(forecast: Forecast, batch: ForecastBatch) -> Errors:
    """Return each window's errors over all forecast channels and the whole horizon."""
    import numpy as np

    from tool_use_om.heads.numeric.metrics import crps_each, nan_mean, scaled_errors

    truth = batch.truth(forecast.channels, len(forecast.time_s))
    columns = [batch.windows.channels.index(c) for c in forecast.channels]
    context = np.where(
        batch.windows.mask[:, columns], batch.windows.values[:, columns], np.nan
    ).astype(np.float64)
    unit = forecast.units[0] if len(set(forecast.units)) == 1 else None
    n = len(truth)
    gap = np.abs(truth - forecast.median).reshape(n, -1)
    score = crps_each(truth, forecast.quantiles, forecast.levels).reshape(n, -1)
    return Errors(
        unit=unit,
        mae=nan_mean(gap) if unit else None,
        crps=nan_mean(score) if unit else None,
        mase=nan_mean(scaled_errors(truth, forecast.median, context)),
    )


def compared(
    own: Errors, naive: Errors, sessions: np.ndarray, seed: int
) -> tuple[ForecastErrors, ForecastDifference, bool]:
    """Return each metric with its interval over sessions and the baseline's value beside it.

    `difference` is head minus baseline, paired window by window; the head beats the baseline only
    if its whole interval is below zero.
    """
    import numpy as np

    from tool_use_om.heads.numeric.metrics import bootstrap_interval, paired_difference

    metrics = {}
    baseline = naive.by_name()
    for name, (values, unit) in own.by_name().items():
        if not np.isfinite(values).any():
            continue  # a constant has no scale to measure errors in
        interval = bootstrap_interval(values, groups=sessions, statistic=finite_mean, seed=seed)
        metrics[name] = ForecastError(
            value=interval.value,
            unit=unit,
            baseline=finite_mean(baseline[name][0]),
            lower=interval.lower,
            upper=interval.upper,
            n=interval.n,
            n_groups=interval.n_groups,
        )
    judged_by = "mae" if own.mae is not None else "mase"
    mine, theirs = own.by_name()[judged_by][0], baseline[judged_by][0]
    gap = paired_difference(mine, theirs, groups=sessions, seed=seed)
    difference = ForecastDifference(
        metric=judged_by,
        value=gap.value,
        unit=metrics[judged_by].unit,
        lower=gap.lower,
        upper=gap.upper,
    )
    return ForecastErrors(**metrics), difference, bool(gap.clear and gap.upper < 0)


def finite_mean(values: np.ndarray) -> float:
    """Return the mean of the finite values; NaN where there is none, as for a constant's MASE."""
    import numpy as np

    known = values[np.isfinite(values)]
    return float(np.mean(known)) if known.size else float("nan")


STRETCHES = 20  # of consecutive windows, where few sessions are judged


def window_groups(batch: ForecastBatch, fewest: int = 2) -> tuple[np.ndarray, str]:
    """Return each window's session (B,), or its stretch of time where there are few sessions.

    Parameters
    ----------
    fewest : sessions from which they are the groups

    Returns
    -------
    The groups, and what they are in words
    """
    import numpy as np

    sessions = window_sessions(batch)
    names = np.unique(sessions)
    if len(names) >= fewest:
        return sessions, "sessions"
    each = -(-STRETCHES // len(names))
    groups = np.empty(len(sessions), dtype=object)
    for name in names:
        own = np.flatnonzero(sessions == name)
        order = own[np.argsort(batch.windows.start_s[own], kind="stable")]
        for place, row in enumerate(order):
            groups[row] = f"{name}/{place * each // len(order):03d}"
    return groups.astype(np.str_), "stretches of consecutive windows"


def window_sessions(batch: ForecastBatch) -> np.ndarray:
    """Return the session of each window (B,)."""
    import numpy as np

    return np.array(batch.windows.session_ids, dtype=np.str_)
