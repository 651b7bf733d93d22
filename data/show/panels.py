"""What is drawn inside a panel: lines or strips, labels shaded, gaps left as gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tool_use_om.data.format.dataset import DataSet, Signal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_LINES = 6  # channels drawn over each other in one panel; more become strips
MAX_POINTS = 1500  # drawn for each channel; more are thinned to the minimum and maximum of each bin
INCHES_A_LETTER = 0.06  # at the size tick labels have
LINES = ("#0b5394", "#cc4125", "#38761d", "#7f6000", "#674ea7", "#134f5c")
SHADES = ("#9fc5e8", "#f9cb9c", "#b6d7a8", "#ffe599", "#d5a6bd", "#b4a7d6", "#a2c4c9", "#cccccc")
_VISIBLE = 200  # a gap of less than this part of the axis cannot be seen


def needs_strips(signal: Signal) -> bool:
    """Say whether one value axis would not do: several units, or more lines than can be told."""
    return len(set(signal.units)) > 1 or len(signal.channels) > MAX_LINES


def draw_lines(panel: Axes, signal: Signal) -> None:
    """Draw channels of one unit over each other, named beside the panel."""
    for i, channel in enumerate(signal.channels):
        time_s, values = _shown(signal, i)
        name = channel.partition(".")[2]
        panel.plot(time_s, values, lw=0.8, label=plain_text(name), color=LINES[i % len(LINES)])
    panel.set_ylabel(f"{wrapped(signal.modality)}\n[{signal.units[0]}]", fontsize=7)
    read_values(panel)
    panel.legend(
        loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=6.5, frameon=False,
        title=_missing(signal) or None, title_fontsize=6.5, handlelength=1.0,
        labelspacing=0.3,
    )  # fmt: skip


def draw_strips_of(panel: Axes, rows: Sequence[tuple[Signal, int, str]], names: list[str]) -> None:
    """Draw each (signal, channel, colour) in a strip of its own scale, top down."""
    panel.set_ylim(len(rows) - 0.45, -0.9)
    for place, (signal, i, colour) in enumerate(rows):
        time_s, values = _shown(signal, i)
        panel.plot(time_s, place - _scaled(values), lw=0.7, color=colour)
    panel.set_yticks(range(len(rows)), [plain_text(n) for n in names], fontsize=6.5)


def draw_strips_panel(panel: Axes, signal: Signal, limit: int) -> None:
    """Draw at most `limit` channels of a signal as strips; what is left out is said."""
    shown = range(min(limit, len(signal.channels)))
    names = [strip_name(signal, i) for i in shown]
    draw_strips_of(panel, [(signal, i, LINES[i % len(LINES)]) for i in shown], names)
    panel.set_ylabel(wrapped(signal.modality), fontsize=7)
    left = len(signal.channels) - len(shown)
    said = [_missing(signal), f"{left} more\nnot drawn" if left else ""]
    text = "\n".join(t for t in said if t)
    panel.text(1.01, 0.5, text, transform=panel.transAxes, fontsize=6.5, va="center")


def strip_name(signal: Signal, place: int) -> str:
    """Return what stands beside a channel's strip: its name and unit, clipped."""
    name = signal.channels[place].partition(".")[2]
    clipped = name if len(name) <= 34 else name[:33] + "…"
    return f"{clipped} [{signal.units[place]}]"


def draw_nothing(panel: Axes, modality: str) -> None:
    """Say in a panel that there is nothing to draw."""
    panel.set_ylabel(wrapped(modality), fontsize=7)
    panel.text(0.5, 0.5, f"no {modality} here", transform=panel.transAxes, ha="center")


def shade_labels(panel: Axes, labels: pd.DataFrame, dataset: DataSet, *, text: bool = True) -> None:
    """Shade labelled intervals: the first set over the whole height, others as a low band."""
    from matplotlib.collections import PolyCollection

    low, high = panel.get_xlim()
    boxes: list[tuple[tuple[float, float], ...]] = []
    colours: list[str] = []
    for place, (label_set, names) in enumerate(dataset.manifest.label_sets.items()):
        rows = labels[
            (labels["set"] == label_set) & (labels["end_s"] > low) & (labels["start_s"] < high)
        ]
        bottom, top = (0.0, 1.0) if place == 0 else (0.0, 0.12)
        for start, end, label in zip(rows["start_s"], rows["end_s"], rows["label"], strict=True):
            colour = SHADES[(names.index(label) + 3 * place) % len(SHADES)]
            left, right = max(start, low), min(end, high)
            boxes.append(((left, bottom), (left, top), (right, top), (right, bottom)))
            colours.append(colour)
            if text and place < 2 and right - left > 0.04 * (high - low):
                panel.text(
                    left,
                    0.99 if place == 0 else 0.1,
                    " " + plain_text(label),
                    fontsize=6.5,
                    va="top",
                    transform=panel.get_xaxis_transform(),
                    clip_on=True,
                )
    # one collection for all: a record with thousands of beats is drawn in the same time
    shades = PolyCollection(boxes, facecolors=colours, alpha=0.45, linewidths=0)
    shades.set_transform(panel.get_xaxis_transform())
    panel.add_collection(shades, autolim=False)


def wrapped(name: str) -> str:
    """Return a modality's name on two lines if it is long, broken at an underscore."""
    if len(name) <= 16:
        return name
    breaks = [i for i, c in enumerate(name) if c == "_" and i <= 20] or [20]
    at = min(breaks, key=lambda i: abs(i - len(name) / 2))
    rest = name[at:] if len(name) - at <= 20 else name[at : at + 19] + "…"
    return f"{name[:at]}\n{rest}"


def with_gaps(
    time_s: np.ndarray, values: np.ndarray, rate_hz: float
) -> tuple[np.ndarray, np.ndarray]:
    """Put a NaN wherever samples are missing, so that no line bridges the gap."""
    after = np.flatnonzero(np.diff(time_s) > 2.5 / rate_hz) + 1
    middle = (time_s[after - 1] + time_s[after]) / 2
    return np.insert(time_s, after, middle), np.insert(values, after, np.nan)


def thin(
    time_s: np.ndarray, values: np.ndarray, most: int = MAX_POINTS
) -> tuple[np.ndarray, np.ndarray]:
    """Return few points that keep each bin's minimum and maximum, and every gap one can see.

    That is `most` at most, and `_VISIBLE` more where values are missing.
    """
    if time_s.size <= most:
        return time_s, values
    bins = max(most // 3, 1)
    width = -(-time_s.size // bins)
    padded = np.full(bins * width, np.nan)
    padded[: time_s.size] = values
    rows, offset = padded.reshape(bins, width), np.arange(bins) * width
    missing = np.isnan(rows)
    held = ~missing.all(axis=1)
    low = np.where(missing, np.inf, rows).argmin(axis=1) + offset
    high = np.where(missing, -np.inf, rows).argmax(axis=1) + offset
    lost = (missing.argmax(axis=1) + offset)[missing.any(axis=1)]
    keep = np.concatenate([low[held], high[held], lost[lost < time_s.size]])
    chosen = np.unique(np.concatenate([keep, _long_gaps(time_s, np.isnan(values))]).astype(int))
    return time_s[chosen], values[chosen]


def _long_gaps(time_s: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Return where the runs of missing values begin that are long enough to be seen."""
    edges = np.diff(np.concatenate([[False], missing, [False]]).astype(np.int8))
    first, after = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    start = time_s[np.maximum(first - 1, 0)]
    length = time_s[np.minimum(after, time_s.size - 1)] - start
    seen: np.ndarray = first[length > (time_s[-1] - time_s[0]) / _VISIBLE]
    return seen


def plain_text(text: str) -> str:
    """Return text matplotlib draws literally: no mathematics, no glyph its default font lacks."""
    known = {"…"} | {c for c in text if c.isprintable() and ord(c) < 0x250}
    shown = "".join(c if c in known else c.encode("unicode_escape").decode() for c in text)
    clipped = shown if len(shown) <= 80 else shown[:79] + "…"
    return clipped.replace("$", r"\$")


def _shown(signal: Signal, place: int) -> tuple[np.ndarray, np.ndarray]:
    return thin(*with_gaps(signal.time_s, signal.values[:, place], signal.rate_hz))


def _scaled(values: np.ndarray) -> np.ndarray:
    """Return values mapped so that their lowest and highest just fill a strip around 0.

    Scaled to a percentile, a single spike would look like its neighbours.
    """
    if np.isnan(values).all():
        return values
    low, high = np.nanmin(values), np.nanmax(values)
    scale = high - low if high > low else 1.0
    strip: np.ndarray = (values - (low + high) / 2) / scale * 0.9
    return strip


def _missing(signal: Signal) -> str:
    share = float(np.isnan(signal.values).mean())
    return f"NaN {share:.1%}" if share else ""


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
