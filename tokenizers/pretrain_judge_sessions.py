"""Judge frozen encoders on labelled sessions: ridge on pooled tokens, all labels and a few a class.

The stored split decides what is held out (by subject where the data say who is who). Windows do not
overlap. The control is the same shape with random weights, as in `pretrain_judge`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tool_use_om.data.dataset import DataSet
from tool_use_om.data.errors import DataError
from tool_use_om.data.labels import window_labels
from tool_use_om.tokenizers.config import TokenizerConfig
from tool_use_om.tokenizers.moment import Moment
from tool_use_om.tokenizers.pretrain_judge import BATCH, ridge
from tool_use_om.tokenizers.windows import WindowBatch, cut_windows

VIEWS = ("mean", "mean+context", "mean+std+context")


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Windows with a label each, and whether each may be trained on."""

    batch: WindowBatch
    labels: NDArray[np.str_]
    train: NDArray[np.bool_]


def labelled_windows(dataset: DataSet, label_set: str, window_s: float) -> Labelled:
    """Cut a data set into labelled windows; "test" sessions are held out, all others train.

    Raises
    ------
    DataError : a label set that does not exist, or no labelled window in one of the two parts
    """
    if label_set not in dataset.manifest.label_sets:
        raise DataError(
            f"{dataset.name} has no label set {label_set!r}; it has "
            f"{', '.join(dataset.manifest.label_sets) or 'none'}."
        )
    sessions = dataset.sessions().set_index("session_id")["split"]
    config = TokenizerConfig(window_s=window_s, stride_s=window_s)
    batch = cut_windows(dataset, list(sessions.index), "all", config)
    labels = window_labels(
        dataset.labels(), batch.session_ids, batch.start_s, batch.end_s, label_set
    )
    kept = np.flatnonzero([label is not None for label in labels])
    batch = batch.select(kept)
    train = np.array([sessions[name] != "test" for name in batch.session_ids])
    if train.all() or not train.any():
        raise DataError(f"{dataset.name} needs labelled windows both in test and outside it.")
    return Labelled(batch=batch, labels=labels[kept].astype(str), train=train)


@torch.inference_mode()
def views(model: Moment, batch: WindowBatch) -> dict[str, NDArray[np.float32]]:
    """Return the feature rows of each of `VIEWS`: channels side by side, scale as context."""
    x, mask = torch.from_numpy(batch.values), torch.from_numpy(batch.mask)
    parts = [model.encode(x[i : i + BATCH], mask[i : i + BATCH]) for i in range(0, len(x), BATCH)]
    z = torch.cat(parts).numpy()
    valid = model.patch_mask(mask).numpy()[..., None]
    n = valid.sum(2).clip(min=1)
    mean = z.sum(2) / n
    std = np.sqrt(((z - mean[:, :, None]) ** 2 * valid).sum(2) / n)
    measured = np.where(batch.mask, batch.values, np.nan)
    measured[~batch.mask.any(2)] = 0.0
    context = np.stack([np.nanmean(measured, 2), np.log(np.nanstd(measured, 2) + 1e-3)], axis=2)
    flat = [part.reshape(len(x), -1) for part in (mean, std, context)]
    rows = (flat[0], np.concatenate([flat[0], flat[2]], axis=1), np.concatenate(flat, axis=1))
    return dict(zip(VIEWS, rows, strict=True))


def few(labels: NDArray[np.str_], per_class: int, seed: int) -> NDArray[np.int64]:
    """Return the places of `per_class` random windows of each label, or of all it has."""
    rng = np.random.default_rng(seed)
    places = [rng.permutation(np.flatnonzero(labels == c))[:per_class] for c in np.unique(labels)]
    return np.concatenate(places)


def judge_sessions(
    models: dict[str, Moment], data: Labelled, *, per_class: int = 5, repeats: int = 10
) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Return held-out accuracies of each (model, view).

    Returns
    -------
    (model, view) → accuracy with all training windows, mean and standard deviation over `repeats`
    draws of `per_class` training windows a class
    """
    scores = {}
    for name, model in models.items():
        for view, features in views(model, data.batch).items():
            known, held = features[data.train], features[~data.train]
            y, truth = data.labels[data.train], data.labels[~data.train]
            everything = ridge().fit(known, y).score(held, truth)
            drawn = [few(y, per_class, seed) for seed in range(repeats)]
            some = [ridge().fit(known[i], y[i]).score(held, truth) for i in drawn]
            scores[name, view] = (float(everything), float(np.mean(some)), float(np.std(some)))
    return scores


def table(scores: dict[tuple[str, str], tuple[float, float, float]], per_class: int) -> str:
    """Return the scores as a Markdown table."""
    lines = [f"| weights | features | all labels | {per_class} a class |", "|---|---|---:|---:|"]
    lines += [
        f"| {model} | {view} | {full:.3f} | {mean:.3f} ± {spread:.3f} |"
        for (model, view), (full, mean, spread) in scores.items()
    ]
    return "\n".join(lines)
