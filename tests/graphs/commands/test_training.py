"""`tuom traces` and `tuom sft`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tool_use_om.agent.record.trace import Trace, append_trace
from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.commands.training import sft_app, traces_app


@pytest.fixture
def workspace(sample_workspace: Path, recorded: Trace, tmp_path: Path) -> Workspace:
    """Return a workspace with the sample in it and two runs, one of them of other data."""
    place = Workspace.at(tmp_path / "workspace")
    (place.root / "datasets").symlink_to(sample_workspace / "datasets")
    append_trace(place, recorded)
    append_trace(place, recorded.model_copy(update={"dataset_hash": "0"}))
    return place


def test_traces_list_prints_a_line_a_run(workspace: Workspace, recorded: Trace) -> None:
    """Id, data set and question of each run are listed."""
    shown = CliRunner().invoke(traces_app, ["list", "--workspace", str(workspace.root)])
    assert shown.exit_code == 0
    assert recorded.id in shown.output
    assert "2 traces" in shown.output


def test_traces_export_writes_rows_and_keeps_the_others_apart(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Two files: what may be trained on, and what may not with the reason; the counts are said."""
    out = tmp_path / "rows.jsonl"
    arguments = ["export", "--out", str(out), "--workspace", str(workspace.root)]
    shown = CliRunner().invoke(traces_app, [*arguments, "--format", "trl"])
    assert shown.exit_code == 0, shown.output
    assert "1 kept as 5 trl rows" in shown.output
    assert len(out.read_text().splitlines()) == 5
    (apart,) = (tmp_path / "rows.rejected.jsonl").read_text().splitlines()
    assert "other content" in json.loads(apart)["reason"]


def test_traces_export_says_what_to_do_without_traces(tmp_path: Path) -> None:
    """An empty workspace is an error that names the command that fills it; nothing is written."""
    arguments = ["export", "--out", str(tmp_path / "o.jsonl"), "--workspace", str(tmp_path / "w")]
    shown = CliRunner().invoke(traces_app, arguments)
    assert isinstance(shown.exception, DataError)
    assert "tuom demo" in str(shown.exception)
    assert not (tmp_path / "o.jsonl").exists()


@pytest.mark.filterwarnings(
    # peft 0.21 reads an attribute that transformers 5.23 has renamed; nothing of ours does.
    "ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"
)
def test_sft_trains_and_names_the_model_to_use(tiny_rows: Path, tmp_path: Path) -> None:
    """One command from rows to a folder that `--model local:` takes."""
    out = tmp_path / "mini"
    arguments = ["--data", str(tiny_rows), "--model", "random", "--out", str(out), "--steps", "1"]
    shown = CliRunner().invoke(sft_app, arguments)
    assert shown.exit_code == 0, shown.output
    assert "3 rows trained on" in shown.output
    assert f"local:{out}" in shown.output
    assert (out / "adapter_model.safetensors").is_file()
