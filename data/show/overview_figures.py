"""Figures of an overview: channel strips, label timelines and spectra, for 1 to 66 channels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.data.format.dataset import DataSet, Signal
from tool_use_om.data.show.panels import (
    INCHES_A_LETTER,
    LINES,
    SHADES,
    draw_strips_of,
    plain_text,
    read_time,
    shade_labels,
    time_unit,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_STRIPS = 72  # channels in one figure
MAX_TIMELINES = 40  # sessions in one figure
MAX_CURVES = 8  # spectra drawn as curves; more become a map
_WIDTH = 10.0
_HATCHES = ("", "////", "....", "xxxx")  # tell labels apart once the colours come round again
_TALL_STRIPS = 24  # more strips in one figure are drawn lower


def draw_strips(dataset: DataSet, session_id: str) -> Figure:
    """Draw a session: a strip a channel, each to its own scale, labels shaded, on a time axis."""
    signals = [s for s in dataset.read(session_id) if s.time_s.size]
    colours = {id(s): LINES[place % len(LINES)] for place, s in enumerate(signals)}
    every = [(s, i, colours[id(s)]) for s in signals for i in range(len(s.channels))]
    rows = every[:MAX_STRIPS]
    names = [f"{s.channels[i]} [{s.units[i]}]" for s, i, _ in rows]
    each = 0.34 if len(rows) <= _TALL_STRIPS else 0.2
    figure, panel = _new(each * len(rows) + 0.9, left=_margin(names))
    duration = dataset.duration_of(session_id)
    panel.set_xlim(0, duration)
    draw_strips_of(panel, rows, names)
    shade_labels(panel, dataset.labels([session_id]), dataset)
    read_time(panel, time_unit(duration))
    return figure


def draw_timelines(dataset: DataSet, session_ids: Sequence[str], label_set: str) -> Figure:
    """Draw one bar a session on a common seconds axis, its labels of one set in colour."""
    from matplotlib.patches import Patch

    shown = list(session_ids)[:MAX_TIMELINES]
    names = dataset.manifest.label_sets[label_set]
    figure, panel = _new(0.2 * len(shown) + 1.1, left=_margin(shown), right=1.9)
    labels = dataset.labels(shown, label_set)
    for place, session_id in enumerate(shown):
        duration = dataset.duration_of(session_id)
        panel.broken_barh([(0, duration)], (place - 0.36, 0.72), facecolors="#eceff3")
        rows = labels[labels["session_id"] == session_id]
        for start, end, label in zip(rows["start_s"], rows["end_s"], rows["label"], strict=True):
            panel.broken_barh(
                [(start, end - start)], (place - 0.36, 0.72), **_look(names.index(label))
            )
    panel.set_ylim(len(shown) - 0.4, -0.6)
    longest = max((dataset.duration_of(s) for s in shown), default=1.0)
    panel.set_xlim(0, longest)
    panel.set_yticks(range(len(shown)), [plain_text(s) for s in shown], fontsize=7)
    read_time(panel, time_unit(longest))
    keys = [Patch(**_look(i), label=plain_text(v)) for i, v in enumerate(names[:24])]
    panel.legend(handles=keys, loc="upper left", bbox_to_anchor=(1, 1), fontsize=7, frameon=False)
    return figure


def draw_spectrum(signals: Sequence[Signal]) -> Figure | None:
    """Draw the power spectra of one modality's channels, averaged over sessions; None if too short.

    Each session gives its longest stretch without gaps or missing values (Welch's method, Hann
    windows); the axis is in Hz up to half the rate. More than `MAX_CURVES` channels become a map.
    """
    stretches = [values for s in signals for values in [_whole_stretch(s)] if len(values) >= 32]
    if not stretches:
        return None
    from scipy.signal import welch

    n = min(256, *(len(v) for v in stretches))
    found = [welch(v, signals[0].rate_hz, nperseg=n, axis=0) for v in stretches]
    hz, power = found[0][0][1:], np.mean([p for _, p in found], axis=0)[1:]
    db = 10 * np.log10(np.maximum(power, np.finfo(float).tiny))
    names = [plain_text(c.partition(".")[2]) for c in signals[0].channels]
    if len(names) <= MAX_CURVES:
        return _curves(hz, db, names)
    return _map(hz, db, names[:MAX_STRIPS])


def _curves(hz: np.ndarray, db: np.ndarray, names: Sequence[str]) -> Figure:
    figure, panel = _new(2.6, left=0.8, right=1.5)
    for i, name in enumerate(names):
        panel.plot(hz, db[:, i], lw=1.0, label=name, color=LINES[i % len(LINES)])
    panel.set_ylim(max(float(db.min()), float(db.max()) - 80) - 3, float(db.max()) + 3)
    panel.set_ylabel("power density, dB", fontsize=8)
    panel.set_xlabel("frequency, Hz", fontsize=8)
    panel.set_xlim(0, hz[-1])
    panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=7, frameon=False)
    return figure


def _map(hz: np.ndarray, db: np.ndarray, names: Sequence[str]) -> Figure:
    shown = db[:, : len(names)].T
    relative = np.clip(shown - shown.max(axis=1, keepdims=True), -60, 0)
    figure, panel = _new(0.17 * len(names) + 1.0, left=2.2, right=1.1)
    extent = (0.0, float(hz[-1]), len(names) - 0.5, -0.5)
    image = panel.imshow(
        relative, aspect="auto", extent=extent, cmap="magma", interpolation="nearest"
    )
    panel.set_yticks(range(len(names)), names, fontsize=6.5)
    panel.set_xlabel("frequency, Hz", fontsize=8)
    bar = figure.colorbar(image, ax=panel, fraction=0.03, pad=0.02)
    bar.set_label("dB below the channel's peak", fontsize=7)
    bar.ax.tick_params(labelsize=7)
    return figure


def _margin(names: Sequence[str]) -> float:
    """Return the inches that the longest of these names needs beside the panel."""
    return min(4.0, max(2.2, 0.3 + INCHES_A_LETTER * max(map(len, names), default=0)))


def _look(place: int) -> dict[str, Any]:
    """Return the colour and hatching of the label in this place of its set."""
    return {
        "facecolor": SHADES[place % len(SHADES)],
        "hatch": _HATCHES[place // len(SHADES) % len(_HATCHES)],
        "edgecolor": "#ffffff",
        "linewidth": 0,
    }


def _new(height: float, *, left: float, right: float = 0.3) -> tuple[Figure, Axes]:
    """Return a figure of `height` inches whose margins are the same inches at every height."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height))
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    figure.subplots_adjust(
        left=left / _WIDTH, right=1 - right / _WIDTH, bottom=0.5 / height, top=1 - 0.2 / height
    )
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=7)
    return figure, panel


def _whole_stretch(signal: Signal) -> np.ndarray:
    """Return the longest run of samples (n, C) without gaps or missing values, float64."""
    empty = np.isnan(signal.values).all(axis=0)
    values = np.where(empty, 0.0, signal.values.astype(np.float64))
    breaks = np.flatnonzero(np.diff(signal.time_s) > 2.5 / signal.rate_hz) + 1
    lost = np.flatnonzero(np.isnan(values).any(axis=1))
    edges = np.unique(np.concatenate([[0], breaks, lost, lost + 1, [len(values)]]).astype(int))
    gone = set(lost.tolist())
    runs = [(b - a, a) for a, b in itertools.pairwise(edges) if a not in gone]
    length, start = max(runs, default=(0, 0))
    return values[start : start + length]
