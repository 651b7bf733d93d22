"""Rows of one time: the same row again, or rows of several that one column tells apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from tool_use_om.data.converters.table.files.cells import Cells
from tool_use_om.data.converters.table.labels import MOST_LABELS
from tool_use_om.data.converters.table.readings import taken
from tool_use_om.data.converters.table.roles import is_called_a_label
from tool_use_om.data.converters.table.times.clock import is_dates, is_time_of_day
from tool_use_om.data.converters.table.times.column import TimeColumn
from tool_use_om.data.errors import DataError

_CHANCE = 0.01  # that values dealt at random would differ wherever times come twice
_FEWEST_EACH = 4  # rows of a value, on average
_OWN_STEP = 0.9  # share of the usual step among one's own, where rows of several come mixed
_MIXED_STEP = 0.5  # and among all, of which it is less
_FEWEST_STEPS = 12
_HOUR_S = 3600.0
_LAST_DOUBLED_H = 3
_NUMBERED = re.compile(r"(?i)(?:^|[^a-z])(?:id|nr|no|num|number|nummer|numéro|code|type|#)$")
_ONE_OF = re.compile(
    r"(?i)^(?:unit|bed|bett|lit|room|zimmer|bay|pen|cage|stall|box|cow|kuh|animal|tier|device|"
    r"machine|vehicle|car|van|truck|bus|station|site|node|channel|lane|line|plot|well|tank)\b"
)


def said_once(cells: Cells, groups: np.ndarray, clock: TimeColumn) -> tuple[Cells, str] | None:
    """Return the cells without rows that come again word for word, and how that is told.

    None if no row does, or if a change of the clock may have doubled all those hours.

    Parameters
    ----------
    groups : (n,) object, whose row each is
    """
    rows = _of_one_time(groups, clock.seconds)
    if not len(rows):
        return None
    words = taken(cells, rows).joined(cells.names)
    frame = pd.DataFrame({"g": groups[rows], "s": clock.seconds[rows], "w": words})
    again = frame.duplicated().to_numpy()
    if not again.any() or (_local(clock) and _may_be_doubled(clock.seconds[rows[again]])):
        return None
    kept = np.delete(np.arange(len(cells)), rows[again])
    n, which = int(again.sum()), len(frame[again].drop_duplicates())
    times = "twice" if n == which else f"more than once ({n} too many)"
    return taken(cells, kept), (
        f"{which} row{'s' * (which > 1)} come{'s' * (which == 1)} {times}, word for word: one"
        f"{' of each' * (which > 1)} is kept"
    )


def _may_be_doubled(seconds: np.ndarray) -> bool:
    """Whether all times are of hours that a change of the clock may double: early on Sundays."""
    hours = (seconds // _HOUR_S).astype(np.int64)
    sunday = (hours // 24 + 4) % 7 == 0  # 1970-01-01 was a Thursday
    return bool((sunday & (hours % 24 <= _LAST_DOUBLED_H)).all())


def _of_one_time(groups: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Return the rows, ascending, whose time comes again in their group."""
    codes = pd.factorize(groups)[0]
    order = np.lexsort((seconds, codes))
    same = (np.diff(codes[order]) == 0) & (np.diff(seconds[order]) == 0)
    return np.sort(order[np.append(same, False) | np.append(False, same)])


def told_apart(
    cells: Cells, free: Sequence[str], clock: TimeColumn, key: str
) -> tuple[str, str] | None:
    """Return the one column whose values are sessions, and how that is told; None if there is none.

    Where times come twice, it is the only one of few values of each of which no time does: called
    as keys are, or beyond chance. Where none does, it is one of text that parts rows in steps of
    their own.

    Parameters
    ----------
    free : columns without a use
    key : the session that all rows would be

    Raises
    ------
    DataError : several columns tell rows of one time apart
    """
    seconds = clock.seconds
    rows = _of_one_time(np.full(len(cells), "", dtype=object), seconds)
    if not len(rows):
        texts = [n for n in free if cells.numbers(n) is None and not is_called_a_label(n)]
        name = next((n for n in texts if _in_steps_of_their_own(cells, n, seconds)), None)
        how = "rows of several come mixed, each in steps of its own"
        return None if name is None else (name, f"taken as sessions: {name} ({how})")
    pairs = len(rows) - len(np.unique(seconds[rows]))
    fits = [
        n for n in free
        if _may_tell(cells, n) and not len(_of_one_time(cells.text(n), seconds))
        and (_is_called_a_key(n) or _by_chance(cells.text(n), pairs) < _CHANCE)
    ]  # fmt: skip
    if len(fits) > 1:
        raise comes_twice(key, clock, np.arange(len(cells)), cells, fits)
    if not fits:
        return None
    return fits[0], f"taken as sessions: {fits[0]} (of each, a time comes once)"


def _may_tell(cells: Cells, name: str) -> bool:
    """Whether a column has few values, whole numbers or text, that come again; none is empty."""
    column = cells.columns[name]
    if column.null_count or is_dates(cells, name) or is_time_of_day(cells, name):
        return False
    numbers = cells.numbers(name)
    if numbers is not None and not (numbers == np.round(numbers)).all():
        return False
    n = len(set(cells.text(name).tolist()))
    return 2 <= n <= min(MOST_LABELS, len(cells) // _FEWEST_EACH)


def _is_called_a_key(name: str) -> bool:
    return bool(_NUMBERED.search(name.strip()) or _ONE_OF.match(name.strip()))


def _by_chance(texts: np.ndarray, pairs: int) -> float:
    """Return how likely it is that `pairs` pairs of values, dealt at random, all differ."""
    counts = np.unique(texts.astype(str), return_counts=True)[1]
    return float((1 - ((counts / len(texts)) ** 2).sum()) ** pairs)


def _in_steps_of_their_own(cells: Cells, name: str, seconds: np.ndarray) -> bool:
    """Whether rows change between values of text, and each value's have one usual step."""
    if not _may_tell(cells, name) or all(cells.numbers(n) is None for n in cells.names):
        return False
    order = np.argsort(seconds, kind="stable")
    texts = cells.text(name)[order]
    if (texts[1:] != texts[:-1]).mean() < 0.5 or len(texts) < _FEWEST_STEPS:
        return False
    own = [np.diff(seconds[order][texts == t]) for t in dict.fromkeys(texts.tolist())]
    if any(len(steps) < _FEWEST_STEPS for steps in own):
        return False
    among_all = _usual_share([np.diff(seconds[order])])
    return among_all < _MIXED_STEP and _usual_share(own) >= _OWN_STEP


def _usual_share(runs: Iterable[np.ndarray]) -> float:
    """Return which share of steps is the usual one of its run."""
    most = [(np.unique(np.round(run, 3), return_counts=True)[1].max(), len(run)) for run in runs]
    return float(sum(m for m, _ in most) / sum(n for _, n in most))


def _local(clock: TimeColumn) -> bool:
    return "read as UTC" in clock.form


def comes_twice(
    key: str, clock: TimeColumn, rows: np.ndarray, cells: Cells, fits: Sequence[str] = ()
) -> DataError:
    """Return the refusal of a session some of whose times come twice, with what may mend it.

    Parameters
    ----------
    rows : the session's rows of the table; at least two of them are of one time
    fits : columns that tell rows of one time apart
    """
    order = rows[np.argsort(clock.seconds[rows], kind="stable")]
    again = np.flatnonzero(np.diff(clock.seconds[order]) == 0)
    pair = taken(cells, np.sort(order[again[0] : again[0] + 2]))
    at = float(clock.seconds[order[again[0]]])
    shown = str(np.datetime64(int(at), "s")) if clock.absolute else f"{at:g} s"
    n = len(np.unique(clock.seconds[order[again]]))
    come = "1 time comes" if n == 1 else f"{n} times come"
    values = {c: [str(t)[:20] for t in pair.text(c)] for c in cells.names}
    differ = [f"{c!r} is {a} and {b}" for c, (a, b) in values.items() if a != b]
    shown += f", where {', '.join(differ[:3])}" if differ else ""
    local = "if these are local times with a change of the clock, name their --tz; "
    if fits:
        each = " or ".join(f"--session {c!r}" for c in fits[:4])
        mend = f"{' and '.join(repr(c) for c in fits[:4])} each tell them apart: say {each}."
    else:
        mend = (
            "if a column says whose rows they are, name it with --session, --subject or --sensor; "
            "else keep one row a time in the file, or their mean."
        )
    return DataError(
        f"Session {key!r}: time must not repeat, but {come} twice, first {shown}; "
        f"{local * (_local(clock) and not fits)}{mend}"
    )
