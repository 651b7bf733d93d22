"""Read a data set: its index without its signals, and signals by session, channel and time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.index_reader import SetIndex
from tool_use_om.data.format.parquet import open_parquet, read_range
from tool_use_om.data.format.part_reader import PartReader
from tool_use_om.data.workspace import check_name

_EDGE_S = 1e-6  # rounding slack for a range that ends where the session ends


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Samples of one modality of one session.

    `time_s` (n,) float64 seconds from session start; `values` (n, C) float32 (float64 where
    that would lose decimals) in `units`, NaN = missing; `channels` are channel ids. `n` may be 0.
    """

    session_id: str
    modality: str
    rate_hz: float
    channels: tuple[str, ...]
    units: tuple[str, ...]
    time_s: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, kw_only=True)
class SignalBlock:
    """Samples of one modality of k whole sessions, one after the other, as they lie on disk.

    Session i has the rows `bounds[i]` to `bounds[i + 1]` of `time_s` (n,), seconds from its own
    start, and of `values` (n, C) float32 in `units`, NaN = missing; `bounds` is (k + 1,).
    """

    modality: str
    rate_hz: float
    channels: tuple[str, ...]
    units: tuple[str, ...]
    session_ids: tuple[str, ...]
    bounds: np.ndarray
    time_s: np.ndarray
    values: np.ndarray


class DataSet(SetIndex):
    """A data set on disk; use `DataSet.open`. Signals are read on demand and never kept.

    A set replaced while it is open is never mixed with its successor: each later read raises
    DataError and asks to open it again.
    """

    def __repr__(self) -> str:
        return f"DataSet({self.name!r}, {self.manifest.n_sessions} sessions)"

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
        with self._unreplaced():
            signals = [
                self._read_modality(session_id, modality, ids, start, end)
                for modality, ids in _by_modality(wanted).items()
            ]
        return [s for s in signals if s is not None]

    def stream(self, channels: Sequence[str] | None = None) -> Iterator[SignalBlock]:
        """Yield every session's samples, modality after modality, many short sessions at once.

        For work over a whole set: as fast as Parquet gives its row groups, in the memory of one
        block (some 65 000 rows, or one long session). Sessions come as they lie on disk.

        Parameters
        ----------
        channels : channel ids, modality names or "all" (default)

        Raises
        ------
        NotFoundError : an unknown channel
        DataError : a damaged file, or a set replaced meanwhile
        """
        wanted = self.check_channels("all" if channels is None else channels)
        for modality, ids in _by_modality(wanted).items():
            blocks = self._blocks(modality, ids)
            while True:
                with self._unreplaced():
                    block = next(blocks, None)
                if block is None:
                    break
                yield block

    def _blocks(self, modality: str, channel_ids: list[str]) -> Iterator[SignalBlock]:
        shared: dict[str, Any] = {"modality": modality, "channels": tuple(channel_ids)}
        shared |= {"rate_hz": self._rates[modality]}
        shared |= {"units": tuple([self._units[c] for c in channel_ids])}
        ids = self._sessions["session_id"].tolist()
        if self._parts is not None:
            names = [c.partition(".")[2] for c in channel_ids]
            for rows, bounds, time_s, values in self._parts.blocks(modality, names):
                named = tuple([ids[r] for r in rows.tolist()])
                yield SignalBlock(
                    **shared, session_ids=named, bounds=bounds, time_s=time_s, values=values
                )
            return
        for session, end in zip(ids, self._durations.tolist(), strict=True):
            found = self._read_modality(session, modality, channel_ids, 0.0, end)
            if found is not None:
                bounds = np.array([0, found.time_s.size])
                yield SignalBlock(
                    **shared, session_ids=(session,), bounds=bounds,
                    time_s=found.time_s, values=found.values,
                )  # fmt: skip

    @cached_property
    def _parts(self) -> PartReader | None:
        if not (self.path / "places.parquet").exists():
            return None
        with self._unreplaced():
            self._promised("places.parquet")
            return PartReader(
                self.path, pa.array(self._sessions["session_id"]), self._promise.check
            )

    @cached_property
    def _rates(self) -> dict[str, float]:
        return {m.name: m.rate_hz for m in self.manifest.modalities}

    @cached_property
    def _units(self) -> dict[str, str]:
        channels = [(m.channel_ids, m.channels) for m in self.manifest.modalities]
        return {i: c.unit for ids, held in channels for i, c in zip(ids, held, strict=True)}

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
        self._promise.check(path)
        with open_parquet(path, ["time_s", *names]) as file:
            return read_range(file, names, start, end, range(file.num_row_groups))

    def _has(self, session_id: str, modality: str) -> bool:
        rows = self._stats[self._stats["session_id"] == session_id]
        return bool(rows["channel"].str.startswith(f"{modality}.").any())


def _by_modality(channel_ids: Sequence[str]) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {}
    for channel in channel_ids:
        held.setdefault(channel.partition(".")[0], []).append(channel)
    return held
