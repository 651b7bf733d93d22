"""`tuom tokenizers`: which encoders there are, which are here, and how fast each runs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tool_use_om.graphs.commands.console import WorkspaceOption
from tool_use_om.tokenizers.registry import is_here, is_installed, specs

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tokenizers.adapt.adapter import AdapterCard
    from tool_use_om.tokenizers.windows.windows import WindowBatch

app = typer.Typer(
    name="tokenizers",
    help="List the frozen tokenizers: what is here, what would be downloaded, licence, speed.",
    invoke_without_command=True,
    no_args_is_help=False,
)


@app.callback()
def list_tokenizers(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - typer's form of a flag
    cache: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--cache", help="Show the token cache instead: entries, size, hits.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List the frozen tokenizers: what is here, what would be downloaded, licence, speed."""
    if ctx.invoked_subcommand is not None:
        return
    if cache:
        typer.echo(_cache_lines(workspace, as_json=as_json))
        return
    rows = describe(workspace)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        typer.echo(_lines(row))


@app.command()
def measure(
    names: Annotated[
        list[str] | None, typer.Argument(help="Tokenizers to measure; default: all that can run.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Time for each, after loading.")] = 2.0,
    workspace: WorkspaceOption = None,
) -> None:
    """Measure windows a second on this machine (random weights where none are here); keep them."""
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.tokenizers import speed

    place = Workspace.at(workspace)
    chosen = names or [s.name for s in specs() if is_installed(s)]
    for done, name in enumerate(chosen, start=1):
        row = speed.measure(name, place, seconds=seconds)
        typer.echo(f"[{done}/{len(chosen)}] {name}: {_speed(row)}")


def describe(workspace: Path | None = None) -> list[dict[str, Any]]:
    """Return each spec as a dict with "here", "installed" and "speed" (None if not measured)."""
    measured = _measured(workspace)
    return [
        dataclasses.asdict(spec)
        | {
            "here": is_here(spec),
            "installed": is_installed(spec),
            "speed": measured.get(spec.name),
        }
        for spec in specs()
    ]


def _cache_lines(workspace: Path | None, *, as_json: bool) -> str:
    """Return what the workspace's token cache holds; reading makes no workspace."""
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.tokenizers.cache.status import cache_status

    found = cache_status(Workspace.root_of(workspace))
    if as_json:
        return json.dumps(dataclasses.asdict(found) | {"hit_ratio": found.hit_ratio}, indent=2)
    ratio = "nothing asked yet" if found.hit_ratio is None else f"{found.hit_ratio:.0%} hits"
    return (
        f"token cache: {found.entries} sessions kept, {found.size_mb:.1f} of {found.max_mb:g} MB; "
        f"{ratio} ({found.hits} sessions from disk, {found.misses} encoded)"
    )


def _measured(workspace: Path | None) -> dict[str, dict[str, Any]]:
    """Return the kept speeds; a listing makes no workspace where there is none."""
    from tool_use_om.data.workspace import Workspace

    root = Workspace.root_of(workspace)
    if not (root / "tokenizers").is_dir():
        return {}
    from tool_use_om.tokenizers.speed import measured

    return measured(Workspace(root))


def _lines(row: dict[str, Any]) -> str:
    facts = (
        f"{row['parameters'] / 1e6:.1f} M parameters",
        f"windows of {row['patch_len']} to {row['native_context']} samples",
        f"{row['d_model']} numbers a token",
        row["licence"],
        _where(row),
    )
    speed = "not measured here: tuom tokenizers measure " + row["name"]
    details = (
        f"  speed: {_speed(row['speed']) if row['speed'] else speed}",
        f"  good at: {row['good_at']}",
        f"  bad at: {row['bad_at']}",
    )
    return "\n".join([f"{row['name']}: {' · '.join(facts)}", *details])


def _speed(row: dict[str, Any]) -> str:
    how = f"{row['threads']} threads, {row['precision']}, {row['weights']} weights"
    size = f"{row['samples']} samples x {row['channels']} channels"
    return f"{row['windows_per_s']:g} windows/s of {size}, {how}"


def _where(row: dict[str, Any]) -> str:
    if not row["installed"]:
        return "needs: pip install 'tool-use-om[zoo]'"
    if row["here"]:
        return "here"
    if row["weights"].startswith("package:"):
        return "missing: tuom pretrain makes them"
    return f"to download: {row['size_mb']:.0f} MB from {row['weights']}"


adapt_app = typer.Typer(
    help="Adapt a tokenizer to an extreme domain: a LoRA adapter beside the frozen weights.",
    add_completion=False,
    rich_markup_mode=None,
)


@adapt_app.command()
def adapt(
    *,
    data: Annotated[str, typer.Option(help="Data set; its test sessions are never seen.")],
    window_s: Annotated[float, typer.Option(min=0.001, help="Length of a window, seconds.")],
    name: Annotated[str, typer.Option(help="The adapter's name, a folder in the workspace.")],
    tokenizer: Annotated[str, typer.Option(help="A tokenizer of the MOMENT family.")] = (
        "moment-tiny"
    ),
    objective: Annotated[
        str, typer.Option(help="labels, or reconstruction (no labels needed).")
    ] = "labels",
    label_set: Annotated[str | None, typer.Option(help="Default: the set's first.")] = None,
    rank: Annotated[int, typer.Option(help="Rank of the added matrices.")] = 8,
    steps: Annotated[int, typer.Option(help="Training steps.")] = 300,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-3,
    seed: Annotated[int, typer.Option(help="Names the draws.")] = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Train an adapter, keep it in the workspace, and write the merged checkpoint to compare."""
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.graphs.commands.console import bars, open_by_name
    from tool_use_om.tokenizers.adapt import train as adapting
    from tool_use_om.tokenizers.adapt.adapter import base_model, merged, settings_of
    from tool_use_om.tokenizers.moment.checkpoint import save_moment
    from tool_use_om.tokenizers.registry import local_folder, spec

    folder = Workspace.at(workspace).path("adapters", name)
    settings = settings_of(
        objective=objective, rank=rank, steps=steps, learning_rate=learning_rate, seed=seed
    )
    dataset = open_by_name(data, workspace)
    windows, labels = _training(dataset, window_s, objective, label_set)
    with bars() as progress:
        card = adapting.adapt(
            base_model(tokenizer),
            tokenizer,
            windows,
            folder,
            data=f"{dataset.name} {dataset.content_hash}",
            labels=labels,
            settings=settings,
            progress=progress,
        )
    save_moment(merged(base_model(tokenizer), tokenizer, folder), folder / "whole")
    typer.echo(_said(card, folder))
    typer.echo(f"Use it as the tokenizer '{tokenizer}+{name}'. Whether it helps:")
    typer.echo(
        f"  tuom pretrain judge --data {data} --window-s {window_s:g}"
        f"{f' --label-set {label_set}' if label_set else ''}"
        f" --checkpoint {local_folder(spec(tokenizer)) or '<the weights>'}"
        f" --checkpoint {folder / 'whole'}"
    )


def _training(
    dataset: DataSet, window_s: float, objective: str, label_set: str | None
) -> tuple[WindowBatch, np.ndarray | None]:
    """Return windows of all sessions but the test ones, and their labels where they are needed."""
    from tool_use_om.data.errors import DataError
    from tool_use_om.evals.judge.sessions import labelled_windows
    from tool_use_om.tokenizers.windows.config import TokenizerConfig
    from tool_use_om.tokenizers.windows.windows import cut_windows

    if objective == "labels":
        chosen = label_set or next(iter(dataset.manifest.label_sets), None)
        if chosen is None:
            raise DataError(f"{dataset.name} has no labels. Use --objective reconstruction.")
        found = labelled_windows(dataset, chosen, window_s)
        return found.batch.select(found.train), found.labels[found.train]
    known = [*dict.fromkeys(s for k in ("train", "calibration") for s in dataset.split_sessions(k))]
    config = TokenizerConfig(window_s=window_s, stride_s=window_s)
    windows = cut_windows(dataset, known, "all", config)
    splits = dataset.split_at(windows.session_ids, windows.start_s, windows.end_s)
    return windows.select([i for i, s in enumerate(splits) if s not in {None, "test"}]), None


def _said(card: AdapterCard, folder: Path) -> str:
    return (
        f"{folder}: {card.adapter_parameters} adapter parameters, {card.n_windows} windows "
        f"({card.n_held} held back); held loss {card.held_loss_before:.4f} -> "
        f"{card.held_loss:.4f} at step {card.best_step}; base weights unchanged "
        f"({card.base_weights_hash[:12]})."
    )
