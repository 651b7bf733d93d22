"""The figures of suites in one style, in colours that all can tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Paint = Callable[["Figure"], None]

# Okabe and Ito (2008): distinct under the common colour blindnesses
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
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
