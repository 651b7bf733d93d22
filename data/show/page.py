"""HTML pages from templates: one file that holds its style, pictures and script and loads nothing.

Templates end in `.html.j2`, extend `page.html.j2` and share what lies in `inline/`. Each value
that a template writes is escaped and free of control characters, whatever a data set or a model
called its things; `Markup` is for what a Markdown renderer made with raw HTML switched off, for
the data of a figure, and for our own script, and nothing else. Each page has a content security
policy.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tool_use_om.data.plain import plain_text

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent


def render(template: Path, values: Mapping[str, object]) -> str:
    """Return the page that a template makes of these values.

    Parameters
    ----------
    template : Path of a file `….html.j2`
    values : what the template names; `title` (str), `eyebrow` (str) and all that its blocks use;
        `runs` (bool) says whether a figure moves, so that the page holds the script

    Raises
    ------
    jinja2.UndefinedError : the template names what is not given
    """
    return _environment(template.parent).get_template(template.name).render(**{**_STILL, **values})


_STILL: Mapping[str, object] = {"runs": False}


def inlined(png: bytes) -> str:
    """Return a picture as the address an `img` shows without loading anything."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


@cache
def _environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from tool_use_om.data.show import interactive

    made = Environment(
        loader=FileSystemLoader([folder, _HERE, _HERE / "inline"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_plain,
    )
    made.globals |= {
        "policy": interactive.policy,
        "script": lambda: Markup(interactive.script()),  # noqa: S704 - kept text
        "script_style": lambda: Markup(interactive.style()),  # noqa: S704 - kept text
    }
    return made


def _plain(value: object) -> object:
    """Return what a template writes of a value: nothing for None, plain text for text."""
    if value is None:
        return ""
    return plain_text(value) if type(value) is str else value
