"""What is kept of a finished run: its page, its trace, and its script, in a folder of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tool_use_om.agent.record.report import render, report_of
from tool_use_om.agent.record.script import script_of
from tool_use_om.agent.record.trace import append_trace, trace_from_state
from tool_use_om.data.version import package_version
from tool_use_om.data.workspace import Workspace, atomic_file


def new_run_name() -> str:
    """Return a name for a run: when it began, to the millisecond."""
    return time.strftime("run-%Y%m%d-%H%M%S-") + f"{time.time_ns() // 1_000_000 % 1000:03d}"


def write_run(
    state: Mapping[str, Any],
    place: Workspace,
    name: str,
    *,
    model: str,
    seed: int,
    seconds: float,
) -> dict[str, Path]:
    """Write a finished run's report, trace and script; return their paths by kind.

    The trace is appended to the workspace's own file and stands alone beside the report, too.

    Parameters
    ----------
    name : of the run, a folder's name; one that took further questions keeps a page each
    seconds : how long it took
    """
    trace = trace_from_state(state, workspace=place, model=model, seed=seed, seconds=seconds)
    append_trace(place, trace)
    folder = place.folder("runs", name)
    script = script_of(
        state, dataset=trace.dataset, content_hash=trace.dataset_hash, seed=seed,
        version=package_version(), workspace=str(place.root),
    )  # fmt: skip
    page = replace(report_of(state, place, trace), code=script)
    nth = 1 + len(list(folder.glob("report*.html")))
    suffix = f"-{nth}" if nth > 1 else ""
    written = {
        "report": (f"report{suffix}.html", render(page)),
        "trace": (f"trace{suffix}.jsonl", trace.model_dump_json() + "\n"),
        "code": (f"answer{suffix}.py", script),
    }
    paths: dict[str, Path] = {}
    for kind, (file, text) in written.items():
        paths[kind] = folder / file
        with atomic_file(paths[kind]) as partial:
            partial.write_text(text, encoding="utf-8")
    return paths
