"""A run that was stopped is not finished on other data than it began on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from tool_use_om.agent.context import AgentContext
from tool_use_om.data.catalog import open_dataset
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.parquet import open_writer
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.commands import main as cli
from tool_use_om.graphs.runner import run_question
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool

QUESTION = "Which channel has the highest variance?"
Change = Callable[[Path], None]


def scale(folder: Path) -> None:
    """Double all signals of a set, file by file; manifest and hash stay."""
    for path in folder.glob("sessions/*/*.parquet"):
        frame = pd.read_parquet(path)
        frame[frame.columns.difference(["time_s"])] *= 2
        table = pa.Table.from_pandas(frame, preserve_index=False)
        with open_writer(path, table.schema, use="signals") as file:
            file.write_table(table)


def flip(folder: Path) -> None:
    """Change one byte of a page: size and footer stay."""
    path = sorted(folder.glob("sessions/*/*.parquet"))[-1]
    content = bytearray(path.read_bytes())
    content[50] ^= 4
    path.write_bytes(content)


def lose(folder: Path) -> None:
    """Remove a file."""
    sorted(folder.glob("sessions/*/*.parquet"))[-1].unlink()


CHANGES = {"scaled": scale, "flipped": flip, "lost": lose}


@pytest.fixture
def place(samples: Workspace, tmp_path: Path) -> Workspace:
    """Return a workspace with a copy of the sample."""
    source = open_dataset("basic-motions", samples).path
    shutil.copytree(source, tmp_path / "ws" / "datasets" / "basic-motions")
    return Workspace.at(tmp_path / "ws")


def run(place: Workspace, **more: Any) -> dict[str, Any]:
    context = AgentContext(dataset="basic-motions", workspace=str(place.root))
    return run_question(
        QUESTION, context, thread_id="one", saver_path=place.root / "checkpoints.sqlite", **more
    )


def stop_half_way(place: Workspace) -> None:
    """Begin the run and stop it after its first tool call."""

    def stop(mode: str, payload: Any) -> None:
        if mode == "updates" and "tools" in payload:
            raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        run(place, on_event=stop)


def test_a_stopped_run_goes_on_where_its_data_are_as_they_were(place: Workspace) -> None:
    """Stopped and gone on with, the answer is that of an undisturbed run."""
    stop_half_way(place)
    assert "variance" in run(place)["answer"]


@pytest.mark.parametrize("change", CHANGES)
def test_resumed_from_python_it_stops_and_names_what_changed(place: Workspace, change: str) -> None:
    """The set's hash is the same as before; its files are not."""
    stop_half_way(place)
    CHANGES[change](place.root / "datasets" / "basic-motions")
    with pytest.raises(DataError, match=r"\.parquet") as told:
        run(place)
    assert "run" in str(told.value) or "Convert" in str(told.value)


@pytest.mark.parametrize("change", CHANGES)
def test_resumed_from_the_terminal_it_stops_and_names_what_changed(
    place: Workspace, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    """One line, exit code 2, no report."""
    stop_half_way(place)
    CHANGES[change](place.root / "datasets" / "basic-motions")
    where = ["--data", "basic-motions", "--workspace", str(place.root)]
    with pytest.raises(SystemExit) as stop:
        cli.main(["ask", QUESTION, "--run", "one", *where])
    assert stop.value.code == 2
    told = capsys.readouterr().err
    assert ".parquet" in told
    assert len([line for line in told.splitlines() if line.startswith("error:")]) == 1
    assert not list((place.root / "runs" / "one").glob("report*"))


def test_a_new_run_does_not_read_scaled_files_either(place: Workspace) -> None:
    """Not only a resumed one: the statistics of the index are no longer those of the signals."""
    scale(place.root / "datasets" / "basic-motions")
    chosen = WorkingSet(dataset="basic-motions", task="classify", head="ridge_probe")
    with pytest.raises(DataError, match="is not as it was written"):
        run_tool("run_task", {}, ToolContext(workspace=place), chosen)


def test_a_set_replaced_within_a_run_is_not_mixed_with_the_old_one(
    place: Workspace, samples: Workspace
) -> None:
    """Where a server keeps the run, too: the next tool call says so."""
    folder = place.root / "datasets" / "basic-motions"
    told: list[str] = []

    def replace(mode: str, payload: Any) -> None:
        if mode != "updates" or "tools" not in payload:
            return
        told.extend(m.text for m in payload["tools"]["messages"] if m.type == "tool")
        if (folder / "files.json").exists():
            shutil.rmtree(folder)
            shutil.copytree(open_dataset("synthetic-markets", samples).path, folder)
            manifest = folder / "manifest.json"
            manifest.write_text(
                manifest.read_text().replace('"synthetic-markets"', '"basic-motions"')
            )
            (folder / "files.json").unlink()

    question = "Which channel has the highest variance, and how many sessions are there?"
    context = AgentContext(dataset="basic-motions", workspace=str(place.root))
    path = place.root / "checkpoints.sqlite"
    run_question(question, context, thread_id="two", saver_path=path, on_event=replace)
    assert len(told) > 1
    assert all("was replaced since result r-" in text for text in told[1:])
