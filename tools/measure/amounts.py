"""Amounts by group out of samples or stretches: the sums and statistics themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.data.units import adds_up
from tool_use_om.tools.call.arguments import MeasureAmounts
from tool_use_om.tools.look.clock import moment_text, starts
from tool_use_om.tools.look.selection import Selection
from tool_use_om.tools.measure.grouping import names_of, places
from tool_use_om.tools.measure.table import runs, samples, stretches

if TYPE_CHECKING:
    import pandas as pd

_WHOLE = 0.75  # a group with less of the usual recorded time is a part of one
_OF_TIME = frozenset({"date", "night", "week", "month", "year"})
_KILOWATTS = {"W": 1e-3, "kW": 1.0, "MW": 1e3}
_EXTREMES = frozenset({"min", "max"})


@dataclass(frozen=True, kw_only=True)
class Table:
    """Amounts by group, in order of time or name.

    Parameters
    ----------
    rows : group, value, unit, n, and what else `found.AmountRow` has
    adds_up : whether amounts of parts add up to the amount of the whole
    runs : the stretches of a label or beyond a level, with what is extreme in them
    """

    of: str
    rows: list[dict[str, Any]]
    adds_up: bool
    recorded_s: float
    runs: pd.DataFrame | None = None
    note: str | None = None


def amounts_of(found: Selection, asked: MeasureAmounts) -> Table:
    """Return the amounts of a selection.

    Raises
    ------
    DataError : groups that the data cannot have, energy of what is no power
    """
    keys = [asked.by, *([asked.per] if asked.per else [])]
    if asked.of in {"time", "events"}:
        return _of_time(found, asked, keys)
    return _of_channel(found, asked, keys)


def ends_of(table: Table, *, lowest: bool) -> dict[str, dict[str, Any]]:
    """Return the longest, the first and the last stretch of a table of time; {} of others."""
    held = table.runs
    if held is None or held.empty:
        return {}
    spans = held.drop_duplicates(["session", "start_s"])
    if "level" in held:
        whole = held.groupby(["session", "start_s"])["level"]
        extremes = (whole.min() if lowest else whole.max()).to_dict()
    else:
        extremes = {}
    length = (spans["end_s"] - spans["start_s"]).to_numpy()
    order = spans.sort_values(["moment", "session", "start_s"])
    chosen = {
        "longest": spans.iloc[int(length.argmax())], "first": order.iloc[0], "last": order.iloc[-1],
    }  # fmt: skip
    return {name: _stretch(row, extremes) for name, row in chosen.items()}


def _stretch(row: pd.Series, extremes: dict[Any, float]) -> dict[str, Any]:
    start, end = float(row["start_s"]), float(row["end_s"])
    found: dict[str, Any] = {
        "session_id": str(row["session"]), "start_s": start, "end_s": end, "length_s": end - start,
    }  # fmt: skip
    level = extremes.get((row["session"], row["start_s"]))
    return found | ({"extreme": float(level)} if level is not None else {})


def _grouped(table: pd.DataFrame, asked: MeasureAmounts, keys: Sequence[str]) -> pd.DataFrame:
    """Return the table with `outer` and `inner`, rows of no group left out."""
    names = [names_of(table, by, asked.parts, asked.periods) for by in keys]
    table = table.assign(outer=names[0], inner=names[-1])
    return table if asked.by == "whole" else table[table["outer"] != ""]


def _of_time(found: Selection, asked: MeasureAmounts, keys: Sequence[str]) -> Table:
    if asked.label is not None:
        recorded = stretches(found, None, keys)
        held = stretches(found, asked.label, keys)
        note = None
    else:
        recorded, note = samples(found, str(asked.channel), keys)
        recorded = recorded[recorded["value"].notna()].reset_index(drop=True)
        held = runs(recorded, _beyond(recorded["value"], asked))
        held = held.assign(level=held["value"])
    base, held = _grouped(recorded, asked, keys), _grouped(held, asked, keys)
    values = held["stands_s"] if asked.of == "time" else held["begins"].astype(float)
    inner = values.groupby([held["outer"], held["inner"]]).sum()
    every = base.groupby(["outer", "inner"])["stands_s"].sum()
    inner = inner.reindex(every.index, fill_value=0.0)
    counts = held["begins"].groupby(held["outer"]).sum()
    unit = "s" if asked.of == "time" else "count"
    rows = _outer(inner, every, counts, asked, unit)
    if asked.of == "time" and not asked.per:
        spans = every.groupby("outer").sum()
        for row in rows:
            whole = float(spans[row["group"] or ""])
            row["share_frac"] = min(1.0, row["value"] / whole) if whole else 0.0
    return Table(
        of=asked.of, rows=rows, adds_up=not asked.per,
        recorded_s=float(base["stands_s"].sum()), runs=held, note=note,
    )  # fmt: skip


def _beyond(values: pd.Series, asked: MeasureAmounts) -> pd.Series[bool]:
    if asked.above is not None and asked.below is not None:
        return values.gt(asked.above) & values.lt(asked.below)
    return values.gt(asked.above) if asked.above is not None else values.lt(asked.below)


def _of_channel(found: Selection, asked: MeasureAmounts, keys: Sequence[str]) -> Table:
    channel = str(asked.channel)
    unit = found.dataset.manifest.unit_of(channel)
    table, note = samples(found, channel, keys)
    of, table, said = _made_of(table, asked, unit)
    notes = [text for text in (note, said) if text]
    table = _grouped(table, asked, keys)
    known = table[table["value"].notna()]
    if asked.of == "return":
        inner = _returns(known)
        unit = "%"
    else:
        inner = _statistic(known, "sum" if of in {"rise", "energy"} else asked.statistic)
        unit = "kWh" if of == "energy" else unit
    every = known.groupby(["outer", "inner"])["stands_s"].sum()
    counts = known.groupby("outer")["value"].size().astype(float)
    rows = _outer(inner, every, counts, asked, unit)
    if asked.statistic in _EXTREMES and of == "value" and not asked.per:
        _place(found, rows, known)
    adds = of in {"rise", "energy"} or (of == "value" and asked.statistic == "sum")
    return Table(
        of=of, rows=rows, adds_up=adds and not asked.per,
        recorded_s=float(known["stands_s"].sum()), note="; ".join(notes) or None,
    )  # fmt: skip


def _made_of(
    table: pd.DataFrame, asked: MeasureAmounts, unit: str
) -> tuple[str, pd.DataFrame, str | None]:
    """Return what is measured, its rows, and a word on how: counters go by their steps."""
    from tool_use_om.heads.numeric.counter import (
        increments,
        increments_over,
        is_counter,
        starts_over,
    )

    summed = asked.of == "value" and asked.statistic == "sum"
    if asked.of == "energy" or (summed and unit in _KILOWATTS):
        if unit not in _KILOWATTS:
            raise DataError(
                f"Energy needs a channel of power (W or kW), {asked.channel} has {unit}."
            )
        kwh = table["value"] * table["stands_s"] / 3600 * _KILOWATTS[unit]
        return "energy", table.assign(value=kwh), None
    if asked.of != "rise" and not summed:
        return asked.of, table, None
    by_session = [(s, rows["value"].to_numpy()) for s, rows in table.groupby("session", sort=False)]
    first = by_session[0][1]
    over = starts_over(first)
    if not over and not is_counter(first) and asked.of != "rise":
        if not adds_up(unit) and unit not in {"a.u.", "count", "1"}:
            raise DataError(
                f"{asked.channel} is in {unit}: its values are no amounts that add up to a total, "
                "and it does not count up. Ask for its mean, its extremes or its change."
            )
        return "value", table, None
    steps = [increments_over(v) if over else increments(v)[0] for _, v in by_session]
    import numpy as np

    how = "counts up and starts over" if over else "counts up like a meter"
    said = f"{asked.channel} {how}: what it went up by is summed"
    return "rise", table.assign(value=np.concatenate(steps)), said


def _statistic(known: pd.DataFrame, statistic: str) -> pd.Series[float]:
    groups = known.groupby(["outer", "inner"])["value"]
    if statistic == "range":
        return groups.max() - groups.min()
    if statistic == "change":
        return groups.last() - groups.first()
    if statistic == "std":
        return groups.std(ddof=0)
    found: pd.Series[float] = groups.agg(statistic)
    return found


def _returns(known: pd.DataFrame) -> pd.Series[float]:
    """Return by how many percent the last value of each group is over that of the one before.

    The first group of a session is compared with its own first value.
    """
    order = known.groupby(["outer", "inner"], sort=False)["value"]
    last, first, n = order.last(), order.first(), order.size()
    before = last.shift().fillna(first)
    found = (last / before - 1) * 100
    return found[(n > 1) | last.shift().notna()]


def _outer(
    inner: pd.Series[float], every: pd.Series[float], counts: pd.Series[float],
    asked: MeasureAmounts, unit: str,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return a row a group; amounts of smaller groups inside it are put together by their mean."""
    inner = inner.dropna()
    if asked.per:
        kept = inner[~_parts(every, asked.per).reindex(inner.index, fill_value=False)]
        kept = kept if len(kept) else inner
        groups = kept.groupby("outer")
        values, counts = groups.mean(), groups.size().astype(float)
        part = dict.fromkeys(values.index, False)
    else:
        values = inner.groupby("outer").first()
        part = _parts(every, asked.by).groupby("outer").first().to_dict()
    names = [str(name) for name in values.index]
    order = places(asked.by, names, asked.parts, asked.periods) if asked.by != "whole" else [0]
    return [
        {
            "group": name or None, "value": float(values[name]), "unit": unit,
            "n": int(counts.get(name, 0)), "part": True if part.get(name) else None,
        }
        for _, name in sorted(zip(order, names, strict=True))
    ]  # fmt: skip


def _parts(every: pd.Series[float], by: str) -> pd.Series[bool]:
    """Say which groups of the calendar were recorded much less than is usual for them."""
    if by not in _OF_TIME:
        return every < 0
    return every < _WHOLE * every.median()


def _place(found: Selection, rows: list[dict[str, Any]], known: pd.DataFrame) -> None:
    """Say of each row in which session and when its extreme value first stands."""
    begin, calendar = starts(found.sessions), found.dataset.manifest.calendar
    for row in rows:
        own = known[known["outer"].eq(row["group"] or "")] if row["group"] else known
        at = own[own["value"] == row["value"]].iloc[0]
        session = str(at["session"])
        row["session_id"] = session
        row["time"] = moment_text(begin.get(session), float(at["time_s"]), calendar)
