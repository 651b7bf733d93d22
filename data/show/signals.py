"""Signals of a session as panels of a figure: on its own clock, labels shaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.show.figure import PALETTE, Line, Mark, Signals, lines_of

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet, Signal

MAX_LINES = 6  # channels over each other in one panel
MAX_PANELS = 12
FIGURE_POINTS = 40_000  # of all lines of a figure together
_MARKS = 400


@dataclass(frozen=True)
class Clock:
    """The times of one session as a figure has them: from its start, as dates where it has one."""

    dataset: DataSet
    session_id: str

    @property
    def starts(self) -> str | None:
        """The date and time of the session's start, without a zone; None if it is not known."""
        stamps = self.dataset.stamps(self.session_id, [0.0])
        return None if stamps is None else str(np.datetime64(stamps[0], "s"))

    def x(self, time_s: Sequence[float]) -> tuple[float, ...]:
        """Return times in seconds as seconds of the figure, exact on a calendar of months."""
        if self.dataset.manifest.calendar.step is None or not time_s:
            return tuple(time_s)
        stamps = self.dataset.stamps(self.session_id, time_s)
        zero = self.dataset.stamps(self.session_id, [0.0])
        if stamps is None or zero is None:
            return tuple(time_s)
        return tuple(((stamps - zero[0]) / np.timedelta64(1, "s")).astype(float).tolist())

    def line(self, line: Line) -> Line:
        """Return a line on this clock."""
        return line.model_copy(update={"x": self.x(line.x)})

    def mark(self, mark: Mark) -> Mark:
        """Return a mark on this clock."""
        start, end = self.x((mark.start, mark.end))
        return mark.model_copy(update={"start": start, "end": end})


def signal_panels(
    dataset: DataSet,
    session_id: str,
    channels: Sequence[str],
    span: tuple[float | None, float | None] = (None, None),
    *,
    marks: Sequence[Mark] = (),
    name: str = "",
    most: int = FIGURE_POINTS,
) -> list[Signals]:
    """Return a session's signals, channels of one unit over each other, up to `MAX_LINES`.

    Parameters
    ----------
    name : of the session, written before each panel's
    most : points of all panels together, about
    """
    signals = [s for s in dataset.read(session_id, channels, *span) if s.time_s.size]
    n = max(sum(len(s.channels) for s in signals), 1)
    clock, panels = Clock(dataset, session_id), []
    shown = tuple(clock.mark(mark) for mark in marks)
    for signal in signals:
        lines = lines_of(signal, most=max(most // n, 300))
        for places in _together(signal):
            own = [lines[i] for i in places]
            one = len(own) == 1
            title = signal.channels[places[0]] if one else signal.modality
            recoloured = [
                clock.line(line.model_copy(update={"colour": PALETTE[i % len(PALETTE)]}))
                for i, line in enumerate(own)
            ]
            panels.append(
                Signals(
                    title=f"{name} · {title}" if name else title, unit=signal.units[places[0]],
                    starts=clock.starts, lines=tuple(recoloured), marks=shown,
                )
            )  # fmt: skip
    return panels[:MAX_PANELS]


def _together(signal: Signal) -> list[list[int]]:
    """Return the places of the channels that share a panel: of one unit, not too many."""
    by_unit: dict[str, list[int]] = {}
    for i, unit in enumerate(signal.units):
        by_unit.setdefault(unit, []).append(i)
    return [
        places[i : i + MAX_LINES]
        for places in by_unit.values()
        for i in range(0, len(places), MAX_LINES)
    ]


def label_marks(dataset: DataSet, session_id: str) -> list[Mark]:
    """Return the labels of the first set as shaded parts of a session."""
    sets = dataset.manifest.label_sets
    if not sets:
        return []
    name, labels = next(iter(sets.items()))
    rows = dataset.labels([session_id], name).head(_MARKS)
    return [
        Mark(
            start=float(start), end=float(end), text=str(label),
            colour=PALETTE[labels.index(label) % len(PALETTE)],
        )
        for start, end, label in zip(rows["start_s"], rows["end_s"], rows["label"], strict=True)
    ]  # fmt: skip
