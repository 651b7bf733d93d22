"""Whatever is printed, and however: other people's text steers no terminal."""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path

import pytest
import typer
from rich.panel import Panel
from rich.progress import Progress
from rich.text import Text

from tool_use_om.graphs.commands import main as cli
from tool_use_om.graphs.commands.console import new_console, new_table, plain_echo

HOSTILE = "a\x1b]0;x\x07\x9b2J\x00\r\u202e\u2066\u200b\u00adb"
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b\u202e\u2066]")
COMMANDS = Path(__file__).parents[3] / "graphs" / "commands"


def test_whatever_a_command_prints_steers_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines, titles, cells, bars, warnings and what libraries log."""
    monkeypatch.setattr("typer.echo", typer.echo)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    with pytest.raises(SystemExit):
        cli.main(["ask", "--help"])  # puts our own in place
    capsys.readouterr()
    typer.echo(HOSTILE)
    typer.echo(HOSTILE, err=True)
    plain_echo(HOSTILE, nl=False)
    console = new_console()
    table = new_table(HOSTILE)
    table.add_row(HOSTILE)
    console.print(table, HOSTILE, Text(HOSTILE), Panel(HOSTILE, title=HOSTILE, subtitle=HOSTILE))
    with Progress(console=console) as bars:
        bars.add_task(HOSTILE, total=1)
    warnings.showwarning(UserWarning(HOSTILE), UserWarning, "x", 1)
    logging.lastResort.emit(  # type: ignore[union-attr]  # it was put in place above
        logging.LogRecord("x", logging.WARNING, "x", 1, HOSTILE, None, None)
    )
    shown = capsys.readouterr()
    assert not STEERS.search(shown.out + shown.err)
    assert shown.out.count("b") >= 6


def test_consoles_keep_their_own_colours(capsys: pytest.CaptureFixture[str]) -> None:
    """What rich itself writes to a terminal is left alone."""
    new_console(force_terminal=True, color_system="standard").print("[red]x[/red]")
    assert "\x1b[31m" in capsys.readouterr().out


def test_every_console_is_made_in_one_place() -> None:
    """No command makes a console or prints past the one that is plain."""
    for path in COMMANDS.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert path.name == "console.py" or not re.search(r"(?<![\w.])(Console|print)\(", text), (
            path
        )
        assert "sys.stdout" not in text, path


def test_a_fault_of_our_own_is_one_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says that nobody but us is at fault, and where."""

    def fail(**_: object) -> None:
        raise KeyError(HOSTILE * 50)

    monkeypatch.setattr("tool_use_om.graphs.commands.ask.ask_app", fail)
    with pytest.raises(SystemExit) as stop:
        cli.main(["ask", "x"])
    assert stop.value.code == 70
    told = capsys.readouterr().err
    assert told.startswith("error: tuom met a fault of its own (KeyError:")
    assert "test_console.py:" in told
    assert told.count("\n") == 1
    assert not STEERS.search(told)
