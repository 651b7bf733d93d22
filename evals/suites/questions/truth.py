"""What is true of a data set, by plain numpy on its samples: never by the tools that are judged.

A truth is a number (or a name) with its unit and how far an answer may be off. Templates without
one have no single true value (overviews, plots, searches, forecasts).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.values import Untyped

_SECONDS = (1.0, 60.0, 3600.0)
_STATISTICS: Mapping[str, Callable[[np.ndarray], float]] = {
    "mean": lambda v: float(v.mean()),
    "median": lambda v: float(np.median(v)),
    "min": lambda v: float(v.min()),
    "max": lambda v: float(v.max()),
    "range": lambda v: float(v.max() - v.min()),
    "std": lambda v: float(v.std()),
    "variance": lambda v: float(v.var()),
    "rms": lambda v: float(np.sqrt((v**2).mean())),
}


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A true value.

    Parameters
    ----------
    value : number, name or names
    unit : of a number, "" where it is a count or a name
    tolerance : how far a number may be off, relative to its size
    """

    value: float | str | tuple[str, ...]
    unit: str = ""
    tolerance: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A data set and what a question means by its places."""

    dataset: DataSet
    meant: Mapping[str, Any]
    statistic: str

    @property
    def channel(self) -> str:
        return str(self.meant["channel"])

    @property
    def seconds(self) -> float:
        count, unit = self.meant["dur"]
        return float(count * _SECONDS[unit])

    def samples(
        self,
        channel: str,
        *,
        label: str | None = None,
        keep: Callable[[Mapping[Any, Any]], bool] = lambda _: True,
        span: Callable[[float], tuple[float, float]] = lambda length: (0.0, length),
    ) -> np.ndarray:
        """Return the values (n,) of a channel, NaN left out, of the sessions and times meant."""
        found = [np.zeros(0)]
        labels = self.dataset.labels()
        for row in self.dataset.sessions().to_dict("records"):
            if not keep(row):
                continue
            (signal,) = self.dataset.read(str(row["session_id"]), [channel])
            start, end = span(float(row["duration_s"]))
            inside = (signal.time_s >= start) & (signal.time_s < end)
            if label is not None:
                own = labels[
                    (labels["session_id"] == row["session_id"]) & (labels["label"] == label)
                ]
                inside &= np.any(
                    [np.zeros_like(inside)]
                    + [(signal.time_s >= r.start_s) & (signal.time_s < r.end_s)
                       for r in own.itertuples()], axis=0,
                )  # fmt: skip
            values = signal.values[inside, 0]
            found.append(values[np.isfinite(values)])
        return np.concatenate(found)


def truth_of(
    template: str, dataset: DataSet, meant: Mapping[str, Any], statistic: str = "mean"
) -> Truth | None:
    """Return what is true, or None where the template has no single true value.

    Parameters
    ----------
    meant : place → meaning, as `fill` gives it
    statistic : which one the phrasing names
    """
    asked = _Asked(dataset=dataset, meant=meant, statistic=statistic)
    return _TRUTHS[template](asked) if template in _TRUTHS else None


def _lengths(a: _Asked) -> np.ndarray:
    return np.asarray(a.dataset.sessions()["duration_s"], dtype=float)


def _is(key: str, name: object) -> Callable[[Mapping[Any, Any]], bool]:
    return lambda row: bool(row[key] == name)


def _count(holds: np.ndarray) -> Truth:
    return Truth(value=float(holds.sum()))


def _of_samples(**limits: Untyped) -> Callable[[_Asked], Truth]:
    """Return the truth of a statistic of one channel within limits made from the question."""

    def truth(a: _Asked) -> Truth:
        made = {name: make(a) for name, make in limits.items()}
        values = a.samples(a.channel, **made)
        unit = a.dataset.manifest.unit_of(a.channel)
        value = _STATISTICS[a.statistic](values)
        return Truth(value=value, unit=unit, tolerance=0.02 if a.statistic == "median" else 1e-3)

    return truth


def _label_seconds(a: _Asked) -> float:
    labels = a.dataset.labels()
    own = labels[labels["label"] == a.meant["label"]]
    return float((own["end_s"] - own["start_s"]).sum())


def _with_label(a: _Asked) -> Truth:
    labels = a.dataset.labels()
    return Truth(value=float(labels[labels["label"] == a.meant["label"]]["session_id"].nunique()))


def _names(names: Sequence[Any]) -> Truth:
    return Truth(value=tuple(sorted(map(str, names))))


def _labels_of(a: _Asked, at_s: float | None = None) -> Truth:
    labels = a.dataset.labels()
    own = labels[labels["session_id"] == a.meant["session"]]
    if at_s is not None:
        own = own[(own["start_s"] <= at_s) & (own["end_s"] > at_s)]
    return _names(list(own["label"].unique()))


def _best_group(groups: Mapping[str, np.ndarray]) -> Truth:
    means = {name: float(values.mean()) for name, values in groups.items() if values.size}
    return Truth(value=max(means, key=lambda name: means[name]))


def _correlation(a: _Asked) -> Truth | None:
    one, other = a.samples(a.channel), a.samples(str(a.meant["channel2"]))
    if one.size != other.size:
        return None  # two rates: the pairing is the tool's to choose
    return Truth(value=float(np.corrcoef(one, other)[0, 1]), tolerance=0.05)


_TRUTHS: Mapping[str, Callable[[_Asked], Truth | None]] = {
    "count-sessions": lambda a: _count(_lengths(a) > 0),
    "count-longer": lambda a: _count(_lengths(a) > a.seconds),
    "count-shorter": lambda a: _count(_lengths(a) < a.seconds),
    "count-between": lambda a: _count(
        (_lengths(a) >= a.meant["t0"]) & (_lengths(a) <= a.meant["t1"])
    ),
    "count-label": _with_label,
    "count-subjects": lambda a: Truth(
        value=float(a.dataset.sessions()["subject_id"].nunique())
    ),
    "list-sessions": lambda a: _names(list(a.dataset.sessions()["session_id"])),
    "list-subjects": lambda a: _names(list(a.dataset.sessions()["subject_id"].unique())),
    "list-channels": lambda a: _names(a.dataset.manifest.channel_ids),
    "list-labels": lambda a: _names(list(a.dataset.labels()["label"].unique())),
    "units": lambda a: Truth(value=a.dataset.manifest.unit_of(a.channel)),
    "sampling-rate": lambda a: (
        Truth(value=float(a.dataset.manifest.rate_of(a.channel)), unit="Hz", tolerance=1e-3)
        if "channel" in a.meant else None
    ),
    "longest-session": lambda a: Truth(value=float(_lengths(a).max()), unit="s", tolerance=1e-3),
    "shortest-session": lambda a: Truth(value=float(_lengths(a).min()), unit="s", tolerance=1e-3),
    "total-duration": lambda a: Truth(value=float(_lengths(a).sum()), unit="s", tolerance=1e-3),
    "total-duration-label": lambda a: Truth(value=_label_seconds(a), unit="s", tolerance=1e-3),
    "label-share": lambda a: Truth(
        value=100 * _label_seconds(a) / float(_lengths(a).sum()), unit="%", tolerance=5e-3
    ),
    "labels-at-time": lambda a: _labels_of(a, float(a.meant["t0"])),
    "labels-of-session": _labels_of,
    "sessions-of-subject": lambda a: _names(
        [
            r.session_id
            for r in a.dataset.sessions().itertuples()
            if r.subject_id == a.meant["subject"]
        ]
    ),
    "stat-channel": _of_samples(),
    "stat-label": _of_samples(label=lambda a: str(a.meant["label"])),
    "stat-subject": _of_samples(keep=lambda a: _is("subject_id", a.meant["subject"])),
    "stat-session": _of_samples(keep=lambda a: _is("session_id", a.meant["session"])),
    "stat-first": _of_samples(span=lambda a: lambda length: (0.0, min(length, a.seconds))),
    "stat-last": _of_samples(span=lambda a: lambda length: (max(0.0, length - a.seconds), np.inf)),
    "stat-skip": _of_samples(span=lambda a: lambda _: (a.seconds, np.inf)),
    "stat-between": _of_samples(
        span=lambda a: lambda _: (float(a.meant["t0"]), float(a.meant["t1"]))
    ),
    "which-label-highest": lambda a: _best_group(
        {
            str(name): a.samples(a.channel, label=str(name))
            for name in a.dataset.labels()["label"].unique()
        },
    ),
    "which-subject-highest": lambda a: _best_group(
        {
            str(n): a.samples(a.channel, keep=_is("subject_id", n))
            for n in a.dataset.sessions()["subject_id"].unique()
        },
    ),
    "count-above": lambda a: Truth(
        value=100 * float((a.samples(a.channel) > a.meant["value"][0]).mean()), unit="%",
        tolerance=0.02,
    ),
    "correlation": _correlation,
}  # fmt: skip
"""Template → its truth."""

TRUE_TEMPLATES = frozenset(_TRUTHS)
"""Templates with a single true value."""
