"""The rows that amounts are made of: samples with how long each stands, or stretches of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.calendar import STEP_S
from tool_use_om.tools.look.clock import starts
from tool_use_om.tools.look.samples import bounded, labelled, pieces_of, stands
from tool_use_om.tools.look.selection import Segment, Selection
from tool_use_om.tools.measure.grouping import CALENDAR, cuts

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_COLUMNS = ("session", "subject", "label", "time_s", "value", "stands_s", "moment", "at")


def samples(found: Selection, channel: str, by: Sequence[str]) -> tuple[pd.DataFrame, str | None]:
    """Return a row a sample of a channel, NaN among them, in order of sessions and time.

    Columns: session, subject, label, time_s (of its session), value, stands_s (seconds until the
    next, a gap left out), moment (local, NaT without dates) and at (0 to 1 in its session).

    Raises
    ------
    DataError : groups of the calendar, and no session has a date
    """
    import numpy as np
    import pandas as pd

    smaller, note = bounded(found, [channel])
    _check_dated(smaller, by)
    begin = starts(smaller.sessions)
    calendar = found.dataset.manifest.calendar
    spans = dict(zip(smaller.sessions["session_id"], smaller.sessions["duration_s"], strict=True))
    people = dict(zip(smaller.sessions["session_id"], smaller.sessions["subject_id"], strict=True))
    parts = []
    for piece in pieces_of(smaller, [channel], "label" if "label" in by else "session"):
        n, session = len(piece.time_s), piece.session_id
        if not n:
            continue
        period = 1.0 / piece.rate_hz if calendar.step is None else STEP_S[calendar.step]
        steps = np.diff(piece.time_s, append=piece.time_s[-1] + period)
        moment = (
            calendar.stamps(begin[session], piece.time_s)
            if session in begin
            else np.full(n, np.datetime64("NaT", "us"))
        )
        parts.append(
            pd.DataFrame(
                {
                    "session": session,
                    "subject": str(people[session]),
                    "label": str(piece.group) if "label" in by else "",
                    "time_s": piece.time_s,
                    "value": piece.values.astype(np.float64),
                    "stands_s": np.minimum(steps, stands(steps, period)),
                    "moment": moment,
                    "at": piece.time_s / max(float(spans[session]), period),
                }
            )
        )
    if not parts:
        raise DataError(f"{channel} has no samples in what is asked about. Widen the filters.")
    return pd.concat(parts, ignore_index=True)[list(_COLUMNS)], note


def stretches(found: Selection, label: str | None, by: Sequence[str]) -> pd.DataFrame:
    """Return a row a stretch of one label (or of all that is selected), cut where groups change.

    Columns as of `samples`, with stands_s as its length, and `begins`: whether a stretch of the
    label begins with this row (one that goes on in the next group does not begin again).
    """
    import pandas as pd

    _check_dated(found, by)
    begin = starts(found.sessions)
    spans = dict(zip(found.sessions["session_id"], found.sessions["duration_s"], strict=True))
    people = dict(zip(found.sessions["session_id"], found.sessions["subject_id"], strict=True))
    held = found.segments if label is None else _merged(labelled(found), label)
    rows: list[dict[str, Any]] = []
    for one in held:
        session = one.session_id
        for i, (low, high, moment) in enumerate(_cut(found, one, begin.get(session), by)):
            rows.append({
                "session": session, "subject": str(people[session]), "label": one.label or "",
                "time_s": low, "value": high - low, "stands_s": high - low, "moment": moment,
                "at": low / max(float(spans[session]), 1e-9), "begins": i == 0,
                "start_s": one.start_s, "end_s": one.end_s,
            })  # fmt: skip
    columns = [*_COLUMNS, "begins", "start_s", "end_s"]
    table = pd.DataFrame(rows, columns=columns)
    table["moment"] = pd.to_datetime(table["moment"])
    return table


def runs(table: pd.DataFrame, beyond: pd.Series[bool]) -> pd.DataFrame:
    """Return the rows of `samples` beyond a level, with `begins`, start_s and end_s of their run.

    A run ends where a sample is not beyond it, at a gap and with its session.
    """
    import numpy as np

    before = beyond.shift(fill_value=False) & table["session"].eq(table["session"].shift())
    gap = table["time_s"].diff().gt(table["stands_s"].shift() * (1 + 1e-6))
    begins = beyond & (~before | gap)
    run = begins.cumsum()
    kept = table[beyond].assign(begins=begins[beyond], run=run[beyond])
    ends = kept["time_s"] + kept["stands_s"]
    groups = kept.groupby("run")
    return kept.assign(
        start_s=groups["time_s"].transform("min"),
        end_s=np.maximum(ends.groupby(kept["run"]).transform("max"), kept["time_s"]),
    )


def _merged(segments: Sequence[Segment], label: str) -> list[Segment]:
    """Return the stretches of a label, those that touch or overlap as one."""
    from dataclasses import replace

    out: list[Segment] = []
    own = (s for s in segments if str(s.label) == label)
    for one in sorted(own, key=lambda s: (s.session_id, s.start_s)):
        last = out[-1] if out else None
        if last and last.session_id == one.session_id and one.start_s <= last.end_s + 1e-6:
            out[-1] = replace(last, end_s=max(last.end_s, one.end_s))
        else:
            out.append(one)
    return out


def _cut(
    found: Selection,
    one: Segment,
    begin: datetime | None,
    by: Sequence[str],
) -> list[tuple[float, float, np.datetime64]]:
    """Return a stretch in parts that lie in one group each: from, to (seconds), local moment."""
    import numpy as np

    if begin is None or not set(by) & CALENDAR:
        edges = [one.start_s, one.end_s]
        if "half" in by:
            spans = found.sessions.set_index("session_id")["duration_s"]
            half = float(spans[one.session_id]) / 2
            edges = sorted({*edges, *([half] if one.start_s < half < one.end_s else [])})
        nothing = np.datetime64("NaT", "us")
        moments = [nothing] * (len(edges) - 1)
        if begin is not None:
            moments = list(found.dataset.manifest.calendar.stamps(begin, edges[:-1]))
        return list(zip(edges, edges[1:], moments, strict=False))
    calendar = found.dataset.manifest.calendar
    first, last = calendar.stamps(begin, [one.start_s, one.end_s])
    inner = cuts(first, last, by)
    passed = (inner - first) / np.timedelta64(1, "s")
    edges = [one.start_s, *(one.start_s + passed), one.end_s]
    edges = [min(e, one.end_s) for e in edges]
    moments = [first, *inner]
    return [
        (low, high, moment)
        for low, high, moment in zip(edges, edges[1:], moments, strict=False)
        if high > low
    ]


def _check_dated(found: Selection, by: Sequence[str]) -> None:
    from tool_use_om.tools.look.clock import dated

    if set(by) & CALENDAR:
        dated(found.dataset, found.sessions)
