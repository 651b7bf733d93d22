"""The questions with known right calls, and how calls are scored."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tool_use_om.agent.offline.model import plan_of
from tool_use_om.evals.suites.questions.load import load_questions, questions
from tool_use_om.evals.suites.questions.scoring import score_calls
from tool_use_om.tools.registry import tool_def


def call(tool: str, /, **args: Any) -> dict[str, Any]:
    return {"tool": tool, "args": args}


def any_of(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"any_of": list(calls)}


XYZ = ("x", "y", "z")
CARDS: dict[str, dict[str, Any]] = {
    "basic-motions": {
        "name": "basic-motions",
        "channels": [{"id": f"{m}.{a}"} for m in ("accelerometer", "gyroscope") for a in XYZ],
        "labels": {"activity": ["badminton", "running", "standing", "walking"]},
        "session_ids": ["bm-train-000", "bm-test-012"],
        "id_pattern": r"bm-test-\d+|bm-train-\d+",
        "duration_s": {"min": 10.0, "median": 10.0, "max": 10.0},
    },
    "synthetic-days": {
        "name": "synthetic-days",
        "channels": [
            *({"id": f"accelerometer.{a}"} for a in XYZ),
            {"id": "ecg.lead"},
            {"id": "heart.rate"},
        ],
        "labels": {
            "activity": ["cycling", "resting", "running", "walking"],
            "anomaly": ["irregular beats", "shock"],
        },
        "session_ids": ["person-01-a", "person-02-c"],
        "id_pattern": r"person-\d+-a|person-\d+-b|person-\d+-c",
        "subject_ids": ["person-01", "person-02"],
        "duration_s": {"min": 18.0, "median": 68.5, "max": 274.0},
    },
}


def test_questions_are_many_and_of_both_phases() -> None:
    """At least 150 questions from at least 20 templates a phase, ids and texts unique."""
    rows = load_questions()
    templates = {(r["phase"], r["template"]) for r in rows}
    counts = Counter(phase for phase, _ in templates)
    assert len(rows) >= 150
    assert min(counts["eda"], counts["models"]) >= 20
    assert len({r["id"] for r in rows}) == len({r["question"] for r in rows}) == len(rows)


def test_questions_keep_heldout_phrasings_of_every_template() -> None:
    """Each template has phrasings to tune on and others that are kept apart."""
    splits: dict[str, set[str]] = {}
    for row in questions():
        splits.setdefault(row["template"], set()).add(row["split"])
    assert all(found == {"dev", "heldout"} for found in splits.values())


def test_questions_expect_calls_that_the_tools_accept() -> None:
    """Every expected tool exists and takes the expected arguments."""
    required = {"select_task_head": {"task": "classify"}}
    for row in load_questions():
        for expected in row["expect"]:
            for one in expected.get("any_of", [expected]):
                args = {**required.get(one["tool"], {}), **one["args"]}
                if "descriptions" in args:  # only what tells the activity is expected, no names
                    named = [{"name": f"a{i}", **d} for i, d in enumerate(args["descriptions"])]
                    args["descriptions"] = [*named, {"name": "other", "intensity": "still"}]
                tool_def(one["tool"]).checked(args)


def test_offline_model_plans_the_dev_questions_right() -> None:
    """Nearly all dev phrasings give the right tools and arguments from the plan alone."""
    rows = load_questions("dev")
    right = 0
    for row in rows:
        others = [{"name": name} for name in CARDS if name != row["dataset"]]
        named = [c for n, c in CARDS.items() if n != row["dataset"] and n in row["question"]]
        _, steps = plan_of(row["question"], [CARDS[row["dataset"]], *named, *others])
        calls = [{"tool": s.tool, "args": s.args} for s in steps]
        right += score_calls(row["expect"], calls)
    assert right >= 0.97 * len(rows)


@pytest.mark.parametrize(
    ("expect", "calls", "right"),
    [
        ((), [], True),
        ((), [call("run_task")], False),
        ((call("run_task"),), [call("list_datasets"), call("run_task", k=3)], True),
        ((call("run_task", horizon_s=5),), [call("run_task", horizon_s=5.0)], True),
        ((call("run_task", horizon_s=5),), [call("run_task", horizon_s=6)], False),
        ((call("run_task", target_label="Walk"),), [call("run_task", target_label="walk")], True),
        ((call("run_task"), call("run_task")), [call("run_task")], False),
        ((call("a", x=["b", "c"]),), [call("a", x=["c", "B"])], True),
        ((call("a", x=["acc"]),), [call("a", x=["acc.x", "acc.y"])], True),
        ((call("a", x=["acc.x"]),), [call("a", x=["acc.x", "acc.y"])], False),
        ((any_of(call("a"), call("b", k=1)),), [call("b", k=1)], True),
        ((call("a", x=1), call("a")), [call("a"), call("a", x=1)], True),
        ((call("a", p={"k": 3}),), [call("a", p={"k": 3, "m": 1})], True),
    ],
)
def test_score_calls_follows_its_rule(
    expect: tuple[dict[str, Any], ...], calls: list[dict[str, Any]], right: bool
) -> None:
    """Expected calls are met in any order, each by a call of its own, argument by argument."""
    assert score_calls(expect, calls) is right
