"""The command index is cheap, complete and turns errors into one paragraph."""

from __future__ import annotations

import errno
import importlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.graphs.commands import main as cli


def test_index_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`tuom --help` names each command once."""
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    assert stop.value.code == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.split()]
    assert all(listed.count(name) == 1 for name in cli.COMMANDS)


def test_index_imports_nothing_heavy() -> None:
    """`tuom --help` stays well under half a second because it imports no library of ours."""
    code = (
        "import sys; from tool_use_om.graphs.commands import main as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch','pandas','numpy','langgraph','langchain_core','matplotlib','sklearn'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stdout


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_shows_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line of the index leads to an app that exists."""
    with pytest.raises(SystemExit) as stop:
        cli.main([name, "--help"])
    assert stop.value.code == 0
    assert f"tuom {name}" in capsys.readouterr().out


def test_unknown_command_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error is a usage error."""
    with pytest.raises(SystemExit) as stop:
        cli.main(["aks"])
    assert stop.value.code == 2
    assert "aks" in capsys.readouterr().err


def test_error_meant_for_a_person_is_one_paragraph(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A TuomError is printed as it is, without a traceback, and exits with 2."""

    def fail(**_: object) -> None:
        raise DataError("expected this, got that; do so.")

    module = importlib.import_module("tool_use_om.graphs.commands.ask")
    monkeypatch.setattr(module, "ask_app", fail)
    with pytest.raises(SystemExit) as stop:
        cli.main(["ask", "anything"])
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: expected this, got that; do so.\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.EROFS, "Read-only file system", "/x/.tuom"), "--workspace"),
        (OSError(errno.ENOSPC, "No space left on device", "/x/a"), "no room left"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "must not be written"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/x"), "in the way"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "must not be written"),
        (sqlite3.OperationalError("database or disk is full"), "no room left"),
        (sqlite3.DatabaseError("file is not a database"), "Move checkpoints.sqlite"),
        (MemoryError(), "fewer sessions"),
    ],
)
def test_what_the_machine_refuses_is_told_in_one_line(error: Exception, told: str) -> None:
    """Read-only and full disks, files in the way, damaged run files: one line, with a next step."""
    text = cli.outside(error)
    assert told in text
    assert "\n" not in text


def test_a_value_that_fits_no_setting_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as an empty model: which one, what is asked of it, and no traceback."""
    with pytest.raises(SystemExit) as stop:
        cli.main(["ask", "How many?", "--model", "", "--workspace", str(tmp_path)])
    assert stop.value.code == 2
    told = capsys.readouterr().err
    assert "error: model: String should have at least 1 character, got ''" in told
    assert "Traceback" not in told
