"""The page that shows how to add things shows diffs that apply and lines that run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("agent", "tools", "heads", "tokenizers", "data", "graphs", "evals")
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
DIFFS = re.findall(r"```diff\n(.*?)```", PAGE, flags=re.DOTALL)
TITLES = re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE)
RUNS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the package with every diff of the page applied, in the page's order."""
    root = tmp_path_factory.mktemp("extended")
    package = root / "tool_use_om"
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, package / folder, ignore=shutil.ignore_patterns("*.pyc"))
    for title, diff in zip(TITLES, DIFFS, strict=True):
        done = subprocess.run(
            ["git", "apply", "--verbose", "-"],
            cwd=package, input=diff, capture_output=True, text=True, check=False,
            env=os.environ | {"GIT_CEILING_DIRECTORIES": str(root)},
        )  # fmt: skip
        assert done.returncode == 0, f"{title}: {done.stderr}"
    return root


def test_page_shows_a_diff_and_a_run_for_each_addition() -> None:
    """Head, model of samples, tokenizer, converter, tool, question form, suite, benchmark."""
    assert len(TITLES) == len(DIFFS) == len(RUNS) == 8


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(RUNS)), ids=lambda i: TITLES[i])
def test_addition_works_as_the_page_says(extended: Path, number: int) -> None:
    """What stands below a diff runs once it is applied."""
    done = subprocess.run(
        [sys.executable, "-c", RUNS[number]],
        cwd=extended, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(extended)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout
