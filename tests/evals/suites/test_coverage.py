"""Coverage is measured over many deals of whole sessions, and over the stored split as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


PROMISES = {"coverage": 0.9, "width": 2.0, "abstained": 0.1, "answered": 0.8}


def row(**changes: Any) -> dict[str, Any]:
    return {
        "data": "d", "head": "knn", "promise": "sets", "error": None, "dealt": "20 sessions",
        "resampled": {"value": 0.9, "lower": 0.89, "upper": 0.91}, "means": PROMISES,
        "stored": PROMISES, "drift": {"p_value": 0.04}, "accuracy": 0.7, "horizon_s": 5.0,
    } | changes  # fmt: skip


@pytest.mark.parametrize(("value", "within"), [(0.881, "yes"), (0.919, "yes"), (0.879, "no")])
def test_coverage_is_within_two_points_of_nominal_or_it_is_not(
    suite: CoverageSuite, value: float, within: str
) -> None:
    """The bar is on the mean over deals, whatever the stored split gives."""
    measured = {"value": value, "lower": 0.0, "upper": 1.0}
    sets, intervals = suite.tables([row(resampled=measured)])
    assert sets.rows[0]["within"] == within
    assert not intervals.rows


def test_rows_stand_under_their_kind_of_promise(suite: CoverageSuite) -> None:
    """A row that failed has its reason and no figure; one without a drift test has a dash."""
    rows = [row(promise="step", drift={"p_value": None}), row(error="too few sessions")]
    sets, intervals = suite.tables(rows)
    assert intervals.rows[0]["drift p"] == "–"
    assert intervals.rows[0]["horizon, s"] == "5"
    assert sets.rows[0]["mean coverage"] == "too few sessions"
    assert {v for k, v in sets.rows[0].items() if k not in {"data", "head", "promise",
                                                            "mean coverage"}} == {"–"}  # fmt: skip


def test_each_deal_halves_the_units_and_keeps_them_whole(suite: CoverageSuite) -> None:
    """No session is on both sides; the stored split is measured as it is, on its own rows."""
    keys = Keys.of([f"s{i // 4:02d}" for i in range(80)], np.tile(np.arange(4.0), 20))
    seen: list[tuple[set[str], set[str]]] = []

    def once(old: np.ndarray, new: np.ndarray, seed: int) -> dict[str, float]:
        names = keys.sessions
        seen.append((set(names[old]), set(names[new])))
        assert sorted([*old, *new]) == list(range(80))
        return {"coverage": float(seed % 2), "width": float("nan") if seed else 1.0}

    found = suite._over_splits(keys, 30, once)
    *dealt, stored = seen
    assert len(dealt) == suite.asked.splits == 25
    assert all(not a & b and len(a) == len(b) == 10 for a, b in dealt)
    assert len({frozenset(a) for a, _ in dealt}) > 20
    assert stored[0] == {f"s{i:02d}" for i in range(8)}
    assert found["dealt"] == "20 sessions"
    assert found["resampled"]["value"] == pytest.approx(12 / 25)
    assert found["means"]["width"] == 1.0


def test_a_forecast_set_is_promised_steps_and_paths(sample_workspace: Path) -> None:
    """Labels give sets; a set named for intervals gives both; one without labels intervals only."""
    place = Workspace.at(sample_workspace)
    both = CoverageSuite(workspace=place, intervals=["basic-motions"])
    promises = [item.split("/")[2] for item in both.items()]
    assert set(promises) == {"sets", "sets-by-label", "step", "trajectory"}
    assert len(both.items()) == len(set(both.items()))
    alone = CoverageSuite(workspace=place, data=["synthetic-days"], intervals=["basic-motions"])
    assert {i.split("/")[0] for i in alone.items() if i.endswith("step")} == {"basic-motions"}
