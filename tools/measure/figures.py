"""The figure of amounts by group: bars in their order, days as a course."""

from __future__ import annotations

from collections.abc import Sequence

from tool_use_om.data.show.figure import Bar, Bars, Figure, Line, Signals
from tool_use_om.tools.look.figures import said
from tool_use_om.tools.measure.found import AmountRow, Amounts

_BARS = 31
_WORDS = {"time": "time", "events": "number of times", "energy": "energy", "rise": "added",
          "return": "change"}  # fmt: skip


def amounts_figure(found: Amounts, rows: Sequence[AmountRow]) -> Figure | None:
    """Return amounts by group in their order; None for an amount of the whole.

    Parameters
    ----------
    rows : all of them, in order of time or name
    """
    if len(rows) < 2:
        return None
    what = _WORDS.get(found.of, found.statistic)
    of = found.channel or found.label or ""
    title = f"{what} of {of} by {found.by}"
    unit = rows[0].unit
    ends = (
        f"{title}: highest {found.highest.group}, {_said(found.highest)}; lowest "
        f"{found.lowest.group}, {_said(found.lowest)}."
    )
    if len(rows) <= _BARS:
        bars = tuple(
            Bar(
                name=str(row.group), value=row.value, text=_said(row),
                colour="a" if row.group == found.highest.group else "soft",
            )
            for row in rows
        )  # fmt: skip
        return Figure(
            title=title, alt=ends, panels=(Bars(title=title, unit=_shown(unit), rows=bars),)
        )
    if found.by not in {"date", "night", "week"}:
        return None
    return Figure(title=title, alt=ends, panels=(_course(title, unit, rows),))


def _course(title: str, unit: str, rows: Sequence[AmountRow]) -> Signals:
    import numpy as np

    days = np.array([np.datetime64(str(row.group), "s") for row in rows])
    x = tuple(((days - days[0]) / np.timedelta64(1, "s")).astype(float).tolist())
    line = Line(name="", x=x, y=tuple(row.value for row in rows))
    return Signals(title=title, unit=_shown(unit), starts=str(days[0]), lines=(line,))


def _said(row: AmountRow) -> str:
    return f"{row.value:,.0f}" if row.unit == "count" else said(row.value, row.unit)


def _shown(unit: str) -> str:
    return "" if unit in {"count", "a.u."} else unit
