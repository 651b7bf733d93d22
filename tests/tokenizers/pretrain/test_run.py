"""The laws of pretraining: nothing leaks, it learns, and no kill loses or changes anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.moment.checkpoint import load_moment, weights_hash
from tool_use_om.tokenizers.pretrain.corpus import FAMILIES
from tool_use_om.tokenizers.pretrain.loss import LARGEST, crops, held_out_losses, hide, loss_table
from tool_use_om.tokenizers.pretrain.run import (
    CHECKPOINT,
    Learner,
    PretrainConfig,
    Row,
    Run,
    fastest_precision,
    learning_rate,
    pretrain,
    read_metrics,
)
from tool_use_om.tokenizers.pretrain.state import STATE_NAME

TINY = {
    "d_model": 16,
    "d_ff": 16,
    "n_layers": 1,
    "n_heads": 2,
    "batch_samples": 1024,
    "lengths": (64, 96),
}
SCRIPT = """
import sys
from pathlib import Path
from tool_use_om.tokenizers.pretrain.run import PretrainConfig, pretrain
import json
pretrain(PretrainConfig(**json.loads(sys.argv[2])), Path(sys.argv[1]), save_every=3)
"""


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Tiny models are fastest, and sums repeat exactly, on one thread."""
    torch.set_num_threads(1)


def losses(out: Path) -> list[tuple[int, float]]:
    """Step and loss of every row of a run."""
    return [(row["step"], row["loss"]) for row in read_metrics(out)]


def test_pretrain_lowers_the_loss(tmp_path: Path) -> None:
    """After 80 steps the held-out loss is clearly below that of the random weights."""
    run = Run(PretrainConfig(steps=80, learning_rate=5e-3, **TINY), tmp_path)
    before = np.mean(list(run.validate().values()))
    for _ in range(80):
        run.step()
    assert np.mean(list(run.validate().values())) < 0.95 * before


def test_pretrain_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    """A run stopped between two saves and resumed has the same losses and the same weights."""
    config = PretrainConfig(steps=9, **TINY)
    whole = pretrain(config, tmp_path / "whole", save_every=3)

    def stop(_: Run, row: Row) -> None:
        if row["step"] == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(config, tmp_path / "torn", save_every=3, on_row=stop)
    torn = pretrain(config, tmp_path / "torn", save_every=3, resume=True)
    assert losses(tmp_path / "torn") == losses(tmp_path / "whole")
    assert weights_hash(torn.learner.moment) == weights_hash(whole.learner.moment)
    assert torn.progress["windows"] == whole.progress["windows"]


def test_pretrain_survives_kill_9(tmp_path: Path) -> None:
    """A run killed with SIGKILL can be resumed and ends as if it had never been killed."""
    config = PretrainConfig(steps=150, **TINY)
    out = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(out), config.model_dump_json()],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 60
    while len(read_metrics(out)) < 20 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert len(read_metrics(out)) < 150
    resumed = pretrain(config, out, save_every=50, resume=True)
    whole = pretrain(config, tmp_path / "whole", save_every=150)
    assert losses(out) == losses(tmp_path / "whole")
    assert weights_hash(resumed.learner.moment) == weights_hash(whole.learner.moment)


def test_pretrain_exports_a_plain_moment_checkpoint(tmp_path: Path) -> None:
    """What a run exports loads as any MOMENT checkpoint, with the run's weights."""
    run = pretrain(PretrainConfig(steps=2, contrast=0.1, **TINY), tmp_path)
    assert weights_hash(load_moment(tmp_path / CHECKPOINT)) == weights_hash(run.learner.moment)


def test_held_out_losses_of_a_checkpoint_are_those_its_run_recorded(tmp_path: Path) -> None:
    """Runs are compared by their files: a checkpoint gives the held-out loss of its run's end."""
    run = pretrain(PretrainConfig(steps=2, seed=3, **TINY), tmp_path)
    losses = held_out_losses(load_moment(tmp_path / CHECKPOINT), seed=3)
    assert losses == pytest.approx(run.validate())
    assert losses == pytest.approx(read_metrics(tmp_path)[-1]["held_out"])


def test_held_out_table_ends_with_the_mean_of_each_model() -> None:
    """The table has a row a family and the mean over families last."""
    lines = loss_table({"a": dict.fromkeys(FAMILIES, 0.5), "b": dict.fromkeys(FAMILIES, 0.25)})
    assert len(lines.splitlines()) == len(FAMILIES) + 3
    assert lines.splitlines()[-1] == "| **mean** | 0.5000 | 0.2500 |"


def test_learner_cannot_see_hidden_patches() -> None:
    """Tokens do not change with the values behind hidden patches, not even through the scale."""
    learner = Learner(PretrainConfig(steps=1, **TINY))
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((4, 64)).astype(np.float32))
    hidden = hide(np.random.default_rng(1), 4, 8, 0.3, 0.4)
    other = torch.where(hidden.repeat_interleave(8, dim=1), 100.0, x)
    assert torch.equal(learner(x, hidden)[1], learner(other, hidden)[1])


def test_learner_loss_is_bounded_when_all_that_is_visible_is_flat() -> None:
    """A step hidden in an otherwise flat window cannot outweigh the rest of the batch."""
    learner = Learner(PretrainConfig(steps=1, **TINY))
    x = torch.zeros(2, 64)
    x[0, 8:16] = 1.0
    hidden = torch.zeros((2, 8), dtype=torch.bool)
    hidden[:, 1] = True
    assert learner(x, hidden)[0].item() < LARGEST + 1


def test_learner_tokens_are_those_of_the_encoder() -> None:
    """Training computes the same tokens that `Moment.encode` gives when nothing is hidden."""
    learner = Learner(PretrainConfig(steps=1, **TINY)).eval()
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((4, 96)).astype(np.float32))
    hidden = torch.zeros((4, 12), dtype=torch.bool)
    hidden[0, 3] = True
    tokens = learner(x, hidden)[1]
    encoded = learner.moment.encode(x[:, None])[:, 0]
    assert torch.allclose(tokens[1:], encoded[1:], atol=1e-5)
    assert not torch.allclose(tokens[0], encoded[0], atol=1e-3)


@pytest.mark.parametrize("n_patches", [2, 3, 64])
def test_hide_keeps_one_patch_visible(n_patches: int) -> None:
    """Every row hides the same number of patches, at least one and never all."""
    hidden = hide(np.random.default_rng(0), 7, n_patches, 0.3, 0.4).sum(1)
    assert 1 <= int(hidden.min()) == int(hidden.max()) < n_patches


def test_crops_are_windows_of_their_row() -> None:
    """Both crops of a row are consecutive samples of that row, its partner n rows below."""
    series = np.arange(4 * 96, dtype=np.float32).reshape(4, 96)
    cut = crops(series, np.random.default_rng(0))
    assert cut.shape == (4, 64)
    assert (np.diff(cut, axis=1) == 1).all()
    assert (cut[:2, 0] // 96 == cut[2:, 0] // 96).all()


def test_learning_rate_warms_up_then_falls() -> None:
    """The rate rises to its highest at the end of the warm-up and falls from there on."""
    config = PretrainConfig(steps=10, warmup=0.1, **TINY)
    rates = [learning_rate(config, p) for p in np.linspace(0, 1, 101)]
    assert int(np.argmax(rates)) == 10
    assert rates[10] == pytest.approx(config.learning_rate)
    assert all(a >= b for a, b in pairwise(rates[10:]))
    assert rates[-1] == pytest.approx(0.02 * config.learning_rate)


def test_run_refuses_to_overwrite_another(tmp_path: Path) -> None:
    """A folder that holds a run is not started over by accident."""
    pretrain(PretrainConfig(steps=1, **TINY), tmp_path)
    with pytest.raises(DataError, match="resume"):
        Run(PretrainConfig(steps=1, **TINY), tmp_path)


def test_run_refuses_resume_when_there_is_nothing(tmp_path: Path) -> None:
    """Resuming needs a saved state."""
    with pytest.raises(DataError, match="no run to resume"):
        Run(PretrainConfig(steps=1, **TINY), tmp_path, resume=True)


def test_run_refuses_resume_when_options_differ(tmp_path: Path) -> None:
    """A state is only resumed with the options it was started with."""
    pretrain(PretrainConfig(steps=1, **TINY), tmp_path)
    with pytest.raises(DataError, match="same options"):
        Run(PretrainConfig(steps=1, seed=1, **TINY), tmp_path, resume=True)


def test_run_refuses_a_truncated_state(tmp_path: Path) -> None:
    """A damaged state file is named, not loaded."""
    pretrain(PretrainConfig(steps=1, **TINY), tmp_path)
    state = tmp_path / STATE_NAME
    state.write_bytes(state.read_bytes()[:500])
    with pytest.raises(DataError, match="not a readable pretraining state"):
        Run(PretrainConfig(steps=1, **TINY), tmp_path, resume=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 1, "minutes": 1.0}, "either steps or minutes"),
        ({}, "either steps or minutes"),
        ({"steps": 1, "lengths": (60,)}, "multiples of 8"),
        ({"steps": 1, "d_model": 20, "n_heads": 3}, "multiple of n_heads"),
    ],
)
def test_config_refuses_what_cannot_be_trained(options: dict[str, object], message: str) -> None:
    """Impossible options are refused before anything is written."""
    with pytest.raises(ValueError, match=message):
        PretrainConfig.model_validate({**TINY, **options} if "steps" in options else options)


def test_fastest_precision_is_one_that_can_be_trained() -> None:
    """The measured choice is float32 or bfloat16."""
    assert fastest_precision(torch.device("cpu")) in {torch.float32, torch.bfloat16}
