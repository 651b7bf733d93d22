"""A data set's samples as long series: a subject's sessions one behind the other, gaps marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.errors import DataError, unknown

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet, Signal

Array = np.ndarray
LONGEST_GAP = 7.5  # steps; a market's longest usual break is a week, a machine's outage is more


@dataclass(frozen=True, kw_only=True)
class Series:
    """One subject's samples of one modality in order of time.

    Parameters
    ----------
    name : the subject, or the session where no subject is known
    time_s : (n,) seconds, since 1970 where the data set has dates, else since the session's start
    values : (n, C) float64 in `units`
    channels : ids
    step_s : the nominal time from one sample to the next
    piece : (n,) int, samples without a gap between them share a number
    dated : `time_s` counts from 1970
    """

    name: str
    time_s: Array
    values: Array
    channels: tuple[str, ...]
    units: tuple[str, ...]
    step_s: float
    piece: Array
    dated: bool

    def column(self, channel: str) -> Array:
        """Return the (n,) samples of a channel."""
        found: Array = self.values[:, self.channels.index(channel)]
        return found


def read_series(dataset: DataSet, channel: str, subjects: Sequence[str] = ()) -> list[Series]:
    """Return the series of all channels of a channel's modality.

    Sessions of one subject that carry dates are put one behind the other; where they do not, each
    session is a series of its own.

    Parameters
    ----------
    channel : a channel id
    subjects : only these; default: all

    Raises
    ------
    NotFoundError : an unknown subject
    DataError : nothing measured
    """
    modality = channel.rpartition(".")[0]
    table = dataset.sessions()
    known = table["subject_id"].dropna().unique().tolist()
    for subject in subjects:
        if subject not in known:
            raise unknown("subject", subject, known)
    parts: dict[str, list[tuple[Array, Signal]]] = {}
    for session, subject in zip(table["session_id"], table["subject_id"], strict=True):
        if subjects and subject not in subjects:
            continue
        for signal in dataset.read(session, [modality]):
            stamps = dataset.stamps(session, signal.time_s)
            seconds = signal.time_s if stamps is None else _seconds(stamps)
            owner = session if stamps is None or subject is None else str(subject)
            parts.setdefault(owner, []).append((seconds, signal))
    if not parts:
        raise DataError(f"{dataset.name} has no samples of {channel}.")
    return [_joined(name, found, dataset) for name, found in parts.items()]


def _joined(name: str, parts: list[tuple[Array, Signal]], dataset: DataSet) -> Series:
    parts = sorted(parts, key=lambda part: float(part[0][0]))
    time_s = np.concatenate([seconds for seconds, _ in parts])
    values = np.concatenate([s.values.astype(np.float64) for _, s in parts])
    order = np.argsort(time_s, kind="stable")
    time_s, values = time_s[order], values[order]
    known = np.isfinite(values).any(axis=1)
    time_s, values = time_s[known], values[known]
    first = parts[0][1]
    step = 1.0 / first.rate_hz
    broken = np.diff(time_s, prepend=time_s[:1]) > LONGEST_GAP * step
    return Series(
        name=name,
        time_s=time_s,
        values=values,
        channels=first.channels,
        units=first.units,
        step_s=step,
        piece=np.cumsum(broken),
        dated=dataset.stamps(first.session_id, [0.0]) is not None,
    )


def _seconds(stamps: Array) -> Array:
    found: Array = stamps.astype("datetime64[us]").astype(np.int64) / 1e6
    return found
