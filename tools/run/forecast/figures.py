"""Forecasts, as figures: what came before, what is expected, how far it may be off, and a check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tool_use_om.data.show.figure import (
    Band,
    Colour,
    Figure,
    Line,
    Signals,
    line,
    times_of,
    values_of,
)
from tool_use_om.data.show.signals import Clock
from tool_use_om.tools.look.figures import said

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.forecast.batch import ForecastBatch
    from tool_use_om.heads.trust.conformal import IntervalForecast

MAX_PANELS = 6
_CHECKED = 3  # held-out stretches of the check
_BEFORE = 3  # times the horizon that is shown of what came before, at least


def forecast_figure(dataset: DataSet, batch: ForecastBatch, ahead: IntervalForecast) -> Figure:
    """Return the first stretch's forecasts, a panel a channel; of one channel, some stretches."""
    channels = range(len(ahead.channels))
    rows = [0] if len(channels) > 1 else list(range(min(len(batch), 3)))
    places = [(i, j) for i in rows for j in channels][:MAX_PANELS]
    panels = [_panel(dataset, batch, ahead, place, several=len(rows) > 1) for place in places]
    left = len(batch) - len(rows)
    ends = "; ".join(_said(ahead, place) for place in places)
    more = f" {left} more stretches are forecast; they are in the result." if left else ""
    return Figure(
        title=f"Forecast of {ahead.session_ids[0]}" if len(rows) == 1 else "Forecasts",
        alt=f"Past values, the forecast and its {_share(ahead)} interval. {ends}.",
        note=f"Grey: before. Blue: the forecast; shaded: its {_share(ahead)} interval.{more}",
        panels=tuple(panels),
    )  # fmt: skip


def _share(ahead: IntervalForecast) -> str:
    return f"{100 * ahead.coverage:.3g} %"


def _said(ahead: IntervalForecast, place: tuple[int, int]) -> str:
    median, unit = ahead.median[place], ahead.units[place[1]]
    first, last = said(float(median[0]), unit), said(float(median[-1]), unit)
    return f"{ahead.channels[place[1]]} of {ahead.session_ids[place[0]]} from {first} to {last}"


def backtest_figure(dataset: DataSet, batch: ForecastBatch, ahead: IntervalForecast) -> Figure:
    """Return held-out stretches of the first channel, with what really came."""
    sessions = list(ahead.session_ids)
    first = [sessions.index(name) for name in dict.fromkeys(sessions)]
    if len(first) == 1:
        first = [0, len(sessions) // 2, len(sessions) - 1]
    spread = sorted({first[0], first[len(first) // 2], first[-1]})[:_CHECKED]
    panels = [_panel(dataset, batch, ahead, (i, 0), several=True, check=True) for i in spread]
    return Figure(
        title="The same, checked on what is known", place="check",
        alt=f"{len(spread)} held-out stretches of {ahead.channels[0]}: what was forecast, and in "
        "black what came.",
        note="Black: what came.", panels=tuple(panels),
    )  # fmt: skip


def _panel(
    dataset: DataSet,
    batch: ForecastBatch,
    ahead: IntervalForecast,
    place: tuple[int, int],
    *,
    several: bool,
    check: bool = False,
) -> Signals:
    import numpy as np

    i, j = place
    windows, channel = batch.windows, ahead.channels[j]
    column = windows.channels.index(channel)
    time_s = windows.start_s[i] + np.arange(windows.values.shape[2]) / windows.rate_hz
    values = np.where(windows.mask[i, column], windows.values[i, column], np.nan)
    later = ahead.start_s[i] + ahead.time_s - ahead.time_s[0]
    least = float(ahead.start_s[i]) - _BEFORE * float(later[-1] - later[0] + ahead.time_s[0])
    kept = time_s >= least if (time_s < least).any() else np.ones(len(time_s), bool)
    clock = Clock(dataset, ahead.session_ids[i])
    lines = [line("", time_s[kept], values[kept], "soft")]
    if batch.future is not None and check:
        truth = batch.truth(ahead.channels, len(ahead.time_s))[i, j]
        lines.append(line("", later, truth, "ink"))
    lines.append(_median(later, ahead.median[i, j], check=check))
    low, high = values_of(ahead.lower[i, j]), values_of(ahead.upper[i, j])
    band = Band(name="interval", x=clock.x(times_of(later)), low=low, high=high)
    name = f"{ahead.session_ids[i]} · {channel}" if several else channel
    return Signals(
        title=name, unit=ahead.units[j], starts=clock.starts, bands=(band,),
        lines=tuple(map(clock.line, lines)), now=clock.x((float(ahead.start_s[i]),))[0],
        flat=check, group=i,
    )  # fmt: skip


def _median(later: np.ndarray, median: np.ndarray, *, check: bool) -> Line:
    name: Literal["", "forecast"] = "" if check else "forecast"
    colour: Colour = "a"
    return line(name, later, median, colour, thick=True)
