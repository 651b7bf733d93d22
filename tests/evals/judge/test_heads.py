"""The laws of judging encoders by the package's own heads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tool_use_om.data.catalog import open_dataset
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.judge.heads import (
    HEADS,
    as_tokenizer,
    by_group,
    comparison,
    difference,
    judge_heads,
    judged_sessions,
    judged_split,
    series_batch,
)
from tool_use_om.evals.judge.series import Split
from tool_use_om.evals.judge.sessions import labelled_windows
from tool_use_om.graphs.commands.pretrain import app
from tool_use_om.tokenizers.moment.checkpoint import save_moment
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig


@pytest.fixture
def model() -> Moment:
    """A tiny encoder with random weights."""
    return Moment(MomentConfig(d_model=16, d_ff=16, n_layers=1, n_heads=2, d_kv=8)).eval()


@pytest.fixture
def split() -> Split:
    """Slow and fast waves at random phases."""
    rng = np.random.default_rng(0)

    def waves(n: int) -> tuple[np.ndarray, np.ndarray]:
        label = np.arange(n) % 2
        t = np.arange(48) + rng.uniform(0, 48, (n, 1))
        return np.sin(t * np.where(label, 0.8, 0.15)[:, None]).astype(np.float32), label

    (train, train_labels), (test, test_labels) = waves(16), waves(10)
    return Split(
        name="Waves", train=train, train_labels=train_labels, test=test, test_labels=test_labels
    )


def test_folds_of_the_training_part_never_read_the_test_part(split: Split) -> None:
    """On the training part each case is held out once, and no test series is there at all."""
    one = judged_split(split, 512, on_train=True)
    assert len(one.batch) == len(split.train)
    held = np.sort(np.concatenate([h for _, h in one.folds]))
    assert held.tolist() == list(range(16))
    assert all(not set(fit) & set(h) for fit, h in one.folds)


def test_test_part_is_judged_after_fitting_on_the_whole_training_part(split: Split) -> None:
    """The default split: fit on TRAIN, judged on TEST."""
    ((fit, held),) = judged_split(split, 512, on_train=False).folds
    assert (len(fit), len(held)) == (16, 10)


def test_series_longer_than_the_context_are_interpolated_and_nan_is_missing() -> None:
    """A long series keeps both ends; a missing sample is masked."""
    long = np.arange(1000, dtype=np.float32)[None]
    batch = series_batch(long, 512)
    assert batch.values[0, 0, [0, -1]].tolist() == [0, 999]
    short = np.array([[1.0, np.nan, 3.0]], np.float32)
    assert series_batch(short, 512).mask[0, 0].tolist() == [True, False, True]


@pytest.mark.parametrize("resolutions", [1, 2])
def test_easy_classes_are_told_apart_by_every_head(
    split: Split, model: Moment, resolutions: int
) -> None:
    """Slow against fast waves: better than chance under each head, alike when repeated."""
    sets = [judged_split(split, 512, on_train=True)]
    scores = judge_heads({"tiny": model}, sets, resolutions=resolutions)
    assert list(scores) == [("tiny", head) for head in HEADS]
    assert min(np.mean(list(by_set.values())) for by_set in scores.values()) > 0.7
    assert scores == judge_heads({"tiny": model}, sets, resolutions=resolutions)


def test_sessions_of_one_subject_are_in_one_fold() -> None:
    """Folds never split a group; labels that only the held-out group has are not judged."""
    labels = np.array(["a", "b", "a", "b", "c", "a"])
    groups = np.array(["x", "x", "y", "y", "z", "z"])
    ((fit, held),) = by_group(labels, groups)  # the others leave one "b" to fit on
    assert groups[fit].tolist() == ["x", "x", "y", "y"]
    assert labels[held].tolist() == ["a"]


def test_sessions_are_judged_on_training_windows_or_on_test_windows(tmp_path: Path) -> None:
    """The stored split decides; folds of the training part leave test windows out."""
    dataset = open_dataset("basic-motions", Workspace.at(tmp_path))
    data = labelled_windows(dataset, "activity", 10.0)
    on_train = judged_sessions(data, dataset, on_train=True)
    ((fit, held),) = judged_sessions(data, dataset, on_train=False).folds
    assert len(on_train.batch) == len(fit) == data.train.sum()
    assert len(held) == (~data.train).sum()


def test_difference_is_paired_over_sets() -> None:
    """A model that is better by the same on each set has an interval of no width."""
    rows = {"A": 0.5, "B": 0.9}
    scores = {("old", head): rows for head in HEADS}
    better = {("new", head): {n: v + 0.05 for n, v in rows.items()} for head in HEADS}
    assert difference(better | scores, "new", "old") == pytest.approx((0.05, 0.05, 0.05))
    assert comparison(better | scores) == "new against old: +0.050 [+0.050, +0.050]"


def test_as_tokenizer_states_the_shape(model: Moment) -> None:
    """The unregistered spec has the encoder's own sizes."""
    spec = as_tokenizer(model, "some").spec
    assert (spec.patch_len, spec.d_model, spec.native_context) == (8, 16, 512)


def test_cli_judges_by_heads(split: Split, model: Moment, tmp_path: Path) -> None:
    """A row a model and head, random weights beside them, and the differences below."""
    folder = tmp_path / "ucr" / "Waves"
    folder.mkdir(parents=True)
    for part in ("train", "test"):
        rows = np.column_stack([getattr(split, f"{part}_labels"), getattr(split, part)])
        np.savetxt(folder / f"Waves_{part.upper()}.tsv", rows, delimiter="\t")
    save_moment(model, tmp_path / "some" / "weights")
    options = ["--ucr", str(tmp_path / "ucr"), "--heads", "--on-train", "--threads", "1"]
    options += ["--checkpoint", str(tmp_path / "some" / "weights"), "--resolutions", "1"]
    result = CliRunner().invoke(app, ["judge", *options])
    assert result.exit_code == 0, result.output
    assert "| some/weights | ridge_probe |" in result.output
    assert "some/weights against random, seed 0: " in result.output
