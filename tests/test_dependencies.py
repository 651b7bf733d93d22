"""What the code imports is what pyproject.toml declares; what the documents show runs."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("agent", "tools", "heads", "tokenizers", "data", "graphs", "evals")
# Names of distributions where they differ from the module's.
DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "markdown_it": "markdown-it-py",
    "chronos": "chronos-forecasting",
}
# Only named in a message that says how to install it (`--model <provider>:<name>`).
BY_HAND = {"langchain"}


def _modules() -> set[str]:
    trees = [
        ast.parse(f.read_text(encoding="utf-8"))
        for folder in FOLDERS
        for f in (ROOT / folder).rglob("*.py")
    ]
    nodes = [n for tree in trees for n in ast.walk(tree)]
    names = [alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names]
    names += [n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module]
    tops = {name.split(".")[0] for name in names}
    return tops - set(sys.stdlib_module_names) - {"tool_use_om"}


def _declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    return {re.split(r"[\[<>=!~ ]", line)[0] for group in groups for line in group}


def test_every_import_is_declared() -> None:
    """A library that comes along with another one today may not tomorrow."""
    wanted = {DISTRIBUTIONS.get(m, m.replace("_", "-")) for m in _modules() - BY_HAND}
    assert wanted - _declared() == set()


@pytest.mark.parametrize("document", ["README.md", "docs/serving.md"])
def test_python_snippets_of_the_documents_run_as_printed(
    document: str, sample_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied and pasted, they work; those for a running server are run in its own test."""
    text = (ROOT / document).read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert snippets
    monkeypatch.setenv("TUOM_WORKSPACE", str(sample_workspace))
    monkeypatch.chdir(tmp_path)
    for snippet in snippets:
        if "async for" not in snippet:
            exec(compile(snippet, document, "exec"), {})
