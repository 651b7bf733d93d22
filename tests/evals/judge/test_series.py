"""The laws of the quick judging of frozen encoders and of the card of a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tool_use_om.data.errors import DataError
from tool_use_om.evals.judge.series import (
    POOLINGS,
    controls,
    judge,
    pooled,
    read_ucr,
    score_table,
    stretched,
    tokens,
)
from tool_use_om.graphs.commands.pretrain import app
from tool_use_om.tokenizers.moment.checkpoint import load_moment
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig
from tool_use_om.tokenizers.pretrain.card import draw_curves, export_run
from tool_use_om.tokenizers.pretrain.run import CHECKPOINT, PretrainConfig, pretrain

TINY = {"d_model": 16, "d_ff": 16, "n_layers": 1, "n_heads": 2}


@pytest.fixture
def ucr(tmp_path: Path) -> Path:
    """Two easy classes, slow and fast waves at random phases, in the archive's file form."""
    rng = np.random.default_rng(0)
    for part, n in (("TRAIN", 16), ("TEST", 10)):
        label = np.arange(n) % 2
        t = np.arange(48) + rng.uniform(0, 48, (n, 1))
        waves = np.sin(t * np.where(label, 0.8, 0.15)[:, None])
        folder = tmp_path / "ucr" / "Waves"
        folder.mkdir(parents=True, exist_ok=True)
        rows = np.column_stack([label, waves])
        np.savetxt(folder / f"Waves_{part}.tsv", rows, delimiter="\t")
    return tmp_path / "ucr"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of three steps."""
    out = tmp_path_factory.mktemp("run")
    pretrain(PretrainConfig(steps=3, batch_samples=512, lengths=(64,), **TINY), out)
    return out


@pytest.fixture
def model() -> Moment:
    """A tiny encoder with random weights."""
    return Moment(MomentConfig(**TINY, d_kv=8)).eval()


def test_read_ucr_keeps_the_default_split(ucr: Path) -> None:
    """Files become series and labels, split as the archive splits them."""
    (split,) = read_ucr(ucr)
    assert split.name == "Waves"
    assert split.train.shape == (16, 48)
    assert split.test.shape == (10, 48)
    assert set(split.train_labels) == {0, 1}


def test_read_ucr_refuses_a_folder_without_sets(tmp_path: Path) -> None:
    """An empty folder is an error that says what is expected."""
    with pytest.raises(DataError, match="TRAIN"):
        read_ucr(tmp_path)


def test_read_ucr_names_a_damaged_file(ucr: Path) -> None:
    """A file that is not numbers is named."""
    (ucr / "Waves" / "Waves_TEST.tsv").write_text("one\ttwo\n")
    with pytest.raises(DataError, match="Waves_TEST"):
        read_ucr(ucr)


def test_tokens_are_the_last_512_samples_of_longer_series(model: Moment) -> None:
    """Series longer than the encoder's window are judged on their end."""
    long = np.random.default_rng(0).standard_normal((2, 600)).astype(np.float32)
    assert np.array_equal(tokens(model, long), tokens(model, long[:, -512:]))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooled_rows_do_not_depend_on_their_neighbours(model: Moment, pooling: str) -> None:
    """A series has the same features alone as among others."""
    series = np.random.default_rng(0).standard_normal((3, 48)).astype(np.float32)
    together = pooled(model, series, pooling)
    assert np.allclose(together[1:2], pooled(model, series[1:2], pooling), atol=1e-5)


def test_stretched_keeps_both_ends() -> None:
    """Interpolation to another length keeps the first and the last sample."""
    series = np.array([[1.0, 5.0, 2.0]], dtype=np.float32)
    longer = stretched(series, 9)
    assert longer.shape == (1, 9)
    assert longer[0, 0] == 1.0
    assert longer[0, -1] == 2.0


def test_judge_tells_easy_classes_apart(ucr: Path, model: Moment) -> None:
    """Slow against fast waves is solved from tokens; poolings and raw series are all listed."""
    scores = judge({"tiny": model}, read_ucr(ucr))
    assert list(scores) == [("raw series", "none"), *(("tiny", p) for p in POOLINGS)]
    assert max(row["Waves"] for row in scores.values()) >= 0.9
    value = scores["tiny", "mean"]["Waves"]
    assert f"| tiny | mean | {value:.3f} | {value:.3f} |" in score_table(scores)


def test_controls_differ_in_their_weights(model: Moment) -> None:
    """The random controls have the model's shape and different weights."""
    first, second = controls(model, 2)
    assert first.config == model.config == second.config
    x = np.random.default_rng(0).standard_normal((1, 48)).astype(np.float32)
    assert not np.allclose(tokens(first, x), tokens(second, x))


def test_export_writes_weights_and_a_card_that_states_the_run(run: Path, tmp_path: Path) -> None:
    """The exported folder loads, and its card carries steps, corpus hash and the note."""
    export_run(run, tmp_path / "out", note="Only a test.")
    text = (tmp_path / "out" / "README.md").read_text()
    recipe = json.loads((tmp_path / "out" / "recipe.json").read_text())
    load_moment(tmp_path / "out")
    assert "Only a test." in text
    assert recipe["step"] == 3
    assert recipe["corpus_hash"] in text
    assert "no real recording" in text


def test_export_refuses_a_folder_without_a_run(tmp_path: Path) -> None:
    """Nothing is written where there is nothing to export."""
    with pytest.raises(DataError, match="no pretraining run"):
        export_run(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_export_refuses_a_run_that_has_seen_real_series(tmp_path: Path) -> None:
    """An ablation on real series is never shipped as synthetic."""
    np.save(tmp_path / "real.npy", np.random.default_rng(0).standard_normal((4, 99)))
    config = PretrainConfig(
        steps=1, batch_samples=512, lengths=(64,), real=str(tmp_path / "real.npy"), **TINY
    )
    pretrain(config, tmp_path / "run")
    with pytest.raises(DataError, match="real series"):
        export_run(tmp_path / "run", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_draw_curves_writes_a_png(run: Path, tmp_path: Path) -> None:
    """The figure is a PNG file."""
    draw_curves(run, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_cli_trains_resumes_judges_and_exports(ucr: Path, tmp_path: Path) -> None:
    """The three commands work one after the other on what the one before wrote."""
    out, run = str(tmp_path / "run"), CliRunner().invoke
    train = ["--out", out, "--steps", "2", "--d-model", "16", "--n-layers", "1"]
    small = ["--batch-samples", "512", "--threads", "1"]
    first = run(app, [*train, *small])
    assert first.exit_code == 0, first.output
    assert "2 steps" in first.output
    again = run(app, [*train, *small, "--resume"])
    assert again.exit_code == 0, again.output
    judged = run(
        app, ["judge", "--ucr", str(ucr), "--checkpoint", f"{out}/{CHECKPOINT}", "--threads", "1"]
    )
    assert judged.exit_code == 0, judged.output
    assert "random, seed 0" in judged.output
    exported = run(app, ["export", "--run", out, "--to", str(tmp_path / "weights")])
    assert exported.exit_code == 0, exported.output
    assert (tmp_path / "weights" / "model.safetensors").is_file()


def test_cli_says_which_option_is_wrong(tmp_path: Path) -> None:
    """A bad option is an error about that option, and no folder is made."""
    result = CliRunner().invoke(app, ["--out", str(tmp_path / "run"), "--steps", "0"])
    assert isinstance(result.exception, DataError)
    assert "steps" in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_cli_judges_on_held_out_series(run: Path) -> None:
    """The loss on held-out series is printed by family for the checkpoint and the random ones."""
    arguments = ["judge", "--held-out", "--checkpoint", str(run / CHECKPOINT), "--threads", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "random, seed 2" in result.output.splitlines()[0]
    assert "| **mean** |" in result.output


@pytest.mark.parametrize("options", [[], ["--held-out", "--data", "basic-motions"]])
def test_cli_judges_on_one_thing_at_a_time(options: list[str]) -> None:
    """None or two of the kinds of data to judge on are refused."""
    result = CliRunner().invoke(app, ["judge", *options])
    assert isinstance(result.exception, DataError)
    assert "--held-out" in str(result.exception)
