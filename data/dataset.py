"""Read a data set: its index without its signals, and signals by session, channel and time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.index import among, read_stats, stats_frame
from tool_use_om.data.manifest_file import identity, read_consistent
from tool_use_om.data.parquet import open_parquet, read_range, read_table
from tool_use_om.data.part_reader import PartReader
from tool_use_om.data.pools import pool_sessions, read_pools
from tool_use_om.data.schema import Manifest
from tool_use_om.data.stats import sketch_quantiles
from tool_use_om.data.workspace import check_name

_SESSION_COLUMNS = ["session_id", "subject_id", "start_utc", "duration_s", "split"]
_LABEL_COLUMNS = ["session_id", "start_s", "end_s", "label", "set"]
_TRUTH_COLUMNS = ["session_id", "start_s", "end_s", "name", "value", "unit"]
_OPEN_TRIES = 100  # a set can be replaced while it is being opened
_EDGE_S = 1e-6  # rounding slack for a range that ends where the session ends


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Samples of one modality of one session.

    `time_s` (n,) float64 seconds from session start; `values` (n, C) float32 in `units`, NaN =
    missing; `channels` are channel ids. `n` may be 0.
    """

    session_id: str
    modality: str
    rate_hz: float
    channels: tuple[str, ...]
    units: tuple[str, ...]
    time_s: np.ndarray
    values: np.ndarray


class DataSet:
    """A data set on disk; use `DataSet.open`. Signals are read on demand and never kept.

    A set replaced while it is open is never mixed with its successor: each later read raises
    DataError and asks to open it again.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._identity = identity(path)
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

    def __repr__(self) -> str:
        return f"DataSet({self.name!r}, {self.manifest.n_sessions} sessions)"

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

    def truth(self) -> pd.DataFrame:
        """Return what a simulator knows: session_id, start_s, end_s, name, value, unit."""
        if not (self.path / "truth.parquet").exists():
            return pd.DataFrame({c: [] for c in _TRUTH_COLUMNS})
        return _frame(self._table("truth.parquet", _TRUTH_COLUMNS))

    def read(
        self,
        session_id: str,
        channels: Sequence[str] | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> list[Signal]:
        """Read samples with start_s <= time < end_s, only the asked columns and row groups.

        Parameters
        ----------
        session_id : str
        channels : channel ids, modality names or "all" (default)
        start_s, end_s : float, seconds from session start; default: the whole session

        Returns
        -------
        list of Signal, one for each modality touched, in the order asked for. A modality this
        session does not have is left out.

        Raises
        ------
        NotFoundError : an unknown session or channel
        DataError : a range outside the session, or a damaged file
        """
        (session_id,) = self.check_sessions([session_id])
        wanted = self.check_channels("all" if channels is None else channels)
        start, end = self._check_range(session_id, start_s, end_s)
        by_modality: dict[str, list[str]] = {}
        for channel in wanted:
            by_modality.setdefault(channel.partition(".")[0], []).append(channel)
        with self._unreplaced():
            signals = [
                self._read_modality(session_id, modality, ids, start, end)
                for modality, ids in by_modality.items()
            ]
        return [s for s in signals if s is not None]

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

    def _table(self, name: str, columns: list[str]) -> pa.Table:
        with self._unreplaced():
            return read_table(self.path / name, columns)

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
    def _rates(self) -> dict[str, float]:
        return {m.name: m.rate_hz for m in self.manifest.modalities}

    @cached_property
    def _units(self) -> dict[str, str]:
        channels = [(m.channel_ids, m.channels) for m in self.manifest.modalities]
        return {i: c.unit for ids, held in channels for i, c in zip(ids, held, strict=True)}

    @cached_property
    def _groups(self) -> dict[str, tuple[str, ...]]:
        groups = {m.name: m.channel_ids for m in self.manifest.modalities}
        groups |= {"all": self.manifest.channel_ids}
        return groups | {c: (c,) for c in self.manifest.channel_ids}

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
                found = read_stats(self.path / "stats.parquet", channels)
            frame = stats_frame(found, pa.array(self._sessions["session_id"]))
        self._stats_read = {channels: frame}
        return frame

    @cached_property
    def _parts(self) -> PartReader | None:
        if not (self.path / "places.parquet").exists():
            return None
        with self._unreplaced():
            return PartReader(self.path, pa.array(self._sessions["session_id"]))

    @cached_property
    def _pools(self) -> pd.DataFrame | None:
        with self._unreplaced():
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

    def _check_range(
        self, session_id: str, start_s: float | None, end_s: float | None
    ) -> tuple[float, float]:
        duration = float(self._durations[self._row_of[session_id]])
        start = 0.0 if start_s is None else float(start_s)
        end = duration if end_s is None else float(end_s)
        if not (0 <= start < end <= duration + _EDGE_S):
            raise DataError(
                f"Session {session_id!r} lasts {duration:g} s: a time range must satisfy "
                f"0 <= start_s < end_s <= {duration:g}, got {start:g} to {end:g}. "
                "Choose a range inside it."
            )
        return start, end

    def _read_modality(
        self, session_id: str, modality: str, channel_ids: list[str], start: float, end: float
    ) -> Signal | None:
        names = [c.partition(".")[2] for c in channel_ids]
        if self._parts is None:
            found = self._read_file(session_id, modality, names, start, end)
        else:
            found = self._parts.read(self._row_of[session_id], modality, names, start, end)
        if found is None:
            return None
        time_s, values = found
        return Signal(
            session_id=session_id,
            modality=modality,
            rate_hz=self._rates[modality],
            channels=tuple(channel_ids),
            units=tuple([self._units[c] for c in channel_ids]),
            time_s=time_s,
            values=values,
        )

    def _read_file(
        self, session_id: str, modality: str, names: list[str], start: float, end: float
    ) -> tuple[np.ndarray, np.ndarray] | None:
        folder = self.path / "sessions" / check_name("A session id", session_id)
        path = folder / f"{modality}.parquet"
        if not path.exists():
            if not self._has(session_id, modality):
                return None
            raise DataError(f"{path} is missing. Convert the set again.")
        with open_parquet(path, ["time_s", *names]) as file:
            return read_range(file, names, start, end, range(file.num_row_groups))

    def _has(self, session_id: str, modality: str) -> bool:
        rows = self._stats[self._stats["session_id"] == session_id]
        return bool(rows["channel"].str.startswith(f"{modality}.").any())


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame
