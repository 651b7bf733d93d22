"""Look a data set over: what may be wrong with samples, units, labels and splits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data import quality_index, quality_signals
from tool_use_om.data.dataset import DataSet
from tool_use_om.data.quality_issue import KINDS, Issue

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tool_use_om.data.progress import Progress

MAX_SESSIONS = 400  # read by default, spread over the set
_CONTEXT = 0.5  # of the finding's length, drawn before and after it


def check_dataset(
    dataset: DataSet, *, max_sessions: int | None = MAX_SESSIONS, progress: Progress | None = None
) -> list[Issue]:
    """Return what may be wrong with a data set, worst kinds first; changes nothing.

    Parameters
    ----------
    max_sessions : sessions whose samples are read, spread over the set; None = all. Labels, splits
        and the index are always checked whole
    progress : called with {"phase": "check", "done", "total", "unit"}

    Returns
    -------
    list of Issue, one a kind and place (the sessions that show it are counted, the worst is named);
    `[i.model_dump() for i in issues]` is JSON
    """
    ids = dataset.sessions()["session_id"].tolist()
    chosen = spread(ids, max_sessions)
    found = list(_index_issues(dataset))
    found += _signal_issues(dataset, chosen, progress)
    issues = merge(found)
    if len(chosen) < len(ids):
        text = f"samples of {len(chosen)} of {len(ids)} sessions were read, spread over the set"
        note = Issue(
            kind="unchecked", where="sessions", severity="note", text=text,
            n_sessions=len(ids) - len(chosen),
        )  # fmt: skip
        issues.append(note)
    return issues


def spread(ids: Sequence[str], limit: int | None) -> list[str]:
    """Return at most `limit` of the ids, evenly spread, first and last included."""
    if limit is None or len(ids) <= limit:
        return list(ids)
    return [ids[i] for i in np.unique(np.linspace(0, len(ids) - 1, limit).astype(int))]


def merge(found: Iterable[Issue]) -> list[Issue]:
    """Return one issue a kind and place: sessions counted, the one with the largest value kept."""
    groups: dict[tuple[str, str], list[Issue]] = {}
    for issue in found:
        groups.setdefault((issue.kind, issue.where), []).append(issue)
    merged = [_merge_one(group) for group in groups.values()]
    kinds = list(KINDS)
    return sorted(merged, key=lambda i: (i.severity == "note", kinds.index(i.kind)))


def draw_issue(dataset: DataSet, issue: Issue) -> Figure | None:
    """Draw the worst place of an issue in red, and what surrounds it; None if it has no place."""
    from tool_use_om.data.plots import draw_sessions

    if issue.session_id is None or issue.start_s is None or issue.end_s is None:
        return None
    duration = dataset.duration_of(issue.session_id)
    pad = max(_CONTEXT * (issue.end_s - issue.start_s), 2.0)
    start, end = max(0.0, issue.start_s - pad), min(duration, issue.end_s + pad)
    known = {*dataset.manifest.channel_ids, *(m.name for m in dataset.manifest.modalities)}
    channels = [issue.where] if issue.where in known else None
    figure = draw_sessions(dataset, [issue.session_id], channels, start, end)
    for panel in figure.axes:
        panel.axvspan(issue.start_s, issue.end_s, color="#cc0000", alpha=0.18, lw=0)
    return figure


def write_figures(dataset: DataSet, issues: Sequence[Issue], folder: Path) -> list[Path]:
    """Write a PNG for each issue that has a place; return the paths."""
    from tool_use_om.data.workspace import atomic_file

    written: list[Path] = []
    for number, issue in enumerate(issues, start=1):
        figure = draw_issue(dataset, issue)
        if figure is not None:
            path = folder / f"{number:02d}-{issue.kind}.png"
            with atomic_file(path) as partial:
                figure.savefig(partial, dpi=100, format="png")
            written.append(path)
    return written


def _index_issues(dataset: DataSet) -> Iterator[Issue]:
    yield from quality_index.subject_leaks(dataset)
    yield from quality_index.label_overlaps(dataset)
    yield from quality_index.label_holes(dataset)
    yield from quality_index.unlabelled(dataset)
    yield from quality_index.implausible(dataset.channel_stats(), dataset)


def _signal_issues(
    dataset: DataSet, session_ids: Sequence[str], progress: Progress | None
) -> list[Issue]:
    repeats = quality_signals.Repeats()
    detectors = (
        quality_signals.gaps,
        quality_signals.missing,
        quality_signals.clipping,
        quality_signals.stuck,
        quality_signals.wrong_rate,
        quality_index.gravity,
        repeats,
    )
    sessions = dataset.sessions()
    split_of = dict(zip(sessions["session_id"], sessions["split"], strict=True))
    found: list[Issue] = []
    for done, session_id in enumerate(session_ids, start=1):
        for signal in dataset.read(session_id):
            found += [issue for detect in detectors for issue in detect(signal)]
        if progress:
            event = {"phase": "check", "done": done, "total": len(session_ids)}
            progress(event | {"unit": "sessions"})
    return [_as_leak(issue, split_of) for issue in found]


def _as_leak(issue: Issue, split_of: dict[str, str]) -> Issue:
    """Return a repeat across two splits as the leak it is; anything else as it came."""
    if issue.session_id is None or issue.other_session is None:
        return issue
    here, there = split_of[issue.session_id], split_of[issue.other_session]
    if here == there:
        return issue
    return issue.model_copy(update={"kind": "leak", "text": f"{here} and {there}: {issue.text}"})


def _merge_one(group: Sequence[Issue]) -> Issue:
    worst = max(group, key=lambda i: abs(i.value or 0.0))
    n_sessions = sum(i.n_sessions for i in group)
    severity = "problem" if any(i.severity == "problem" for i in group) else "note"
    return worst.model_copy(update={"n_sessions": n_sessions, "severity": severity})
