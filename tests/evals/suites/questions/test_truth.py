"""Truths are worked out by hand here, on one drawn set, by other means than `truth.py` uses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.synthetic.sets.drawn import convert, draw_set
from tool_use_om.evals.suites.questions.truth import TRUE_TEMPLATES, truth_of
from tool_use_om.evals.suites.questions.written import learnt

SEED = 5


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    folder = Path(tmp_path_factory.mktemp("drawn")) / "set"
    convert(folder, seed=SEED)
    return DataSet.open(folder)


def test_counts_are_those_of_the_drawn_sessions(drawn: DataSet) -> None:
    spec = draw_set(SEED)
    long = sum(s[3] > 60 for s in spec.sessions)
    found = truth_of("count-longer", drawn, {"dur": (1, 1)})
    assert found is not None
    assert found.value == long
    subjects = truth_of("count-subjects", drawn, {})
    assert subjects is not None
    assert subjects.value == len(spec.subjects)


def test_a_session_with_one_label_has_the_statistics_of_all_its_samples(drawn: DataSet) -> None:
    channel = drawn.manifest.channel_ids[0]
    session = str(drawn.sessions()["session_id"].iloc[0])
    (signal,) = drawn.read(session, [channel])
    meant = {"channel": channel, "session": session}
    for name, function in (("mean", np.mean), ("max", np.max), ("std", np.std)):
        found = truth_of("stat-session", drawn, meant, name)
        assert found is not None
        assert found.value == pytest.approx(float(function(signal.values)))
        assert found.unit == drawn.manifest.unit_of(channel)


def test_shares_of_all_labels_make_a_whole(drawn: DataSet) -> None:
    labels = drawn.labels()["label"].unique()
    shares = [truth_of("label-share", drawn, {"label": str(label)}) for label in labels]
    assert sum(float(s.value) for s in shares if s) == pytest.approx(100)  # type: ignore[arg-type]


def test_truths_are_of_templates_that_exist() -> None:
    assert {p.template for p in learnt()} >= TRUE_TEMPLATES
    assert len(TRUE_TEMPLATES) >= 30
