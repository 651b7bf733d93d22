"""`tuom chat` as a person uses it: lines in, answers out, errors that do not end it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tool_use_om.data.errors import DataError
from tool_use_om.graphs.commands.chat import Chat


@pytest.fixture
def talk(sample_workspace: Path) -> Chat:
    """Return a conversation about the sample, printed to memory."""
    from tool_use_om.data.workspace import Workspace

    console = Console(file=io.StringIO(), width=100)
    return Chat(
        console, Workspace.at(sample_workspace), "talk", data="basic-motions", model="offline"
    )


def said(talk: Chat, *lines: str) -> str:
    """Return what is printed for some lines."""
    left = iter(lines)
    talk.loop(lambda: next(left, None))
    return talk.console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO


def test_conversation_leans_goes_on_after_an_error_and_keeps_reports(talk: Chat) -> None:
    printed = said(
        talk, "How many walking sessions are there?", "and running?", "/nope", "/frame",
        "and swimming?", "/back 1", "and standing?", "/quit", "never read",
    )  # fmt: skip
    assert "20 of the 80 sessions in basic-motions contain walking" in printed
    assert "As before: count of sessions, but walking → running" in printed
    assert "There is no command '/nope'" in printed
    assert "count of sessions, running" in printed
    assert 'I find nothing called "swimming"' in printed
    assert "but running → standing" in printed
    assert "tuom chat --run talk" in printed
    assert "never read" not in printed
    assert (talk.place.root / "runs" / "talk" / "report-4.html").is_file()


def test_other_data_set_starts_a_frame_of_its_own(talk: Chat) -> None:
    printed = said(talk, "How many sessions are there?", "/data no-such", "/data basic-motions")
    assert "no-such" in printed
    assert "basic-motions is asked about from here on" in printed


@pytest.mark.parametrize("line", ["/back x", "/back 0", "/data"])
def test_bad_command_says_what_to_write(talk: Chat, line: str) -> None:
    with pytest.raises(DataError, match=r"/back 2|/data NAME"):
        talk.take(line)
