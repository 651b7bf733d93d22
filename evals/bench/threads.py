"""`tuom bench threads`: many questions at once in one process, as a server has them.

Each thread asks about one data set or the other; an answer that is not the one its question has
when it is asked alone is cross-talk. Memory and open files are counted after half of the
runs, when everything has been loaded by every thread, and at the end.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import markdown_table

DATA = ("basic-motions", "synthetic-days")
QUESTIONS = (
    "How many sessions are there?",
    "Which channel has the highest variance?",
    "Which channels are there?",
    "What is the mean of each channel?",
    "Check the data",
)
WARM = 2  # one of so many runs comes before the first count


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Memory (MiB) and open files of this process."""

    memory_mb: float
    files: int


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a load of questions gave."""

    runs: int
    threads: int
    seconds: float
    wrong: tuple[str, ...]
    warm: Counted
    end: Counted

    @property
    def growth_percent(self) -> float:
        """How much larger memory is at the end than after half of the runs, percent."""
        return 100 * (self.end.memory_mb / self.warm.memory_mb - 1)


def counted() -> Counted:
    """Return what this process holds now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    held = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return Counted(memory_mb=held, files=len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - of the process itself


def run(
    runs: int, threads: int, workspace: Workspace, questions: Sequence[str] = QUESTIONS
) -> Load:
    """Ask `runs` questions from `threads` threads; each pair of data set and question in turn."""
    graph = build_graph()

    def ask(pair: tuple[str, str]) -> tuple[str, list[Any]]:
        name, question = pair
        context = AgentContext(dataset=name, workspace=str(workspace.root))
        state = graph.invoke({"question": question}, context=context)
        return str(state["answer"]), list(state["result_ids"])

    pairs = [(name, question) for question in questions for name in DATA]
    alone = {pair: ask(pair) for pair in pairs}
    wrong, done, warm = [], [0], [counted()]
    lock = threading.Lock()

    def one(number: int) -> None:
        pair = pairs[number % len(pairs)]
        found = _tried(ask, pair)
        with lock:
            done[0] += 1
            if done[0] == runs // WARM:
                warm[0] = counted()
            if found != alone[pair]:
                wrong.append(f"{pair}: {found}"[:300])

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(runs)))
    seconds = time.perf_counter() - started
    return Load(
        runs=runs, threads=threads, seconds=seconds, wrong=tuple(wrong), warm=warm[0], end=counted()
    )


def _tried(
    ask: Callable[[tuple[str, str]], tuple[str, list[Any]]], pair: tuple[str, str]
) -> tuple[str, list[Any]]:
    try:
        return ask(pair)
    except Exception as error:  # noqa: BLE001 - counted as a wrong answer, with its words
        return f"{type(error).__name__}: {error}", []


def render(found: Load, command: str) -> str:
    """Return the figures in Markdown."""
    row = {
        "runs": str(found.runs),
        "threads": str(found.threads),
        "seconds": f"{found.seconds:.0f}",
        "answers not as when asked alone": str(len(found.wrong)),
        "memory after half, MiB": f"{found.warm.memory_mb:.0f}",
        "at the end, MiB": f"{found.end.memory_mb:.0f} ({found.growth_percent:+.1f} %)",
        "open files after half": str(found.warm.files),
        "at the end": str(found.end.files),
    }
    wrong = [f"- {text}" for text in found.wrong[:5]]
    return "\n".join([f"Command: `{command}`", "", markdown_table([row]), *wrong])
