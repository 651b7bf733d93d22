"""`tuom eval`: run a suite, print and keep its report."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tool_use_om.data.values import Json
from tool_use_om.evals.runner import command_of

if TYPE_CHECKING:
    from tool_use_om.data.workspace import Workspace

app = typer.Typer(help="Run an evaluation suite.", no_args_is_help=True, rich_markup_mode=None)

OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Folder to keep items and report in; repeat it to go on."),
]
WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", help="Default: $TUOM_WORKSPACE, else ./.tuom.")
]
DataOption = Annotated[list[str] | None, typer.Option(help="NAME or NAME:LABEL_SET; repeatable.")]
TokenizerOption = Annotated[str | None, typer.Option(help="Default: the offline one.")]
MethodOption = Annotated[list[str] | None, typer.Option(help="Only this head or peer; repeatable.")]
SeedOption = Annotated[int, typer.Option(min=0)]


class Split(StrEnum):
    """Which phrasings: those the offline parser may be tuned on, or those it may not."""

    dev = "dev"
    heldout = "heldout"


@app.command()
def tools(
    *,
    model: Annotated[
        str, typer.Option(help="offline, google_genai:NAME, local:FOLDER, …")
    ] = "offline",
    split: Annotated[Split | None, typer.Option(help="Default: both.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Questions at most.")] = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
) -> None:
    """Questions with known right tool calls: share of right tools, and of right arguments."""
    asked = {"split": split.value if split else None, "limit": limit, "seed": seed}
    name = f"tools-{model}{'-' + split if split else ''}{f'-{limit}' if limit else ''}"
    _run("tools", name, out, workspace, model=model, **asked)


@app.command()
def reader(
    *,
    limit: Annotated[int | None, typer.Option(min=1, help="Phrasings at most.")] = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
) -> None:
    """Held-out phrasings about drawn sets: form read, calls planned, asked back, wrong."""
    name = f"reader{f'-{limit}' if limit else ''}"
    _run("reader", name, out, workspace, limit=limit, seed=seed)


@app.command()
def answers(
    *,
    limit: Annotated[int | None, typer.Option(min=1, help="Phrasings at most.")] = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
) -> None:
    """Held-out phrasings about drawn sets, answered: right, partly, wrong, asked back."""
    name = f"answers{f'-{limit}' if limit else ''}"
    _run("answers", name, out, workspace, limit=limit, seed=seed)


@app.command()
def heads(
    *,
    data: DataOption = None,
    tokenizer: TokenizerOption = None,
    method: MethodOption = None,
    peers: Annotated[bool, typer.Option(help="MiniRocket, catch22, 1-NN too.")] = True,
    most: Annotated[int, typer.Option(min=10, help="Windows learned from at most.")] = 1500,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
) -> None:
    """Classification of test splits: heads, the agent's gated choice, and peers."""
    sets = data or ["basic-motions"]
    asked = {"tokenizer": tokenizer, "method": method or [], "peers": peers, "seed": seed}
    name = "heads-" + "-".join(sets)
    _run("heads", name, out, workspace, data=sets, most=most, **asked)


@app.command()
def forecast(
    *,
    data: Annotated[list[str] | None, typer.Option(help="Data set name; repeatable.")] = None,
    tokenizer: TokenizerOption = None,
    horizon_s: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds, for sets without horizons of their own.")
    ] = None,
    method: MethodOption = None,
    every: Annotated[
        int, typer.Option(min=1, help="Judge one window in so many; 1: as published.")
    ] = 1,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
) -> None:
    """Heads and peers under the published protocols: MSE, sMAPE, MASE, OWA, walk-forward."""
    sets = data or ["basic-motions"]
    asked = {"tokenizer": tokenizer, "horizon_s": horizon_s, "method": method or [], "seed": seed}
    name = "forecast-" + "-".join(sets) + (f"-every-{every}" if every > 1 else "")
    _run("forecast", name, out, workspace, data=sets, every=every, **asked)


@app.command()
def retrieval(
    *,
    data: DataOption = None,
    tokenizer: TokenizerOption = None,
    method: MethodOption = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
) -> None:
    """Search by example across subjects: precision at k in tokens and, as peers, in samples."""
    sets = data or ["basic-motions"]
    asked = {"tokenizer": tokenizer, "method": method or [], "seed": seed}
    _run("retrieval", "retrieval-" + "-".join(sets), out, workspace, data=sets, **asked)


@app.command()
def anomaly(
    *,
    data: Annotated[list[str], typer.Option(help="A set with labels 'anomaly'; repeatable.")],
    tokenizer: TokenizerOption = None,
    method: MethodOption = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
) -> None:
    """Labelled anomalies found by time split: VUS-PR and events hit, beside a random score."""
    asked = {"tokenizer": tokenizer, "method": method or [], "seed": seed}
    _run("anomaly", "anomaly-" + "-".join(data), out, workspace, data=data, **asked)


@app.command()
def fewshot(
    *,
    data: DataOption = None,
    tokenizer: TokenizerOption = None,
    method: MethodOption = None,
    draws: Annotated[int, typer.Option(min=1, help="Random draws of the labels.")] = 5,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
) -> None:
    """Accuracy at 1, 5, 10 and 20 labelled sessions a class: heads and peers, with curves."""
    sets = data or ["basic-motions"]
    asked = {"tokenizer": tokenizer, "method": method or [], "draws": draws, "seed": seed}
    _run("fewshot", "fewshot-" + "-".join(sets), out, workspace, data=sets, **asked)


@app.command()
def coverage(
    *,
    data: Annotated[list[str] | None, typer.Option(help="Data set name; repeatable.")] = None,
    intervals: Annotated[list[str] | None, typer.Option(help="Forecast this one as well.")] = None,
    splits: Annotated[int, typer.Option(min=2, help="Random splits.")] = 40,
    horizon_s: Annotated[float | None, typer.Option(min=0.1, help="Default: a window.")] = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
) -> None:
    """Coverage of sets and intervals over many random splits of the held-out sessions."""
    sets = data or ["basic-motions"]
    name = "coverage-" + "-".join(sets)
    asked = {"intervals": intervals or [], "splits": splits, "horizon_s": horizon_s, "seed": seed}
    _run("coverage", name, out, workspace, data=sets, **asked)


@app.command()
def gate(
    *,
    data: Annotated[list[str] | None, typer.Option(help="Data set name; repeatable.")] = None,
    heads: Annotated[list[str] | None, typer.Option(help="Heads on tokens; repeatable.")] = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
) -> None:
    """When a raw-space fallback answers instead of a head, and whether that was right."""
    sets = data or ["basic-motions"]
    name = "gate-" + "-".join(sets)
    _run("gate", name, out, workspace, data=sets, heads=heads or ["linear_probe"], seed=seed)


@app.command()
def faithfulness(
    *,
    data: Annotated[list[str] | None, typer.Option(help="Data set name; repeatable.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="Only this task; repeatable.")] = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
) -> None:
    """False narrations of real runs that are refused, by kind; true ones that are not."""
    sets = data or ["basic-motions"]
    name = "faithfulness-" + "-".join(sets)
    _run("faithfulness", name, out, workspace, data=sets, task=task or [], seed=seed)


@app.command()
def labels(
    *,
    data: Annotated[list[str] | None, typer.Option(help="Data set name; repeatable.")] = None,
    seeds: Annotated[int, typer.Option(min=2, help="Random pools.")] = 12,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
) -> None:
    """How many labels request_labels saves against labelling random windows."""
    sets = data or ["basic-motions"]
    name = "labels-" + "-".join(sets)
    _run("labels", name, out, workspace, data=sets, seeds=seeds, seed=seed)


def _run(suite: str, name: str, out: Path | None, root: Path | None, **asked: Json) -> None:
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.registry import suite_class
    from tool_use_om.evals.runner import run_suite

    place = Workspace.at(root)
    folder = out or _default_folder(place, name)
    made = suite_class(suite)(workspace=place, **asked)
    report = run_suite(made, folder, command=command_of(suite, **asked), on_item=_progress)
    typer.echo(report.read_text(encoding="utf-8"))
    typer.echo(f"Report, items and results: {folder}")


def _default_folder(place: Workspace, name: str) -> Path:
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    return place.folder("evals", safe[:80].strip("-."))


def _progress(done: int, total: int, item: str) -> None:
    typer.echo(f"[{done + 1}/{total}] {item}", err=True)
