"""Anomalies by three views: far from the usual level, unlike usual windows, badly rebuilt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from tool_use_om.heads.contract.base import AnomalyHead
from tool_use_om.heads.contract.spec import HeadSpec
from tool_use_om.heads.contract.state import HeadState
from tool_use_om.heads.search.discord import Discord
from tool_use_om.heads.search.reconstruction import Reconstruction
from tool_use_om.tokenizers.encode.extremes import EXTREMES, without_extremes

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray
DEVIATION = "deviation"
_REACH = 2.0  # of a window's deviations, how far its values are taken to lie from its mean
_ROBUST = 1.4826  # times the median absolute deviation: a standard deviation, were it normal
_LEAST = 1e-2  # of the median: no score's usual spread is taken to be less


@dataclass(frozen=True, kw_only=True)
class Level:
    """Where a channel's values usually lie, from the means and deviations of usual windows.

    Parameters
    ----------
    mean, spread : (C,) channel units
    """

    mean: Array
    spread: Array

    @classmethod
    def of(cls, tokens: Tokens) -> Self | None:
        """Return the usual level of fitted windows; None where tokens carry no mean and scale."""
        if not {"mean", "std"} <= set(tokens.context_names):
            return None
        mean, std = _feature(tokens, "mean"), _feature(tokens, "std")
        seen = np.asarray(tokens.mask.any(axis=2))
        count = np.maximum(seen.sum(axis=0), 1)
        centre = np.where(seen, mean, 0.0).sum(axis=0) / count
        square = np.where(seen, std**2 + (mean - centre) ** 2, 0.0).sum(axis=0) / count
        return cls(mean=centre, spread=np.maximum(np.sqrt(square), 1e-12 * (1 + np.abs(centre))))

    def reach(self, tokens: Tokens) -> Array:
        """Return (B,) how far windows reach from it, in usual deviations, the furthest channel.

        By their extremes where tokens carry these, else by two deviations from their means.
        """
        if set(EXTREMES) <= set(tokens.context_names):
            ends = [np.abs(_feature(tokens, name) - self.mean) for name in EXTREMES]
            away = np.maximum(*ends)
        else:
            off = np.abs(_feature(tokens, "mean") - self.mean)
            away = off + _REACH * _feature(tokens, "std")
        seen = np.asarray(tokens.mask.any(axis=2))
        furthest: Array = np.where(seen, away / self.spread, 0.0).max(axis=1)
        return furthest


class Ensemble(AnomalyHead):
    """Score = the mean of three scores, each in robust deviations from its usual median.

    How far a window reaches from the usual level, how far it lies from the nearest usual windows
    (`discord`), and what usual tokens do not rebuild of it (`reconstruction`). The combination was
    chosen on simulated series by a rule written down before (docs/results.md).
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="ensemble",
        task="anomaly",
        summary="deviation from the usual level, discord and reconstruction together",
        good_at="anomalies whose kind is not known beforehand: levels, shapes, short ones",
        bad_at="saying what is unusual by one plain measure",
        labels_needed=0,
        said=("ensemble", "ensemble of detectors"),
    )
    reads_extremes: ClassVar[bool] = True
    discord_: Discord
    reconstruction_: Reconstruction
    level_: Level | None
    middle_: Array  # (members,) median of the fitted windows' scores, each left out in turn
    spread_: Array  # (members,)

    @property
    def members(self) -> tuple[str, ...]:
        """The views, in the order of `parts`."""
        own = (DEVIATION,) if self.level_ is not None else ()
        return (*own, "discord", "reconstruction")

    def parts(self, tokens: Tokens) -> dict[str, Array]:
        """Return each member's (B,) scores, in robust deviations from its usual median."""
        self._check_like_fitted(tokens)
        return dict(zip(self.members, self._standard(self._own(tokens)), strict=True))

    def to_state(self) -> HeadState:
        """Return everything fitted; the members' arrays and values carry their names."""
        self._require_fitted()
        held = {k: v for k, v in vars(self).items() if k not in _NESTED}
        plain = type(self).__new__(type(self))
        vars(plain).update(held)
        own = super(Ensemble, plain).to_state()
        arrays, values = dict(own.arrays), dict(own.values)
        if self.level_ is not None:
            arrays |= {"level.mean": self.level_.mean, "level.spread": self.level_.spread}
        for name in ("discord", "reconstruction"):
            state = getattr(self, f"{name}_").to_state()
            arrays |= {f"{name}.{k}": v for k, v in state.arrays.items()}
            values |= {f"{name}.{k}": v for k, v in state.values.items()}
        return replace(own, arrays=arrays, values=values)

    @classmethod
    def from_state(cls, state: HeadState) -> Self:
        """Build a fitted head from what `to_state` returned."""
        own = replace(state, arrays=_named(state.arrays, ""), values=_named(state.values, ""))
        head = super().from_state(own)
        level = _named(state.arrays, "level")
        head.level_ = Level(**level) if level else None
        head.discord_ = Discord.from_state(_member_state(state, "discord"))
        head.reconstruction_ = Reconstruction.from_state(_member_state(state, "reconstruction"))
        return head

    def _embed(self, rows: Array) -> Array:
        return rows

    def _learn(self, tokens: Tokens) -> Array:
        self.discord_, self.reconstruction_ = Discord(), Reconstruction()
        self.level_ = Level.of(tokens)
        rows = [] if self.level_ is None else [self.level_.reach(tokens)]
        bare = without_extremes(tokens)
        rows += [m.learn(bare) for m in (self.discord_, self.reconstruction_)]
        scores = np.stack(rows)
        known = np.where(np.isfinite(scores), scores, np.nan)
        known[np.isnan(known).all(axis=1)] = 0.0
        self.middle_ = np.nanmedian(known, axis=1)
        away = np.nanmedian(np.abs(known - self.middle_[:, None]), axis=1)
        self.spread_ = np.maximum(_ROBUST * away, _LEAST * np.abs(self.middle_) + 1e-12)
        return np.asarray(self._standard(scores).mean(axis=0))

    def _score(self, tokens: Tokens) -> Array:
        return np.asarray(self._standard(self._own(tokens)).mean(axis=0))

    def _own(self, tokens: Tokens) -> Array:
        """Return (members, B) scores as each member gives them."""
        rows = [] if self.level_ is None else [self.level_.reach(tokens)]
        bare = without_extremes(tokens)
        return np.stack([*rows, self.discord_.score(bare), self.reconstruction_.score(bare)])

    def _standard(self, scores: Array) -> Array:
        found: Array = (scores - self.middle_[:, None]) / self.spread_[:, None]
        return found


_NESTED = ("discord_", "reconstruction_", "level_")


def _named(stored: Mapping[str, Any], member: str) -> dict[str, Any]:
    """Return what belongs to one member, without its name; "" = to none."""
    split = [(key.rpartition("."), value) for key, value in stored.items()]
    return {name: value for (whose, _, name), value in split if whose == member}


def _member_state(state: HeadState, member: str) -> HeadState:
    arrays = _named(state.arrays, member)
    params = {"discord": Discord, "reconstruction": Reconstruction}[member]().params
    return HeadState(
        name=member, params=dict(params), arrays=arrays, values=_named(state.values, member)
    )


def _feature(tokens: Tokens, name: str) -> Array:
    """Return one context feature, (B, C)."""
    return np.asarray(tokens.context[..., tokens.context_names.index(name)], dtype=np.float64)
