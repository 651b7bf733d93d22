"""Llama checkpoints and LoRA adapters read from folders: safetensors only, complete or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tool_use_om.agent.models.chat_template import training_template
from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped


def load_llama(folder: Path) -> tuple[Any, Any]:
    """Return (network in eval mode, text tokenizer) of a checkpoint or adapter folder."""
    if not folder.is_dir():
        raise DataError(f"No folder {folder}. Give `local:<folder>` as `tuom sft` wrote it.")
    adapter = folder / "adapter_config.json"
    base: str | Path = base_of(adapter) if adapter.is_file() else folder
    network = _load_network(base)
    if adapter.is_file():
        network = _with_adapter(network, folder)
    return network.eval(), _load_tokenizer(folder)


def base_of(adapter_config: Path) -> str | Path:
    """Return the base an adapter names: a folder (relative ones from the adapter's) or a hub id."""
    named = str(_read_json(adapter_config).get("base_model_name_or_path") or "")
    if not named:
        raise DataError(f"{adapter_config} names no base model (base_model_name_or_path).")
    beside = adapter_config.parent / named
    return beside if beside.is_dir() else named


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path} cannot be read as JSON: {error}.") from error


def _check_folder(folder: Path) -> None:
    config = folder / "config.json"
    if not config.is_file():
        raise DataError(f"{folder} holds neither config.json nor adapter_config.json.")
    family = _read_json(config).get("model_type")
    if family != "llama":
        raise DataError(f"{folder} holds a {family!r} model; a Llama-family one is needed.")
    if not list(folder.glob("*.safetensors")):
        pickled = sorted(p.name for p in folder.iterdir() if p.suffix in {".bin", ".pt", ".pth"})
        found = (
            f"only {', '.join(pickled)}, and pickled weights could run code" if pickled else "none"
        )
        raise DataError(f"{folder}: *.safetensors weights are needed, found {found}.")


def _load_network(base: str | Path) -> Untyped:
    import torch
    from transformers import AutoModelForCausalLM

    if isinstance(base, Path):
        _check_folder(base)
    on_gpu = torch.cuda.is_available()
    try:
        network, info = AutoModelForCausalLM.from_pretrained(
            base,
            use_safetensors=True,
            output_loading_info=True,
            dtype="auto" if on_gpu else torch.float32,
        )
    except Exception as error:  # the library raises its own, OSError, RuntimeError, SafetensorError
        raise DataError(f"{base} cannot be loaded: {_first_lines(error)}") from error
    missing = sorted(info["missing_keys"])
    if missing:
        raise DataError(f"{base} lacks weights its config.json asks for: {', '.join(missing[:3])}…")
    return network.to("cuda") if on_gpu else network


def _with_adapter(network: Untyped, folder: Path) -> Untyped:
    if not (folder / "adapter_model.safetensors").is_file():
        raise DataError(f"{folder} has adapter_config.json but no adapter_model.safetensors.")
    try:
        from peft import PeftModel
    except ImportError as error:
        raise DataError("A LoRA adapter needs peft: pip install 'tool-use-om[train]'.") from error
    try:
        return PeftModel.from_pretrained(network, folder, use_safetensors=True)
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(f"The adapter in {folder} does not fit: {_first_lines(error)}") from error


def _load_tokenizer(folder: Path) -> Untyped:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{folder} has no usable text tokenizer: {_first_lines(error)}") from error
    if not tokenizer.chat_template:
        tokenizer.chat_template = training_template()
    return tokenizer


def _first_lines(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
