"""Read a data set: its index without its signals, and signals by session, channel and time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.index import STATISTICS, read_stats
from tool_use_om.data.parquet import Footers, open_parquet, read_range, read_table
from tool_use_om.data.parts import Place, part_path, read_places
from tool_use_om.data.schema import FORMAT_VERSION, Manifest
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
        self._identity = _identity(path)
        self._footers = Footers()
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
            before = _identity(folder)
            try:
                dataset = cls(folder, _read_consistent(folder))
            except DataError:
                if before == _identity(folder):
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
            frame = frame[frame["session_id"].isin(self.check_sessions(session_ids))]
        return frame.reset_index(drop=True)

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
            frame = frame[frame["session_id"].isin(self.check_sessions(session_ids))]
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
        groups = {m.name: m.channel_ids for m in self.manifest.modalities}
        groups |= {"all": self.manifest.channel_ids}
        groups |= {c: (c,) for c in self.manifest.channel_ids}
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
            if session_id not in self._durations:
                raise unknown("session", session_id, self._durations)
        return tuple(ids)

    def duration_of(self, session_id: str) -> float:
        """Return a session's duration, seconds."""
        return self._durations[self.check_sessions([session_id])[0]]

    @contextmanager
    def _unreplaced(self) -> Iterator[None]:
        """Refuse what was read meanwhile, whether it worked or not, if the set was replaced."""
        try:
            yield
        finally:
            if _identity(self.path) != self._identity:
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
    def _durations(self) -> dict[str, float]:
        return dict(zip(self._sessions["session_id"], self._sessions["duration_s"], strict=True))

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
                table = read_stats(self.path / "stats.parquet", channels)
            ids = pa.array(self._sessions["session_id"]).take(table["session"].combine_chunks())
            columns = {n: table[n].to_pandas() for n in ("channel", *STATISTICS)}
            frame = pd.DataFrame({"session_id": ids.to_pandas()} | columns)
            frame["n"] = frame["n"].astype("int64")
        self._stats_read = {channels: frame}
        return frame

    @cached_property
    def _places(self) -> dict[tuple[str, str], Place] | None:
        path = self.path / "places.parquet"
        if not path.exists():
            return None
        with self._unreplaced():
            return read_places(path)

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
        duration = self._durations[session_id]
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
        if self._places is None:
            folder = self.path / "sessions" / check_name("A session id", session_id)
            path, groups = folder / f"{modality}.parquet", None
            if not path.exists() and not self._has(session_id, modality):
                return None
        else:
            place = self._places.get((session_id, modality))
            if place is None:
                return None
            path = part_path(self.path, modality, place[0])
            groups = range(place[1], place[1] + place[2])
        if not path.exists():
            raise DataError(f"{path} is missing. Convert the set again.")
        names = [c.partition(".")[2] for c in channel_ids]
        time_s, values = read_range(
            path, names, start, end, groups=groups, footers=self._footers if groups else None
        )
        return Signal(
            session_id=session_id,
            modality=modality,
            rate_hz=self.manifest.rate_of(channel_ids[0]),
            channels=tuple(channel_ids),
            units=tuple(self.manifest.unit_of(c) for c in channel_ids),
            time_s=time_s,
            values=values,
        )

    def _has(self, session_id: str, modality: str) -> bool:
        rows = self._stats[self._stats["session_id"] == session_id]
        return bool(rows["channel"].str.startswith(f"{modality}.").any())


def _identity(folder: Path) -> tuple[int, int, int] | None:
    """Return what tells a set's folder from the one that replaces it; None if there is none."""
    try:
        facts = (folder / "manifest.json").stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def _read_consistent(folder: Path) -> Manifest:
    manifest = _read_manifest(folder / "manifest.json")
    with open_parquet(folder / "sessions.parquet") as index:
        n_rows = index.metadata.num_rows
    if n_rows != manifest.n_sessions:
        raise DataError(
            f"{folder / 'sessions.parquet'} lists {n_rows} sessions but the manifest says "
            f"{manifest.n_sessions}. Convert the set again."
        )
    return manifest


def _read_manifest(path: Path) -> Manifest:
    if not path.parent.is_dir():
        raise DataError(
            f"There is no data set at {path.parent}. `tuom data list` shows those there are."
        )
    if not path.exists():
        raise DataError(
            f"{path.parent} has no manifest.json: it is not a data set, or its conversion was cut "
            "short. Convert it again."
        )
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        version = facts.get("format_version") if isinstance(facts, dict) else None
        if version != FORMAT_VERSION:
            raise DataError(
                f"{path} is of format {version!r}; this version reads {FORMAT_VERSION}."
            )
        return Manifest.model_validate(facts)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}. Convert the set again.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"]) or "manifest"
        raise DataError(
            f"{path} is damaged at {where}: {first['msg']}. Convert the set again."
        ) from error


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame
