"""Every name in the registry has a spec that tells the truth, and loads or says why not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.graphs.commands import tokenizers as cli
from tool_use_om.tokenizers.moment import load as moment_loader
from tool_use_om.tokenizers.moment.checkpoint import save_moment
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig
from tool_use_om.tokenizers.registry import (
    PACKAGED,
    TOKENIZERS,
    is_here,
    load_tokenizer,
    random_tokenizer,
    spec,
    specs,
)
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.windows.windows import WindowBatch


@pytest.mark.parametrize("name", list(TOKENIZERS))
def test_spec_is_complete(name: str) -> None:
    """Names agree, sizes are given, hub weights are pinned to a commit."""
    found = spec(name)
    assert found.name == name
    assert found.parameters > 0
    assert found.size_mb > 0
    assert found.native_context % found.patch_len == 0
    assert found.good_at
    assert found.bad_at
    assert found.licence
    if not found.weights.startswith("package:"):
        assert found.revision is not None
        assert len(found.revision) == 40


def test_spec_of_an_unknown_name_lists_the_nearest() -> None:
    """A misspelt tokenizer is answered with the right one."""
    with pytest.raises(NotFoundError, match=r"Did you mean 'moment-small'"):
        spec("moment-smal")


SHIPPED = [s.name for s in specs() if s.weights.startswith("package:")]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_tokenizer_is_what_its_spec_says(name: str) -> None:
    """Each loads offline, its spec states its true size, its card the weights' hash."""
    tokenizer = load_tokenizer(name)
    weights = PACKAGED / name / "model.safetensors"
    assert is_here(tokenizer.spec)
    assert tokenizer.weights_hash in (PACKAGED / name / "README.md").read_text()
    shipped = json.loads((PACKAGED / name / "config.json").read_text())
    model = Moment(MomentConfig.from_json(shipped))
    assert sum(p.numel() for p in model.parameters()) == tokenizer.spec.parameters
    assert weights.stat().st_size / 1e6 == pytest.approx(tokenizer.spec.size_mb, abs=0.1)
    assert tokenizer.spec.size_mb <= 12


@pytest.mark.parametrize("name", SHIPPED)
def test_random_tokenizer_has_the_shipped_shape(
    name: str, make_batch: Callable[..., WindowBatch]
) -> None:
    """Random weights for speed and parity are of the shape that ships, each name's own."""
    drawn, shipped = random_tokenizer(name), load_tokenizer(name)
    assert drawn.weights_hash != shipped.weights_hash
    batch = make_batch(shape=(2, 1, 80))
    assert drawn.encode(batch).values.shape == shipped.encode(batch).values.shape


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_saw_synthetic_series_alone(name: str) -> None:
    """The recipe beside the weights names no real series and no weights that began elsewhere."""
    recipe = json.loads((PACKAGED / name / "recipe.json").read_text())
    assert recipe["config"].get("real") is None
    assert recipe["config"].get("start_from") is None


def test_load_takes_weights_from_a_folder(tmp_path: Path) -> None:
    """Given weights replace the registered ones if their shape fits, and only then."""
    shape = MomentConfig(d_model=512, d_ff=8, n_layers=1, n_heads=1, d_kv=4)
    save_moment(Moment(shape), tmp_path)
    assert load_tokenizer("moment-small", weights=tmp_path).spec.d_model == 512
    with pytest.raises(DataError, match="d_model is 512, not 768"):
        load_tokenizer("moment-base", weights=tmp_path)


def test_load_by_momentfm_gives_the_same_tokens(
    tmp_path: Path,
    small_spec: TokenizerSpec,
    small_moment: Moment,
    make_batch: Callable[..., WindowBatch],
) -> None:
    """backend='momentfm' runs the reference with the same weights, gaps and padding included."""
    pytest.importorskip("momentfm")
    save_moment(small_moment, tmp_path)
    own = moment_loader.load(small_spec, tmp_path)
    reference = moment_loader.load(small_spec, tmp_path, backend="momentfm")
    mask = np.ones((3, 2, 100), dtype=bool)
    mask[0, 1, 30:50] = mask[2, :, 61:] = False
    batch = make_batch(shape=(3, 2, 100), mask=mask)
    ours, theirs = own.encode(batch), reference.encode(batch)
    np.testing.assert_allclose(ours.values, theirs.values, atol=1e-4)
    np.testing.assert_allclose(own.reconstruct(batch), reference.reconstruct(batch), atol=1e-4)
    assert own.weights_hash != reference.weights_hash


def test_load_refuses_an_unknown_backend(
    tmp_path: Path, small_spec: TokenizerSpec, small_moment: Moment
) -> None:
    """A backend that does not exist lists those that do."""
    save_moment(small_moment, tmp_path)
    with pytest.raises(NotFoundError, match="momentfm, own"):
        moment_loader.load(small_spec, tmp_path, backend="jax")


def test_list_says_what_would_be_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """`tuom tokenizers` names every tokenizer, its licence, and where its weights are."""
    monkeypatch.setattr(cli, "is_here", lambda chosen: chosen.name == "moment-base")
    shown = CliRunner().invoke(cli.app, [])
    assert shown.exit_code == 0
    lines = {line.split(":")[0]: line for line in shown.output.splitlines()}
    assert all(s.licence in lines[s.name] for s in specs())
    assert lines["moment-base"].endswith("here")
    assert lines["moment-small"].endswith("to download: 152 MB from AutonLab/MOMENT-1-small")
    assert "tuom pretrain" in lines["moment-tiny"]
    rows = json.loads(CliRunner().invoke(cli.app, ["--json"]).output)
    assert [r["name"] for r in rows] == list(TOKENIZERS)


def test_hub_tokenizer_is_not_here_unless_cached(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A hub tokenizer counts as here only when its pinned weights are in the cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.file_download.constants.HF_HUB_CACHE", str(tmp_path))
    chosen = replace(spec("moment-small"), weights="nobody/nothing")
    assert not is_here(chosen)


def test_registry_loads_nothing_heavy() -> None:
    """Reading the specs imports neither torch nor pandas nor transformers."""
    code = (
        "import sys, tool_use_om.graphs.commands.tokenizers as c; c.specs();"
        "print([m for m in ('torch', 'pandas', 'transformers', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
