"""Who trains, who calibrates, who tests: decided once, at conversion, and stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import SPLITS, Split

N_TRIALS = 4000


def split_subjects(
    counts: Mapping[str, Mapping[str, int]], sizes: tuple[int, int, int], *, seed: int = 0
) -> dict[str, Split]:
    """Assign each subject to a split so that every class appears in every split where it can.

    Of `N_TRIALS` seeded random orders of the subjects, cut into `sizes`, that one is taken which
    covers the most (class, split) pairs; among equals the most classes in training; among equals
    the one whose shares of sessions are nearest to its shares of subjects.

    Parameters
    ----------
    counts : subject → class → number of sessions
    sizes : how many subjects train, calibrate, test; sums to the number of subjects
    seed : int

    Raises
    ------
    DataError : sizes that do not sum to the number of subjects
    """
    subjects = sorted(counts)
    if sum(sizes) != len(subjects) or min(sizes) < 0:
        raise DataError(f"Split sizes {sizes} must sum to the {len(subjects)} subjects.")
    names = sorted({c for of in counts.values() for c in of})
    table = np.array([[counts[s].get(c, 0) for c in names] for s in subjects])
    rng = np.random.default_rng(seed)
    cuts = np.cumsum(sizes)[:-1]
    orders = (np.split(rng.permutation(len(subjects)), cuts) for _ in range(N_TRIALS))
    best = max(orders, key=lambda parts: _merit(table, parts))
    return {
        subjects[i]: split for split, part in zip(SPLITS, best, strict=True) for i in sorted(part)
    }


def _merit(table: np.ndarray, parts: Sequence[np.ndarray]) -> tuple[int, int, float]:
    """Return (pairs covered, classes in training, minus the distance between the shares)."""
    sessions = np.stack([table[part].sum(axis=0) for part in parts])
    wanted = np.array([len(part) for part in parts]) / len(table)
    shares = sessions.sum(axis=1) / max(1, table.sum())
    covered = sessions > 0
    return int(covered.sum()), int(covered[0].sum()), -float(np.abs(shares - wanted).sum())


def default_sizes(n: int) -> tuple[int, int, int]:
    """Return how many of `n` >= 3 train, calibrate and test: about 60, 20 and 20 percent."""
    held_out = max(1, round(0.2 * n))
    return n - 2 * held_out, held_out, held_out


def split_in_order(session_ids: Sequence[str]) -> dict[str, Split]:
    """Return the splits of one subject's sessions given in order of time: the last ones test.

    Fewer than three sessions cannot be split: all of them train.
    """
    if len(session_ids) < 3:
        return dict.fromkeys(session_ids, "train")
    sizes = default_sizes(len(session_ids))
    splits = [split for split, n in zip(SPLITS, sizes, strict=True) for _ in range(n)]
    return dict(zip(session_ids, splits, strict=True))


@dataclass(frozen=True, kw_only=True)
class Block:
    """A stretch of a session that belongs to one split, seconds from the session's start."""

    start_s: float
    end_s: float
    split: Split


GAP_STEPS = 96  # a context of 64 samples and a horizon of 32
GAP_S = 10.0  # seconds at least, where the session has room: a few movements and what comes next
MOST_GAP = 0.1  # of the session, for each gap
FEWEST_STEPS = 24  # a session of fewer samples is not cut
SHARES = (0.6, 0.2, 0.2)


def gap_of(duration_s: float, rate_hz: float) -> float:
    """Return the seconds kept free between blocks: context and horizon, a tenth of it at most."""
    return min(max(GAP_STEPS / rate_hz, GAP_S), MOST_GAP * duration_s)


def split_in_time(
    duration_s: float, rate_hz: float, labels: Sequence[tuple[float, float, str]] = ()
) -> list[Block]:
    """Cut one session into blocks of training, calibration and test, in order of time.

    About 60, 20 and 20 percent, with `gap_of` between them. Where a label would then be missing
    in training or in the test, each label's own time is cut in these shares instead.

    Parameters
    ----------
    labels : (start_s, end_s, label)

    Returns
    -------
    Blocks in order; a single one for training if the session has under `FEWEST_STEPS` samples
    """
    if duration_s * rate_hz < FEWEST_STEPS - 1e-6:
        return [Block(start_s=0.0, end_s=duration_s, split="train")]
    gap = gap_of(duration_s, rate_hz)
    plain = _plain_blocks(duration_s, gap, rate_hz)
    names = {label for _, _, label in labels}
    if all(names <= _labels_in(plain, labels, split) for split in ("train", "test")):
        return plain
    return _blocks_by_label(duration_s, gap, rate_hz, sorted(labels)) or plain


def _plain_blocks(duration_s: float, gap: float, rate_hz: float) -> list[Block]:
    room = duration_s - 2 * gap
    edges = np.cumsum([0.0, *(share * room for share in SHARES)])
    return [
        Block(
            start_s=_on_sample(float(low) + i * gap, rate_hz),
            end_s=duration_s if i == 2 else _on_sample(float(high) + i * gap, rate_hz),
            split=split,
        )
        for i, (split, low, high) in enumerate(zip(SPLITS, edges[:-1], edges[1:], strict=True))
    ]


def _on_sample(seconds: float, rate_hz: float) -> float:
    return round(round(seconds * rate_hz) / rate_hz, 6)


def _labels_in(
    blocks: Sequence[Block], labels: Sequence[tuple[float, float, str]], split: Split
) -> set[str]:
    return {
        label
        for start, end, label in labels
        for b in blocks
        if b.split == split and min(end, b.end_s) - max(start, b.start_s) > 0
    }


def _blocks_by_label(
    duration_s: float, gap: float, rate_hz: float, labels: Sequence[tuple[float, float, str]]
) -> list[Block]:
    """Cut the time of each label in shares; time without a label goes with what is before it."""
    total: dict[str, float] = {}
    for start, end, label in labels:
        total[label] = total.get(label, 0.0) + end - start
    passed = dict.fromkeys(total, 0.0)
    edges: list[tuple[float, Split]] = []
    for start, end, label in labels:
        bounds = np.cumsum(SHARES) * total[label] - passed[label]
        low = start
        for split, bound in zip(SPLITS, bounds, strict=True):
            high = min(end, start + float(bound)) if split != "test" else end
            if high > low + 1 / rate_hz:
                edges.append((low, split))
                low = high
        passed[label] += end - start
    if not edges:
        return []
    merged = [(0.0, edges[0][1])]
    for at, split in edges[1:]:
        if split != merged[-1][1] and at > merged[-1][0]:
            merged.append((at, split))
    ends = [*(at for at, _ in merged[1:]), duration_s]
    gaps = [
        0.0,
        *(min(gap, MOST_GAP * (end - at)) for (at, _), end in zip(merged, ends, strict=True)),
    ]
    return [
        Block(
            start_s=_on_sample(at + (gaps[i + 1] if i else 0.0), rate_hz),
            end_s=end if i == len(merged) - 1 else _on_sample(end, rate_hz),
            split=split,
        )
        for i, ((at, split), end) in enumerate(zip(merged, ends, strict=True))
    ]


def split_by_label(labels_of: Mapping[str, Sequence[str]]) -> dict[str, Split]:
    """Return the splits of sessions in order of time, each label's sessions cut in shares.

    A label with one session is in training; with two in training and test; a session with several
    labels counts for the rarest of them.

    Parameters
    ----------
    labels_of : session → its labels, sessions in order of time
    """
    counts: dict[str, int] = {}
    for labels in labels_of.values():
        for label in set(labels):
            counts[label] = counts.get(label, 0) + 1
    groups: dict[str, list[str]] = {}
    for session, labels in labels_of.items():
        rarest = min(set(labels), key=lambda v: (counts[v], v), default="")
        groups.setdefault(rarest, []).append(session)
    found: dict[str, Split] = {}
    for sessions in groups.values():
        n = len(sessions)
        sizes = default_sizes(n) if n > 2 else (1, 0, n - 1)
        splits = [split for split, k in zip(SPLITS, sizes, strict=True) for _ in range(k)]
        found |= dict(zip(sessions, splits, strict=True))
    return {session: found[session] for session in labels_of}


def unlearnable(labels_of_split: Mapping[Split, set[str]]) -> tuple[str, ...]:
    """Return in words which labels no split can be judged by: absent from training, or untested."""
    every = sorted(set().union(*labels_of_split.values()))
    absent = [v for v in every if v not in labels_of_split.get("train", set())]
    untested = [v for v in every if v not in labels_of_split.get("test", set()) | set(absent)]
    notes = []
    if absent:
        notes.append(
            f"No training part has the label {_named(absent)}: it cannot be learnt, and its test "
            "parts count as errors."
        )
    if untested:
        notes.append(f"No test part has the label {_named(untested)}: it is learnt, not judged.")
    return tuple(notes)


def _named(labels: Sequence[str]) -> str:
    shown = ", ".join(repr(v) for v in labels[:6])
    return shown + (f" and {len(labels) - 6} more" if len(labels) > 6 else "")
