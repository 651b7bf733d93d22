"""Judge frozen encoders quickly: ridge on pooled tokens over a folder of UCR sets.

Default splits; scaling and the ridge penalty are chosen on the training part alone. The control is
the same shape with random weights, so that what training adds can be told from what the shape adds.
MiniRocket with the same ridge stands beside them where aeon is installed. Not covered: multichannel
sets, few labels, subjects (`pretrain_judge_sessions` and the evaluation suites do those).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from tool_use_om.data.errors import DataError
from tool_use_om.data.show.markdown import table
from tool_use_om.data.values import Untyped
from tool_use_om.heads.samples.base import raw_classifier
from tool_use_om.heads.samples.problem import filled
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.windows.windows import WindowBatch

if TYPE_CHECKING:
    from tool_use_om.data.converters.shared.ucr_files import Case

Array = NDArray[np.float32]
POOLINGS = ("mean", "mean+max+std+first+last", "shape", "two resolutions")
FULL = 512  # samples a series is stretched to for the second resolution
BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Split:
    """One data set with its default split; series (n, T), labels (n,)."""

    name: str
    train: Array
    train_labels: NDArray[np.int64]
    test: Array
    test_labels: NDArray[np.int64]


def read_ucr(folder: Path) -> list[Split]:
    """Read every `<Name>_TRAIN.tsv` and `_TEST.tsv` below `folder`, by name; one channel each.

    Raises
    ------
    DataError : no such files, or a file that is not label and numbers separated by tabs
    """
    found = sorted(folder.rglob("*_TRAIN.tsv"))
    if not found:
        raise DataError(f"No *_TRAIN.tsv below {folder}. Give a folder of UCR sets.")
    return [_read_set(path) for path in found]


def _read_set(path: Path) -> Split:
    from tool_use_om.data.converters.shared.ucr_files import read_cases

    test_path = path.with_name(path.name.replace("_TRAIN", "_TEST"))
    if not test_path.is_file():
        raise DataError(f"{path} has no _TEST file beside it.")
    parts = [list(read_cases(p)) for p in (path, test_path)]
    length = max(len(case.values) for part in parts for case in part)
    names = sorted({str(case.label) for part in parts for case in part})
    (train, train_labels), (test, test_labels) = (_arrays(p, length, names) for p in parts)
    return Split(
        name=path.name.removesuffix("_TRAIN.tsv"),
        train=train,
        train_labels=train_labels,
        test=test,
        test_labels=test_labels,
    )


def _arrays(
    cases: Sequence[Case], length: int, names: Sequence[str]
) -> tuple[Array, NDArray[np.int64]]:
    """Return series (n, length), gaps bridged and ends held, and the place of each label."""
    series = np.full((len(cases), length), np.nan)
    for row, case in zip(series, cases, strict=True):
        row[: len(case.values)] = case.values[:, 0]
    labels = np.array([names.index(str(case.label)) for case in cases], dtype=np.int64)
    return filled(series).astype(np.float32), labels


def stretched(series: Array, length: int = FULL) -> Array:
    """Return series (n, T) linearly interpolated to (n, length)."""
    at = np.linspace(0, series.shape[1] - 1, length)
    grid = np.arange(series.shape[1])
    return np.stack([np.interp(at, grid, row) for row in series]).astype(np.float32)


@torch.inference_mode()
def tokens(model: Moment, series: Array) -> Array:
    """Return the frozen tokens (n, P, D) of series (n, T), of their last 512 samples."""
    x = torch.from_numpy(series[:, -model.config.seq_len :])[:, None]
    parts = [model.encode(x[i : i + BATCH])[:, 0] for i in range(0, len(x), BATCH)]
    return np.asarray(torch.cat(parts).numpy())


def pooled(model: Moment, series: Array, pooling: str) -> Array:
    """Return one feature row a series (n, F); `pooling` is one of `POOLINGS`."""
    if pooling == "two resolutions":
        both = [pooled(model, s, "shape") for s in (series, stretched(series))]
        return np.concatenate(both, axis=1)
    z = tokens(model, series)
    mean, std = z.mean(1), z.std(1)
    if pooling == "mean":
        return np.asarray(mean)
    if pooling == "shape":
        return shape(z)
    return np.concatenate([mean, z.max(1), std, z[:, 0], z[:, -1]], axis=1)


def shape(z: Array) -> Array:
    """Return mean, std, max, min, quartiles and spread of steps of tokens (n, P, D): (n, 7 D)."""
    steps = np.diff(z, axis=1).std(1) if z.shape[1] > 1 else np.zeros_like(z[:, 0])
    quartiles = np.quantile(z, (0.25, 0.75), axis=1)
    parts = [z.mean(1), z.std(1), z.max(1), z.min(1), *quartiles, steps]
    return np.asarray(np.concatenate(parts, axis=1), dtype=np.float32)


def ridge(n_context: int = 0) -> Untyped:
    """Return an unfitted ridge classifier; `fit` alone sets its scaling and its penalty.

    The last `n_context` features together weigh as much as all others together.
    """
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    def weighed(rows: Array) -> Array:
        rest = rows.shape[1] - n_context
        weight = np.append(np.ones(rest), np.full(n_context, np.sqrt(rest / max(n_context, 1))))
        return np.asarray(rows * weight)

    steps = [StandardScaler(), *([FunctionTransformer(weighed)] if n_context else [])]
    return make_pipeline(*steps, RidgeClassifierCV(alphas=np.logspace(-3, 4, 15)))


def judge_rocket(splits: list[Split]) -> dict[tuple[str, str], dict[str, float]]:
    """Return the accuracy of MiniRocket and ridge by set; empty where aeon is not installed."""
    if find_spec("aeon") is None:
        return {}
    scores = {}
    for s in splits:
        model = raw_classifier("minirocket").fit(_windows(s.train), list(map(str, s.train_labels)))
        said = model.predict(_windows(s.test))
        scores[s.name] = float((said == s.test_labels.astype(np.str_)).mean())
    return {("MiniRocket", "its own"): scores}


def _windows(series: Array) -> WindowBatch:
    """Return series (n, T) as windows of one channel."""
    return WindowBatch(
        values=series[:, None],
        mask=np.ones((len(series), 1, series.shape[1]), dtype=bool),
        rate_hz=1.0,
        start_s=np.zeros(len(series)),
        session_ids=tuple(f"w{i}" for i in range(len(series))),
        channels=("series.value",),
        units=("a.u.",),
    )


def ridge_accuracy(split: Split, train: Array, test: Array) -> float:
    """Return the test accuracy of a ridge classifier on given features."""
    fitted = ridge().fit(train, split.train_labels)
    return float((fitted.predict(test) == split.test_labels).mean())


def judge(
    models: dict[str, Moment], splits: list[Split]
) -> dict[tuple[str, str], dict[str, float]]:
    """Return the accuracy of each (model, pooling) by set; "raw series" is ridge on the values."""
    raw = {s.name: ridge_accuracy(s, s.train, s.test) for s in splits}
    scores = {("raw series", "none"): raw}
    for name, model in models.items():
        for pooling in POOLINGS:
            scores[name, pooling] = {
                s.name: ridge_accuracy(
                    s, pooled(model, s.train, pooling), pooled(model, s.test, pooling)
                )
                for s in splits
            }
    return scores


def controls(model: Moment, n: int = 3) -> list[Moment]:
    """Return `n` encoders of the model's shape with random weights, in eval mode."""
    return [Moment(model.config, seed=seed).eval() for seed in range(n)]


def score_table(
    scores: dict[tuple[str, str], dict[str, float]],
    splits: Sequence[Split] | None = None,
    kind: str = "pooling",
) -> str:
    """Return the scores as a Markdown table: one row a (model, pooling), the mean last.

    `kind` heads the second column. With `splits`, the mean has its 95 % interval: what drawing
    other test series would change.
    """
    n = np.array([len(s.test) for s in splits]) if splits else None
    names = list(next(iter(scores.values())))
    rows = []
    for (model, pooling), row in scores.items():
        p = np.array(list(row.values()))
        cells = [*(f"{c:.3f}" for c in p), f"{p.mean():.3f}"]
        if n is not None:
            cells[-1] += f" ± {1.96 * np.sqrt((p * (1 - p) / n).sum()) / len(p):.3f}"
        rows.append((model, pooling, *cells))
    return table(("weights", kind, *names, "mean"), rows, "llr")
