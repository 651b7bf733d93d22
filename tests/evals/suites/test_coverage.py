"""Coverage is measured over many deals of whole sessions, and over the stored split as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.coverage import CoverageSuite, _units
from tool_use_om.heads.trust.prediction_sets import Keys


def test_units_are_sessions_or_else_stretches_of_consecutive_windows() -> None:
    """Enough sessions are dealt whole; one long session is cut into stretches of time."""
    many = Keys.of([f"s{i // 3:02d}" for i in range(60)], np.tile([0.0, 1, 2], 20))
    numbers, kind = _units(many)
    assert kind == "sessions"
    assert len(set(numbers)) == 20
    one = Keys.of(["s"] * 400, np.arange(400.0))
    numbers, kind = _units(one)
    assert kind.startswith("stretches")
    assert (np.diff(numbers) >= 0).all()
    assert len(set(numbers)) == 40


@pytest.fixture
def suite(sample_workspace: Path) -> CoverageSuite:
    return CoverageSuite(
        data=["basic-motions"], workspace=Workspace.at(sample_workspace), splits=25
    )


def test_sets_of_held_out_sessions_cover_as_promised(suite: CoverageSuite) -> None:
    """On the real sample, mean coverage over 25 deals is within three points of nominal."""
    row = suite.run("basic-motions/knn/sets")
    assert row["error"] is None
    assert row["dealt"] == "56 sessions"
    assert row["resampled"]["value"] == pytest.approx(0.9, abs=0.03)
    assert row["resampled"]["lower"] <= row["resampled"]["value"] <= row["resampled"]["upper"]
    table = suite.tables([{"item": "x", **row}])[0]
    assert table.rows[0]["within"] in {"yes", "no"}
    assert table.rows[0]["drift p"] != "–"
