"""How the splits of a classification are cut down, and what its certainty says, without encoder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.run.classify.certainty import certainty
from tool_use_om.tools.run.classify.labelled import Labelled, few_labels, rare_labels
from tool_use_om.tools.run.classify.study import Study, _labels_of, settle_rare
from tool_use_om.tools.run.request_labels import worth_asking


def _labelled(name: str, counts: dict[str, int], seed: int = 0) -> Labelled:
    """Sessions of two windows each, `counts` sessions a label."""
    y = np.array([label for label, n in counts.items() for _ in range(2 * n)], dtype=object)
    n = len(y)
    sessions = tuple(f"{name}{i // 2:03d}" for i in range(n))
    start = np.tile([0.0, 2.0], n // 2)
    values = np.random.default_rng(seed).normal(size=(n, 1, 2, 3)).astype(np.float32)
    tokens = Tokens(
        values=values,
        mask=np.ones((n, 1, 2), dtype=bool),
        start_s=start[:, None] + np.arange(2)[None],
        patch_s=1.0,
        channels=("a.x",),
        session_ids=sessions,
        window_start_s=start,
        window_s=2.0,
        context=np.zeros((n, 1, 0), dtype=np.float32),
        context_names=(),
    )
    return Labelled(tokens=tokens, y=y, groups=np.array(sessions, dtype=np.str_))


def _study(**splits: Any) -> Study:
    nowhere: Any = None
    unlabelled = splits["train"].unknown()
    return Study(plan=nowhere, label_set="activity", unlabelled=unlabelled, **splits)


@pytest.fixture
def study() -> Study:
    counts = {"run": 6, "soup": 2, "walk": 6}
    return _study(
        train=_labelled("t", counts),
        calibration=_labelled("c", counts, 1),
        test=_labelled("e", counts, 2),
    )


def test_few_labels_take_what_a_rare_label_has(study: Study) -> None:
    """Five sessions of each label, both of the one that has only two."""
    drawn = few_labels(study.train, 5, (0, 5))
    counts = {k: len(set(drawn.sessions[drawn.y == k])) for k in ("run", "soup", "walk")}
    assert counts == {"run": 5, "soup": 2, "walk": 5}
    assert rare_labels(study.train, 5) == {"soup": 2}


def test_rare_labels_are_named_when_taken_and_when_left_out(study: Study) -> None:
    """Taking keeps all splits; leaving out unlabels the test windows and drops the others."""
    taken = settle_rare(study, 5, "take")
    assert taken.rare == {"soup": 2}
    assert "soup (2); all of theirs are used" in taken.notes[0]
    assert len(taken.train) == len(study.train)
    left = settle_rare(study, 5, "leave_out")
    assert "left out of fitting and judging" in left.notes[0]
    assert set(left.train.y) == {"run", "walk"}
    assert left.calibration is not None
    assert set(left.calibration.y) == {"run", "walk"}
    assert len(left.test) == len(study.test)
    assert set(left.test.known().y) == {"run", "walk"}
    assert settle_rare(study, 2, "leave_out").notes == ()


def test_leaving_out_every_label_is_refused(study: Study) -> None:
    """Nothing would be left to fit."""
    with pytest.raises(DataError, match="nothing is left"):
        settle_rare(study, 50, "leave_out")


def test_certainty_counts_answers_and_coverage(study: Study) -> None:
    """Coverage is that of labelled windows; the rest of the abstained ones are answered."""
    classes = ("run", "soup", "walk")
    assert study.calibration is not None
    proba = tuple(
        np.array([[0.8 if c == y else 0.1 for c in classes] for y in part.y])
        for part in (study.calibration, study.test)
    )
    args = a.RunTask(coverage=0.8, class_conditional=True)
    sure = certainty(study, classes, (proba[0], proba[1]), args, 0)
    coverage, abstention = sure.coverage, sure.abstention
    assert coverage is not None
    assert abstention is not None
    assert coverage.fallback_labels == ["soup"]
    assert coverage.by == "label"
    assert any("soup" in note for note in sure.notes)
    assert abstention.abstained_frac == pytest.approx(1 - coverage.empirical)
    assert abstention.accuracy_answered is not None
    assert abstention.accuracy_answered.value == 1.0
    assert abstention.n_answered == round(coverage.empirical * len(study.test))
    assert sum(r["n"] for r in sure.detail["coverage_by_label"].values()) == len(study.test)
    assert sure.drift is not None
    assert sure.drift.drifted is False


def test_certainty_says_that_nothing_was_calibrated(study: Study) -> None:
    """Without calibration sessions there are no sets, and a note says so."""
    bare = _study(train=study.train, calibration=None, test=study.test)
    proba = np.full((len(study.test), 3), 1 / 3)
    sure = certainty(bare, ("run", "soup", "walk"), (proba[:0], proba), a.RunTask(), 0)
    assert sure.sets is None
    assert sure.coverage is None
    assert "No calibration sessions" in sure.notes[0]


def test_windows_without_a_label_are_asked_about_first(study: Study) -> None:
    """Unlabelled windows are proposed with a suggestion; held-out sessions never are."""
    unknown = _labelled("u", {"run": 3, "walk": 3}, 5)
    asked = replace(study, unlabelled=unknown.forgetting(["run", "walk"]))
    windows = worth_asking(WorkingSet(), asked, 4, 0)
    assert len(windows) == 4
    assert len({w["session_id"] for w in windows}) == 4
    assert all(w["session_id"].startswith("u") for w in windows)
    assert all(w["suggested"] in {"run", "soup", "walk"} for w in windows)


def test_before_the_first_label_nothing_is_suggested(study: Study) -> None:
    """A set without labels can be begun: typical windows, no suggestion, no margin."""
    nothing = study.train.forgetting(["run", "soup", "walk"])
    bare = replace(study, train=nothing.known(), unlabelled=nothing)
    windows = worth_asking(WorkingSet(), bare, 3, 0)
    assert [(w["suggested"], w["margin"]) for w in windows] == [(None, None)] * 3


def test_labelled_windows_are_asked_about_again_when_all_have_one(study: Study) -> None:
    """Then those of the training split are, one a session."""
    windows = worth_asking(WorkingSet(), study, 5, 0)
    assert all(w["session_id"].startswith("t") for w in windows)
    assert len({w["session_id"] for w in windows}) == 5


def test_a_given_label_replaces_the_one_there(tmp_path: Path) -> None:
    """What a person said of a window counts before the data set, and only for that window."""
    ctx = ToolContext(workspace=Workspace.at(tmp_path))
    train = _labelled("t", {"run": 2}, 0)
    rows = [{"session_id": "t000", "start_s": 0.0, "end_s": 2.0, "label": "walk", "set": "act"}]
    result = ctx.results.put("request_labels", {"detail": {"labels": rows}})
    own = pd.DataFrame(
        [("t000", 0.0, 4.0, "run", "act"), ("t001", 0.0, 4.0, "run", "act")],
        columns=["session_id", "start_s", "end_s", "label", "set"],
    )
    given = WorkingSet().but(given_labels=result.id)
    y = _labels_of(ctx, given, own, train.tokens, "act")
    assert y.tolist() == ["walk", "run", "run", "run"]
    assert _labels_of(ctx, WorkingSet(), own, train.tokens, "act").tolist() == ["run"] * 4
