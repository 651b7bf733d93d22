"""A figure as data: what pages, notebooks and pictures draw, and what is said to who cannot see.

A figure is a few panels, each of one form; colours are named by what they mean, so that a page can
show them light and dark. Times are in seconds; where a panel's zero has a date, it is given.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tool_use_om.data.errors import DataError
from tool_use_om.data.units import unit_in_words

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import Signal

Colour = Literal["ink", "soft", "line", "a", "b", "c", "d", "e", "f"]
PALETTE: tuple[Colour, ...] = ("a", "b", "c", "d", "e", "f")
ENDING = ".figure.json"
MOST_POINTS = 4000  # of a line; more are thinned to the smallest and largest value of each bin
MOST_ROWS = 80  # of a timeline, a list of bars or of groups
_DIGITS = 6


class Piece(BaseModel):
    """A part of a figure; what it does not name is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(Piece):
    """A line; `y` has None where a value is missing, and no line bridges that."""

    name: str
    x: tuple[float, ...]
    y: tuple[float | None, ...]
    colour: Colour = "a"
    thick: bool = False


class Band(Piece):
    """What lies between two lines, such as an interval."""

    name: str
    x: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    colour: Colour = "a"


class Mark(Piece):
    """A part of a time axis, shaded over the whole height."""

    start: float
    end: float
    text: str = ""
    colour: Colour = "b"


class Signals(Piece):
    """Lines over time; panels of one `group` are moved together.

    Parameters
    ----------
    unit : of the values
    axis : what zero seconds is, in words: "session start"
    starts : ISO date and time (local, without zone) of zero seconds
    now : seconds, where what is known ends
    level : a value marked by a line across
    flat : half the height
    """

    form: Literal["signals"] = "signals"
    title: str
    unit: str = ""
    axis: str = "session start"
    starts: str | None = None
    lines: tuple[Line, ...]
    bands: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()
    now: float | None = None
    level: float | None = None
    flat: bool = False
    group: int = 0


class Bar(Piece):
    """A bar with its value written behind it, and its interval if it has one."""

    name: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None
    colour: Colour = "a"


class Bars(Piece):
    """Bars from zero, the names to the left."""

    form: Literal["bars"] = "bars"
    title: str
    unit: str = ""
    rows: tuple[Bar, ...]


class Dots(Piece):
    """A row of a distribution: each case a dot, what was said of them a mark, how sure a line."""

    name: str
    values: tuple[float, ...]
    value: float
    text: str
    low: float | None = None
    high: float | None = None
    colour: Colour = "a"


class Spread(Piece):
    """Distributions under each other on one axis; `zero` draws a line there."""

    form: Literal["spread"] = "spread"
    title: str
    unit: str = ""
    zero: bool = False
    rows: tuple[Dots, ...]


class Part(Piece):
    """A part of a row of a timeline; what is `under` lies below what is found."""

    start: float
    end: float
    text: str = ""
    colour: Colour = "a"
    under: bool = False


class Row(Piece):
    """A session's row of a timeline."""

    name: str
    length: float
    parts: tuple[Part, ...] = ()
    text: str = ""


class Timeline(Piece):
    """Sessions under each other on one time axis."""

    form: Literal["timeline"] = "timeline"
    title: str
    axis: str = "session start"
    rows: tuple[Row, ...]


class Grid(Piece):
    """Counts in a square: rows by columns, such as who was taken for whom."""

    form: Literal["grid"] = "grid"
    title: str
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    across: str
    down: str


Panel = Annotated[Signals | Bars | Spread | Timeline | Grid, Field(discriminator="form")]


class Figure(Piece):
    """One figure.

    Parameters
    ----------
    title : what it shows, as a heading
    alt : what it says, for who cannot see it
    note : how it is read, one or two sentences
    place : "answer" shows what was asked, "check" how sure that is, "more" the rest
    about : JSON pointer of the part of its result that it shows; "" = all of it
    """

    title: str
    alt: str
    panels: tuple[Panel, ...]
    note: str = ""
    place: Literal["answer", "check", "more"] = "answer"
    about: str = ""

    @property
    def moves(self) -> bool:
        """Whether it has a time axis that one may want to zoom."""
        return any(isinstance(panel, Signals) for panel in self.panels)


def kept(figure: Figure) -> Callable[[Path], object]:
    """Return what writes a figure as JSON at a path that ends in `ENDING`."""

    def write(path: Path) -> int:
        return path.write_text(figure.model_dump_json(), encoding="utf-8")

    return write


def read_figure(path: Path) -> Figure:
    """Return the figure of a file.

    Raises
    ------
    DataError : it is damaged, or of another version
    """
    try:
        return Figure.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise DataError(f"{path} is no figure ({error}). Run the tool again.") from error


def unit_shown(unit: str) -> str:
    """Return a unit as an axis names it; nothing for a plain number or an unknown unit."""
    return "" if unit in {"", "1"} or "a.u." in unit else unit_in_words(unit)


def values_of(values: np.ndarray | Sequence[float]) -> tuple[float | None, ...]:
    """Return values short enough to be drawn, None where they are missing."""
    found = np.asarray(values, np.float64)
    return tuple(float(f"{v:.{_DIGITS}g}") if np.isfinite(v) else None for v in found.tolist())


def times_of(time_s: np.ndarray | Sequence[float]) -> tuple[float, ...]:
    """Return seconds to a tenth of a millisecond."""
    return tuple(round(float(t), 4) for t in np.asarray(time_s, np.float64).tolist())


def line(
    name: str,
    time_s: np.ndarray,
    values: np.ndarray,
    colour: Colour = "a",
    *,
    rate_hz: float | None = None,
    most: int = MOST_POINTS,
    thick: bool = False,
) -> Line:
    """Return a line of at most about `most` points that keeps every extreme and every long gap.

    Parameters
    ----------
    rate_hz : of the samples; where given, no line bridges missing ones
    """
    from tool_use_om.data.show.panels import thin, with_gaps

    time_s, values = np.asarray(time_s, np.float64), np.asarray(values, np.float64)
    if rate_hz and time_s.size:
        time_s, values = with_gaps(time_s, values, rate_hz)
    time_s, values = thin(time_s, values, most)
    x, y = times_of(time_s), values_of(values)
    return Line(name=name, x=x, y=y, colour=colour, thick=thick)


def lines_of(signal: Signal, *, start_s: float = 0.0, most: int = MOST_POINTS) -> tuple[Line, ...]:
    """Return the channels of a signal as lines, times counted from `start_s`."""
    time_s = signal.time_s - start_s
    return tuple(
        line(
            channel.partition(".")[2], time_s, signal.values[:, i], PALETTE[i % len(PALETTE)],
            rate_hz=signal.rate_hz, most=most,
        )
        for i, channel in enumerate(signal.channels)
    )  # fmt: skip
