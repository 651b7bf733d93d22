"""Searches, drawn: the query over its neighbours, and sessions by how unlike they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_use_om.tools.run.figures import COLOURS, GREY, drawing, seconds_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tools.look.selection import Segment

MAX_CHANNELS = 6
MAX_NEIGHBOURS = 3
MAX_BARS = 24


def neighbours_figure(
    dataset: DataSet,
    channels: Sequence[str],
    query: Segment,
    rows: Sequence[dict[str, Any]],
) -> Callable[[Path], None]:
    """Return the drawing of the query (black) and its nearest stretches, a panel a channel."""
    shown = list(channels)[:MAX_CHANNELS]
    stretches = [(query.session_id, query.start_s, query.end_s, "query")]
    stretches += [
        (r["session_id"], r["start_s"], r["end_s"], f"distance {r['distance']:.3g}")
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


def ranking_figure(label: str, rows: Sequence[dict[str, Any]]) -> Callable[[Path], None]:
    """Return the drawing of sessions by their distance to the others."""
    shown = rows[:MAX_BARS]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        tints = [COLOURS[1], *[GREY] * (len(shown) - 1)]
        axes.barh([r["session_id"] for r in shown], [r["distance"] for r in shown], color=tints)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("median distance in token space to the other sessions")
        axes.set_title(f"{label}: sessions, the least like the others first")

    return drawing(paint, height=1.0 + 0.24 * len(shown))
