"""Whether a search finds windows of the same label in other people's sessions.

Queries are windows of the test split; searched is what is not in it, so no neighbour is of the
query's own session, nor of its subject where subjects are known. Neighbours of one query do not
overlap one another, for every method alike.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.evals.report import Row, Table, by_group, how_measured, mean_cell, of_data
from tool_use_om.evals.suites.classify.base import WindowSuite
from tool_use_om.evals.suites.classify.peers import dtw_distances, euclidean_distances
from tool_use_om.evals.suites.classify.tables import how
from tool_use_om.evals.suites.classify.windows import Part
from tool_use_om.heads.registry import make_head

Array = np.ndarray
DEPTHS = (1, 5, 10)
MOST_QUERIES = 300
HEAD = "similarity"
PEERS = {"euclidean": euclidean_distances, "dtw": dtw_distances}


class RetrievalSuite(WindowSuite):
    """Search in tokens and in samples × data sets."""

    name = "retrieval"
    fixed: ClassVar[Mapping[str, object]] = {"queries": MOST_QUERIES}

    def cells(self, name: str) -> list[tuple[str, str]]:
        """Return (kind, method)."""
        del name
        return self.kept([HEAD], PEERS)

    def measure(self, row: Row) -> Row:
        """Measure one way to search."""
        data = self.windows(row["data"])
        asked = data.test.select(data.test.encoded)
        asked = asked.select(_evenly(len(asked), MOST_QUERIES))
        searched = data.fit.select(data.fit.encoded)
        started = time.process_time()
        distances = (
            token_distances(row["method"], asked, searched)
            if row["kind"] == "head"
            else PEERS[row["method"]](asked.raw, searched.raw)
        )
        seconds = time.process_time() - started
        found = precisions(distances, asked.y, searched)
        counts = np.array([np.mean(searched.y == label) for label in asked.y])
        return data.about() | {
            "n_queries": len(asked),
            "chance": float(counts.mean()),
            "seconds": seconds,
            "kept": by_group(found | {"chance": counts}, asked.groups),
        }

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return a table for each data set."""
        tables = []
        for name in self.sets:
            own = of_data(rows, name)
            note = f"{how_measured(own, _asked)} {self.content_note(name)}"
            shown = tuple(_cells(r) for r in own)
            tables.append(Table(title=f"{name}: search by example", note=note, rows=shown))
        return tables


def token_distances(name: str, asked: Part, searched: Part) -> Array:
    """Return (n, m) distances of the head, whose metric is fitted on what is searched.

    Raises
    ------
    DataError : a head that does not search by whole windows
    """
    from tool_use_om.heads.contract.base import RetrievalHead

    head = make_head(name)
    if not isinstance(head, RetrievalHead):
        raise DataError(f"{name} does not search by whole windows.")
    head.fit(searched.tokens)
    place = _places(searched)
    distances = np.full((len(asked), len(searched)), np.inf)
    for row in range(len(asked)):
        query = asked.tokens.select([row])
        for found in head.query(query, max(DEPTHS)):
            distances[row, place[found.session_id, round(found.start_s, 6)]] = found.distance
    return distances


def precisions(distances: Array, asked: Array, searched: Part) -> dict[str, Array]:
    """Return "p@k" → (n,) the share of each query's k nearest windows with its label (n,).

    Of overlapping windows of one session only the nearest counts; fewer than k finite distances
    count as misses.
    """
    ends = searched.windows.end_s
    hits = np.zeros((len(asked), max(DEPTHS)))
    for row, own in enumerate(distances):
        order = np.argsort(own, kind="stable")
        order = order[np.isfinite(own[order])]
        chosen = without_overlap(order, searched.sessions, searched.windows.start_s, ends)
        labels = searched.y[chosen[: max(DEPTHS)]]
        hits[row, : len(labels)] = labels == asked[row]
    return {f"p@{k}": hits[:, :k].mean(axis=1) for k in DEPTHS}


def without_overlap(
    order: Array, sessions: Array, start_s: Array, end_s: Array, most: int = max(DEPTHS)
) -> list[int]:
    """Return the first `most` windows of `order` of which no two share a second."""
    kept: list[int] = []
    for i in order.tolist():
        overlaps = any(
            sessions[i] == sessions[j]
            and start_s[i] < end_s[j] - 1e-9
            and end_s[i] > start_s[j] + 1e-9
            for j in kept
        )
        if not overlaps:
            kept.append(i)
        if len(kept) == most:
            break
    return kept


def _places(part: Part) -> dict[tuple[str, float], int]:
    keys = zip(part.windows.session_ids, part.windows.start_s, strict=True)
    return {(s, round(float(t), 6)): i for i, (s, t) in enumerate(keys)}


def _evenly(n: int, most: int) -> Array:
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))


def _asked(row: Row) -> str:
    return (
        f"{row['n_queries']} queries, evenly spaced. Precision at k: the share of the k nearest "
        "windows that bear the query's label; chance here is the share of such windows among all. "
        f"{how(row)}"
    )


def _cells(row: Row) -> dict[str, str]:
    names = [f"p@{k}" for k in DEPTHS]
    cells: dict[str, Any] = {"search": row["method"]}
    cells["kind"] = "ours" if row["kind"] == "head" else "peer"
    if row["error"]:
        return cells | {names[0]: str(row["error"])} | dict.fromkeys([*names[1:], "chance"], "–")
    cells |= {n: mean_cell(row["kept"], n) for n in names}
    return cells | {"chance": f"{row['chance']:.3f}", "seconds": f"{row['seconds']:.1f}"}
