"""Figures in one style: seconds along the bottom, units in titles, colours that all can tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tool_use_om.data.format.dataset import DataSet

Paint = Callable[["Figure"], None]
Span = tuple[float | None, float | None]  # seconds; None = from the start, to the end

# Okabe and Ito (2008): distinct under the common colour blindnesses
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREY = "#8A8F98"
_STYLE: Any = {  # matplotlib checks the names itself
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E8EB",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.2,
}


def drawing(paint: Paint, *, width: float = 7.5, height: float = 3.0) -> Callable[[Path], None]:
    """Return a function that paints a figure (inches) and writes it as PNG."""

    def draw(path: Path) -> None:
        from matplotlib import rc_context
        from matplotlib.figure import Figure

        with rc_context(_STYLE):
            figure = Figure(figsize=(width, height), layout="constrained")
            paint(figure)
            figure.savefig(path, dpi=130, format="png", metadata={"Software": None})

    return draw


def colours(names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each name, the same for the same list."""
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}


def seconds_axis(axes: Axes, start: str = "session start") -> None:
    """Give an x axis in seconds round ticks in seconds to days, and say which, and since when."""
    from tool_use_om.data.show.panels import read_time, time_unit

    low, high = axes.get_xlim()
    unit = time_unit(high - low)
    read_time(axes, unit, label=False)
    axes.set_xlabel(f"{unit[1]} from {start}")


def sessions_figure(
    dataset: DataSet, session_ids: Sequence[str], channels: Sequence[str], span: Span
) -> Callable[[Path], None]:
    """Return the drawing of whole sessions, as the data layer draws them."""
    from tool_use_om.data.show.plots import draw_sessions

    def draw(path: Path) -> None:
        figure = draw_sessions(dataset, session_ids, channels, span[0], span[1])
        figure.savefig(path, dpi=130, format="png", metadata={"Software": None})

    return draw
