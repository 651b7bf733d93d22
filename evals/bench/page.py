"""The figures in docs/benchmarks.md, each measured by a command that is printed beside it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.record.trace import calls_of
from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Json, Untyped
from tool_use_om.data.version import package_version
from tool_use_om.data.workspace import Workspace, atomic_file
from tool_use_om.evals.report import markdown_table

READING = "reading the question"  # the first line about progress that `tuom ask` prints
PLAN = "plan "
QUESTION = "How many sessions are longer than 5 seconds and what channels are there?"


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the report: what was measured, by which command, and the table or text."""

    title: str
    command: str
    note: str
    body: str


def bench(
    workspace: Workspace, *, tuom: Sequence[str], graph: str, quick: bool = False
) -> list[Section]:
    """Measure everything; `quick` leaves out what takes minutes (heads and tokenizers).

    Parameters
    ----------
    workspace : Workspace, where evaluation runs are kept (and resumed); heads are measured on
        BasicMotions, and on HMP where it has been converted into this workspace
    """
    steps: list[Callable[[], Section]] = [
        machine,
        partial(start_up, tuom, graph),
        partial(demo, tuom),
        overhead,
    ]
    if not quick:
        steps += [tokenizers, lambda: heads(workspace), lambda: tools(workspace)]
    return [step() for step in steps]


def render(sections: Sequence[Section]) -> str:
    """Return the Markdown page."""
    today = datetime.now(UTC).date().isoformat()
    head = (
        "# Benchmarks\n\n"
        f"Written by `tuom bench` (tool-use-om {package_version()}, {today}). Each part names the "
        "command that measures it alone; figures of time depend on the machine below."
    )
    parts = [f"## {s.title}\n\n`{s.command}`\n\n{s.note}\n\n{s.body}" for s in sections]
    return "\n\n".join([head, *parts]).replace("\n\n\n\n", "\n\n") + "\n"


def write(sections: Sequence[Section], path: Path) -> None:
    """Write the page, whole or not at all."""
    with atomic_file(path) as partial:
        partial.write_text(render(sections), encoding="utf-8")


def machine() -> Section:
    """Describe the machine, with its measured matrix product rate."""
    import torch

    from tool_use_om.evals.bench.encoder import matmul_gflops

    row = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "torch threads": str(torch.get_num_threads()),
        "fp32 matmul, GFLOP/s": f"{matmul_gflops():.0f}",
        "Python": platform.python_version(),
        "torch": torch.__version__,
    }
    return Section(
        title="Machine",
        command="tuom bench --quick",
        note="Matrix product of 1024 x 1024 in fp32, best of one second.",
        body=markdown_table([row]),
    )


def start_up(tuom: Sequence[str], graph: str) -> Section:
    """Measure how long the command index and the import of the module `graph` take."""
    commands = {
        "tuom --help": [*tuom, "--help"],
        f"import {graph}": [sys.executable, "-c", f"import {graph}"],
    }
    rows = []
    for name, command in commands.items():
        runs = [measure(command) for _ in range(3)]
        middle = sorted(runs, key=lambda r: r.seconds)[1]
        spent = {"seconds": f"{middle.seconds:.2f}", "processor seconds": f"{middle.cpu_s:.2f}"}
        rows.append({"what": name, **spent})
    return Section(
        title="Start",
        command="tuom bench --quick",
        note="Each in a process of its own; the middle one of three.",
        body=markdown_table(rows),
    )


def demo(tuom: Sequence[str]) -> Section:
    """Measure `tuom demo` in an empty workspace, and again in the same one."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("empty workspace", "again (data and tokens are there)"):
            found = measure([*tuom, "demo", "--workspace", folder], first=(READING, PLAN))
            rows.append(
                {
                    "run": name,
                    "seconds": f"{found.seconds:.1f}",
                    "processor seconds": f"{found.cpu_s:.1f}",
                    "peak memory, MiB": f"{found.peak_mb:.0f}",
                    "seconds to the first progress line": f"{found.first_s[READING]:.1f}",
                    "seconds to the plan": f"{found.first_s[PLAN]:.1f}",
                }
            )
    return Section(
        title="The main job",
        command="tuom demo",
        note="Whole process, report and trace included. Aim: 30 s, 2.5 GB, 3 s to the first line.",
        body=markdown_table(rows),
    )


class _ModelClock(BaseCallbackHandler):
    """Adds up the seconds spent inside chat models."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._since: dict[Any, float] = {}

    def on_chat_model_start(self, *_: Untyped, run_id: Untyped, **__: Untyped) -> None:
        self._since[run_id] = time.perf_counter()

    def on_llm_end(self, *_: Untyped, run_id: Untyped, **__: Untyped) -> None:
        self.seconds += time.perf_counter() - self._since.pop(run_id)


def overhead() -> Section:
    """Measure what the agent itself costs a step, outside tools and models."""
    with tempfile.TemporaryDirectory() as folder:
        _steps(folder)  # imports, and the sample built
        runs = sorted((_steps(folder) for _ in range(3)), key=lambda r: r["overhead_ms"])
    row = runs[1]
    cells = {
        "steps": f"{row['steps']:.0f}",
        "all, ms": f"{row['all_ms']:.0f}",
        "tools, ms": f"{row['tools_ms']:.0f}",
        "model, ms": f"{row['model_ms']:.0f}",
        "overhead a step, ms": f"{row['overhead_ms']:.1f}",
    }
    return Section(
        title="Agent overhead",
        command="tuom bench --quick",
        note=f"“{QUESTION}”, offline model, second run in one process, median of 3. Overhead: all "
        "but tools and models, over the graph's steps.",
        body=markdown_table([cells]),
    )


def _steps(folder: str) -> dict[str, float]:
    from tool_use_om.agent.graph import build_graph

    clock, n_steps = _ModelClock(), 0
    messages: list[BaseMessage] = []
    agent = build_graph()
    context = AgentContext(workspace=folder)
    started = time.perf_counter()
    stream = agent.stream(
        {"question": QUESTION},
        config={"callbacks": [clock]},
        context=context,
        stream_mode="updates",
    )
    for update in stream:
        n_steps += 1
        for node in update.values() if isinstance(update, dict) else ():
            messages += (node or {}).get("messages") or []
    spent = time.perf_counter() - started
    in_tools = sum(call.seconds for call in calls_of(messages) if call.seconds is not None)
    rest = spent - in_tools - clock.seconds
    return {
        "steps": n_steps,
        "all_ms": 1e3 * spent,
        "tools_ms": 1e3 * in_tools,
        "model_ms": 1e3 * clock.seconds,
        "overhead_ms": 1e3 * rest / max(n_steps, 1),
    }


def tokenizers() -> Section:
    """Measure our encoder beside momentfm."""
    from tool_use_om.evals.bench.encoder import bench_tokenizers, bfloat16_note

    rows = [_encoder_row(row) for row in bench_tokenizers()]
    return Section(
        title="Encoder speed",
        command="tuom bench",
        note="Our MOMENT encoder and momentfm's (float32) at the published shapes, the same random "
        "weights, windows of 6 channels, in turns; speedup of the best times, with the least and "
        "most of any round, and in processor time, which is steadier where others use the machine. "
        "momentfm always computes 64 patches. Share: of the float32 matrix product rate above, "
        "counted on the operations the model states. Aims in float32: 1.25 at 512 samples, 4.5 at "
        f"128, differences up to 1e-4. {bfloat16_note()} int8 is for who asks for it "
        "(docs/encoder-speed.md says what it costs); `auto` never takes it.",
        body=markdown_table(rows),
    )


def _encoder_row(row: Mapping[str, Any]) -> dict[str, str]:
    known = row["speedup"] is not None
    least, most = row["speedup_range"] or (0.0, 0.0)
    return {
        "encoder": row["encoder"],
        "samples": str(row["samples"]),
        "precision": row["precision"],
        "windows/s": f"{row['windows_per_s']:.3g}",
        "momentfm, windows/s": f"{row['momentfm_windows_per_s']:.3g}" if known else "–",
        "speedup": f"{row['speedup']:.2f} [{least:.2f}, {most:.2f}]" if known else "–",
        "in processor time": f"{row['speedup_cpu']:.2f}" if known else "–",
        "largest difference": f"{row['max_abs_diff']:.1e}",
        "least cosine": f"{row['min_cosine']:.4f}",
        "GFLOP/s": f"{row['gflop_per_s']:.0f}",
        "share of matmul": f"{row['share_of_matmul']:.0%}",
        "threads": str(row["threads"]),
    }


def heads(workspace: Workspace) -> Section:
    """Measure the heads on BasicMotions, and on HMP where it is in the workspace."""
    from tool_use_om.data.catalog import available

    sets = ["basic-motions", *(["hmp"] if "hmp" in available(workspace) else [])]
    asked = {"tokenizer": None, "peers": True, "seed": 0}
    caveat = (
        "HMP is measured where `tuom data convert hmp FOLDER` has been run in the workspace. "
        "One choice was made with HMP's held-out figures in sight, the default window of 4 s, and "
        "the pretraining objectives were compared on HMP and BasicMotions (docs/pretraining.md): "
        "figures on these sets are optimistic by what that is worth."
    )
    return _suite(workspace, "heads", "Heads on held-out sessions", caveat, data=sets, **asked)


def tools(workspace: Workspace) -> Section:
    """Measure the offline model's choice of tools."""
    asked = {"model": "offline", "split": None, "limit": None, "seed": 0}
    caveat = (
        "The held-out phrasings were set apart before the parser was written (those about faults "
        "in the data, chances, repeats, descriptions, drift, fallbacks and patches: after it) and "
        "are not tuned on, but one author wrote both: strangers' phrasings would score lower. One "
        "rule was narrowed after a look at which of them it refused."
    )
    return _suite(workspace, "tools", "Tool calls of the offline model", caveat, **asked)


def _suite(
    workspace: Workspace,
    name: str,
    title: str,
    caveat: str,
    **asked: Json,
) -> Section:
    from tool_use_om.evals.registry import suite_class
    from tool_use_om.evals.runner import command_of, run_suite

    suite = suite_class(name)(workspace=workspace, **asked)
    command = command_of(name, **suite.asked.shown())
    report = run_suite(suite, workspace.folder("evals", f"bench-{name}"), command=command)
    text = report.read_text(encoding="utf-8")
    tables = text[text.index("## ") :].replace("## ", "### ").rstrip()
    tables = tables.split("### Questions answered wrong")[0].rstrip()
    note = f"Intervals: 95 %, bootstrap over whole groups. {caveat}"
    return Section(title=title, command=command, note=note, body=tables)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


_BYTES_PER_MAXRSS = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a command cost.

    Parameters
    ----------
    seconds : float, wall time from start to end
    cpu_s : float, processor time of all its threads, user and system
    peak_mb : float, largest resident memory of the process, MiB
    first_s : seconds to its first line on stdout that holds each of the texts asked for
    """

    seconds: float
    cpu_s: float
    peak_mb: float
    first_s: Mapping[str, float]


def measure(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, first: Sequence[str] = ()
) -> Measured:
    """Run a command to its end and measure it.

    Raises
    ------
    DataError : it failed; the message has its last words
    """
    given = {**os.environ, **(env or {}), "PYTHONUNBUFFERED": "1"}
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=given,
    )
    seen: dict[str, float] = {}
    said: list[str] = []
    with process.stdout or nullcontext(()) as lines:
        for line in lines:
            said.append(line)
            for text in first:
                if text in line:
                    seen.setdefault(text, time.perf_counter() - started)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = "".join(said)[-600:]
        raise DataError(f"`{' '.join(command)}` failed ({process.returncode}): {tail}")
    peak = usage.ru_maxrss * _BYTES_PER_MAXRSS / 2**20
    cpu_s = usage.ru_utime + usage.ru_stime
    return Measured(seconds=seconds, cpu_s=cpu_s, peak_mb=peak, first_s=seen)
