"""`tuom study`: which kind of model could tell an event, and whether any can."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tool_use_om.graphs.commands.console import WorkspaceOption

if TYPE_CHECKING:
    from tool_use_om.evals.study.cells import Plan

app = typer.Typer(
    help="Study which model could tell an event.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def study() -> None:
    """Study which model could tell an event."""


@app.command()
def threshold(
    *,
    data: Annotated[str, typer.Option(help="Data set.")],
    event: Annotated[
        list[str] | None,
        typer.Option(help='Such as "high > 1 % in 1 day"; repeatable; default: the case\'s.'),
    ] = None,
    models: Annotated[list[str] | None, typer.Option(help="A model, or all; repeatable.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=99, help="Of models that draw.")] = 3,
    parameters: Annotated[
        list[str] | None, typer.Option(help="2M, 20M, 200M or a number; repeatable.")
    ] = None,
    context: Annotated[int | None, typer.Option(min=2, help="Samples of a window.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; repeat it to go on.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Fit models on an event, judge them on later time, write a page; goes on where it stopped."""
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.study.report import run_study

    place = Workspace.at(workspace)
    plan = _plan(data, event, models, seeds, parameters, context)
    folder = out or place.folder("studies", data)
    report = run_study(plan, place, folder, on_cell=_progress)
    typer.echo(report.read_text(encoding="utf-8"))
    typer.echo(f"Page, cells and results: {folder}")


def _plan(  # noqa: PLR0917  # the command's options in their order
    data: str,
    event: list[str] | None,
    models: list[str] | None,
    seeds: int,
    parameters: list[str] | None,
    context: int | None,
) -> Plan:
    from tool_use_om.data.errors import DataError
    from tool_use_om.evals.study.cases import case_of
    from tool_use_om.evals.study.cells import Plan, checked_models, read_size

    events = tuple(event or case_of(data).events)
    if not events:
        raise DataError(f'No event is known for {data}. Give --event "CHANNEL > LEVEL in TIME".')
    return Plan(
        data=data,
        events=events,
        models=checked_models(models or ["all"]),
        seeds=seeds,
        parameters=tuple(read_size(size) for size in parameters or ["2M"]),
        context=context,
    )


def _progress(done: int, total: int, cell: str) -> None:
    typer.echo(f"[{done + 1}/{total}] {cell}", err=True)


@app.command()
def notebook(
    *,
    data: Annotated[str, typer.Option(help="Data set.")],
    model: Annotated[str, typer.Option(help="One registered model.")],
    event: Annotated[str | None, typer.Option(help="Default: the case's first.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the cell.")] = 0,
    parameters: Annotated[str, typer.Option(help="2M, 20M, 200M or a number.")] = "2M",
    context: Annotated[int | None, typer.Option(min=2, help="Samples of a window.")] = None,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("study.ipynb"),
    workspace: WorkspaceOption = None,
) -> None:
    """Write a self-contained notebook for one cell of a study."""
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.study.cases import open_case
    from tool_use_om.evals.study.notebook import write_notebook

    plan = _plan(data, [event] if event else None, [model], 1, [parameters], context)
    plan = replace(plan, events=plan.events[:1])
    dataset = open_case(data, Workspace.at(workspace))
    typer.echo(f"Written to {write_notebook(plan, dataset, out, seed=seed)}.")
