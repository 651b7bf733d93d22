"""Heads compared case by case, and what would change an answer, as figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tool_use_om.data.show.figure import Bar, Bars, Dots, Figure, Mark, Signals, Spread, line
from tool_use_om.tools.run.compared import HeadDifference
from tool_use_om.tools.run.explained import ClassificationExplained
from tool_use_om.tools.run.search.figures import Stretch, overlaid

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.data.format.dataset import DataSet

_DOTS = 400


def compared_figure(
    values: Mapping[str, np.ndarray],
    groups: np.ndarray,
    bars: Sequence[Bar],
    gap: HeadDifference,
    what: tuple[str, str],
) -> Figure:
    """Return the heads under each other, and the best two's difference case by case.

    Parameters
    ----------
    values : head → (n,) what each case scored
    groups : (n,) the session or subject of each case
    bars : each head's value with its interval, the best first
    what : the metric and its unit
    """
    import numpy as np

    metric, unit = what
    scale = 100.0 if unit == "%" else 1.0
    apart = (np.asarray(values[gap.a]) - np.asarray(values[gap.b])) * scale
    own = [float(np.nanmean(apart[groups == g])) for g in dict.fromkeys(groups.tolist())][:_DOTS]
    own = [v for v in own if np.isfinite(v)]
    ends = [None if v is None else float(v) * scale for v in (gap.value, gap.lower, gap.upper)]
    value = ends[0] if ends[0] is not None else 0.0
    text = f"{value:+.3g}{' %' if unit == '%' else ''}"
    row = Dots(
        name=f"{gap.a} less {gap.b}", values=tuple(own), value=value, text=text,
        low=ends[1], high=ends[2],
    )  # fmt: skip
    each = ", ".join(f"{bar.name} {bar.text}" for bar in bars)
    better = "" if gap.clear else "not "
    return Figure(
        title="The heads, and how the best two differ",
        alt=f"{metric} of each head: {each}. The difference of {gap.a} and {gap.b} is "
        f"{better}clear.",
        note="A dot is one held-out session, the line the interval; at the dashed line there is "
        "no difference.",
        panels=(
            Bars(title=metric, unit=unit, rows=tuple(bars)),
            Spread(title=f"Difference in {metric}, session by session", unit=unit, zero=True,
                   rows=(row,)),
        ),
    )  # fmt: skip


def rhythm_figure(
    dataset: DataSet, channels: Sequence[str], found: ClassificationExplained
) -> Figure | None:
    """Return the surest stretch with its repeats shaded in turn, the channel that moves most."""
    import numpy as np

    here, period = found.example, found.period_s
    if here is None or not period or not found.cadence_hz:
        return None
    signals = dataset.read(str(here.session_id), channels, here.start_s, here.end_s)
    moves = [
        (float(np.nanstd(s.values[:, i])), s, i) for s in signals for i in range(len(s.channels))
        if np.isfinite(s.values[:, i]).any()
    ]  # fmt: skip
    if not moves:
        return None
    _, signal, i = max(moves, key=lambda each: each[0])
    values, time_s = signal.values[:, i], signal.time_s
    first = time_s[time_s <= time_s[0] + period]
    top = float(first[int(np.nanargmax(np.nan_to_num(values[: len(first)], nan=-np.inf)))])
    starts = np.arange(top, float(time_s[-1]) - period / 2, 2 * period)[:40]
    marks = [Mark(start=float(t), end=float(t + period), colour="soft") for t in starts]
    name = signal.channels[i]
    panel = Signals(
        title=f"{here.session_id} · {name}", unit=signal.units[i], marks=tuple(marks),
        lines=(line("", time_s, values, rate_hz=signal.rate_hz),),
    )  # fmt: skip
    return Figure(
        title=f"{here.label}, repeat by repeat", panels=(panel,), about="/cadence_hz",
        alt=f"{name} of {here.session_id}: it repeats about every {period:.3g} s.",
        note=f"Every other repeat of {period:.3g} s is shaded, from the first peak on.",
    )  # fmt: skip


def change_figure(
    dataset: DataSet, channels: Sequence[str], found: ClassificationExplained
) -> Figure | None:
    """Return the surest stretch over the nearest one of another label: what it would have to be."""
    here, other = found.example, found.what_would_change
    if here is None or other is None:
        return None
    parts = [
        Stretch(str(here.session_id), here.start_s, here.end_s, str(here.label), "ink"),
        Stretch(str(other.session_id), other.start_s, other.end_s, str(other.label), "b"),
    ]
    return Figure(
        title=f"What {here.label} would have to become to be {other.label}",
        alt=f"{here.session_id} ({here.label}) over {other.session_id} ({other.label}), the "
        "nearest stretch of another label.",
        note=f"Black: {here.session_id}, named {here.label}. Orange: {other.session_id}, the "
        f"nearest of {other.label}.",
        panels=tuple(overlaid(dataset, channels, parts)), about="/what_would_change",
    )  # fmt: skip
