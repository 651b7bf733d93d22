"""Speeds are measured by running, kept in the workspace, and shown for this machine alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.commands import tokenizers as cli
from tool_use_om.tokenizers import speed


def test_measure_keeps_what_the_listing_shows(tmp_path: Path) -> None:
    """`measure` writes the figure and `tuom tokenizers` prints it."""
    place = ["--workspace", str(tmp_path)]
    ran = CliRunner().invoke(
        cli.app, [*place, "measure", "moment-tiny", "--seconds", "0.1", *place]
    )
    assert ran.exit_code == 0, ran.output
    row = speed.measured(Workspace(tmp_path))["moment-tiny"]
    assert row["windows_per_s"] > 0
    assert row["weights"] == "own"
    listed = CliRunner().invoke(cli.app, place)
    assert f"speed: {row['windows_per_s']:g} windows/s" in listed.output
    assert "not measured here: tuom tokenizers measure chronos-2" in listed.output


def test_measured_leaves_out_other_machines(tmp_path: Path) -> None:
    """A speed measured elsewhere is not this machine's."""
    folder = Workspace(tmp_path).folder("tokenizers")
    rows = {"moment-tiny": {"machine": "another", "windows_per_s": 1.0}}
    (folder / "speed.json").write_text(json.dumps(rows))
    assert speed.measured(Workspace(tmp_path)) == {}


def test_measured_refuses_a_damaged_file(tmp_path: Path) -> None:
    """A torn file is named, with what to do."""
    folder = Workspace(tmp_path).folder("tokenizers")
    (folder / "speed.json").write_text('{"moment-tiny": ')
    with pytest.raises(DataError, match=r"speed\.json is not valid JSON. Delete it"):
        speed.measured(Workspace(tmp_path))


def test_listing_makes_no_workspace(tmp_path: Path) -> None:
    """Looking changes nothing on disk."""
    missing = tmp_path / "none"
    ran = CliRunner().invoke(cli.app, ["--workspace", str(missing), "--json"])
    assert ran.exit_code == 0, ran.output
    assert {row["name"] for row in json.loads(ran.output)} >= {"moment-tiny", "timesfm-2.5"}
    assert not missing.exists()
