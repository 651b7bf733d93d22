"""Judge frozen encoders by the heads people use, on training parts alone or on held-out ones.

Tokens come from the same calls as an answer's (one or two resolutions, padding masked), heads have
their default settings. `folds` of the training part choose between encoders without a look at what
is held out. Not covered: the choice of a head, fallbacks and calibration (the suites do those).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.evals.judge.series import Array, Split
from tool_use_om.evals.judge.sessions import Labelled
from tool_use_om.heads.registry import make_head
from tool_use_om.tokenizers.encode.resolutions import encode_resolutions
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.windows import WindowBatch

HEADS = ("prototypes", "linear_probe", "ridge_probe", "knn")
FOLDS = 5
DRAWS = 10_000  # of the bootstrap over sets

Scores = dict[tuple[str, str], dict[str, float]]
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Windows of one set with a label each, and which are fitted on and which judged."""

    name: str
    batch: WindowBatch
    labels: NDArray[np.str_]
    folds: tuple[Fold, ...]


def as_tokenizer(model: Moment, name: str) -> Tokenizer:
    """Return a frozen encoder with what surrounds it, under a name that is not registered."""
    shape = model.config
    spec = TokenizerSpec(
        name=name,
        family="moment",
        parameters=sum(p.numel() for p in model.parameters()),
        patch_len=shape.patch_len,
        d_model=shape.d_model,
        native_context=shape.seq_len,
        channels="independent",
        licence="unknown",
        weights=name,
        revision=None,
        size_mb=sum(4 * p.numel() for p in model.parameters()) / 1e6,
        good_at="being judged",
        bad_at="unknown",
    )
    return Tokenizer(spec, model)


def series_batch(series: Array, longest: int) -> WindowBatch:
    """Return series (n, T) as windows of one channel at 1 Hz; NaN is missing.

    Series longer than `longest` samples are interpolated to so many.
    """
    if series.shape[1] > longest:
        at = np.linspace(0, series.shape[1] - 1, longest)
        grid = np.arange(series.shape[1])
        series = np.stack([np.interp(at, grid, row) for row in series]).astype(np.float32)
    values = series[:, None]
    mask = np.isfinite(values)
    return WindowBatch(
        values=np.where(mask, values, 0).astype(np.float32),
        mask=mask,
        rate_hz=1.0,
        start_s=np.zeros(len(values)),
        session_ids=tuple(f"case-{k}" for k in range(len(values))),
        channels=("signal.x",),
        units=("",),
    )


def judged_split(split: Split, longest: int, *, on_train: bool) -> Judged:
    """Return a UCR set to judge on: stratified folds of its training part, or its test part."""
    if on_train:
        labels = split.train_labels.astype(str)
        series, folds = split.train, tuple(stratified(labels))
    else:
        labels = np.concatenate([split.train_labels, split.test_labels]).astype(str)
        series, n = np.concatenate([split.train, split.test]), len(split.train)
        folds = ((np.arange(n), np.arange(n, len(labels))),)
    return Judged(name=split.name, batch=series_batch(series, longest), labels=labels, folds=folds)


def judged_sessions(data: Labelled, dataset: DataSet, *, on_train: bool) -> Judged:
    """Return labelled windows to judge on: folds of the training subjects, or the test windows.

    Where the data do not say who is who, a session stands for a subject.
    """
    if not on_train:
        held = (np.flatnonzero(data.train), np.flatnonzero(~data.train))
        return Judged(name=dataset.name, batch=data.batch, labels=data.labels, folds=(held,))
    kept = np.flatnonzero(data.train)
    batch, labels = data.batch.select(kept), data.labels[kept]
    subject = dataset.sessions().set_index("session_id")["subject_id"]
    groups = np.array([str(subject[name]) for name in batch.session_ids])
    if len(np.unique(groups)) == 1:
        groups = np.array(batch.session_ids)
    return Judged(
        name=dataset.name, batch=batch, labels=labels, folds=tuple(by_group(labels, groups))
    )


def stratified(labels: NDArray[np.str_]) -> Iterator[Fold]:
    """Yield up to five stratified folds, shuffled; as many as the rarest label has cases."""
    from sklearn.model_selection import StratifiedKFold

    rarest = int(np.unique(labels, return_counts=True)[1].min())
    folds = StratifiedKFold(max(2, min(FOLDS, rarest)), shuffle=True, random_state=0)
    yield from folds.split(labels, labels)


def by_group(labels: NDArray[np.str_], groups: NDArray[np.str_]) -> Iterator[Fold]:
    """Yield up to five folds of whole groups.

    Labels with one case to fit on are left out; so is a fold with fewer than two labels to fit on.
    """
    from sklearn.model_selection import GroupKFold

    folds = GroupKFold(min(FOLDS, len(np.unique(groups))))
    for fit, held in folds.split(labels, labels, groups):
        names, count = np.unique(labels[fit], return_counts=True)
        known = names[count > 1]
        if len(known) > 1:
            yield fit[np.isin(labels[fit], known)], held[np.isin(labels[held], known)]


def judge_heads(
    models: Mapping[str, Moment], sets: list[Judged], *, resolutions: int = 2
) -> Scores:
    """Return the accuracy of each (model, head) by set: over all windows that are held out once."""
    scores: Scores = {(name, head): {} for name in models for head in HEADS}
    for name, model in models.items():
        tokenizer = as_tokenizer(model, name)
        for one in sets:
            tokens = (
                encode_resolutions(tokenizer, one.batch)
                if resolutions == 2
                else tokenizer.encode(one.batch)
            )
            for head in HEADS:
                scores[name, head][one.name] = accuracy(head, tokens, one)
    return scores


def accuracy(head: str, tokens: Tokens, one: Judged) -> float:
    """Return the share of held-out windows that a head with default settings answers rightly."""
    right = total = 0
    for fit, held in one.folds:
        fitted = make_head(head).fit(tokens.select(fit), list(one.labels[fit]))  # type: ignore[attr-defined]  # a classifier
        right += int((fitted.predict(tokens.select(held)) == one.labels[held]).sum())
        total += len(held)
    return right / max(1, total)


def difference(scores: Scores, first: str, second: str) -> tuple[float, float, float]:
    """Return by how much one model is above another, mean of heads and sets, with its interval.

    The interval (95 %) is a paired bootstrap over sets.
    """
    gaps = np.mean(
        [
            np.array(list(scores[first, head].values()))
            - np.array(list(scores[second, head].values()))
            for head in HEADS
        ],
        axis=0,
    )
    drawn = np.random.default_rng(0).integers(0, len(gaps), (DRAWS, len(gaps)))
    low, high = np.quantile(gaps[drawn].mean(axis=1), (0.025, 0.975))
    return float(gaps.mean()), float(low), float(high)


def comparison(scores: Scores) -> str:
    """Return what each other model lacks to the first, in lines of text."""
    names = list(dict.fromkeys(name for name, _ in scores))
    lines = []
    for other in names[1:]:
        gap, low, high = difference(scores, names[0], other)
        lines.append(f"{names[0]} against {other}: {gap:+.3f} [{low:+.3f}, {high:+.3f}]")
    return "\n".join(lines)
