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
        listed = "; ".join(_where(window) for window in windows)
        raise DataError(
            f"The run waits for labels of {len(windows)} windows ({listed}), and there is no "
            f"terminal to ask at. Repeat the command in a terminal with --run {run}."
        )
    labels = [str(label) for label in asked.get("labels") or []]
    console.print(f"\nThe agent asks for labels ({', '.join(labels)}; or {SKIP}).")
    given: dict[str, str] = {}
    for window in windows:
        answer = Prompt.ask(
            _where(window),
            console=console,
            choices=[*labels, SKIP],
            default=str(window.get("suggested") or SKIP),
        )
        if answer != SKIP:
            given[str(window["window_id"])] = answer
    return given


def _where(window: Mapping[str, Any]) -> str:
    return f"{window['session_id']} from {window['start_s']:g} s to {window['end_s']:g} s"
