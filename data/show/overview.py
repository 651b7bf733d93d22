"""A data set as one HTML file: sessions, channels, labels, spectra, findings; no other resource."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.quality.check import check_dataset, draw_issue, spread
from tool_use_om.data.quality.issue import KINDS
from tool_use_om.data.show.overview_figures import (
    MAX_STRIPS,
    MAX_TIMELINES,
    draw_spectrum,
    draw_strips,
    draw_timelines,
)
from tool_use_om.data.show.plots import pick_sessions
from tool_use_om.data.workspace import atomic_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tool_use_om.data.format.calendar import Calendar
    from tool_use_om.data.progress import Progress

MAX_ROWS = 1000  # sessions listed; the page says how many are left out
MAX_SHOWN = 8  # sessions and findings drawn
_CSS = Path(__file__).parent / "overview.css"
_STATISTICS = ("nan_frac", "min", "q05", "mean", "q95", "max", "std")


def write_overview(dataset: DataSet, folder: Path, *, progress: Progress | None = None) -> Path:
    """Write `folder`/index.html and return its path.

    The page holds its style and figures; it loads nothing and runs no script. All text of the
    source is escaped.
    """
    parts = [_head(dataset)]
    for done, (title, body) in enumerate(_SECTIONS.items(), start=1):
        parts.append(f'<h2 id="{title.lower()}">{title}</h2>\n{body(dataset)}')
        if progress:
            event = {"phase": "overview", "done": done, "total": len(_SECTIONS)}
            progress(event | {"unit": "sections"})
    title = f"<title>{_text(dataset.name)}</title>"
    head = f'<meta charset="utf-8">{title}<meta name="viewport" content="width=device-width">'
    style = f"<style>\n{_CSS.read_text(encoding='utf-8')}</style>"
    page = f'<!doctype html>\n<html lang="en"><head>{head}\n{style}</head>\n<body><main>\n'
    path = folder / "index.html"
    with atomic_file(path) as partial:
        partial.write_text(page + "\n".join(parts) + "\n</main></body></html>\n", encoding="utf-8")
    return path


def _head(dataset: DataSet) -> str:
    m = dataset.manifest
    kind = "synthetic (simulated)" if m.synthetic else "recorded"
    facts: dict[str, object] = {
        "sessions": m.n_sessions,
        "subjects": m.n_subjects or "not published",
        "channels": len(m.channel_ids),
        "seconds": f"{m.duration_s:,.6g}",
        "licence": m.licence,
    }
    facts |= {split: n for split, n in m.splits.items() if n}
    items = "".join(f"<li><b>{_text(v)}</b> {_text(k)}</li>" for k, v in facts.items())
    links = "".join(f'<a href="#{s.lower()}">{s}</a>' for s in _SECTIONS)
    notes = "".join(
        f'<p class="soft">{_text(n)}</p>' for n in (m.source, f"Split: {m.split_rule}", *m.notes)
    )
    about = f"<details><summary>Source, split rule, notes</summary>{notes}</details>"
    return (
        f'<p class="eyebrow">data set · {kind}</p><h1>{_text(m.name)} — {_text(m.title)}</h1>'
        f'<ul class="facts">{items}</ul><nav>{links}</nav>{about}'
    )


def _findings(dataset: DataSet) -> str:
    issues = check_dataset(dataset)
    if not issues:
        return '<p class="good">Nothing found: no gap, rail, repeat, label hole or odd unit.</p>'
    rows = [
        (
            _tag("span", i.severity, i.severity),
            _tag("span", i.kind, "", title=KINDS[i.kind]),
            _text(i.where),
            _number(i.n_sessions),
            _text(i.session_id or ""),
            _number(i.start_s),
            _number(i.end_s),
            _text(f"{i.value:.4g} {i.unit or ''}" if i.value is not None else ""),
            _text(i.text),
        )
        for i in issues
    ]
    head = ("", "kind", "where", "#sessions", "worst", "#start s", "#end s", "value", "finding")
    drawn = [
        _details(f"{i.kind} · {i.where} · session {i.session_id}", [(draw_issue(dataset, i), "")])
        for i in [i for i in issues if i.start_s is not None and i.end_s is not None][:MAX_SHOWN]
    ]
    return _table(head, rows) + "".join(drawn)


def _sessions(dataset: DataSet) -> str:
    frame, calendar = dataset.sessions(), dataset.manifest.calendar
    labels = dataset.labels().groupby("session_id")["label"].agg(lambda v: sorted(set(v)))
    rows = [
        (
            _text(r["session_id"]),
            _text(r["subject_id"]),
            _text(r["split"]),
            _number(r["duration_s"]),
            _text(_start(r["start_utc"], calendar)),
            _text(", ".join(labels.get(r["session_id"], []))),
        )
        for r in frame.head(MAX_ROWS).to_dict("records")
    ]
    left = len(frame) - len(rows)
    more = f'<p class="soft">{left} more sessions are not listed.</p>' if left else ""
    head = (
        "session",
        "subject",
        "split",
        "#seconds",
        f"start ({calendar.zone or 'UTC'})",
        "labels",
    )
    return f'<div class="tall">{_table(head, rows)}</div>{more}'


def _start(start: pd.Timestamp | None, calendar: Calendar) -> str:
    if start is None or str(start) == "NaT":
        return ""
    return f"{calendar.local(start.to_pydatetime()):%Y-%m-%d %H:%M:%S}"


def _channels(dataset: DataSet) -> str:
    rows = []
    for r in dataset.pooled_stats().to_dict("records"):
        channel = str(r["channel"])
        unit, rate = dataset.manifest.unit_of(channel), dataset.manifest.rate_of(channel)
        numbers = [_number(r[c]) for c in _STATISTICS]
        rows.append(
            (_text(channel), _text(unit), _number(rate), _number(int(str(r["n"]))), *numbers)
        )
    head = ("channel", "unit", "#Hz", "#samples", *(f"#{s}" for s in _STATISTICS))
    return _table(head, rows)


def _labels(dataset: DataSet) -> str:
    parts = []
    for label_set in dataset.manifest.label_sets:
        rows = dataset.labels(label_set=label_set)
        shown = spread(sorted(set(rows["session_id"])), MAX_TIMELINES)
        note = f"{label_set}: {len(shown)} of {rows['session_id'].nunique()} labelled sessions"
        parts.append(_figure(draw_timelines(dataset, shown, label_set), note))
        seconds = (rows["end_s"] - rows["start_s"]).groupby(rows["label"]).sum()
        counts = rows.groupby("label")["session_id"].nunique()
        cells = [(_text(v), _number(int(counts[v])), _number(seconds[v])) for v in seconds.index]
        parts.append(_table((f"{label_set} label", "#sessions", "#seconds"), cells))
    return "".join(parts) or '<p class="soft">This set has no labels.</p>'


def _signals(dataset: DataSet) -> str:
    parts = []
    shown = max(2, min(MAX_SHOWN, MAX_STRIPS * 4 // len(dataset.manifest.channel_ids)))
    for place, session_id in enumerate(pick_sessions(dataset)[:shown]):
        left = len(dataset.manifest.channel_ids) - MAX_STRIPS
        note = "Each strip to its own scale (1st to 99th percentile); labels shaded."
        note += f" {left} channels are not drawn." if left > 0 else ""
        figure = draw_strips(dataset, session_id)
        parts.append(_details(f"session {session_id}", [(figure, note)], opened=place == 0))
    return "".join(parts)


def _spectra(dataset: DataSet) -> str:
    parts = []
    read = [dataset.read(s) for s in pick_sessions(dataset)]
    for modality in dataset.manifest.modalities:
        signals = [s for session in read for s in session if s.modality == modality.name]
        figure = draw_spectrum(signals)
        if figure is not None:
            note = f"{modality.name}, {modality.rate_hz:g} Hz: mean of {len(signals)} sessions"
            parts.append(_figure(figure, note))
    return "".join(parts) or '<p class="soft">No stretch is long enough for a spectrum.</p>'


def _figure(figure: Figure, caption: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110, format="png", metadata={"Software": None})
    data = base64.b64encode(buffer.getvalue()).decode()
    image = f'<img alt="{_text(caption)}" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{_text(caption)}</figcaption></figure>"


def _details(
    title: str, figures: Iterable[tuple[Figure | None, str]], *, opened: bool = False
) -> str:
    inside = "".join(_figure(figure, note) for figure, note in figures if figure is not None)
    return f"<details{' open' * opened}><summary>{_text(title)}</summary>{inside}</details>"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already; a column named "#…" holds numbers."""
    kinds = [' class="n"' if c.startswith("#") else "" for c in columns]
    head = "".join(
        f"<th{k}>{_text(c.lstrip('#'))}</th>" for c, k in zip(columns, kinds, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(f"<td{k}>{c}</td>" for c, k in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _tag(tag: str, text: str, kind: str, *, title: str = "") -> str:
    return f'<{tag} class="{_text(kind)}" title="{_text(title)}">{_text(text)}</{tag}>'


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.5g}"


def _text(value: object) -> str:
    shown = "".join(c if c.isprintable() else "�" for c in str(value))
    return html.escape(shown)


_SECTIONS: dict[str, Callable[[DataSet], str]] = {
    "Findings": _findings,
    "Sessions": _sessions,
    "Channels": _channels,
    "Labels": _labels,
    "Signals": _signals,
    "Spectra": _spectra,
}
