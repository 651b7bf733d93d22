"""Look a data set over: what may be wrong with samples, units, labels and splits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.format.dataset import DataSet, Signal
from tool_use_om.data.quality import index as quality_index
from tool_use_om.data.quality import signals as quality_signals
from tool_use_om.data.quality.grid import holes
from tool_use_om.data.quality.issue import KINDS, LABEL_KINDS, SUBJECT_KINDS, Issue, Scope

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tool_use_om.data.progress import Progress

MAX_SESSIONS = 400  # read by default, spread over the set
ALIKE = 4  # more channels of a modality with one kind of issue, or modalities, are told together
_CONTEXT = 0.5  # of the finding's length, drawn before and after it


def check_dataset(
    dataset: DataSet,
    *,
    scope: Scope | None = None,
    max_sessions: int | None = MAX_SESSIONS,
    progress: Progress | None = None,
) -> list[Issue]:
    """Return what may be wrong with a data set, worst kinds first; changes nothing.

    Parameters
    ----------
    scope : what of it to look at; default: all, with the samples of `max_sessions`
    max_sessions : sessions whose samples are read, spread over the set; None = all. Labels, splits
        and the index are always checked whole
    progress : called with {"phase": "check", "done", "total", "unit"}

    Returns
    -------
    list of Issue, one a kind and place (the sessions that show it are counted, the worst is named);
    `[i.model_dump() for i in issues]` is JSON
    """
    scope = scope or Scope(max_sessions=max_sessions)
    meant, chosen = sessions_read(dataset, scope)
    found = list(_index_issues(dataset, scope))
    found += _signal_issues(dataset, chosen, scope, progress)
    wanted = scope.kinds
    issues = merge(i for i in found if wanted is None or i.kind in {*wanted, "unchecked"})
    if len(chosen) < len(meant):
        text = f"samples of {len(chosen)} of {len(meant)} sessions were read, spread over the set"
        note = Issue(
            kind="unchecked", where="sessions", severity="note", text=text,
            n_sessions=len(meant) - len(chosen),
        )  # fmt: skip
        issues.append(note)
    return issues


def sessions_read(dataset: DataSet, scope: Scope) -> tuple[list[str], list[str]]:
    """Return the sessions meant, and those whose samples are read: evenly spread, within limits.

    Whatever the limits, at least one session is read, unless nothing asked for is in the samples.
    """
    meant = dataset.sessions()["session_id"].tolist()
    if scope.sessions is not None:
        asked = set(dataset.check_sessions(scope.sessions))
        meant = [s for s in meant if s in asked]
    if not _detectors(scope):
        return meant, meant
    chosen = spread(meant, scope.max_sessions)
    if scope.max_values is not None:
        held = dataset.channel_stats(scope.channels or "all", chosen)["n"].sum()
        if held > scope.max_values:
            chosen = spread(chosen, max(1, int(len(chosen) * scope.max_values / held)))
    return meant, chosen


def lacking(dataset: DataSet, session_ids: Sequence[str], scope: Scope) -> dict[str, float]:
    """Return how many values lack in all: those that the grid has and a series lacks, and NaNs.

    Returns
    -------
    n_values, n_places (stretches of them, by modality and channel), share_frac of all there could
    be
    """
    absent, places, held = 0, 0, 0
    for session_id in session_ids:
        for signal in _read(dataset, session_id, scope):
            found = holes(signal.time_s, signal.rate_hz)
            bare = np.isnan(signal.values)
            edges = np.diff(np.concatenate([np.zeros((1, bare.shape[1])), bare]), axis=0) == 1
            absent += found.n_missing * bare.shape[1] + int(bare.sum())
            places += found.n + int(edges.sum())
            held += int((~bare).sum())
    share = absent / (absent + held) if absent + held else 0.0
    return {"n_values": absent, "n_places": places, "share_frac": share}


def spread(ids: Sequence[str], limit: int | None) -> list[str]:
    """Return at most `limit` of the ids, evenly spread, first and last included."""
    if limit is None or len(ids) <= limit:
        return list(ids)
    return [ids[i] for i in np.unique(np.linspace(0, len(ids) - 1, limit).astype(int))]


def merge(found: Iterable[Issue]) -> list[Issue]:
    """Return one issue a kind and place: sessions counted, the one with the largest value kept.

    More than `ALIKE` channels of a modality that show the same become one issue of the modality;
    more than `ALIKE` modalities that show the same at one place become one.
    """
    groups: dict[tuple[str, str], list[Issue]] = {}
    for issue in found:
        groups.setdefault((issue.kind, issue.where), []).append(issue)
    merged = _gather([_merge_one(group) for group in groups.values()])
    kinds = list(KINDS)
    return sorted(merged, key=lambda i: (i.severity == "note", kinds.index(i.kind)))


def draw_issue(dataset: DataSet, issue: Issue) -> Figure | None:
    """Draw the worst place of an issue in red, and what surrounds it; None if it has no place."""
    from tool_use_om.data.show.plots import draw_sessions

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


def _index_issues(dataset: DataSet, scope: Scope) -> Iterator[Issue]:
    if scope.wants(SUBJECT_KINDS):
        yield from quality_index.subject_leaks(dataset)
    if scope.wants(LABEL_KINDS):
        yield from quality_index.label_overlaps(dataset, scope)
        yield from quality_index.label_holes(dataset, scope)
        yield from quality_index.unlabelled(dataset, scope)
    if scope.wants(frozenset({"unit"})):
        stats = dataset.channel_stats(scope.channels or "all", scope.sessions)
        yield from quality_index.implausible(stats, dataset)
        yield from quality_index.own_units(dataset, dict.fromkeys(map(str, stats["channel"])))


def _detectors(scope: Scope) -> list[Callable[[Signal], Iterator[Issue]]]:
    """Return the detectors that the kinds asked for need."""
    every: tuple[tuple[frozenset[str], Callable[[Signal], Iterator[Issue]]], ...] = (
        (frozenset({"gap"}), quality_signals.gaps),
        (frozenset({"missing"}), quality_signals.missing),
        (frozenset({"clipping"}), quality_signals.clipping),
        (frozenset({"stuck"}), quality_signals.stuck),
        (frozenset({"rate"}), quality_signals.wrong_rate),
        (frozenset({"unit"}), quality_index.gravity),
        (frozenset({"repeat", "leak"}), quality_signals.Repeats()),
    )
    return [detect for kinds, detect in every if scope.wants(kinds)]


def _signal_issues(
    dataset: DataSet, session_ids: Sequence[str], scope: Scope, progress: Progress | None
) -> list[Issue]:
    detectors = _detectors(scope)
    sessions = dataset.sessions()
    split_of = dict(zip(sessions["session_id"], sessions["split"], strict=True))
    found: list[Issue] = []
    for done, session_id in enumerate(session_ids if detectors else (), start=1):
        for signal in _read(dataset, session_id, scope):
            found += [issue for detect in detectors for issue in detect(signal)]
        if progress:
            event = {"phase": "check", "done": done, "total": len(session_ids)}
            progress(event | {"unit": "sessions"})
    return [_as_leak(issue, split_of) for issue in found]


def _read(dataset: DataSet, session_id: str, scope: Scope) -> list[Signal]:
    """Read the part of a session that is looked at; a session that is over before it has none."""
    end = scope.end_in(dataset.duration_of(session_id))
    if scope.start_s >= end:
        return []
    signals = dataset.read(session_id, scope.channels, scope.start_s, end)
    return [s for s in signals if s.time_s.size]


def _as_leak(issue: Issue, split_of: dict[str, str]) -> Issue:
    """Return a repeat across two splits as the leak it is; anything else as it came."""
    if issue.session_id is None or issue.other_session is None:
        return issue
    here, there = split_of[issue.session_id], split_of[issue.other_session]
    if here == there:
        return issue
    return issue.model_copy(update={"kind": "leak", "text": f"{here} and {there}: {issue.text}"})


def _gather(issues: list[Issue]) -> list[Issue]:
    channels: dict[tuple[object, ...], list[Issue]] = {}
    for issue in issues:
        modality, _, channel = issue.where.partition(".")
        key = (issue.kind, issue.severity, modality) if channel else (issue.kind, issue.where)
        channels.setdefault(key, []).append(issue)
    joined = [i for group in channels.values() for i in _together(group, "channels")]
    places: dict[tuple[object, ...], list[Issue]] = {}
    for issue in joined:
        timed = issue.start_s is not None and "." not in issue.where
        place = (issue.session_id, issue.start_s, issue.end_s) if timed else (issue.where,)
        places.setdefault((issue.kind, issue.severity, *place), []).append(issue)
    return [i for group in places.values() for i in _together(group, "modalities")]


def _together(group: list[Issue], what: str) -> list[Issue]:
    """Return issues of one kind as they are if they are few, else the worst in words for all."""
    if len(group) <= ALIKE:
        return group
    worst = max(group, key=lambda i: abs(i.value or 0.0))
    modality, _, channel = worst.where.partition(".")
    text = f"{len(group)} {what}; {channel or modality}: {worst.text}"
    return [worst.model_copy(update={"where": modality, "text": text})]


def _merge_one(group: Sequence[Issue]) -> Issue:
    worst = max(group, key=lambda i: abs(i.value or 0.0))
    n_sessions = sum(i.n_sessions for i in group)
    severity = "problem" if any(i.severity == "problem" for i in group) else "note"
    return worst.model_copy(update={"n_sessions": n_sessions, "severity": severity})
