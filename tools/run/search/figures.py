"""Searches, as figures: stretches laid over each other, a series with what is unusual marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tool_use_om.data.show.figure import (
    PALETTE,
    Bar,
    Bars,
    Colour,
    Figure,
    Line,
    Mark,
    Signals,
    line,
)
from tool_use_om.data.show.signals import MAX_PANELS, Clock, signal_panels
from tool_use_om.tools.look.figures import said

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tools.call.content import Span
    from tool_use_om.tools.look.selection import Segment
    from tool_use_om.tools.run.search.found import (
        MotifRow,
        NeighbourRow,
        Outlier,
        RankedSession,
        ScoredWindow,
    )

MAX_CHANNELS = 6
MAX_NEIGHBOURS = 3
MAX_BARS = 24
_MARKS = 12


class Stretch(NamedTuple):
    """A part of a session and what it is called in the figure."""

    session_id: str
    start_s: float
    end_s: float
    text: str
    colour: Colour


def overlaid(dataset: DataSet, channels: Sequence[str], parts: Sequence[Stretch]) -> list[Signals]:
    """Return a panel a channel with the parts laid over each other, each from its own start."""
    lines: dict[str, list[Line]] = {channel: [] for channel in list(channels)[:MAX_CHANNELS]}
    for place, part in enumerate(parts):
        for signal in dataset.read(part.session_id, list(lines), part.start_s, part.end_s):
            for i, channel in enumerate(signal.channels):
                drawn = line(
                    part.text, signal.time_s - part.start_s, signal.values[:, i], part.colour,
                    rate_hz=signal.rate_hz, thick=place == 0,
                )  # fmt: skip
                lines[channel].append(drawn)
    return [
        Signals(
            title=channel, unit=dataset.manifest.unit_of(channel), axis="the start of the stretch",
            lines=tuple(own),
        )
        for channel, own in lines.items()
        if own
    ]  # fmt: skip


def neighbours_figure(
    dataset: DataSet, channels: Sequence[str], query: Segment, rows: Sequence[NeighbourRow]
) -> Figure:
    """Return the query and its nearest stretches, laid over each other."""
    parts = [Stretch(query.session_id, query.start_s, query.end_s, "asked for", "ink")]
    parts += [
        Stretch(r.session_id, r.start_s, r.end_s, str(r.session_id), PALETTE[i])
        for i, r in enumerate(rows[:MAX_NEIGHBOURS])
    ]
    told = "; ".join(f"{p.text}, {_span(p)}" for p in parts[1:])
    ids = [p.session_id for p in parts[1:]]
    parts[1:] = [
        p._replace(text=f"{p.text} at {p.start_s:g} s") if ids.count(p.session_id) > 1 else p
        for p in parts[1:]
    ]
    return Figure(
        title="The most alike, laid over each other",
        panels=tuple(overlaid(dataset, channels, parts)),
        alt=f"Signals of {query.session_id}, {_span(parts[0])}, and of the {len(parts) - 1} most "
        f"alike, from their own starts: {told}.",
        note=f"Black: {query.session_id}, {_span(parts[0])}. " + told.capitalize() + ".",
    )  # fmt: skip


def _span(part: Stretch) -> str:
    return f"{said(part.start_s, 's')} to {said(part.end_s, 's')}"


def motifs_figure(dataset: DataSet, channels: Sequence[str], rows: Sequence[MotifRow]) -> Figure:
    """Return the best pair that repeats, laid over each other."""
    pair = rows[0]
    tinted: tuple[tuple[Span, Colour], ...] = ((pair.first, "ink"), (pair.second, "b"))
    parts = [
        Stretch(str(one.session_id), one.start_s, one.end_s, str(one.session_id), tint)
        for one, tint in tinted
    ]
    if parts[0].text == parts[1].text:
        parts = [p._replace(text=f"at {said(p.start_s, 's')}") for p in parts]
    told = " and ".join(f"{p.session_id}, {_span(p)}" for p in parts)
    return Figure(
        title="What repeats, laid over each other",
        panels=tuple(overlaid(dataset, channels, parts)),
        alt=f"The two stretches that are most alike in shape: {told}.", note=f"{told}.",
    )  # fmt: skip


def ranking_figure(label: str, rows: Sequence[RankedSession]) -> Figure:
    """Return sessions by their distance to the others."""
    bars = [
        Bar(
            name=str(r.session_id), value=r.distance, text=f"{r.distance:.3g}",
            colour="b" if i == 0 else "soft",
        )
        for i, r in enumerate(rows[:MAX_BARS])
    ]  # fmt: skip
    return Figure(
        title=f"How unlike the others each session of {label} is",
        alt=f"Bars: {bars[0].name} is farthest from the other sessions of {label}, at "
        f"{bars[0].text}; then " + ", ".join(f"{b.name} {b.text}" for b in bars[1:4]) + ".",
        panels=(Bars(title="Median distance to the other sessions", rows=tuple(bars)),),
        note=f"The first {MAX_BARS} of {len(rows)}." if len(rows) > MAX_BARS else "",
    )  # fmt: skip


def scores_figure(
    dataset: DataSet,
    channels: Sequence[str],
    query: Segment,
    rows: Sequence[ScoredWindow],
    threshold: float,
    *,
    outliers: Sequence[Outlier] = (),
) -> Figure:
    """Return the whole series with what is unusual marked, the first of it near, and the scores."""
    unusual = [r for r in rows if r.unusual]
    marks = [
        Mark(start=o.start_s, end=o.end_s, text=said(o.value, str(o.unit)), colour="b")
        for o in outliers[:_MARKS]
    ] or [Mark(start=r.start_s, end=r.end_s, text="unusual", colour="b") for r in unusual[:_MARKS]]
    exact, marks = marks[:1], [_seen(mark, query.end_s - query.start_s) for mark in marks]
    shown = [str(o.channel) for o in outliers[:1]] or list(channels)
    whole = signal_panels(
        dataset, query.session_id, shown, (query.start_s, query.end_s), marks=marks
    )
    panels = [*whole[:MAX_PANELS], *_near(dataset, query, shown, exact)]
    if rows and not outliers:
        panels.append(_scores(dataset, query, rows, threshold))
    found = ", ".join(f"{m.text} at {said(m.start, 's')}" for m in marks[:3])
    alt = (
        f"{query.session_id} as a whole; marked: {found}." if marks
        else f"{query.session_id} as a whole; nothing in it is marked as unusual."
    )  # fmt: skip
    return Figure(
        title=f"{query.session_id}: what is unusual" if marks else f"{query.session_id}",
        alt=alt, panels=tuple(panels), note="Orange: unusual." if marks else "",
    )  # fmt: skip


def _seen(mark: Mark, length: float) -> Mark:
    """Return a mark wide enough to be seen on an axis of so many seconds."""
    least = length / 400
    middle, half = (mark.start + mark.end) / 2, max(mark.end - mark.start, least) / 2
    return mark.model_copy(update={"start": middle - half, "end": middle + half})


def _near(
    dataset: DataSet, query: Segment, channels: Sequence[str], marks: Sequence[Mark]
) -> list[Signals]:
    """Return what lies around the first mark, where the whole hides it."""
    length = query.end_s - query.start_s
    if not marks or (marks[0].end - marks[0].start) > length / 8:
        return []
    middle = (marks[0].start + marks[0].end) / 2
    half = max(6 * (marks[0].end - marks[0].start), length / 60) / 2
    marks = [_seen(marks[0], 2 * half)]
    span = (max(query.start_s, middle - half), min(query.end_s, middle + half))
    near = signal_panels(dataset, query.session_id, channels, span, marks=marks[:1], most=6000)[:2]
    return [
        p.model_copy(update={"title": f"{p.title}, around {marks[0].text}", "group": 1})
        for p in near
    ]


def _scores(
    dataset: DataSet, query: Segment, rows: Sequence[ScoredWindow], threshold: float
) -> Signals:
    clock = Clock(dataset, query.session_id)
    steps = sorted(rows, key=lambda r: r.start_s)
    lines = tuple(
        Line(
            name="", x=clock.x((r.start_s, r.end_s)), y=(r.score, r.score), thick=True,
            colour="b" if r.unusual else "soft",
        )
        for r in steps[:400]
    )  # fmt: skip
    return Signals(
        title="How unusual each stretch is; the dashed line is the threshold", starts=clock.starts,
        lines=lines, level=threshold if math.isfinite(threshold) else None, flat=True,
    )  # fmt: skip
