"""Axes people can read: times in seconds to days from session start, values without offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# seconds of a unit → its name, and from how many seconds on an axis is in it
_UNITS = ((1.0, "seconds", 0.0), (60.0, "minutes", 1200.0), (3600.0, "hours", 4 * 3600.0),
          (86400.0, "days", 4 * 86400.0))  # fmt: skip
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_LARGE = 1e4  # values from here on are written with a prefix


def time_unit(span_s: float) -> tuple[float, str]:
    """Return the seconds of the unit that an axis of `span_s` seconds is read in, and its name."""
    return next((size, name) for size, name, least in reversed(_UNITS) if span_s >= least)


def duration_text(duration_s: float) -> str:
    """Return a duration in seconds, and in a larger unit where that is easier to read."""
    size, name = time_unit(duration_s)
    seconds = f"{duration_s:.6g} s" if duration_s < 1e5 else f"{duration_s:,.0f} s"
    return seconds if size == 1 else f"{seconds} ({duration_s / size:.3g} {name})"


def read_time(panel: Axes, unit: tuple[float, str], *, label: bool = True) -> None:
    """Give a panel whose x axis is in seconds round ticks in `unit`, and say which it is."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    size, name = unit
    low, high = panel.get_xlim()
    width = panel.get_position().width * panel.figure.bbox.width / panel.figure.dpi  # inches
    steps = [1, 1.5, 2, 3, 6, 10] if size in (60.0, 3600.0) else [1, 2, 2.5, 5, 10]
    nice = MaxNLocator(max(3, min(12, int(width / 0.7))), steps=steps)
    ticks = np.asarray(nice.tick_values(low / size, high / size)) * size
    shown = ticks[(ticks >= low) & (ticks <= high)]
    panel.xaxis.set_major_locator(FixedLocator(shown.tolist()))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / size:.10g}"))
    panel.set_xlim(low, high)
    if label:
        panel.set_xlabel(f"{name} from session start", fontsize=8)


def read_values(panel: Axes) -> None:
    """Write large values on the y axis with a prefix (2.5M), none with an offset."""
    from matplotlib.ticker import FuncFormatter

    low, high = panel.get_ylim()
    largest = max(abs(low), abs(high))
    size, sign = next((p for p in _PREFIXES if largest >= max(_LARGE, p[0])), (1.0, ""))
    if sign:
        panel.yaxis.set_major_formatter(
            FuncFormatter(lambda y, _: f"{y / size:.4g}{sign}" if y else "0")
        )
    else:
        panel.ticklabel_format(axis="y", useOffset=False, style="plain")
