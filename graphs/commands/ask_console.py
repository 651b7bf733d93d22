"""What a person sees in the terminal while a run goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.prompt import Prompt

from tool_use_om.data.errors import DataError
from tool_use_om.data.plain import plain_text
from tool_use_om.data.values import Json, Untyped

# The keys of a tool's content worth a line in the terminal, most telling first.
_TELLING = (
    "dataset", "n_sessions", "n_segments", "tokenizer", "window_s", "stride_s", "head", "task",
    "channels", "horizon_s", "n_unusual", "best", "n_figures",
)  # fmt: skip


class Watcher:
    """Prints each step as it happens and keeps one progress bar alive under it.

    Use as a context manager; hand `on_event` to `run_question`. A quiet one shows the bar only.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self.console = console
        self.quiet = quiet
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            console=console,
            transient=True,
        )
        self.task = self.progress.add_task("reading the question", total=None)
        self.steps = 0

    def __enter__(self) -> Self:
        if not self.quiet:
            self.console.print("[dim]reading the question and what data there is …[/dim]")
        self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.progress.stop()

    def on_event(self, mode: str, payload: Untyped) -> None:
        """Show one streamed event: `custom` moves the bar, `updates` prints lines."""
        if mode == "custom" and isinstance(payload, Mapping):
            self._advance(payload.get("progress") or {})
        elif mode == "updates" and isinstance(payload, Mapping):
            for node, update in payload.items():
                if isinstance(update, Mapping):
                    self._node(node, update)

    def _advance(self, progress: Mapping[str, Any]) -> None:
        label = f"{progress.get('phase', 'working')} ({progress.get('unit', 'steps')})"
        self.progress.update(
            self.task,
            description=escape(label),
            completed=int(progress.get("done") or 0),
            total=progress.get("total"),
        )

    def _node(self, node: str, update: Mapping[str, Any]) -> None:
        if node == "plan" and update.get("plan") and not self.quiet:
            tools = " → ".join(str(step.get("tool")) for step in update["plan"])
            self.console.print(f"[bold]plan[/bold] [dim]{escape(tools)}[/dim]\n")
        for message in update.get("messages") or []:
            self._message(message)

    def _message(self, message: Untyped) -> None:
        calls: Sequence[Mapping[str, Any]] = getattr(message, "tool_calls", None) or []
        for call in calls:
            self.steps += 1
            arguments = ", ".join(f"{k}={v}" for k, v in call["args"].items() if v is not None)
            self.progress.update(
                self.task, description=escape(call["name"]), completed=0, total=None
            )
            line = escape(printable(f"({arguments})")) if arguments else ""
            if self.quiet:
                continue
            self._print(f"[cyan]{self.steps:>3}[/cyan]  {call['name']}[dim]{line}[/dim]")
        if getattr(message, "type", "") == "tool":
            self._result(message)

    def _result(self, message: Untyped) -> None:
        if getattr(message, "status", "") == "error":
            if not self.quiet:
                self.console.print(f"     [red]{escape(printable(str(message.content)))}[/red]")
            return
        summary = summarise(message.content)
        if summary and not self.quiet:
            self._print(f"     [dim]{escape(printable(summary))}[/dim]")

    def _print(self, line: str) -> None:
        """Print one line, cut where the terminal ends."""
        self.console.print(line, no_wrap=True, overflow="ellipsis")


def printable(text: str) -> str:
    """Return text without what would steer a terminal: control characters become a mark."""
    return plain_text(text)


def summarise(content: Json) -> str:
    """Return the telling part of a tool's JSON content on one line."""
    try:
        data = json.loads(content)
    except (TypeError, ValueError):
        return ""
    if not isinstance(data, dict):
        return ""
    parts = [f"{key}={_short(data[key])}" for key in _TELLING if data.get(key) is not None]
    for name, metric in (data.get("metrics") or {}).items():
        if isinstance(metric, dict) and isinstance(metric.get("value"), int | float):
            parts.append(f"{name}={metric['value']:.3g}")
    return "  ".join(parts)


def _short(value: Json) -> str:
    if isinstance(value, list):
        names = [str(v.get("id", v)) if isinstance(v, dict) else str(v) for v in value]
        return ",".join(names[:6]) + ("…" if len(names) > 6 else "")
    if isinstance(value, dict):
        return str(value.get("head") or value.get("name") or len(value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


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
    if asked.get("error"):
        console.print(f"[yellow]{escape(printable(str(asked['error'])))}[/yellow]")
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
