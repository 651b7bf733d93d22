"""Forecasting protocols: from a data set's stored splits to problems. None looks at what it judges.

rolling : one session a split and station, as ETT: standardised by the training part, every window
    of the test part, stride one sample; the published protocol of the ETT tables
horizon : series with a published horizon, as M4: learn from all histories, forecast the horizons
walk : market days: for each test year learn from all days before it, forecast every day of it
sessions : all others: learn from the sessions of one split, forecast in those of another
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.samples.problem import Fold, Problem, origins_of

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet

Array = np.ndarray
CONTEXTS = {"rolling": (96, 336), "horizon": (336,), "walk": (256,)}
ROLLING_HORIZONS = (96, 192, 336, 720)
WALK_HORIZONS = (1, 5, 20)  # a day, a week and a month of market days
_HISTORY_STEP = 24  # between the starts learned from within one history
_DAY_S = 86_400.0
_NONE = np.empty((0, 2), dtype=np.int64)


def protocol_of(dataset: DataSet) -> str:
    """Return the protocol that fits how a data set is built."""
    manifest = dataset.manifest
    if {"history", "horizon"} <= set(manifest.label_sets.get("part", ())):
        return "horizon"
    if any(c.endswith(".close") for c in manifest.channel_ids):
        return "walk"
    table = dataset.sessions()
    splits_of = table.groupby("subject_id")["split"]
    alone = (splits_of.size() == 3).all() and (splits_of.nunique() == 3).all()
    return "rolling" if alone and manifest.n_subjects else "sessions"


def sizes(dataset: DataSet) -> list[tuple[int, int]]:
    """Return the (context, horizon) pairs, in samples, that a data set is measured at."""
    kind = protocol_of(dataset)
    if kind == "rolling":
        return [(c, h) for c in CONTEXTS[kind] for h in ROLLING_HORIZONS]
    if kind == "walk":
        return [(c, h) for c in CONTEXTS[kind] for h in WALK_HORIZONS]
    if kind == "horizon":
        labels = dataset.labels(label_set="part")
        ahead = labels[labels["label"] == "horizon"]
        rate = dataset.manifest.modalities[0].rate_hz
        steps = np.rint((ahead["end_s"] - ahead["start_s"]) * rate).astype(int).unique()
        return [(c, int(h)) for c in CONTEXTS[kind] for h in steps]
    raise DataError(f"{dataset.name} has no horizons of its own: give horizon_s.")


def rolling(dataset: DataSet, context: int, horizon: int) -> Problem:
    """Return every test window, stride one, in units of the training part's deviation."""
    table = dataset.sessions()
    modality = dataset.manifest.modalities[0]
    series, names, folds, groups = [], [], [], []
    day = max(1, round(7 * _DAY_S * modality.rate_hz))
    for at, (station, own) in enumerate(table.groupby("subject_id")):
        by_split = dict(zip(own["split"], own["session_id"], strict=True))
        parts = [
            grid(dataset, by_split[s], modality.channel_ids)
            for s in ("train", "calibration", "test")
        ]
        edges = np.cumsum([p.shape[1] for p in parts])
        whole = np.concatenate(parts, axis=1)
        mean = np.nanmean(parts[0], axis=1, keepdims=True)
        std = np.nanstd(parts[0], axis=1, keepdims=True)
        series.append((whole - mean) / np.where(std > 0, std, 1.0))
        names.append(str(station))
        judge = origins_of(at, int(edges[1]), int(edges[2]) - horizon)
        folds.append(
            Fold(
                fit=origins_of(at, context, int(edges[0]) - horizon),
                check=origins_of(at, int(edges[0]), int(edges[1]) - horizon),
                judge=judge,
            )
        )
        groups += [f"{station}-{(o - edges[1]) // day}" for o in judge[:, 1]]
    return Problem(
        name=dataset.name,
        series=tuple(series),
        session_ids=tuple(names),
        channels=modality.channel_ids,
        rate_hz=modality.rate_hz,
        context=context,
        horizon=horizon,
        season=max(1, round(_DAY_S * modality.rate_hz)),
        folds=(_merged(folds),),
        groups=np.array(groups, dtype=np.str_),
        rule=(
            "12, 4 and 4 months; standardised by the training part; every window of the test part "
            "(stride one, none dropped), each forecast from the samples before it; groups of the "
            "bootstrap: weeks of the forecasts' starts"
        ),
    )


def horizons(dataset: DataSet, context: int, horizon: int) -> Problem:
    """Return one window a series: its published horizon, learned from all histories."""
    modality = dataset.manifest.modalities[0]
    labels = dataset.labels(label_set="part")
    edge_of = labels[labels["label"] == "history"].set_index("session_id")["end_s"]
    ids = [s for s in dataset.sessions()["session_id"] if s in edge_of.index]
    series = [grid(dataset, s, modality.channel_ids) for s in ids]
    fit, check, judge, usual = [], [], [], []
    for at, name in enumerate(ids):
        edge = round(float(edge_of[name]) * modality.rate_hz)
        fit.append(origins_of(at, context, edge - 2 * horizon, _HISTORY_STEP))
        check.append(origins_of(at, edge - horizon, edge - horizon))
        judge.append(origins_of(at, edge, edge))
        usual.append(_usual(series[at][:, :edge]))
    fold = Fold(fit=np.concatenate(fit), check=np.concatenate(check), judge=np.concatenate(judge))
    return Problem(
        name=dataset.name,
        series=tuple(series),
        session_ids=tuple(ids),
        channels=modality.channel_ids,
        rate_hz=modality.rate_hz,
        context=context,
        horizon=horizon,
        season=_season(modality.rate_hz),
        folds=(fold,),
        groups=np.array(ids, dtype=np.str_),
        rule=(
            "each series' published horizon, forecast once from its history; global forecasters "
            "learn from starts every 24 samples in all histories and are checked on their last "
            "horizon; groups of the bootstrap: series"
        ),
        usual_scale=tuple(usual),
        whole=True,
    )


def walk(dataset: DataSet, context: int, horizon: int) -> Problem:
    """Return the log closing prices of one symbol by market day, one fold a test year."""
    (channel,) = (c for c in dataset.manifest.channel_ids if c.endswith(".close"))
    table = dataset.sessions().sort_values("start_utc")
    if table["subject_id"].nunique() != 1:
        raise DataError(f"{dataset.name} holds several symbols. Convert one at a time.")
    parts = [dataset.read(s, [channel])[0].values[:, 0] for s in table["session_id"]]
    edges = np.concatenate([[0], np.cumsum([len(p) for p in parts])])
    prices = np.log(np.concatenate(parts).astype(np.float64))[None]
    spans = list(zip(table["split"], edges[:-1], edges[1:], strict=True))
    folds, groups = [], []
    for first, stop in ((int(a), int(b)) for split, a, b in spans if split == "test"):
        before = origins_of(0, context, first - horizon)
        n_check = len(before) // 5
        last = min(stop, prices.shape[1] - horizon + 1)
        judge = origins_of(0, first, last - 1)
        folds.append(Fold(fit=before[: -n_check - horizon], check=before[-n_check:], judge=judge))
        groups += [f"{first}-{(o - first) // 63}" for o in judge[:, 1]]
    return Problem(
        name=dataset.name,
        series=(prices,),
        session_ids=(str(table["subject_id"].iloc[0]),),
        channels=(channel,),
        rate_hz=1 / _DAY_S,
        context=context,
        horizon=horizon,
        season=1,
        folds=tuple(folds),
        groups=np.array(groups, dtype=np.str_),
        rule=(
            "log of the closing price, not adjusted for later dividends; samples are market days; "
            "for each test year fitted on all days before it, then forecast from every day; groups "
            "of the bootstrap: quarters"
        ),
    )


def sessions(dataset: DataSet, context: int, horizon: int, channels: Sequence[str]) -> Problem:
    """Return windows of the test sessions, learned from the training ones, standardised by those.

    Windows start a quarter of the context apart.
    """
    table = dataset.sessions()
    rate = dataset.manifest.rate_of(channels[0])
    raw = [grid(dataset, s, channels) for s in table["session_id"]]
    train = np.concatenate(
        [g for g, s in zip(raw, table["split"], strict=True) if s == "train"], axis=1
    )
    std = np.nanstd(train, axis=1, keepdims=True)
    mean = np.nanmean(train, axis=1, keepdims=True)
    step = max(1, context // 4)
    rows: dict[str, list[Array]] = {"train": [_NONE], "calibration": [_NONE], "test": [_NONE]}
    for at, (one, split) in enumerate(zip(raw, table["split"], strict=True)):
        rows[str(split)].append(origins_of(at, context, one.shape[1] - horizon, step))
    fold = Fold(
        fit=np.concatenate(rows["train"]),
        check=np.concatenate(rows["calibration"]),
        judge=np.concatenate(rows["test"]),
    )
    if not len(fold.fit) or not len(fold.judge):
        raise DataError(
            f"{dataset.name}: too few sessions hold {context} and {horizon} samples. "
            "Shorten horizon_s."
        )
    ids = tuple(table["session_id"])
    known = dataset.manifest.n_subjects > 0
    names = list(table["subject_id"]) if known else list(ids)
    return Problem(
        name=dataset.name,
        series=tuple((one - mean) / np.where(std > 0, std, 1.0) for one in raw),
        session_ids=ids,
        channels=tuple(channels),
        rate_hz=rate,
        context=context,
        horizon=horizon,
        season=1,
        folds=(fold,),
        groups=np.array([str(names[at]) for at in fold.judge[:, 0]], dtype=np.str_),
        rule=(
            "learned from the training sessions, judged on the test sessions, standardised by the "
            f"training sessions; groups of the bootstrap: {'subjects' if known else 'sessions'}"
        ),
    )


def grid(dataset: DataSet, session_id: str, channels: Sequence[str]) -> Array:
    """Return one session on its own sample grid (C, n) float64; NaN = missing."""
    rate = dataset.manifest.rate_of(channels[0])
    n = max(1, round(dataset.duration_of(session_id) * rate))
    values = np.full((len(channels), n), np.nan)
    for signal in dataset.read(session_id, channels):
        rows = [list(channels).index(c) for c in signal.channels]
        at = np.rint(signal.time_s * rate).astype(np.int64)
        inside = at < n
        values[np.array(rows)[:, None], at[inside]] = signal.values[inside].T
    return values


def _usual(history: Array) -> Array:
    """Return the mean and deviation (2, C) of a history; 1 for a flat one."""
    mean, std = np.nanmean(history, axis=1), np.nanstd(history, axis=1)
    return np.stack([mean, np.where(std > 0, std, 1.0)])


def _merged(folds: Sequence[Fold]) -> Fold:
    return Fold(
        fit=np.concatenate([f.fit for f in folds]),
        check=np.concatenate([f.check for f in folds]),
        judge=np.concatenate([f.judge for f in folds]),
    )


def _season(rate_hz: float) -> int:
    """Return the M4 season of a rate: 24 hours, 12 months, 4 quarters, else 1."""
    step_days = 1 / rate_hz / _DAY_S
    if step_days < 0.9:
        return max(1, round(1 / step_days))
    return {30: 12, 91: 4}.get(int(step_days + 0.2), 1)
