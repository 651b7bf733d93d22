"""The samples of a selection, channel by channel, each piece with the group it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tool_use_om.tools.look.clock import CALENDAR_GROUPS, codes, dated, group_name
from tool_use_om.tools.look.selection import Segment, Selection, records

if TYPE_CHECKING:
    import numpy as np

    Change = Callable[[np.ndarray], np.ndarray]

_STANDS = 1.5  # a sample stands for at most so many periods: not for a gap behind it
_UNEVEN = 4.0  # steps of so many periods are gaps, however usual
MAX_VALUES = 30_000_000  # held at once for what moments cannot give, such as a median


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Samples of one channel in one stretch of one session.

    `time_s` (n,) seconds from the session's start; `values` (n,) in the channel's unit, NaN =
    missing; `group` is the label, subject, session, hour … the piece is counted for, or None.
    """

    session_id: str
    channel: str
    group: str | None
    time_s: np.ndarray
    values: np.ndarray
    rate_hz: float


def pieces_of(
    found: Selection, channels: Sequence[str], by: str, change: Change | None = None
) -> Iterator[Piece]:
    """Yield the selection's samples, cut by label where that is the group.

    Parameters
    ----------
    change : made of the samples (n,) of each stretch before it is cut by the calendar

    Raises
    ------
    DataError : groups of the calendar, and no session has a date
    """
    subjects = dict(zip(found.sessions["session_id"], found.sessions["subject_id"], strict=True))
    starts = dated(found.dataset, found.sessions) if by in CALENDAR_GROUPS else {}
    for segment in labelled(found) if by == "label" else found.segments:
        session = segment.session_id
        groups = {"session": session, "subject": subjects[session], "label": segment.label}
        for signal in found.dataset.read(session, channels, segment.start_s, segment.end_s):
            for i, channel in enumerate(signal.channels):
                piece = Piece(
                    session_id=session, channel=channel, group=groups.get(by),
                    time_s=signal.time_s, rate_hz=signal.rate_hz,
                    values=change(signal.values[:, i]) if change else signal.values[:, i],
                )  # fmt: skip
                if by not in CALENDAR_GROUPS:
                    yield piece
                elif session in starts:
                    code = codes(
                        starts[session], signal.time_s, by, found.dataset.manifest.calendar
                    )
                    yield from _by_code(piece, code, by)


def _by_code(piece: Piece, code: np.ndarray, by: str) -> Iterator[Piece]:
    import numpy as np

    for one in np.unique(code):
        here = code == one
        yield replace(
            piece, group=group_name(by, int(one)), time_s=piece.time_s[here],
            values=piece.values[here],
        )  # fmt: skip


def stands(steps_s: np.ndarray, period_s: float) -> float:
    """Return how long a sample may stand for, given the steps between samples.

    One and a half periods; where steps are uneven by nature, as long as one in twenty is.
    """
    import numpy as np

    usual = float(np.quantile(steps_s, 0.95)) if steps_s.size else 0.0
    return max(_STANDS * period_s, min(usual * (1 + 1e-9), _UNEVEN * period_s))


def labelled(found: Selection) -> list[Segment]:
    """Return the selection's segments, cut again by every label."""
    if any(s.label is not None for s in found.segments):
        return list(found.segments)
    rows: dict[str, list[dict[str, object]]] = {}
    for row in records(found.dataset.labels(session_ids=found.session_ids)):
        rows.setdefault(str(row["session_id"]), []).append(row)
    cut = []
    for span in found.segments:
        for row in rows.get(span.session_id, ()):
            start = max(float(str(row["start_s"])), span.start_s)
            end = min(float(str(row["end_s"])), span.end_s)
            if end > start:
                cut.append(replace(span, start_s=start, end_s=end, label=str(row["label"])))
    return cut


def bounded(found: Selection, channels: Sequence[str]) -> tuple[Selection, str | None]:
    """Return a selection whose samples can be held at once: evenly spread sessions, and a note."""
    held = float(found.dataset.channel_stats(channels, found.session_ids)["n"].sum())
    if held <= MAX_VALUES:
        return found, None
    step = int(-(-held // MAX_VALUES))
    kept = set(found.session_ids[::step])
    sessions = found.sessions[found.sessions["session_id"].isin(kept)].reset_index(drop=True)
    stretches = found.stretches[found.stretches["session_id"].isin(kept)].reset_index(drop=True)
    note = f"too many samples to hold at once: {len(kept)} sessions, spread evenly, were read"
    smaller = Selection(
        dataset=found.dataset, sessions=sessions, stretches=stretches, uncut=found.uncut
    )
    return smaller, note
