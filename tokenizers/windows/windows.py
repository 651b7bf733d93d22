"""From sessions in seconds to windows in samples: one rate, one grid, a mask for gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.progress import Progress, track
from tool_use_om.tokenizers.tokens import rows_at
from tool_use_om.tokenizers.windows.config import TokenizerConfig
from tool_use_om.tokenizers.windows.resample import phase_s, resample, to_grid


@dataclass(frozen=True, kw_only=True)
class WindowBatch:
    """B windows of C channels and T samples on one grid.

    Parameters
    ----------
    values : ndarray (B, C, T) float32, channel units, 0 where `mask` is False
    mask : ndarray (B, C, T) bool, True = measured; padding, gaps and NaN are False
    rate_hz : float, samples a second
    start_s : ndarray (B,) float64, seconds from session start to the first sample
    session_ids : one a window
    channels, units : channel ids and their units, length C
    """

    values: np.ndarray
    mask: np.ndarray
    rate_hz: float
    start_s: np.ndarray
    session_ids: tuple[str, ...]
    channels: tuple[str, ...]
    units: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.session_ids)

    @property
    def window_s(self) -> float:
        """Seconds a full window covers."""
        return float(self.values.shape[-1] / self.rate_hz)

    @property
    def extent(self) -> np.ndarray:
        """Samples up to the last that any channel has (B,); T for a full window, less if padded."""
        used = np.asarray(self.mask.any(axis=1))
        return np.asarray(used.shape[1] - used[:, ::-1].argmax(axis=1)) * used.any(axis=1)

    @property
    def end_s(self) -> np.ndarray:
        """Seconds from session start to the end of each window's last measured sample (B,)."""
        return np.asarray(self.start_s + self.extent / self.rate_hz)

    def select(self, index: np.ndarray | Sequence[int]) -> Self:
        """The windows at `index` (integers, or a boolean array of length B), in that order."""
        rows = rows_at(index, len(self))
        return replace(
            self,
            values=self.values[rows],
            mask=self.mask[rows],
            start_s=self.start_s[rows],
            session_ids=tuple(self.session_ids[r] for r in rows),
        )


def cut_windows(
    dataset: DataSet,
    session_ids: Sequence[str],
    channels: Sequence[str] | str,
    config: TokenizerConfig,
    *,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    allow_empty: bool = False,
    progress: Progress | None = None,
    clock_hz: float | None = None,
) -> WindowBatch:
    """Cut sessions into windows on a common rate.

    A session (or its range) that is shorter than a window gives one window padded at its end; a
    remainder after the last full window is left out. Windows lie at multiples of the stride from
    the start of the session or range, both rounded to whole samples.

    Parameters
    ----------
    dataset : DataSet
    session_ids : sessions to cut, in order
    channels : channel ids, modality names or "all"
    config : TokenizerConfig
    ranges : session id → (start_s, end_s); sessions not named are taken whole
    allow_empty : return windows even if nothing at all was measured in any of them
    progress : called with {"phase": "windows", "done", "total", "unit"}
    clock_hz : float, the rate whose samples windows start at; None = that of the windows. With one
        clock, windows at several rates start together, to half a sample of the slower

    Returns
    -------
    WindowBatch

    Raises
    ------
    NotFoundError : unknown session or channel
    DataError : a range outside its session, no sessions, a rate of zero, or nothing measured at all
    """
    channels = dataset.check_channels(channels)
    if not session_ids or not channels:
        raise DataError("Nothing to cut: give at least one session and one channel.")
    for stray in sorted(set(ranges or {}) - set(session_ids)):
        raise unknown("session in ranges", stray, session_ids)
    rate = common_rate(dataset, channels, config)
    plan = _Plan(
        dataset=dataset, channels=channels, config=config, rate_hz=rate, clock_hz=clock_hz or rate
    )
    tracked = track(session_ids, progress, phase="windows", unit="sessions", total=len(session_ids))
    cut = [plan.windows(session, (ranges or {}).get(session)) for session in tracked]
    values = np.concatenate([v for v, _ in cut])
    mask = np.isfinite(values)
    if not mask.any() and not allow_empty:
        raise _nothing_measured(channels, len(session_ids))
    return WindowBatch(
        values=np.where(mask, values, 0).astype(np.float32),
        mask=mask,
        rate_hz=rate,
        start_s=np.concatenate([s for _, s in cut]),
        session_ids=tuple(
            name for name, (_, s) in zip(session_ids, cut, strict=True) for _ in range(len(s))
        ),
        channels=channels,
        units=tuple(dataset.manifest.unit_of(c) for c in channels),
    )


def _nothing_measured(channels: Sequence[str], n_sessions: int) -> DataError:
    """The error for windows in which nothing was measured."""
    return DataError(
        f"No measured sample of {', '.join(channels[:3])} in the {n_sessions} sessions. "
        "Choose other channels, sessions or times."
    )


def common_rate(dataset: DataSet, channels: Sequence[str], config: TokenizerConfig) -> float:
    """Return the rate, Hz, that `channels` are brought to: the target, else their highest."""
    rates = {c: dataset.manifest.rate_of(c) for c in channels}
    bad = [c for c, rate in rates.items() if not (np.isfinite(rate) and rate > 0)]
    if bad:
        raise DataError(f"Channel {bad[0]} has a rate of {rates[bad[0]]} Hz; it must be above 0.")
    if config.patch_s is not None and config.target_rate_hz is None:
        raise DataError("`patch_s` sets a rate only for an encoder: call config.for_encoder first.")
    return float(config.target_rate_hz or max(rates.values()))


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is the same for every session of one call."""

    dataset: DataSet
    channels: tuple[str, ...]
    config: TokenizerConfig
    rate_hz: float
    clock_hz: float

    def windows(
        self, session: str, limits: tuple[float, float] | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Windows (n, C, T) of one session, NaN = missing, and their starts (n,) in seconds."""
        start, end = limits or (0.0, float(self.dataset.duration_of(session)))
        grid = self.grid(session, start, end)
        length = max(1, round(self.config.window_s * self.rate_hz))
        first = np.round(self.starts(end - start) * self.rate_hz).astype(np.int64)
        short = max(0, int(first[-1]) + length - grid.shape[1])
        grid = np.pad(grid, ((0, 0), (0, short)), constant_values=np.nan)
        windows = np.lib.stride_tricks.sliding_window_view(grid, length, axis=1)[:, first]
        return windows.transpose(1, 0, 2), start + first / self.rate_hz

    def starts(self, span_s: float) -> np.ndarray:
        """Where the whole windows of a span start (n,), seconds; one, padded, if none is whole."""
        samples = max(1, round(span_s * self.clock_hz))
        length = max(1, round(self.config.window_s * self.clock_hz))
        step = max(1, round(self.config.stride_s * self.clock_hz))
        return np.arange(max(0, samples - length) // step + 1) * step / self.clock_hz

    def grid(self, session: str, start: float, end: float) -> np.ndarray:
        """All channels of [start, end) on one grid (C, n) float32, NaN = missing."""
        n_out = max(1, round((end - start) * self.rate_hz))
        grid = np.full((len(self.channels), n_out), np.nan, np.float32)
        for signal in self.dataset.read(session, self.channels, start, end):
            time_s = signal.time_s - start
            phase = phase_s(time_s, signal.rate_hz)
            last = round((time_s.max(initial=0.0) - phase) * signal.rate_hz)
            n = max(1, last + 1, round((end - start) * signal.rate_hz))
            own = to_grid(time_s, signal.values, signal.rate_hz, n, bridge_s=self.config.bridge_s)
            brought = resample(own, signal.rate_hz, self.rate_hz)
            late = round(phase * self.rate_hz)  # a slow signal's phase may be many fast samples
            kept = brought[max(0, -late) :][: n_out - max(0, late)]
            rows = [self.channels.index(c) for c in signal.channels]
            grid[rows, max(0, late) : max(0, late) + len(kept)] = kept.T
        return grid
