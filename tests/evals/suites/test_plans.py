"""What the suite of plans counts as right, asked back, not understood and wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_use_om.agent.orchestrator.protocol import Plan, PlannedCall
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.plans import OrchestratorSuite, outcome
from tool_use_om.evals.suites.questions.examples import Filled
from tool_use_om.evals.suites.questions.written import Phrasing

FIND = Plan(
    calls=(
        PlannedCall(tool="select_task_head", args={"task": "classify"}),
        PlannedCall(tool="run_task", args={"target_label": "walking"}),
    )
)


def _one(template: str, **meant: object) -> Filled:
    phrasing = Phrasing(template=template, language="en", voice="x", text="x")
    return Filled(phrasing=phrasing, question="x", meant=meant, card={"name": "walks"})


@pytest.mark.parametrize(
    ("one", "want", "plan", "found"),
    [
        (_one("find-label", label="walking"), Plan(), FIND, "right"),
        (_one("find-label", label="running"), Plan(), FIND, "wrong"),
        (_one("find-label", label="running"), Plan(lacks="running"), FIND, "wrong"),
        (_one("find-label", label="running"), Plan(), Plan(ask="label"), "asked back"),
        (_one("find-label", label="running"), Plan(ask="label"), Plan(ask="label"), "right"),
        (_one("find-label", label="running"), Plan(), Plan(refuse="advice"), "wrong"),
        (_one("advice"), Plan(refuse="advice"), Plan(refuse="cause"), "right"),
        (_one("advice"), Plan(refuse="advice"), FIND, "wrong"),
        (_one("effect"), Plan(), Plan(lacks="effect"), "right"),
        (_one("find-label", label="x"), Plan(), Plan(), "not understood"),
    ],
)
def test_outcome(one: Filled, want: Plan, plan: Plan, found: str) -> None:
    """Calls where none is right are wrong, whatever they are; so is refusing what can be done."""
    assert outcome(one, want, plan) == found


def test_suite_judges_the_rules_on_held_out_questions(tmp_path: Path) -> None:
    """A few questions through the suite: every outcome is one of the four."""
    suite = OrchestratorSuite(workspace=Workspace.at(tmp_path), system=("rules",), limit=6)
    rows = [suite.run(item) for item in suite.items()[:6]]
    table = suite.tables(rows)[0]
    assert table.rows[0]["system"] == "rules"
    assert {r["rules"]["outcome"] for r in rows} <= {
        "right",
        "asked back",
        "not understood",
        "wrong",
    }
