"""Figures as data: a thinned line keeps its extremes, a picture what is written; JSON is inert."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.show.figure import (
    Band,
    Bar,
    Bars,
    Dots,
    Figure,
    Grid,
    Line,
    Mark,
    Part,
    Row,
    Signals,
    Spread,
    Timeline,
    kept,
    line,
    read_figure,
)
from tool_use_om.data.show.interactive import data_of, shown
from tool_use_om.data.show.static import DARK, LIGHT, NARROW, png, svg

ODD = "<b>&\"'</script>$\\frac{$漢字"
SPIKE = np.where(np.arange(20160) == 12097, 14.6, 0.4)
PANELS = (
    Signals(
        title=ODD, unit="kW", starts="2025-03-01T00:00:00", now=5e5, level=2.0,
        lines=(line(ODD, np.arange(20160) * 60.0, SPIKE, rate_hz=1 / 60),),
        marks=(Mark(start=725800, end=725900, text=ODD),),
        bands=(Band(name="90 %", x=(0.0, 60.0), low=(0.0, None), high=(1.0, 2.0)),),
    ),
    Bars(title="b", rows=(Bar(name=ODD, value=0.7664, text="0.7664", low=0.5, high=0.9),)),
    Spread(title="s", zero=True, rows=(Dots(name="g", values=(1.0, 2.0), value=1.5, text="1"),)),
    Timeline(title="t", rows=(Row(name="s", length=9, parts=(Part(start=1, end=2),)),)),
    Grid(title="g", names=("a", "b"), counts=((3, 1), (0, 4)), across="named", down="labelled"),
)  # fmt: skip
FIGURE = Figure(title="T", alt="A", panels=PANELS)


def test_a_thinned_line_keeps_every_extreme() -> None:
    """One sample of twenty thousand is in the line, at its own time."""
    drawn = line("x", np.arange(20160) * 60.0, SPIKE)
    assert len(drawn.x) < 5000
    assert drawn.y[drawn.x.index(12097 * 60.0)] == 14.6


def test_no_line_bridges_missing_samples() -> None:
    """A gap in time and a missing value are both None."""
    time_s = np.array([0.0, 1.0, 2.0, 9.0, 10.0])
    drawn = line("x", time_s, np.array([1.0, np.nan, 1.0, 1.0, 1.0]), rate_hz=1.0)
    assert [y is None for y in drawn.y] == [False, True, False, True, False, False]


@pytest.mark.parametrize("width", [NARROW, 900])
def test_picture_is_whole_xml_that_keeps_what_is_written(width: int) -> None:
    """Names are escaped, values are not shortened, no script and no address is in it."""
    text = svg(FIGURE, width)
    written = "".join(ET.fromstring(text).itertext())
    assert "0.7664" in written
    assert "漢" in written
    assert "<b>" not in text
    assert "<script" not in text
    assert f'width="{width}"' in text


def test_picture_turns_dark_with_the_page() -> None:
    """Every colour drawn is a named one that has a dark value."""
    text = svg(FIGURE)
    assert "prefers-color-scheme: dark" in text
    body = text.partition("</style>")[2]
    assert not [colour for colour in LIGHT.values() if colour in body]
    assert LIGHT.keys() == DARK.keys()


def test_scale_holds_the_spike() -> None:
    """The highest point is inside the axes, in the static picture, too."""
    high = Figure(title="T", alt="A", panels=PANELS[:1])
    flat = line("x", np.arange(100.0), np.full(100, 0.4))
    low = Figure(title="T", alt="A", panels=(PANELS[0].model_copy(update={"lines": (flat,)}),))
    ticks = [set(map(str.strip, ET.fromstring(svg(f)).itertext())) for f in (high, low)]
    assert "15" in ticks[0]
    assert "15" not in ticks[1]


def test_same_figure_gives_the_same_picture_and_a_png() -> None:
    """Equal runs give equal bytes."""
    assert svg(FIGURE) == svg(FIGURE)
    assert png(FIGURE)[:4] == b"\x89PNG"


def test_figure_survives_its_file(tmp_path: Path) -> None:
    """What is written is read again."""
    kept(FIGURE)(tmp_path / "x.figure.json")
    assert read_figure(tmp_path / "x.figure.json") == FIGURE


def test_data_beside_a_figure_end_no_element() -> None:
    """No sign of markup is left in the JSON, and it still says the same."""
    text = data_of(FIGURE)
    assert not set("<>&") & set(text)
    assert json.loads(text)["panels"][0]["lines"][0]["name"] == ODD
    assert len(json.loads(text)["panels"]) == 1  # only what has a time axis moves


def test_small_figure_does_not_move() -> None:
    """Beside another one there is no room to zoom."""
    assert not shown(FIGURE, small=True)["data"]
    assert shown(FIGURE)["data"]
    lone = Figure(
        title="T", alt="A", panels=(Signals(title="x", lines=(Line(name="", x=(), y=()),)),)
    )
    assert svg(lone)
