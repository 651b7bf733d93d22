"""Cells judged as a careful reviewer would: intervals over blocks of time, calibration, collapse.

Test windows overlap, so neighbours are alike: the bootstrap draws blocks of time and not windows.
A model's figure is the mean over its seeds; every draw takes the same blocks for all models, which
makes differences between them paired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import rankdata

Array = np.ndarray
Row = dict[str, Any]
REFERENCE = "patchtst"
COLLAPSED = 1e-3  # a spread of predictions up to this is none
N_DRAWS = 2000
_SHORTEST_BLOCK = 20  # windows; about a month of trading days
_BINS = 5


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is found of one model (of one size) on one event; figures are means over seeds.

    Parameters
    ----------
    auc, lower, upper : area under the ROC curve and its 95 % interval over blocks of time
    spread : deviation of the AUC from seed to seed, 0 for one
    brier, brier_calibrated : mean squared error as said, and after Platt's map fitted on validation
    brier_of_base_rate : of always saying the training share
    skill, skill_lower : 1 - brier / brier_of_base_rate; the 1.25 % end of its bootstrap
    skill_calibrated, skill_calibrated_lower : the same of the calibrated probabilities
    accuracy, precision, recall : at the threshold of the best F1 on validation
    reach, distinct : largest minus smallest prediction; share of predictions that differ
    reliability : (mean prediction, share in which it came, windows) of equal parts
    gap, p, p_holm : AUC minus the reference's, its two-sided bootstrap p, Holm's over the event
    to_truth : mean distance of the calibrated probability from the known one, None if unknown
    """

    model: str
    parameters: int
    n_parameters: int
    seeds: int
    auc: float
    lower: float
    upper: float
    spread: float
    brier: float
    brier_calibrated: float
    brier_of_base_rate: float
    skill: float
    skill_lower: float
    skill_calibrated: float
    skill_calibrated_lower: float
    accuracy: float
    precision: float
    recall: float
    reach: float
    distinct: float
    reliability: tuple[tuple[float, float, int], ...]
    seconds: float
    cpu_seconds: float
    megabytes: float
    gap: float | None = None
    gap_lower: float | None = None
    gap_upper: float | None = None
    p: float | None = None
    p_holm: float | None = None
    to_truth: float | None = None
    said: tuple[Array, ...] = field(default=(), repr=False)
    curves: tuple[list[Row], ...] = field(default=(), repr=False)

    @property
    def collapsed(self) -> bool:
        """Whether some seed says the same of every window."""
        return self.reach <= COLLAPSED

    @property
    def beats_the_base_rate(self) -> bool:
        """Whether it ranks better than chance and errs less than the base rate, beyond chance.

        Probabilities as said or as calibrated on validation; the two ends are set for two tries.
        """
        return self.lower > 0.5 and max(self.skill_lower, self.skill_calibrated_lower) > 0.0

    @property
    def sized(self) -> str:
        """The name, with the size where it was built to one."""
        return f"{self.model} {self.parameters // 1_000_000}M" if self.parameters else self.model


@dataclass(frozen=True, kw_only=True)
class EventJudged:
    """All models on one event.

    Parameters
    ----------
    base_rate : training share; `test_rate` that of the test windows
    bayes_auc : of the known probability on the same windows, None where it is not known
    failed : model → why it was not measured
    """

    event: str
    said: str
    horizon_s: float
    n: Mapping[str, int]
    came: Mapping[str, int]
    episodes: Mapping[str, int]
    base_rate: float
    test_rate: float
    block: int
    bayes_auc: float | None
    models: tuple[Judged, ...]
    failed: Mapping[str, str]

    def of(self, model: str) -> Judged | None:
        """Return what was found of a model's first size."""
        return next((m for m in self.models if m.model == model), None)


def auc(y: Array, said: Array) -> float:
    """Return the area under the ROC curve; ties count half, NaN where only one kind came."""
    n_with = int(y.sum())
    n_without = len(y) - n_with
    if not n_with or not n_without:
        return float("nan")
    above = rankdata(said)[y == 1].sum() - n_with * (n_with + 1) / 2
    return float(above / (n_with * n_without))


def blocks_of(n: int, steps: int, seed: int = 0) -> tuple[int, list[Array]]:
    """Return the length of a block and the rows of each bootstrap draw of whole blocks."""
    length = max(_SHORTEST_BLOCK, 2 * steps)
    edges = np.arange(0, n, length)
    blocks: list[Array] = [np.arange(a, min(a + length, n)) for a in edges]
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, len(blocks), len(blocks)) for _ in range(N_DRAWS)]
    return length, [np.concatenate([blocks[i] for i in draw]) for draw in draws]


def platt(y: Array, said: Array) -> tuple[float, float]:
    """Return slope and constant of the logistic map from log odds to labels; the slope >= 0.

    Source: Platt (1999), with a weak ridge that keeps it finite.
    """
    from sklearn.linear_model import LogisticRegression

    odds = log_odds(said)
    if np.ptp(odds) < 1e-9:
        share = float(np.clip(y.mean(), 1e-3, 1 - 1e-3))
        return 0.0, float(np.log(share / (1 - share)))
    model = LogisticRegression(C=10.0).fit(odds[:, None], y)
    slope = float(model.coef_[0, 0])
    if slope <= 0:  # a ranking that is upside down on validation is left as it was said
        return 1.0, 0.0
    return slope, float(model.intercept_[0])


def log_odds(said: Array) -> Array:
    """Return ln(p / (1 - p)), nothing further out than one in a million."""
    sure = np.clip(said, 1e-6, 1 - 1e-6)
    found: Array = np.log(sure / (1 - sure))
    return found


def calibrated(said: Array, line: tuple[float, float]) -> Array:
    """Return probabilities under Platt's map."""
    found: Array = 1.0 / (1.0 + np.exp(-(line[0] * log_odds(said) + line[1])))
    return found


def best_threshold(y: Array, said: Array) -> float:
    """Return the probability from which "it comes" has the best F1."""
    levels = np.unique(np.quantile(said, np.linspace(0, 1, 101)))
    scores = []
    for level in levels:
        told = said >= level
        hits = float((told & (y == 1)).sum())
        scores.append(2 * hits / max(float(told.sum() + y.sum()), 1.0))
    return float(levels[int(np.argmax(scores))])


def reliability(y: Array, said: Array) -> tuple[tuple[float, float, int], ...]:
    """Return (mean prediction, share in which it came, windows) of up to five equal parts."""
    order = np.argsort(said, kind="stable")
    parts = [rows for rows in np.array_split(order, min(_BINS, len(order))) if len(rows)]
    return tuple((float(said[r].mean()), float(y[r].mean()), len(r)) for r in parts)


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Return Holm's adjusted p values (1979)."""
    found, most = {}, 0.0
    ordered = sorted(p, key=lambda name: p[name])
    for rank, name in enumerate(ordered):
        most = max(most, min(1.0, (len(ordered) - rank) * p[name]))
        found[name] = most
    return found


def two_sided(draws: Array) -> float:
    """Return how often a bootstrapped difference lies on the rarer side of 0, twice."""
    known = draws[np.isfinite(draws)]
    least = min((known <= 0).sum(), (known >= 0).sum())
    return float(min(1.0, 2 * (least + 1) / (len(known) + 1)))


def judge_model(
    cells: Sequence[Row],
    *,
    labels: Mapping[str, Array],
    base_rate: float,
    draws: Sequence[Array],
    chances: Array | None,
) -> tuple[Judged, Array]:
    """Judge one model's cells, one a seed; return it and its (n_draws,) AUCs.

    Parameters
    ----------
    labels : "validation" and "test" → (n,) 0 or 1
    chances : (n,) the known P(event) of the test windows
    """
    y = labels["test"]
    said = [np.asarray(cell["test"], dtype=np.float64) for cell in cells]
    lines, found = [], []
    for cell, test in zip(cells, said, strict=True):
        seen = np.asarray(cell["validation"], dtype=np.float64)
        lines.append(platt(labels["validation"], seen))
        told = test >= best_threshold(labels["validation"], seen)
        hits = float((told & (y == 1)).sum())
        found.append(
            (
                auc(y, test),
                float(((test - y) ** 2).mean()),
                float((told == (y == 1)).mean()),
                hits / max(float(told.sum()), 1.0),
                hits / float(y.sum()),
                float(np.ptp(test)),
                len(np.unique(test.round(5))) / len(test),
            )
        )
    mapped = [calibrated(test, line) for test, line in zip(said, lines, strict=True)]
    as_said = np.mean([(p - y) ** 2 for p in said], axis=0)
    squares = np.mean([(p - y) ** 2 for p in mapped], axis=0)
    plain = (base_rate - y) ** 2
    drawn = np.array([np.mean([auc(y[rows], test[rows]) for test in said]) for rows in draws])
    mean = np.mean(found, axis=0)
    first = cells[0]
    return Judged(
        model=first["model"],
        parameters=first["parameters"],
        n_parameters=first["n_parameters"],
        seeds=len(cells),
        auc=float(mean[0]),
        lower=float(np.nanquantile(drawn, 0.025)),
        upper=float(np.nanquantile(drawn, 0.975)),
        spread=float(np.std([one[0] for one in found])),
        brier=float(mean[1]),
        brier_calibrated=float(squares.mean()),
        brier_of_base_rate=float(plain.mean()),
        skill=float(1 - as_said.mean() / plain.mean()),
        skill_lower=_lower_skill(as_said, plain, draws),
        skill_calibrated=float(1 - squares.mean() / plain.mean()),
        skill_calibrated_lower=_lower_skill(squares, plain, draws),
        accuracy=float(mean[2]),
        precision=float(mean[3]),
        recall=float(mean[4]),
        reach=float(min(one[5] for one in found)),
        distinct=float(mean[6]),
        reliability=reliability(np.tile(y, len(said)), np.concatenate(said)),
        seconds=float(np.mean([c["fit_s"] + c["predict_s"] for c in cells])),
        cpu_seconds=float(np.mean([c["fit_cpu_s"] for c in cells])),
        megabytes=float(first["megabytes"]),
        to_truth=None
        if chances is None
        else float(np.mean([np.abs(p - chances).mean() for p in mapped])),
        said=tuple(said),
        curves=tuple(c["curve"] for c in cells),
    ), drawn


def _lower_skill(squares: Array, plain: Array, draws: Sequence[Array]) -> float:
    """Return the 1.25 % end of the skill over blocks of time."""
    skills = [1 - squares[rows].mean() / plain[rows].mean() for rows in draws]
    return float(np.quantile(skills, 0.0125))
