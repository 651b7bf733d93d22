"""The layers import leftwards only; each law is read off the source, nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("data", "tokenizers", "heads", "tools", "agent", "evals", "graphs")
FILES = sorted(f for layer in LAYERS for f in (ROOT / layer).rglob("*.py"))
LANGUAGE_MODEL_PACKAGES = ("langchain", "langgraph")


def imports(source: Path) -> Iterator[tuple[str, bool]]:
    """Yield (module, at module level) for each import in a file."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) in top


def layer_of(source: Path) -> str:
    return source.relative_to(ROOT).parts[0]


def test_there_is_something_to_check() -> None:
    """A guard that finds no files would pass for ever."""
    assert {layer_of(f) for f in FILES} == set(LAYERS)


@pytest.mark.parametrize("source", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_layers_import_leftwards_only(source: Path) -> None:
    """data <- tokenizers <- heads <- tools <- agent <- evals <- graphs; nothing imports tests."""
    allowed = set(LAYERS[: LAYERS.index(layer_of(source)) + 1])
    for module, _ in imports(source):
        assert module.split(".")[0] != "tests", f"{source} imports {module}"
        if module.startswith("tool_use_om."):
            assert module.split(".")[1] in allowed, f"{source} imports {module}"


@pytest.mark.parametrize("source", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_language_model_packages_appear_from_tools_rightwards_only(source: Path) -> None:
    """data/, tokenizers/ and heads/ know nothing of LangChain and LangGraph."""
    if layer_of(source) in ("data", "tokenizers", "heads"):
        for module, _ in imports(source):
            assert not module.startswith(LANGUAGE_MODEL_PACKAGES), f"{source} imports {module}"


@pytest.mark.parametrize("source", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_only_tokenizers_loads_an_encoder(source: Path) -> None:
    """No other folder constructs an encoder or reads its weights."""
    training = ROOT / "graphs" / "commands" / "pretrain.py"
    if layer_of(source) in ("tokenizers", "evals") or source == training:
        return
    for module, _ in imports(source):
        assert not module.startswith(("momentfm", "tool_use_om.tokenizers.moment.model")), source


@pytest.mark.parametrize("source", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_heavy_libraries_are_imported_lazily_from_tools_rightwards(source: Path) -> None:
    """`import tool_use_om.agent.graph` must not pay for torch, pandas or a plotting library."""
    heavy = {"torch", "pandas", "sklearn", "scipy", "transformers", "matplotlib", "aeon", "trl"}
    if layer_of(source) in ("tools", "agent", "graphs"):
        at_top = {module.split(".")[0] for module, top in imports(source) if top}
        assert not at_top & heavy, f"{source} imports {at_top & heavy} at its top"


@pytest.mark.parametrize("source", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_code_never_asserts_nor_unpickles(source: Path) -> None:
    """Input is checked by raising an error with a message; no pickle is ever loaded."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Assert)], source
    modules = {module.split(".")[0] for module, _ in imports(source)}
    assert not modules & {"pickle", "cloudpickle", "dill", "joblib", "shelve"}, source
