"""`tuom adapt`: train a LoRA adapter of a tokenizer on one data set's training sessions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tool_use_om.graphs.commands.console import WorkspaceOption

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tokenizers.adapt.adapter import AdapterCard
    from tool_use_om.tokenizers.windows.windows import WindowBatch

app = typer.Typer(
    help="Adapt a tokenizer to an extreme domain: a LoRA adapter beside the frozen weights.",
    add_completion=False,
    rich_markup_mode=None,
)


@app.command()
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
    from tool_use_om.tokenizers.adapt.adapter import settings_of
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
            adapting.base_model(tokenizer),
            tokenizer,
            windows,
            folder,
            data=f"{dataset.name} {dataset.content_hash}",
            labels=labels,
            settings=settings,
            progress=progress,
        )
    save_moment(
        adapting.merged(adapting.base_model(tokenizer), tokenizer, folder), folder / "whole"
    )
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
    sessions = dataset.sessions()
    known = sessions.loc[sessions["split"] != "test", "session_id"].tolist()
    config = TokenizerConfig(window_s=window_s, stride_s=window_s)
    return cut_windows(dataset, known, "all", config), None


def _said(card: AdapterCard, folder: Path) -> str:
    return (
        f"{folder}: {card.adapter_parameters} adapter parameters, {card.n_windows} windows "
        f"({card.n_held} held back); held loss {card.held_loss_before:.4f} -> "
        f"{card.held_loss:.4f} at step {card.best_step}; base weights unchanged "
        f"({card.base_weights_hash[:12]})."
    )
