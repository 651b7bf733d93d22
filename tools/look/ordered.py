"""Statistics of samples in order: medians and percentiles, first and last, where an extreme is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Json
from tool_use_om.tools.look.clock import moment_text, starts
from tool_use_om.tools.look.samples import Piece, bounded, pieces_of
from tool_use_om.tools.look.selection import Selection

if TYPE_CHECKING:
    import numpy as np

ORDERED = ("median", "percentile", "first", "last", "change")
_MEDIAN = 50.0


def ordered_rows(
    found: Selection, channels: tuple[str, ...], by: str, statistic: str, percent: float | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Return one row a channel and group: a quantile, or the first or last value with its place.

    Raises
    ------
    DataError : a percentile without `percent`
    """
    if statistic in {"first", "last"}:
        return _ends(found, channels, by, statistic), None
    if statistic == "change":
        return _changes(found, channels, by), None
    level = _MEDIAN if statistic == "median" else percent
    if level is None:
        raise DataError("A percentile needs `percent`, from 0 to 100: 50 is the median.")
    smaller, note = bounded(found, channels)
    return _quantiles(smaller, channels, by, level), note


def _quantiles(
    found: Selection, channels: tuple[str, ...], by: str, level: float
) -> list[dict[str, Any]]:
    import numpy as np

    held: dict[tuple[str, str | None], list[np.ndarray]] = defaultdict(list)
    for piece in pieces_of(found, channels, by):
        held[piece.channel, piece.group].append(piece.values)
    rows = []
    for (channel, group), parts in held.items():
        values = np.concatenate(parts)
        present = values[~np.isnan(values)].astype(np.float64)
        if present.size:
            value = float(np.percentile(present, level))
            rows.append(_row(found, channel, group, by, value=value, n=int(present.size)))
    return rows


def _changes(found: Selection, channels: tuple[str, ...], by: str) -> list[dict[str, Any]]:
    """Return by how much each channel changed from its first to its last value, and of what."""
    begins = _ends(found, channels, by, "first")
    first: dict[tuple[str, str], dict[str, Any]] = {
        (str(r["channel"]), str(r.get("group"))): r for r in begins
    }
    rows = []
    for last in _ends(found, channels, by, "last"):
        begin = first[str(last["channel"]), str(last.get("group"))]
        change = last["value"] - begin["value"]
        share = {"change_frac": change / begin["value"]} if begin["value"] > 0 else {}
        row: dict[str, Any] = {k: last[k] for k in ("channel", "group") if k in last}
        row |= {"value": change, "unit": last["unit"], **share, "n": 2}
        for name, end in (("first", begin), ("last", last)):
            row[name] = {k: end[k] for k in ("value", "unit", "time") if k in end}
        rows.append(row)
    return rows


def _ends(
    found: Selection, channels: tuple[str, ...], by: str, statistic: str
) -> list[dict[str, Any]]:
    """Return the first or last value of each channel; of sessions without dates, one each."""
    import numpy as np

    begins = starts(found.sessions)
    if by == "channel" and len(found.sessions) > 1 and len(begins) < len(found.sessions):
        by = "session"
    best: dict[tuple[str, str | None], tuple[float, Piece, int]] = {}
    sign = 1.0 if statistic == "first" else -1.0
    for piece in pieces_of(found, channels, by):
        present = np.flatnonzero(~np.isnan(piece.values))
        if not present.size:
            continue
        at = int(present[0] if statistic == "first" else present[-1])
        begin = begins.get(piece.session_id)
        moment = sign * (float(piece.time_s[at]) + (begin.timestamp() if begin else 0.0))
        key = (piece.channel, piece.group)
        if key not in best or moment < best[key][0]:
            best[key] = (moment, piece, at)
    rows = []
    for (channel, group), (_, piece, at) in best.items():
        place = _place(found, piece.session_id, float(piece.time_s[at]))
        value = float(piece.values[at])
        rows.append(_row(found, channel, group, by, value=value, n=1, **place))
    return rows


def place_of(found: Selection, row: dict[str, Any], by: str) -> dict[str, Any]:
    """Return session_id, at_s and (with dates) time of where a row's value first stands.

    The index says which sessions can hold it, so that only those are read.
    """
    import numpy as np

    channel, value = str(row["channel"]), float(row["value"])
    stats = found.dataset.channel_stats([channel], found.session_ids)
    holds = stats[(stats["min"] <= value) & (stats["max"] >= value)]
    for session in _in_order(found, holds["session_id"].tolist()):
        narrowed = _only(found, session)
        for piece in pieces_of(narrowed, [channel], by):
            if piece.group != row.get("group") and by != "channel":
                continue
            at = np.flatnonzero(piece.values.astype(np.float64) == value)
            if at.size:
                return _place(found, session, float(piece.time_s[at[0]]))
    return {}


def _in_order(found: Selection, sessions: list[str]) -> list[str]:
    wanted = set(sessions)
    return [s for s in found.session_ids if s in wanted]


def _only(found: Selection, session: str) -> Selection:
    """Return one session's part of a selection."""
    table = found.sessions[found.sessions["session_id"] == session].reset_index(drop=True)
    cut = found.stretches[found.stretches["session_id"] == session].reset_index(drop=True)
    return Selection(dataset=found.dataset, sessions=table, stretches=cut)


def _place(found: Selection, session: str, at_s: float) -> dict[str, Any]:
    begin = starts(_only(found, session).sessions).get(session)
    moment = moment_text(begin, at_s, found.dataset.manifest.calendar)
    return {"session_id": session, "at_s": at_s, **({"time": moment} if moment else {})}


def _row(
    found: Selection,
    channel: str,
    group: str | None,
    by: str,
    **told: Json,
) -> dict[str, Any]:
    unit = found.dataset.manifest.unit_of(channel)
    return {
        "channel": channel,
        **({"group": group} if by != "channel" else {}),
        **told,
        "unit": unit,
    }
