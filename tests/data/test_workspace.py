"""Whole files or none, inside one folder."""

from __future__ import annotations

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


def test_sweep_spares_fresh_work(tmp_path: Path) -> None:
    """Only leftovers not touched for long are removed: another process may be writing."""
    scratch_path(tmp_path / "set").mkdir()
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    sweep(tmp_path, older_than_s=-1)
    assert list(tmp_path.iterdir()) == []
