"""A data set as one HTML file: sessions, channels, labels, spectra, findings; no other resource."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pandas as pd
from markupsafe import Markup

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.quality.check import check_dataset, draw_issue, spread
from tool_use_om.data.quality.issue import KINDS
from tool_use_om.data.show.figure import Figure
from tool_use_om.data.show.interactive import address, choices_of
from tool_use_om.data.show.overview_figures import (
    MAX_STRIPS,
    MAX_TIMELINES,
    draw_spectrum,
    draw_strips,
    draw_timelines,
)
from tool_use_om.data.show.page import inlined, render
from tool_use_om.data.show.plots import pick_sessions
from tool_use_om.data.show.signals import MAX_LINES, MAX_PANELS, label_marks, signal_panels
from tool_use_om.data.show.static import svg
from tool_use_om.data.workspace import atomic_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

    from tool_use_om.data.format.calendar import Calendar
    from tool_use_om.data.progress import Progress

MAX_ROWS = 1000  # sessions listed; the page says how many are left out
MAX_SHOWN = 8  # sessions and findings drawn
_PAGE_POINTS = 150_000  # of all sessions of the page together
_FEWEST_POINTS = 120  # of a channel of a session
_TEMPLATE = Path(__file__).parent / "overview.html.j2"
_STATISTICS = ("nan_frac", "min", "q05", "mean", "q95", "max", "std")


@dataclass(frozen=True, kw_only=True)
class Note:
    """A sentence in place of a figure or a table, or under it; `kind` is its class."""

    form: ClassVar[str] = "note"
    text: str
    kind: str = "soft"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure under its caption; `folded` is the line under which it is folded away."""

    form: ClassVar[str] = "picture"
    caption: str
    address: str
    folded: str = ""
    opened: bool = False


@dataclass(frozen=True, kw_only=True)
class Tag:
    """A word in a cell that has a class and a sentence shown on hovering."""

    text: str
    kind: str = ""
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column's title; numbers stand to the right."""

    title: str
    number: bool = False


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table; a `tall` one scrolls under its head."""

    form: ClassVar[str] = "grid"
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[str | Tag]]
    tall: bool = False


@dataclass(frozen=True, kw_only=True)
class Explorer:
    """Every session to look at, one at a time."""

    form: ClassVar[str] = "explorer"
    title: str
    note: str
    first: str
    alt: str
    data: Markup


Part = Note | Picture | Grid | Explorer


def write_overview(dataset: DataSet, folder: Path, *, progress: Progress | None = None) -> Path:
    """Write `folder`/index.html and return its path.

    The page holds its style and figures; it loads nothing and runs no script but the kept one that
    shows a session. All text of the source is escaped.
    """
    sections = []
    for done, (title, parts) in enumerate(_SECTIONS.items(), start=1):
        sections.append({"title": title, "parts": parts(dataset)})
        if progress:
            event = {"phase": "overview", "done": done, "total": len(_SECTIONS)}
            progress(event | {"unit": "sections"})
    page = render(_TEMPLATE, {**_head(dataset), "sections": sections, "runs": True})
    path = folder / "index.html"
    with atomic_file(path) as partial:
        partial.write_text(page, encoding="utf-8")
    return path


def _head(dataset: DataSet) -> dict[str, object]:
    m = dataset.manifest
    facts: dict[str, object] = {
        "sessions": m.n_sessions,
        "subjects": m.n_subjects or "not published",
        "channels": len(m.channel_ids),
        "seconds": f"{m.duration_s:,.6g}",
        "licence": m.licence,
    }
    return {
        "title": f"{m.name} — {m.title}",
        "eyebrow": f"data set · {'synthetic (simulated)' if m.synthetic else 'recorded'}",
        "facts": facts | {split: n for split, n in m.splits.items() if n},
        "notes": (m.source, f"Split: {m.split_rule}", *m.notes),
    }


def _findings(dataset: DataSet) -> list[Part]:
    issues = check_dataset(dataset)
    if not issues:
        said = "Nothing found: no gap, rail, repeat, label hole or odd unit."
        return [Note(text=said, kind="good")]
    rows = [
        (
            Tag(text=i.severity, kind=i.severity),
            Tag(text=i.kind, title=KINDS[i.kind]),
            i.where,
            _number(i.n_sessions),
            i.session_id or "",
            _number(i.start_s),
            _number(i.end_s),
            f"{i.value:.4g} {i.unit or ''}" if i.value is not None else "",
            i.text,
        )
        for i in issues
    ]
    head = ("", "kind", "where", "#sessions", "worst", "#start s", "#end s", "value", "finding")
    placed = [i for i in issues if i.start_s is not None and i.end_s is not None][:MAX_SHOWN]
    drawn = [
        _picture(draw_issue(dataset, i), "", f"{i.kind} · {i.where} · session {i.session_id}")
        for i in placed
    ]
    return [_grid(head, rows), *drawn]


def _sessions(dataset: DataSet) -> list[Part]:
    frame, calendar = dataset.sessions(), dataset.manifest.calendar
    labels = dataset.labels().groupby("session_id")["label"].agg(lambda v: sorted(set(v)))
    rows = [
        (
            str(r["session_id"]),
            str(r["subject_id"]),
            str(r["split"]),
            _number(r["duration_s"]),
            _start(r["start_utc"], calendar),
            ", ".join(labels.get(r["session_id"], [])),
        )
        for r in frame.head(MAX_ROWS).to_dict("records")
    ]
    zone = calendar.zone or "UTC"
    head = ("session", "subject", "split", "#seconds", f"start ({zone})", "labels")
    left = len(frame) - len(rows)
    more = [Note(text=f"{left} more sessions are not listed.")] if left else []
    return [_grid(head, rows, tall=True), *more]


def _start(start: pd.Timestamp | None, calendar: Calendar) -> str:
    if start is None or str(start) == "NaT":
        return ""
    return f"{calendar.local(start.to_pydatetime()):%Y-%m-%d %H:%M:%S}"


def _channels(dataset: DataSet) -> list[Part]:
    rows = []
    for r in dataset.pooled_stats().to_dict("records"):
        channel = str(r["channel"])
        unit, rate = dataset.manifest.unit_of(channel), dataset.manifest.rate_of(channel)
        numbers = [_number(r[c]) for c in _STATISTICS]
        rows.append((channel, unit, _number(rate), _number(int(str(r["n"]))), *numbers))
    head = ("channel", "unit", "#Hz", "#samples", *(f"#{s}" for s in _STATISTICS))
    return [_grid(head, rows)]


def _labels(dataset: DataSet) -> list[Part]:
    parts: list[Part] = []
    for label_set in dataset.manifest.label_sets:
        rows = dataset.labels(label_set=label_set)
        shown = spread(sorted(set(rows["session_id"])), MAX_TIMELINES)
        note = f"{label_set}: {len(shown)} of {rows['session_id'].nunique()} labelled sessions"
        parts.append(_picture(draw_timelines(dataset, shown, label_set), note))
        seconds = (rows["end_s"] - rows["start_s"]).groupby(rows["label"]).sum()
        counts = rows.groupby("label")["session_id"].nunique()
        cells = [(str(v), _number(int(counts[v])), _number(seconds[v])) for v in seconds.index]
        parts.append(_grid((f"{label_set} label", "#sessions", "#seconds"), cells))
    return parts or [Note(text="This set has no labels.")]


def _explorer(dataset: DataSet) -> Explorer:
    """Return all sessions, as finely as the page can hold them; of very many, the first ones."""
    ids = [str(s) for s in dataset.sessions()["session_id"]]
    channels = list(dataset.manifest.channel_ids)[: MAX_LINES * MAX_PANELS]
    shown = ids[: max(_PAGE_POINTS // (_FEWEST_POINTS * len(channels)), 1)]
    each = _PAGE_POINTS // len(shown)
    panels = {
        s: signal_panels(dataset, s, channels, marks=label_marks(dataset, s), most=each)
        for s in shown
    }
    first = Figure(title=shown[0], alt=f"Signals of {shown[0]}.", panels=tuple(panels[shown[0]]))
    left = len(ids) - len(shown)
    return Explorer(
        title="Each session", first=address(svg(first)), alt=first.alt,
        data=Markup(choices_of("Signals", panels)),  # noqa: S704 - escaped
        note="Each channel to its own lowest and highest value; labels shaded."
        + (f" {left} more sessions: ask to plot them by name." if left else ""),
    )  # fmt: skip


def _signals(dataset: DataSet) -> list[Part]:
    parts: list[Part] = [_explorer(dataset)]
    shown = max(2, min(MAX_SHOWN, MAX_STRIPS * 4 // len(dataset.manifest.channel_ids)))
    for session_id in pick_sessions(dataset)[:shown]:
        left = len(dataset.manifest.channel_ids) - MAX_STRIPS
        note = "Each strip from its lowest to its highest value; labels shaded."
        note += f" {left} channels are not drawn." if left > 0 else ""
        figure = draw_strips(dataset, session_id)
        parts.append(_picture(figure, note, f"session {session_id}"))
    return parts


def _spectra(dataset: DataSet) -> list[Part]:
    parts: list[Part] = []
    read = [dataset.read(s) for s in pick_sessions(dataset)]
    for modality in dataset.manifest.modalities:
        signals = [s for session in read for s in session if s.modality == modality.name]
        figure = draw_spectrum(signals)
        if figure is not None:
            note = f"{modality.name}, {modality.rate_hz:g} Hz: mean of {len(signals)} sessions"
            parts.append(_picture(figure, note))
    return parts or [Note(text="No stretch is long enough for a spectrum.")]


def _picture(
    figure: Canvas | None, caption: str, folded: str = "", *, opened: bool = False
) -> Picture:
    if figure is None:
        return Picture(caption=caption, address="", folded=folded)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110, format="png", metadata={"Software": None})
    address = inlined(buffer.getvalue())
    return Picture(caption=caption, address=address, folded=folded, opened=opened)


def _grid(head: Sequence[str], rows: Sequence[Sequence[str | Tag]], *, tall: bool = False) -> Grid:
    """Return a table; a column named "#…" holds numbers."""
    columns = tuple(Column(title=c.lstrip("#"), number=c.startswith("#")) for c in head)
    return Grid(columns=columns, rows=rows, tall=tall)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.5g}"


_SECTIONS: dict[str, Callable[[DataSet], list[Part]]] = {
    "Findings": _findings,
    "Sessions": _sessions,
    "Channels": _channels,
    "Labels": _labels,
    "Signals": _signals,
    "Spectra": _spectra,
}
