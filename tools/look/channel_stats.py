"""One statistic a channel (and group) over a selection: from the index where it suffices."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.pools import Pool
from tool_use_om.data.format.stats import MOMENTS
from tool_use_om.data.units import adds_up
from tool_use_om.tools.look.clock import CALENDAR_GROUPS
from tool_use_om.tools.look.ordered import ORDERED, ordered_rows, place_of
from tool_use_om.tools.look.samples import pieces_of
from tool_use_om.tools.look.selection import Selection, records

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Key = tuple[str, str | None]  # channel, group
_KEPT = 500  # rows at either end that a result keeps
_COUNTED = 100  # sessions of a set in which a counter is looked for
_PLACED = 24  # of more rows, only the two ends are looked for in time


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """One row a channel and group, the highest value first; of many, the two ends."""

    rows: list[dict[str, Any]]
    n_rows: int
    note: str | None = None


def channel_statistics(
    found: Selection,
    channels: tuple[str, ...],
    *,
    by: str,
    statistic: str,
    percent: float | None = None,
    threshold: float | None = None,
    upper: float | None = None,
) -> Ranking:
    """Rank channels (and groups) by one statistic.

    The moments are exact and pooled over all samples of the selection (standard deviations are
    the population's). Signals are read only where labels or a time range cut sessions, and not
    even then if what the index has pooled suffices; medians, percentiles and what a channel does
    in time need them always. Minimum and maximum come with where they are.

    Raises
    ------
    DataError : grouping by label where nothing is labelled, by the calendar without dates, or a
        statistic that lacks its percent, threshold or second channel
    """
    from tool_use_om.tools.look.course import COURSES

    note: str | None = None
    if statistic in COURSES:
        rows, note = COURSES[statistic](found, channels, by, _bounds(statistic, threshold, upper))
    elif statistic in ORDERED:
        rows, note = ordered_rows(found, channels, by, statistic, percent)
    elif statistic == "sum" and (counters := _counters(found, channels)):
        others = tuple(c for c in channels if c not in counters)
        used, note = _used_rows(found, counters, by)
        rows = [*used, *(_moment_rows(found, others, by, statistic) if others else [])]
    else:
        rows = _moment_rows(found, channels, by, statistic)
    if not rows:
        raise DataError(f"Nothing to compute by {by}: no such samples. Use by='channel'.")
    rows.sort(key=lambda row: -row["value"])
    n_rows = len(rows)
    if n_rows > 2 * _KEPT:
        rows = rows[:_KEPT] + rows[-_KEPT:]
    if statistic in {"min", "max"}:
        ends = rows if n_rows <= _PLACED else [rows[0], rows[-1]]
        for row in ends:
            row.update(place_of(found, row, by))
    return Ranking(rows=rows, n_rows=n_rows, note=note)


def _bounds(
    statistic: str, threshold: float | None, upper: float | None
) -> tuple[float, float] | None:
    """Return the lower and the upper bound that are meant, infinite where one is open."""
    if threshold is None:
        return None
    if statistic == "time_between":
        if upper is None:
            raise DataError("Time between two levels needs `threshold` and `upper`.")
        return min(threshold, upper), max(threshold, upper)
    return (threshold, math.inf) if statistic == "time_above" else (-math.inf, threshold)


def _counters(found: Selection, channels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the channels of amounts that count up like a meter: their sum is what was used."""
    from tool_use_om.heads.numeric.counter import is_counter

    meant = tuple(c for c in channels if adds_up(found.dataset.manifest.unit_of(c)))
    if not meant or len(found.sessions) > _COUNTED:
        return ()
    first = found.session_ids[0]
    return tuple(
        channel
        for signal in found.dataset.read(first, meant)
        for i, channel in enumerate(signal.channels)
        if is_counter(signal.values[:, i])
    )


def _used_rows(
    found: Selection, channels: tuple[str, ...], by: str
) -> tuple[list[dict[str, Any]], str]:
    """Return a row a counter and group: by how much it went up, impossible readings left out."""
    from tool_use_om.heads.numeric.counter import increments

    wrong = 0

    def used(values: np.ndarray) -> np.ndarray:
        nonlocal wrong
        steps, n = increments(values)
        wrong += n
        return steps

    pooled: dict[Key, Moments] = defaultdict(Moments)
    for piece in pieces_of(found, channels, by, used):
        key = (piece.channel, piece.group)
        pooled[key] = pooled[key].merge(Moments.of(piece.values))
    rows = [
        {
            "channel": channel, **({"group": group} if by != "channel" else {}),
            "value": m.mean * m.n, "unit": found.dataset.manifest.unit_of(channel), "n": m.n,
        }
        for (channel, group), m in pooled.items()
        if m.n
    ]  # fmt: skip
    out = f"; {wrong} impossible reading{'s' * (wrong != 1)} left out" if wrong else ""
    return rows, f"{', '.join(channels)} counts up like a meter: what it went up by is summed{out}"


def _moment_rows(
    found: Selection, channels: tuple[str, ...], by: str, statistic: str
) -> list[dict[str, Any]]:
    pooled = _pooled(found, channels, by)
    if pooled is None:
        pooled = _from_signals(found, channels, by)
    pooled = pooled[pooled["present"] > 0]
    pooled = pooled.assign(value=STATISTICS[statistic](pooled))
    units = {c: unit_of(statistic, found.dataset.manifest.unit_of(c)) for c in channels}
    rows = [_row(r, units[r["channel"]], by) for r in records(pooled)]
    return [row | _energy(found, row) for row in rows] if statistic == "sum" else rows


def _energy(found: Selection, row: dict[str, Any]) -> dict[str, Any]:
    """Return what a sum of power is as energy: each sample lasts one period."""
    kilowatts = {"kW": 1.0, "W": 1e-3}.get(row["unit"])
    if kilowatts is None:
        return {}
    hours = 1.0 / found.dataset.manifest.rate_of(row["channel"]) / 3600.0
    return {"energy": {"value": row["value"] * kilowatts * hours, "unit": "kWh"}}


def _pooled(found: Selection, channels: tuple[str, ...], by: str) -> pd.DataFrame | None:
    """Return rows of channel, group, present, mean, std, min, max; None if signals must be read."""
    dataset = found.dataset
    whole = found.uncut and found.every_session
    if (by == "label" and (whole or found.labels)) or (by == "channel" and found.labels):
        rows = dataset.pooled_stats(channels, by="label")
        if rows is None:
            return None
        if found.labels:
            rows = rows[rows["group"].isin(found.labels)]
        return rows if by == "label" else _together(rows)
    if by == "label" or by in CALENDAR_GROUPS or not found.uncut:
        return None
    if by == "channel" and whole:
        return dataset.pooled_stats(channels)
    if by == "channel" and (split := found.whole_split):
        rows = dataset.pooled_stats(channels, by="split")
        return rows[rows["group"] == split]
    return _from_index(found, channels, by)


def _from_index(found: Selection, channels: tuple[str, ...], by: str) -> pd.DataFrame:
    groups = None if by == "channel" else found.sessions[f"{by}_id"]
    return found.dataset.pooled_over(channels, found.sessions["session_id"], groups)


def _together(table: pd.DataFrame) -> pd.DataFrame:
    """Pool rows of `MOMENTS` by channel."""
    import pandas as pd

    codes, channels = pd.factorize(table["channel"])
    pool = Pool(len(channels))
    pool.add(codes, table[list(MOMENTS)].to_numpy(float))
    return pd.DataFrame({"group": None, "channel": channels} | pool.moments())


def _from_signals(found: Selection, channels: tuple[str, ...], by: str) -> pd.DataFrame:
    import pandas as pd

    pooled: dict[Key, Moments] = defaultdict(Moments)
    for piece in pieces_of(found, channels, by):
        key = (piece.channel, piece.group)
        pooled[key] = pooled[key].merge(Moments.of(piece.values))
    rows = [{"channel": c, "group": g, **m.row()} for (c, g), m in pooled.items() if m.n]
    return pd.DataFrame(rows, columns=["channel", "group", *Moments().row()])


def _row(row: dict[str, Any], unit: str, by: str) -> dict[str, Any]:
    return {
        "channel": row["channel"],
        **({"group": row["group"]} if by != "channel" else {}),
        "value": row["value"],
        "unit": unit,
        "n": row["present"],
    }


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Count, mean, summed squared deviation and range of the samples that are not missing."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    @classmethod
    def of(cls, values: np.ndarray) -> Moments:
        """Return the moments of `values` (n,); NaN = missing, not counted."""
        present = values[values == values].astype("float64")  # noqa: PLR0124  # NaN differs from itself
        if not present.size:
            return cls()
        mean = float(present.mean())
        squares = float(((present - mean) ** 2).sum())
        return cls(
            n=int(present.size),
            mean=mean,
            squares=squares,
            low=float(present.min()),
            high=float(present.max()),
        )

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both sets of samples together.

        Source: Chan, Golub, LeVeque (1979), pairwise update of mean and squared deviations.
        """
        n = self.n + other.n
        if not n:
            return self
        apart = other.mean - self.mean
        return Moments(
            n=n,
            mean=self.mean + apart * other.n / n,
            squares=self.squares + other.squares + apart**2 * self.n * other.n / n,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
        )

    def row(self) -> dict[str, float]:
        """Return present (samples counted), mean, std (population), min and max."""
        std = math.sqrt(self.squares / self.n) if self.n else math.nan
        found = {"present": self.n, "mean": self.mean, "std": std}
        return found | {"min": self.low, "max": self.high}


# from what a row, or a table of them by column, says of mean, std, min and max
STATISTICS: dict[str, Callable[[Any], Any]] = {
    "mean": lambda m: m["mean"],
    "std": lambda m: m["std"],
    "variance": lambda m: m["std"] ** 2,
    "min": lambda m: m["min"],
    "max": lambda m: m["max"],
    "range": lambda m: m["max"] - m["min"],
    "rms": lambda m: (m["std"] ** 2 + m["mean"] ** 2) ** 0.5,
    "sum": lambda m: m["mean"] * m["present"],
    "count": lambda m: m["present"].astype(float),
}


def unit_of(statistic: str, unit: str) -> str:
    """Return the unit of a statistic of a channel in `unit`."""
    if statistic == "count":
        return "1"
    if statistic != "variance":
        return unit
    return f"{unit}^2" if unit.isalpha() else f"({unit})^2"
