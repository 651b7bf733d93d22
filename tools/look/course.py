"""What a channel does in time: its trend, its cycle, time beyond a level; how two go together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.look.clock import moment_text, starts
from tool_use_om.tools.look.groups import Bounds, Rows, cadence_rows, unlike_rows
from tool_use_om.tools.look.samples import Piece, bounded, pieces_of, stands
from tool_use_om.tools.look.selection import Selection

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.heads.numeric.relation import Estimate
    from tool_use_om.heads.numeric.season import Cycle

# how long a unit of time is that a change is told for, and from which span on
_PER = (("year", 31_557_600.0, 2), ("day", 86_400.0, 2), ("hour", 3600.0, 2), ("minute", 60.0, 2))
_KNOWN_CYCLES = (("day", 86_400.0), ("week", 604_800.0), ("year", 31_557_600.0))
CLEAR_CYCLE = 0.1  # share of the variance a cycle must foretell to be called one
_SESSIONS = 3  # dated sessions from which their means make a course of their own
_MOST_CHANNELS = 12
_LOOKED = 24  # stretches looked at for a cycle of their own
_NEAR = 0.08  # a period so near to whole ones of the calendar is of the calendar
_INTERVAL_PCT = 95.0  # as heads/numeric/relation gives them
_MOST_LAGS = 200_000  # samples of a session in which a cycle of unknown length is sought


def trend_rows(
    found: Selection,
    channels: tuple[str, ...],
    by: str,
    bounds: Bounds | None,  # noqa: ARG001 - same form
) -> Rows:
    """Return each channel's change over time, with its interval and what it is told by.

    One session: over its time. At least three with dates: over the sessions' means. Others: within
    a session, the mean of the sessions' own slopes.
    """
    groups = _grouped(found, channels, by)
    begin = starts(found.sessions)
    rows = []
    for (channel, group), parts in groups.items():
        estimate, span_s, over = _trend(parts, begin)
        if not _finite(estimate.value):
            continue
        name, length = _per(span_s)
        unit = found.dataset.manifest.unit_of(channel)
        ends = {
            end: getattr(estimate, end) * length
            for end in ("lower", "upper")
            if _finite(getattr(estimate, end))
        }
        rows.append({
            "channel": channel, **({"group": group} if by != "channel" else {}),
            "value": estimate.value * length, "unit": unit, "per": name, **ends, "over": over,
            "course": _course(estimate), "interval_pct": _INTERVAL_PCT, "span_s": span_s,
            "n": estimate.n,
        })  # fmt: skip
    return rows, None


def _course(estimate: Estimate) -> str:
    if not estimate.clear:
        return "no clear change"
    return "rises" if estimate.value > 0 else "falls"


def _trend(parts: list[Piece], begin: dict[str, Any]) -> tuple[Estimate, float, str]:
    """Return the slope a second, the seconds it is over, and what it is over."""
    import numpy as np

    from tool_use_om.heads.numeric.relation import mean_of, slope_of

    by_session: dict[str, list[Piece]] = defaultdict(list)
    for part in parts:
        if not np.isnan(part.values).all():
            by_session[part.session_id].append(part)
    joined = [
        (name, np.concatenate([p.time_s for p in held]), np.concatenate([p.values for p in held]))
        for name, held in by_session.items()
    ]
    if len(joined) >= _SESSIONS and all(name in begin for name, _, _ in joined):
        joined.sort(key=lambda row: begin[row[0]])
        middles = np.array([begin[name].timestamp() + float(t.mean()) for name, t, _ in joined])
        means = np.array([np.nanmean(v.astype(np.float64)) for _, _, v in joined])
        if np.ptp(middles) > 0:
            return slope_of(middles, means), float(np.ptp(middles)), "sessions"
    if len(joined) == 1:
        _, time_s, values = joined[0]
        return slope_of(time_s, values), float(np.ptp(time_s)), "time"
    slopes = np.array([slope_of(t, v).value for _, t, v in joined])
    span = float(np.median([np.ptp(t) for _, t, _ in joined])) if joined else 0.0
    return mean_of(slopes), span, "each session"


def _per(span_s: float) -> tuple[str, float]:
    return next(
        ((name, length) for name, length, times in _PER if span_s >= times * length),
        ("second", 1.0),
    )


def correlation_rows(
    found: Selection,
    channels: tuple[str, ...],
    by: str,
    bounds: Bounds | None,  # noqa: ARG001 - same form
) -> Rows:
    """Return a row for each two channels: Pearson's correlation with its interval.

    Channels of two rates meet at the slower one's samples: the mean of the other around each.

    Raises
    ------
    DataError : fewer than two channels, or too many to tell apart
    """
    from tool_use_om.heads.numeric.relation import correlation_of

    if not 2 <= len(channels) <= _MOST_CHANNELS:
        raise DataError(
            f"A correlation needs 2 to {_MOST_CHANNELS} channels, got {len(channels)}. "
            "Select the two that are meant."
        )
    smaller, note = bounded(found, channels)
    held: dict[str | None, dict[tuple[str, float], dict[str, Piece]]] = defaultdict(dict)
    for piece in pieces_of(smaller, channels, by):
        if piece.time_s.size:
            stretch = (piece.session_id, round(float(piece.time_s[0]), 0))
            held[piece.group].setdefault(stretch, {})[piece.channel] = piece
    rows = []
    for group, stretches in held.items():
        for one, other in combinations(channels, 2):
            pairs = [
                _together(p[one], p[other]) for p in stretches.values() if {one, other} <= {*p}
            ]
            found_ = correlation_of(pairs)
            if _finite(found_.value):
                rows.append({
                    "channel": one, "other": other,
                    **({"group": group} if by != "channel" else {}),
                    "value": found_.value, "unit": "1", "lower": found_.lower,
                    "upper": found_.upper, "clear": found_.clear, "interval_pct": _INTERVAL_PCT,
                    "n": found_.n,
                })  # fmt: skip
    return rows, note


def _together(one: Piece, other: Piece) -> tuple[np.ndarray, np.ndarray]:
    """Return both series at the same moments."""
    import numpy as np

    if one.time_s.size == other.time_s.size and np.allclose(one.time_s, other.time_s):
        return one.values, other.values
    if one.rate_hz > other.rate_hz:
        y, x = _together(other, one)
        return x, y
    half = 0.5 / one.rate_hz
    first = np.searchsorted(other.time_s, one.time_s - half)
    last = np.searchsorted(other.time_s, one.time_s + half)
    present = ~np.isnan(other.values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(present, other.values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(present)])
    n = counts[last] - counts[first]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n > 0, (sums[last] - sums[first]) / n, np.nan)
    return one.values, mean


def beyond_rows(
    found: Selection, channels: tuple[str, ...], by: str, bounds: Bounds | None
) -> Rows:
    """Return seconds, share of the time, times, and the longest, first and last time in bounds.

    A bound is in where both are finite (from 70 to 180), out where one is (above 70).
    """
    if bounds is None:
        raise DataError("Time above, below or between needs `threshold`, in the channel's unit.")
    begin, calendar = starts(found.sessions), found.dataset.manifest.calendar
    rows = []
    for (channel, group), parts in _grouped(found, channels, by).items():
        whole, beyond, samples, spells = 0.0, 0.0, 0, []
        for part in parts:
            here, length, runs = _spells(part, bounds)
            whole, beyond = whole + length, beyond + sum(end - start for start, end in runs)
            samples += here
            spells += [(end - start, part.session_id, start, end) for start, end in runs]
        if not samples:
            continue
        low, high = bounds
        unit = found.dataset.manifest.unit_of(channel)
        row: dict[str, Any] = {
            "channel": channel, **({"group": group} if by != "channel" else {}),
            "value": beyond, "unit": "s", "share_frac": beyond / whole if whole else 0.0,
            "n_times": len(spells), "n": samples,
            "level": {"value": low if _finite(low) else high, "unit": unit},
            **({"upper": {"value": high, "unit": unit}} if _finite(low) and _finite(high) else {}),
        }  # fmt: skip
        if spells:
            told = {"longest": max(spells, key=lambda spell: spell[0])}
            ordered = sorted(spells, key=lambda s: _moment(begin, s[1], s[2]))
            told |= {"first": ordered[0], "last": ordered[-1]}
            for name, (length, session, start, end) in told.items():
                row[name] = {"session_id": session, "length_s": length, "start_s": start,
                             "end_s": end}  # fmt: skip
                if moment := moment_text(begin.get(session), start, calendar):
                    row[name]["time"] = moment
        rows.append(row)
    return rows, None


def _moment(begin: dict[str, Any], session: str, at_s: float) -> tuple[float, str, float]:
    start = begin.get(session)
    return (start.timestamp() + at_s if start else 0.0, session, at_s)


def _spells(piece: Piece, bounds: Bounds) -> tuple[int, float, list[tuple[float, float]]]:
    """Return samples present, the seconds they stand for, and each stretch within the bounds."""
    import numpy as np

    known = ~np.isnan(piece.values)
    values, time_s = piece.values[known].astype(np.float64), piece.time_s[known]
    if not values.size:
        return 0, 0.0, []
    period = 1.0 / piece.rate_hz
    steps = np.append(np.diff(time_s), period)
    longest = stands(steps, period)
    holds = np.where(steps > longest, period, steps)
    low, high = bounds
    closed = _finite(low) and _finite(high)
    hit = (values >= low) & (values <= high) if closed else (values > low) & (values < high)
    joined = steps <= longest
    first = hit & ~np.append(False, hit[:-1] & joined[:-1])
    last = hit & ~np.append(hit[1:] & joined[:-1], False)
    begins, ends = time_s[first], (time_s + holds)[last]
    runs = list(zip(begins.tolist(), ends.tolist(), strict=True))
    return int(values.size), float(holds.sum()), runs


def cycle_rows(
    found: Selection,
    channels: tuple[str, ...],
    by: str,
    bounds: Bounds | None,  # noqa: ARG001 - same form
) -> Rows:
    """Return each channel's cycle, and how strong a daily, weekly and yearly one are.

    The sessions' longest is looked at for a cycle of any length; those of the calendar over all
    sessions with dates (else within the longest).
    """
    begin = starts(found.sessions)
    rows = []
    for (channel, group), parts in _grouped(found, channels, by).items():
        row = {"channel": channel, **({"group": group} if by != "channel" else {})}
        cycles = _calendar_cycles(parts, begin)
        main = _main(parts, cycles)
        rows.append(row | {
            "value": main["period_s"] if main else 0.0, "unit": "s", "clear": main is not None,
            "n": sum(p.values.size for p in parts), **({"cycle": main} if main else {}),
            "calendar": cycles,
        })  # fmt: skip
    return rows, None


def _main(parts: Sequence[Piece], calendar: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the main cycle: the strongest of the calendar where it fits, else the signal's own.

    Of several sessions the median of those with a cycle, if they are at least half of those looked
    at (evenly spread).
    """
    import numpy as np

    looked = [parts[i] for i in np.unique(np.linspace(0, len(parts) - 1, _LOOKED).astype(int))]
    own = [cycle for part in looked if (cycle := _own_cycle(part)) is not None]
    named = [c for c in calendar if c["clear"]]
    if 2 * len(own) < len(looked):
        return dict(max(named, key=lambda c: c["strength_frac"])) if named else None
    period = float(np.median([c.period_s for c in own]))
    if any(_multiple(period / c["period_s"]) for c in named):
        return dict(max(named, key=lambda c: c["strength_frac"]))
    return {
        "period_s": period,
        "strength_frac": float(np.median([c.strength for c in own])),
        "n_cycles": float(np.median([c.n_cycles for c in own])),
        "n_sessions": len(looked),
        "n_with": len(own),
    }


def _multiple(times: float) -> bool:
    """Say whether a ratio of periods is nearly a whole number."""
    return abs(times - max(1, round(times))) < _NEAR


def _own_cycle(piece: Piece) -> Cycle | None:
    import numpy as np

    from tool_use_om.heads.numeric.season import main_cycle

    time_s, values = piece.time_s[:_MOST_LAGS], piece.values[:_MOST_LAGS]
    known = ~np.isnan(values)
    if known.sum() <= 2:
        return None
    even = np.arange(time_s[0], time_s[-1] + 0.5 / piece.rate_hz, 1.0 / piece.rate_hz)
    return main_cycle(np.interp(even, time_s[known], values[known]), piece.rate_hz)


def _calendar_cycles(parts: Sequence[Piece], begin: dict[str, Any]) -> list[dict[str, Any]]:
    """Return day, week and year as far as two of them were seen, each net of the shorter ones."""
    import numpy as np

    from tool_use_om.heads.numeric.season import cycle_strength

    offset = {p.session_id: begin[p.session_id].timestamp() for p in parts if p.session_id in begin}
    kept = [p for p in parts if p.session_id in offset] or [max(parts, key=lambda p: p.time_s.size)]
    time_s = np.concatenate([p.time_s + offset.get(p.session_id, 0.0) for p in kept])
    values = np.concatenate([p.values for p in kept])
    order = np.argsort(time_s, kind="stable")
    time_s, values = time_s[order], values[order]
    found, shorter = [], None
    for name, period in _KNOWN_CYCLES:
        seen = (time_s[-1] - time_s[0] + 1.0 / kept[0].rate_hz) / period if time_s.size else 0.0
        if seen < 2 or period * kept[0].rate_hz < 2:
            continue
        cycle = cycle_strength(time_s, values, period, without_s=shorter)
        clear = cycle.strength >= CLEAR_CYCLE
        found.append({
            "name": name, "period_s": period, "strength_frac": cycle.strength,
            "n_cycles": cycle.n_cycles, "clear": clear,
        })  # fmt: skip
        shorter = period if clear else shorter
    return found


def _grouped(
    found: Selection, channels: Sequence[str], by: str
) -> dict[tuple[str, str | None], list[Piece]]:
    smaller, _ = bounded(found, channels)
    held: dict[tuple[str, str | None], list[Piece]] = defaultdict(list)
    for piece in pieces_of(smaller, channels, by):
        if piece.values.size:
            held[piece.channel, piece.group].append(piece)
    return held


def _finite(value: float) -> bool:
    return value - value == 0.0


COURSES: dict[str, Callable[[Selection, tuple[str, ...], str, Bounds | None], Rows]] = {
    "trend": trend_rows,
    "correlation": correlation_rows,
    "time_above": beyond_rows,
    "time_below": beyond_rows,
    "time_between": beyond_rows,
    "cycle": cycle_rows,
    "unlike": unlike_rows,
    "cadence": cadence_rows,
}
"""Statistic → its rows and a note; each takes selection, channels, group and bounds."""
