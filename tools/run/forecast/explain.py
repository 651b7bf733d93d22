"""What a forecast says: trend, season and how fast its uncertainty grows."""

from __future__ import annotations

from typing import Any

from tool_use_om.data.values import Untyped
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.encode.plan import cut
from tool_use_om.tools.look.selection import Segment
from tool_use_om.tools.run.finish import Run
from tool_use_om.tools.run.forecast.backtest import own_rate_plan
from tool_use_om.tools.run.signal_facts import rhythm

SHOWN_ROWS = 12


def explain(ctx: ToolContext, run: Run) -> dict[str, Any]:
    """Return, over the continued stretches: trend and interval width a channel, and the season."""
    series = run.data["detail"]["series"]
    channels = run.data["channels"]
    season = rhythm(_contexts(ctx, run), ctx.seed)
    season["season_hz"] = season.pop("cadence_hz")
    per_channel = {c: [s for s in series if s["channel"] == c] for c in channels}
    gain = _gain(run.data["metrics"])
    return {
        "label": run.data["label"],
        "horizon_s": run.data["horizon_s"],
        "trend": [_trend(c, rows) for c, rows in per_channel.items()][:SHOWN_ROWS],
        **season,
        "interval_width": [_width(c, rows) for c, rows in per_channel.items()][:SHOWN_ROWS],
        **gain,
    }


def _contexts(ctx: ToolContext, run: Run) -> Untyped:
    """The windows the forecasts were made from, on the forecast channels only."""
    asked = run.working_set.but(channels=tuple(run.data["channels"]), encoding_channels=())
    plan = own_rate_plan(ctx, asked, run.data["channels"])
    context_s = run.data["context_s"]
    ends = {(s["session_id"], s["time_s"][0]) for s in run.data["detail"]["series"]}
    segments = [
        Segment(session_id=name, start_s=max(round(end - context_s, 9), 0.0), end_s=end)
        for name, end in sorted(ends)
    ]
    return cut(plan.with_window(context_s, context_s), segments)


def _trend(channel: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean least-squares slope of the median forecasts, channel units a second."""
    import numpy as np

    slopes = [np.polyfit(r["time_s"], r["median"], 1)[0] for r in rows if len(r["time_s"]) > 1]
    value = float(np.mean(slopes)) if slopes else None
    return {"channel": channel, "value": value, "unit": f"{rows[0]['unit']}/s"}


def _width(channel: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean width of the interval in the first and the last tenth of the horizon."""
    import numpy as np

    widths = np.array(
        [np.subtract(_numbers(r["upper"]), _numbers(r["lower"])) for r in rows], dtype=float
    )
    tenth = max(widths.shape[1] // 10, 1)
    first, last = widths[:, :tenth].mean(), widths[:, -tenth:].mean()
    return {"channel": channel, "first": float(first), "last": float(last), "unit": rows[0]["unit"]}


def _numbers(values: list[float | None]) -> list[float]:
    return [float("nan") if v is None else v for v in values]


def _gain(metrics: dict[str, Any]) -> dict[str, Any]:
    """How much smaller the error is than the seasonal naive forecast's, in per cent."""
    metric = "mae" if "mae" in metrics else "mase"
    own, naive = metrics[metric]["value"], metrics[metric]["baseline"]
    if not naive:
        return {}
    return {"error_reduction_pct": 100.0 * (1.0 - own / naive)}
