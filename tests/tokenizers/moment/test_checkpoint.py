"""Checkpoints travel between us and momentfm; anything doubtful is refused by name."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.moment.checkpoint import load_moment, save_moment, weights_hash
from tool_use_om.tokenizers.moment.model import Moment, sinusoids
from tool_use_om.tokenizers.moment.reference import MomentfmEncoder


@pytest.fixture
def folder(tmp_path: Path, small_moment: Moment) -> Path:
    save_moment(small_moment, tmp_path / "model")
    return tmp_path / "model"


def change(folder: Path, **tensors: torch.Tensor | None) -> None:
    weights = load_file(folder / "model.safetensors")
    for name, tensor in tensors.items():
        weights.pop(name, None)
        if tensor is not None:
            weights[name] = tensor
    save_file(weights, folder / "model.safetensors")


def test_load_returns_what_was_saved(folder: Path, small_moment: Moment) -> None:
    """Weights and configuration survive the disk bit by bit; the model is in eval mode."""
    loaded = load_moment(folder)
    assert weights_hash(loaded) == weights_hash(small_moment)
    assert loaded.config == small_moment.config
    assert not loaded.training


def test_load_reads_what_momentfm_saved(tmp_path: Path, small_moment: Moment) -> None:
    """momentfm's own files load: its text vocabulary and position vectors are let go."""
    pytest.importorskip("momentfm")
    MomentfmEncoder(small_moment).pipeline.save_pretrained(tmp_path)
    assert "encoder.embed_tokens.weight" in load_file(tmp_path / "model.safetensors")
    assert weights_hash(load_moment(tmp_path)) == weights_hash(small_moment)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # momentfm's calls into transformers
def test_momentfm_reads_what_we_saved(
    folder: Path, small_moment: Moment, capsys: pytest.CaptureFixture[str]
) -> None:
    """Our files load in momentfm and give the same tokens there."""
    momentfm = pytest.importorskip("momentfm")
    theirs = momentfm.MOMENTPipeline.from_pretrained(
        str(folder), model_kwargs={"task_name": "reconstruction"}
    ).eval()
    x = torch.randn(1, 2, 512, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        got = theirs.embed(x_enc=x, reduction="none").embeddings
        assert torch.allclose(got, small_moment.encode(x), atol=1e-4)
    capsys.readouterr()


def test_load_refuses_a_truncated_file(folder: Path) -> None:
    """Half a safetensors file is named as damaged."""
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"model\.safetensors is damaged"):
        load_moment(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pkl"])
def test_load_refuses_a_pickle(folder: Path, name: str) -> None:
    """A folder that offers a pickle only is refused, and the pickle is never opened."""
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match="pickles can run code and are refused"):
        load_moment(folder)
    assert not Bomb.went_off


class Bomb:
    """Tells whether it was unpickled."""

    went_off = False

    def __reduce__(self) -> tuple:
        return (setattr, (Bomb, "went_off", True))


def test_load_refuses_a_pickle_named_safetensors(folder: Path) -> None:
    """A pickle under the right name is damaged, not opened."""
    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match="damaged"):
        load_moment(folder)
    assert not Bomb.went_off


def test_load_names_missing_weights(folder: Path) -> None:
    """A checkpoint without some weights is refused, naming the first of them."""
    change(folder, **{"head.linear.bias": None, "encoder.final_layer_norm.weight": None})
    with pytest.raises(DataError, match=r"2 missing \['encoder.final_layer_norm.weight'"):
        load_moment(folder)


def test_load_names_unexpected_weights(folder: Path) -> None:
    """A checkpoint with weights of another model is refused, naming them."""
    change(folder, **{"decoder.weight": torch.zeros(2)})
    with pytest.raises(DataError, match=r"1 unexpected \['decoder.weight'\]"):
        load_moment(folder)


def test_load_names_weights_of_the_wrong_shape(folder: Path) -> None:
    """A checkpoint of another size is refused, naming both shapes."""
    config = json.loads((folder / "config.json").read_text())
    config["t5_config"]["d_ff"] = 64
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(DataError, match=r"\(48, 32\) instead of \(64, 32\)"):
        load_moment(folder)


def test_load_refuses_other_position_vectors(folder: Path) -> None:
    """Position vectors that are not MOMENT's would silently give other tokens."""
    name = "patch_embedding.position_embedding.pe"
    change(folder, **{name: sinusoids(5000, 32)[None]})
    load_moment(folder)
    change(folder, **{name: sinusoids(5000, 32)[None] + 0.1})
    with pytest.raises(DataError, match="differs from MOMENT's sinusoids"):
        load_moment(folder)


@pytest.mark.parametrize("content", ["{", "[1, 2]", "{}"])
def test_load_refuses_a_bad_config(folder: Path, content: str) -> None:
    """A config.json that is not MOMENT's is refused."""
    (folder / "config.json").write_text(content)
    with pytest.raises(DataError, match="config"):
        load_moment(folder)


def test_load_names_what_is_not_there(folder: Path, tmp_path: Path) -> None:
    """A missing file, folder or name is told apart."""
    (folder / "model.safetensors").unlink()
    with pytest.raises(DataError, match=r"No model\.safetensors"):
        load_moment(folder)
    (folder / "config.json").unlink()
    with pytest.raises(DataError, match=r"No config\.json"):
        load_moment(folder)
    with pytest.raises(DataError, match="neither a folder nor a hub name"):
        load_moment(tmp_path / "nowhere" / "at" / "all")


def test_load_says_what_to_do_when_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a connection a hub name gives a clear way out."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataError, match="HF_HUB_OFFLINE=0"):
        load_moment("AutonLab/MOMENT-1-nowhere")


def test_weights_hash_changes_with_any_weight(small_moment: Moment) -> None:
    """One number changed changes the hash."""
    before = weights_hash(small_moment)
    with torch.no_grad():
        small_moment.head.linear.bias[0] += 1e-3
    assert weights_hash(small_moment) != before
