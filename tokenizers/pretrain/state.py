"""One file that a pretraining run can always go on from, whenever it is killed.

Weights, optimizer moments and counters are one safetensors file (no pickle), renamed into place.
Random numbers need no saving: every draw is a function of (seed, step).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import atomic_file

STATE_NAME = "state.safetensors"
_META = "pretrain"


def save_state(
    folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, progress: dict[str, Any]
) -> None:
    """Write the state of a run, whole or not at all; `progress` is plain JSON."""
    tensors = {f"model.{name}": t.detach().cpu() for name, t in model.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": t.detach().cpu() for name, t in moments.items()}
    whole = {name: t.contiguous().clone() for name, t in tensors.items()}
    with atomic_file(folder / STATE_NAME) as partial:
        save_file(whole, partial, metadata={_META: json.dumps(progress)})


def load_state(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Put a saved state back into `model` and `optimizer`; return its progress.

    Raises
    ------
    DataError : the file is damaged, or belongs to a model of another shape
    """
    tensors, progress = _read(folder / STATE_NAME)
    weights = {n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise DataError(
            f"{folder / STATE_NAME} belongs to a model of another shape. Give the options the run "
            "was started with, or another output folder."
        ) from error
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "optimizer":
            index, _, key = rest.partition(".")
            moments.setdefault(int(index), {})[key] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return progress


def read_progress(folder: Path) -> dict[str, Any] | None:
    """Return the progress of the run saved in `folder`, None if there is none."""
    path = folder / STATE_NAME
    return _read(path)[1] if path.exists() else None


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            progress = json.loads(file.metadata()[_META])
            return {name: file.get_tensor(name) for name in file.keys()}, progress  # noqa: SIM118  # not a dict
    except (SafetensorError, KeyError, TypeError, OSError, json.JSONDecodeError) as error:
        raise DataError(
            f"{path} is not a readable pretraining state ({error}). Remove it to start afresh."
        ) from error
