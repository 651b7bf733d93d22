"""Whole files or none, inside one folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace, atomic_file, atomic_folder, scratch_path, sweep


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "a..b", "x" * 81, "a\x00"])
def test_workspace_refuses_names_that_could_escape(tmp_path: Path, name: str) -> None:
    """Only plain names make paths inside the workspace."""
    with pytest.raises(DataError, match="must be 1 to 80"):
        Workspace.at(tmp_path).path(name)


def test_atomic_file_keeps_the_old_one_when_interrupted(tmp_path: Path) -> None:
    """An error while writing leaves the old content and no leftovers."""
    target = tmp_path / "x"
    target.write_text("old")

    def interrupted() -> None:
        with atomic_file(target) as partial:
            partial.write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_atomic_folder_replaces_as_a_whole(tmp_path: Path) -> None:
    """A replaced folder holds only the new files."""
    target = tmp_path / "set"
    for name in ("a", "b"):
        with atomic_folder(target) as partial:
            (partial / name).write_text(name)
    assert [p.name for p in target.iterdir()] == ["b"]
    assert list(tmp_path.iterdir()) == [target]


LEAVER = """
import os, sys
from pathlib import Path
from tool_use_om.data.workspace import scratch_path
for name in sys.argv[1:]:
    Path(name).mkdir(parents=True, exist_ok=True)
    (scratch_path(Path(name) / "set") / "sessions").mkdir(parents=True)
    scratch_path(Path(name) / "page.html").touch()
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_left_is_gone_after_the_next_start(tmp_path: Path) -> None:
    """Wherever in the workspace it lies, at once; the work of a living process stays."""
    folders = ["datasets", "results", "runs/run-1", "tokens/aa", "tokenizers", "evals/heads"]
    left = [str(tmp_path / f) for f in folders]
    subprocess.run([sys.executable, "-c", LEAVER, *left], check=False)
    mine = scratch_path(tmp_path / "datasets" / "set")
    mine.mkdir()
    assert len(list(tmp_path.rglob("*.partial"))) == 2 * len(folders) + 1
    Workspace.at(tmp_path)
    assert list(tmp_path.rglob("*.partial")) == [mine]


def test_what_a_killed_process_left_outside_is_gone_when_its_folder_is_written(
    tmp_path: Path,
) -> None:
    """Outputs beside no workspace, such as a trained adapter, too."""
    subprocess.run([sys.executable, "-c", LEAVER, str(tmp_path)], check=False)
    with atomic_file(tmp_path / "other") as partial:
        partial.touch()
    assert [p.name for p in tmp_path.iterdir()] == ["other"]


def test_sweep_spares_what_another_machine_writes(tmp_path: Path) -> None:
    """Whose process it is cannot be known there; a day later it goes."""
    other = tmp_path / ".set.00000000-1-1-0123456789ab.partial"
    other.mkdir()
    sweep(tmp_path)
    assert other.exists()
    os.utime(other, (0, 0))
    sweep(tmp_path)
    assert not other.exists()


def test_sweep_spares_fresh_work(tmp_path: Path) -> None:
    """Only leftovers not touched for long are removed: another process may be writing."""
    scratch_path(tmp_path / "set").mkdir()
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    sweep(tmp_path, older_than_s=-1)
    assert list(tmp_path.iterdir()) == []
