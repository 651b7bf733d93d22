"""Which channels an answer rests on, by occlusion in token space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.contract.base import ClassifierHead
from tool_use_om.heads.numeric.metrics import Interval, bootstrap_interval, paired_difference

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


Array = np.ndarray


DRAWS = 4


@dataclass(frozen=True, kw_only=True)
class Faithfulness:
    """What deleting channels costs on held-out windows.

    Parameters
    ----------
    salient : the channel found most salient on each half
    salient_drop, random_drop : mean fall of the true label's probability
    difference : salient minus random, paired window by window; its interval is over sessions
    salient_accuracy_drop, random_accuracy_drop : the same in shares of right answers
    """

    salient: tuple[str, ...]
    salient_drop: Interval
    random_drop: Interval
    difference: Interval
    salient_accuracy_drop: float
    random_accuracy_drop: float

    @property
    def faithful(self) -> bool:
        """Whether the salient channel is clearly the more needed one."""
        return self.difference.clear and self.difference.lower > 0


def check_faithfulness(
    head: ClassifierHead,
    tokens: Tokens,
    y: Sequence[str],
    donors: Tokens,
    *,
    seed: int = 0,
) -> Faithfulness:
    """Measure whether occlusion names the channels that answers rest on.

    Parameters
    ----------
    head : a fitted classifier
    tokens, y : held-out windows with labels known to the head
    donors : training windows, whose channels replace the deleted ones

    Raises
    ------
    DataError : one channel only, or fewer than two sessions

    Source: deletion with resampling instead of a constant, after Covert, Lundberg and Lee (2021),
    removal-based explanations.
    """
    n_channels = len(tokens.channels)
    sessions = np.asarray(tokens.session_ids, dtype=np.str_)
    names = np.unique(sessions)
    if n_channels < 2 or len(names) < 2:
        raise DataError(
            "Faithfulness compares channels on halves of the sessions: it needs two channels and "
            f"two sessions at least, got {n_channels} and {len(names)}."
        )
    rng = np.random.default_rng(seed)
    labels = np.asarray(y, dtype=np.str_)
    drops = _deletion_drops(head, tokens, labels, donors, rng)
    first = np.isin(sessions, rng.permutation(names)[: len(names) // 2])
    salient = np.zeros(len(labels), dtype=np.int64)
    found = []
    for half in (first, ~first):
        rows = np.flatnonzero(half)
        top = channel_attribution(head, tokens.select(rows), list(labels[rows]))[0].channel
        salient[~half] = tokens.channels.index(top)
        found.append(top)
    return _compared(drops, salient, sessions, tuple(found), seed)


def delete(tokens: Tokens, channel: int, donors: Tokens, rng: np.random.Generator) -> Tokens:
    """Return a copy whose channel number `channel` is that of donor windows drawn at random."""
    rows = rng.integers(0, len(donors), len(tokens))
    values, mask, context = tokens.values.copy(), tokens.mask.copy(), tokens.context.copy()
    values[:, channel] = donors.values[rows, channel]
    mask[:, channel] = donors.mask[rows, channel]
    context[:, channel] = donors.context[rows, channel]
    return replace(tokens, values=values, mask=mask, context=context)


def _deletion_drops(
    head: ClassifierHead, tokens: Tokens, labels: Array, donors: Tokens, rng: np.random.Generator
) -> Array:
    """Return (2, C, n): what deleting each channel costs each window in probability and hits."""
    columns = np.searchsorted(head.classes_, labels)
    columns = np.minimum(columns, len(head.classes_) - 1)
    known = head.classes_[columns] == labels
    whole = _scores_each(head, tokens, columns, known)
    drops = np.zeros((2, len(tokens.channels), len(labels)))
    for channel in range(len(tokens.channels)):
        for _ in range(DRAWS):
            without = _scores_each(head, delete(tokens, channel, donors, rng), columns, known)
            drops[:, channel] += (whole - without) / DRAWS
    return drops


def _scores_each(head: ClassifierHead, tokens: Tokens, columns: Array, known: Array) -> Array:
    """Return (2, n): the true label's probability, and whether it is the answer."""
    proba = head.predict_proba(tokens)
    of_truth = np.where(known, proba[np.arange(len(proba)), columns], 0.0)
    return np.stack([of_truth, known & (proba.argmax(axis=1) == columns)])


def _compared(
    drops: Array, salient: Array, sessions: Array, found: tuple[str, ...], seed: int
) -> Faithfulness:
    rows = np.arange(len(salient))
    own = drops[:, salient, rows]
    others = (drops.sum(axis=1) - own) / (drops.shape[1] - 1)
    return Faithfulness(
        salient=found,
        salient_drop=bootstrap_interval(own[0], groups=sessions, seed=seed),
        random_drop=bootstrap_interval(others[0], groups=sessions, seed=seed),
        difference=paired_difference(own[0], others[0], groups=sessions, seed=seed),
        salient_accuracy_drop=float(own[1].mean()),
        random_accuracy_drop=float(others[1].mean()),
    )
