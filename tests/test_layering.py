"""The laws of the house: floors, wings and circles, read off the source; nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("data", "tokenizers", "heads", "tools", "agent", "evals", "graphs")
FILES = sorted(f for layer in LAYERS for f in (ROOT / layer).rglob("*.py"))
LANGUAGE_MODEL_PACKAGES = ("langchain", "langgraph")


@cache
def parsed(source: Path) -> ast.Module:
    """Return a file's syntax tree, read once for all laws."""
    return ast.parse(source.read_text(encoding="utf-8"))


def imports(source: Path) -> Iterator[tuple[str, bool]]:
    """Yield (module, at module level) for each import in a file."""
    tree = parsed(source)
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


def test_layers_import_leftwards_only() -> None:
    """data <- tokenizers <- heads <- tools <- agent <- evals <- graphs; nothing imports tests."""
    for source in FILES:
        allowed = set(LAYERS[: LAYERS.index(layer_of(source)) + 1])
        for module, _ in imports(source):
            assert module.split(".")[0] != "tests", f"{source} imports {module}"
            if module.startswith("tool_use_om."):
                assert module.split(".")[1] in allowed, f"{source} imports {module}"


def test_language_model_packages_appear_from_tools_rightwards_only() -> None:
    """data/, tokenizers/ and heads/ know nothing of LangChain and LangGraph."""
    for source in FILES:
        if layer_of(source) in ("data", "tokenizers", "heads"):
            for module, _ in imports(source):
                assert not module.startswith(LANGUAGE_MODEL_PACKAGES), f"{source} imports {module}"


def test_only_tokenizers_loads_an_encoder() -> None:
    """No other folder constructs an encoder or reads its weights."""
    for source in FILES:
        training = ROOT / "graphs" / "commands" / "pretrain.py"
        if layer_of(source) in ("tokenizers", "evals") or source == training:
            continue
        for module, _ in imports(source):
            assert not module.startswith(("momentfm", "tool_use_om.tokenizers.moment.model")), (
                source
            )


def test_heavy_libraries_are_imported_lazily_from_tools_rightwards() -> None:
    """`import tool_use_om.agent.graph` must not pay for torch, pandas or a plotting library."""
    for source in FILES:
        heavy = {"torch", "pandas", "sklearn", "scipy", "transformers", "matplotlib", "aeon", "trl"}
        if layer_of(source) in ("tools", "agent", "graphs"):
            at_top = {module.split(".")[0] for module, top in imports(source) if top}
            assert not at_top & heavy, f"{source} imports {at_top & heavy} at its top"


def test_code_never_asserts_nor_unpickles() -> None:
    """Input is checked by raising an error with a message; no pickle is ever loaded."""
    for source in FILES:
        tree = parsed(source)
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.Assert)], source
        modules = {module.split(".")[0] for module, _ in imports(source)}
        assert not modules & {"pickle", "cloudpickle", "dill", "joblib", "shelve"}, source


MODULES = {".".join(("tool_use_om", *f.relative_to(ROOT).with_suffix("").parts)): f for f in FILES}
# wings of one floor that must not meet: each knows the floor's shared rooms only
STRANGERS = (
    ("heads/classify", "heads/forecast"),
    ("heads/classify", "heads/search"),
    ("heads/forecast", "heads/search"),
    ("evals/suites/classify", "evals/suites/forecast"),
    ("evals/suites/classify", "evals/suites/questions"),
    ("evals/suites/forecast", "evals/suites/questions"),
    ("evals/bench", "evals/suites"),
)


@cache
def known(source: Path) -> frozenset[Path]:
    """Return the files of this package that a file imports, at its top or inside a function."""
    found: set[Path] = set()
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
            found |= {MODULES[name] for name in names if name in MODULES}
        elif isinstance(node, ast.Import):
            found |= {MODULES[a.name] for a in node.names if a.name in MODULES}
    return frozenset(found - {source})


def test_no_files_import_each_other_in_a_circle() -> None:
    """A circle means that a type is declared beside its first user instead of below all."""
    settled: set[Path] = set()
    left = set(FILES)
    while ready := {f for f in left if known(f) <= settled}:
        settled |= ready
        left -= ready
    assert not left, sorted(str(f.relative_to(ROOT)) for f in left)


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_wings_that_must_not_meet_do_not(one: str, other: str) -> None:
    """What two wings share lies below both; a judge does not know its witness."""
    for here, there in ((one, other), (other, one)):
        for source in FILES:
            if (ROOT / here) in source.parents:
                met = [f for f in known(source) if (ROOT / there) in f.parents]
                assert not met, f"{source} imports {met}"


def test_the_verifier_knows_nothing_of_the_writer() -> None:
    """The judge must not know its witness; the writer may ask how a fact is looked up."""
    offline = ROOT / "agent" / "offline"
    for source in (ROOT / "agent" / "verify").rglob("*.py"):
        assert not [f for f in known(source) if offline in f.parents], source


def test_converters_meet_only_in_their_shared_rooms() -> None:
    """A data set's converter reads its own files; what several need is in shared/."""
    wing = ROOT / "data" / "converters"
    for source in wing.glob("*.py"):
        others = {f.stem for f in known(source) if f.parent == wing} - {"options"}
        assert not others, f"{source.name} imports {others}"


def test_no_string_names_a_higher_floor() -> None:
    """An arrow in a string is an arrow: registries name their own floor or lower ones."""
    for source in FILES:
        higher = LAYERS[LAYERS.index(layer_of(source)) + 1 :]
        for node in ast.walk(parsed(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not [h for h in higher if f"tool_use_om.{h}." in node.value], node.value[:80]
