"""The laws of judging encoders on labelled sessions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tool_use_om.data.catalog import open_dataset
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.judge.sessions import (
    VIEWS,
    few,
    judge_sessions,
    labelled_windows,
    score_table,
    views,
)
from tool_use_om.graphs.commands.pretrain import app
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig


@pytest.fixture(scope="module")
def motions(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """The bundled sample of real activities."""
    return open_dataset("basic-motions", Workspace.at(tmp_path_factory.mktemp("workspace")))


@pytest.fixture
def model() -> Moment:
    """A tiny encoder with random weights."""
    return Moment(MomentConfig(d_model=16, d_ff=16, n_layers=1, n_heads=2, d_kv=8)).eval()


def test_labelled_windows_hold_out_the_stored_test_split(motions: DataSet) -> None:
    """Windows of test sessions are never trained on; every window has a label."""
    data = labelled_windows(motions, "activity", 10.0)
    split = motions.sessions().set_index("session_id")["split"]
    stored = [split[name] != "test" for name in data.batch.session_ids]
    assert data.train.tolist() == stored
    assert set(data.labels) == {"standing", "running", "walking", "badminton"}


def test_labelled_windows_refuse_an_unknown_label_set(motions: DataSet) -> None:
    """The valid label sets are named."""
    with pytest.raises(DataError, match="activity"):
        labelled_windows(motions, "mood", 10.0)


def test_views_do_not_depend_on_other_windows(motions: DataSet, model: Moment) -> None:
    """A window has the same features alone as among others, and all are finite."""
    batch = labelled_windows(motions, "activity", 10.0).batch
    together = views(model, batch.select([0, 40, 79]))
    alone = views(model, batch.select([40]))
    for name in VIEWS:
        assert np.isfinite(together[name]).all()
        assert np.allclose(together[name][1], alone[name][0], atol=1e-5)


def test_few_takes_as_many_of_each_label() -> None:
    """Every label gives the same number of windows, or all it has; the seed decides which."""
    labels = np.array(["a"] * 9 + ["b"] * 9 + ["c"])
    chosen = few(labels, 3, seed=0)
    assert [int((labels[chosen] == c).sum()) for c in "abc"] == [3, 3, 1]
    assert chosen.tolist() == few(labels, 3, seed=0).tolist()
    assert chosen.tolist() != few(labels, 3, seed=1).tolist()


def test_judge_sessions_beats_chance_on_real_motions(motions: DataSet, model: Moment) -> None:
    """Even a tiny random encoder tells four activities apart better than chance."""
    data = labelled_windows(motions, "activity", 10.0)
    scores = judge_sessions({"tiny": model}, data, repeats=2)
    assert set(scores) == {("tiny", view) for view in VIEWS}
    assert scores["tiny", "shape+context"][0] > 0.4
    assert "| tiny | mean |" in score_table(scores, 5)


def test_cli_judge_needs_exactly_one_kind_of_data(tmp_path: Path) -> None:
    """Neither or both of --ucr and --data is an error that names them."""
    for options in ([], ["--ucr", str(tmp_path), "--data", "basic-motions"]):
        result = CliRunner().invoke(app, ["judge", *options])
        assert isinstance(result.exception, DataError)
        assert "--ucr" in str(result.exception)
