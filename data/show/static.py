"""Figures as pictures that do not move: SVG for pages, light and dark, and PNG elsewhere."""

from __future__ import annotations

import io
import math
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.data.show.figure import (
    ENDING,
    MOST_ROWS,
    Bars,
    Figure,
    Grid,
    Line,
    Panel,
    Part,
    Signals,
    Spread,
    Timeline,
    read_figure,
    unit_shown,
)
from tool_use_om.data.show.panels import plain_text, read_time, read_values, thin, time_unit
from tool_use_om.data.workspace import atomic_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

WIDE, NARROW = 900, 350  # pixels
# Okabe and Ito (2008), distinct under the common colour blindnesses: on white, and on black
LIGHT = {
    "ink": "#1c2430", "soft": "#5b6675", "line": "#dfe4ea", "a": "#0072b2", "b": "#c44e00",
    "c": "#00805c", "d": "#b0578f", "e": "#b07800", "f": "#2b8fc7",
}  # fmt: skip
DARK = {
    "ink": "#e6eaf0", "soft": "#9aa6b5", "line": "#39434f", "a": "#6cb8f0", "b": "#ff9a57",
    "c": "#3fd3a6", "d": "#e8a0cc", "e": "#f0be4a", "f": "#9fd4f5",
}  # fmt: skip
_STATIC_POINTS = 1500
_LETTER = 6.1  # pixels of a letter, about
_FONT = 11
_TITLE, _TICKS, _GAP = 22, 34, 12
_DRAWS = threading.Lock()  # matplotlib is made for one thread


def svg(figure: Figure, width: int = WIDE) -> str:
    """Return a picture as SVG that turns dark with the page; no script, nothing from outside.

    Parameters
    ----------
    width : pixels
    """
    text = io.StringIO()
    with _DRAWS, _styled():
        canvas = _drawn(figure, width, plain=False)
        canvas.savefig(text, format="svg", transparent=True, metadata=_NO_METADATA)
    return _themed(text.getvalue())


def png(figure: Figure, width: int = WIDE) -> bytes:
    """Return a picture as PNG on white, two dots a pixel."""
    held = io.BytesIO()
    with _DRAWS, _styled():
        canvas = _drawn(figure, width, plain=True)
        canvas.savefig(held, format="png", dpi=144, metadata={"Software": None})
    return held.getvalue()


def pictured(path: Path) -> Path:
    """Return a kept figure's PNG, which lies beside it once it was asked for."""
    target = path.with_name(path.name.removesuffix(ENDING) + ".png")
    if not target.is_file():
        with atomic_file(target) as partial:
            partial.write_bytes(png(read_figure(path)))
    return target


_DIGITS = re.compile(r"(\d\.\d{2})\d+")  # of coordinates; what is written stays
_NO_METADATA: Any = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def _themed(text: str) -> str:
    """Return SVG whose colours are named, with their light and dark values."""
    body = text[text.index("<svg") :]
    for name, colour in LIGHT.items():
        body = body.replace(colour, f"var(--{name})")
    body = re.sub(r"font-family: [^;\"]*", "font-family: system-ui, sans-serif", body)
    body = re.sub(r" transform=\"rotate\(-0 [^\"]*\"", "", body)
    body = re.sub(r"<[^>]+>", lambda tag: _DIGITS.sub(r"\1", tag[0]), body)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'(width|height)="([\d.]+)pt"', r'\1="\2"', body)
    light, dark = (";".join(f"--{k}:{v}" for k, v in each.items()) for each in (LIGHT, DARK))
    dark = f"@media screen and (prefers-color-scheme: dark){{svg{{{dark}}}}}"
    return body.replace(">", f"><style>svg{{{light}}}{dark}</style>", 1)


@contextmanager
def _styled() -> Iterator[None]:
    from matplotlib import rc_context

    with rc_context(_STYLE), warnings.catch_warnings():
        # a browser has the letters that matplotlib's own font lacks
        warnings.filterwarnings("ignore", "Glyph .* missing")
        yield


def _drawn(figure: Figure, width: int, *, plain: bool) -> Canvas:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    heights = [_height(p) for p in figure.panels]
    below = [_TICKS if _says_time(figure.panels, i) else _TICKS // 2 for i in range(len(heights))]
    height = sum(heights) + sum(below) + (_TITLE + _GAP) * len(heights) - _GAP
    write = _plain if plain else _shown
    canvas = Canvas(figsize=(width / 72, height / 72), dpi=72)
    FigureCanvasAgg(canvas)
    top = 0
    for panel, tall, under in zip(figure.panels, heights, below, strict=True):
        top += _TITLE
        left, right = _margins(panel, width)
        box = (
            left / width, 1 - (top + tall) / height, (width - left - right) / width,
            tall / height,
        )  # fmt: skip
        axes = canvas.add_axes(box)
        _PAINT[panel.form](axes, panel, write)
        _heading(axes, panel, write)
        if under < _TICKS:
            axes.set_xlabel("")
        top += tall + under + _GAP
    return canvas


def _says_time(panels: Sequence[Panel], place: int) -> bool:
    """Return whether a panel names its axis: of those that move together, the last one does."""
    panel = panels[place]
    after = panels[place + 1] if place + 1 < len(panels) else None
    if not isinstance(panel, Signals) or not isinstance(after, Signals):
        return True
    return (panel.group, panel.starts) != (after.group, after.starts)


_STYLE: Any = {  # matplotlib checks the names itself
    "svg.fonttype": "none", "svg.hashsalt": "tuom", "font.size": _FONT, "lines.linewidth": 1.3,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": LIGHT["soft"],
    "axes.labelcolor": LIGHT["soft"], "text.color": LIGHT["ink"], "xtick.color": LIGHT["soft"],
    "ytick.color": LIGHT["soft"], "xtick.labelsize": _FONT, "ytick.labelsize": _FONT,
    "axes.labelsize": _FONT, "axes.grid": True, "axes.axisbelow": True,
    "grid.color": LIGHT["line"], "grid.linewidth": 0.7, "axes.linewidth": 0.7,
    "path.simplify": True, "hatch.linewidth": 0.6,
}  # fmt: skip
Write = Callable[[str, int], str]


def _shown(text: str, most: int = 60) -> str:
    whole = "".join(c if c.isprintable() else "�" for c in text)
    clipped = whole if len(whole) <= most else whole[: most - 1] + "…"
    return clipped.replace("$", r"\$")


def _plain(text: str, most: int = 60) -> str:
    return plain_text(text if len(text) <= most else text[: most - 1] + "…")


def _height(panel: Panel) -> int:
    if isinstance(panel, Signals):
        return 70 if panel.flat else 150
    if isinstance(panel, Grid):
        return 40 * len(panel.names)
    n = min(max(len(panel.rows), 1), MOST_ROWS)
    each = {"bars": 26, "spread": 36, "timeline": 18 if n <= 24 else 14}[panel.form]
    return each * n + 8


def _names(panel: Panel) -> list[str]:
    if isinstance(panel, Signals):
        return []
    return list(panel.names) if isinstance(panel, Grid) else [row.name for row in panel.rows]


def _margins(panel: Panel, width: int) -> tuple[float, float]:
    """Return the pixels to the left and to the right of a panel's axes."""
    most = width * (0.36 if width <= NARROW else 0.3)
    if isinstance(panel, Signals):
        longest = max((len(n) for n in _line_names(panel)), default=0)
        return 56, min(most, 12 + _LETTER * longest) if longest else 14
    left = min(most, 16 + _LETTER * max(map(len, _names(panel)), default=0))
    if isinstance(panel, Grid):
        return left + 16, max(14, width - left - 16 - 74 * len(panel.names))
    texts = [row.text for row in panel.rows if row.text]
    return left, min(most, 16 + _LETTER * max(map(len, texts), default=0))


def _heading(axes: Axes, panel: Panel, write: Write) -> None:
    unit = "" if isinstance(panel, Timeline | Grid) else unit_shown(panel.unit)
    text = f"{panel.title} ({unit})" if unit else panel.title
    box = axes.get_position()
    figure = axes.figure
    room = int((1 - 0.01) * figure.bbox.width / _LETTER)
    y = box.y1 + 6 / figure.bbox.height
    figure.text(0.004, y, write(text, room), fontsize=_FONT, fontweight="bold", va="bottom")


def _line_names(panel: Signals) -> list[str]:
    named = [line.name for line in panel.lines if line.name]
    return named if len(panel.lines) <= len(LIGHT) else []


def _paint_signals(axes: Axes, panel: Signals, write: Write) -> None:
    for mark in panel.marks:
        axes.axvspan(mark.start, mark.end, color=LIGHT[mark.colour], alpha=0.16, lw=0)
    for band in panel.bands:
        low, high = _floats(band.low), _floats(band.high)
        axes.fill_between(band.x, low, high, color=LIGHT[band.colour], alpha=0.2, lw=0)
    for line in panel.lines:
        x, y = thin(np.asarray(line.x), _floats(line.y), _STATIC_POINTS)
        style: dict[str, Any] = {"color": LIGHT[line.colour], "lw": 2.0 if line.thick else 1.2}
        if np.isfinite(y).sum() == 1:
            style |= {"marker": "o", "markersize": 4}
        axes.plot(x, y, **style)
    axes.set_xlim(*_span(panel))
    bottom, top = _limits(panel)
    pad = 0.06 * (top - bottom) or 1.0
    axes.set_ylim(bottom - pad, top + pad)
    if panel.level is not None:
        axes.axhline(panel.level, color=LIGHT["ink"], lw=0.9, ls="--")
    if panel.now is not None:
        axes.axvline(panel.now, color=LIGHT["soft"], lw=1, ls=":")
    _time(axes, panel.axis, panel.starts)
    read_values(axes)
    _name_marks(axes, panel, write)
    _name_lines(axes, panel, write)


def _floats(values: Sequence[float | None]) -> np.ndarray:
    return np.asarray([np.nan if v is None else v for v in values], np.float64)


def _limits(panel: Signals) -> tuple[float, float]:
    """Return the lowest and the highest of all that is drawn: no spike is cut off."""
    parts: list[Iterable[float | None]] = [line.y for line in panel.lines]
    parts += [side for band in panel.bands for side in (band.low, band.high)]
    known = [v for part in parts for v in part if v is not None]
    known += [panel.level] if panel.level is not None else []
    return (min(known), max(known)) if known else (0.0, 1.0)


def _span(panel: Signals) -> tuple[float, float]:
    times = [line.x for line in panel.lines] + [band.x for band in panel.bands]
    ends = [v for x in times if x for v in (x[0], x[-1])]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _time(axes: Axes, since: str, starts: str | None) -> None:
    """Write seconds in a unit that reads well, or dates."""
    if starts is None:
        low, high = axes.get_xlim()
        unit = time_unit(high - low)
        read_time(axes, unit, label=False)
        axes.set_xlabel(f"{unit[1]} from {since}", labelpad=2)
        return
    from matplotlib import dates
    from matplotlib.ticker import FixedLocator, FuncFormatter

    zero, low, high = np.datetime64(starts, "ms"), *axes.get_xlim()
    first, last = (
        (zero + np.timedelta64(round(x * 1000), "ms")).astype(object) for x in (low, high)
    )
    untyped: Any = dates
    locator = untyped.AutoDateLocator(minticks=2, maxticks=max(3, int(axes.bbox.width / 80)))
    found = [untyped.num2date(t).replace(tzinfo=None) for t in locator.tick_values(first, last)]
    days = all(t.hour == t.minute == t.second == 0 for t in found)
    years = days and all(t.day == t.month == 1 for t in found)
    texts = {
        (np.datetime64(t, "ms") - zero) / np.timedelta64(1, "s"): (
            f"{t:%Y}" if years else f"{t.day} {t:%b}" if days or t.time() == time()
            else f"{t:%H:%M:%S}" if t.second else f"{t:%H:%M}"
        )
        for t in found
    }  # fmt: skip
    axes.xaxis.set_major_locator(FixedLocator([x for x in texts if low <= x <= high]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: texts.get(x, "")))
    of = f"{first:%Y}" if first.year == last.year else f"{first:%Y} to {last:%Y}"
    axes.set_xlabel("year" if years else f"date, {of}" if days else f"{first.day} {first:%b %Y}")


def _name_marks(axes: Axes, panel: Signals, write: Write) -> None:
    low, high = axes.get_xlim()
    room = axes.bbox.width / max(high - low, 1e-9)  # pixels a second
    taken = -math.inf
    for mark in sorted(panel.marks, key=lambda m: m.start):
        text = write(mark.text, 40 if axes.figure.bbox.width > NARROW else 16)
        left = max(mark.start, low)
        need = (_LETTER * len(text) + 6) / room
        if not text or left < taken or left > high:
            continue
        at_right = left + need > high
        axes.text(
            high if at_right else left, 0.99, f" {text} ", va="top", fontsize=_FONT - 1,
            ha="right" if at_right else "left", color=LIGHT[mark.colour],
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
        taken = left + need


def _name_lines(axes: Axes, panel: Signals, write: Write) -> None:
    """Write each line's name at its end, names apart from each other."""
    if not _line_names(panel):
        return
    bottom, top = axes.get_ylim()
    each = (_FONT + 2) * (top - bottom) / axes.bbox.height
    ends = sorted((_last(line), i) for i, line in enumerate(panel.lines) if line.name)
    room = (len(ends) - 1) * each
    at = max(bottom, min(ends[0][0], top - room)) if ends else 0.0
    right = int((axes.figure.bbox.width - axes.bbox.x1 - 8) / _LETTER)
    for y, i in ends:
        at = max(y, at)
        at = min(at, top - room)
        line = panel.lines[i]
        axes.annotate(
            write(line.name, max(right, 4)), (1.0, at), (6, 0),
            xycoords=axes.get_yaxis_transform(), textcoords="offset points", va="center",
            color=LIGHT[line.colour], fontsize=_FONT, annotation_clip=False,
        )  # fmt: skip
        at, room = at + each, room - each


def _last(line: Line) -> float:
    return next((v for v in reversed(line.y) if v is not None), 0.0)


def _paint_bars(axes: Axes, panel: Bars, write: Write) -> None:
    rows = panel.rows[:MOST_ROWS]
    for place, row in enumerate(rows):
        axes.barh(place, row.value, height=0.66, color=LIGHT[row.colour], lw=0)
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [place, place], color=LIGHT["ink"], lw=1.4)
    ends = [v for r in rows for v in (r.value, r.low, r.high) if v is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    axes.set_xlim(low - (0.02 * (high - low) if low < 0 else 0), high or (1.0 if low == 0 else 0))
    _rows(axes, [r.name for r in rows], [r.text for r in rows], write)


def _paint_spread(axes: Axes, panel: Spread, write: Write) -> None:
    rows = panel.rows[:MOST_ROWS]
    for place, row in enumerate(rows):
        colour = LIGHT[row.colour]
        apart = (np.arange(len(row.values)) * 0.618 % 1 - 0.5) * 0.5
        axes.plot(row.values, place + apart, "o", ms=3.2, color=colour, alpha=0.35, mew=0)
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [place, place], color=LIGHT["ink"], lw=2)
        axes.plot([row.value], [place], "D", ms=6, color=colour, mec=LIGHT["ink"], mew=0.8)
    if panel.zero:
        axes.axvline(0, color=LIGHT["ink"], lw=0.9, ls="--")
    axes.margins(x=0.03)
    _rows(axes, [r.name for r in rows], [r.text for r in rows], write)


def _rows(axes: Axes, names: Sequence[str], texts: Sequence[str], write: Write) -> None:
    """Write the names of rows to the left, and what is said of each to the right."""
    axes.set_ylim(len(names) - 0.5, -0.5)
    room = int(axes.bbox.x0 / _LETTER) - 1
    axes.set_yticks(range(len(names)), [write(n, max(room, 4)) for n in names])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=max(3, int(axes.bbox.width / 80)))
    right = int((axes.figure.bbox.width - axes.bbox.x1 - 8) / _LETTER)
    for place, text in enumerate(texts):
        axes.annotate(
            write(text, max(right, 4)), (1.0, place), (6, 0), xycoords=axes.get_yaxis_transform(),
            textcoords="offset points", va="center", annotation_clip=False,
        )  # fmt: skip


def _paint_timeline(axes: Axes, panel: Timeline, write: Write) -> None:
    rows = panel.rows[:MOST_ROWS]
    longest = max((row.length for row in rows), default=1.0)
    for place, row in enumerate(rows):
        axes.barh(place, row.length, height=0.8, color=LIGHT["line"], lw=0)
        for part in sorted(row.parts, key=lambda p: not p.under):
            _part(axes, place, part)
    axes.set_xlim(0, longest)
    _rows(axes, [r.name for r in rows], [r.text for r in rows], write)
    _time(axes, panel.axis, None)


def _part(axes: Axes, place: int, part: Part) -> None:
    look: dict[str, Any] = {"height": 0.5, "alpha": 1.0}
    if part.under:
        look = {"height": 0.8, "alpha": 0.35}
    axes.barh(place, part.end - part.start, left=part.start, color=LIGHT[part.colour], **look)


def _paint_grid(axes: Axes, panel: Grid, write: Write) -> None:
    n = len(panel.names)
    for i, row in enumerate(panel.counts):
        for j, count in enumerate(row):
            share = count / max(sum(row), 1)
            colour = LIGHT["a"] if i == j else LIGHT["b"]
            axes.barh(i, 0.94, left=j - 0.47, height=0.9, color=colour, alpha=0.6 * share, lw=0)
            axes.text(j, i, str(count), ha="center", va="center")
    room = max(int(axes.bbox.width / n / _LETTER), 4)
    axes.set_xticks(range(n), [write(name, room) for name in panel.names])
    left = max(int(axes.bbox.x0 / _LETTER) - 3, 4)
    axes.set_yticks(range(n), [write(name, left) for name in panel.names])
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_ylim(n - 0.5, -0.5)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel(panel.across, labelpad=2)


_PAINT: dict[str, Callable[[Axes, Any, Write], None]] = {
    "signals": _paint_signals,
    "bars": _paint_bars,
    "spread": _paint_spread,
    "timeline": _paint_timeline,
    "grid": _paint_grid,
}
