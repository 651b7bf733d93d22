"""Judge frozen encoders on labelled sessions: ridge on pooled tokens, all labels and a few a class.

The stored split decides what is held out (by subject where the data say who is who). Windows do not
overlap. The control is the same shape with random weights, as in `pretrain_judge`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec

import numpy as np
import torch
from numpy.typing import NDArray

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.labels import window_labels
from tool_use_om.data.show.markdown import table
from tool_use_om.evals.judge.series import BATCH, ridge, shape
from tool_use_om.heads.samples.base import raw_classifier
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.windows.config import TokenizerConfig
from tool_use_om.tokenizers.windows.windows import WindowBatch, cut_windows

VIEWS = ("mean", "mean+context", "shape+context")


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Windows with a label each, and whether each may be trained on."""

    batch: WindowBatch
    labels: NDArray[np.str_]
    train: NDArray[np.bool_]


def labelled_windows(
    dataset: DataSet, label_set: str, window_s: float, rate_hz: float | None = None
) -> Labelled:
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
    config = TokenizerConfig(window_s=window_s, stride_s=window_s, target_rate_hz=rate_hz)
    batch = cut_windows(dataset, dataset.sessions()["session_id"].tolist(), "all", config)
    labels = window_labels(
        dataset.labels(), batch.session_ids, batch.start_s, batch.end_s, label_set
    )
    splits = dataset.split_at(batch.session_ids, batch.start_s, batch.end_s)
    pairs = zip(labels, splits, strict=True)
    kept = np.flatnonzero([label is not None and split is not None for label, split in pairs])
    batch = batch.select(kept)
    train = splits[kept] != "test"
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
    measured = np.where(batch.mask, batch.values, np.nan)
    measured[~batch.mask.any(2)] = 0.0
    context = np.stack([np.nanmean(measured, 2), np.log(np.nanstd(measured, 2) + 1e-3)], axis=2)
    flat = context.reshape(len(x), -1)
    means, shapes = mean.reshape(len(x), -1), _shapes(z, valid[..., 0]).reshape(len(x), -1)
    joined = (np.concatenate([part, flat], axis=1) for part in (means, shapes))
    return dict(zip(VIEWS, (means, *joined), strict=True))


def _shapes(z: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return `shape` of the valid tokens of (B, C, P, D), 0 where a channel has none."""
    out = np.zeros((*z.shape[:2], 7 * z.shape[-1]), np.float32)
    patterns, which = np.unique(valid.reshape(-1, valid.shape[-1]), axis=0, return_inverse=True)
    which = which.reshape(valid.shape[:2])
    for k, pattern in enumerate(patterns):
        if pattern.any():
            out[which == k] = shape(z[which == k][:, pattern])
    return out


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
            n_context = 2 * data.batch.values.shape[1] if "context" in view else 0
            scores[name, view] = _accuracies(data, known, held, n_context, per_class, repeats)
    return scores


def judge_rocket(
    data: Labelled, *, per_class: int = 5, repeats: int = 10
) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Return the same of MiniRocket's features; empty where aeon is not installed.

    A padded or missing sample holds the last measured one.
    """
    if find_spec("aeon") is None:
        return {}
    last = np.where(data.batch.mask, np.arange(data.batch.values.shape[-1]), 0)
    held = np.take_along_axis(data.batch.values, np.maximum.accumulate(last, axis=-1), axis=-1)
    windows = replace(data.batch, values=held, mask=np.ones_like(data.batch.mask))
    known, judged = windows.select(data.train), windows.select(~data.train)
    y, truth = data.labels[data.train], data.labels[~data.train]

    def accuracy(rows: NDArray[np.int64]) -> float:
        model = raw_classifier("minirocket").fit(known.select(rows), list(y[rows]))
        return float((model.predict(judged) == truth).mean())

    everything = accuracy(np.arange(len(y)))
    some = [accuracy(few(y, per_class, seed)) for seed in range(repeats)]
    return {("MiniRocket", "its own"): (everything, float(np.mean(some)), float(np.std(some)))}


def _accuracies(  # noqa: PLR0917  # features of both parts, and how they are used
    data: Labelled,
    known: NDArray[np.float32],
    held: NDArray[np.float32],
    n_context: int,
    per_class: int,
    repeats: int,
) -> tuple[float, float, float]:
    """Accuracy with all labels; mean and spread of it with few."""
    y, truth = data.labels[data.train], data.labels[~data.train]
    everything = ridge(n_context).fit(known, y).score(held, truth)
    drawn = [few(y, per_class, seed) for seed in range(repeats)]
    some = [ridge(n_context).fit(known[i], y[i]).score(held, truth) for i in drawn]
    return float(everything), float(np.mean(some)), float(np.std(some))


def score_table(scores: dict[tuple[str, str], tuple[float, float, float]], per_class: int) -> str:
    """Return the scores as a Markdown table."""
    rows = [
        (model, view, f"{full:.3f}", f"{mean:.3f} ± {spread:.3f}")
        for (model, view), (full, mean, spread) in scores.items()
    ]
    return table(("weights", "features", "all labels", f"{per_class} a class"), rows, "llr")
