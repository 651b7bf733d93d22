"""What is true of a data set, by plain numpy on its samples: never by the tools that are judged.

A truth is a number, a name or several of either, with the unit and how far an answer may be off.
Templates without one have no single true value (plots, searches, predictions, choices of methods).
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
    value : number, name, names, or group → number
    unit : of a number, "" where it is a count or a name, or not compared
    tolerance : how far a number may be off, relative to its size
    others : names that a true answer does not give
    """

    value: float | str | tuple[str, ...] | Mapping[str, float]
    unit: str = ""
    tolerance: float = 0.0
    others: tuple[str, ...] = ()


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
        without: str | None = None,
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
            own = labels[labels["session_id"] == row["session_id"]]
            if label is not None:
                inside &= _labelled(signal.time_s, own[own["label"] == label])
            if without is not None:
                inside &= _labelled(signal.time_s, own[own["label"] != without])
            values = signal.values[inside, 0]
            found.append(values[np.isfinite(values)])
        return np.concatenate(found)


def _labelled(time_s: np.ndarray, labels: Any) -> np.ndarray:  # noqa: ANN401 - a table
    """Return which moments (n,) lie in one of the stretches of a table of labels."""
    found = np.zeros(time_s.shape, bool)
    for row in labels.itertuples():
        found |= (time_s >= row.start_s) & (time_s < row.end_s)
    return found


def truth_of(
    template: str, dataset: DataSet, meant: Mapping[str, Any], statistic: str = "mean"
) -> Truth | None:
    """Return what is true, or None where the template has no single true value.

    Parameters
    ----------
    meant : place → meaning, as `fill` gives it; "split" and "low" as the phrasing's words say
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
        unit = "" if a.statistic == "variance" else unit
        return Truth(value=value, unit=unit, tolerance=_tolerance(a.statistic))

    return truth


def _tolerance(statistic: str) -> float:
    return 0.02 if statistic == "median" else 1e-3


def _groups(groups: Callable[[_Asked], Mapping[str, np.ndarray]]) -> Callable[[_Asked], Truth]:
    """Return the truth of a statistic of each of several groups of samples."""

    def truth(a: _Asked) -> Truth:
        found = {name: values for name, values in groups(a).items() if values.size}
        values = {name: _STATISTICS[a.statistic](own) for name, own in found.items()}
        return Truth(value=values, tolerance=_tolerance(a.statistic))

    return truth


def _of_named_channel(
    truth: Callable[[_Asked], Truth | None],
) -> Callable[[_Asked], Truth | None]:
    """Return a truth for phrasings that name a channel, and none for those that name none."""
    return lambda a: truth(a) if "channel" in a.meant else None


def _by_column(column: str) -> Callable[[_Asked], Mapping[str, np.ndarray]]:
    """Return the samples of one channel by what stands in a column of the sessions."""
    return lambda a: {
        str(name): a.samples(a.channel, keep=_is(column, name))
        for name in a.dataset.sessions()[column].unique()
    }


def _by_two(column: str, place: str) -> Callable[[_Asked], Mapping[str, np.ndarray]]:
    """Return the samples of one channel of the two sessions or subjects that are meant."""
    return lambda a: {
        str(a.meant[one]): a.samples(a.channel, keep=_is(column, a.meant[one]))
        for one in (place, f"{place}2")
    }


def _by_label(a: _Asked) -> Mapping[str, np.ndarray]:
    names = map(str, a.dataset.labels()["label"].unique())
    return {name: a.samples(a.channel, label=name) for name in names}


def _by_channel(**limits: Any) -> Callable[[_Asked], Mapping[str, np.ndarray]]:  # noqa: ANN401 - functions of _Asked
    return lambda a: {
        channel: a.samples(channel, **{name: make(a) for name, make in limits.items()})
        for channel in a.dataset.manifest.channel_ids
    }


def _by_moment(unit: str) -> Callable[[_Asked], Mapping[str, np.ndarray]]:
    """Return the samples of one channel by hour, weekday or month, in UTC; {} without dates."""

    def groups(a: _Asked) -> Mapping[str, np.ndarray]:
        found: dict[str, list[np.ndarray]] = {}
        for row in a.dataset.sessions().to_dict("records"):
            (signal,) = a.dataset.read(str(row["session_id"]), [a.channel])
            if row.get("start_utc") is None or row["start_utc"] != row["start_utc"]:
                return {}
            start = np.datetime64(row["start_utc"].tz_localize(None), "ms")
            moments = start + (1000 * signal.time_s).astype("timedelta64[ms]")
            codes = _MOMENTS[unit](moments)
            for code in np.unique(codes):
                values = signal.values[codes == code, 0]
                found.setdefault(str(code), []).append(values[np.isfinite(values)])
        return {name: np.concatenate(parts) for name, parts in found.items()}

    return groups


_MOMENTS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "hour": lambda t: (t.astype("datetime64[h]") - t.astype("datetime64[D]")).astype(int),
    "weekday": lambda t: (t.astype("datetime64[D]").astype(int) + 3) % 7,
    "month": lambda t: t.astype("datetime64[M]").astype(int) % 12,
}


def _dated(unit: str) -> Callable[[_Asked], Truth | None]:
    """Return the truth by hour, weekday or month of a named channel of a set with dates."""
    own = _groups(_by_moment(unit))

    def truth(a: _Asked) -> Truth | None:
        if "channel" not in a.meant or len(_by_moment(unit)(a)) < 2:
            return None
        return own(a)

    return truth


def _when(a: _Asked) -> Truth | None:
    """Return the date and time of an extreme to the minute; None without dates or where it ties."""
    best: tuple[float, str] | None = None
    for row in a.dataset.sessions().to_dict("records"):
        (signal,) = a.dataset.read(str(row["session_id"]), [a.channel])
        if row.get("start_utc") is None or row["start_utc"] != row["start_utc"]:
            return None
        values = signal.values[:, 0] * (-1 if a.meant.get("low") else 1)
        at = int(np.nanargmax(values))
        start = np.datetime64(row["start_utc"].tz_localize(None), "s")
        moment = start + np.timedelta64(int(signal.time_s[at]), "s")
        if best is None or values[at] > best[0]:
            best = float(values[at]), str(moment.astype("datetime64[m]")).replace("T", " ")
    return Truth(value=best[1]) if best else None


def _span(a: _Asked) -> Truth | None:
    """Return the first day and the last; None without dates."""
    starts = a.dataset.sessions()["start_utc"]
    if starts.isna().any():
        return None
    ends = starts + _lengths(a).astype("timedelta64[s]")
    return Truth(value=(f"{starts.min():%Y-%m-%d}", f"{ends.max():%Y-%m-%d}"))


def _in_session(a: _Asked) -> float:
    labels = a.dataset.labels()
    own = labels[
        (labels["label"] == a.meant["label"]) & (labels["session_id"] == a.meant["session"])
    ]
    return float((own["end_s"] - own["start_s"]).sum())


def _session(a: _Asked) -> Any:  # noqa: ANN401 - a row of the table of sessions
    sessions = a.dataset.sessions()
    return sessions[sessions["session_id"] == a.meant["session"]].iloc[0]


def _label_seconds(a: _Asked, label: str | None = None) -> float:
    labels = a.dataset.labels()
    own = labels[labels["label"] == (label or a.meant["label"])]
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
    found = _names(list(own["label"].unique()))
    rest = sorted(set(map(str, labels["label"].unique())) - set(map(str, found.value)))  # type: ignore[arg-type]
    return Truth(value=found.value, others=tuple(rest))


def _best_group(a: _Asked, groups: Mapping[str, np.ndarray]) -> Truth:
    sign = -1 if a.meant.get("low") else 1
    means = {name: sign * float(values.mean()) for name, values in groups.items() if values.size}
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
    "which-label-highest": lambda a: _best_group(a, _by_label(a)),
    "which-subject-highest": lambda a: _best_group(a, _by_column("subject_id")(a)),
    "count-split": lambda a: (
        _count(np.asarray(a.dataset.sessions()["split"] == a.meant["split"]))
        if a.meant.get("split") else None
    ),
    "describe-this": lambda a: _count(_lengths(a) > 0),
    "describe-dataset": lambda a: _count(_lengths(a) > 0),
    "list-datasets": lambda a: Truth(value=(a.dataset.manifest.name,)),
    "time-span": _span,
    "label-balance": lambda a: Truth(
        value={str(n): _label_seconds(a, str(n)) for n in a.dataset.labels()["label"].unique()},
        unit="s", tolerance=1e-3,
    ),
    "stat-all": _groups(_by_channel()),
    "stat-by-label": _of_named_channel(_groups(_by_label)),
    "stat-by-subject": _of_named_channel(_groups(_by_column("subject_id"))),
    "stat-by-session": _of_named_channel(_groups(_by_column("session_id"))),
    "stat-by-hour": _dated("hour"),
    "compare-labels": _of_named_channel(
        _groups(lambda a: {str(a.meant[n]): a.samples(a.channel, label=str(a.meant[n]))
                           for n in ("label", "label2")})
    ),
    "exclude-label": _groups(_by_channel(without=lambda a: str(a.meant["label"]))),
    "most-varied-channel": lambda a: Truth(
        value={c: float(v.var()) for c, v in
               _by_channel(label=lambda a: str(a.meant["label"]))(a).items()}, tolerance=1e-3,
    ),
    "when-extreme": _when,
    "stat-total": lambda a: Truth(
        value=float(a.samples(a.channel).sum()), tolerance=1e-3,
    ),
    "stat-label-session": _of_samples(
        label=lambda a: str(a.meant["label"]),
        keep=lambda a: _is("session_id", a.meant["session"]),
    ),
    "stat-split": lambda a: (
        _of_samples(keep=lambda a: _is("split", a.meant["split"]))(a)
        if a.meant.get("split") else None
    ),
    "compare-sessions": _of_named_channel(_groups(_by_two("session_id", "session"))),
    "compare-subjects": _of_named_channel(_groups(_by_two("subject_id", "subject"))),
    "session-length": lambda a: Truth(
        value=float(_session(a)["duration_s"]), unit="s", tolerance=1e-3
    ),
    "subject-of-session": lambda a: Truth(value=(str(_session(a)["subject_id"]),)),
    "total-label-session": lambda a: Truth(value=_in_session(a), unit="s", tolerance=1e-3),
    "count-above": lambda a: Truth(
        value=100 * float((a.samples(a.channel) > a.meant["value"][0]).mean()), unit="%",
        tolerance=0.02,
    ),
    "correlation": _correlation,
}  # fmt: skip
"""Template → its truth."""

KNOWN = frozenset(_STATISTICS)
"""Statistics there is a truth for."""
TRUE_TEMPLATES = frozenset(_TRUTHS)
"""Templates with a single true value."""
