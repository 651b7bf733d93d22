"""Adapters are saved apart; the base weights never change; a wrong adapter is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.commands import tokenizers as adapt_cli
from tool_use_om.tokenizers.adapt.adapter import (
    ADAPTER_NAME,
    AdapterCard,
    AdaptSettings,
    adapted,
    base_model,
    load_any,
    merged,
    read_card,
    settings_of,
    spec_of,
)
from tool_use_om.tokenizers.adapt.train import adapt
from tool_use_om.tokenizers.moment.checkpoint import weights_hash
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig
from tool_use_om.tokenizers.windows.windows import WindowBatch

SHAPE = MomentConfig(d_model=16, d_ff=16, n_layers=1, n_heads=2, d_kv=8, seq_len=64)


def _windows(n: int = 24, samples: int = 32) -> tuple[WindowBatch, np.ndarray]:
    """Two classes that differ by their rhythm, four windows a session."""
    rng = np.random.default_rng(0)
    labels = np.array(["fast", "slow"])[np.arange(n) % 2]
    rate = np.where(labels == "fast", 1.5, 0.4)[:, None, None]
    phase = rng.uniform(0, 6, (n, 1, 1))
    values = np.sin(rate * np.arange(samples) + phase) + 0.1 * rng.standard_normal((n, 1, samples))
    batch = WindowBatch(
        values=values.astype(np.float32),
        mask=np.ones(values.shape, dtype=bool),
        rate_hz=10.0,
        start_s=np.zeros(n),
        session_ids=tuple(f"s{i // 4}" for i in range(n)),
        channels=("m.x",),
        units=("g",),
    )
    return batch, labels


def _adapted(folder: Path, **given: object) -> AdapterCard:
    batch, labels = _windows()
    settings = AdaptSettings.model_validate({"steps": 30, "batch": 12, "rank": 2, **given})
    return adapt(
        Moment(SHAPE), "moment-tiny", batch, folder, data="made", labels=labels, settings=settings
    )


def test_adapt_leaves_the_base_weights_as_they_are(tmp_path: Path) -> None:
    """The card names the base's hash, and only added matrices are in the adapter's file."""
    card = _adapted(tmp_path / "a")
    assert card.base_weights_hash == weights_hash(Moment(SHAPE))
    saved = load_file(tmp_path / "a" / ADAPTER_NAME)
    assert saved
    assert all("lora_" in name for name in saved)
    assert card.adapter_parameters == sum(t.numel() for t in saved.values())
    names = {p.name for p in (tmp_path / "a").iterdir()}
    assert names == {ADAPTER_NAME, "adapter_config.json", "card.json"}


@pytest.mark.parametrize("objective", ["labels", "reconstruction"])
def test_adapt_lowers_the_loss_of_sessions_held_back(tmp_path: Path, objective: str) -> None:
    """The kept step is the best on sessions that were not trained on; merging changes tokens."""
    card = _adapted(tmp_path / "a", objective=objective)
    assert card.held_loss < card.held_loss_before
    assert card.best_step > 0
    base = Moment(SHAPE).eval()
    whole = merged(Moment(SHAPE), "moment-tiny", tmp_path / "a")
    x = torch.from_numpy(_windows()[0].values)
    with torch.inference_mode():
        assert float((base.encode(x) - whole.encode(x)).abs().max()) > 1e-3
    assert set(whole.state_dict()) == set(base.state_dict())
    assert not any(p.requires_grad for p in whole.parameters())


def test_adapt_is_deterministic(tmp_path: Path) -> None:
    """The same windows, settings and seed give the same adapter."""
    _adapted(tmp_path / "a")
    _adapted(tmp_path / "b")
    one, two = (load_file(tmp_path / name / ADAPTER_NAME) for name in "ab")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_merged_refuses_other_weights(tmp_path: Path) -> None:
    """An adapter fits the weights it was trained on, and no others."""
    _adapted(tmp_path / "a")
    with pytest.raises(DataError, match="Train it anew on these weights"):
        merged(Moment(SHAPE, seed=1), "moment-tiny", tmp_path / "a")
    with pytest.raises(DataError, match="these are moment-small"):
        merged(Moment(SHAPE), "moment-small", tmp_path / "a")


def test_merged_refuses_a_pickle(tmp_path: Path) -> None:
    """A pickled adapter is never opened, even beside a good one."""
    _adapted(tmp_path / "a")
    (tmp_path / "a" / "adapter_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(DataError, match="Pickles are refused"):
        merged(Moment(SHAPE), "moment-tiny", tmp_path / "a")


def test_merged_refuses_a_damaged_file(tmp_path: Path) -> None:
    """A truncated file and one that lacks a tensor are errors; nothing is filled in."""
    _adapted(tmp_path / "a")
    file = tmp_path / "a" / ADAPTER_NAME
    whole = load_file(file)
    save_file(dict(list(whole.items())[1:]), file)
    with pytest.raises(DataError, match="damaged"):
        merged(Moment(SHAPE), "moment-tiny", tmp_path / "a")
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DataError, match="damaged"):
        merged(Moment(SHAPE), "moment-tiny", tmp_path / "a")


def test_read_card_names_a_folder_without_adapter(tmp_path: Path) -> None:
    """A folder without a card, or with a torn one, is no adapter."""
    with pytest.raises(DataError, match=r"card\.json is missing"):
        read_card(tmp_path)
    (tmp_path / "card.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        read_card(tmp_path)


def test_adapt_refuses_windows_that_cannot_train(tmp_path: Path) -> None:
    """One class, one session, no labels: refused before anything is written."""
    batch, labels = _windows()
    target = tmp_path / "a"
    with pytest.raises(DataError, match="two classes"):
        adapt(Moment(SHAPE), "m", batch, target, data="d", labels=np.full(len(batch), "one"))
    with pytest.raises(DataError, match="needs a label"):
        adapt(Moment(SHAPE), "m", batch, target, data="d")
    alone = batch.select([0, 1, 2, 3])
    with pytest.raises(DataError, match=r"two (sessions|classes)"):
        adapt(Moment(SHAPE), "m", alone, target, data="d", labels=labels[:4])
    assert not target.exists()


def test_settings_name_the_rule_that_is_broken() -> None:
    """A rank of 0 and an unknown objective are refused with the field's name."""
    with pytest.raises(DataError, match=r"`rank`.*got 0"):
        settings_of(rank=0)
    with pytest.raises(DataError, match=r"`objective`"):
        settings_of(objective="magic")


def test_base_model_refuses_other_families() -> None:
    """LoRA is put on MOMENT's stack alone."""
    with pytest.raises(DataError, match="MOMENT family"):
        base_model("chronos-2")


@pytest.mark.slow
def test_command_writes_an_adapter_and_says_how_to_judge_it(tmp_path: Path) -> None:
    """`tuom adapt` runs on the embedded sample and leaves adapter and merged checkpoint."""
    words = ["--data", "basic-motions", "--window-s", "4", "--name", "bm", "--steps", "2"]
    ran = CliRunner().invoke(adapt_cli.adapt_app, [*words, "--workspace", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    folder = tmp_path / "adapters" / "bm"
    card = json.loads((folder / "card.json").read_text())
    assert card["tokenizer"] == "moment-tiny"
    assert (folder / "whole" / "model.safetensors").is_file()
    assert "moment-tiny+bm" in ran.output


def test_adapted_tokenizer_loads_by_name(tmp_path: Path) -> None:
    """ "<tokenizer>+<adapter>" names the merged tokenizer; its tokens have a hash of their own."""
    workspace = Workspace(tmp_path)
    batch, labels = _windows()
    settings = AdaptSettings(steps=2, batch=8, rank=1)
    folder = workspace.folder("adapters") / "mine"
    model = base_model("moment-tiny")
    adapt(model, "moment-tiny", batch, folder, data="d", labels=labels, settings=settings)
    assert [s.name for s in adapted(workspace)] == ["moment-tiny+mine"]
    assert spec_of("moment-tiny+mine").d_model == spec_of("moment-tiny").d_model
    tokenizer = load_any("moment-tiny+mine", workspace)
    plain = load_any("moment-tiny", workspace)
    assert tokenizer.weights_hash != plain.weights_hash
    assert tokenizer.encode(batch).values.shape == plain.encode(batch).values.shape


def test_adapter_names_cannot_leave_the_workspace(tmp_path: Path) -> None:
    """A path in place of a name is refused."""
    with pytest.raises(DataError, match="workspace name"):
        load_any("moment-tiny+../elsewhere", Workspace(tmp_path))
