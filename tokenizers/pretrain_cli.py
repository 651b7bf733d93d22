"""`tuom pretrain`: train the bundled tokenizer, judge it, export it with its card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from tool_use_om.tokenizers.pretrain import PretrainConfig, Row, Run

app = typer.Typer(
    help="Train a small MOMENT tokenizer on synthetic series, judge it, export it.",
    add_completion=False,
    rich_markup_mode=None,
)

Out = Annotated[Path, typer.Option(help="Folder of the run: state, metrics, checkpoint.")]
RunFolder = Annotated[Path, typer.Option("--run", help="Folder of a pretraining run.")]


@app.callback(invoke_without_command=True)
def train(
    context: typer.Context,
    *,
    out: Out = Path(".tuom/pretrain/run"),
    minutes: Annotated[
        float | None, typer.Option(help="Length in minutes of training (40 without --steps).")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Length in steps: repeatable exactly.")] = None,
    seed: Annotated[int, typer.Option(help="Names the stream of series and the weights.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
    d_model: Annotated[int, typer.Option(help="Width of a token.")] = 192,
    n_layers: Annotated[int, typer.Option(help="Encoder layers.")] = 4,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-3,
    batch_samples: Annotated[int, typer.Option(help="Samples in a batch.")] = 16_384,
    contrast: Annotated[float, typer.Option(help="Weight of telling crops apart.")] = 0.1,
    summary: Annotated[float, typer.Option(help="Weight of the window's summary.")] = 0.5,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the saved state.")] = False,
) -> None:
    """Train by masked reconstruction; safe to kill at any time and to --resume."""
    if context.invoked_subcommand is not None:
        return
    config = _checked(
        seed=seed,
        steps=steps,
        minutes=(minutes or 40.0) if steps is None else minutes,
        d_model=d_model,
        d_ff=2 * d_model,
        n_layers=n_layers,
        n_heads=max(1, d_model // 32),
        learning_rate=learning_rate,
        batch_samples=batch_samples,
        contrast=contrast,
        summary=summary,
    )
    _train(config, out, threads=threads, resume=resume)


def _checked(**options: Any) -> PretrainConfig:  # noqa: ANN401  # checked by the model, field by field
    """Return the configuration, or raise DataError that says which option is wrong and why."""
    from pydantic import ValidationError

    from tool_use_om.data.errors import DataError
    from tool_use_om.tokenizers.pretrain import PretrainConfig

    try:
        return PretrainConfig(**options)
    except ValidationError as error:
        wrong = [": ".join([*map(str, e["loc"]), e["msg"]]) for e in error.errors()]
        raise DataError("; ".join(wrong)) from error


def _train(config: PretrainConfig, out: Path, *, threads: int, resume: bool) -> None:
    import torch
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from tool_use_om.tokenizers.pretrain import pretrain

    torch.set_num_threads(threads)
    columns = (
        TextColumn("step {task.fields[step]}"),
        BarColumn(),
        TextColumn("{task.percentage:.1f} %  loss {task.fields[loss]:.4f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns) as bar:
        task = bar.add_task("pretrain", total=1.0, step=0, loss=float("nan"))
        run = pretrain(
            config, out, resume=resume, on_row=lambda run, row: _show(bar, task, run, row)
        )
    minutes, held = run.progress["seconds"] / 60, run.validate()
    typer.echo(
        f"{run.progress['step']} steps, {run.progress['windows']} windows, {minutes:.1f} minutes, "
        f"held-out loss {sum(held.values()) / len(held):.4f}. Checkpoint: {out / 'checkpoint'}"
    )


def _show(bar: Progress, task: Any, run: Run, row: Row) -> None:  # noqa: ANN401  # rich's TaskID is private
    bar.update(task, completed=run.done, step=row["step"], loss=row["loss"])


@app.command()
def judge(
    ucr: Annotated[Path, typer.Option(help="Folder with UCR sets as <Name>_TRAIN.tsv, _TEST.tsv.")],
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="Checkpoint folder; repeat to compare. Bundled if none."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
) -> None:
    """Ridge on frozen tokens over UCR sets, beside random weights of the same shape."""
    import torch

    from tool_use_om.tokenizers import pretrain_judge as judging
    from tool_use_om.tokenizers.checkpoint import load_moment

    torch.set_num_threads(threads)
    splits = judging.read_ucr(ucr)
    folders = checkpoint or [Path(__file__).parent / "weights" / "moment-tiny"]
    trained = {folder.parent.name + "/" + folder.name: load_moment(folder) for folder in folders}
    control = judging.controls(next(iter(trained.values())))
    random = {f"random, seed {k}": model for k, model in enumerate(control)}
    typer.echo(judging.table(judging.judge(trained | random, splits)))


@app.command()
def export(
    run: RunFolder,
    to: Annotated[Path, typer.Option(help="Folder for the checkpoint and its card.")],
    figure: Annotated[Path | None, typer.Option(help="Also draw the loss curves as PNG.")] = None,
    note: Annotated[str, typer.Option(help="A sentence for the top of the card.")] = "",
) -> None:
    """Write a run's checkpoint with its model card, and its loss curves."""
    from tool_use_om.tokenizers.pretrain_card import draw_curves, export_run

    export_run(run, to, note=note)
    if figure is not None:
        draw_curves(run, figure)
    typer.echo(f"Wrote {to}" + (f" and {figure}" if figure else ""))
