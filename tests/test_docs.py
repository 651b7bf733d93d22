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


def test_every_line_of_the_threat_model_has_its_tests() -> None:
    """The page names them, and each is there under that name."""
    page = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    rows = [r for r in page.splitlines() if r.startswith("|") and not r.startswith("|---")]
    code: dict[str, str] = {}  # two folders may have a test file of one name
    for path in (ROOT / "tests").rglob("test_*.py"):
        code[path.name] = code.get(path.name, "") + path.read_text("utf-8")
    file = ""
    for row in [r for r in rows if not r.endswith("| test |")]:
        last = row.rstrip("| ").rpartition("|")[2]
        if last.strip().startswith(("below", "the same two")):
            continue
        named = re.findall(r"`(test_\w+\.py)?(?:::)?(test_\w+)`", last)
        assert named, row[:80]
        for given, test in named:
            file = given or file
            assert f"def {test}(" in code[file], f"{file}::{test}"
