"""`tuom bench`: measure the figures and write docs/benchmarks.md."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(rich_markup_mode=None)


@app.command()
def bench(
    *,
    out: Annotated[Path, typer.Option(help="Markdown file to write.")] = Path("docs/benchmarks.md"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out heads, tool questions and encoder speed.")
    ] = False,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", help="Default: $TUOM_WORKSPACE, else ./.tuom.")
    ] = None,
) -> None:
    """Measure start, main job, overhead, encoder speed, heads and tool choice (minutes)."""
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.bench import bench as measured
    from tool_use_om.evals.bench import render, write

    sections = measured(Workspace.at(workspace), quick=quick)
    write(sections, out)
    typer.echo(render(sections))
    typer.echo(f"Written to {out}.")
