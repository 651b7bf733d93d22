"""What rows of several suites share: groups kept for intervals, differences, cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tool_use_om.data.show.markdown import table

Array = np.ndarray
N_RESAMPLES = 1000


def by_group(values: Mapping[str, Array], groups: Array) -> dict[str, Any]:
    """Return per-group sums of window values: what intervals and paired differences need.

    Parameters
    ----------
    values : name → (n,) a value of each window; NaN = not measured
    groups : (n,) the group of each window

    Returns
    -------
    {"n": {name: [...]}, "sum": {name: [...]}}, groups in order of their names
    """
    _, code = np.unique(groups, return_inverse=True)
    size = int(code.max()) + 1
    counts, sums = {}, {}
    for name, value in values.items():
        known = np.isfinite(value)
        counts[name] = np.bincount(code[known], minlength=size).tolist()
        sums[name] = np.bincount(code[known], weights=value[known], minlength=size).tolist()
    return {"n": counts, "sum": sums}


def mean_of(kept: Mapping[str, Any], name: str, pick: Array | None = None) -> float:
    """Return the mean of a value over all windows of the picked groups (default: each once)."""
    n, total = (np.asarray(kept[part][name], dtype=np.float64) for part in ("n", "sum"))
    if pick is not None:
        n, total = n[pick], total[pick]
    return float(total.sum() / n.sum()) if n.sum() else float("nan")


def interval(
    kept: Sequence[Mapping[str, Any]], statistic: Callable[[Array | None], float], seed: int = 0
) -> tuple[float, float, float]:
    """Return a statistic with its 95 % bootstrap interval over groups.

    Parameters
    ----------
    kept : what `by_group` gave, all of the same groups
    statistic : called with the picked groups, None = each once
    """
    size = len(next(iter(kept[0]["n"].values())))
    rng = np.random.default_rng(seed)
    draws = [statistic(rng.integers(0, size, size)) for _ in range(N_RESAMPLES)]
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return statistic(None), float(low), float(high)


def mean_cell(kept: Mapping[str, Any], name: str, digits: int = 3) -> str:
    """Return "mean [lower, upper]" of one value."""
    found = interval([kept], lambda pick: mean_of(kept, name, pick))
    return with_interval(*found, digits)


def gap_cell(a: Mapping[str, Any], b: Mapping[str, Any], name: str, digits: int = 3) -> str:
    """Return "difference [lower, upper]" of the means of one value, a minus b, same groups."""
    found = interval([a, b], lambda pick: mean_of(a, name, pick) - mean_of(b, name, pick))
    return with_interval(*found, digits)


def of_data(rows: Sequence[Row], name: str) -> list[Row]:
    """Return the rows of one data set."""
    return [r for r in rows if r["data"] == name]


def how_measured(rows: Sequence[Row], say: Callable[[Row], str]) -> str:
    """Return what `say` tells of the first row that was measured, or that none could be."""
    fine = next((r for r in rows if not r["error"]), None)
    return "Nothing could be measured." if fine is None else say(fine)


def aim(text: str, reached: str, *, met: bool | None) -> dict[str, str]:
    """Return one row of a table of aims; `met` None = not measured."""
    said = "not measured" if met is None else "yes" if met else "no"
    return {"aim": text, "reached": reached, "met": said}


Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of a report: a title, what to know to read it, and rows of text cells."""

    title: str
    note: str
    rows: tuple[dict[str, str], ...]


def markdown_table(rows: Sequence[dict[str, str]]) -> str:
    """Return rows of equal keys as a Markdown table; "(nothing)" when there are none."""
    if not rows:
        return "(nothing)"
    names = list(rows[0])
    return table(names, ([r.get(n, "") for n in names] for r in rows))


def with_interval(value: float, lower: float, upper: float, digits: int = 3) -> str:
    """Return "value [lower, upper]"."""
    return f"{value:.{digits}f} [{lower:.{digits}f}, {upper:.{digits}f}]"
