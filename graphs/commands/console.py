"""How `tuom` writes to a terminal: tables, bars, and other people's text as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tool_use_om.data.plain import plain_text
from tool_use_om.data.values import Untyped
from tool_use_om.data.workspace import Workspace

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.data.progress import Progress

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        help="Where data sets and results live; default: $TUOM_WORKSPACE, else ./.tuom.",
    ),
]


def open_by_name(name: str, workspace: Path | None) -> DataSet:
    """Open a data set by name, building a sample on first use."""
    from tool_use_om.data.catalog import open_dataset

    with bars() as progress:
        return open_dataset(name, Workspace.at(workspace), progress=progress)


def new_console(**options: Untyped) -> Console:
    """Return a rich console that shows text of any source without what steers a terminal.

    Whatever is printed in it, titles and table cells too; its own colours and bars stay.
    """
    from rich.console import Console, ConsoleOptions
    from rich.segment import Segment

    class Plain(Console):
        def render(
            self, renderable: Untyped, options: ConsoleOptions | None = None
        ) -> Iterator[Segment]:
            for text, style, control in super().render(renderable, options):
                yield Segment(text if control else plain_text(text), style, control)

    return Plain(**options)


def plain_echo(message: object = None, *args: Untyped, **options: Untyped) -> None:
    """Print a message as `typer.echo` does, without what steers a terminal."""
    shown = message if message is None or isinstance(message, bytes) else plain_text(str(message))
    _echo(shown, *args, **options)


_echo = typer.echo


@contextmanager
def bars() -> Iterator[Progress]:
    """Yield a progress callback that draws one bar a phase on standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TimeElapsedColumn(), console=new_console(stderr=True)) as drawn:
        tasks: dict[str, Any] = {}

        def report(event: dict[str, Any]) -> None:
            phase = event["phase"]
            if phase not in tasks:
                tasks[phase] = drawn.add_task(f"{phase} ({event['unit']})", total=event["total"])
            drawn.update(tasks[phase], completed=event["done"])

        yield report


def new_table(*columns: str) -> Table:
    """Return an empty table with a bold header."""
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def show_text(what: Untyped) -> None:
    """Print what rich can render, long lines left to the terminal."""
    new_console(soft_wrap=True, highlight=False).print(what)


def literal(text: str) -> str:
    """Return text of the source as rich prints it unchanged: no markup, no control characters."""
    from rich.markup import escape

    return escape(plain_text(text))
