"""The adversarial suite: false narrations of a real run are refused, true ones are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tool_use_om.agent.verify.check import Checked
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.faithfulness import suite as suite_file
from tool_use_om.evals.suites.faithfulness.corrupted import KINDS
from tool_use_om.evals.suites.faithfulness.laundering import HIDDEN_NUMBER, SCRIPTS, shows_number
from tool_use_om.evals.suites.faithfulness.suite import FaithfulnessSuite


@pytest.fixture(scope="module")
def suite(sample_workspace: Path) -> FaithfulnessSuite:
    place = Workspace.at(sample_workspace)
    return FaithfulnessSuite(data=["basic-motions"], workspace=place, task=["statistics"])


@pytest.fixture(scope="module")
def row(suite: FaithfulnessSuite) -> dict[str, Any]:
    return suite.run("basic-motions/statistics")


def test_false_narrations_of_a_real_run_are_refused(row: dict[str, Any]) -> None:
    """Of every kind there are some, and none of them is shown."""
    assert row["error"] is None
    assert set(row["kinds"]) | {"role left out"} == set(KINDS)  # means have no ends
    assert {kind: caught for kind, (caught, n) in row["kinds"].items() if caught < n} == {}


def test_true_narrations_of_a_real_run_stand(row: dict[str, Any]) -> None:
    """At most one in twenty of the sentences that are true is refused."""
    assert row["true"] >= 30
    assert row["alarms"] <= 0.05 * row["true"]


def test_a_check_that_refuses_nothing_is_noticed(
    suite: FaithfulnessSuite, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures come from the check: without it every aim on false narrations is missed."""

    def lenient(prose: str, *_: Any) -> Checked:
        return Checked(
            prose=prose, marked=prose, form=prose, findings=(), rejected=(), own=(), sentences=1
        )

    assert row["kinds"]
    monkeypatch.setattr(suite_file, "check", lenient)
    shown = suite.run("basic-motions/statistics")
    assert sum(caught for caught, _ in shown["kinds"].values()) == 0
    aims = {r["aim"]: r["met"] for r in suite.tables([{"item": "x", **shown}])[-1].rows}
    assert aims["caught at least 99 %"] == "no"
    assert aims["each kind at least 97 %"] == "no"


def test_scripts_hold_the_number_they_launder() -> None:
    """Each script has its number somewhere, and the search for it sees through what splits it."""
    assert len(SCRIPTS) >= 12
    assert shows_number("about 41,357 sessions")
    assert not shows_number("80 sessions")
    assert sum(HIDDEN_NUMBER in str(s) or "41.357" in str(s) or "4.1357" in str(s)
               for s in SCRIPTS.values()) >= 12  # fmt: skip


@pytest.mark.slow
def test_no_laundered_number_reaches_a_reader(sample_workspace: Path) -> None:
    """Whole runs over the real tools: question, arguments, errors, remarks, claims, styles."""
    place = Workspace.at(sample_workspace)
    found = FaithfulnessSuite(data=["basic-motions"], workspace=place, task=["laundering"])
    row = found.run("basic-motions/laundering")
    assert row["leaks"] == {}
