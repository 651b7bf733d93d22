"""The gate's and the labels suite's tables from rows by hand, and one measured decision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import NotFoundError
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.classify.gate import SETUPS, GateSuite
from tool_use_om.evals.suites.classify.labels import ROUNDS, WAYS, LabelsSuite
from tool_use_om.evals.suites.classify.labels import at_random as drawn_at_random

SET = "basic-motions"


@pytest.fixture
def place(sample_workspace: Path) -> Workspace:
    return Workspace.at(sample_workspace)


def decided(setup: str, *, escalated: bool, **changes: Any) -> dict[str, Any]:
    rows = [
        {"model": "linear_probe", "kind": "tokens", "folds": {"value": 0.8},
         "test": {"value": 0.75}, "memory_mb": 2.0},
        {"model": "hydra", "kind": "raw", "folds": {"value": 0.7}},
        {"model": "minirocket", "kind": "raw", "folds": {"value": 0.9},
         "test": {"value": 0.85}, "memory_mb": 1.0},
    ]  # fmt: skip
    gate = {
        "rows": rows, "difference": {"value": 0.1, "lower": 0.02, "upper": 0.2},
        "answered_by": "minirocket" if escalated else "linear_probe", "escalated": escalated,
    }  # fmt: skip
    return {
        "data": SET, "head": "linear_probe", "setup": setup, "error": None, "gate": gate,
        "metrics": {"accuracy": {"value": 0.85 if escalated else 0.75}},
        "timing": {"encode_s": 1.0, "fit_s": 0.5, "minirocket_fit_s": 2.0}, "coverage": None,
    } | changes  # fmt: skip


def test_gate_items_are_setups_of_every_head(place: Workspace) -> None:
    """Each head as shipped and as published, on each set."""
    suite = GateSuite(workspace=place, heads=["linear_probe", "knn"])
    assert {i.split("/")[1] for i in suite.items()} == {"linear_probe", "knn"}
    assert {i.split("/")[2] for i in suite.items()} == set(SETUPS)


def test_gate_tables_show_both_finalists_and_the_means(place: Workspace) -> None:
    """The best fallback is the one that was tested, not the first; a failed row says why."""
    first, second = SETUPS
    rows = [
        decided(first, escalated=True),
        decided(first, escalated=False),
        decided(second, escalated=False, error="too few groups"),
    ]
    decisions, means = GateSuite(workspace=place).tables(rows)
    assert decisions.rows[0]["folds, fallback"] == "0.900 (minirocket)"
    assert decisions.rows[0]["head: encode + fit, s"] == "1.5"
    assert decisions.rows[2]["answered by"] == "too few groups"
    shipped, published = means.rows
    assert (shipped["data sets"], shipped["escalated"]) == ("2", "1")
    assert shipped["gated"] == "0.800"
    assert published["gated"] == "–"


def test_gate_measures_the_products_own_gate(place: Workspace) -> None:
    """On the sample: whoever answers is a finalist, and its accuracy is that of the test split."""
    suite = GateSuite(workspace=place)
    row = suite.run(suite.items()[0])
    assert row["error"] is None
    tested = {r["model"]: r["test"]["value"] for r in row["gate"]["rows"] if "test" in r}
    assert row["metrics"]["accuracy"]["value"] == pytest.approx(tested[row["gate"]["answered_by"]])


def test_gate_of_a_head_that_there_is_not_names_the_nearest(place: Workspace) -> None:
    """A slip of the pen ends the run; it is no row of a report."""
    with pytest.raises(NotFoundError, match="linear_probe"):
        GateSuite(workspace=place, heads=["liner_probe"]).run(f"{SET}/liner_probe/as shipped")


def test_labels_tables_pair_the_gains_by_seed(place: Workspace) -> None:
    """By hand: each seed gains 0.1 over its own random choice, however seeds differ."""
    suite = LabelsSuite(workspace=place, seeds=3)
    base = {"random": 0.0, "request_labels": 0.1, "margin": -0.1}
    rows = []
    for way in WAYS:
        values = [[0.2 * seed + base[way]] * 2 for seed in range(3)]
        curves = [{"accuracy": v, "macro_f1": v} for v in values]
        rows.append({"data": SET, "way": way, "error": None, "curves": curves, "n_test": 40})
    accuracy, f1 = suite.tables(rows)
    assert [line["labels"] for line in accuracy.rows] == [str(n) for n in ROUNDS[:2]]
    assert accuracy.rows[0]["gain of request_labels"] == "0.100 [0.100, 0.100]"
    assert accuracy.rows[0]["gain of margin"] == "-0.100 [-0.100, -0.100]"
    assert f1.title == f"{SET}: macro_f1"
    assert suite.tables(rows[:2]) == []


def test_labels_curve_grows_with_labels_and_ends_where_the_pool_does(place: Workspace) -> None:
    """On the sample: more labels are no worse, each way asks as many, the seeds differ."""
    suite = LabelsSuite(workspace=place, seeds=2)
    row = suite.run(f"{SET}/random")
    assert row["error"] is None
    first, second = row["curves"]
    assert len(first["accuracy"]) == len([n for n in ROUNDS if n <= round(2 / 3 * row["n_pool"])])
    assert first["accuracy"][-1] >= first["accuracy"][0]
    assert first != second


def test_random_choice_never_asks_twice() -> None:
    """Indices are of what is still free, each once, and repeat with the seed."""
    asked = np.array([True, False, False, True, False])
    picked = drawn_at_random(None, asked, 3, 0)  # type: ignore[arg-type]  # the pool has no say
    assert sorted(picked) == [0, 1, 2]
    assert picked == drawn_at_random(None, asked, 3, 0)  # type: ignore[arg-type]  # as above
