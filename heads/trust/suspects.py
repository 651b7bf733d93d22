"""Which given labels are probably wrong: confident learning from out-of-fold probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Suspects:
    """Cases whose given label the probabilities speak against, the clearest first.

    Parameters
    ----------
    index : (m,) places of the suspects among the cases
    likely : (m,) int, the class that each is more probably of
    judged : (n,) bool, the cases that have probabilities
    thresholds : (K,) the mean probability that cases of a class get for it; NaN without cases
    """

    index: Array
    likely: Array
    judged: Array
    thresholds: Array


def suspects(proba: Array, given: Array) -> Suspects:
    """Find the cases that are confidently of another class than the one they were given.

    A case counts for a class where its probability reaches that class's own mean, so that a class
    the models are shy of is not suspected as a whole.

    Parameters
    ----------
    proba : (n, K) by models that have not seen the case; a row with NaN is not judged
    given : (n,) int, the class each case was given

    Source: Northcutt, Jiang and Chuang (2021), Confident Learning, section 3 (the off-diagonal of
    the confident joint), ranked by the difference to the given label. Not covered: estimating how
    many labels are wrong in all.
    """
    judged = np.isfinite(proba).all(axis=1)
    n_classes = proba.shape[1]
    thresholds = np.full(n_classes, np.nan)
    for k in range(n_classes):
        own = judged & (given == k)
        if own.any():
            thresholds[k] = proba[own, k].mean()
    reached = np.where(proba >= thresholds, proba, -1.0)
    likely = reached.argmax(axis=1)
    rows = np.arange(len(proba))
    own_proba = np.where(judged, proba[rows, given], np.nan)
    with np.errstate(invalid="ignore"):
        margin = proba[rows, likely] - own_proba
        found = judged & (reached.max(axis=1) >= 0) & (likely != given) & (margin > 0)
    index = np.flatnonzero(found)
    index = index[np.argsort(-margin[index], kind="stable")]
    return Suspects(index=index, likely=likely[index], judged=judged, thresholds=thresholds)
