"""A figure in a page: the static picture, wide and narrow, and the data that one may zoom.

The page's script is kept text of ours and of uPlot's, allowed to run by its hash alone; what comes
from data is JSON in an element that no browser runs.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tool_use_om.data.plain import plain_text
from tool_use_om.data.show.figure import Figure, Signals, unit_shown
from tool_use_om.data.show.static import NARROW, WIDE, svg
from tool_use_om.data.values import Json

_INLINE = Path(__file__).parent / "inline"
UPLOT = "uPlot-1.6.32"


def shown(figure: Figure, *, finding: str = "", small: bool = False) -> dict[str, object]:
    """Return a figure as the template `figure.html.j2` takes it.

    Parameters
    ----------
    finding : what the answer says, put before the figure's own words for who cannot see it
    small : it stands beside another one, and is drawn narrow at every width
    """
    narrow = address(svg(figure, NARROW))
    alt = f"{finding} {figure.alt}".strip() if figure.place == "answer" else figure.alt
    return {
        "title": figure.title,
        "alt": alt,
        "note": figure.note,
        "place": figure.place,
        "small": small,
        "narrow": narrow,
        "wide": narrow if small else address(svg(figure, WIDE)),
        "data": Markup(data_of(figure)) if figure.moves and not small else "",  # noqa: S704 - escaped
    }


def data_of(figure: Figure) -> str:
    """Return the moving panels as JSON that ends no element, whatever the data call things."""
    panels = [_panel(p) for p in figure.panels if isinstance(p, Signals)]
    return _inert({"title": figure.title, "panels": panels})


def choices_of(title: str, sessions: Mapping[str, Sequence[Signals]]) -> str:
    """Return the panels of several sessions, of which a reader chooses one, as such JSON."""
    choices = [{"name": name, "panels": [_panel(p) for p in own]} for name, own in sessions.items()]
    return _inert({"title": title, "choices": choices})


def _panel(panel: Signals) -> dict[str, Any]:
    """Return a panel as JSON values; times that all its lines share stand there once."""
    told = {**panel.model_dump(exclude_defaults=True), "unit_words": unit_shown(panel.unit)}
    if len({line.x for line in panel.lines}) == 1:
        told["x"] = panel.lines[0].x
        told["lines"] = [{k: v for k, v in line.items() if k != "x"} for line in told["lines"]]
    return told


def _inert(value: Json) -> str:
    text = json.dumps(_plain(value), separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _plain(value: Json) -> Json:
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


@cache
def script() -> str:
    """Return the script of a page that has a figure to zoom, its licence first."""
    licence = (_INLINE / "uPlot-LICENSE.txt").read_text(encoding="utf-8").strip()
    library = (_INLINE / f"{UPLOT}.min.js").read_text(encoding="utf-8").strip()
    own = (_INLINE / "figure.js").read_text(encoding="utf-8").strip()
    return f"/*! {UPLOT}\n{licence}\n*/\n{library}\n{own}\n"


@cache
def style() -> str:
    """Return the style that the script's elements need."""
    return (_INLINE / f"{UPLOT}.min.css").read_text(encoding="utf-8")


@cache
def policy(*, runs: bool) -> str:
    """Return the content security policy of a page: nothing is loaded, no script but ours runs."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    allowed = f"'sha256-{digest}'" if runs else "'none'"
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src {allowed}; base-uri 'none'; form-action 'none'"
    )


def address(picture: str) -> str:
    """Return an SVG picture as the address an `img` shows without loading anything."""
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"
