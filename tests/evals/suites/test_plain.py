"""What a plain question gets is what the tools answer, and its members are scored on the same."""

from __future__ import annotations

import pytest

from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import mean_of
from tool_use_om.evals.suites.plain import PlainSuite, _mean_row


def test_plain_question_is_scored_case_by_case(samples: Workspace) -> None:
    """Forty held-out sessions, the answer and both members, coverage and what was left open."""
    suite = PlainSuite(data=["basic-motions"], workspace=samples)
    (item,) = suite.items()
    row = suite.run(item)
    assert row["error"] is None
    assert (row["unit"], row["n_cases"], row["n_groups"]) == ("sessions", 40, 40)
    assert {"answer", row["head"]} <= set(row["kept"]["n"])
    assert mean_of(row["kept"], "answer") >= 0.95
    assert 0.8 <= row["coverage"] <= 1.0
    (table, *_) = suite.tables([row])
    assert table.rows[0]["answered by"] == row["answered_by"]


def test_mean_over_sets_counts_each_set_alike() -> None:
    """A set of two cases weighs as much as one of four; the difference is of the means."""
    sets = [
        {"data": "ucr-a", "n_groups": 2, "error": None,
         "kept": {"n": {"answer": [1, 1], "minirocket": [1, 1]},
                  "sum": {"answer": [1, 1], "minirocket": [1, 0]}}},
        {"data": "ucr-b", "n_groups": 4, "error": None,
         "kept": {"n": {"answer": [1] * 4, "minirocket": [1] * 4},
                  "sum": {"answer": [1, 0, 0, 0], "minirocket": [1, 1, 1, 1]}}},
    ]  # fmt: skip
    cells = _mean_row("sets", sets)
    assert (cells["answer"], cells["MiniRocket"]) == ("0.625", "0.750")
    assert float(cells["difference"].split()[0]) == pytest.approx(-0.125, abs=1e-3)
