"""Searches, drawn: the query over its neighbours, and sessions by how unlike they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tool_use_om.tools.run.figures import COLOURS, GREY, drawing, seconds_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tools.look.selection import Segment
    from tool_use_om.tools.run.search.found import NeighbourRow, RankedSession, ScoredWindow

MAX_CHANNELS = 6
MAX_NEIGHBOURS = 3
MAX_BARS = 24


def neighbours_figure(
    dataset: DataSet,
    channels: Sequence[str],
    query: Segment,
    rows: Sequence[NeighbourRow],
) -> Callable[[Path], None]:
    """Return the drawing of the query (black) and its nearest stretches, a panel a channel."""
    shown = list(channels)[:MAX_CHANNELS]
    stretches = [(query.session_id, query.start_s, query.end_s, "query")]
    stretches += [
        (r.session_id, r.start_s, r.end_s, f"distance {r.distance:.3g}")
        for r in rows[:MAX_NEIGHBOURS]
    ]

    def paint(figure: Figure) -> None:
        panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        for i, (session_id, start, end, text) in enumerate(stretches):
            colour = "black" if i == 0 else COLOURS[i - 1]
            for signal in dataset.read(session_id, shown, start, end):
                for j, channel in enumerate(signal.channels):
                    panels[shown.index(channel)].plot(
                        signal.time_s - start,
                        signal.values[:, j],
                        color=colour,
                        linewidth=1.6 if i == 0 else 1.0,
                        label=f"{session_id} {start:g}–{end:g} s: {text}",
                    )
        for axes, channel in zip(panels, shown, strict=True):
            axes.set_title(f"{channel} [{dataset.manifest.unit_of(channel)}]")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=2)
        seconds_axis(panels[-1], "the start of the stretch")

    return drawing(paint, height=1.1 + 1.15 * len(shown))


def ranking_figure(label: str, rows: Sequence[RankedSession]) -> Callable[[Path], None]:
    """Return the drawing of sessions by their distance to the others."""
    shown = rows[:MAX_BARS]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        tints = [COLOURS[1], *[GREY] * (len(shown) - 1)]
        axes.barh([r.session_id for r in shown], [r.distance for r in shown], color=tints)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("median distance in token space to the other sessions")
        axes.set_title(f"{label}: sessions, the least like the others first")

    return drawing(paint, height=1.0 + 0.24 * len(shown))


def scores_figure(
    dataset: DataSet,
    channels: Sequence[str],
    query: Segment,
    rows: Sequence[ScoredWindow],
    threshold: float,
) -> Callable[[Path], None]:
    """Return the drawing of a session's signals and, under them, each window's score."""
    signals = dataset.read(query.session_id, channels, query.start_s, query.end_s)

    def paint(figure: Figure) -> None:
        panels = figure.subplots(len(signals) + 1, 1, sharex=True, squeeze=False)[:, 0]
        for axes, signal in zip(panels, signals, strict=False):
            for i, channel in enumerate(signal.channels):
                axes.plot(
                    signal.time_s,
                    signal.values[:, i],
                    color=COLOURS[i % len(COLOURS)],
                    label=channel.partition(".")[2],
                )
            axes.set_title(f"{signal.modality} [{signal.units[0]}]")
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        axes = panels[-1]
        for row in rows:
            colour = COLOURS[1] if row.unusual else GREY
            axes.hlines(row.score, row.start_s, row.end_s, color=colour, linewidth=3)
        top = max(r.score for r in rows)
        if math.isfinite(threshold):
            axes.axhline(threshold, color="black", linewidth=0.8, linestyle="--")
            top = max(top, threshold)
        axes.set_ylim(0.0, 1.15 * top)
        axes.set_title("score of each window (dashed: threshold)")
        seconds_axis(axes)
        figure.suptitle(f"Session {query.session_id}", x=0.01, ha="left", fontsize=11)

    return drawing(paint, height=1.0 + 1.5 * (len(signals) + 1))
