"""Anomaly scores along a session, under its signals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_use_om.tools.run.figures import COLOURS, GREY, drawing, seconds_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tools.look.selection import Segment


def scores_figure(
    dataset: DataSet,
    channels: Sequence[str],
    query: Segment,
    rows: Sequence[dict[str, Any]],
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
            colour = COLOURS[1] if row["unusual"] else GREY
            axes.hlines(row["score"], row["start_s"], row["end_s"], color=colour, linewidth=3)
        top = max(r["score"] for r in rows)
        if math.isfinite(threshold):
            axes.axhline(threshold, color="black", linewidth=0.8, linestyle="--")
            top = max(top, threshold)
        axes.set_ylim(0.0, 1.15 * top)
        axes.set_title("score of each window (dashed: threshold)")
        seconds_axis(axes)
        figure.suptitle(f"Session {query.session_id}", x=0.01, ha="left", fontsize=11)

    return drawing(paint, height=1.0 + 1.5 * (len(signals) + 1))
