"""Fitted state as arrays and JSON: saved as one safetensors file, never as a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import atomic_file

_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class HeadState:
    """A fitted head without its code.

    Parameters
    ----------
    name, params : what `make_head` needs to build it again
    arrays : the numeric fitted attributes
    values : the other fitted attributes, JSON only
    """

    name: str
    params: dict[str, Any]
    arrays: dict[str, np.ndarray]
    values: dict[str, Any]


def split_attributes(attributes: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Sort fitted attributes into numeric arrays and JSON values (text arrays become lists)."""
    arrays: dict[str, np.ndarray] = {}
    values: dict[str, Any] = {}
    for name, value in attributes.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
            arrays[name] = np.ascontiguousarray(value)
        elif isinstance(value, np.ndarray):
            values[name] = {"text": [str(v) for v in value]}
        else:
            values[name] = value
    return arrays, values


def join_attributes(state: HeadState) -> dict[str, Any]:
    """Return the fitted attributes again, as `split_attributes` found them."""
    restored: dict[str, Any] = dict(state.arrays)
    for name, value in state.values.items():
        if isinstance(value, dict) and set(value) == {"text"}:
            restored[name] = np.array(value["text"], dtype=np.str_)
        else:
            restored[name] = tuple(value) if isinstance(value, list) else value
    return restored


def write_state(state: HeadState, path: Path) -> None:
    """Write `state` to one safetensors file, whole or not at all."""
    from safetensors.numpy import save_file

    header = {
        "format": _FORMAT,
        "name": state.name,
        "params": state.params,
        "values": state.values,
    }
    with atomic_file(path) as partial:
        save_file(state.arrays, partial, metadata={"head": json.dumps(header, sort_keys=True)})


def read_state(path: Path) -> HeadState:
    """Read what `write_state` wrote.

    Raises
    ------
    DataError : no such file, a damaged one, or not a saved head
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as opened:
            header = json.loads((opened.metadata() or {})["head"])
            arrays = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118  # not a dict
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise DataError(f"{path} is not a saved head ({error}). Fit and save it again.") from error
    if header.get("format") != _FORMAT:
        raise DataError(f"{path} was saved in format {header.get('format')}, this reads {_FORMAT}.")
    return HeadState(
        name=header["name"], params=header["params"], arrays=arrays, values=header["values"]
    )
