"""A calibrated soft vote: what several classifiers say, weighed by how right they were elsewhere.

Each member's probabilities are brought to an exponent and the members to weights under which the
labels of held-out cases are likeliest. With few cases the weights stay near equal ones: they start
as if each member had already been right on a few cases more. The test split takes no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tool_use_om.data.errors import DataError

Array = np.ndarray
_EXPONENTS = np.logspace(-0.7, 0.7, 15)  # under 1 softens what a member says, over 1 sharpens it
_STEPS = 21  # weights tried between 0 and 1
_PRIOR = 4.0  # cases that speak for equal weights
_LEAST = 1e-6


@dataclass(frozen=True, kw_only=True)
class Vote:
    """How much each member counts.

    Parameters
    ----------
    weights : member → weight; they sum to 1
    exponents : member → what its probabilities are raised to before they are weighed
    n_cases : held-out cases behind both
    """

    weights: Mapping[str, float]
    exponents: Mapping[str, float]
    n_cases: int

    def proba(self, said: Mapping[str, Array]) -> Array:
        """Return the (n, K) weighed probabilities of what each member says, (n, K) each.

        Raises
        ------
        DataError : a member is missing
        """
        missing = [name for name in self.weights if name not in said]
        if missing:
            raise DataError(f"The vote needs what {', '.join(missing)} says.")
        parts = [w * sharpened(said[n], self.exponents[n]) for n, w in self.weights.items() if w]
        total: Array = np.sum(parts, axis=0)
        return total


def weigh(said: Mapping[str, Array], codes: Array) -> Vote:
    """Return the vote of members that have each spoken of the same held-out cases.

    Parameters
    ----------
    said : member → (n, K) probabilities; NaN where it was not asked
    codes : (n,) the right class of each case

    Raises
    ------
    DataError : no member, or no case that all were asked about
    """
    if not said:
        raise DataError("A vote needs at least one member.")
    known = np.all([np.isfinite(p).all(axis=1) for p in said.values()], axis=0)
    if not known.any():
        raise DataError("A vote is weighed on held-out cases; there is none that all have judged.")
    right = codes[known]
    exponents = {name: _exponent(p[known], right) for name, p in said.items()}
    sharp = {name: sharpened(p[known], exponents[name]) for name, p in said.items()}
    own = {name: p[np.arange(len(right)), right] for name, p in sharp.items()}
    return Vote(weights=_weights(own), exponents=exponents, n_cases=len(right))


def sharpened(proba: Array, exponent: float) -> Array:
    """Return (n, K) probabilities raised to an exponent, a distribution again."""
    raised = np.maximum(proba, _LEAST) ** exponent
    scaled: Array = raised / raised.sum(axis=1, keepdims=True)
    return scaled


def _exponent(proba: Array, right: Array) -> float:
    """Return the exponent under which the right labels are likeliest, held towards 1."""
    rows = np.arange(len(right))
    losses = [
        _PRIOR * np.log(exponent) ** 2 - np.log(sharpened(proba, exponent)[rows, right]).sum()
        for exponent in _EXPONENTS
    ]
    return float(_EXPONENTS[int(np.argmin(losses))])


def _weights(own: Mapping[str, Array]) -> dict[str, float]:
    """Return the weights under which the right labels are likeliest, one member at a time.

    Parameters
    ----------
    own : member → (n,) what it gave the right label
    """
    names = list(own)
    weights = dict.fromkeys(names, 1.0 / len(names))
    if len(names) == 1:
        return weights
    for _ in range(len(names)):
        for name in names:
            rest = _rest(weights, names, name)
            others = np.sum([rest[n] * own[n] for n in rest], axis=0)
            share = _share(own[name], others, len(names))
            weights = {name: share} | {n: (1.0 - share) * rest[n] for n in rest}
    return {name: float(weights[name]) for name in names}


def _rest(weights: Mapping[str, float], names: Sequence[str], without: str) -> dict[str, float]:
    """Return the other members' weights among themselves."""
    kept = {n: weights[n] for n in names if n != without}
    total = sum(kept.values())
    return {n: (w / total if total > 0 else 1.0 / len(kept)) for n, w in kept.items()}


def _share(own: Array, others: Array, n_members: int) -> float:
    """Return the weight of one member against the rest."""
    tried = np.linspace(0.0, 1.0, _STEPS)[1:-1]
    likely = [np.log(w * own + (1.0 - w) * others + _LEAST).sum() for w in tried]
    equal = 1.0 / n_members
    prior = _PRIOR * (equal * np.log(tried) + (1.0 - equal) * np.log(1.0 - tried))
    return float(tried[int(np.argmax(np.array(likely) + prior))])
