"""Every table that is written: one line a row, whatever stands in a cell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.show.listing import list_datasets
from tool_use_om.data.show.markdown import lines, table

ROOT = Path(__file__).parents[3]


def test_table_has_a_head_a_rule_and_a_line_a_row() -> None:
    """Columns stand left unless said; the last letter holds for all columns behind it."""
    assert table(("a", "b"), [(1, 2.5)]) == "| a | b |\n| --- | --- |\n| 1 | 2.5 |"
    assert table("abc", ["xyz"], "lr").splitlines()[1] == "| --- | ---: | ---: |"
    assert table("ab", []) == "| a | b |\n| --- | --- |"


def test_no_cell_ends_its_row_or_its_column() -> None:
    """A reader of Markdown finds as many cells as were given, with their text."""
    hostile = "a|b\nc \t d | --- |"
    rendered = MarkdownIt("commonmark").enable("table").render(table(("x", "y"), [(hostile, "z")]))
    assert rendered.count("<td>") == 2
    assert "<td>a|b c d | --- |</td>" in rendered


def test_lines_leave_cells_that_are_markdown_as_they_are() -> None:
    """What an answer refers to must reach the verifier to the letter."""
    assert lines(["a"], [["{r1/x|percent}"]])[2] == "| {r1/x|percent} |"


def test_a_row_of_another_length_is_refused() -> None:
    """A cell too few would put each later value under another title."""
    with pytest.raises(ValueError, match="1 cells under 2 titles"):
        table(("a", "b"), [("x",)])


def test_listing_has_a_row_a_set(tiny: DataSet, tmp_path: Path) -> None:
    """Sessions, people and channels at their rates, read off the sets of a folder."""
    head, _, row = list_datasets(tmp_path).splitlines()
    cells = [c.strip() for c in row.strip("|").split("|")]
    assert [c.strip() for c in head.strip("|").split("|")][:3] == ["set", "sessions", "subjects"]
    assert cells[:2] == [tiny.name, str(tiny.manifest.n_sessions)]


def test_nobody_writes_a_table_by_hand() -> None:
    """A second writer would have its own rules for `|` and line ends."""
    floors = ("data", "tokenizers", "heads", "tools", "agent", "evals", "graphs")
    code = [f for floor in floors for f in (ROOT / floor).rglob("*.py")]
    writers = [f for f in code if re.search(r'[|\[] ?"?---', f.read_text("utf-8"))]
    mine = {ROOT / "data/show/markdown.py", ROOT / "evals/suites/faithfulness/laundering.py"}
    assert not set(writers) - mine
