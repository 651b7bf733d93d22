"""Figures on a time axis: sessions by channel, their labels shaded, gaps left as gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet, Signal
from tool_use_om.data.format.schema import UNKNOWN_SUBJECT
from tool_use_om.data.show.panels import (
    INCHES_A_LETTER,
    draw_lines,
    draw_nothing,
    draw_strips_panel,
    duration_text,
    needs_strips,
    plain_text,
    read_time,
    shade_labels,
    strip_name,
    time_unit,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_SESSIONS = 16
MAX_STRIPS = 72  # channels drawn as strips for one session, shared by its modalities
MAX_COLUMNS = 3  # modalities side by side; more, and those that need strips, are stacked
TALLEST = 27.0  # inches; a debug figure shows as many sessions as fit
# inches
_LINES_HEIGHT, _STRIP_HEIGHT, _NAME_HEIGHT = 1.15, 0.17, 0.12
_COLUMN_WIDTH, _WIDTH = 3.9, 8.2
_TOP, _TITLE, _TICKS, _BETWEEN = 0.3, 0.22, 0.34, 0.1

Signals = dict[str, Signal]


@dataclass(frozen=True)
class _Place:
    """Where a panel goes: what it shows, and its box in inches from the top left of the figure."""

    session_id: str
    modality: str
    left: float
    top: float
    width: float
    height: float
    is_first: bool  # of its session: the title stands here
    is_last: bool  # of its session, or of its column: the time axis is written here


def draw_sessions(
    dataset: DataSet,
    session_ids: Sequence[str],
    channels: Sequence[str] | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
) -> Figure:
    """Draw sessions on a time axis: a row each, a column a modality, while that can be read.

    One session, more than `MAX_COLUMNS` modalities, or a modality of several units or many channels
    (each then has a strip of its own scale) make one column, session after session.

    Parameters
    ----------
    session_ids : 1 to `MAX_SESSIONS` sessions
    channels : channel ids, modality names or "all" (default)
    start_s, end_s : float, seconds from session start; default: each session whole. The end is
        cut to each session's own; a session over before `start_s` is refused

    Returns
    -------
    matplotlib Figure, not attached to any window. The data are in seconds; the ticks are written
    in the unit that the axis names

    Raises
    ------
    DataError, NotFoundError : as `DataSet.read`; too many or no sessions
    """
    if not 1 <= len(session_ids) <= MAX_SESSIONS:
        raise DataError(f"Choose 1 to {MAX_SESSIONS} sessions to draw, got {len(session_ids)}.")
    wanted = dataset.check_channels("all" if channels is None else channels)
    read = {s: _read(dataset, s, wanted, start_s, end_s) for s in session_ids}
    modalities = list(dict.fromkeys(c.partition(".")[0] for c in wanted))
    places, size = _layout(read, modalities)
    figure = _new_figure(size)
    ends = {s: _end(dataset, s, end_s) for s in session_ids}
    grid = _is_grid(read, modalities)
    longest = max(ends.values())
    facts = dataset.sessions().set_index("session_id")
    labels = dataset.labels(session_ids)
    columns: dict[float, list[Axes]] = {}
    for place in places:
        panel = _add_panel(figure, place, size)
        signal = read[place.session_id].get(place.modality)
        _draw_panel(panel, signal, place.modality, _limit(read[place.session_id]))
        panel.set_xlim(start_s or 0.0, ends[place.session_id])
        mine = labels[labels["session_id"] == place.session_id]
        shade_labels(panel, mine, dataset, text=place.is_first or len(session_ids) == 1)
        span = (longest if grid else ends[place.session_id]) - (start_s or 0.0)
        read_time(panel, time_unit(span), label=place.is_last)
        panel.tick_params(labelbottom=grid or place.is_last)
        if place.is_first:
            panel.set_title(_headline(place.session_id, facts), fontsize=8, loc="left")
        if signal is not None and grid:
            columns.setdefault(place.left, []).append(panel)
    for panels in columns.values():
        _share_values(panels)
    return figure


def write_debug(folder: Path) -> Path:
    """Write debug/overview.png of a data set folder: what a few sessions of each label have."""
    dataset = DataSet.open(folder)
    sessions = pick_sessions(dataset)
    stats = dataset.channel_stats(session_ids=sessions)
    channels = [c for c in dataset.manifest.channel_ids if c in set(stats["channel"])]
    shown = _that_fit(dataset, sessions, channels)
    figure = draw_sessions(dataset, shown, channels)
    kind = "SYNTHETIC" if dataset.manifest.synthetic else "recorded"
    title = f"{dataset.name} ({kind}): {dataset.manifest.n_sessions} sessions"
    figure.suptitle(plain_text(title), fontsize=10, y=1 - 0.06 / figure.get_figheight(), va="top")
    path = folder / "debug" / "overview.png"
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=90, metadata={"Software": None})
    return path


def pick_sessions(dataset: DataSet, limit: int = 6) -> list[str]:
    """Return one or two sessions of each label of the first label set, about `limit` in all.

    A modality that none of them has adds a session that has it.
    """
    picked = _by_label(dataset, limit)
    modalities = dataset.manifest.modalities
    if len(modalities) == 1:
        return picked
    held = dataset.channel_stats([m.channel_ids[0] for m in modalities])
    for modality in modalities:
        having = held[held["channel"] == modality.channel_ids[0]]["session_id"]
        if having.size and not having.isin(picked).any():
            picked.append(str(having.iloc[0]))
    return picked[:MAX_SESSIONS]


def _by_label(dataset: DataSet, limit: int) -> list[str]:
    labels = dataset.labels()
    if labels.empty:
        ids = dataset.sessions()["session_id"].tolist()
        return [ids[i] for i in np.unique(np.linspace(0, len(ids) - 1, limit).astype(int))]
    chosen = labels[labels["set"] == next(iter(dataset.manifest.label_sets))]
    groups = [sorted(set(g["session_id"])) for _, g in chosen.groupby("label")][:MAX_SESSIONS]
    each = 2 if 2 * len(groups) <= limit else 1
    picked = [g[i] for g in groups for i in np.linspace(0, len(g) - 1, each + 2)[1:-1].astype(int)]
    return list(dict.fromkeys(picked))


def _read(
    dataset: DataSet, session_id: str, wanted: Sequence[str], start: float | None, end: float | None
) -> Signals:
    stop = None if end is None else _end(dataset, session_id, end)
    signals = dataset.read(session_id, wanted, start, stop)
    return {s.modality: s for s in signals if s.time_s.size}


def _end(dataset: DataSet, session_id: str, end_s: float | None) -> float:
    duration = dataset.duration_of(session_id)
    return duration if end_s is None else min(end_s, duration)


def _that_fit(dataset: DataSet, session_ids: Sequence[str], channels: Sequence[str]) -> list[str]:
    """Return the first sessions that fit into `TALLEST` inches, at least one."""
    modalities = list(dict.fromkeys(c.partition(".")[0] for c in channels))
    read: dict[str, Signals] = {}
    for session_id in session_ids:
        read[session_id] = _read(dataset, session_id, channels, None, None)
        if len(read) > 1 and _layout(read, modalities)[1][1] > TALLEST:
            return list(read)[:-1]
    return list(read)


def _is_grid(read: Mapping[str, Signals], modalities: Sequence[str]) -> bool:
    every = [s for signals in read.values() for s in signals.values()]
    few = len(read) > 1 and len(modalities) <= MAX_COLUMNS
    return few and not any(needs_strips(s) for s in every)


def _layout(
    read: Mapping[str, Signals], modalities: Sequence[str]
) -> tuple[list[_Place], tuple[float, float]]:
    """Return where every panel goes, and the figure's width and height in inches."""
    every = [s for signals in read.values() for s in signals.values()]
    if not _is_grid(read, modalities):
        return _stacked(read, modalities)
    right = _beside([c.partition(".")[2] for s in every for c in s.channels])
    places: list[_Place] = []
    column, top = 0.75 + _COLUMN_WIDTH + right, _TOP + _TITLE
    rows = list(read)
    height = max((_height(s, MAX_STRIPS) for s in every), default=_LINES_HEIGHT)
    for row, session_id in enumerate(rows):
        for i, modality in enumerate(modalities):
            left = 0.75 + i * column
            box = (left, top, _COLUMN_WIDTH, height)
            places.append(_Place(session_id, modality, *box, i == 0, row == len(rows) - 1))
        top += height + _TITLE + _TICKS
    return places, (column * len(modalities), top + 0.1)


def _stacked(
    read: Mapping[str, Signals], modalities: Sequence[str]
) -> tuple[list[_Place], tuple[float, float]]:
    every = [s for signals in read.values() for s in signals.values()]
    stripped = [s for s in every if needs_strips(s)]
    names = [strip_name(s, i) for s in stripped for i in range(len(s.channels))]
    left = max(0.85, 0.5 + INCHES_A_LETTER * max(map(len, names), default=0))
    lines = [s for s in every if not needs_strips(s)]
    right = _beside([c.partition(".")[2] for s in lines for c in s.channels])
    places: list[_Place] = []
    top = _TOP
    for session_id, signals in read.items():
        shown = [m for m in modalities if m in signals] or list(modalities[:1])
        top += _TITLE
        for i, modality in enumerate(shown):
            height = _height(signals.get(modality), _limit(signals))
            box = (left, top, _WIDTH, height)
            places.append(_Place(session_id, modality, *box, i == 0, i == len(shown) - 1))
            top += height + _BETWEEN
        top += _TICKS
    return places, (left + _WIDTH + right, top + 0.1)


def _limit(signals: Signals) -> int:
    """Return how many strips each modality of a session may have."""
    return max(8, MAX_STRIPS // max(1, len(signals)))


def _height(signal: Signal | None, limit: int) -> float:
    if signal is None:
        return _LINES_HEIGHT
    if not needs_strips(signal):
        return max(_LINES_HEIGHT, 0.3 + _NAME_HEIGHT * len(signal.channels))
    return max(_LINES_HEIGHT, 0.1 + _STRIP_HEIGHT * min(limit, len(signal.channels)))


def _beside(names: Sequence[str]) -> float:
    """Return the inches that the names of lines need beside a panel."""
    return min(3.0, max(0.7, 0.4 + INCHES_A_LETTER * max(map(len, names), default=0)))


def _new_figure(size: tuple[float, float]) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    return figure


def _add_panel(figure: Figure, place: _Place, size: tuple[float, float]) -> Axes:
    width, height = size
    bottom = 1 - (place.top + place.height) / height
    # set by hand: the automatic layouts cost more than the drawing
    box = (place.left / width, bottom, place.width / width, place.height / height)
    panel = figure.add_axes(box)
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
    return panel


def _draw_panel(panel: Axes, signal: Signal | None, modality: str, limit: int) -> None:
    if signal is None:
        draw_nothing(panel, modality)
    elif needs_strips(signal):
        draw_strips_panel(panel, signal, limit)
    else:
        draw_lines(panel, signal)


def _share_values(panels: Sequence[Axes]) -> None:
    """Give panels of one modality one value axis, so that sessions can be compared."""
    lows, highs = zip(*(panel.get_ylim() for panel in panels), strict=True)
    for panel in panels:
        panel.set_ylim(min(lows), max(highs))


def _headline(session_id: str, facts: pd.DataFrame) -> str:
    row = facts.loc[session_id].to_dict()
    subject = row["subject_id"]
    who = "subject not published" if subject == UNKNOWN_SUBJECT else f"subject {subject}"
    length = duration_text(float(row["duration_s"]))
    return plain_text(f"{session_id} · {length} · {row['split']} · {who}")
