"""One statistic a channel (and group) over a selection: from the index where it suffices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.moments import STATISTICS, Moments, unit_of
from tool_use_om.tools.selection import Segment, Selection, records

Key = tuple[str, str | None]  # channel, group


def channel_statistics(
    found: Selection, channels: tuple[str, ...], *, by: str, statistic: str
) -> list[dict[str, Any]]:
    """Return one row a channel and group, the highest value first.

    The moments are exact and pooled over all samples of the selection (standard deviations are
    the population's). Signals are read only where labels or a time range cut sessions.

    Raises
    ------
    DataError : grouping by label where nothing is labelled
    """
    whole = by != "label" and _uncut(found)
    parts = _from_index(found, channels) if whole else _from_signals(found, channels, by)
    subjects = dict(zip(found.sessions["session_id"], found.sessions["subject_id"], strict=True))
    pooled: dict[Key, Moments] = defaultdict(Moments)
    for session_id, label, channel, moments in parts:
        groups = {"session": session_id, "subject": subjects[session_id], "label": label}
        key = (channel, groups.get(by))
        pooled[key] = pooled[key].merge(moments)
    rows = [_row(found, key, m, by=by, statistic=statistic) for key, m in pooled.items() if m.n]
    if not rows:
        raise DataError(f"Nothing to compute by {by}: no such samples. Use by='channel'.")
    return sorted(rows, key=lambda r: -r["value"])


Part = tuple[str, str | None, str, Moments]  # session, label, channel


def _from_index(found: Selection, channels: tuple[str, ...]) -> Iterator[Part]:
    table = found.dataset.channel_stats(channels, found.session_ids)
    for row in records(table):
        n = round(row["n"] * (1 - row["nan_frac"]))
        if n:
            moments = Moments(
                n=n,
                mean=row["mean"],
                squares=row["std"] ** 2 * n,
                low=row["min"],
                high=row["max"],
            )
            yield row["session_id"], None, row["channel"], moments


def _from_signals(found: Selection, channels: tuple[str, ...], by: str) -> Iterator[Part]:
    for segment in _labelled(found) if by == "label" else found.segments:
        signals = found.dataset.read(segment.session_id, channels, segment.start_s, segment.end_s)
        for signal in signals:
            for i, channel in enumerate(signal.channels):
                yield segment.session_id, segment.label, channel, Moments.of(signal.values[:, i])


def _labelled(found: Selection) -> list[Segment]:
    """The selection's segments, cut again by every label."""
    if any(s.label is not None for s in found.segments):
        return list(found.segments)
    rows = records(found.dataset.labels(session_ids=found.session_ids))
    spans = {s.session_id: s for s in found.segments}
    cut = []
    for row in rows:
        span = spans[row["session_id"]]
        start, end = max(row["start_s"], span.start_s), min(row["end_s"], span.end_s)
        if end > start:
            cut.append(
                Segment(
                    session_id=span.session_id, start_s=start, end_s=end, label=str(row["label"])
                )
            )
    return cut


def _uncut(found: Selection) -> bool:
    duration = dict(zip(found.sessions["session_id"], found.sessions["duration_s"], strict=True))
    return all(
        s.label is None and s.start_s == 0 and s.end_s >= duration[s.session_id]
        for s in found.segments
    )


def _row(
    found: Selection, key: Key, moments: Moments, *, by: str, statistic: str
) -> dict[str, Any]:
    channel, group = key
    return {
        "channel": channel,
        **({"group": group} if by != "channel" else {}),
        "value": STATISTICS[statistic](moments),
        "unit": unit_of(statistic, found.dataset.manifest.unit_of(channel)),
        "n": moments.n,
    }
