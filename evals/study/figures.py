"""A study's figures: intervals of AUC, calibration, what was said, learning curves, cost."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.heads.events.judge import EventJudged, Judged

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _MARK, _PALE = "#0b63b0", "#b3261e", "#9aa6b5"
_ACROSS = 4


def draw_all(event: EventJudged) -> list[tuple[str, bytes]]:
    """Return (caption, PNG) of each figure of one event."""
    drawn = [
        ("AUC on the test time, 95 % over blocks of time; dashed: chance", _aucs(event)),
        (
            "Calibration as said: dots are fifths of the windows, the line is truth",
            _calibrations(event),
        ),
        ("What each model said on the test windows, first seed", _histograms(event)),
        ("Cost against AUC: CPU seconds of one fit", _costs(event)),
    ]
    if any(len(curve) > 1 for m in event.models for curve in m.curves):
        drawn.append(("Learning: log loss on windows held out, a line a seed", _curves(event)))
    return [(caption, _png(figure)) for caption, figure in drawn]


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=100, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _aucs(event: EventJudged) -> Figure:
    figure = _figure(8, 0.3 * len(event.models) + 1.0)
    panel = figure.subplots()
    for place, model in enumerate(reversed(event.models)):
        colour = _INK if model.beats_the_base_rate else _PALE
        panel.plot([model.lower, model.upper], [place, place], color=colour, linewidth=2)
        panel.plot([model.auc], [place], "o", color=colour)
    panel.set_yticks(range(len(event.models)), [m.sized for m in reversed(event.models)])
    panel.axvline(0.5, color=_MARK, linestyle="--", linewidth=1)
    if event.bayes_auc is not None:
        panel.axvline(event.bayes_auc, color=_MARK, linewidth=1)
        panel.text(event.bayes_auc, -0.9, " the known probability", color=_MARK, fontsize=8)
    panel.set_xlabel("AUC")
    return figure


def _grid(models: Sequence[Judged]) -> tuple[Figure, list[tuple[Axes, Judged]]]:
    down = -(-len(models) // _ACROSS)
    figure = _figure(9, 1.9 * down)
    panels = np.atleast_1d(figure.subplots(down, _ACROSS, squeeze=False)).ravel()
    for panel in panels[len(models) :]:
        panel.set_axis_off()
    pairs = list(zip(panels, models, strict=False))
    for panel, model in pairs:
        panel.set_title(model.sized, fontsize=8)
        panel.tick_params(labelsize=7)
    return figure, pairs


def _calibrations(event: EventJudged) -> Figure:
    figure, pairs = _grid(event.models)
    for panel, model in pairs:
        said, came = zip(*((p, c) for p, c, _ in model.reliability), strict=True)
        most = max(*said, *came, 0.1)
        panel.plot([0, most], [0, most], color=_PALE, linewidth=1)
        panel.plot(said, came, "o-", color=_INK, markersize=3, linewidth=1)
    return figure


def _histograms(event: EventJudged) -> Figure:
    figure, pairs = _grid(event.models)
    for panel, model in pairs:
        panel.hist(model.said[0], bins=30, range=(0, 1), color=_MARK if model.collapsed else _INK)
        panel.set_yticks([])
    return figure


def _costs(event: EventJudged) -> Figure:
    figure = _figure(8, 3.6)
    panel = figure.subplots()
    for model in event.models:
        seconds = max(model.cpu_seconds, 0.01)
        panel.plot([seconds], [model.auc], "o", color=_INK, markersize=4)
        panel.annotate(model.sized, (seconds, model.auc), fontsize=7, xytext=(4, 2),
                       textcoords="offset points")  # fmt: skip
    panel.set_xscale("log")
    panel.set_xlabel("CPU seconds of one fit")
    panel.set_ylabel("AUC")
    return figure


def _curves(event: EventJudged) -> Figure:
    figure, pairs = _grid([m for m in event.models if any(len(c) > 1 for c in m.curves)])
    for panel, model in pairs:
        for curve in model.curves:
            steps = [point["step"] for point in curve]
            panel.plot(steps, [point["check"] for point in curve], color=_INK, linewidth=1)
    return figure
