"""`tuom bench data`, at sizes that say nothing but that it measures."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.evals.bench import data as data_bench
from tool_use_om.evals.bench import data_peers
from tool_use_om.graphs.commands.bench import app


def test_bench_data_measures_and_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each size gives a row in every table, and nothing that was built stays."""
    monkeypatch.setattr(data_bench, "CALLS", 1)
    page = tmp_path / "out.md"
    asked = ["data", "--sessions", "3", "--index-only", "7", "--seconds", "4"]
    result = CliRunner().invoke(app, [*asked, "--folder", str(tmp_path), "--out", str(page)])
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert "`tuom bench data --sessions 3 --index-only 7 --seconds 4`" in text
    assert text.count("\n| 3 |") == 5
    assert text.count("\n| 7 |") == 3
    assert [p.name for p in tmp_path.iterdir()] == ["out.md"]


def test_bench_index_alone_is_a_set_that_opens(tmp_path: Path) -> None:
    """The index built without signals answers as any other."""
    data_bench.build_index(tmp_path / "set", 9)
    dataset = DataSet.open(tmp_path / "set")
    assert len(dataset.sessions()) == 9
    assert len(dataset.channel_stats(["gyroscope.z"])) == 9


def test_bench_data_skips_peers_that_are_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that is missing is named as not installed; the others are measured."""
    monkeypatch.setattr(data_peers, "find_spec", lambda _name: None)
    assert data_peers._one_file("polars") is None
    row = {"sessions": 1, "ours_mb_s": 2.0, "polars_mb_s": None}
    assert "not installed" in data_bench.render([row], "x", "y")


def test_bench_data_goes_on_from_rows_already_measured() -> None:
    """A row of an earlier run is given again without measuring."""
    row = {"sessions": 5, "seconds": 4.0, "index_only": False, "convert_s": 1.0}
    assert list(data_bench.run([5], 4.0, done=[row])) == [row]


def test_bench_data_reads_less_for_less(tmp_path: Path) -> None:
    """A quarter of one channel's time asks the system for fewer bytes than the whole session."""
    data_bench.build(tmp_path / "set", 2, 3000.0)
    found = data_bench._reading(tmp_path / "set", 3000.0)
    assert found["read_range_kb"] < found["read_session_kb"] / 4
