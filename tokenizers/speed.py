"""How fast each tokenizer runs on this machine, measured once and kept in the workspace.

Speed depends on the shape and not on the weights' values, so a tokenizer whose weights are not here
is measured at random weights in its published shape.
"""

from __future__ import annotations

import json
import os
import platform
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace, atomic_file
from tool_use_om.tokenizers.registry import is_here, load_tokenizer, random_tokenizer, spec
from tool_use_om.tokenizers.windows.windows import WindowBatch

SAMPLES, CHANNELS = 512, 6
SECONDS = 2.0
_FILE = "speed.json"


def measure(name: str, workspace: Workspace, *, seconds: float = SECONDS) -> dict[str, Any]:
    """Measure one tokenizer and keep the figure.

    Parameters
    ----------
    name : a registered tokenizer
    workspace : where the figure is kept, in `tokenizers/speed.json`
    seconds : time to repeat the call for; the fastest counts

    Returns
    -------
    dict: windows_per_s (windows of 512 samples and 6 channels), samples, channels, threads,
    weights ("own" or "random"), precision, machine, measured_utc

    Raises
    ------
    NotFoundError : unknown name
    DataError : a library that is not installed
    """
    import torch

    here = is_here(spec(name))
    tokenizer = load_tokenizer(name) if here else random_tokenizer(name)
    batch = _windows()
    best, end = float("inf"), time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < end:
        start = time.perf_counter()
        tokenizer.encode(batch)
        best = min(best, time.perf_counter() - start)
    row = {
        "windows_per_s": round(len(batch) / best, 2),
        "samples": SAMPLES,
        "channels": CHANNELS,
        "threads": torch.get_num_threads(),
        "weights": "own" if here else "random",
        "precision": tokenizer.precision,
        "machine": machine(),
        "measured_utc": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    _keep(name, row, workspace)
    return row


def measured(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Return what was measured on this very machine, by tokenizer.

    Raises
    ------
    DataError : the kept file is damaged
    """
    return {name: row for name, row in _read(workspace).items() if row.get("machine") == machine()}


def machine() -> str:
    """Name the machine as far as its speed goes."""
    return f"{platform.machine()} {_processor()}, {os.cpu_count()} cores"


def _windows() -> WindowBatch:
    values = np.random.default_rng(0).standard_normal((2, CHANNELS, SAMPLES)).astype(np.float32)
    return WindowBatch(
        values=values,
        mask=np.ones(values.shape, dtype=bool),
        rate_hz=100.0,
        start_s=np.arange(len(values), dtype=np.float64),
        session_ids=tuple(f"s{i}" for i in range(len(values))),
        channels=tuple(f"noise.{i}" for i in range(CHANNELS)),
        units=("1",) * CHANNELS,
    )


def _keep(name: str, row: dict[str, Any], workspace: Workspace) -> None:
    rows = _read(workspace) | {name: row}
    with atomic_file(workspace.folder("tokenizers") / _FILE) as partial:
        partial.write_text(json.dumps(rows, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _read(workspace: Workspace) -> dict[str, dict[str, Any]]:
    path = workspace.path("tokenizers") / _FILE
    if not path.is_file():
        return {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not valid JSON. Delete it and measure again.") from error
    if not isinstance(rows, dict) or not all(isinstance(r, dict) for r in rows.values()):
        raise DataError(f"{path} must hold one object a tokenizer. Delete it and measure again.")
    return rows


def _processor() -> str:
    """Return the processor's name where the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - no Path of ours
            named = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    except OSError:
        named = []
    return named[0] if named else platform.processor()
