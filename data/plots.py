"""Figures on a seconds axis: sessions by channel, their labels shaded, gaps left as gaps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tool_use_om.data.dataset import DataSet, Signal
from tool_use_om.data.errors import DataError
from tool_use_om.data.schema import UNKNOWN_SUBJECT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_SESSIONS = 16
MAX_LINES = 12  # channels drawn in one panel; the panel says how many were left out
MAX_POINTS = 1500  # drawn for each channel; more are thinned to the minimum and maximum of each bin
_LINES = ("#0b5394", "#cc4125", "#38761d", "#7f6000", "#674ea7", "#134f5c")
_SHADES = ("#9fc5e8", "#f9cb9c", "#b6d7a8", "#ffe599", "#d5a6bd", "#b4a7d6", "#a2c4c9", "#cccccc")


def draw_sessions(
    dataset: DataSet,
    session_ids: Sequence[str],
    channels: Sequence[str] | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
) -> Figure:
    """Draw sessions: one row each, one column a modality; a single session stacks its modalities.

    Parameters
    ----------
    session_ids : 1 to `MAX_SESSIONS` sessions
    channels : channel ids, modality names or "all" (default)
    start_s, end_s : float, seconds from session start; default: each session whole. The end is
        cut to each session's own; a session over before `start_s` is refused

    Returns
    -------
    matplotlib Figure, not attached to any window

    Raises
    ------
    DataError, NotFoundError : as `DataSet.read`; too many or no sessions
    """
    if not 1 <= len(session_ids) <= MAX_SESSIONS:
        raise DataError(f"Choose 1 to {MAX_SESSIONS} sessions to draw, got {len(session_ids)}.")
    wanted = dataset.check_channels("all" if channels is None else channels)
    modalities = list(dict.fromkeys(c.partition(".")[0] for c in wanted))
    stacked = len(session_ids) == 1
    shape = (len(modalities), 1) if stacked else (len(session_ids), len(modalities))
    figure, axes = _grid(shape, share_y=not stacked)
    facts = dataset.sessions().set_index("session_id")
    for row, session_id in enumerate(session_ids):
        stop = None if end_s is None else min(end_s, dataset.duration_of(session_id))
        signals = {s.modality: s for s in dataset.read(session_id, wanted, start_s, stop)}
        panels = axes[:, 0] if stacked else axes[row]
        labels = dataset.labels([session_id])
        for panel, modality in zip(panels, modalities, strict=True):
            _draw_panel(panel, signals.get(modality), modality)
            panel.set_xlim(start_s or 0.0, stop or dataset.duration_of(session_id))
            _shade(panel, labels, dataset)
            if stacked or row == len(session_ids) - 1:
                panel.set_xlabel("seconds from session start", fontsize=8)
        panels[0].set_title(_headline(session_id, facts), fontsize=8, loc="left")
    return figure


def write_debug(folder: Path) -> Path:
    """Write debug/overview.png of a data set folder: what a few sessions of each label have."""
    dataset = DataSet.open(folder)
    sessions = pick_sessions(dataset)
    present = set(dataset.channel_stats(session_ids=sessions)["channel"])
    channels = [c for c in dataset.manifest.channel_ids if c in present]
    figure = draw_sessions(dataset, sessions, channels)
    kind = "SYNTHETIC" if dataset.manifest.synthetic else "recorded"
    title = f"{dataset.name} ({kind}): {dataset.manifest.n_sessions} sessions"
    figure.suptitle(_plain(title), fontsize=10, y=0.995, va="top")
    path = folder / "debug" / "overview.png"
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=90, metadata={"Software": None})
    return path


def pick_sessions(dataset: DataSet, limit: int = 6) -> list[str]:
    """Return one or two sessions of each label of the first label set, about `limit` in all."""
    labels = dataset.labels()
    if labels.empty:
        ids = dataset.sessions()["session_id"].tolist()
        return [ids[i] for i in np.unique(np.linspace(0, len(ids) - 1, limit).astype(int))]
    chosen = labels[labels["set"] == next(iter(dataset.manifest.label_sets))]
    groups = [sorted(set(g["session_id"])) for _, g in chosen.groupby("label")][:MAX_SESSIONS]
    each = 2 if 2 * len(groups) <= limit else 1
    picked = [g[i] for g in groups for i in np.linspace(0, len(g) - 1, each + 2)[1:-1].astype(int)]
    return list(dict.fromkeys(picked))


def _grid(shape: tuple[int, int], *, share_y: bool) -> tuple[Figure, np.ndarray]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, columns = shape
    width, height = min(4.6 * columns + 1.6, 16), 1.5 * rows + 0.9
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, sharey="col" if share_y else False)
    # set by hand: the automatic layouts cost more than the drawing
    figure.subplots_adjust(
        left=0.75 / width,
        right=1 - 0.75 / width,
        bottom=0.45 / height,
        top=1 - 0.55 / height,
        wspace=0.32,
        hspace=0.42,
    )
    return figure, np.asarray(axes)


def _draw_panel(panel: Axes, signal: Signal | None, modality: str) -> None:
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
    if signal is None or signal.time_s.size == 0:
        panel.set_ylabel(modality, fontsize=7)
        panel.text(0.5, 0.5, f"no {modality} here", transform=panel.transAxes, ha="center")
        return
    shown = signal.channels[:MAX_LINES]
    for i, channel in enumerate(shown):
        time_s, values = _thin(*_with_gaps(signal.time_s, signal.values[:, i], signal.rate_hz))
        name = channel.partition(".")[2]
        panel.plot(time_s, values, lw=0.8, color=_LINES[i % len(_LINES)], label=_plain(name))
    units = ", ".join(dict.fromkeys(signal.units))
    panel.set_ylabel(f"{modality}\n[{units}]", fontsize=7)
    left = len(signal.channels) - len(shown)
    title = "\n".join(t for t in (_missing(signal), f"{left} more not drawn" if left else "") if t)
    panel.legend(
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        fontsize=6.5,
        frameon=False,
        title=title or None,
        title_fontsize=6.5,
        handlelength=1.0,
    )


def _missing(signal: Signal) -> str:
    share = float(np.isnan(signal.values).mean())
    return f"NaN {share:.1%}" if share else ""


def _shade(panel: Axes, labels: pd.DataFrame, dataset: DataSet) -> None:
    """Shade labelled intervals: the first set over the whole height, others as a low band."""
    from matplotlib.collections import PolyCollection

    low, high = panel.get_xlim()
    boxes: list[tuple[tuple[float, float], ...]] = []
    colours: list[str] = []
    for place, (label_set, names) in enumerate(dataset.manifest.label_sets.items()):
        rows = labels[
            (labels["set"] == label_set) & (labels["end_s"] > low) & (labels["start_s"] < high)
        ]
        bottom, top = (0.0, 1.0) if place == 0 else (0.0, 0.12)
        for start, end, label in zip(rows["start_s"], rows["end_s"], rows["label"], strict=True):
            colour = _SHADES[(names.index(label) + 3 * place) % len(_SHADES)]
            left, right = max(start, low), min(end, high)
            boxes.append(((left, bottom), (left, top), (right, top), (right, bottom)))
            colours.append(colour)
            if right - left > 0.04 * (high - low):
                panel.text(
                    left,
                    0.99 if place == 0 else 0.1,
                    " " + _plain(label),
                    fontsize=6.5,
                    va="top",
                    transform=panel.get_xaxis_transform(),
                    clip_on=True,
                )
    # one collection for all: a record with thousands of beats is drawn in the same time
    shades = PolyCollection(boxes, facecolors=colours, alpha=0.45, linewidths=0)
    shades.set_transform(panel.get_xaxis_transform())
    panel.add_collection(shades, autolim=False)


def _headline(session_id: str, facts: pd.DataFrame) -> str:
    row = facts.loc[session_id]
    subject = row["subject_id"]
    who = "subject not published" if subject == UNKNOWN_SUBJECT else f"subject {subject}"
    return _plain(f"{session_id} · {who} · {row['split']} · {row['duration_s']:g} s")


def _with_gaps(
    time_s: np.ndarray, values: np.ndarray, rate_hz: float
) -> tuple[np.ndarray, np.ndarray]:
    """Put a NaN wherever samples are missing, so that no line bridges the gap."""
    after = np.flatnonzero(np.diff(time_s) > 2.5 / rate_hz) + 1
    middle = (time_s[after - 1] + time_s[after]) / 2
    return np.insert(time_s, after, middle), np.insert(values, after, np.nan)


def _thin(time_s: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at most `MAX_POINTS` points that keep each bin's minimum, maximum and any gap."""
    if time_s.size <= MAX_POINTS:
        return time_s, values
    bins = np.array_split(np.arange(time_s.size), MAX_POINTS // 3)
    keep: set[int] = set()
    for rows in bins:
        part = values[rows]
        missing = np.isnan(part)
        if missing.any():
            keep.add(int(rows[int(missing.argmax())]))
        if not missing.all():
            keep |= {int(rows[int(np.nanargmin(part))]), int(rows[int(np.nanargmax(part))])}
    chosen = np.array(sorted(keep))
    return time_s[chosen], values[chosen]


def _plain(text: str) -> str:
    """Return text matplotlib draws literally: no mathematics, no glyph its default font lacks."""
    shown = "".join(
        c if c.isprintable() and ord(c) < 0x250 else c.encode("unicode_escape").decode()
        for c in text
    )
    clipped = shown if len(shown) <= 80 else shown[:79] + "…"
    return clipped.replace("$", r"\$")
