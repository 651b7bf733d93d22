"""What can be wrong with samples: one detector a function, each over one signal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from tool_use_om.data.format.dataset import Signal
from tool_use_om.data.quality.grid import holes
from tool_use_om.data.quality.issue import Issue
from tool_use_om.data.units import duration_text

FEW = 0.1  # drop-outs in less than this share of a signal are a note, not a problem
MISSING_S = 1.0  # missing values for longer than this are a gap too
RAIL_RUN = 3  # samples in a row at the extreme
RAIL_RUNS = 3  # such runs make a rail
PILE_UP = 4.0  # … and the extreme is this many times as frequent as any value next to it
STUCK_RUN = 20  # equal samples in a row …
STUCK_RATIO = 10.0  # … and this many times the channel's usual run
STATES = 12  # a channel of at most so many values is a state or a setting: it may well rest
SETTLED = 0.1  # relative; steps, or pauses, that differ by less are one and the same
PAUSES = 8  # so many pauses of one length are planned: a market that is closed
STRETCH = 32  # samples; a repeated stretch of at least this length is found
_ANCHORS = 1 << 21  # remembered stretches, about 200 MB


def gaps(signal: Signal) -> Iterator[Issue]:
    """Find time without samples on the signal's grid; pauses of one length are a note."""
    found = holes(signal.time_s, signal.rate_hz)
    if not found.n:
        return
    length = found.end_s - found.start_s
    at = int(length.argmax())
    start, end = float(found.start_s[at]), float(found.end_s[at])
    text = (
        f"{found.n} gap{'s' * (found.n > 1)} without samples: {found.n_missing} "
        f"{'sample lacks' if found.n_missing == 1 else 'samples lack'}, "
        f"{duration_text(found.missing_s)} in all"
    )
    issue = _issue(
        signal, "gap", signal.modality, text=text, span_s=(start, end), value=(end - start, "s")
    )
    if found.n >= PAUSES and _spread(length, 0.25, 0.75) <= SETTLED:
        issue = _noted(issue, "most of them of one length, as if planned")
    yield _weighed(issue, found.missing_s / float(signal.time_s[-1] - signal.time_s[0]))


def missing(signal: Signal) -> Iterator[Issue]:
    """Find channels whose values are missing (NaN) for more than `MISSING_S`, or throughout."""
    for channel, values in _columns(signal):
        first, length = _runs(np.isnan(values))
        if not length.size:
            continue
        seconds = length / signal.rate_hz
        worst = int(seconds.argmax())
        if seconds[worst] > MISSING_S:
            start = float(signal.time_s[first[worst]])
            share = float(np.isnan(values).mean())
            text = f"values missing (NaN) in {share:.1%} of the samples"
            end, length_s = start + float(seconds[worst]), float(seconds[worst])
            issue = _issue(
                signal, "missing", channel, text=text, span_s=(start, end), value=(length_s, "s")
            )
            yield _weighed(issue, share)


def clipping(signal: Signal) -> Iterator[Issue]:
    """Find channels that rest at their own minimum or maximum again and again, as at a rail.

    Zero is no rail of a channel that cannot be below it: nothing is there to be measured.
    """
    for channel, values in _columns(signal):
        present = values[~np.isnan(values)]
        if np.unique(present[:4096]).size < 40:
            continue  # coarse steps: resting at the extreme is what such a channel does
        for side, rail in (("low", present.min()), ("high", present.max())):
            first, length = _runs(values == rail)
            flat = length >= RAIL_RUN
            share = float(length[flat].sum() / present.size)
            if flat.sum() < RAIL_RUNS or share < 2e-3 or (side == "low" and rail == 0):
                continue
            if not _piles_up(present, rail):
                continue
            start = float(signal.time_s[first[flat][length[flat].argmax()]])
            end = start + float(length[flat].max()) / signal.rate_hz
            text = f"rests {int(flat.sum())} times at its {side}est value, {rail:g}: a rail?"
            yield _issue(
                signal,
                "clipping",
                channel,
                text=text,
                span_s=(start, end),
                value=(100 * share, "%"),
            )


def stuck(signal: Signal) -> Iterator[Issue]:
    """Find channels that repeat one value far longer than they usually do.

    A note only: a channel that never changes or has few values (a setting, a state), and one that
    rests at zero and cannot be below (idle).
    """
    for channel, values in _columns(signal):
        same = np.flatnonzero(np.diff(values) != 0) + 1
        first = np.concatenate([[0], same])
        length = np.diff(np.concatenate([first, [values.size]]))
        worst = int(length.argmax())
        usual = float(np.quantile(length, 0.9)) if length.size > 1 else 1.0
        seconds = float(length[worst] / signal.rate_hz)
        if length[worst] < max(STUCK_RUN, STUCK_RATIO * usual) or seconds < 1.0:
            continue
        start = float(signal.time_s[first[worst]])
        value = float(values[first[worst]])
        issue = _issue(
            signal,
            "stuck",
            channel,
            text=f"repeats the value {value:g} without any change",
            span_s=(start, start + seconds),
            value=(seconds, "s"),
        )
        yield _noted(issue, why) if (why := _may_rest(values, value)) else issue


def wrong_rate(signal: Signal) -> Iterator[Issue]:
    """Find a modality whose samples come at another rate than the manifest states.

    Where the steps themselves vary (events, answers of a tag) no rate is wrong: a note.
    """
    if signal.time_s.size < 20:
        return
    step = np.diff(signal.time_s)
    measured = 1.0 / float(np.median(step))
    if abs(measured / signal.rate_hz - 1) <= 0.05:
        return
    text = f"samples come at {measured:.4g} Hz, the manifest states {signal.rate_hz:.4g} Hz"
    issue = _issue(
        signal, "rate", signal.modality, text=text, span_s=(0.0, None), value=(measured, "Hz")
    )
    uneven = _spread(step, 0.1, 0.9) > SETTLED
    yield _noted(issue, "the steps vary") if uneven else issue


class Repeats:
    """Finds stretches of samples that occur twice, bit by bit, in any two places of the set.

    Every stretch of `STRETCH` samples is hashed; those whose hash ends in three zero bits are
    remembered (chosen by content, so that copies choose the same). Stretches that rest on few
    distinct values do not count.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], tuple[str, float]] = {}

    def __call__(self, signal: Signal) -> Iterator[Issue]:
        """Yield the longest stretch of each session already met, then remember this signal's."""
        places, hashes = _stretches(signal.values)
        shifts: Counter[tuple[str, float]] = Counter()
        spans: dict[tuple[str, float], list[float]] = {}
        for place, digest in zip(places.tolist(), hashes.tolist(), strict=True):
            time_s, key = float(signal.time_s[place]), (signal.modality, digest)
            if key in self._seen:
                other, there = self._seen[key]
                pair = (other, round(time_s - there, 3))
                shifts[pair] += 1
                spans.setdefault(pair, []).append(time_s)
            elif len(self._seen) < _ANCHORS:
                self._seen[key] = (signal.session_id, time_s)
        yield from self._longest(signal, shifts, spans)

    @staticmethod
    def _longest(
        signal: Signal,
        shifts: Counter[tuple[str, float]],
        spans: dict[tuple[str, float], list[float]],
    ) -> Iterator[Issue]:
        if not shifts:
            return
        (other, shift), _ = shifts.most_common(1)[0]
        found = spans[other, shift]
        end = min(max(found) + STRETCH / signal.rate_hz, float(signal.time_s[-1]))
        where = "" if other == signal.session_id else f" as in session {other},"
        text = f"the same samples{where} {abs(shift):g} s {'later' if shift < 0 else 'earlier'}"
        length = end - min(found)
        issue = _issue(
            signal,
            "repeat",
            signal.modality,
            text=text,
            span_s=(min(found), end),
            value=(length, "s"),
        )
        yield issue.model_copy(update={"other_session": other})


def _stretches(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where chosen stretches of values (n, C) begin, and their hashes, uint64."""
    n = len(values) - STRETCH + 1
    if n <= 0:
        return np.array([], int), np.array([], np.uint64)
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    weights = np.random.default_rng(11).integers(1, 1 << 62, values.shape[1], dtype=np.uint64) | 1
    rows = _mix(bits @ weights)
    digest = np.zeros(n, np.uint64)
    for i in range(STRETCH):
        digest = digest * np.uint64(0x9E3779B97F4A7C15) + rows[i : i + n]
    digest = _mix(digest)
    changes = np.concatenate([[0], np.cumsum(rows[1:] != rows[:-1])])
    lively = changes[STRETCH - 1 :] - changes[:n] >= STRETCH // 2
    lively &= ~_any_missing(values, n)
    chosen = np.flatnonzero(lively & (digest % np.uint64(8) == 0))
    return chosen, digest[chosen]


def _any_missing(values: np.ndarray, n: int) -> np.ndarray:
    lost = np.concatenate([[0], np.cumsum(np.isnan(values).any(axis=1))])
    several: np.ndarray = lost[STRETCH:] - lost[:n] > 0
    return several


def _mix(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed: np.ndarray = x ^ (x >> np.uint64(29))
    return mixed


def _runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where runs of True in a boolean (n,) begin and how many samples they last."""
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    first = np.flatnonzero(edges == 1)
    return first, np.flatnonzero(edges == -1) - first


def _spread(values: np.ndarray, low: float, high: float) -> float:
    """Return how far two quantiles of positive values lie apart, relative to their middle."""
    lower, middle, upper = np.quantile(values, [low, 0.5, high])
    return float((upper - lower) / middle)


def _piles_up(present: np.ndarray, rail: float) -> bool:
    """Say whether an extreme is far more frequent than the values next to it."""
    levels, counts = np.unique(present, return_counts=True)
    at_rail = int(counts[levels == rail][0])
    beside = counts[1:6] if rail == levels[0] else counts[-6:-1]
    return bool(at_rail >= PILE_UP * beside.max(initial=0))


def _may_rest(values: np.ndarray, value: float) -> str | None:
    """Return why a channel may well repeat this value; None = it should not."""
    levels = np.unique(values[~np.isnan(values)])
    if levels.size == 1:
        return "it never changes: a setting?"
    if levels.size <= STATES:
        return f"it has {levels.size} values in all: a state?"
    if value == 0 and levels[0] == 0:
        return "it is never below: idle?"
    return None


def _noted(issue: Issue, why: str) -> Issue:
    """Return the issue as a note that says why it may be as it should."""
    return issue.model_copy(update={"severity": "note", "text": f"{issue.text}; {why}"})


def _columns(signal: Signal) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each channel that has at least two samples with a value."""
    for i, channel in enumerate(signal.channels):
        if (~np.isnan(signal.values[:, i])).sum() > 1:
            yield channel, signal.values[:, i]


def _weighed(issue: Issue, share: float) -> Issue:
    """Return the issue as a note if it concerns but a small share of the signal."""
    return issue if share > FEW else issue.model_copy(update={"severity": "note"})


def _issue(
    signal: Signal,
    kind: str,
    where: str,
    *,
    text: str,
    span_s: tuple[float, float | None],
    value: tuple[float, str],
) -> Issue:
    return Issue(
        kind=kind, where=where, text=text, session_id=signal.session_id, start_s=span_s[0],
        end_s=span_s[1], value=value[0], unit=value[1],
    )  # fmt: skip
