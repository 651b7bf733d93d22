"""The top level is fixed, and Python started in the repository root still finds its libraries."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("agent", "tools", "heads", "tokenizers", "data", "graphs", "evals")


def test_code_folders_have_no_init_file() -> None:
    """`tokenizers/__init__.py` would shadow the Hugging Face package for whoever starts here."""
    assert not [p for folder in FOLDERS for p in (ROOT / folder).rglob("__init__.py")]


def test_transformers_imports_when_python_starts_in_the_repository_root() -> None:
    """The folder names tokenizers/, data/, tools/ … must not hide installed packages."""
    code = "import transformers, tokenizers; print(tokenizers.__version__, tokenizers.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "site-packages" in done.stdout


def test_every_package_folder_is_listed_for_the_wheel() -> None:
    """A folder with code that pyproject.toml does not list would be missing from the wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    mapping = project["tool"]["setuptools"]["package-dir"]
    assert mapping == {f"tool_use_om.{folder}": folder for folder in FOLDERS}
    with_code = {f.parent.relative_to(ROOT) for d in FOLDERS for f in (ROOT / d).rglob("*.py")}
    named = {".".join(("tool_use_om", *folder.parts)) for folder in with_code}
    assert set(project["tool"]["setuptools"]["packages"]) == named


def test_readme_shows_the_two_commands_and_make_has_them() -> None:
    """Two commands on a fresh clone: `make demo` and `make test`."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "test", "check", "fix", "bench", "docs"):
        assert f"\n{target}:" in makefile
    assert "make demo" in readme
    assert "make test" in readme
    assert "make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_readme_tree_names_every_folder() -> None:
    """The annotated tree tells a newcomer where things are, all of them."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [folder for folder in (*FOLDERS, "tests", "docs") if f"{folder}/" not in readme]


@pytest.mark.parametrize("name", ["download", "extra-index-url", "index-url", "://"])
def test_constraints_record_no_download_address(name: str) -> None:
    """Pins are versions only."""
    assert name not in (ROOT / "constraints.txt").read_text(encoding="utf-8")


MOST_ENTRIES, LONGEST_FILE = 16, 450
CODE = sorted(f for folder in FOLDERS for f in (ROOT / folder).rglob("*.py"))
ROOMS = sorted({f.parent for f in CODE})


def test_a_folder_reads_as_its_table_of_contents() -> None:
    """At most about fifteen entries; converters alone list one file a data set."""
    for folder in set(ROOMS) - {ROOT / "data" / "converters"}:
        entries = [f for f in folder.iterdir() if f.name != "__pycache__"]
        assert len(entries) <= MOST_ENTRIES, sorted(f.name for f in entries)


def test_a_file_has_a_name_of_its_own() -> None:
    """No `run.py` beside `run/`, no word of the folder again, no file that continues another."""
    for source in CODE:
        assert not source.with_suffix("").is_dir(), source
        assert not source.stem.startswith(source.parent.name + "_"), source
        assert not source.stem.endswith(("_more", "_utils", "_misc")), source


def test_a_file_can_be_read_in_one_sitting() -> None:
    """A file of over 450 lines is two thoughts."""
    for source in CODE:
        assert len(source.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, source
