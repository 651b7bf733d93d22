"""`tuom bench heads`: what fitting each registered head costs, in time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.data.values import Untyped
from tool_use_om.evals.report import markdown_table

if TYPE_CHECKING:
    from tool_use_om.heads.forecast.batch import ForecastBatch
    from tool_use_om.tokenizers.tokens import Tokens
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
CHANNELS, SAMPLES, PATCH, WIDTH, CLASSES, SESSIONS = 3, 128, 8, 192, 8, 100
HORIZON = 64


def run(n_windows: int) -> list[dict[str, str]]:
    """Return one row a head, each measured in a process of its own."""
    from tool_use_om.heads.registry import HEADS

    rows = []
    for name in HEADS:
        code = f"from tool_use_om.evals.bench.heads import child; child({name!r}, {n_windows})"
        done = subprocess.run(  # noqa: S603  # this interpreter, our own code
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    return rows


def child(name: str, n_windows: int) -> None:
    """Fit one head and print what it cost; called in a fresh process."""
    import resource

    from tool_use_om.heads.registry import make_head

    given = made(n_windows, forecast=_task(name) == "forecast")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    head: Any = make_head(name)
    _fit(head, given)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    state = sum(a.nbytes for a in head.to_state().arrays.values())
    row = {
        "head": name,
        "task": head.task,
        "fit, s": f"{wall:.1f}",
        "processor, s": f"{cpu:.1f}",
        "memory added, MiB": f"{(after - before) / 1024:.0f}",
        "peak, MiB": f"{after / 1024:.0f}",
        "fitted state, MiB": f"{state / 2**20:.1f}",
    }
    print(json.dumps(row))  # read by the parent


def _task(name: str) -> str:
    from tool_use_om.heads.registry import head_spec

    return head_spec(name).task


def made(n_windows: int, *, forecast: bool) -> Tokens | ForecastBatch:
    """Return windows of noise with a class in their tokens, and for forecasts their future."""
    from tool_use_om.heads.forecast.batch import ForecastBatch

    rng = np.random.default_rng(0)
    windows = _windows(rng, n_windows)
    tokens = _tokens(rng, windows)
    if not forecast:
        return tokens
    future = rng.standard_normal((n_windows, CHANNELS, HORIZON), dtype=np.float32)
    return ForecastBatch(
        windows=windows, tokens=tokens, future=future, future_mask=np.ones(future.shape, bool)
    )


def _windows(rng: np.random.Generator, n: int) -> WindowBatch:
    from tool_use_om.tokenizers.windows.windows import WindowBatch

    each = -(-n // SESSIONS)
    return WindowBatch(
        values=rng.standard_normal((n, CHANNELS, SAMPLES), dtype=np.float32),
        mask=np.ones((n, CHANNELS, SAMPLES), dtype=bool),
        rate_hz=32.0,
        start_s=np.arange(n) % each * (PATCH / 32.0),
        session_ids=tuple(f"s{i // each:04d}" for i in range(n)),
        channels=tuple(f"accelerometer.{c}" for c in "xyz"),
        units=("g",) * CHANNELS,
    )


def _tokens(rng: np.random.Generator, windows: WindowBatch) -> Tokens:
    from tool_use_om.tokenizers.tokens import Tokens

    n, patches = len(windows), SAMPLES // PATCH
    values = rng.standard_normal((n, CHANNELS, patches, WIDTH), dtype=np.float32)
    centres = rng.normal(size=(CLASSES, WIDTH)).astype(np.float32)
    for i, centre in enumerate(centres):
        values[i::CLASSES] += centre
    return Tokens(
        values=values,
        mask=np.ones((n, CHANNELS, patches), dtype=bool),
        start_s=windows.start_s[:, None] + np.arange(patches) * (PATCH / 32.0),
        patch_s=PATCH / 32.0,
        channels=windows.channels,
        session_ids=windows.session_ids,
        window_start_s=windows.start_s,
        window_s=windows.window_s,
        context=rng.normal(size=(n, CHANNELS, 3)).astype(np.float32),
        context_names=("mean", "std", "log_std"),
    )


def _fit(head: Untyped, given: Tokens | ForecastBatch) -> None:
    if head.task == "classify":
        head.fit(given, [f"class {i % CLASSES}" for i in range(len(given))])
    elif head.task == "forecast":
        head.fit(given, channels=[f"accelerometer.{c}" for c in "xyz"])
    else:
        head.fit(given)


def render(rows: list[dict[str, str]], n_windows: int, command: str) -> str:
    """Return the Markdown page."""
    note = (
        f"{n_windows} made-up windows of {CHANNELS} channels, {SAMPLES // PATCH} tokens of {WIDTH} "
        f"numbers each; forecasts of {HORIZON} samples. Each head in a fresh process; memory added "
        "is the growth of the process's peak while fitting, libraries included. Aim: 60 s."
    )
    return f"## Cost of fitting\n\n`{command}`\n\n{note}\n\n{markdown_table(rows)}\n"
