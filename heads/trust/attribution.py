"""Which channels an answer rests on, by occlusion in token space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.heads.contract.base import ClassifierHead

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class ChannelDrop:
    """What is lost when one channel says nothing.

    Parameters
    ----------
    probability_drop : mean drop of the true label's probability
    accuracy_drop : drop of the share of right answers
    """

    channel: str
    probability_drop: float
    accuracy_drop: float


def channel_attribution(
    head: ClassifierHead, tokens: Tokens, y: Sequence[str]
) -> tuple[ChannelDrop, ...]:
    """Replace each channel's tokens and context by their training mean, one channel at a time.

    Parameters
    ----------
    head : a fitted classifier
    tokens : Tokens of n windows, best held out
    y : n labels known to the head

    Returns
    -------
    The channels, the most missed first. Channels that say the same hide each other's worth.
    """
    columns = np.searchsorted(head.classes_, np.asarray(y, dtype=np.str_))
    columns = np.minimum(columns, len(head.classes_) - 1)
    known = head.classes_[columns] == np.asarray(y, dtype=np.str_)
    whole = _scores(head, tokens, columns, known)
    drops = []
    for index, channel in enumerate(tokens.channels):
        without = _scores(head, occlude(head, tokens, index), columns, known)
        drops.append(
            ChannelDrop(
                channel=channel,
                probability_drop=whole[0] - without[0],
                accuracy_drop=whole[1] - without[1],
            )
        )
    return tuple(sorted(drops, key=lambda d: (-d.probability_drop, d.channel)))


def occlude(head: ClassifierHead, tokens: Tokens, index: int) -> Tokens:
    """Return a copy of `tokens` in which channel number `index` is as on average in training."""
    values, context = tokens.values.copy(), tokens.context.copy()
    values[:, index] = head.token_mean_[index]
    context[:, index] = head.context_mean_[index]
    return replace(tokens, values=values, context=context)


def _scores(
    head: ClassifierHead, tokens: Tokens, columns: np.ndarray, known: np.ndarray
) -> tuple[float, float]:
    proba = head.predict_proba(tokens)
    of_truth = np.where(known, proba[np.arange(len(proba)), columns], 0.0)
    right = known & (proba.argmax(axis=1) == columns)
    return float(of_truth.mean()), float(right.mean())
