"""`tuom bench kills`: commands killed at random moments, started again, and what was left.

A job is killed some times in a row, then left to end. What it made must equal what one undisturbed
run makes, and nothing half-written may lie about after the start that follows a kill.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

QUESTION = "Which channel has the highest variance?"
IN_A_ROW = 5  # kills before a job may end
_LIMIT_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command, what it needs first, and what its product says, the same at each run."""

    name: str
    prepare: Callable[[Path], Sequence[Sequence[str]]]  # commands that run before, undisturbed
    command: Callable[[Path], Sequence[str]]
    product: Callable[[Path], str]


@dataclass(kw_only=True)
class Row:
    """What became of one job."""

    job: str
    kills: int = 0
    ended_first: int = 0  # times the command was done before its kill came
    finished: int = 0
    equal: int = 0
    left: int = 0  # scratch paths found after a start that followed a kill
    faults: list[str] = field(default_factory=list)


def _workspace(folder: Path) -> list[str]:
    return ["--workspace", str(folder / "ws")]


def _ask(folder: Path) -> list[str]:
    return ["ask", QUESTION, "--data", "basic-motions", "--run", "again", *_workspace(folder)]


def _answered(folder: Path) -> str:
    page = folder / "ws" / "runs" / "again" / "trace.jsonl"
    trace = json.loads(page.read_text(encoding="utf-8"))
    calls = [[c["tool"], c["arguments"], c["result_id"]] for c in trace["calls"]]
    return json.dumps([trace["answer"], calls])


def _originals(folder: Path) -> list[list[str]]:
    """Write 20 months of hourly numbers, as ETT publishes them."""
    source = folder / "ett"
    source.mkdir()
    rng = np.random.default_rng(5)
    start = datetime(2016, 7, 1)  # noqa: DTZ001 - the file's own time, as in the original
    rows = ["date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT"]
    for hour, values in enumerate(rng.normal(10, 3, (20 * 30 * 24, 7)).round(4)):
        rows.append(f"{start + timedelta(hours=hour)}," + ",".join(map(str, values)))
    (source / "ETTh1.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return []


def _convert(folder: Path) -> list[str]:
    return ["data", "convert", "ett", str(folder / "ett"), "--replace", *_workspace(folder)]


def _converted(folder: Path) -> str:
    found = DataSet.open(folder / "ws" / "datasets" / "ett")
    values = [s.values.sum().item() for i in found.sessions()["session_id"] for s in found.read(i)]
    return json.dumps([found.content_hash, values])


def _export(folder: Path) -> list[str]:
    return ["traces", "export", "--out", str(folder / "rows.jsonl"), *_workspace(folder)]


def _exported(folder: Path) -> str:
    rows = (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    messages = [m for row in rows for m in json.loads(row)["messages"]]
    return json.dumps([[m["role"], m.get("tool_calls")] for m in messages])


def _pretrain(folder: Path) -> list[str]:
    out = folder / "run"
    sizes = ["--steps", "240", "--batch-samples", "1024", "--d-model", "64", "--n-layers", "1"]
    saved = ["--resume"] if (out / "state.safetensors").exists() else []
    return ["pretrain", "--out", str(out), *sizes, "--threads", "1", *saved]


def _trained(folder: Path) -> str:
    path = folder / "run" / "metrics.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return json.dumps([[row["step"], row["loss"]] for row in rows])


JOBS = (
    Job(name="ask", prepare=lambda _: [], command=_ask, product=_answered),
    Job(name="data convert", prepare=_originals, command=_convert, product=_converted),
    Job(name="traces export", prepare=lambda f: [_ask(f)], command=_export, product=_exported),
    Job(name="pretrain", prepare=lambda _: [], command=_pretrain, product=_trained),
)


def run(tuom: Sequence[str], kills: int, seed: int = 0, jobs: Sequence[Job] = JOBS) -> list[Row]:
    """Kill each job `kills` times in all and compare what it makes in the end.

    Parameters
    ----------
    tuom : how the command line starts

    Raises
    ------
    DataError : a job fails where nobody kills it
    """
    rng = np.random.default_rng(seed)
    found = []
    for job in jobs:
        root = Path(tempfile.mkdtemp(prefix="tuom-kills-"))
        try:
            found.append(_Driver(tuom, job, root, rng).run(kills))
        finally:
            shutil.rmtree(root, ignore_errors=True)
    return found


class _Driver:
    """One job: an undisturbed run first, which says how long it takes and what it makes."""

    def __init__(self, tuom: Sequence[str], job: Job, root: Path, rng: np.random.Generator) -> None:
        self._tuom, self._job, self._root, self._rng = tuom, job, root, rng
        self._row = Row(job=job.name)

    def run(self, kills: int) -> Row:
        reference = self._fresh("reference")
        started = time.monotonic()
        self._whole(self._job.command(reference))
        self._seconds = time.monotonic() - started
        expected = self._job.product(reference)
        for first in range(0, kills, IN_A_ROW):
            folder = self._fresh(f"killed-{first}")
            wanted = min(first + IN_A_ROW, kills)
            while self._row.kills < wanted and self._row.ended_first <= 2 * kills:
                self._kill(folder)
            self._end(folder, expected)
            shutil.rmtree(folder)
        return self._row

    def _fresh(self, name: str) -> Path:
        folder = self._root / name
        folder.mkdir()
        for command in self._job.prepare(folder):
            self._whole(command)
        return folder

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own command line
            [*self._tuom, *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def _whole(self, command: Sequence[str]) -> None:
        process = self._start(command)
        _, said = process.communicate(timeout=_LIMIT_S)
        if process.returncode:
            raise DataError(f"{command[:2]} failed: {said.decode(errors='replace')[-300:]}")

    def _kill(self, folder: Path) -> None:
        process = self._start(self._job.command(folder))
        try:
            process.communicate(timeout=float(self._rng.uniform(0, self._seconds)))
            self._row.ended_first += 1
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            self._row.kills += 1

    def _end(self, folder: Path, expected: str) -> None:
        try:
            self._whole(self._job.command(folder))
        except DataError as error:
            self._row.faults.append(str(error))
            return
        self._row.finished += 1
        self._row.equal += self._job.product(folder) == expected
        left = [p for p in folder.rglob(".*") if p.suffix in {".partial", ".old"}]
        self._row.left += len(left)


def render(rows: Sequence[Row], command: str) -> str:
    """Return the table in Markdown, with what failed in words below it."""
    from tool_use_om.evals.report import markdown_table

    table = markdown_table(
        [
            {
                "command": r.job,
                "kills": str(r.kills),
                "too late, not counted": str(r.ended_first),
                "then ended": f"{r.finished} of {-(-r.kills // IN_A_ROW)}",
                "with the product of an undisturbed run": str(r.equal),
                "scratch paths left": str(r.left),
            }
            for r in rows
        ]
    )
    failed = [f"- {r.job}: {fault}" for r in rows for fault in r.faults]
    return "\n".join([f"Command: `{command}`", "", table, *failed])
