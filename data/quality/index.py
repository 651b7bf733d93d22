"""What the index alone shows: labels, subjects, and units that the values do not fit."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Literal

import numpy as np
import pandas as pd

from tool_use_om.data.format.dataset import DataSet, Signal
from tool_use_om.data.format.schema import UNKNOWN_SUBJECT
from tool_use_om.data.quality.issue import Issue, Scope
from tool_use_om.data.units import is_own_unit

_SEVERITY: dict[bool, Literal["note", "problem"]] = {True: "note", False: "problem"}
HOLE_S = 0.5  # shorter pauses between two labels are not worth a line
COVERED = 0.5  # a label set that covers less than this of its sessions is sparse on purpose
GRAVITY = {"m/s^2": 9.80665, "g": 1.0, "mg": 1000.0}
NEAR_GRAVITY = 0.15  # relative; share of samples that must lie so near: AT_GRAVITY
AT_GRAVITY = 0.4
# unit → (lowest, highest) that is plausible for the middle half of a channel's values
PLAUSIBLE = {"bpm": (25, 240), "degC": (-90, 70), "K": (180, 350), "rad/s": (-60, 60)}


def label_holes(dataset: DataSet, scope: Scope) -> Iterator[Issue]:
    """Find time without a label, in label sets that otherwise cover their sessions."""
    rows = _labels(dataset, scope).sort_values(["set", "session_id", "start_s"], kind="stable")
    if rows.empty:
        return
    durations = dataset.sessions().set_index("session_id")["duration_s"]
    stop = rows["session_id"].map(durations).clip(upper=scope.end_s)
    groups = rows.groupby(["set", "session_id"], sort=False)["end_s"]
    reach, last = groups.cummax(), ~rows.duplicated(["set", "session_id"], keep="last")
    begin = groups.cummax().groupby([rows["set"], rows["session_id"]], sort=False).shift()
    before = rows.assign(start_s=begin.fillna(scope.start_s), end_s=rows["start_s"])
    holes = pd.concat([before, rows[last].assign(start_s=reach[last], end_s=stop[last])])
    holes["length"] = (holes["end_s"] - holes["start_s"]).clip(lower=0)
    holes["whole"] = holes["session_id"].map(durations).clip(upper=scope.end_s) - scope.start_s
    holes["empty"] = holes.groupby(["set", "session_id"])["length"].transform("sum")
    worst = holes.sort_values("length", ascending=False, kind="stable")
    worst = worst.drop_duplicates(["set", "session_id"]).sort_values(["set", "session_id"])
    found = (worst["empty"] <= (1 - COVERED) * worst["whole"]) & (worst["length"] > HOLE_S)
    for row in worst[found].to_dict("records"):
        span = (float(row["start_s"]), float(row["end_s"]))
        text = f"{row['empty']:.3g} s of {row['whole']:.6g} s have no label"
        yield _label_issue("hole", str(row["set"]), str(row["session_id"]), span, text)


def label_overlaps(dataset: DataSet, scope: Scope) -> Iterator[Issue]:
    """Find two intervals of one label set that overlap."""
    names = _labels(dataset, scope).sort_values(["set", "session_id", "start_s", "end_s"])
    reach = names.groupby(["set", "session_id"])["end_s"].cummax().shift()
    previous = names.shift()
    same = (names["set"] == previous["set"]) & (names["session_id"] == previous["session_id"])
    found = names[same & (reach - names["start_s"] > 1e-6)]
    for (label_set, session), rows in found.groupby(["set", "session_id"]):
        end = np.minimum(reach[rows.index], rows["end_s"])
        worst = (end - rows["start_s"]).idxmax()
        one, other = previous.loc[worst, "label"], rows.loc[worst, "label"]
        text = f"{json.dumps(str(one)[:40])} and {json.dumps(str(other)[:40])} at once"
        start = float(rows.loc[worst, "start_s"])
        yield _label_issue(
            "overlap", str(label_set), str(session), (start, float(end[worst])), text
        )


def unlabelled(dataset: DataSet, scope: Scope) -> Iterator[Issue]:
    """Find sessions without any label where others have one."""
    durations = dataset.sessions().set_index("session_id")["duration_s"]
    if scope.sessions is not None:
        durations = durations[durations.index.isin(scope.sessions)]
    for label_set in dataset.manifest.label_sets:
        rows = dataset.labels(scope.sessions, label_set)
        bare = sorted(set(durations.index) - set(rows["session_id"]))
        labelled_s = float((rows["end_s"] - rows["start_s"]).sum())
        if bare and labelled_s >= COVERED * float(durations.sum()):
            text = "sessions without any label of this set"
            yield Issue(
                kind="hole", where=label_set, n_sessions=len(bare), session_id=bare[0], text=text,
                severity="note", value=float(len(bare)), unit="sessions",
            )  # fmt: skip


def subject_leaks(dataset: DataSet) -> Iterator[Issue]:
    """Find known subjects in more than one split; say when no subject is known.

    A note only where the split rule says that the set is split by time.
    """
    sessions = dataset.sessions()
    known = sessions[sessions["subject_id"] != UNKNOWN_SUBJECT]
    if known.empty:
        text = "the source does not publish subjects: leakage between splits cannot be checked"
        yield Issue(kind="unchecked", where="subjects", n_sessions=0, severity="note", text=text)
    splits = known.groupby("subject_id")["split"].nunique()
    leaking = splits[splits > 1].index
    if len(leaking):
        rows = known[known["subject_id"].isin(leaking)]
        text = f"{len(leaking)} of {len(splits)} subjects are in more than one split"
        by_time = "time" in re.findall(r"[a-z]+", dataset.manifest.split_rule.casefold())
        yield Issue(
            kind="leak", where="subjects", n_sessions=len(rows),
            text=text + by_time * "; the set is split by time", severity=_SEVERITY[by_time],
            session_id=str(rows["session_id"].iloc[0]), value=float(len(leaking)), unit="subjects",
        )  # fmt: skip


def gravity(signal: Signal) -> Iterator[Issue]:
    """Find acceleration whose magnitude rests at the gravity of another unit than the stated."""
    for where, unit, triad in _triads(signal):
        size = np.linalg.norm(signal.values[:, triad].astype(np.float64), axis=1)
        size = size[~np.isnan(size)]
        fits = {u: _share_near(size, g) for u, g in GRAVITY.items()} if size.size else {}
        best = max(fits, key=fits.__getitem__, default=unit)
        if best == unit or fits[best] < AT_GRAVITY or fits.get(unit, 0.0) >= AT_GRAVITY:
            continue
        middle = float(np.median(size))
        text = f"magnitude rests near {GRAVITY[best]:g}, as gravity in {best}; stated: {unit}"
        yield Issue(
            kind="unit", where=where, session_id=signal.session_id, value=middle, unit=unit,
            text=text, severity="note" if unit == "a.u." else "problem",
        )  # fmt: skip


def implausible(stats: pd.DataFrame, dataset: DataSet) -> Iterator[Issue]:
    """Find channels whose usual values lie outside what their unit allows (from the index)."""
    for row in stats.to_dict("records"):
        unit = dataset.manifest.unit_of(str(row["channel"]))
        low, high = PLAUSIBLE.get(unit, (-np.inf, np.inf))
        if (row["q25"] >= low and row["q75"] <= high) or np.isnan(row["q50"]):
            continue
        text = f"the middle half of the values is {row['q25']:.4g} to {row['q75']:.4g} {unit}, "
        yield Issue(
            kind="unit", where=str(row["channel"]), session_id=str(row["session_id"]),
            value=float(row["q50"]), unit=unit, text=text + f"usual is {low:g} to {high:g}",
        )  # fmt: skip


def own_units(dataset: DataSet, channels: Collection[str]) -> Iterator[Issue]:
    """Note the channels whose unit is the source's own word: it is shown and never converted."""
    for channel in channels:
        unit = dataset.manifest.unit_of(channel)
        if is_own_unit(unit):
            text = f"unit {unit!r} is no known one: it is kept as it is and never converted"
            yield Issue(kind="unit", where=channel, severity="note", text=text, n_sessions=0)


def _triads(signal: Signal) -> Iterator[tuple[str, str, list[int]]]:
    """Yield (name, unit, columns) of each x, y, z triple that holds, or may hold, acceleration."""
    groups: dict[tuple[str, str], dict[str, int]] = {}
    for i, (channel, unit) in enumerate(zip(signal.channels, signal.units, strict=True)):
        stem, axis = channel[:-1], channel[-1].lower()
        if unit in GRAVITY or (unit == "a.u." and "acc" in stem.lower()):
            groups.setdefault((stem.rstrip("._-"), unit), {})[axis] = i
    for (stem, unit), axes in groups.items():
        if {"x", "y", "z"} <= set(axes):
            yield stem, unit, [axes[a] for a in "xyz"]


def _share_near(size: np.ndarray, gravity_value: float) -> float:
    return float((np.abs(size / gravity_value - 1) < NEAR_GRAVITY).mean())


def _labels(dataset: DataSet, scope: Scope) -> pd.DataFrame:
    """Return the labels of the sessions meant, cut to the seconds meant."""
    rows = dataset.labels(scope.sessions)
    end = np.inf if scope.end_s is None else scope.end_s
    rows = rows[(rows["start_s"] < end) & (rows["end_s"] > scope.start_s)]
    starts, ends = rows["start_s"].clip(lower=scope.start_s), rows["end_s"].clip(upper=end)
    return rows.assign(start_s=starts, end_s=ends)


def _label_issue(
    kind: str, label_set: str, session: str, span_s: tuple[float, float], text: str
) -> Issue:
    start, end = span_s
    return Issue(
        kind=kind, where=label_set, session_id=session, start_s=start, end_s=end, value=end - start,
        unit="s", text=text, severity="note" if kind == "hole" else "problem",
    )  # fmt: skip
