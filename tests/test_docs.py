"""The pages that tell where things are tell the truth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = "agent|tools|heads|tokenizers|data|graphs|evals|tests|docs"
PAGES = ("README.md", "docs/tour.md", "docs/extending.md", "docs/adr/0005-the-house.md")
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)`")


@pytest.mark.parametrize("page", PAGES)
def test_pages_name_files_that_exist(page: str) -> None:
    """A path in backticks is a file or a folder of this repository."""
    named = PATH.findall((ROOT / page).read_text(encoding="utf-8"))
    assert not [path for path in named if not (ROOT / path).exists()]


def test_pages_link_to_pages_that_exist() -> None:
    """A relative link in README or docs leads somewhere."""
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} → {target}"
