"""Forecasts, drawn: the context, what is expected after it, and how far it may be off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tool_use_om.tools.run.figures import COLOURS, GREY, drawing, seconds_axis

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tool_use_om.heads.forecast.batch import ForecastBatch
    from tool_use_om.heads.trust.conformal import IntervalForecast

MAX_ROWS = 3
MAX_COLUMNS = 3


def forecast_figure(batch: ForecastBatch, ahead: IntervalForecast) -> Callable[[Path], None]:
    """Return the drawing of the first few stretches and channels past their ends."""
    rows = list(range(min(MAX_ROWS, len(batch))))
    return _grid(batch, ahead, rows, "Forecast past the end")


def backtest_figure(batch: ForecastBatch, ahead: IntervalForecast) -> Callable[[Path], None]:
    """Return the drawing of held-out windows of three sessions, with what really came."""
    sessions = list(ahead.session_ids)
    first = [sessions.index(name) for name in dict.fromkeys(sessions)]
    spread = sorted({first[0], first[len(first) // 2], first[-1]})
    return _grid(batch, ahead, spread, "Held-out check: what was forecast and what came (black)")


def _grid(
    batch: ForecastBatch, ahead: IntervalForecast, rows: list[int], title: str
) -> Callable[[Path], None]:
    columns = list(range(min(MAX_COLUMNS, len(ahead.channels))))
    truth = None if batch.future is None else batch.truth(ahead.channels, len(ahead.time_s))

    def paint(figure: Figure) -> None:
        panels = figure.subplots(len(rows), len(columns), squeeze=False, sharey="col")
        for line, i in zip(panels, rows, strict=True):
            for axes, j in zip(line, columns, strict=True):
                _panel(axes, batch, ahead, (i, j), None if truth is None else truth[i, j])
            line[0].set_ylabel(ahead.session_ids[i])
        for axes, j in zip(panels[0], columns, strict=True):
            axes.set_title(f"{ahead.channels[j]} [{ahead.units[j]}]")
        for axes in panels[-1]:
            seconds_axis(axes)
        interval = f"{ahead.coverage:.0%} interval"
        figure.suptitle(f"{title}; shaded: {interval}", x=0.01, ha="left", fontsize=11)

    return drawing(paint, width=1.2 + 3.3 * len(columns), height=0.9 + 1.7 * len(rows))


def _panel(
    axes: Axes,
    batch: ForecastBatch,
    ahead: IntervalForecast,
    place: tuple[int, int],
    truth: np.ndarray | None,
) -> None:
    import numpy as np

    i, j = place
    windows = batch.windows
    column = windows.channels.index(ahead.channels[j])
    time_s = windows.start_s[i] + np.arange(windows.values.shape[2]) / windows.rate_hz
    valid = windows.mask[i, column]
    axes.plot(time_s[valid], windows.values[i, column][valid], color=GREY)
    later = ahead.start_s[i] + ahead.time_s - ahead.time_s[0]
    finite = np.isfinite(ahead.lower[i, j]) & np.isfinite(ahead.upper[i, j])
    axes.fill_between(
        later[finite],
        ahead.lower[i, j][finite],
        ahead.upper[i, j][finite],
        color=COLOURS[0],
        alpha=0.18,
        linewidth=0,
    )
    if truth is not None:
        axes.plot(later, truth, color="black", linewidth=1.0)
    axes.plot(later, ahead.median[i, j], color=COLOURS[0])
    axes.axvline(float(ahead.start_s[i]), color=GREY, linewidth=0.8, linestyle=":")
