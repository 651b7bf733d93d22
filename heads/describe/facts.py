"""What can be said of a stretch of one channel: a closed list of facts, and how each is computed.

Robust and plain: medians, least squares, the house's own cycle. What is not clear is not said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tool_use_om.heads.numeric.relation import slope_of
from tool_use_om.heads.numeric.season import main_cycle

Array = np.ndarray
Kind = Literal[
    "steady", "varies", "rise", "fall", "leak", "spike", "dip", "plateau", "saw", "cycle",
    "saturated",
]  # fmt: skip

# kind → the values it has; `_s` are seconds, `_frac` shares, `n` counts, others the channel's unit
VALUES: Mapping[Kind, tuple[str, ...]] = {
    "steady": ("level",),
    "varies": ("low", "high"),
    "rise": ("first", "last"),
    "fall": ("first", "last"),
    "leak": ("first", "last"),
    "spike": ("n", "top", "at_s"),
    "dip": ("n", "top", "at_s"),
    "plateau": ("level", "start_s", "end_s"),
    "saw": ("low", "high", "period_s"),
    "cycle": ("low", "high", "period_s"),
    "saturated": ("limit", "share_frac"),
}
LEAST = 8  # samples below which nothing is said
_OUT = 6.0  # robust deviations from the running median that make a spike
_WIDE = 31  # samples of the running median
_MOST = 50_000  # samples in which a cycle is sought
_MOVED = 2.0  # deviations of the rest that a trend must move by
_HELD = 0.1  # share of the stretch that a plateau lasts at least
_FLAT = 0.12  # of the range: how narrow a plateau is
_AWAY = 0.3  # of the range: how far it is from the rest
_AT_LIMIT = 0.005  # of the limit
_STILL = 0.25  # of its size: how far what is steady may spread
_BEYOND = 0.1  # of the range of the course: how far a spike is beyond it


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing that holds of a channel in a stretch.

    Parameters
    ----------
    values : as `VALUES` names them for the kind
    """

    kind: Kind
    channel: str
    unit: str
    values: Mapping[str, float] = field(default_factory=dict)


def facts_of(
    time_s: Array, values: Array, channel: str, unit: str, *, limit: float | None = None
) -> list[Fact]:
    """Return what holds of one channel, in the order it is told.

    Parameters
    ----------
    time_s : (n,) seconds, rising
    values : (n,) channel's unit, NaN = missing
    limit : what the channel cannot exceed, where that is known

    Returns
    -------
    Facts; none where fewer than `LEAST` samples are there
    """
    known = np.isfinite(values)
    time, series = time_s[known].astype(np.float64), values[known].astype(np.float64)
    if series.size < LEAST:
        return []
    told: list[tuple[Kind, dict[str, float]]] = []
    if limit is not None:
        told += _saturated(series, limit)
    told += _course(time, series, size=limit / 4 if limit is not None else 0.0)
    if told[-1][0] not in {"cycle", "saw"}:  # whose turns are no excursions
        told += _out(time, series)
    return [Fact(kind=k, channel=channel, unit=unit, values=v) for k, v in told]


def _saturated(series: Array, limit: float) -> list[tuple[Kind, dict[str, float]]]:
    share = float((series >= (1 - _AT_LIMIT) * limit).mean())
    return [("saturated", {"limit": limit, "share_frac": share})] if share > _HELD else []


def _course(time: Array, series: Array, size: float) -> list[tuple[Kind, dict[str, float]]]:
    """Return the main course: a cycle, a plateau, a trend, steadiness, or none of them.

    Parameters
    ----------
    size : float, channel's unit; what is small against it is steady, whatever its level
    """
    low, high = (float(v) for v in np.percentile(series, [2, 98]))
    step = float(np.median(np.diff(time)))
    even = np.arange(time[0], time[-1] + 0.5 * step, step)
    cycle = main_cycle(np.interp(even, time, series), 1.0 / step) if even.size < _MOST else None
    if cycle is not None:
        period = {"low": low, "high": high, "period_s": cycle.period_s}
        return [("saw" if _drops(series) else "cycle", period)]
    smooth = _running_median(series)
    if held := _plateau(time, smooth, series - smooth):
        return [("plateau", held)]
    if ends := _trend(time, series, smooth):
        return [("rise" if ends["last"] > ends["first"] else "fall", ends)]
    level, rest = float(np.median(series)), series - smooth
    low, high = (
        float(v) for v in np.percentile(series[np.abs(rest) <= _OUT * _deviation(rest)], [2, 98])
    )
    if high - low <= _STILL * max(abs(level), size):
        return [("steady", {"level": level})]
    return [("varies", {"low": low, "high": high})]


def _trend(time: Array, series: Array, smooth: Array) -> dict[str, float] | None:
    """Return the two ends of a straight line, where it tells more than the rest does."""
    slope = slope_of(time, smooth)
    line = series.mean() + slope.value * (time - time.mean())
    moved = abs(float(line[-1] - line[0]))
    rest = float((smooth - line).std())
    if not slope.clear or moved <= max(_MOVED * rest, 2 * _deviation(np.diff(series))):
        return None
    return {"first": float(line[0]), "last": float(line[-1])}


def _plateau(time: Array, smooth: Array, rest: Array) -> dict[str, float] | None:
    """Return a long flat stretch above the level of the others by more than the rest spreads."""
    low, high = float(smooth.min()), float(smooth.max())
    reach = high - low
    up = smooth > low + 0.5 * reach
    starts = np.flatnonzero(up & ~np.append(False, up[:-1]))
    ends = np.flatnonzero(up & ~np.append(up[1:], False))
    if starts.size != 1 or reach <= 0:
        return None
    start, end = int(starts[0]), int(ends[0])
    inside, outside = smooth[start : end + 1], np.delete(smooth, np.s_[start : end + 1])
    if not _HELD < inside.size / smooth.size < 1 - 2 * _HELD:
        return None
    narrow = max(_deviation(inside), _deviation(outside)) < _FLAT * reach
    spread = float(np.subtract(*np.percentile(rest, [95, 5])))
    if not narrow or np.median(inside) - np.median(outside) < max(_AWAY * reach, spread):
        return None
    return {"level": float(np.median(inside)), "start_s": float(time[start]),
            "end_s": float(time[end])}  # fmt: skip


def _drops(series: Array) -> bool:
    """Say whether it climbs slowly and falls at once: the largest steps are all down."""
    steps = np.diff(series)
    spread = max(_deviation(steps), 1e-12)
    down, up = float((steps < -_OUT * spread).sum()), float((steps > _OUT * spread).sum())
    return down >= 2 and down > 3 * up


def _out(time: Array, series: Array) -> list[tuple[Kind, dict[str, float]]]:
    """Return short excursions: how many, how far the farthest goes, and when."""
    base = _running_median(series)
    rest = series - base
    spread = max(_deviation(rest), 1e-9 * max(1.0, float(np.abs(series).max())))
    low, high = float(base.min()), float(base.max())
    edge = _BEYOND * (high - low)
    found: list[tuple[Kind, dict[str, float]]] = []
    sides: tuple[tuple[Kind, int], ...] = (("spike", 1), ("dip", -1))
    for kind, sign in sides:
        beyond = series > high + edge if sign > 0 else series < low - edge
        out = (sign * rest > _OUT * spread) & beyond
        begins = np.flatnonzero(out & ~np.append(False, out[:-1]))
        if not begins.size or begins.size > max(1, series.size // 20):
            continue  # what is out that often is not out
        at = int((sign * series * out + np.where(out, 0, -np.inf)).argmax())
        found.append((kind, {"n": float(begins.size), "top": float(series[at]),
                             "at_s": float(time[at])}))  # fmt: skip
    return found


def _running_median(series: Array) -> Array:
    from scipy.ndimage import median_filter

    width = min(_WIDE, series.size // 2 * 2 - 1)
    return np.asarray(median_filter(series, size=max(3, width), mode="nearest"))


def _deviation(series: Array) -> float:
    """Return 1.48 times the median distance from the median."""
    return float(1.4826 * np.median(np.abs(series - np.median(series)))) if series.size else 0.0
