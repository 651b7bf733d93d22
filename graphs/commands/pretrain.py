"""`tuom pretrain`: train the bundled tokenizer, judge it, export it with its card."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tool_use_om.data.values import Json, Untyped

if TYPE_CHECKING:
    from rich.progress import Progress

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.evals.judge.heads import Judged
    from tool_use_om.evals.judge.sessions import Labelled
    from tool_use_om.tokenizers.moment.model import Moment
    from tool_use_om.tokenizers.pretrain.run import PretrainConfig, Row, Run

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
    objective: Annotated[
        str,
        typer.Option(help="rebuild hidden patches, or contrast series; sets what is not given."),
    ] = "rebuild",
    d_model: Annotated[int | None, typer.Option(help="Width of a token: 192, or 128.")] = None,
    n_layers: Annotated[int | None, typer.Option(help="Encoder layers: 4, or 3.")] = None,
    patch_len: Annotated[int | None, typer.Option(help="Samples of a patch: 8, or 16.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest: 1e-3, or 2e-3.")] = None,
    batch_samples: Annotated[
        int | None, typer.Option(help="Samples in a batch: 16384, or 131072.")
    ] = None,
    rebuild: Annotated[
        float | None, typer.Option(help="Weight of rebuilding hidden patches: 1, or 0.1.")
    ] = None,
    contrast: Annotated[
        float | None, typer.Option(help="Weight of telling series apart: 0.1, or 1.")
    ] = None,
    summary: Annotated[
        float | None, typer.Option(help="Weight of the window's summary: 0.5, or 0.")
    ] = None,
    segments: Annotated[
        float | None, typer.Option(help="Weight of the summary of its quarters: 0.")
    ] = None,
    views: Annotated[
        str | None,
        typer.Option(help="What the contrast compares: crops (or resized), warps, both."),
    ] = None,
    causal: Annotated[
        float | None, typer.Option(help="Share of series of causal graphs: 0, or 0.5.")
    ] = None,
    kin: Annotated[float | None, typer.Option(help="Share of batches of like series: 0.")] = None,
    forecast: Annotated[
        float | None, typer.Option(help="Share of batches hiding the end: 0.")
    ] = None,
    coarse: Annotated[float | None, typer.Option(help="Share of batches interpolated: 0.")] = None,
    real: Annotated[
        Path | None, typer.Option(help="Ablation only: a .npy file of real series (n, samples).")
    ] = None,
    start_from: Annotated[
        Path | None, typer.Option("--from", help="Checkpoint folder to go on from.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the saved state.")] = False,
) -> None:
    """Train on synthetic series; safe to kill at any time and to --resume."""
    if context.invoked_subcommand is not None:
        return
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads stall on a busy machine
    os.environ.setdefault("GOMP_SPINCOUNT", "0")  # likewise; both are read when torch is loaded
    from tool_use_om.tokenizers.pretrain.presets import preset

    options = preset(
        objective,
        d_model=d_model,
        n_layers=n_layers,
        patch_len=patch_len,
        learning_rate=learning_rate,
        batch_samples=batch_samples,
        rebuild=rebuild,
        contrast=contrast,
        summary=summary,
        segments=segments,
        views=views,
        causal=causal,
        kin=kin,
        forecast=forecast,
        coarse=coarse,
        real=None if real is None else str(real),
        start_from=None if start_from is None else str(start_from),
    )
    minutes = (minutes or 40.0) if steps is None else minutes
    config = _checked(seed=seed, steps=steps, minutes=minutes, **options)
    _train(config, out, threads=threads, resume=resume)


def _checked(**options: Json) -> PretrainConfig:
    """Return the configuration, or raise DataError that says which option is wrong and why."""
    from pydantic import ValidationError

    from tool_use_om.data.errors import DataError
    from tool_use_om.tokenizers.pretrain.run import PretrainConfig

    try:
        return PretrainConfig(**options)
    except ValidationError as error:
        wrong = [": ".join([*map(str, e["loc"]), e["msg"]]) for e in error.errors()]
        raise DataError("; ".join(wrong)) from error


def _train(config: PretrainConfig, out: Path, *, threads: int, resume: bool) -> None:
    import torch
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from tool_use_om.tokenizers.pretrain.run import pretrain

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


def _show(bar: Progress, task: Untyped, run: Run, row: Row) -> None:
    bar.update(task, completed=run.done, step=row["step"], loss=row["loss"])


@app.command()
def judge(
    *,
    ucr: Annotated[
        Path | None, typer.Option(help="Folder with UCR sets as <Name>_TRAIN.tsv, _TEST.tsv.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="A data set with labels, such as basic-motions.")
    ] = None,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Loss on held-out synthetic series.")
    ] = False,
    label_set: Annotated[str, typer.Option(help="Its label set.")] = "activity",
    window_s: Annotated[float, typer.Option(help="Length of a window, seconds.")] = 4.0,
    per_class: Annotated[int, typer.Option(min=1, help="Few labels: how many a class.")] = 5,
    rate_hz: Annotated[
        float | None, typer.Option(help="Rate the signals are brought to; default: their own.")
    ] = None,
    workspace: Annotated[Path | None, typer.Option(help="Where data sets live.")] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="Checkpoint folder; may be repeated.")
    ] = None,
    heads: Annotated[
        bool, typer.Option("--heads", help="By the package's own heads instead of a ridge.")
    ] = False,
    on_train: Annotated[
        bool, typer.Option("--on-train", help="With --heads: folds of the training part alone.")
    ] = False,
    resolutions: Annotated[int, typer.Option(min=1, max=2, help="With --heads: 1 or 2.")] = 2,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
) -> None:
    """Judge beside random weights: on frozen tokens, or the loss of hidden patches."""
    import torch

    from tool_use_om.data.errors import DataError

    if [ucr is not None, data is not None, held_out].count(True) != 1:
        raise DataError("Give one of --ucr FOLDER, --data NAME and --held-out to judge on.")
    torch.set_num_threads(threads)
    from tool_use_om.tokenizers.registry import PACKAGED

    models = _models(checkpoint or [PACKAGED / "moment-tiny"])
    if held_out:
        from tool_use_om.tokenizers.pretrain import loss as held

        typer.echo(held.loss_table({name: held.held_out_losses(m) for name, m in models.items()}))
        return
    if heads:
        sets = (
            _ucr_sets(ucr, on_train=on_train)
            if ucr is not None
            else _session_sets(
                str(data), label_set, window_s, rate_hz, workspace, on_train=on_train
            )
        )
        _judge_heads(models, sets, resolutions)
    elif ucr is not None:
        from tool_use_om.evals.judge import series as judging

        splits = judging.read_ucr(ucr)
        scores = judging.judge(models, splits) | judging.judge_rocket(splits)
        typer.echo(judging.score_table(scores, splits))
    else:
        _judge_sessions(
            models, _labelled(str(data), label_set, window_s, rate_hz, workspace)[0], per_class
        )


def _labelled(
    name: str, label_set: str, window_s: float, rate_hz: float | None, workspace: Path | None
) -> tuple[Labelled, DataSet]:
    from tool_use_om.data.catalog import open_dataset
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.judge.sessions import labelled_windows

    opened = open_dataset(name, Workspace.at(workspace))
    return labelled_windows(opened, label_set, window_s, rate_hz), opened


def _judge_sessions(models: dict[str, Moment], windows: Labelled, per_class: int) -> None:
    from tool_use_om.evals.judge import sessions

    judged = sessions.judge_sessions(models, windows, per_class=per_class)
    judged |= sessions.judge_rocket(windows, per_class=per_class)
    n_train, labels = int(windows.train.sum()), len(set(windows.labels))
    typer.echo(f"{n_train} training, {len(windows.train) - n_train} test windows, {labels} labels")
    typer.echo(sessions.score_table(judged, per_class))


def _ucr_sets(folder: Path, *, on_train: bool) -> list[Judged]:
    from tool_use_om.evals.judge.heads import judged_split
    from tool_use_om.evals.judge.series import FULL, read_ucr

    return [judged_split(split, FULL, on_train=on_train) for split in read_ucr(folder)]


def _session_sets(  # what is judged, as the options say it
    name: str,
    label_set: str,
    window_s: float,
    rate_hz: float | None,
    workspace: Path | None,
    *,
    on_train: bool,
) -> list[Judged]:
    from tool_use_om.evals.judge.heads import judged_sessions

    windows, opened = _labelled(name, label_set, window_s, rate_hz, workspace)
    return [judged_sessions(windows, opened, on_train=on_train)]


def _judge_heads(models: dict[str, Moment], sets: list[Judged], resolutions: int) -> None:
    from tool_use_om.evals.judge.heads import comparison, judge_heads
    from tool_use_om.evals.judge.series import score_table

    scores = judge_heads(models, sets, resolutions=resolutions)
    typer.echo(score_table(scores, kind="head"))
    typer.echo(comparison(scores))


def _models(folders: list[Path]) -> dict[str, Moment]:
    """Return the checkpoints by folder, then three random encoders of the first one's shape."""
    from tool_use_om.evals.judge.series import controls
    from tool_use_om.tokenizers.moment.checkpoint import load_moment

    trained = {"/".join(folder.parts[-2:]): load_moment(folder) for folder in folders}
    control = controls(next(iter(trained.values())))
    return trained | {f"random, seed {seed}": model for seed, model in enumerate(control)}


@app.command()
def export(
    run: RunFolder,
    to: Annotated[Path, typer.Option(help="Folder for the checkpoint and its card.")],
    figure: Annotated[Path | None, typer.Option(help="Also draw the loss curves as PNG.")] = None,
    note: Annotated[str, typer.Option(help="A sentence for the top of the card.")] = "",
) -> None:
    """Write a run's checkpoint with its model card, and its loss curves."""
    from tool_use_om.tokenizers.pretrain.card import draw_curves, export_run

    export_run(run, to, note=note)
    if figure is not None:
        draw_curves(run, figure)
    typer.echo(f"Wrote {to}" + (f" and {figure}" if figure else ""))
