"""`tuom bench`: measure the figures and write docs/benchmarks.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tool_use_om.graphs.commands.console import WorkspaceOption

app = typer.Typer(rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def bench(
    ctx: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="Markdown file to write.")] = Path("docs/benchmarks.md"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out heads, tool questions and encoder speed.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Measure start, main job, overhead, encoder speed, heads and tool choice (minutes)."""
    if ctx.invoked_subcommand is not None:
        return
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.bench.page import bench as measured
    from tool_use_om.evals.bench.page import render, write

    sections = measured(
        Workspace.at(workspace), tuom=_tuom(), graph="tool_use_om.graphs.graph", quick=quick
    )
    write(sections, out)
    typer.echo(render(sections))
    typer.echo(f"Written to {out}.")


def _tuom() -> list[str]:
    """Return how a process of the command line is started."""
    from tool_use_om.graphs.commands import main

    return [sys.executable, "-c", f"from {main.__name__} import main; main()"]


@app.command()
def signal(
    *,
    hours: Annotated[
        list[float] | None, typer.Option(min=0.1, help="Length of a long session; repeatable.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Measure what rates, overlap, context and hours cost the tokenizer and yield (minutes)."""
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.bench.signal import render, run

    lengths = hours or [1.0, 24.0]
    command = "tuom bench signal" + "".join(f" --hours {h:g}" for h in lengths)
    typer.echo(render(run(Workspace.at(workspace).root, lengths), command))


@app.command()
def data(
    *,
    sessions: Annotated[
        list[int] | None, typer.Option(min=1, help="Sessions a set; repeatable.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1.0, help="Seconds a session.")] = 10.0,
    index_only: Annotated[
        list[int] | None, typer.Option(min=1, help="Also an index without signals; repeatable.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where sets are built and removed; default: temporary.")
    ] = None,
    rows: Annotated[
        Path | None, typer.Option(help="JSON lines: rows in it are not measured again.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Markdown file to write.")] = None,
) -> None:
    """Measure the data layer on synthetic sets of growing size (default: 100 and 1000 sessions)."""
    import json

    from tool_use_om.data.workspace import atomic_file
    from tool_use_om.evals.bench.data import machine, render, run

    sizes = [100, 1000] if sessions is None and not index_only else sessions or []
    asked = [f"--sessions {n}" for n in sizes] + [f"--index-only {n}" for n in index_only or []]
    done = [json.loads(x) for x in rows.read_text().splitlines()] if rows and rows.exists() else []
    held = []
    for row in run(sizes, seconds, folder, index_only=index_only or [], done=done):
        held.append(row)
        if rows is not None and row not in done:
            with rows.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        typer.echo(f"{row['sessions']} sessions measured", err=True)
    command = " ".join(["tuom bench data", *asked, f"--seconds {seconds:g}"])
    text = render(held, command, machine())
    if out is not None:
        with atomic_file(out) as partial:
            partial.write_text(text, encoding="utf-8")
    typer.echo(text)


@app.command()
def heads(
    *,
    windows: Annotated[int, typer.Option(min=100, help="Windows to fit on.")] = 10_000,
) -> None:
    """Measure what fitting each registered head costs, in seconds and memory."""
    from tool_use_om.evals.bench.heads import render, run

    typer.echo(render(run(windows), windows, f"tuom bench heads --windows {windows}"))


@app.command()
def motif(
    *,
    samples: Annotated[int, typer.Option(min=2000, help="Samples a recording.")] = 100_000,
    length: Annotated[int, typer.Option(min=16, max=400, help="Samples a motif.")] = 256,
    cases: Annotated[int, typer.Option(min=0, help="Planted recordings of each kind.")] = 2,
    data: Annotated[list[str] | None, typer.Option(help="Also a data set; repeatable.")] = None,
    references: Annotated[
        Path | None, typer.Option(help="JSON lines: matrix profiles in it are not computed again.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Measure motif search in tokens beside a matrix profile (stumpy; minutes a case)."""
    from tool_use_om.data.catalog import open_dataset
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.bench.motif import KINDS, measure, planted, recorded, render

    made = [planted(kind, samples, length, seed) for kind in KINDS for seed in range(cases)]
    for name in data or []:
        made += recorded(open_dataset(name, Workspace.at(workspace)), samples)
    rows = []
    for case in made:
        rows.append(measure(case, length, references=references))
        typer.echo(str(rows[-1]), err=True)
    command = f"tuom bench motif --samples {samples} --length {length} --cases {cases}"
    typer.echo(render(rows, command + "".join(f" --data {name}" for name in data or [])))


@app.command()
def described(
    *,
    data: Annotated[list[str], typer.Option(help="Data set with kept descriptions; repeatable.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Measure activities found from their description alone, on held-out sessions."""
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.bench.described import render, run
    from tool_use_om.tools.call.context import ToolContext

    ctx = ToolContext(workspace=Workspace.at(workspace), seed=0)
    command = "tuom bench described" + "".join(f" --data {name}" for name in data)
    typer.echo(render(run(data, ctx), command))


@app.command()
def kills(
    *,
    kills: Annotated[int, typer.Option(min=1, help="Kills of each command.")] = 5,
    job: Annotated[list[str] | None, typer.Option(help="Only these commands; repeatable.")] = None,
    seed: Annotated[int, typer.Option(help="Draws the moments of the kills.")] = 0,
) -> None:
    """Kill commands at random moments, start them again, and compare what they make."""
    from tool_use_om.data.errors import unknown
    from tool_use_om.evals.bench.kills import JOBS, render, run

    for name in job or []:
        if name not in {j.name for j in JOBS}:
            raise unknown("command", name, [j.name for j in JOBS])
    chosen = [j for j in JOBS if not job or j.name in job]
    rows = run(_tuom(), kills, seed, chosen)
    command = f"tuom bench kills --kills {kills}" + "".join(f" --job '{n}'" for n in job or [])
    typer.echo(render(rows, command))


@app.command()
def threads(
    *,
    runs: Annotated[int, typer.Option(min=10, help="Questions in all.")] = 100,
    threads: Annotated[int, typer.Option(min=1, help="Asked at a time.")] = 16,
    workspace: Annotated[Path | None, typer.Option("--workspace")] = None,
) -> None:
    """Ask many questions at once; count wrong answers, memory and open files."""
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.bench.threads import render, run

    found = run(runs, threads, Workspace.at(workspace))
    typer.echo(render(found, f"tuom bench threads --runs {runs} --threads {threads}"))


@app.command()
def index(
    *,
    data: Annotated[str, typer.Option(help="Data set.")] = "hmp",
    channel: Annotated[str, typer.Option(help="Channel.")] = "accelerometer.y",
    windows: Annotated[int, typer.Option(min=1000, help="Windows to search.")] = 100_000,
    tokenizer: Annotated[str, typer.Option(help="Tokenizer.")] = "moment-tiny",
    workspace: WorkspaceOption = None,
) -> None:
    """Measure the approximate index of `similarity` beside the exact one, on real tokens."""
    from tool_use_om.data.catalog import open_dataset
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.bench.index import render, run

    rows = run(open_dataset(data, Workspace.at(workspace)), channel, windows, tokenizer)
    command = f"tuom bench index --data {data} --channel {channel} --windows {windows}"
    typer.echo(render(rows, windows, command))
