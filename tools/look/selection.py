"""What the working set selects: sessions, and the labelled or timed parts of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call.arguments import SessionFilters
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.names import resolve_channels, resolve_names, resolve_sessions
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.look.clock import CalendarFilter, dated, pieces
from tool_use_om.tools.look.found import ChannelRow

if TYPE_CHECKING:
    import pandas as pd

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.contract.results import Neighbour

SHOWN = 10  # list items the model sees; the rest is in "detail"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One stretch of one session, in seconds from its start; `label` if a label chose it."""

    session_id: str
    start_s: float
    end_s: float
    label: str | None = None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The selected sessions (rows of `DataSet.sessions()`) and stretches of them, in that order.

    `stretches` has session_id, start_s, end_s and, where labels chose them, label. `labels` are
    those labels if nothing else narrows the set. `uncut` says that all sessions are whole.
    """

    dataset: DataSet
    sessions: pd.DataFrame
    stretches: pd.DataFrame
    labels: tuple[str, ...] = ()
    uncut: bool = False

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The stretches as segments; made when first asked for, as large sets have many."""
        columns = [self.stretches[c].tolist() for c in ("session_id", "start_s", "end_s")]
        labels = self.stretches["label"].tolist() if "label" in self.stretches else None
        columns.append(labels or [None] * len(self.stretches))
        return tuple(
            Segment(session_id=str(s), start_s=start, end_s=end, label=label)
            for s, start, end, label in zip(*columns, strict=True)
        )

    @property
    def session_ids(self) -> list[str]:
        """The ids of the selected sessions."""
        ids: list[str] = self.sessions["session_id"].tolist()
        return ids

    @property
    def total_s(self) -> float:
        """Seconds in all segments."""
        return float((self.stretches["end_s"] - self.stretches["start_s"]).sum())

    @property
    def every_session(self) -> bool:
        """Whether no session is left out."""
        return len(self.sessions) == self.dataset.manifest.n_sessions

    @property
    def whole_split(self) -> str | None:
        """The split whose sessions these are, all of them and no other; None otherwise."""
        splits = self.sessions["split"].unique()
        counts = self.dataset.manifest.splits  # none for sessions that are cut into blocks
        whole = len(splits) == 1 and len(self.sessions) == counts.get(splits[0])
        return str(splits[0]) if whole else None


def open_current(ctx: ToolContext, working_set: WorkingSet) -> DataSet:
    """Open the working set's data set, else the context's.

    Raises
    ------
    DataError : none is chosen
    NotFoundError : no such data set
    """
    from tool_use_om.data.catalog import available, open_dataset

    name = working_set.dataset or ctx.dataset
    if name is None:
        listed = ", ".join(available(ctx.workspace))
        raise DataError(
            f"No data set is selected. Call show_session_stats with dataset=…; there are: {listed}."
        )
    return open_dataset(name, ctx.workspace)


def channels_of(dataset: DataSet, names: list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the channel ids meant; nothing given means all of the data set."""
    ids = dataset.manifest.channel_ids
    return resolve_channels(names, ids) if names else ids


def channel_rows(dataset: DataSet, channels: tuple[str, ...]) -> list[ChannelRow]:
    """Return id, unit, rate and sampling period of each channel."""
    manifest = dataset.manifest
    return [
        ChannelRow(
            id=c,
            unit=manifest.unit_of(c),
            rate_hz=manifest.rate_of(c),
            period_s=1.0 / manifest.rate_of(c),
        )
        for c in channels
    ]


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as one dict a row."""
    columns = [table[name].tolist() for name in table]
    names = [str(name) for name in table]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def label_names(dataset: DataSet) -> list[str]:
    """Return every label of every label set, once each."""
    sets = dataset.manifest.label_sets.values()
    return list(dict.fromkeys(label for labels in sets for label in labels))


def with_filters(dataset: DataSet, working_set: WorkingSet, args: SessionFilters) -> WorkingSet:
    """Return the working set with the filters `args` names set, in the data set's own spelling."""
    table = dataset.sessions()
    fields: dict[str, object] = {}
    if args.sessions:
        fields["sessions"] = resolve_sessions(args.sessions, table["session_id"].tolist())
    if args.labels:
        fields["labels"] = resolve_names("label", args.labels, label_names(dataset))
    if args.subjects:
        fields["subjects"] = resolve_names("subject", args.subjects, set(table["subject_id"]))
    for key in ("split", "min_duration_s", "max_duration_s"):
        if (value := getattr(args, key)) is not None:
            fields[key] = value
    return working_set.but(dataset=dataset.name, **fields)


def select(dataset: DataSet, working_set: WorkingSet, *, may_be_empty: bool = False) -> Selection:
    """Return what the working set's filters leave.

    Raises
    ------
    DataError : nothing is left (unless that may be); the message says which filters are set
    """
    from tool_use_om.data.format.index_writer import among

    table = _sessions(dataset, working_set)
    found = _stretches(dataset, working_set, table)
    found = found[found["end_s"] > found["start_s"]].reset_index(drop=True)
    if found.empty and not may_be_empty:
        raise _nothing_left(dataset, working_set)
    calendar = CalendarFilter.of(working_set) is not None
    ranged = (
        bool(working_set.start_s)
        or working_set.end_s is not None
        or working_set.tail_s is not None
        or calendar
    )
    kept = table
    if working_set.labels or calendar or len(found) < len(table):
        kept = table[among(table["session_id"], found["session_id"])].reset_index(drop=True)
    alone = not ranged and len(table) == dataset.manifest.n_sessions
    return Selection(
        dataset=dataset,
        sessions=kept,
        stretches=found,
        labels=working_set.labels if alone else (),
        uncut=not working_set.labels
        and not calendar
        and bool((found["start_s"] == 0).all())
        and bool((found["end_s"] >= kept["duration_s"]).all()),
    )


def _sessions(dataset: DataSet, ws: WorkingSet) -> pd.DataFrame:
    table = dataset.sessions()
    keep = table["duration_s"].notna()
    if ws.sessions is not None:
        keep &= table["session_id"].isin(ws.sessions)
    if ws.subjects:
        keep &= table["subject_id"].isin(ws.subjects)
    if ws.split is not None:
        keep &= table["session_id"].isin(dataset.split_sessions(ws.split))
    if ws.min_duration_s is not None:
        keep &= table["duration_s"] >= ws.min_duration_s
    if ws.max_duration_s is not None:
        keep &= table["duration_s"] <= ws.max_duration_s
    return table if keep.all() else table[keep].reset_index(drop=True)


def _stretches(dataset: DataSet, ws: WorkingSet, table: pd.DataFrame) -> pd.DataFrame:
    import numpy as np

    from tool_use_om.data.format.index_writer import among

    low, high = ws.start_s or 0.0, math.inf if ws.end_s is None else ws.end_s
    if not ws.labels:
        begin = (table["duration_s"] - (ws.tail_s or math.inf)).clip(lower=low)
        found = table[["session_id"]].assign(start_s=begin)
        found = _in_split(dataset, ws, found.assign(end_s=table["duration_s"].clip(upper=high)))
        return _on_calendar(dataset, ws, table, found)
    rows = dataset.labels()
    rows = rows[rows["label"].isin(ws.labels)]
    if len(table) < dataset.manifest.n_sessions:
        rows = rows[among(rows["session_id"], table["session_id"])]
    rows = rows.sort_values(["session_id", "start_s"], ignore_index=True)
    length = table.set_index("session_id")["duration_s"].reindex(rows["session_id"]).to_numpy()
    earliest = np.maximum(length - (ws.tail_s or math.inf), low)
    start, end = rows["start_s"].clip(lower=earliest), rows["end_s"].clip(upper=high)
    found = rows[["session_id"]].assign(start_s=start, end_s=end.clip(upper=length))
    found = _in_split(dataset, ws, found.assign(label=rows["label"]))
    return _on_calendar(dataset, ws, table, found)


def _on_calendar(
    dataset: DataSet, ws: WorkingSet, table: pd.DataFrame, found: pd.DataFrame
) -> pd.DataFrame:
    """Cut stretches to the hours, weekdays, months and dates of the working set."""
    import pandas as pd

    wanted = CalendarFilter.of(ws)
    if wanted is None:
        return found
    start, calendar = dated(dataset, table), dataset.manifest.calendar
    cut = [
        {**row, "start_s": low, "end_s": high}
        for row in records(found)
        if row["session_id"] in start and row["end_s"] > row["start_s"]
        for low, high in pieces(
            start[row["session_id"]], row["start_s"], row["end_s"], wanted, calendar
        )
    ]
    return pd.DataFrame(cut, columns=list(found.columns))


def _in_split(dataset: DataSet, ws: WorkingSet, found: pd.DataFrame) -> pd.DataFrame:
    """Cut stretches to the blocks of the asked split where sessions are split by time."""
    if ws.split is None or not dataset.manifest.by_time:
        return found
    blocks = dataset.split_parts(ws.split).rename(columns={"start_s": "from_s", "end_s": "to_s"})
    both = found.merge(blocks, on="session_id")
    both["start_s"] = both[["start_s", "from_s"]].max(axis=1)
    both["end_s"] = both[["end_s", "to_s"]].min(axis=1)
    return both[both["end_s"] > both["start_s"]][list(found.columns)].reset_index(drop=True)


def _nothing_left(dataset: DataSet, ws: WorkingSet) -> DataError:
    table = dataset.sessions()
    names = ("sessions", "labels", "subjects", "split", "min_duration_s", "max_duration_s")
    times = ("start_s", "end_s", "tail_s", "hours", "weekdays", "months", "first_date", "last_date")
    state = ws.model_dump(mode="json", include={*names, *times})
    wanted = ", ".join(f"{key}={value}" for key, value in state.items() if value)
    longest = float(table["duration_s"].max())
    if ws.start_s is not None and ws.start_s >= longest:
        return DataError(
            f"`start_s` must be inside the sessions, which end by {longest:g} s, "
            f"got {ws.start_s:g}. Choose 0 <= start_s < {longest:g}, or reset=true to drop it."
        )
    return DataError(
        f"Nothing is left of {len(table)} sessions with {wanted}. Sessions last "
        f"{float(table['duration_s'].min()):g} to {longest:g} s; labels: "
        f"{', '.join(label_names(dataset)[:12]) or 'none'}. Widen or reset the filters."
    )


def main_label_set(dataset: DataSet, label: str | None = None) -> str:
    """Return the first label set that holds `label` (or the first one).

    Raises
    ------
    DataError : the data set has no labels
    """
    sets = dataset.manifest.label_sets
    for name, labels in sets.items():
        if label is None or label in labels:
            return name
    raise DataError(f"{dataset.name} has no labels{f' {label!r}' if label else ''}.")


def labels_available(dataset: DataSet) -> dict[str, int]:
    """Return how many training sessions hold each label of the first label set."""
    if not dataset.manifest.label_sets:
        return {}
    name = main_label_set(dataset)
    parts = dataset.split_parts("train").rename(columns={"start_s": "from_s", "end_s": "to_s"})
    rows = dataset.labels(label_set=name).merge(parts, on="session_id")
    rows = rows[(rows["start_s"] < rows["to_s"]) & (rows["end_s"] > rows["from_s"])]
    counts = rows.groupby("label")["session_id"].nunique()
    return {label: int(counts.get(label, 0)) for label in dataset.manifest.label_sets[name]}


def label_at(dataset: DataSet, stretch: Neighbour | Segment) -> str | None:
    """Return the label that covers at least half of a stretch, if there is one."""
    import numpy as np

    from tool_use_om.data.format.labels import window_labels

    if not dataset.manifest.label_sets:
        return None
    found: Sequence[str | None] = window_labels(
        dataset.labels([stretch.session_id]),
        [stretch.session_id],
        np.array([stretch.start_s]),
        np.array([stretch.end_s]),
        main_label_set(dataset),
    ).tolist()
    return found[0]
