"""Find the stretches most like a query, by exact nearest neighbours over window tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tool_use_om.heads.base import RetrievalHead
from tool_use_om.heads.features import POOLING_PARAMS, Rows, fit_projection, project
from tool_use_om.heads.results import Neighbour
from tool_use_om.heads.spec import HeadSpec

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray


class Similarity(RetrievalHead):
    """Euclidean neighbours over standardised pooled tokens; overlapping stretches count once."""

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="similarity",
        task="retrieve",
        summary="nearest windows by their tokens",
        good_at="finding stretches like a given one, with no labels at all",
        bad_at="patterns much shorter than a window",
        labels_needed=0,
        params=POOLING_PARAMS,
    )
    shift_: Array
    matrix_: Array

    def _fit(self, rows: Rows) -> None:
        self.shift_, self.matrix_ = fit_projection(rows, self._int("max_dims"))

    def _embed(self, rows: Array) -> Array:
        return project(rows, self.shift_, self.matrix_)

    def _query(
        self, tokens: Tokens, squared: Array, k: int, *, exclude_overlapping: bool
    ) -> list[Neighbour]:
        start = float(tokens.window_start_s[0])
        taken = [(tokens.session_ids[0], start, start + tokens.window_s)]
        if not exclude_overlapping:
            taken = []
        found: list[Neighbour] = []
        for index in np.argsort(squared, kind="stable"):
            if len(found) == k:
                break
            candidate = self._neighbour(int(index), float(squared[index]))
            if not any(_overlap(candidate, *stretch) for stretch in taken):
                found.append(candidate)
                taken.append((candidate.session_id, candidate.start_s, candidate.end_s))
        return found


def _overlap(candidate: Neighbour, session_id: str, start_s: float, end_s: float) -> bool:
    same = candidate.session_id == session_id
    return same and candidate.start_s < end_s - 1e-9 and candidate.end_s > start_s + 1e-9
