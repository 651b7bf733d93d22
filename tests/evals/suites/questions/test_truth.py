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


def test_truths_of_one_session_are_those_of_its_row_and_its_labels(drawn: DataSet) -> None:
    spec = draw_set(SEED)
    session, who, _, length = spec.sessions[1]
    meant = {"session": session, "label": str(drawn.labels()["label"].iloc[0])}
    assert truth_of("session-length", drawn, meant).value == length  # type: ignore[union-attr]
    assert truth_of("subject-of-session", drawn, meant).value == (who,)  # type: ignore[union-attr]
    each = [
        truth_of("total-label-session", drawn, {**meant, "label": str(label)})
        for label in drawn.labels()["label"].unique()
    ]
    assert sum(float(t.value) for t in each if t) == pytest.approx(length)  # type: ignore[arg-type]


def test_parts_of_the_samples_make_the_whole(drawn: DataSet) -> None:
    """Sums over labels, splits and sessions are the sum of all; each counts what it says."""
    channel = drawn.manifest.channel_ids[0]
    whole = truth_of("stat-total", drawn, {"channel": channel})
    assert whole is not None
    total = 0.0
    for session in drawn.sessions()["session_id"]:
        (signal,) = drawn.read(str(session), [channel])
        total += float(signal.values.sum())
    assert whole.value == pytest.approx(total)
    maxima = truth_of("stat-by-session", drawn, {"channel": channel}, "max")
    assert maxima is not None
    assert isinstance(maxima.value, dict)
    assert len(maxima.value) == len(drawn.sessions())
    top = truth_of("stat-channel", drawn, {"channel": channel}, "max")
    assert max(maxima.value.values()) == top.value  # type: ignore[union-attr]


def test_leaving_a_label_out_leaves_the_other_labels(drawn: DataSet) -> None:
    channel, label = drawn.manifest.channel_ids[0], str(drawn.labels()["label"].iloc[0])
    rest = truth_of("exclude-label", drawn, {"label": label}, "max")
    groups = truth_of("stat-by-label", drawn, {"channel": channel}, "max")
    assert rest is not None
    assert groups is not None
    others = [v for name, v in groups.value.items() if name != label]  # type: ignore[union-attr]
    assert rest.value[channel] == max(others)  # type: ignore[index, call-overload]


def test_the_lowest_is_not_the_highest(drawn: DataSet) -> None:
    meant = {"channel": drawn.manifest.channel_ids[0]}
    high = truth_of("which-label-highest", drawn, meant)
    low = truth_of("which-label-highest", drawn, {**meant, "low": True})
    assert high is not None
    assert low is not None
    assert high.value != low.value


def test_truths_are_of_templates_that_exist() -> None:
    assert {p.template for p in learnt()} >= TRUE_TEMPLATES
    assert len(TRUE_TEMPLATES) >= 50
