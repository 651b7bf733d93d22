"""What stands out in one long series: single values, stretches of another level or liveliness."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tool_use_om.heads.numeric.season import season_of

Array = np.ndarray
SPIKE = 7  # samples whose median a value is compared with
SHARES = (1 / 60, 1 / 20)  # of the series: lengths of the stretches that are compared
SHORTEST = 5  # samples in such a stretch
LEAST = {"value": 8.0, "level": 6.0, "spread": 8.0, "move": 6.0}  # robust deviations from the usual
FURTHER = 2.0  # … and so many times as far as this share of the others
TAIL = {"value": 0.99, "level": 0.95, "spread": 0.95, "move": 0.99}
MANY = 5  # more finds than these are usual, unless some lie further out than the others
WALK_FROM = 60  # samples of a series that may be a walk
_WANDERS = 0.15  # of the root of its length times a step: so far a walk goes
_MEMORY = 0.3  # correlation of a walk's steps with the ones before
_FURTHEST = 2.5  # samples that do not count for the tail of the others
_STILL = 0.2  # share of steps of nothing: a counter or a meter
FEWEST = 30  # samples of a series that is scanned
_SEASON_FROM = 4096  # samples that a season is looked for in


@dataclass(frozen=True, kw_only=True)
class Outlier:
    """Samples first to last (both included) that stand out.

    Parameters
    ----------
    kind : "value" (a few samples), "level" (a stretch lies elsewhere), "spread" (a stretch is
        livelier; a stuck sensor is what the data check finds) or "move" (one step of a walk)
    at : the sample furthest out, its value `value` in channel units
    score : robust standard deviations from the usual
    change_frac : of a move, the step relative to the value before it
    """

    kind: str
    first: int
    last: int
    at: int
    value: float
    score: float
    change_frac: float | None = None


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What stands out in a series, furthest first, and where its other values lie.

    Parameters
    ----------
    low, high : the 1st and 99th percentile of the other values, channel units; of a walk those of
        its steps, relative to the value before
    """

    outliers: tuple[Outlier, ...]
    low: float
    high: float


def scan(series: Array) -> Scan:
    """Find what stands out in a series (n,), NaN = missing; a season is taken off before.

    Values are compared with the median of their neighbours, the levels and the spreads of
    stretches with those of all other stretches, each by robust deviation (Hampel, 1974) and with
    the series' own tail: what is usual for it is not unusual.
    """
    known = np.isfinite(series)
    if int(known.sum()) < FEWEST:
        return Scan(outliers=(), low=_edge(series, 0.01), high=_edge(series, 0.99))
    if is_walk(series):
        return _moves(series)
    index = np.arange(len(series))
    filled = np.interp(index, index[known], series[known].astype(np.float64))
    rest = _without_season(filled)
    found = _spikes(rest)
    for length in sorted({max(SHORTEST, round(len(series) * share)) for share in SHARES}):
        if length * 4 <= len(series):
            found += _stretches(_rolling_mean(rest, length), length, "level")
            found += _stretches(_rolling_spread(rest, length), length, "spread")
    merged = [_placed(o, series, filled, rest) for o in _apart(found)]
    usual = known.copy()
    for o in merged:
        usual[o.first : o.last + 1] = False
    others = series[usual] if usual.sum() >= FEWEST else series[known]
    return Scan(outliers=tuple(merged), low=_edge(others, 0.01), high=_edge(others, 0.99))


def is_walk(series: Array) -> bool:
    """Say whether a series goes like a price: where it is says nothing of where it will go.

    The rule: all values are above zero, the relative steps are small beside how far the series
    wanders, they do not follow from the step before, and nothing recurs. Such a series is judged by
    its relative steps, as its level has nothing usual.
    """
    values = series[np.isfinite(series)].astype(np.float64)
    if len(values) < WALK_FROM or (values <= 0).any():
        return False
    level = np.log(values)
    step = np.diff(level)
    if not step.std() > 0 or (step == 0).mean() > _STILL:
        return False
    centred = step - step.mean()
    memory = float((centred[1:] * centred[:-1]).sum() / (centred**2).sum())
    wanders = float(level.std()) / float(step.std())
    free = wanders > _WANDERS * len(values) ** 0.5
    return free and abs(memory) < _MEMORY and season_of(centred[:_SEASON_FROM], 0.3) is None


def _moves(series: Array) -> Scan:
    """Return the steps of a walk that are far larger than the others, relative to the level."""
    known = np.flatnonzero(np.isfinite(series))
    values = series[known].astype(np.float64)
    step = np.diff(values) / values[:-1]
    apart = step - np.median(step)
    score = np.abs(apart) / _scale(apart)
    limit = _limit(score, "move")
    found = [
        Outlier(
            kind="move", first=int(known[i]), last=int(known[i + 1]), at=int(known[i + 1]),
            value=float(values[i + 1]), score=float(score[i]), change_frac=float(step[i]),
        )
        for i in np.flatnonzero(score > limit)
    ]  # fmt: skip
    kept = tuple(sorted(_rare(found), key=lambda o: -o.score))
    usual = np.delete(step, [int(np.flatnonzero(known == o.at)[0]) - 1 for o in kept])
    return Scan(outliers=kept, low=_edge(usual, 0.01), high=_edge(usual, 0.99))


def _edge(values: Array, share: float) -> float:
    known = values[np.isfinite(values)]
    return float(np.quantile(known, share)) if known.size else float("nan")


def _without_season(values: Array) -> Array:
    """Return a series less the median of each phase of its season, where that explains much."""
    season = season_of(values[:_SEASON_FROM] - np.median(values), 0.3) or 0
    if season < 2 or len(values) < 4 * season:
        return np.asarray(values - np.median(values))
    padded = np.append(values, np.full(-len(values) % season, np.nan)).reshape(-1, season)
    rest = values - np.resize(np.nanmedian(padded, axis=0), len(values))
    better = _scale(rest - np.median(rest)) < 0.8 * _scale(values - np.median(values))
    return np.asarray(rest - np.median(rest) if better else values - np.median(values))


def _scale(centred: Array) -> float:
    """Return a robust standard deviation; where most values are equal, the mean deviation."""
    usual = 1.4826 * float(np.median(np.abs(centred)))
    return usual if usual > 0 else float(np.mean(np.abs(centred)))


def _spikes(rest: Array) -> list[Outlier]:
    from scipy.ndimage import median_filter

    apart = rest - median_filter(rest, size=SPIKE, mode="mirror")
    scale = max(_scale(apart), 0.05 * _scale(rest))
    if scale <= 0:
        return []
    score = np.abs(apart) / scale
    for edge in (slice(0, SPIKE // 2), slice(-(SPIKE // 2), None)):  # a slope looks far off there
        score[edge] = np.minimum(score[edge], np.abs(rest[edge]) / max(_scale(rest), 1e-300))
    runs = _runs(score > _limit(score, "value"))
    return _rare([_outlier("value", a, b, score) for a, b in runs])


def _stretches(summary: Array, length: int, kind: str) -> list[Outlier]:
    """Return the stretches whose summary, at their middle, lies far from the others'."""
    centred = summary - np.median(summary)
    scale = _scale(centred)
    if scale <= 0:
        return []
    score = (centred if kind == "spread" else np.abs(centred)) / scale
    found = []
    for a, b in _runs(score > _limit(score, kind)):
        peak = a + int(score[a : b + 1].argmax())
        low, high = peak, peak
        while low > 0 and score[low - 1] > score[peak] / 2:
            low -= 1
        while high < len(score) - 1 and score[high + 1] > score[peak] / 2:
            high += 1
        half = length // 2
        first = low + half if low else 0  # at an edge, all that its stretch covers
        last = high + half if high < len(score) - 1 else high + length - 1
        found.append(
            Outlier(
                kind=kind, first=first, last=last, at=peak + half,
                value=float("nan"), score=float(score[peak]),
            )
        )  # fmt: skip
    return _rare(found)


def _limit(score: Array, kind: str) -> float:
    """Return the score from which one stands out; of a few samples the furthest are no tail."""
    share = max(min(TAIL[kind], 1 - _FURTHEST / len(score)), 0.5)
    return max(LEAST[kind], FURTHER * float(np.quantile(score, share)))


def _rare(found: list[Outlier]) -> list[Outlier]:
    """Return the finds if they are few, else those half as far out again as half of them."""
    while len(found) > MANY:
        limit = 1.5 * float(np.median([o.score for o in found]))
        fewer = [o for o in found if o.score > limit]
        if len(fewer) == len(found):
            break
        found = fewer
    return found


def _outlier(kind: str, first: int, last: int, score: Array) -> Outlier:
    at = first + int(score[first : last + 1].argmax())
    return Outlier(
        kind=kind, first=first, last=last, at=at, value=float("nan"), score=float(score[at])
    )


def _runs(mask: Array) -> list[tuple[int, int]]:
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return list(zip(first.tolist(), last.tolist(), strict=True))


def _rolling_mean(values: Array, length: int) -> Array:
    """Return the means (n - length + 1,) of all stretches of `length` samples."""
    total = np.cumsum(np.concatenate([[0.0], values]))
    return np.asarray((total[length:] - total[:-length]) / length)


def _rolling_spread(values: Array, length: int) -> Array:
    """Return the log standard deviation of all stretches of `length` samples."""
    mean = _rolling_mean(values, length)
    square = _rolling_mean(values**2, length)
    floor = 1e-3 * max(_scale(values), 1e-12)
    return np.asarray(0.5 * np.log(np.maximum(square - mean**2, floor**2)))


def _apart(found: list[Outlier]) -> list[Outlier]:
    """Return finds that do not overlap: a single value before what it does to the stretch around.

    Several values inside one stretch are the stretch's.
    """
    values = [o for o in found if o.kind == "value"]
    stretches = sorted((o for o in found if o.kind != "value"), key=lambda o: (o.kind, -o.score))
    kept: list[Outlier] = []
    for o in stretches:
        inside = sum(o.first <= v.at <= o.last for v in values)
        if inside != 1 and not any(_touch(o, k) for k in kept):
            kept.append(o)
    alone = [v for v in values if not any(_touch(v, k) for k in kept)]
    return sorted([*kept, *alone], key=lambda o: -o.score)


def _touch(one: Outlier, other: Outlier) -> bool:
    return one.first <= other.last + SPIKE and other.first <= one.last + SPIKE


def _placed(o: Outlier, series: Array, filled: Array, rest: Array) -> Outlier:
    """Return a find with the value furthest out in it."""
    part = slice(o.first, o.last + 1)
    apart = np.where(np.isfinite(series[part]), np.abs(rest[part]), -1.0)
    at = o.first + int(apart.argmax())
    return replace(o, at=at, value=float(filled[at]))
