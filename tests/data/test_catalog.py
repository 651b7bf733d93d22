"""Finding sets by name; samples appear when first asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data import catalog
from tool_use_om.data.catalog import CONVERTERS, SAMPLES, available, load_function, open_dataset
from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.workspace import Workspace


def test_catalog_registry_lines_all_import() -> None:
    """Every registered sample and converter can be loaded."""
    for path in [*SAMPLES.values(), *CONVERTERS.values()]:
        assert callable(load_function(path))


def test_open_dataset_names_the_nearest_when_unknown(tmp_path: Path) -> None:
    """An unknown name, also one that is a path, is refused and builds nothing."""
    space = Workspace.at(tmp_path)
    with pytest.raises(NotFoundError, match="Did you mean 'basic-motions'"):
        open_dataset("basic-motion", space)
    with pytest.raises(NotFoundError):
        open_dataset("../../etc", space)
    assert [p.name for p in tmp_path.rglob("*")] == ["datasets"]


def test_open_dataset_builds_a_sample_once(tmp_path: Path) -> None:
    """The second opening finds the set on disk and reports no progress."""
    space = Workspace.at(tmp_path)
    events: list[dict[str, object]] = []
    first = open_dataset("synthetic-markets", space, progress=events.append)
    assert events[-1] == {
        "phase": "simulate markets",
        "done": 16,
        "total": 16,
        "unit": "sessions",
    }
    events.clear()
    again = open_dataset("synthetic-markets", space, progress=events.append)
    assert (events, again.content_hash) == ([], first.content_hash)
    assert "synthetic-markets" in available(space)
    assert [p.name for p in (tmp_path / "datasets").iterdir()] == ["synthetic-markets"]


def test_open_dataset_is_safe_when_two_processes_build_at_once(tmp_path: Path) -> None:
    """Both processes end with the same complete set and no leftovers."""
    script = (
        "import sys\n"
        "from tool_use_om.data.catalog import open_dataset\n"
        "from tool_use_om.data.workspace import Workspace\n"
        "print(open_dataset('synthetic-markets', Workspace.at(sys.argv[1])).content_hash)\n"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    hashes = {child.communicate()[0].strip() for child in both}
    assert [child.returncode for child in both] == [0, 0]
    assert len(hashes) == 1
    assert [p.name for p in (tmp_path / "datasets").iterdir()] == ["synthetic-markets"]


def test_open_dataset_first_builder_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that finds the sample finished by another one leaves that one alone."""
    space = Workspace.at(tmp_path)
    real = load_function(SAMPLES["synthetic-markets"])

    def slow(target: Path, **options: object) -> None:
        if not (tmp_path / "datasets" / "synthetic-markets").exists():
            real(tmp_path / "datasets" / "synthetic-markets", **options)
        real(target, **options)

    monkeypatch.setattr(catalog, "load_function", lambda _: slow)
    opened = open_dataset("synthetic-markets", space)
    assert len(opened.sessions()) == 16
    assert np.isfinite(opened.manifest.duration_s)


def test_open_dataset_failed_build_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample that cannot be built leaves no folder behind."""

    def broken(target: Path, **_: object) -> None:
        target.mkdir()
        raise DataError("no sensor")

    monkeypatch.setattr(catalog, "load_function", lambda _: broken)
    with pytest.raises(DataError, match="no sensor"):
        open_dataset("synthetic-days", Workspace.at(tmp_path))
    assert list((tmp_path / "datasets").iterdir()) == []
