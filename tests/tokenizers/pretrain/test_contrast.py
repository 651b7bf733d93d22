"""The laws of training a tokenizer to tell series apart."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.errors import NotFoundError
from tool_use_om.tokenizers.moment.checkpoint import load_moment, weights_hash
from tool_use_om.tokenizers.pretrain.card import draw_curves, export_run
from tool_use_om.tokenizers.pretrain.corpus import Corpus
from tool_use_om.tokenizers.pretrain.loss import resized
from tool_use_om.tokenizers.pretrain.presets import PRESETS, preset
from tool_use_om.tokenizers.pretrain.run import (
    CHECKPOINT,
    PretrainConfig,
    Row,
    Run,
    pretrain,
    read_metrics,
)

TINY = preset("contrast", d_model=16, n_layers=1, batch_samples=2048, lengths=(64, 96))


def losses(out: Path) -> list[tuple[float, float]]:
    """Both losses of every row of a run."""
    return [(row["loss"], row["contrast"]) for row in read_metrics(out)]


def test_resized_views_are_stretches_of_their_series() -> None:
    """Of a straight line every view is a straight line within it, at least 70 % of it long."""
    lines = np.arange(200, dtype=np.float32)[None].repeat(6, axis=0)
    views = resized(lines, np.random.default_rng(0), 64)
    assert views.shape == (12, 64)
    steps = np.diff(views, axis=1)
    np.testing.assert_allclose(steps, steps[:, :1].repeat(63, axis=1), atol=1e-3)
    width = views[:, -1] - views[:, 0]
    assert (width >= 0.7 * 199 - 1e-3).all()
    assert views.min() >= 0
    assert views.max() <= 199


def test_step_compares_two_views_of_as_many_series_as_fill_the_batch(tmp_path: Path) -> None:
    """Rows n apart are views of one series; the batch holds the samples asked for."""
    run = Run(PretrainConfig(steps=1, **TINY), tmp_path)
    series = run._series(0)  # what a step reads
    length = run.corpus.length(0)
    assert series.shape == (2 * round(2048 // length / 2), length)


def test_contrast_learns_to_tell_series_apart(tmp_path: Path) -> None:
    """After some steps the contrast is clearly below that of guessing."""
    options = preset("contrast", d_model=32, n_layers=1, batch_samples=4096, lengths=(128,))
    config = PretrainConfig(steps=100, **options)
    rows = read_metrics(pretrain(config, tmp_path).out)
    guessing = math.log(2 * 16 - 1)
    assert np.mean([row["contrast"] for row in rows[-10:]]) < 0.8 * guessing


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    """A run stopped between two saves and resumed has the same losses and the same weights."""
    config = PretrainConfig(steps=7, **TINY)
    whole = pretrain(config, tmp_path / "whole", save_every=3)

    def stop(_: Run, row: Row) -> None:
        if row["step"] == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(config, tmp_path / "torn", save_every=3, on_row=stop)
    torn = pretrain(config, tmp_path / "torn", save_every=3, resume=True)
    assert losses(tmp_path / "torn") == losses(tmp_path / "whole")
    assert weights_hash(torn.learner) == weights_hash(whole.learner)


def test_checkpoint_is_the_encoder_alone(tmp_path: Path) -> None:
    """What is exported loads as an encoder of described patches; the projection stays behind."""
    run = pretrain(PretrainConfig(steps=1, **TINY), tmp_path)
    loaded = load_moment(tmp_path / CHECKPOINT)
    assert loaded.config.inputs == "described"
    assert weights_hash(loaded) == weights_hash(run.learner.moment)


def test_card_states_what_it_was_trained_for_and_on(tmp_path: Path) -> None:
    """The card names the objective by weight, the family of half of the series, and the folder."""
    pretrain(PretrainConfig(steps=2, **TINY), tmp_path / "run")
    export_run(tmp_path / "run", tmp_path / "moment-new")
    text = (tmp_path / "moment-new" / "README.md").read_text()
    assert text.split("# ")[1].startswith("moment-new")
    assert (
        "1 × telling the other view of the same series from those of other series, plus 0.1" in text
    )
    assert "causal 0.5" in text
    assert "| causal |" in text
    assert "Not for momentfm" in text


def test_curves_of_a_contrast_are_drawn(tmp_path: Path) -> None:
    """The figure is a PNG file, a short run's too."""
    pretrain(PretrainConfig(steps=2, **TINY), tmp_path / "run")
    draw_curves(tmp_path / "run", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_causal_series_have_the_share_asked_for() -> None:
    """Half of a stream asked for half: the others keep their proportions; none unless asked."""
    half, none = Corpus(causal=0.5).shares(), Corpus().shares()
    assert half["causal"] == 0.5
    assert none["causal"] == 0
    assert sum(half.values()) == pytest.approx(1)
    assert half["gait"] / half["trend"] == pytest.approx(none["gait"] / none["trend"])
    assert "causal" not in Corpus().recipe()["families"]  # type: ignore[operator]  # a dict


def test_preset_gives_way_to_what_is_given() -> None:
    """Given options replace an objective's; the width decides what depends on it."""
    options = preset("contrast", d_model=64, n_layers=None)
    assert (options["d_model"], options["d_ff"], options["n_heads"]) == (64, 128, 2)
    assert options["n_layers"] == 3
    assert PretrainConfig(steps=1, **preset("rebuild")) == PretrainConfig(steps=1)


def test_preset_of_an_unknown_objective_lists_the_others() -> None:
    """A misspelt objective is answered with the right one."""
    with pytest.raises(NotFoundError, match="contrast"):
        preset("contrastive")
    assert set(PRESETS) == {"rebuild", "contrast"}
