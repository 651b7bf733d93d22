"""Asks the person at the terminal what the agent wants to know (`request_labels`)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.prompt import Prompt

from tool_use_om.data.errors import DataError

SKIP = "skip"


def reply_of_person(console: Console, asked: Mapping[str, Any], run: str) -> dict[str, str]:
    """Return window id → label as the person types them; windows they skip are left out.

    Raises
    ------
    DataError : there is no terminal to ask at; the run waits and can be taken up again
    """
    windows = asked.get("windows") or []
    if not sys.stdin.isatty():
        raise DataError(
            f"The run waits for labels of {len(windows)} windows, and there is no terminal to ask "
            f"at. Repeat the command in a terminal with --run {run}."
        )
    labels = [str(label) for label in asked.get("labels") or []]
    console.print(f"\nThe agent asks for labels ({', '.join(labels)}; or {SKIP}).")
    given: dict[str, str] = {}
    for window in windows:
        where = f"{window['session_id']} from {window['start_s']:g} s to {window['end_s']:g} s"
        answer = Prompt.ask(
            where,
            console=console,
            choices=[*labels, SKIP],
            default=str(window.get("suggested") or SKIP),
        )
        if answer != SKIP:
            given[str(window["window_id"])] = answer
    return given
