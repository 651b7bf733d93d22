"""What a whole set says of each channel, pooled while it is written: pooled.parquet.

Count, missing share, range, mean and deviation are exact. Quantiles come from a mergeable sketch:
the sessions' own sketches (`data/stats.py`) as weighted points, thinned to `_POINTS` of equal
weight, so that their rank is off by a percent or so at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from tool_use_om.data.format.parquet import read_table, write_table
from tool_use_om.data.format.stats import MOMENTS, QUANTILES, SKETCH_LEVELS, pool_stats

POOLED_FILE = "pooled.parquet"
POOLED_SCHEMA = pa.schema(
    [
        ("by", pa.string()),  # "all", "split" or "label"
        ("group", pa.string()),
        ("channel", pa.string()),
        ("sessions", pa.int64()),  # of the group, whether or not they have the channel
        ("present", pa.int64()),
        *((name, pa.float64()) for name in (*MOMENTS, *QUANTILES)),
    ]
)
MAX_LABELS = 1000  # more distinct labels than this are free text: they are not pooled
_POINTS = 401
_MERGE = 32  # thinned sketches held before they are merged
_EDGES = np.full(SKETCH_LEVELS.size, 1.0)
_EDGES[[0, -1]] = 0.5  # trapezoid: the outer points stand for half a step


class Pool:
    """Running moments of C channels; any number of pools add up to the same as one."""

    def __init__(self, n_channels: int) -> None:
        self.sessions = 0
        self.n: np.ndarray = np.zeros(n_channels)
        self.present: np.ndarray = np.zeros(n_channels)
        self.mean: np.ndarray = np.zeros(n_channels)
        self.squares: np.ndarray = np.zeros(n_channels)
        self.low = np.full(n_channels, np.inf)
        self.high = np.full(n_channels, -np.inf)
        self._points: dict[int, list[np.ndarray]] = {}  # channel → arrays (2, k): value, weight

    def add(self, codes: np.ndarray, moments: np.ndarray) -> None:
        """Add rows (m, 6) of `MOMENTS` for the channels numbered `codes` (m,)."""
        size = self.n.size
        n, nan_frac, low, high, mean, std = moments.T
        present = np.rint(n * (1 - np.nan_to_num(nan_frac)))
        known = present > 0
        other = Pool(size)
        other.n = np.bincount(codes, n, size)
        codes, present, mean, std = codes[known], present[known], mean[known], std[known]
        other.present = np.bincount(codes, present, size)
        total = np.bincount(codes, present * mean, size)
        other.mean = total / np.maximum(other.present, 1)
        apart = mean - other.mean[codes]
        other.squares = np.bincount(codes, present * (std**2 + apart**2), size)
        np.minimum.at(other.low, codes, low[known])
        np.maximum.at(other.high, codes, high[known])
        self.merge(other)

    def merge(self, other: Pool) -> None:
        """Add another pool.

        Source: Chan, Golub, LeVeque (1979), pairwise update of mean and squared deviations.
        """
        present = self.present + other.present
        share = other.present / np.maximum(present, 1)
        apart = other.mean - self.mean
        self.mean = self.mean + apart * share
        self.squares = self.squares + other.squares + apart**2 * self.present * share
        self.n, self.present = self.n + other.n, present
        self.low, self.high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        self.sessions += other.sessions
        for code, more in other._points.items():
            self._points.setdefault(code, []).extend(more)

    def add_sketches(self, codes: np.ndarray, present: np.ndarray, sketches: np.ndarray) -> None:
        """Add sketches (m, 41) of `present` (m,) samples each."""
        for code in np.unique(codes[present > 0]):
            rows = np.flatnonzero((codes == code) & (present > 0))
            weight = present[rows, None] * _EDGES / _EDGES.sum()
            held = self._points.setdefault(int(code), [])
            held.append(_thin(sketches[rows].ravel(), weight.ravel()))
            if len(held) == _MERGE:
                held[:] = [_thin(*np.concatenate(held, axis=1))]

    def moments(self) -> dict[str, np.ndarray]:
        """Return present, n, nan_frac, min, max, mean, std, each (C,); NaN where nothing is."""
        none = np.where(self.present > 0, 0.0, np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            nan_frac = 1 - self.present / self.n
            std = np.sqrt(self.squares / self.present)
            low, high = self.low + none, self.high + none
        found = {"present": self.present.astype(np.int64), "n": self.n.astype(np.int64)}
        found |= {"nan_frac": nan_frac, "min": low, "max": high}
        return found | {"mean": self.mean + none, "std": std}

    def quantiles(self) -> dict[str, np.ndarray]:
        """Return q05 to q95, each (C,); NaN where no sketch was added."""
        levels = np.array(list(QUANTILES.values()))
        held = [_quantiles(self._points.get(i, []), levels) for i in range(self.n.size)]
        return dict(zip(QUANTILES, np.array(held).T, strict=True))


class SetPools:
    """Pools a set by split and by label while its sessions are written."""

    def __init__(self, channels: Sequence[str]) -> None:
        self._channels = list(channels)
        self._splits: dict[str, Pool] = {}
        self._labels: dict[str, Pool] = {}

    def add(
        self, splits: Sequence[str], rows: Sequence[int], codes: np.ndarray, moments: np.ndarray,
        sketches: np.ndarray,
    ) -> None:  # fmt: skip
        """Add sessions of given splits; `rows` says how many rows of the arrays each one has."""
        of = np.repeat(np.array(splits), rows)
        present = np.rint(moments[:, 0] * (1 - np.nan_to_num(moments[:, 1])))
        for split in set(splits):
            pool = self._splits.setdefault(split, Pool(len(self._channels)))
            mine = np.flatnonzero(of == split)
            pool.sessions += list(splits).count(split)
            pool.add(codes[mine], moments[mine])
            pool.add_sketches(codes[mine], present[mine], sketches[mine])

    def add_labels(
        self,
        intervals: Iterable[tuple[float, float, str, str]],
        signals: Iterable[tuple[slice, np.ndarray, np.ndarray]],
    ) -> None:
        """Add one session's labels (start_s, end_s, label, set) over its signals.

        Parameters
        ----------
        signals : (channel numbers as a slice, time_s (n,), values (n, C)) of each modality
        """
        held, new = list(signals), set()
        for start, end, label, _ in intervals:
            if len(self._labels) > MAX_LABELS:
                return
            pool = self._labels.setdefault(label, Pool(len(self._channels)))
            new.add(label)
            for codes, time_s, values in held:
                first, last = np.searchsorted(time_s, (start, end))
                _add_slice(pool, codes, values[first:last])
        for label in new:
            self._labels[label].sessions += 1

    def table(self) -> pa.Table:
        """Return `POOLED_SCHEMA`: all, then splits, then labels by name."""
        every = Pool(len(self._channels))
        for pool in self._splits.values():
            every.merge(pool)
        groups = [("all", "", every)] + [("split", s, p) for s, p in sorted(self._splits.items())]
        if len(self._labels) <= MAX_LABELS:
            groups += [("label", name, p) for name, p in sorted(self._labels.items())]
        tables = [self._rows(*group) for group in groups]
        return pa.concat_tables(tables).combine_chunks()

    def _rows(self, by: str, group: str, pool: Pool) -> pa.Table:
        size = len(self._channels)
        columns: dict[str, Any] = {"by": [by] * size, "group": [group] * size}
        columns |= {"channel": self._channels, "sessions": [pool.sessions] * size}
        columns |= pool.moments() | pool.quantiles()
        return pa.table([pa.array(columns[f.name], f.type) for f in POOLED_SCHEMA], POOLED_SCHEMA)


def write_pools(pools: SetPools, folder: Path) -> None:
    """Write pooled.parquet of a set."""
    write_table(pools.table(), folder / POOLED_FILE)


def read_pools(folder: Path) -> pd.DataFrame | None:
    """Return pooled.parquet, None for a set of an earlier version that has none."""
    path = folder / POOLED_FILE
    if not path.exists():
        return None
    frame: pd.DataFrame = read_table(path, POOLED_SCHEMA.names).to_pandas()
    return frame.assign(n=frame["n"].astype("int64"))


def pool_sessions(
    sessions: pd.DataFrame, per_session: pd.DataFrame, by: Literal["all", "split"]
) -> pd.DataFrame:
    """Return the columns of pooled.parquet from the statistics of every session.

    For sets of an earlier version; quantiles are then those of `pool_stats`.
    """
    groups = [("", sessions)] if by == "all" else sessions.groupby("split", sort=True)
    found = []
    for group, held in groups:
        rows = per_session[per_session["session_id"].isin(held["session_id"])]
        pooled = pool_stats(rows)
        pooled["present"] = np.rint(pooled["n"] * (1 - pooled["nan_frac"])).astype("int64")
        found.append(pooled.assign(group=group, sessions=len(held)))
    return pd.concat(found, ignore_index=True)[[n for n in POOLED_SCHEMA.names if n != "by"]]


def pool_groups(
    held: Iterable[tuple[np.ndarray, np.ndarray]],
    channels: Sequence[str],
    group: np.ndarray,
    names: Sequence[str | None],
) -> pd.DataFrame:
    """Return group, channel and the moments of each, pooled from the sessions' own.

    Parameters
    ----------
    held : of each channel, its sessions' rows (m,) and `MOMENTS` (m, 6)
    group : ndarray (sessions,), each session's place in `names`; -1 = left out
    """
    found = []
    for channel, (rows, moments) in zip(channels, held, strict=True):
        codes = group[rows]
        kept = codes >= 0
        pool = Pool(len(names))
        pool.add(codes[kept], moments[kept])
        found.append(pd.DataFrame({"group": names, "channel": channel} | pool.moments()))
    return pd.concat(found, ignore_index=True)


def _add_slice(pool: Pool, codes: slice, values: np.ndarray) -> None:
    """Add samples (n, C) to the channels `codes`, by the same update as whole sessions."""
    if not len(values):
        return
    wide = values.astype(np.float64)
    missing = np.isnan(wide)
    held = (len(wide) - missing.sum(axis=0)).astype(float)
    low, high = np.where(missing, np.inf, wide).min(axis=0), np.where(missing, -np.inf, wide).max(0)
    wide[missing] = 0.0
    mean = wide.sum(axis=0) / np.maximum(held, 1)
    wide -= mean
    wide[missing] = 0.0
    squares = np.einsum("ij,ij->j", wide, wide)
    before = pool.present[codes]
    share = held / np.maximum(before + held, 1)
    apart = mean - pool.mean[codes]
    pool.mean[codes] += apart * share
    pool.squares[codes] += squares + apart**2 * before * share
    pool.n[codes] += len(values)
    pool.present[codes] += held
    pool.low[codes] = np.minimum(pool.low[codes], low)
    pool.high[codes] = np.maximum(pool.high[codes], high)


def _thin(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return at most `_POINTS` points (2, k) of value and weight that stand for more of them."""
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    if values.size <= _POINTS:
        return np.stack([values, weights])
    rank = np.cumsum(weights) - weights / 2
    share = np.full(_POINTS, 1.0)
    share[[0, -1]] = 0.5
    share *= weights.sum() / share.sum()
    return np.stack([np.interp(np.cumsum(share) - share / 2, rank, values), share])


def _quantiles(points: list[np.ndarray], levels: np.ndarray) -> np.ndarray:
    if not points:
        return np.full(levels.size, np.nan)
    values, weights = np.concatenate(points, axis=1)
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    rank = (np.cumsum(weights) - weights / 2) / weights.sum()
    found: np.ndarray = np.interp(levels, rank, values)
    return found
