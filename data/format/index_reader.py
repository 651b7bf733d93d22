"""What a set says without its signals: sessions, statistics, labels; `DataSet` adds the signals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, overload

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.format.calendar import date_text
from tool_use_om.data.format.index_writer import among, each_channel, read_stats, stats_frame
from tool_use_om.data.format.parquet import read_table
from tool_use_om.data.format.pools import POOLED_FILE, pool_groups, pool_sessions, read_pools
from tool_use_om.data.format.promised import Promise
from tool_use_om.data.format.schema import SPLITS, Manifest, identity, read_consistent
from tool_use_om.data.format.stats import MOMENTS, sketch_quantiles

_SESSION_COLUMNS = ["session_id", "subject_id", "start_utc", "duration_s", "split"]
_LABEL_COLUMNS = ["session_id", "start_s", "end_s", "label", "set"]
_BLOCK_COLUMNS = ["session_id", "start_s", "end_s", "split"]
_TRUTH_COLUMNS = ["session_id", "start_s", "end_s", "name", "value", "unit"]
_OPEN_TRIES = 100  # a set can be replaced while it is being opened


class SetIndex:
    """A data set's manifest and index; opened as a `DataSet`.

    A set replaced while it is open is never mixed with its successor: each later read raises
    DataError and asks to open it again.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._identity = identity(path)
        self._promise = Promise(path)
        self._stats_read: dict[tuple[str, ...], pd.DataFrame] = {}

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a data set folder.

        Raises
        ------
        DataError : a missing, incomplete or damaged set; the message names the file
        """
        folder = Path(path)
        for _ in range(_OPEN_TRIES):
            before = identity(folder)
            try:
                dataset = cls(folder, read_consistent(folder))
            except DataError:
                if before == identity(folder):
                    raise
                continue  # replaced meanwhile: read the new one
            if before == dataset._identity:
                return dataset
        raise DataError(f"{folder} is being replaced over and over. Open it again later.")

    @property
    def name(self) -> str:
        """The manifest's name."""
        return self.manifest.name

    @property
    def content_hash(self) -> str:
        """The manifest's content hash (64 hex digits)."""
        return self.manifest.content_hash

    def sessions(self) -> pd.DataFrame:
        """Return one row a session: session_id, subject_id, start_utc, duration_s, split."""
        return self._sessions.copy()

    def channel_stats(
        self, channels: Sequence[str] | None = None, session_ids: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return stored statistics, one row a session and channel; reads no signal.

        Returns
        -------
        DataFrame: session_id, channel, n (samples, missing ones included), nan_frac, min, max,
        mean, std (population), q05, q25, q50, q75, q95; channel units. A channel that a session
        does not have gives no row.
        """
        wanted = self.check_channels("all" if channels is None else channels)
        frame = self._stats_of(wanted)
        if session_ids is not None:
            frame = frame[among(frame["session_id"], self.check_sessions(session_ids))]
        return frame.reset_index(drop=True)

    @overload
    def pooled_stats(
        self, channels: Sequence[str] | None = None, *, by: Literal["all", "split"] = "all"
    ) -> pd.DataFrame: ...

    @overload
    def pooled_stats(
        self, channels: Sequence[str] | None = None, *, by: Literal["label"]
    ) -> pd.DataFrame | None: ...

    def pooled_stats(
        self,
        channels: Sequence[str] | None = None,
        *,
        by: Literal["all", "split", "label"] = "all",
    ) -> pd.DataFrame | None:
        """Return what the whole set holds of each channel, pooled when it was written.

        Takes milliseconds at any size; reads no signal and no session's statistics.

        Returns
        -------
        DataFrame: group, channel, sessions (of the group), present (samples not missing), n,
        nan_frac, min, max, mean, std (population; all exact), q05 … q95 (from a sketch, ranks
        within about a percent; NaN by label). By label each interval counts, as often as labels
        overlap. None by label where a set of an earlier version, or one with more than 1000
        labels, has no such rows.
        """
        wanted = self.check_channels("all" if channels is None else channels)
        if self._pools is not None:
            rows = self._pools[self._pools["by"] == by].drop(columns="by")
        elif by != "label":
            rows = pool_sessions(self._sessions, self.channel_stats(wanted), by)
        if (self._pools is None or rows.empty) and by == "label" and self.manifest.label_sets:
            return None
        order = {c: i for i, c in enumerate(wanted)}
        rows = rows[rows["channel"].isin(order)]
        key = ["group", "channel"]
        rows = rows.sort_values(key, key=lambda v: v.map(order) if v.name == "channel" else v)
        return rows.reset_index(drop=True)

    def pooled_over(
        self,
        channels: Sequence[str],
        session_ids: Sequence[str] | pd.Series,
        groups: Sequence[str] | pd.Series | None = None,
    ) -> pd.DataFrame:
        """Return what some sessions hold of each channel, exactly pooled; reads no signal.

        Parameters
        ----------
        channels : channel ids
        session_ids : the sessions, each once
        groups : the group of each of them; default: all in one, named None

        Returns
        -------
        DataFrame: group, channel, present, n, nan_frac, min, max, mean, std (population)
        """
        rows = pc.index_in(
            pa.array(session_ids, pa.string()), value_set=pa.array(self._sessions["session_id"])
        )
        if rows.null_count:
            self.check_sessions(list(session_ids))
        group = np.full(len(self._sessions), -1)
        named = pa.array([None] * len(rows) if groups is None else groups, pa.string())
        codes = named.dictionary_encode(null_encoding="encode")
        group[rows.to_numpy()] = codes.indices.to_numpy()
        with self._unreplaced():
            held = self._moments_of(self.check_channels(channels))
            return pool_groups(held, channels, group, codes.dictionary.to_pylist())

    def labels(
        self, session_ids: Sequence[str] | None = None, label_set: str | None = None
    ) -> pd.DataFrame:
        """Return labelled intervals: session_id, start_s, end_s, label, set."""
        frame = self._labels
        if label_set is not None:
            if label_set not in self.manifest.label_sets:
                raise unknown("label set", label_set, self.manifest.label_sets)
            frame = frame[frame["set"] == label_set]
        if session_ids is not None:
            frame = frame[among(frame["session_id"], self.check_sessions(session_ids))]
        return frame.reset_index(drop=True)

    def split_parts(self, split: str, *, lead: bool = False) -> pd.DataFrame:
        """Return the parts of sessions that belong to a split: session_id, start_s, end_s.

        Whole sessions, or blocks of them where the set is split by time. This is what every head,
        evaluation and stream learns from and is judged on.

        Parameters
        ----------
        lead : each block with the gap before it, which belongs to no split: it may serve as the
            context of the block's first forecasts, never as what is learnt or judged

        Raises
        ------
        NotFoundError : no such split
        """
        if split not in SPLITS:
            raise unknown("split", split, SPLITS)
        if not self.manifest.by_time:
            rows = self._sessions[self._sessions["split"] == split]
            found = rows[["session_id"]].assign(start_s=0.0, end_s=rows["duration_s"])
            return found.reset_index(drop=True)
        frame = self._split_blocks
        if lead:
            before = frame.groupby("session_id")["end_s"].shift(1).fillna(0.0)
            frame = frame.assign(start_s=before)
        return frame.loc[frame["split"] == split, _BLOCK_COLUMNS[:3]].reset_index(drop=True)

    def split_sessions(self, split: str) -> list[str]:
        """Return the sessions that have a part in a split, each once."""
        ids: list[str] = self.split_parts(split)["session_id"].tolist()
        return list(dict.fromkeys(ids))

    def split_at(
        self, session_ids: Sequence[str], start_s: np.ndarray, end_s: np.ndarray
    ) -> np.ndarray:
        """Return the split (n,) object that each stretch lies in; None across a block's edge."""
        found = np.full(len(session_ids), None, dtype=object)
        names = np.array(session_ids, dtype=object)
        for split in SPLITS:
            parts = self.split_parts(split)
            columns = (parts[c].tolist() for c in _BLOCK_COLUMNS[:3])
            for session, start, end in zip(*columns, strict=True):
                inside = names == session
                if self.manifest.by_time:
                    inside &= (start_s >= start - 1e-6) & (end_s <= end + 1e-6)
                found[inside] = split
        return found

    def stamps(self, session_id: str, time_s: Sequence[float] | np.ndarray) -> np.ndarray | None:
        """Return local dates (n,) datetime64[us] of times in a session; None without a start.

        On a calendar of days or months these are whole steps of it, not seconds.
        """
        row = self._row_of[self.check_sessions([session_id])[0]]
        start = self._sessions["start_utc"].iloc[row]
        if pd.isna(start):
            return None
        return self.manifest.calendar.stamps(start.to_pydatetime(), np.asarray(time_s, float))

    def date_texts(self, session_id: str, time_s: Sequence[float] | np.ndarray) -> list[str] | None:
        """Return times in a session as people write dates; None where no date is known."""
        stamps = self.stamps(session_id, time_s)
        if stamps is None:
            return None
        return [date_text(s, self.manifest.calendar.step) for s in stamps]

    def truth(self) -> pd.DataFrame:
        """Return what a simulator knows: session_id, start_s, end_s, name, value, unit."""
        if not (self.path / "truth.parquet").exists():
            return pd.DataFrame({c: [] for c in _TRUTH_COLUMNS})
        return _frame(self._table("truth.parquet", _TRUTH_COLUMNS))

    def check_channels(self, names: Sequence[str] | str) -> tuple[str, ...]:
        """Return channel ids for ids, modality names or "all", each once, in the order given.

        Raises
        ------
        NotFoundError : an unknown name; lists the nearest valid ones
        """
        groups = self._groups
        chosen: dict[str, None] = {}
        for name in [names] if isinstance(names, str) else names:
            if name not in groups:
                raise unknown("channel", name, groups)
            chosen |= dict.fromkeys(groups[name])
        return tuple(chosen)

    def check_sessions(self, session_ids: Sequence[str] | str) -> tuple[str, ...]:
        """Return the ids unchanged; raise NotFoundError for one that the set does not have."""
        ids = [session_ids] if isinstance(session_ids, str) else session_ids
        for session_id in ids:
            if session_id not in self._row_of:
                raise unknown("session", session_id, self._row_of)
        return tuple(ids)

    def duration_of(self, session_id: str) -> float:
        """Return a session's duration, seconds."""
        return float(self._durations[self._row_of[self.check_sessions([session_id])[0]]])

    @contextmanager
    def _unreplaced(self) -> Iterator[None]:
        """Refuse what was read meanwhile, whether it worked or not, if the set was replaced."""
        try:
            yield
        finally:
            if identity(self.path) != self._identity:
                raise DataError(
                    f"{self.path} was replaced or removed after it was opened. Open it again."
                )

    def verify(self) -> None:
        """Read every file whole; raise DataError naming one that is not as it was written."""
        with self._unreplaced():
            self._promise.verify()

    def _promised(self, name: str) -> Path:
        """Return the path of a file of the set, which is what it was when the set was written."""
        self._promise.check(self.path / name)
        return self.path / name

    def _table(self, name: str, columns: list[str]) -> pa.Table:
        with self._unreplaced():
            return read_table(self._promised(name), columns)

    @cached_property
    def _sessions(self) -> pd.DataFrame:
        return _frame(self._table("sessions.parquet", _SESSION_COLUMNS))

    @cached_property
    def _row_of(self) -> dict[str, int]:
        ids = pa.array(self._sessions["session_id"]).to_pylist()
        return dict(zip(ids, range(len(ids)), strict=True))

    @cached_property
    def _durations(self) -> np.ndarray:
        return self._sessions["duration_s"].to_numpy()

    @cached_property
    def _groups(self) -> dict[str, tuple[str, ...]]:
        groups = {m.name: m.channel_ids for m in self.manifest.modalities}
        groups |= {"all": self.manifest.channel_ids}
        return groups | {c: (c,) for c in self.manifest.channel_ids}

    @cached_property
    def _split_blocks(self) -> pd.DataFrame:
        return _frame(self._table("blocks.parquet", _BLOCK_COLUMNS))

    @cached_property
    def _labels(self) -> pd.DataFrame:
        return _frame(self._table("labels.parquet", _LABEL_COLUMNS))

    def _stats_of(self, channels: tuple[str, ...]) -> pd.DataFrame:
        if channels in self._stats_read:
            return self._stats_read[channels]
        if not (self.path / "stats.parquet").exists():
            frame = self._stats
            if set(channels) < set(self.manifest.channel_ids):
                frame = frame[frame["channel"].isin(channels)]
        else:
            with self._unreplaced():
                found = read_stats(self._promised("stats.parquet"), channels)
            frame = stats_frame(found, pa.array(self._sessions["session_id"]))
        self._stats_read = {channels: frame}
        return frame

    def _moments_of(self, channels: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield of each channel its sessions' rows (m,) and moments (m, 6)."""
        if (self.path / "stats.parquet").exists():
            yield from each_channel(self._promised("stats.parquet"), channels)
            return
        for channel in channels:
            table = self._stats[self._stats["channel"] == channel]
            rows = np.array([self._row_of[s] for s in table["session_id"].tolist()], int)
            yield rows, table[list(MOMENTS)].to_numpy(float)

    @cached_property
    def _pools(self) -> pd.DataFrame | None:
        with self._unreplaced():
            if (self.path / POOLED_FILE).exists():
                self._promised(POOLED_FILE)
            return read_pools(self.path)

    @cached_property
    def _stats(self) -> pd.DataFrame:
        table = self._table("sessions.parquet", ["session_id", "channels"])
        lists = table["channels"].combine_chunks()
        owners = table["session_id"].take(pc.list_parent_indices(lists))
        fields = lists.flatten()
        columns: dict[str, Any] = {"session_id": owners.to_pandas()}
        for name in ("channel", "n", "nan_frac", "min", "max", "mean", "std"):
            columns[name] = pc.struct_field(fields, name).to_pandas()
        flat = pc.struct_field(fields, "sketch").flatten().to_numpy()
        return pd.DataFrame(columns | sketch_quantiles(flat.reshape(len(fields), -1)))


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame
