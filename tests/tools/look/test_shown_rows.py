"""What is shown of a long ranking holds the ends of each channel."""

from __future__ import annotations

from tool_use_om.tools.look.tools import shown_rows


def test_the_lowest_of_many_groups_is_among_the_rows_shown() -> None:
    """An answer that told the lowest row shown as the lowest of all was wrong."""
    rows = [
        {"channel": channel, "group": f"s{i}", "value": float(base - i)}
        for channel, base in (("x", 1000), ("y", 100))
        for i in range(60)
    ]
    shown = shown_rows(rows, "session")
    assert len(shown) < len(rows)
    for channel in ("x", "y"):
        whole = [r["value"] for r in rows if r["channel"] == channel]
        told = [r["value"] for r in shown if r["channel"] == channel]
        assert (max(told), min(told)) == (max(whole), min(whole))


def test_few_rows_are_all_shown_as_they_are() -> None:
    rows = [{"channel": "x", "group": "a", "value": 2.0}, {"channel": "x", "value": 1.0}]
    assert shown_rows(rows, "label") == rows
