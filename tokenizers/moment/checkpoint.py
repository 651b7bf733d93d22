"""MOMENT checkpoints on disk and on the hub: safetensors and config.json, no pickles."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import atomic_file
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig, sinusoids

WEIGHTS_NAME = "model.safetensors"
CONFIG_NAME = "config.json"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
# Not needed, though in momentfm's files: T5's text vocabulary and the fixed position vectors.
_VOCABULARY = re.compile(r"(shared|encoder\.embed_tokens)\.weight")
_POSITIONS = "patch_embedding.position_embedding.pe"


def save_moment(model: Moment, folder: Path) -> None:
    """Write `config.json` and `model.safetensors` into `folder`, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    with atomic_file(folder / CONFIG_NAME) as partial:
        partial.write_text(json.dumps(model.config.to_json(), indent=2) + "\n")
    with atomic_file(folder / WEIGHTS_NAME) as partial:
        save_file(weights, partial, metadata={"format": "pt"})


def load_moment(source: str | Path, *, revision: str | None = None) -> Moment:
    """Load a MOMENT encoder, in eval mode.

    Parameters
    ----------
    source : a folder with `config.json` and `model.safetensors`, or a hub name such as
        "AutonLab/MOMENT-1-small"
    revision : commit hash or branch, for a hub name

    Raises
    ------
    DataError : nothing there, a pickle instead of safetensors, a truncated file, or weights that do
        not fit the configuration
    """
    folder = checkpoint_folder(source, revision=revision)
    config = read_config(folder / CONFIG_NAME)
    weights = read_weights(folder)
    return build(config, weights, str(source))


def checkpoint_folder(source: str | Path, *, revision: str | None = None) -> Path:
    """Return the folder that holds `source`: itself, or the hub's copy, fetched if need be.

    Raises
    ------
    DataError : neither a folder nor on the hub, or no safetensors in it (pickles are refused)
    """
    folder = Path(source)
    if not folder.is_dir():
        folder = _downloaded(str(source), revision)
    if not (folder / WEIGHTS_NAME).is_file():
        pickles = sorted(p.name for p in folder.iterdir() if p.suffix in PICKLES)
        if pickles:
            raise DataError(
                f"{folder} offers {', '.join(pickles)}: pickles can run code and are refused. "
                f"Convert them to {WEIGHTS_NAME} where you trust them."
            )
    return folder


def read_config(path: Path) -> MomentConfig:
    """Read a `config.json`; raise DataError if it is missing or not MOMENT's."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise DataError(
            f"No {path.name} in {path.parent}. A checkpoint needs both files."
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not valid JSON ({error}). Fetch it again.") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} must hold one JSON object, got {type(content).__name__}.")
    return MomentConfig.from_json(content)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Read `model.safetensors`; raise DataError for missing and damaged files."""
    path = folder / WEIGHTS_NAME
    if not path.is_file():
        raise DataError(f"No {WEIGHTS_NAME} in {folder}.")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} is damaged or truncated ({error}). Fetch it again.") from error


def build(config: MomentConfig, weights: Mapping[str, Tensor], source: str) -> Moment:
    """Put `weights` into an encoder of `config`; raise DataError unless they fit exactly."""
    weights = _needed(weights, config, source)
    model = Moment(config)
    expected = {name: tuple(t.shape) for name, t in model.state_dict().items()}
    got = {name: tuple(t.shape) for name, t in weights.items()}
    _check_names(expected, got, source)
    model.load_state_dict({n: t.float() for n, t in weights.items()}, assign=True)
    return model.eval()


def weights_hash(model: nn.Module) -> str:
    """SHA-256 (hex) over names, shapes and bytes of the weights; changes if any of them does."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        value = tensor.detach().cpu().contiguous()
        digest.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        digest.update(value.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _needed(weights: Mapping[str, Tensor], config: MomentConfig, source: str) -> dict[str, Tensor]:
    """Drop what is not needed, once the fixed position vectors proved to be the usual ones."""
    kept = {n: t for n, t in weights.items() if not _VOCABULARY.fullmatch(n)}
    fixed = kept.pop(_POSITIONS, None)
    if fixed is not None:
        usual = sinusoids(config.max_patches, config.d_model)
        found = fixed.reshape(-1, fixed.shape[-1])[: config.max_patches].float()
        if found.shape != usual.shape or not torch.allclose(found, usual, atol=1e-4):
            raise DataError(f"{source}: {_POSITIONS} differs from MOMENT's sinusoids.")
    return kept


def _check_names(
    expected: Mapping[str, tuple[int, ...]], got: Mapping[str, tuple[int, ...]], source: str
) -> None:
    """Raise DataError naming the first tensors that are missing, extra or of another shape."""
    missing, extra = sorted(expected.keys() - got.keys()), sorted(got.keys() - expected.keys())
    if missing or extra:
        raise DataError(
            f"{source}: the weights do not fit config.json: {len(missing)} missing "
            f"{missing[:3]}, {len(extra)} unexpected {extra[:3]}."
        )
    wrong = [f"{n}: {got[n]} instead of {expected[n]}" for n in expected if got[n] != expected[n]]
    if wrong:
        raise DataError(
            f"{source}: {len(wrong)} tensors have the wrong shape, first {wrong[0]}. "
            "config.json belongs to another checkpoint."
        )


def _downloaded(name: str, revision: str | None) -> Path:
    """Fetch config and safetensors of a hub repository, or use the local copy when offline."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name) or name.startswith("."):
        raise DataError(
            f"{name!r} is neither a folder nor a hub name such as 'AutonLab/MOMENT-1-small'."
        )
    from huggingface_hub import snapshot_download

    try:
        found = snapshot_download(
            name, revision=revision, allow_patterns=[WEIGHTS_NAME, CONFIG_NAME]
        )
    except (OSError, ValueError) as error:
        raise DataError(
            f"Could not fetch {name} from the hub ({type(error).__name__}). With a connection, set "
            "HF_HUB_OFFLINE=0 and try again; or pass a folder that holds config.json and "
            f"{WEIGHTS_NAME}."
        ) from error
    return Path(found)
