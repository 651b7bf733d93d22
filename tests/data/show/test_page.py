"""Pages from templates: what they write is text, and nothing else gets in."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from tool_use_om.data.show import interactive
from tool_use_om.data.show.page import render

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted(f for floor in ("data", "agent") for f in (ROOT / floor).rglob("*.j2"))
HOSTILE = "</style><script>alert(1)</script>\"'><img src=x onerror=y>{{ 7 * 7 }}\x1b[31m\u202e"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "x.html.j2"
    body = '{% block body %}<p title="{{ said }}">{{ said }}|{{ nothing }}</p>{% endblock %}'
    path.write_text(f'{{% extends "page.html.j2" %}}\n{body}', encoding="utf-8")
    return path


def values(**changes: object) -> dict[str, object]:
    return {"title": "T", "eyebrow": "e", "said": "s", "nothing": None, **changes}


@pytest.mark.parametrize("where", ["title", "eyebrow", "said"])
def test_every_value_is_escaped_and_free_of_control_characters(template: Path, where: str) -> None:
    """Markup, quotes, template marks and escapes of a terminal stay what they are: text."""
    page = render(template, values(**{where: HOSTILE}))
    assert "<script" not in page
    assert "<img" not in page
    assert "{{ 7 * 7 }}" in page
    assert not set(page) & set("\x1b\u202e")
    assert page.count("</style>") == 1


def test_none_is_nothing_and_a_missing_value_is_an_error(template: Path) -> None:
    """A page with a hole says so when it is written, not when it is read."""
    assert ">s|</p>" in render(template, values())
    with pytest.raises(UndefinedError, match="said"):
        render(template, {"title": "T", "eyebrow": "e", "nothing": None})


def test_page_holds_its_style_once_and_loads_nothing(template: Path) -> None:
    """The style sheet of the folder is inside; there is no address and no script."""
    page = render(template, values())
    assert page.count("prefers-color-scheme: dark") == 1
    assert not re.search(r"<link|<script|@import|url\(|https?:", page)
    assert "script-src 'none'" in page.replace("&#39;", "'")


def test_no_template_takes_a_value_as_markup() -> None:
    """What is markup is marked where it is made; a `safe` would let a data set write the page."""
    assert len(TEMPLATES) == 4
    text = "\n".join(f.read_text(encoding="utf-8") for f in TEMPLATES)
    assert not re.findall(r"\| *safe", text)
    assert "autoescape" not in text


def test_kept_script_is_the_one_that_is_named_and_small_enough() -> None:
    """The vendored files are those whose hashes stand beside them; a page grows by under 200 kB."""
    folder = ROOT / "data" / "show" / "inline"
    listed = dict(re.findall(r"^\| `(uPlot[^`]*)` .*`([0-9a-f]{64})`", (folder / "README.md")
                             .read_text(encoding="utf-8"), re.MULTILINE))  # fmt: skip
    found = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.glob("uPlot*")}
    assert listed == found
    assert len(interactive.script()) + len(interactive.style()) < 200_000


def test_templates_and_style_travel_with_the_package() -> None:
    """What the wheel leaves out is missing on the machine it is installed on."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"][
        "package-data"
    ]
    for file in TEMPLATES:
        folder = ".".join(("tool_use_om", *file.relative_to(ROOT).parent.parts))
        inlined = folder.endswith(".inline")
        held = data[folder.removesuffix(".inline")]
        assert ("inline/*" if inlined else f"*{file.suffix}") in held, file


def test_nobody_pays_for_the_template_engine_before_a_page_is_written() -> None:
    """Importing the page's module, the report's and the command line loads no Jinja2."""
    code = (
        "import sys; import tool_use_om.data.show.page, tool_use_om.agent.record.report;"
        "import tool_use_om.graphs.commands.main; print('jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
