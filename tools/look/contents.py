"""What sessions hold, from the index alone: labels in time, people, dates, lengths."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import UNKNOWN_SUBJECT
from tool_use_om.tools.look.clock import moment_text, starts, told_zone
from tool_use_om.tools.look.found import (
    AtSecond,
    Dates,
    HeldStretch,
    Hole,
    LabelRow,
    LabelsAt,
    LabelStretch,
    LabelTimes,
    SessionLength,
    SubjectRow,
    Unlabelled,
)
from tool_use_om.tools.look.selection import SHOWN, Selection, main_label_set, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import pandas as pd

_MOST_LABELS = 24
_MOST_SUBJECTS = 24
_FEW_SESSIONS = 3  # so many are told stretch by stretch
_MOST_STRETCHES = 20  # of one label
_DAY_S = 86400.0
_HOLE_S = 0.5  # shorter pauses between labels are not worth a line
_TOUCH_S = 1e-6


def contents_of(found: Selection, at_s: float | None) -> dict[str, Any]:
    """Return lengths, dates, people and labels of the selected sessions, as results show them.

    Parameters
    ----------
    at_s : the second whose labels are told, None = none

    Raises
    ------
    DataError : `at_s` lies past the end of every session
    """
    if found.sessions.empty:
        return {}
    told: dict[str, Any] = {"selected_s": found.total_s, **_lengths(found), **_dates(found)}
    told |= {"subjects": _subjects(found)}
    if found.dataset.manifest.label_sets:
        told |= _labels(found)
    if at_s is not None:
        told["at"] = _at(found, at_s)
    return told


def _lengths(found: Selection) -> dict[str, Any]:
    """Return the longest and the shortest session; `n` sessions are as long."""
    spans = found.sessions["duration_s"].to_numpy(float)
    ends = {}
    for name, at in (("longest", int(spans.argmax())), ("shortest", int(spans.argmin()))):
        alike = int((abs(spans - spans[at]) < _TOUCH_S).sum())
        session = found.session_ids[at]
        ends[name] = SessionLength(session_id=session, duration_s=float(spans[at]), n=alike)
    return ends


def _dates(found: Selection) -> dict[str, Any]:
    """Return the first and the last sample's moment, and how long all is; nothing undated."""
    begin = starts(found.sessions)
    if not begin:
        return {}
    spans = dict(
        zip(found.sessions["session_id"], found.sessions["duration_s"].astype(float), strict=True)
    )
    first = min(begin, key=lambda s: begin[s])
    last = max(begin, key=lambda s: begin[s].timestamp() + spans[s])
    calendar = found.dataset.manifest.calendar
    period = 1.0 / max(m.rate_hz for m in found.dataset.manifest.modalities)
    length = begin[last].timestamp() + spans[last] - begin[first].timestamp()
    return {
        "dates": Dates(
            from_=moment_text(begin[first], 0.0, calendar),
            to=moment_text(begin[last], max(spans[last] - period, 0.0), calendar),
            length_s=length,
            n_sessions=len(begin),
            zone=told_zone(calendar).get("zone"),
        )
    }


def _subjects(found: Selection) -> list[SubjectRow]:
    known = found.sessions[found.sessions["subject_id"] != UNKNOWN_SUBJECT]
    rows = [
        SubjectRow(
            subject=str(subject),
            n_sessions=len(held),
            total_s=float(held["duration_s"].sum()),
            sessions=held["session_id"].head(SHOWN).tolist(),
        )
        for subject, held in known.groupby("subject_id", sort=True)
    ]
    return rows[:_MOST_SUBJECTS]


def _labels(found: Selection) -> dict[str, Any]:
    """Return each label's sessions and time, and what has no label in the set that covers most."""
    rows = found.dataset.labels(found.session_ids)
    spans = dict(
        zip(found.sessions["session_id"], found.sessions["duration_s"].astype(float), strict=True)
    )
    whole = sum(spans.values())
    labels: list[LabelRow] = []
    for label, held in rows.groupby("label", sort=False):
        seconds = sum(
            end - start for _, parts in _by_session(held, spans) for start, end in _union(parts)
        )
        sessions = int(held["session_id"].nunique())
        labels.append(LabelRow(
            label=str(label), set=str(held["set"].iloc[0]), n_sessions=sessions,
            sessions_frac=sessions / len(spans), total_s=seconds, time_frac=seconds / whole,
            n_stretches=len(held),
        ))  # fmt: skip
    labels.sort(key=lambda row: -row.total_s)
    main = main_label_set(found.dataset)
    told: dict[str, Any] = {
        "labels": labels[:_MOST_LABELS],
        "n_labels": len(labels),
        "label_set": main,
    }
    told |= {"unlabelled": _unlabelled(rows[rows["set"] == main], spans)}
    if len(spans) <= _FEW_SESSIONS:
        told["stretches"] = _stretches(rows, spans)
    return told


def _by_session(
    rows: pd.DataFrame, spans: dict[str, float]
) -> Iterable[tuple[str, list[tuple[float, float]]]]:
    held: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in records(rows[["session_id", "start_s", "end_s"]]):
        end = min(float(row["end_s"]), spans[row["session_id"]])
        held[row["session_id"]].append((float(row["start_s"]), end))
    return held.items()


def _union(parts: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return stretches joined where they touch or overlap."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted(parts):
        if joined and start <= joined[-1][1] + _TOUCH_S:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        elif end > start:
            joined.append((start, end))
    return joined


def _unlabelled(rows: pd.DataFrame, spans: dict[str, float]) -> Unlabelled:
    """Return how much of the time has no label, and where: the longest parts first."""
    held = dict(_by_session(rows, spans))
    holes = [
        Hole(session_id=session, start_s=start, end_s=end, length_s=end - start)
        for session, span in spans.items()
        for start, end in _holes(held.get(session, []), span)
    ]
    holes.sort(key=lambda hole: -hole.length_s)
    total = sum(hole.length_s for hole in holes)
    return Unlabelled(
        total_s=total, time_frac=total / sum(spans.values()), n_parts=len(holes),
        n_sessions=sum(not held.get(session) for session in spans), parts=holes[:SHOWN],
    )  # fmt: skip


def _holes(parts: Sequence[tuple[float, float]], span: float) -> list[tuple[float, float]]:
    edges = [(0.0, 0.0), *_union(parts), (span, span)]
    between = [(a[1], b[0]) for a, b in pairwise(edges)]
    return [(start, end) for start, end in between if end - start > _HOLE_S]


def _stretches(rows: pd.DataFrame, spans: dict[str, float]) -> list[LabelStretch]:
    kept = rows.sort_values(["session_id", "start_s"])[["session_id", "label", "start_s", "end_s"]]
    told = records(kept.head(_MOST_LABELS))
    ends = [min(float(row["end_s"]), spans[row["session_id"]]) for row in told]
    return [LabelStretch(**row | {"end_s": end}) for row, end in zip(told, ends, strict=True)]


def label_times(found: Selection, recorded_s: float) -> list[LabelTimes]:
    """Return when each label of a selection by labels holds, in order of time.

    Parameters
    ----------
    found : selected by labels, so that its stretches (seconds of their session) carry one
    recorded_s : what their shares are of, with and without a label
    """
    return [
        _times_of(found, str(label), rows, recorded_s)
        for label, rows in found.stretches.groupby("label")
    ]


def _times_of(found: Selection, label: str, rows: pd.DataFrame, recorded_s: float) -> LabelTimes:
    spans = dict(
        zip(found.sessions["session_id"], found.sessions["duration_s"].astype(float), strict=True)
    )
    begin = starts(found.sessions)
    held = [
        (session, start, end)
        for session, parts in _by_session(rows, spans)
        for start, end in _union(parts)
    ]
    if all(session in begin for session, _, _ in held):
        held.sort(key=lambda part: begin[part[0]].timestamp() + part[1])
    stretches = [_held(found, begin.get(part[0]), *part) for part in held]
    return LabelTimes(
        label=label, n_stretches=len(held), n_sessions=len({session for session, _, _ in held}),
        total_s=(total := sum(row.length_s for row in stretches)),
        time_frac=min(1.0, total / recorded_s) if recorded_s else 0.0,
        longest=max(stretches, key=lambda row: row.length_s),
        shortest=min(stretches, key=lambda row: row.length_s),
        last=stretches[-1], stretches=stretches[:_MOST_STRETCHES],
        zone=told_zone(found.dataset.manifest.calendar).get("zone") if begin else None,
    )  # fmt: skip


def _held(
    found: Selection, begin: datetime | None, session: str, start: float, end: float
) -> HeldStretch:
    """Return a stretch with its moments; one of whole days ends on its last day."""
    manifest = found.dataset.manifest
    period = 1.0 / max(m.rate_hz for m in manifest.modalities)
    until = end - period if manifest.calendar.step or period >= _DAY_S else end
    return HeldStretch(
        session_id=session, start_s=start, end_s=end, length_s=end - start,
        from_=moment_text(begin, start, manifest.calendar),
        to=moment_text(begin, until, manifest.calendar),
    )  # fmt: skip


def _at(found: Selection, at_s: float) -> AtSecond:
    """Return the labels that hold at a second of each session that is so long."""
    spans = found.sessions["duration_s"].astype(float)
    longest = float(spans.max())
    if at_s > longest + _TOUCH_S:
        raise DataError(
            f"`at_s` must be inside the sessions, which end by {longest:g} s, got {at_s:g}. "
            f"Choose 0 <= at_s < {longest:g}."
        )
    ids = found.sessions["session_id"][spans >= at_s].tolist()
    rows = found.dataset.labels(ids)
    here = rows[(rows["start_s"] <= at_s) & (rows["end_s"] > at_s)]
    held = here.groupby("session_id")["label"].agg(list).to_dict()
    return AtSecond(
        at_s=at_s,
        sessions=[LabelsAt(session_id=s, labels=held.get(s, [])) for s in ids[:SHOWN]],
        n_sessions=len(ids),
    )
