"""Tokens of one session in one safetensors file, whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import atomic_file
from tool_use_om.tokenizers.tokens import Tokens

_ARRAYS = ("values", "mask", "start_s", "window_start_s", "context")


def write_tokens(tokens: Tokens, path: Path) -> None:
    """Write tokens of one session, whole or not at all."""
    facts = {
        "patch_s": tokens.patch_s,
        "window_s": tokens.window_s,
        "channels": tokens.channels,
        "context_names": tokens.context_names,
        "session_ids": tokens.session_ids,
        "units": tokens.units,
    }
    arrays = {name: np.ascontiguousarray(getattr(tokens, name)) for name in _ARRAYS}
    with atomic_file(path) as partial:
        save_file(arrays, partial, metadata={"tokens": json.dumps(facts)})


def read_tokens(path: Path) -> Tokens | None:
    """Read tokens and mark them used; None if there are none or the file is damaged."""
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in _ARRAYS}
            facts = json.loads((file.metadata() or {})["tokens"])
        os.utime(path)
        return Tokens(
            patch_s=facts["patch_s"],
            window_s=facts["window_s"],
            channels=tuple(facts["channels"]),
            context_names=tuple(facts["context_names"]),
            session_ids=tuple(facts["session_ids"]),
            units=tuple(facts["units"]),
            **arrays,
        )
    except (OSError, SafetensorError, KeyError, ValueError, DataError):
        return None
