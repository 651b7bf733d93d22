"""Who trains, who calibrates, who tests: decided once, at conversion, and stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
