"""The gate that lets a raw-space fallback answer instead of the head on tokens, or does not.

All candidates are scored on the same held-out folds of the training split. A fallback takes over
only if it is clearly better there: the paired bootstrap over whole groups (sessions or subjects)
leaves out zero. The test split takes no part in the decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.numeric.metrics import Interval, bootstrap_interval, paired_difference

Array = np.ndarray
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What the folds said.

    Parameters
    ----------
    own : the head on tokens
    chosen : the candidate that answers: `own`, or a fallback that is clearly better
    scores : each candidate's mean score on the folds with its interval, best first
    rival : the fallback with the best mean score
    difference : rival minus own, window by window (own minus rival for a loss): > 0 favours it
    """

    own: str
    chosen: str
    scores: Mapping[str, Interval]
    rival: str
    difference: Interval

    @property
    def escalated(self) -> bool:
        """Whether a fallback answers."""
        return self.chosen != self.own

    def why(self, metric: str) -> str:
        """Return the decision in words."""
        gap = self.difference
        told = f"{gap.value:.3f} ({gap.lower:.3f} to {gap.upper:.3f})"
        if self.escalated:
            return (
                f"{self.rival} answers: on held-out folds of the training sessions it is clearly "
                f"better than {self.own}, by {told} in {metric}."
            )
        verdict = "not clearly better" if gap.value > 0 else "no better"
        return (
            f"{self.own} answers: on held-out folds of the training sessions {self.rival} is "
            f"{verdict}, by {told} in {metric}."
        )


def decide(
    own: str,
    scores: Mapping[str, Array],
    groups: Array,
    *,
    higher_is_better: bool = True,
    seed: int = 0,
) -> Gate:
    """Choose between the head and its fallbacks.

    Parameters
    ----------
    own : the head's name in `scores`
    scores : name → (n,) score of each held-out window (a hit, or an error); NaN = not scored
    groups : (n,) session or subject of each window
    higher_is_better : False for errors

    Raises
    ------
    DataError : no fallback to compare with, or no window that all have scored
    """
    rivals = [name for name in scores if name != own]
    if not rivals or own not in scores:
        raise DataError("The gate compares a head with at least one fallback.")
    table = np.stack([np.asarray(v, dtype=np.float64) for v in scores.values()])
    known = np.isfinite(table).all(axis=0)
    if not known.any():
        raise DataError("The gate has no held-out window that all candidates have scored.")
    sign = 1.0 if higher_is_better else -1.0
    kept = {name: row[known] for name, row in zip(scores, table, strict=True)}
    within = np.asarray(groups)[known]
    ranked = sorted(kept, key=lambda name: -sign * float(kept[name].mean()))
    rival = next(name for name in ranked if name != own)
    gap = paired_difference(
        sign * kept[rival], sign * kept[own], groups=within, level=LEVEL, seed=seed
    )
    return Gate(
        own=own,
        chosen=rival if gap.clear and gap.lower > 0 else own,
        scores={name: bootstrap_interval(kept[name], groups=within, seed=seed) for name in ranked},
        rival=rival,
        difference=gap,
    )
