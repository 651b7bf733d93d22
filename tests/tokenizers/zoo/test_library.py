"""Other libraries' encoders: published shapes, masks, and tokens equal to the library's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.tokenizers import registry
from tool_use_om.tokenizers.registry import TOKENIZERS, load_tokenizer, random_tokenizer, spec
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.windows.windows import WindowBatch

ZOO = [name for name in TOKENIZERS if spec(name).library or spec(name).family == "timesfm"]
TOLERANCE = 1e-4


def _windows(values: np.ndarray, mask: np.ndarray | None = None) -> WindowBatch:
    n, channels, _ = values.shape
    return WindowBatch(
        values=values.astype(np.float32),
        mask=np.ones(values.shape, dtype=bool) if mask is None else mask,
        rate_hz=10.0,
        start_s=np.zeros(n),
        session_ids=tuple(f"s{i}" for i in range(n)),
        channels=tuple(f"m.{c}" for c in range(channels)),
        units=("1",) * channels,
    )


def _noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.fixture(scope="module")
def made() -> Callable[[str], Tokenizer]:
    """Two layers of each shape, built once."""
    kept: dict[str, Tokenizer] = {}

    def get(name: str) -> Tokenizer:
        if name not in kept:
            kept[name] = random_tokenizer(name, seed=1, layers=2)
        return kept[name]

    return get


@pytest.mark.parametrize("name", [n for n in TOKENIZERS if n != "moment-tiny"])
def test_spec_counts_the_parameters_of_the_published_shape(name: str) -> None:
    """The spec's size is that of the shape that is built."""
    with torch.device("meta"):
        tokenizer = random_tokenizer(name)
    module: torch.nn.Module = tokenizer._module
    assert sum(p.numel() for p in module.parameters()) == spec(name).parameters


@pytest.mark.parametrize("name", ZOO)
def test_encode_gives_a_token_a_whole_patch(name: str, made: Callable[[str], Tokenizer]) -> None:
    """P = T // patch_len; samples before the first whole patch are in none; nothing is NaN."""
    length = spec(name).patch_len
    tokens = made(name).encode(_windows(_noise(2, 3, 4 * length + 5)))
    assert tokens.values.shape == (2, 3, 4, spec(name).d_model)
    assert tokens.mask.all()
    assert np.isfinite(tokens.values).all()
    np.testing.assert_allclose(tokens.start_s[0], 0.5 + np.arange(4) * length / 10.0)


@pytest.mark.parametrize("name", ZOO)
def test_encode_ignores_what_is_masked(name: str, made: Callable[[str], Tokenizer]) -> None:
    """A patch with a missing sample has no token, and what stands there changes no other token."""
    length = spec(name).patch_len
    values = _noise(1, 1, 4 * length)
    mask = np.ones(values.shape, dtype=bool)
    mask[..., length + 1 : 2 * length] = False
    plain = made(name).encode(_windows(np.where(mask, values, 0), mask))
    garbage = made(name).encode(_windows(np.where(mask, values, 1e6), mask))
    assert plain.mask.tolist() == [[[True, False, True, True]]]
    assert not plain.values[0, 0, 1].any()
    assert np.isfinite(plain.values).all()
    np.testing.assert_allclose(garbage.values, plain.values, atol=TOLERANCE)


@pytest.mark.parametrize("name", ZOO)
def test_encode_does_not_depend_on_batch_mates(name: str, made: Callable[[str], Tokenizer]) -> None:
    """A window's tokens are the same alone, among others, and a second time."""
    batch = _windows(_noise(20, 1, 3 * spec(name).patch_len))
    together = made(name).encode(batch).values
    alone = made(name).encode(batch.select([7])).values
    np.testing.assert_allclose(together[7], alone[0], atol=TOLERANCE)
    np.testing.assert_array_equal(made(name).encode(batch).values, together)


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO)
def test_tokens_equal_the_embeddings_of_the_library(name: str) -> None:
    """At random weights in the published shape our tokens are what the library itself returns."""
    tokenizer = random_tokenizer(name, seed=2)
    model: Any = tokenizer._module.model  # type: ignore[union-attr]
    x = torch.from_numpy(_noise(2, 5 * spec(name).patch_len).astype(np.float32))
    encoder: Any = tokenizer._module
    with torch.inference_mode():
        ours = encoder.encode(x[:, None])[:, 0]
        theirs = _EMBED[spec(name).family](model, x)
    assert ours.shape == theirs.shape
    scale = float(theirs.abs().max())
    assert float((ours - theirs).abs().max()) <= TOLERANCE * max(1.0, scale)


def _bolt(model: Any, x: Tensor) -> Tensor:
    from chronos.chronos_bolt import ChronosBoltPipeline

    embedded: Tensor = ChronosBoltPipeline(model).embed(x)[0]
    return embedded[:, :-1]


def _two(model: Any, x: Tensor) -> Tensor:
    from chronos.chronos2 import Chronos2Pipeline

    embedded = Chronos2Pipeline(model).embed(x[:, None])[0]
    return torch.cat(embedded)[:, :-2]


def _timesfm(model: Any, x: Tensor) -> Tensor:
    from transformers import TimesFm2_5Config, TimesFm2_5ModelForPrediction

    shallow = TimesFm2_5Config(num_hidden_layers=1)
    whole = TimesFm2_5ModelForPrediction(shallow).eval()
    whole.model = model
    given = {"forecast_context_len": x.shape[1], "force_flip_invariance": False}
    hidden: Tensor = whole(past_values=list(x), **given).last_hidden_state
    return hidden


_EMBED = {"chronos-bolt": _bolt, "chronos-2": _two, "timesfm": _timesfm}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A two-layer Chronos-Bolt in its library's own files."""
    from transformers import T5Config

    from tool_use_om.tokenizers.zoo import chronos as zoo_chronos

    model_class, _ = zoo_chronos._classes("chronos-bolt")
    config = T5Config(
        d_model=256,
        d_ff=64,
        d_kv=64,
        num_heads=4,
        num_layers=2,
        **zoo_chronos._CONFIG["chronos-bolt"],
    )
    model_class(config).save_pretrained(tmp_path / "bolt")
    return tmp_path / "bolt"


def test_load_reads_the_files_of_the_library(saved: Path) -> None:
    """Weights saved by the library load from a folder and encode."""
    tokenizer = load_tokenizer("chronos-bolt-tiny", weights=saved)
    tokens = tokenizer.encode(_windows(_noise(1, 1, 64)))
    assert tokens.values.shape == (1, 1, 4, 256)


def test_load_refuses_missing_weights(saved: Path) -> None:
    """A file without one tensor is refused, naming it; never filled with random numbers."""
    file = saved / "model.safetensors"
    weights = load_file(file)
    lost = "encoder.block.1.layer.0.SelfAttention.q.weight"
    weights.pop(lost)
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"missing_keys.*block\.1\.layer\.0"):
        load_tokenizer("chronos-bolt-tiny", weights=saved)


def test_load_refuses_a_truncated_file(saved: Path) -> None:
    """Half a file is one clear error that names the source."""
    file = saved / "model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"bolt is not a checkpoint.*Fetch it again"):
        load_tokenizer("chronos-bolt-tiny", weights=saved)


def test_load_refuses_a_pickle(saved: Path) -> None:
    """A pickle is never opened."""
    (saved / "model.safetensors").rename(saved / "pytorch_model.bin")
    with pytest.raises(DataError, match="pickles can run code"):
        load_tokenizer("chronos-bolt-tiny", weights=saved)


def test_load_refuses_another_shape(saved: Path) -> None:
    """Weights of another width are not taken for this tokenizer's."""
    with pytest.raises(DataError, match="d_model is 256, not 512"):
        load_tokenizer("chronos-bolt-small", weights=saved)


def test_load_says_which_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library the error tells what to install."""
    monkeypatch.setitem(__import__("sys").modules, "chronos.chronos_bolt", None)
    with pytest.raises(DataError, match=r"tool-use-om\[zoo\]"):
        random_tokenizer("chronos-bolt-tiny")
    wanting = replace(spec("chronos-2"), library="no_such_library")
    assert not registry.is_installed(wanting)


@pytest.mark.parametrize("name", ZOO)
def test_backend_of_another_family_is_refused(name: str, tmp_path: Path) -> None:
    """momentfm runs MOMENT's weights alone."""
    with pytest.raises(NotFoundError, match="momentfm"):
        load_tokenizer(name, weights=tmp_path, backend="momentfm")


def test_reconstruct_is_refused(made: Callable[[str], Tokenizer]) -> None:
    """A forecaster does not rebuild its input, and says which tokenizers do."""
    with pytest.raises(DataError, match="MOMENT family"):
        made("chronos-bolt-tiny").reconstruct(_windows(_noise(1, 1, 64)))
