"""Tables in an answer: rows are checked cell by cell, and cut so that a table stays a table."""

from __future__ import annotations

from typing import Any

import pytest
from markdown_it import MarkdownIt

from tool_use_om.agent.verify.check import Verification, verify
from tool_use_om.agent.verify.prose import blocks, cells

R = "r-0a1b2c3d4e5f"
SHOWN: dict[str, Any] = {
    R: {
        "duration_s": 10.0,
        "n_sessions": 40,
        "errors": [
            {"channel": "accelerometer.x", "value": 0.4217, "unit": "m/s^2", "lower": -0.31},
            {"channel": "gyroscope.y", "value": 1.25, "unit": "deg/s", "lower": 0.96},
        ],
        "accuracy": {"value": 0.947},
        "variance": {"value": 3.21, "unit": "(a.u.)^2"},
    }
}
GOOD = "| a.x | 10 | 94.7 |\n"
HEADING = "| session | length (s) | accuracy (%) |\n|---|---:|---:|\n"


class Store:
    """No results beyond those shown."""

    def resolve(self, result_id: str, pointer: str) -> Any:
        raise LookupError(result_id + pointer)


def check(prose: str) -> Verification:
    return verify([], prose, Store(), "", contents=SHOWN)


def test_verify_tables_keeps_rows_whose_numbers_are_supported() -> None:
    """A table of supported numbers comes through as it was."""
    prose = f"Before.\n\n{HEADING}{GOOD}| 94.7 % of b | 10 s | 95 |\n\nAfter, 40 sessions."
    checked = check(prose)
    assert checked.ok
    assert checked.prose == prose
    assert checked.checked == 6


@pytest.mark.parametrize("place", [0, 1, 2])
def test_verify_tables_cut_a_row_and_leave_a_valid_table(place: int) -> None:
    """A row with an unsupported number goes whole; the rest still renders as one table."""
    rows = [GOOD, GOOD]
    rows.insert(place, "| b. Well. c | 10 | 12.3 |\n")
    checked = check(f"Before.\n\n{HEADING}{''.join(rows)}\nAfter.")
    assert [r.text for r in checked.rejected] == ["| b. Well. c | 10 | 12.3 |"]
    assert checked.prose == f"Before.\n\n{HEADING}{GOOD}{GOOD}\nAfter."
    page = MarkdownIt("commonmark").enable("table").render(checked.prose)
    assert (page.count("<table>"), page.count("<tr>"), page.count("|")) == (1, 3, 0)


def test_verify_tables_go_when_no_row_is_left() -> None:
    """A heading with nothing below it is not shown."""
    checked = check(f"Before.\n\n{HEADING}| b | 11 | 1.5 |\n\nAfter.")
    assert checked.prose == "Before.\n\nAfter."
    assert len(checked.rejected) == 1


def test_verify_tables_go_with_their_heading() -> None:
    """Rows under an unsupported heading are refused with it."""
    checked = check(f"Before.\n\n{HEADING.replace('accuracy', '80 % accuracy')}{GOOD}\nAfter.")
    assert checked.prose == "Before.\n\nAfter."
    assert [r.text[:5] for r in checked.rejected] == ["| ses", "| a.x"]


@pytest.mark.parametrize(
    ("heading", "cell", "ok"),
    [
        ("error (m/s^2)", "0.42", True),
        ("error (m/s²)", "-0.31 to 0.42", True),
        ("error [m/s^2]", "0.42", True),
        ("error, m/s^2", "0.42", True),
        ("error in m/s^2", "0.42", True),
        ("error (deg/s)", "0.42", False),
        ("error (Hz)", "0.42", False),
        ("error in %", "0.42", False),
        ("error (deg/s)", "0.42 m/s^2", True),
        ("error (best)", "0.42", True),
        ("length (ms)", "10000", True),
        ("length (ms)", "10", False),
        ("variance (a.u.²)", "3.21", True),
        ("variance (a.u.)", "3.21", False),
        ("n", "40", True),
        ("n", "41", False),
        ("n", "2) 41", False),
        ("n", "41) 40", False),
        ("a \\| n", "40 \\| 41", False),
    ],
)
def test_verify_tables_units_of_headings_count(heading: str, cell: str, ok: bool) -> None:
    """A number without a unit has its column's; the number must be supported in that unit."""
    checked = check(f"| name | {heading} |\n|---|---|\n| it | {cell} |\n")
    assert checked.ok is ok


def test_verify_tables_without_outer_bars_are_tables() -> None:
    """Bars at the ends of rows are a matter of taste."""
    prose = "name | length (s)\n--- | ---\na | 10\nb | 12\nc | 10"
    assert check(prose).prose == "name | length (s)\n--- | ---\na | 10\nc | 10"


@pytest.mark.parametrize(
    "text", ["", "a | b", "a | b\n\n", "|a|\n|-|\n|b|\n\n\nx\n", "x\n---\n|y\n", "|a|\n|-|\n"]
)
def test_blocks_join_to_the_whole(text: str) -> None:
    """Taking apart loses nothing."""
    assert "".join(line for _, lines in blocks(text) for line in lines) == text


def test_cells_keep_escaped_bars() -> None:
    """A bar behind a backslash is part of its cell."""
    assert cells(r"| a \| b | c |") == [r"a \| b", "c"]
