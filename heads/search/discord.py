"""Anomalies as discords: windows far from every usual window, with conformal p-values."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.contract.base import AnomalyHead
from tool_use_om.heads.contract.pooling import (
    POOLING_PARAMS,
    fit_projection,
    project,
    squared_distances,
)
from tool_use_om.heads.contract.spec import HeadSpec, Param

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray
_ROWS_AT_ONCE = 1024


class Discord(AnomalyHead):
    """Score = mean distance to the k nearest fitted windows of other sessions.

    With a single fitted session, those of it that do not overlap: no window vouches for itself.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="discord",
        task="anomaly",
        summary="distance to the nearest usual windows, with p-values",
        good_at="stretches unlike everything seen, without any labels",
        bad_at="anomalies much shorter than a window; data whose usual part was never shown",
        labels_needed=0,
        said=("discord",),
        params=(
            *POOLING_PARAMS,
            Param(name="k", kind="int", default=3, low=1, high=50, description="neighbours"),
        ),
    )
    shift_: Array
    matrix_: Array

    def _embed(self, rows: Array) -> Array:
        return project(rows, self.shift_, self.matrix_)

    def _learn(self, tokens: Tokens) -> Array:
        rows = self._pool(tokens)
        self.shift_, self.matrix_ = fit_projection(rows, self._int("max_dims"))
        self._remember_bank(tokens, rows.values)
        spans = (self.bank_sessions_, self.bank_start_s_, self.bank_end_s_)
        return self._scores(self.bank_.astype(np.float64), *spans)

    def _score(self, tokens: Tokens) -> Array:
        start = np.asarray(tokens.window_start_s, dtype=np.float64)
        sessions = np.array(tokens.session_ids, dtype=np.str_)
        points = self._embed(self._pool(tokens).values)
        found = self._scores(points, sessions, start, start + tokens.window_s)
        if not np.isfinite(found).all():
            raise DataError(
                "A window was compared with nothing but itself. Fit on more windows or sessions."
            )
        return found

    def _scores(self, points: Array, sessions: Array, start_s: Array, end_s: Array) -> Array:
        """Return (n,) scores; infinite where no fitted window may vouch for a window."""
        alone = len(np.unique(self.bank_sessions_)) == 1
        scores = []
        for first in range(0, len(points), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            own = sessions[part, None] == self.bank_sessions_[None, :]
            if alone:
                own &= start_s[part, None] < self.bank_end_s_[None, :] - 1e-9
                own &= end_s[part, None] > self.bank_start_s_[None, :] + 1e-9
            scores.append(self._k_nearest(points[part], own))
        return np.concatenate(scores)

    def _k_nearest(self, points: Array, left_out: Array) -> Array:
        squared = squared_distances(points, self.bank_.astype(np.float64))
        squared = np.where(left_out, np.inf, squared)
        k = min(self._int("k"), squared.shape[1])
        nearest = np.sort(np.partition(squared, k - 1, axis=1)[:, :k], axis=1)
        usable = np.where(np.isfinite(nearest), np.sqrt(nearest), np.nan)
        count = np.isfinite(usable).sum(axis=1)
        total = np.where(np.isfinite(usable), usable, 0.0).sum(axis=1)
        mean: Array = np.where(count > 0, total / np.maximum(count, 1), np.inf)
        return mean
