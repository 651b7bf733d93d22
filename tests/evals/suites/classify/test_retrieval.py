"""Search by example: precision at k against a case worked by hand, and a run on the sample."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.classify.retrieval import RetrievalSuite, precisions, without_overlap

SET = "basic-motions"


def part(sessions: list[str], start_s: list[float], y: list[str]) -> Any:
    """Return windows of 2 s."""
    start = np.array(start_s)
    return SimpleNamespace(
        sessions=np.array(sessions),
        y=np.array(y),
        windows=SimpleNamespace(start_s=start, end_s=start + 2.0),
    )


def test_without_overlap_keeps_the_nearest_of_windows_that_share_seconds() -> None:
    """In one session 0-2 s and 1-3 s overlap, 2-4 s touches only; another session is free."""
    sessions = np.array(["a", "a", "a", "b"])
    start = np.array([0.0, 1.0, 2.0, 1.0])
    assert without_overlap(np.array([1, 0, 2, 3]), sessions, start, start + 2) == [1, 3]
    assert without_overlap(np.array([0, 1, 2, 3]), sessions, start, start + 2) == [0, 2, 3]
    assert without_overlap(np.array([0, 1, 2, 3]), sessions, start, start + 2, most=1) == [0]


def test_precisions_count_the_querys_label_among_its_nearest() -> None:
    """By hand: of five nearest one overlaps and drops out; what is not found counts as a miss."""
    searched = part(["a", "a", "b", "c", "d"], [0, 1, 0, 0, 0], ["w", "w", "w", "r", "w"])
    found = precisions(np.array([[1.0, 0.5, 2.0, 3.0, np.inf]]), np.array(["w"]), searched)
    assert found["p@1"] == pytest.approx([1.0])
    assert found["p@5"] == pytest.approx([2 / 5])  # a@1, b, then c (r); a@0 overlaps, d unknown
    assert found["p@10"] == pytest.approx([2 / 10])


def test_retrieval_suite_finds_more_than_chance_and_never_the_querys_session(
    sample_workspace: Path,
) -> None:
    """On the sample tokens find the query's activity far above chance, in the other split."""
    suite = RetrievalSuite(
        data=[SET], workspace=Workspace.at(sample_workspace), method=["similarity", "euclidean"]
    )
    rows = [suite.run(i) for i in suite.items()]
    assert [r["error"] for r in rows] == [None, None]
    (table,) = suite.tables(rows)
    assert float(table.rows[0]["p@1"].split()[0]) > 2 * float(table.rows[0]["chance"])
    assert rows[0]["chance"] == pytest.approx(0.25)
