"""Anomalies as what a linear model of usual tokens cannot rebuild, patch by patch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tool_use_om.heads.contract.base import AnomalyHead
from tool_use_om.heads.contract.spec import HeadSpec, Param
from tool_use_om.heads.numeric.folds import plain_folds

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray
_MOST_TOKENS = 20_000  # a channel's model is fitted on at most so many


@dataclass(frozen=True, kw_only=True)
class _Usual:
    """What is usual: each channel's tokens, and its level and scale.

    Parameters
    ----------
    shift, axes : (C, D) and (C, D, d), zeros for axes a channel does not use
    typical : (C,) root mean square of what the axes leave
    level, spread : (C, K) mean and deviation of the context features
    """

    shift: Array
    axes: Array
    typical: Array
    level: Array
    spread: Array


class Reconstruction(AnomalyHead):
    """Score = the worst patch's residual, in units of the channel's usual one.

    Each channel's tokens are rebuilt from their leading principal components (the Q statistic of
    Jackson and Mudholkar, 1979). The encoder's own reconstruction of masked patches would need the
    encoder, which a head never has. With `context` a window's level and scale count too, in
    standard deviations: an encoder that normalises hides them from its tokens.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="reconstruction",
        task="anomaly",
        summary="what usual tokens do not explain, the worst patch of a window",
        good_at="anomalies much shorter than a window, jumps of level; fast on many windows",
        bad_at="stretches made of usual patches in an unusual order",
        labels_needed=0,
        said=(
            "reconstruction",
            "reconstruction head",
            "reconstruction error",
            "short anomalies",
            "shorter than a window",
        ),
        params=(
            Param(
                name="keep",
                kind="float",
                default=0.9,
                low=0.1,
                high=0.999,
                description="share of the usual tokens' variance that the components hold",
            ),
            Param(
                name="context",
                kind="bool",
                default=True,
                description="count unusual levels and scales too",
            ),
        ),
    )
    shift_: Array
    axes_: Array
    typical_: Array
    level_: Array
    spread_: Array

    def _embed(self, rows: Array) -> Array:
        return rows

    def _learn(self, tokens: Tokens) -> Array:
        usual = _fit_usual(tokens, self._float("keep"))
        for name, value in vars(usual).items():
            setattr(self, f"{name}_", value)
        scores = np.full(len(tokens), np.inf)
        for train, held_out in plain_folds(np.array(tokens.session_ids, dtype=np.str_)):
            others = _fit_usual(tokens.select(train), self._float("keep"))
            scores[held_out] = self._judge(tokens.select(held_out), others)
        return scores

    def _score(self, tokens: Tokens) -> Array:
        names = ("shift", "axes", "typical", "level", "spread")
        usual = _Usual(**{name: getattr(self, f"{name}_") for name in names})
        return self._judge(tokens, usual)

    def _judge(self, tokens: Tokens, usual: _Usual) -> Array:
        """Return (B,) worst residuals over channels and patches."""
        worst = np.zeros(len(tokens))
        for c in range(len(tokens.channels)):
            left = _left_over(tokens.values[:, c], usual.shift[c], usual.axes[c])
            ratio = np.where(tokens.mask[:, c], left / usual.typical[c], 0.0)
            worst = np.maximum(worst, ratio.max(axis=1))
        if self.params["context"] and tokens.context.shape[2]:
            seen = np.any(tokens.mask, axis=2)
            away = np.abs(tokens.context - usual.level) / usual.spread
            worst = np.maximum(worst, np.where(seen, away.max(axis=2), 0.0).max(axis=1))
        return worst


def _left_over(values: Array, shift: Array, axes: Array) -> Array:
    """Return (..., ) norms of what the axes do not hold of tokens (..., D)."""
    centred = values.astype(np.float64) - shift
    squared = (centred**2).sum(axis=-1) - ((centred @ axes) ** 2).sum(axis=-1)
    norms: Array = np.sqrt(np.maximum(squared, 0.0))
    return norms


def _fit_usual(tokens: Tokens, keep: float) -> _Usual:
    n_channels, width = tokens.values.shape[1], tokens.values.shape[3]
    shift, axes = np.zeros((n_channels, width)), np.zeros((n_channels, width, width))
    typical, most = np.ones(n_channels), 1
    for c in range(n_channels):
        own = tokens.values[:, c][tokens.mask[:, c]]
        own = own[:: -(-len(own) // _MOST_TOKENS)].astype(np.float64) if len(own) else own
        if len(own) < 2:
            continue
        shift[c] = own.mean(axis=0)
        variance, directions = np.linalg.eigh(np.cov(own.T))
        share = np.cumsum(variance[::-1]) / max(float(variance.sum()), 1e-30)
        dims = min(int(np.searchsorted(share, keep)) + 1, width - 1, len(own) - 1)
        most = max(most, dims)
        axes[c, :, :dims] = directions[:, ::-1][:, :dims]
        left = _left_over(own, shift[c], axes[c])
        floor = 1e-6 * (1.0 + float(np.abs(own).max()))
        typical[c] = max(float(np.sqrt((left**2).mean())), floor)
    seen = np.any(tokens.mask, axis=2)[..., None]
    count = np.maximum(seen.sum(axis=0), 1)
    level = np.where(seen, tokens.context, 0.0).sum(axis=0) / count
    square = np.where(seen, (tokens.context - level) ** 2, 0.0).sum(axis=0) / count
    spread = np.maximum(np.sqrt(square), 1e-6 * (1.0 + np.abs(level)))
    return _Usual(
        shift=shift, axes=axes[..., :most].copy(), typical=typical, level=level, spread=spread
    )
