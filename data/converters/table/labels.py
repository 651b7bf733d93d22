"""Columns of text that label stretches: sets of labels, logs of changes, starts and ends."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from tool_use_om.data.converters.table.files.cells import Cells
from tool_use_om.data.converters.table.files.marks import is_blank
from tool_use_om.data.converters.table.times.clock import is_dates, read_length

MOST_LABELS = 60
_OFTEN = 3  # times that a label comes on average; remarks come once
_CHANGES = 0.9  # share of rows that tell a change, in a log of changes
_FEWEST_CHANGES = 6
_IRREGULAR = 3.0  # times the short steps that the long ones of such a log take
_WORD_END = r"(?:s|ed|ing|time|zeit|date|datum)?(?:[^a-z]|$)"
_START = re.compile(
    rf"(?i)(?:^|[^a-z])(?:start|begin|beginn|from|von|d[ée]but|onset|inicio){_WORD_END}"
)
_END = re.compile(rf"(?i)(?:^|[^a-z])(?:end|stop|to|until|bis|fin|finish|ende|offset){_WORD_END}")
_LASTS = re.compile(r"(?i)(?:^|[^a-z])(?:duration|dauer|dur[ée]e|length|lasted|duraci[oó]n)")
Interval = tuple[float, float, str, str]


@dataclass(frozen=True, kw_only=True)
class LabelColumn:
    """One set of labels of a table.

    Parameters
    ----------
    name : the set's name
    texts : (n,) object of the table's rows, None = no label
    holds : a label holds until the next row, however long that takes
    end_s : (n,) when each row's stretch ends, on the table's clock; None where rows are samples
    """

    name: str
    texts: np.ndarray
    holds: bool = False
    end_s: np.ndarray | None = None


def filled(cells: Cells, column: str) -> np.ndarray:
    """Return a column's texts; what says that there is no label is None."""
    texts = cells.text(column)
    blank = {t for t in set(texts.tolist()) if t is None or is_blank(t)}
    return np.array([None if t in blank else t for t in texts], dtype=object)


def kind_of_text(cells: Cells, column: str) -> str:
    """Return what a column of text is: "label", "constant", "remarks" or "text".

    Labels are few, and come again; a label that is never absent nor changes tells nothing.
    """
    counts = pc.value_counts(cells.columns[column].drop_null())
    values = [v for v in counts.field("values").to_pylist() if not is_blank(str(v))]
    n_filled = len(cells) - cells.columns[column].null_count
    if len(values) <= 1 and n_filled == len(cells):
        return "constant"
    if n_filled < _OFTEN * len(values):
        return "remarks"
    return "label" if 0 < len(values) <= min(MOST_LABELS, max(2, len(cells) // 4)) else "text"


def tells_changes(sets: Sequence[np.ndarray], seconds: np.ndarray) -> bool:
    """Whether rows are a log of changes: nearly each has another label, and steps are irregular.

    Parameters
    ----------
    sets : the texts (n,) of each set; a change of any of them is one
    seconds : (n,) the rows' times
    """
    if not sets or len(seconds) < _FEWEST_CHANGES:
        return False
    changed = np.zeros(len(seconds) - 1, dtype=bool)
    for texts in sets:
        changed |= texts[1:] != texts[:-1]
    steps = np.abs(np.diff(seconds))
    short, long = np.quantile(steps, [0.1, 0.9])
    return bool(changed.mean() >= _CHANGES and long > _IRREGULAR * short)


def event_columns(cells: Cells, free: Sequence[str]) -> tuple[str, str] | None:
    """Return the columns of a stretch's start, and of its end or length, where each row is one."""
    dates = [n for n in free if is_dates(cells, n)]
    starts = [n for n in dates if _START.search(n) and not _END.search(n)]
    ends = [n for n in dates if _END.search(n) and n not in starts]
    if starts and not ends and any(kind_of_text(cells, n) == "label" for n in free
                                   if cells.numbers(n) is None and n not in dates):  # fmt: skip
        ends = [n for n in free if _LASTS.search(n) and read_length(cells, n) is not None]
    return (starts[0], ends[0]) if starts and ends else None


def intervals_of(
    column: LabelColumn, rows: np.ndarray, time_s: np.ndarray, rate_hz: float, zero: float
) -> list[Interval]:
    """Return the stretches that one set labels in a session.

    Parameters
    ----------
    rows : the session's rows of the table, in order of time
    time_s : (n,) their seconds from the session's start
    zero : the session's start on the table's clock
    """
    if column.end_s is None:
        return label_runs(column.texts[rows], time_s, rate_hz, column.name, holds=column.holds)
    found = []
    for row, start in zip(rows, time_s, strict=True):
        end, text = float(column.end_s[row]) - zero, column.texts[row]
        if text is not None and np.isfinite(end) and end > start:
            found.append((float(start), round(end, 6), str(text), column.name))
    return found


def label_runs(
    texts: np.ndarray, time_s: np.ndarray, rate_hz: float, label_set: str, *, holds: bool = False
) -> list[Interval]:
    """Return runs of one label; a run lasts to the next one, or one interval past its last row.

    Parameters
    ----------
    texts : (n,) object, None = no label
    time_s : (n,) seconds, ascending
    holds : a run lasts to the next row, however far; how long the last one lasts is not known
    """
    changes = np.flatnonzero(texts[1:] != texts[:-1]) + 1
    first = [0, *changes.tolist()]
    out: list[Interval] = []
    for start, stop in zip(first, [*first[1:], len(texts)], strict=True):
        end = round(float(time_s[stop - 1]) + (0.0 if holds else 1 / rate_hz), 6)
        if stop < len(texts):
            end = float(time_s[stop]) if holds else min(end, float(time_s[stop]))
        if texts[start] is not None and end > float(time_s[start]):
            out.append((float(time_s[start]), end, str(texts[start]), label_set))
    return out


def lengths(seconds: np.ndarray, keys: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return how long each row of a log holds (n,), NaN of the last one of each session."""
    found = np.full(len(seconds), np.nan)
    for rows in keys.values():
        order = rows[np.argsort(seconds[rows], kind="stable")]
        found[order[:-1]] = np.diff(seconds[order])
    return found
