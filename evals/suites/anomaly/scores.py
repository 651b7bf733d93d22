"""Scores of anomaly detectors that a long or a lucky alarm cannot inflate.

No point adjustment: with it, one random alarm inside a long anomaly counts as having found all of
it. Threshold-free: the area under the range-based precision-recall curve, averaged over buffers
around the labels (VUS-PR, Paparrizos et al., 2022; aeon's curve). By event: as many alarms as there
are events, each one window long and none overlapping; the share of events they hit.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
BUFFERS = (0.0, 0.25, 0.5, 1.0)  # of a window, around each labelled stretch


def point_scores(scores: Array, starts: Array, width: int, n: int) -> Array:
    """Return (n,) the mean score of the windows over each sample; the least score where none is.

    Parameters
    ----------
    scores, starts : (m,) window scores and their first samples
    width : samples in a window
    """
    total, count = np.zeros(n + 1), np.zeros(n + 1)
    for start, score in zip(starts.tolist(), scores.tolist(), strict=True):
        stop = min(start + width, n)
        total[start], total[stop] = total[start] + score, total[stop] - score
        count[start], count[stop] = count[start] + 1, count[stop] - 1
    covered = np.cumsum(count)[:n]
    summed = np.cumsum(total)[:n]
    points: Array = np.where(covered > 0.5, summed / np.maximum(covered, 1), scores.min())
    return points


def events(labels: Array) -> list[tuple[int, int]]:
    """Return the labelled stretches as [first, stop) samples."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], labels.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def vus_pr(labels: Array, scores: Array, width: int) -> float:
    """Return the mean area under the range-based precision-recall curve over `BUFFERS`.

    The share of labelled samples is about what a random score reaches. A constant score: 0.
    """
    from aeon.benchmarking.metrics.anomaly_detection import range_pr_auc_score

    if len(np.unique(scores)) < 2:
        return 0.0
    areas = [
        range_pr_auc_score(labels.astype(np.int64), scores, buffer_size=round(b * width))
        for b in BUFFERS
    ]
    return float(np.mean(areas))


def event_hits(labels: Array, scores: Array, width: int) -> tuple[int, int]:
    """Return (events hit, events): by the highest alarms, as many as there are events.

    An alarm is the highest score left; it covers one window around that sample, and samples less
    than a window away from an alarm raise none. Of alarms in one event only the first counts.
    """
    there = events(labels)
    left = scores.astype(np.float64).copy()
    hit: set[int] = set()
    for _ in there:
        at = int(np.argmax(left))
        if not np.isfinite(left[at]):
            break
        low, high = at - width // 2, at + (width + 1) // 2
        found = [i for i, (first, stop) in enumerate(there) if first < high and stop > low]
        hit |= set(found[:1])
        left[max(0, at - width + 1) : at + width] = -np.inf
    return len(hit), len(there)
