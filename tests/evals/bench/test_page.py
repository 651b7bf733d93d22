"""The benchmark's own instruments; the figures themselves are measured by `make bench`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.evals.bench.page import Section, measure, overhead, render, write

SCRIPT = """
import time
print("started")
x = bytearray(80_000_000)
time.sleep(0.3)
print("plan made")
"""


def test_measure_sees_time_memory_and_the_first_line() -> None:
    """Wall time, peak memory, and when a line with the given word came, from outside."""
    found = measure([sys.executable, "-c", SCRIPT], first=["plan"])
    assert list(found.first_s) == ["plan"]
    assert 0.3 <= found.first_s["plan"] <= found.seconds
    assert found.peak_mb > 76
    assert found.cpu_s > 0


def test_measure_reports_no_first_line_when_none_came() -> None:
    """A process that never says the word has no first line."""
    assert measure([sys.executable, "-c", "print('hello')"], first=["plan"]).first_s == {}


def test_measure_refuses_a_command_that_failed() -> None:
    """A failed command is no figure; the error has its last words."""
    with pytest.raises(DataError, match="out of luck"):
        measure([sys.executable, "-c", "raise SystemExit('out of luck')"])


def test_overhead_counts_every_step_of_a_real_run() -> None:
    """A run of the offline model has steps, time in tools, and time that is neither's."""
    section = overhead()
    header, _, values = section.body.splitlines()
    row = dict(zip(header.split("|"), values.split("|"), strict=True))
    assert float(row[" steps "]) >= 5
    assert 0 < float(row[" overhead a step, ms "]) < 10_000


def test_bench_page_has_the_command_beside_each_table(tmp_path: Path) -> None:
    """Each part says how it was measured; the page is written whole."""
    section = Section(title="A", command="tuom a", note="How.", body="| x |\n|---|\n| 1 |")
    write([section], tmp_path / "docs" / "page.md")
    page = (tmp_path / "docs" / "page.md").read_text()
    assert page == render([section])
    assert page.index("## A") < page.index("`tuom a`") < page.index("| x |")
