"""Figures of an overview: channel strips, label timelines and spectra, for 1 to 66 channels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.data.dataset import DataSet, Signal
from tool_use_om.data.plots import _LINES, _SHADES, _plain, _thin, _with_gaps

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_STRIPS = 72  # channels in one figure
MAX_TIMELINES = 40  # sessions in one figure
MAX_CURVES = 8  # spectra drawn as curves; more become a map
_WIDTH = 10.0
_HATCHES = ("", "////", "....", "xxxx")  # tell labels apart once the colours come round again
_INCHES_A_LETTER = 0.06  # at the size tick labels have


def draw_strips(dataset: DataSet, session_id: str) -> Figure:
    """Draw a session: a strip a channel, each to its own scale, labels shaded, on seconds."""
    signals = [s for s in dataset.read(session_id) if s.time_s.size]
    rows = [(s, i) for s in signals for i in range(len(s.channels))][:MAX_STRIPS]
    names = [_plain(f"{s.channels[i]} [{s.units[i]}]") for s, i in rows]
    figure, panel = _new(0.34 * len(rows) + 0.9, left=_margin(names))
    panel.set_xlim(0, dataset.duration_of(session_id))
    panel.set_ylim(len(rows) - 0.45, -0.55)
    _shade(panel, dataset, session_id)
    for place, (signal, i) in enumerate(rows):
        time_s, values = _thin(*_with_gaps(signal.time_s, signal.values[:, i], signal.rate_hz))
        colour = _LINES[signals.index(signal) % len(_LINES)]
        panel.plot(time_s, place - _scaled(values), lw=0.7, color=colour)
    panel.set_yticks(range(len(rows)), names, fontsize=7)
    panel.set_xlabel("seconds from session start", fontsize=8)
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
    panel.set_xlim(left=0)
    panel.set_yticks(range(len(shown)), shown, fontsize=7)
    panel.set_xlabel("seconds from session start", fontsize=8)
    keys = [Patch(**_look(i), label=_plain(v)) for i, v in enumerate(names[:24])]
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
    names = [_plain(c.partition(".")[2]) for c in signals[0].channels]
    if len(names) <= MAX_CURVES:
        return _curves(hz, db, names)
    return _map(hz, db, names[:MAX_STRIPS])


def _curves(hz: np.ndarray, db: np.ndarray, names: Sequence[str]) -> Figure:
    figure, panel = _new(2.6, left=0.8, right=1.5)
    for i, name in enumerate(names):
        panel.plot(hz, db[:, i], lw=1.0, label=name, color=_LINES[i % len(_LINES)])
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
    return min(4.0, max(2.2, 0.3 + _INCHES_A_LETTER * max(map(len, names), default=0)))


def _look(place: int) -> dict[str, Any]:
    """Return the colour and hatching of the label in this place of its set."""
    return {
        "facecolor": _SHADES[place % len(_SHADES)],
        "hatch": _HATCHES[place // len(_SHADES) % len(_HATCHES)],
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


def _scaled(values: np.ndarray) -> np.ndarray:
    """Return values mapped so that their 1st to 99th percentile fill most of a strip around 0."""
    if np.isnan(values).all():
        return values
    low, middle, high = np.nanquantile(values, [0.01, 0.5, 0.99])
    centre = (low + high) / 2 if high > low else middle
    scale = high - low if high > low else 1.0
    strip: np.ndarray = np.clip((values - centre) / scale, -0.6, 0.6) * 0.8
    return strip


def _shade(panel: Axes, dataset: DataSet, session_id: str) -> None:
    if not dataset.manifest.label_sets:
        return
    label_set, names = next(iter(dataset.manifest.label_sets.items()))
    rows = dataset.labels([session_id], label_set)
    for start, end, label in zip(rows["start_s"], rows["end_s"], rows["label"], strict=True):
        colour = _SHADES[names.index(label) % len(_SHADES)]
        panel.axvspan(start, end, color=colour, alpha=0.35, lw=0)
        if end - start > 0.05 * dataset.duration_of(session_id):
            panel.text(start, -0.52, " " + _plain(label), fontsize=6.5, va="bottom", clip_on=False)


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
