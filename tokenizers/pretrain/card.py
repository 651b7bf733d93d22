"""The model card and the loss curves of a pretraining run, written from its own records."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.show.markdown import table
from tool_use_om.data.workspace import atomic_file, atomic_folder
from tool_use_om.tokenizers.moment.checkpoint import load_moment, weights_hash
from tool_use_om.tokenizers.pretrain.corpus import FAMILIES
from tool_use_om.tokenizers.pretrain.run import CHECKPOINT, Row, read_metrics
from tool_use_om.tokenizers.pretrain.state import read_progress

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMOOTHING = 100  # steps under the median of the loss curve


def export_run(run: Path, to: Path, *, note: str = "", name: str | None = None) -> None:
    """Copy a run's checkpoint to `to` with a README.md that says what it is.

    Parameters
    ----------
    note : str, a sentence for the top of the card
    name : str, what the card calls the tokenizer; None = the name of `to`

    Raises
    ------
    DataError : `run` holds no pretraining run, or one that has seen real series
    """
    progress = read_progress(run)
    if progress is None:
        raise DataError(f"{run} holds no pretraining run. Give the folder named by --out.")
    if progress["config"].get("real"):
        raise DataError(
            f"{run} was trained on real series, too: an ablation, which the card would call "
            "synthetic. Export a run made without --real."
        )
    text = card(progress, read_metrics(run), run / CHECKPOINT, note, name or to.name)
    with atomic_folder(to) as partial:
        for path in (run / CHECKPOINT).iterdir():
            shutil.copyfile(path, partial / path.name)
        (partial / "README.md").write_text(text)
        (partial / "recipe.json").write_text(json.dumps(progress, indent=2) + "\n")
    to.chmod(0o755)


def card(progress: dict[str, Any], rows: list[Row], checkpoint: Path, note: str, title: str) -> str:
    """Return the model card (Markdown) of a checkpoint from what its run recorded."""
    model = load_moment(checkpoint)
    config, held = progress["config"], [row for row in rows if "held_out" in row]
    more = ("views", "segments", "kin", "forecast", "coarse", "start_from", "spread")
    options = ", ".join(f"{n} {config[n]}" for n in more if config.get(n)) or "as above"
    plain = model.config.inputs == "values"
    read = "its values" if plain else "its values, shape, steps and statistics"
    files = "Same files as momentfm's checkpoints" if plain else "Not for momentfm: it reads more"
    first, last = held[0], held[-1]
    shares = ", ".join(f"{n} {s:g}" for n, s in progress["corpus"]["families"].items())
    losses = [
        (name, *(f"{row['held_out'][name]:.4f}" for row in (first, last)))
        for name in FAMILIES
        if name in first["held_out"]
    ]
    steps = [f"at step {row['step']:,}" for row in (first, last)]
    run = [
        ("wall-clock training", f"{progress['seconds'] / 60:.1f} minutes"),
        (
            "CPU time",
            f"{progress['cpu_seconds'] / 60:.1f} minutes in all threads, {progress['precision']}",
        ),
        ("steps", f"{progress['step']:,} of {config['batch_samples']:,} samples"),
        (
            "windows seen",
            f"{progress['windows']:,} ({progress['samples']:,} samples), no series in two steps",
        ),
        ("weights", f"SHA-256 `{weights_hash(model)}`"),
    ]
    return f"""---
license: apache-2.0
library_name: tool-use-om
tags: [time-series, MOMENT, embeddings]
---
# {title}

{note}

A small MOMENT encoder: patches of {model.config.patch_len} samples, windows up to
{model.config.seq_len}, {sum(p.numel() for p in model.parameters()):,} parameters (d_model
{model.config.d_model}, {model.config.n_layers} layers, {model.config.n_heads} heads, d_ff
{model.config.d_ff}), float32. Of each patch it reads {read}. {files}. Licence: Apache-2.0.

Pretrained by {_objective(config)}. Further options of the run:
{options}. What only the training needed is not in the file.

## What it was trained on, and what it has never seen

Synthetic series only, drawn by `data/synthetic/curves/`: no real recording of any kind, so no data
licence applies and no benchmark can have been seen. Families and their shares:
{shares}.

Corpus hash `{progress["corpus_hash"]}`: SHA-256 of the recipe in `recipe.json` (families, shares,
lengths, seed, source code). Stream seed {config["seed"]}.

## How long

{table(("", ""), run)}

## Held-out loss of hidden patches by family (Huber, in normalised units)

Series of the same families from a stream that training never reads; 64 a family, 35 % hidden.

{table(("family", *steps), losses, "lr")}

## Good at, bad at

Judged on frozen tokens in `docs/pretraining.md`, with loss curves, against random weights of the
same shape. Each channel is encoded alone and normalised, so level, scale and orientation are lost
unless context features are added; there is one resolution, so very slow and very fast rhythms in
one window are not told apart well. Not for forecasting or imputation as such: it was trained for
little and on no real data.
"""


def _objective(config: dict[str, Any]) -> str:
    """Return the sum of losses in words, the heaviest first."""
    hidden = f"{config['hide_from']:.0%} to {config['hide_to']:.0%} of each window"
    terms = {
        f"rebuilding hidden patches ({hidden})": config.get("rebuild", 1.0),
        "a linear reading of the window's shape, spectrum and distribution from its mean "
        "token": config["summary"],
        "telling the other view of the same series from those of other series": config["contrast"],
    }
    ordered = sorted(terms.items(), key=lambda term: -term[1])
    return ", plus ".join(f"{weight:g} × {what}" for what, weight in ordered if weight)


def draw_curves(run: Path, target: Path) -> None:
    """Draw training losses and held-out loss by family over minutes of training, as PNG.

    A contrast that weighs more than rebuilding is drawn too, by length of the views: shorter ones
    are told from more others.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, config = read_metrics(run), (read_progress(run) or {}).get("config", {})
    contrast = config.get("contrast", 0) > config.get("rebuild", 1)
    figure = Figure(figsize=(13 if contrast else 9, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(np.atleast_1d(figure.subplots(1, 3 if contrast else 2)))
    if contrast:
        _draw_contrast(axes.pop(0), rows)
    _draw_rebuilding(axes[0], rows)
    held = [row for row in rows if "held_out" in row]
    colours = mpl.colormaps["tab20"]
    for k, name in enumerate(held[0]["held_out"]):
        x, y = ([row["seconds"] / 60 for row in held], [row["held_out"][name] for row in held])
        axes[1].plot(x, y, label=name, color=colours(k))
    axes[1].set(xlabel="minutes of training", title="hidden patches, held-out series by family")
    axes[1].legend(fontsize=7, ncols=2)
    with atomic_file(target) as partial:
        figure.savefig(partial, format="png", dpi=120)
    target.chmod(0o644)


def _draw_rebuilding(axis: Axes, rows: list[Row]) -> None:
    """Draw the loss of hidden patches at each step, and its running median."""
    loss, minutes = (np.array([row[k] for row in rows]) for k in ("loss", "seconds"))
    axis.plot(minutes / 60, loss, color="0.8", lw=0.5, label="each step")
    near = min(SMOOTHING, len(rows))
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(loss, near), axis=-1)
    axis.plot(minutes[near - 1 :] / 60, smooth, label=f"median of {near} steps")
    axis.set(xlabel="minutes of training", ylabel="Huber loss", title="hidden patches, training")
    axis.set_yscale("log")
    axis.legend()


def _draw_contrast(axis: Axes, rows: list[Row]) -> None:
    """Draw the running median of the contrast for each length of the views."""
    for length in sorted({row["length"] for row in rows}):
        minutes, loss = (
            np.array([row[k] for row in rows if row["length"] == length])
            for k in ("seconds", "contrast")
        )
        near = min(SMOOTHING // 4, len(loss))
        smooth = np.median(np.lib.stride_tricks.sliding_window_view(loss, near), axis=-1)
        axis.plot(minutes[near - 1 :] / 60, smooth, label=f"{length} samples")
    axis.set(xlabel="minutes of training", ylabel="InfoNCE, nats", title="contrast, training")
    axis.legend()
