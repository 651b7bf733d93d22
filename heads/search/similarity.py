"""Find the stretches most like a query, by nearest neighbours over window tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tool_use_om.heads.contract.base import RetrievalHead
from tool_use_om.heads.contract.pooling import (
    POOLING_PARAMS,
    Rows,
    fit_projection,
    project,
    squared_distances,
)
from tool_use_om.heads.contract.results import Neighbour
from tool_use_om.heads.contract.spec import HeadSpec, Param

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray
_MOST_TO_LEARN = 20_000  # windows the cells are fitted on
_LEAST_FOUND = 20  # cells are opened until they hold so many times k windows


class Similarity(RetrievalHead):
    """Euclidean neighbours over standardised pooled tokens; overlapping stretches count once.

    `index="approximate"` sorts the windows into cells by k-means (an inverted file; Jégou and
    others, 2011) and compares the query with the windows of the nearest `probes` cells only:
    distances stay exact, yet a neighbour in another cell is missed.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="similarity",
        task="retrieve",
        summary="nearest windows by their tokens",
        good_at="finding stretches like a given one, with no labels at all",
        bad_at="patterns much shorter than a window",
        labels_needed=0,
        params=(
            *POOLING_PARAMS,
            Param(
                name="index",
                kind="str",
                default="exact",
                choices=("exact", "approximate"),
                description="compare with all windows, or with those of the nearest cells",
            ),
            Param(
                name="probes",
                kind="int",
                default=12,
                low=1,
                high=1000,
                description="cells opened by the approximate index",
            ),
        ),
    )
    shift_: Array
    matrix_: Array
    centres_: Array  # (cells, d), approximate index only
    order_: Array  # windows sorted by cell
    cell_start_: Array  # (cells + 1,) where each cell begins in `order_`

    def _fit(self, rows: Rows) -> None:
        self.shift_, self.matrix_ = fit_projection(rows, self._int("max_dims"))
        if self.params["index"] == "approximate":
            self._sort_into_cells(self._embed(rows.values))

    def _sort_into_cells(self, points: Array) -> None:
        from sklearn.cluster import MiniBatchKMeans

        some = points[:: -(-len(points) // _MOST_TO_LEARN)]
        count = min(round(np.sqrt(len(points))), len(np.unique(some.round(9), axis=0)))
        fitted = MiniBatchKMeans(count, n_init=1, random_state=0, batch_size=2048).fit(some)
        self.centres_ = fitted.cluster_centers_.astype(np.float64)
        parts = np.array_split(points, -(-len(points) // 4096))
        cells = np.concatenate([squared_distances(p, self.centres_).argmin(axis=1) for p in parts])
        self.order_ = np.argsort(cells, kind="stable")
        self.cell_start_ = np.searchsorted(cells[self.order_], np.arange(count + 1))

    def _compared(self, point: Array, k: int) -> Array:
        """Return which fitted windows a query is compared with."""
        if self.params["index"] == "exact":
            return np.arange(len(self.bank_))
        nearest = np.argsort(squared_distances(point, self.centres_)[0], kind="stable")
        sizes = np.cumsum(np.diff(self.cell_start_)[nearest])
        enough = int(np.searchsorted(sizes, _LEAST_FOUND * k)) + 1
        opened = nearest[: max(self._int("probes"), enough)]
        spans = [self.order_[self.cell_start_[c] : self.cell_start_[c + 1]] for c in opened]
        return np.concatenate(spans)

    def _embed(self, rows: Array) -> Array:
        return project(rows, self.shift_, self.matrix_)

    def _query(
        self, tokens: Tokens, point: Array, k: int, *, exclude_overlapping: bool
    ) -> list[Neighbour]:
        rows = self._compared(point, k)
        squared = squared_distances(point, self.bank_[rows].astype(np.float64))[0]
        start = float(tokens.window_start_s[0])
        taken = [(tokens.session_ids[0], start, start + tokens.window_s)]
        if not exclude_overlapping:
            taken = []
        found: list[Neighbour] = []
        for index in np.argsort(squared, kind="stable"):
            if len(found) == k:
                break
            candidate = self._neighbour(int(rows[index]), float(squared[index]))
            if not any(_overlap(candidate, *stretch) for stretch in taken):
                found.append(candidate)
                taken.append((candidate.session_id, candidate.start_s, candidate.end_s))
        return found


def _overlap(candidate: Neighbour, session_id: str, start_s: float, end_s: float) -> bool:
    same = candidate.session_id == session_id
    return same and candidate.start_s < end_s - 1e-9 and candidate.end_s > start_s + 1e-9
