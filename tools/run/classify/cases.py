"""What is judged: a window, or a whole session where a session has one label."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tool_use_om.data.format.schema import SPLITS
from tool_use_om.tools.encode.plan import Plan, parts_of
from tool_use_om.tools.look.selection import Segment

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tools.run.classify.labelled import Labelled

WHOLE = 0.9  # of a session that its one label covers
MOSTLY = 0.95  # of the labelled sessions that are so


def is_by_session(dataset: DataSet, label_set: str) -> bool:
    """Return whether practically each labelled session has one label, from end to end."""
    rows = dataset.labels(label_set=label_set)
    if rows.empty or rows["label"].nunique() < 2:
        return False
    duration = dataset.sessions().set_index("session_id")["duration_s"]
    own = rows.groupby("session_id")
    named = [str(name) for name in own.groups]
    covered = (own["end_s"].max() - own["start_s"].min()) / duration.loc[named]
    alone = (own["label"].nunique() == 1) & (own.size() == 1) & (covered >= WHOLE)
    return bool(alone.mean() >= MOSTLY) and _in_one_split(dataset)


def _in_one_split(dataset: DataSet) -> bool:
    """Return whether each session is whole in one split, not cut in time."""
    parts = [p for split in SPLITS for p in parts_of(dataset, split)]
    return len({p.session_id for p in parts}) == len(parts)


def case_plan(plan: Plan, context_s: float) -> Plan:
    """Return the plan with a window that holds a whole session, or as much as the encoder takes.

    A session that is longer gives several windows, the last of which ends where it ends.
    """
    longest = float(plan.dataset.sessions()["duration_s"].max())
    patches = max(int(context_s / plan.patch_s + 1e-9), 1)
    window_s = min(longest, patches * plan.patch_s)
    if abs(window_s - plan.config.window_s) <= 1e-6 * window_s:
        return plan
    note = "Each session has one label, so it is judged as a whole."
    if window_s < longest - 1e-9:
        note += f" Windows of {window_s:g} s cover it, and their votes are combined."
    return plan.with_window(round(window_s, 6), round(window_s / 2, 6), note)


def with_ends(plan: Plan, segments: list[Segment]) -> list[Segment]:
    """Return segments, and the end of each as another one where windows leave some of it over."""
    window, stride = plan.config.window_s, plan.config.stride_s
    ends = []
    for s in segments:
        over = (s.duration_s - window) % stride if s.duration_s > window else 0.0
        if over * plan.rate_hz >= 1.0 and (stride - over) * plan.rate_hz >= 1.0:
            ends.append(replace(s, start_s=round(s.end_s - window, 9)))
    return [*segments, *ends]


@dataclass(frozen=True, kw_only=True)
class Units:
    """Which rows make up each judged unit.

    Parameters
    ----------
    place : (n,) the unit of each row
    first : (n_units,) the first row of each unit
    """

    place: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, data: Labelled, *, by_session: bool) -> Units:
        """Return the units of labelled windows: their sessions, in order, or themselves."""
        import numpy as np

        if not by_session:
            return cls(place=np.arange(len(data)), first=np.arange(len(data)))
        _, first, place = np.unique(data.sessions, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return cls(place=rank[place], first=first[order])

    def __len__(self) -> int:
        return len(self.first)

    def rows(self, units: np.ndarray) -> np.ndarray:
        """Return the rows of the given units."""
        import numpy as np

        return np.flatnonzero(np.isin(self.place, units))

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return (n_units, K) means of (n, K) rows: their votes combined."""
        import numpy as np

        total = np.zeros((len(self), values.shape[1]))
        np.add.at(total, self.place, values)
        counted = np.bincount(self.place, minlength=len(self))[:, None]
        return np.asarray(total / counted)
