"""What forecasts are made from and of: windows with their future, quantiles over seconds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.heads.contract.base import Head
from tool_use_om.heads.contract.checks import check_tokens

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tokenizers.tokens import Tokens
    from tool_use_om.tokenizers.windows.config import TokenizerConfig
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
LEVELS = tuple(round(0.05 * i, 2) for i in range(1, 20))


@dataclass(frozen=True, kw_only=True)
class ForecastBatch:
    """Windows (the context), their tokens, and what came after them where it is known.

    Parameters
    ----------
    windows : WindowBatch of B windows, C channels, T samples
    tokens : Tokens of the same windows
    future : (B, C, H) float32 in channel units, 0 where unknown; None when nothing is known
    future_mask : (B, C, H) bool
    """

    windows: WindowBatch
    tokens: Tokens
    future: Array | None = None
    future_mask: Array | None = None

    def __len__(self) -> int:
        return len(self.windows.session_ids)

    def select(self, index: Array) -> ForecastBatch:
        """Return the windows at `index`."""
        return ForecastBatch(
            windows=self.windows.select(index),
            tokens=self.tokens.select(index),
            future=None if self.future is None else self.future[index],
            future_mask=None if self.future_mask is None else self.future_mask[index],
        )

    def truth(self, channels: Sequence[str], n_steps: int) -> Array:
        """Return (B, len(channels), n_steps) float64 of what came after; NaN where unknown.

        Raises
        ------
        DataError : no known future, or one shorter than `n_steps`
        """
        if self.future is None or self.future_mask is None:
            raise DataError("These windows have no known future. Use make_forecast_batch.")
        if n_steps > self.future.shape[2]:
            raise DataError(
                f"The known future has {self.future.shape[2]} samples, {n_steps} are needed. "
                "Build the batch with a longer horizon_s."
            )
        picked = _indices(channels, self.windows.channels)
        known = self.future_mask[:, picked, :n_steps]
        return np.where(known, self.future[:, picked, :n_steps], np.nan).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Quantiles of what comes after each window.

    Parameters
    ----------
    channels, units : the forecast channels and their units
    levels : (Q,) quantile levels, ascending
    time_s : (H,) seconds from each window's end; the first sample is one step after it
    quantiles : (B, C, H, Q) in channel units, ascending over Q
    session_ids : the session of each window
    start_s : (B,) the window's end, in seconds from its session's start
    """

    channels: tuple[str, ...]
    units: tuple[str, ...]
    levels: tuple[float, ...]
    time_s: Array
    quantiles: Array
    session_ids: tuple[str, ...]
    start_s: Array

    @property
    def median(self) -> Array:
        """The point forecast (B, C, H)."""
        return self.at(0.5)

    def at(self, level: float) -> Array:
        """Return the (B, C, H) quantile at `level`, interpolated between the levels there are."""
        low, high = self.levels[0], self.levels[-1]
        if not low <= level <= high:
            raise DataError(f"`level` must be in [{low}, {high}], got {level}.")
        right = int(np.searchsorted(self.levels, level))
        if np.isclose(self.levels[right], level):
            exact: Array = self.quantiles[..., right]
            return exact
        span = self.levels[right] - self.levels[right - 1]
        share = (level - self.levels[right - 1]) / span
        lower, upper = self.quantiles[..., right - 1], self.quantiles[..., right]
        between: Array = lower + share * (upper - lower)
        return between


class ForecastHead(Head):
    """A head that says how the asked channels go on after a window."""

    channels_: tuple[str, ...]  # the forecast channels
    window_channels_: tuple[str, ...]
    rate_hz_: float
    n_samples_: int  # samples in a context window
    max_steps_: int  # the longest horizon with something to learn from, in samples

    def fit(self, batch: ForecastBatch, *, channels: Sequence[str]) -> Self:
        """Fit on windows whose future is at least partly known.

        Parameters
        ----------
        batch : ForecastBatch with `future`
        channels : the channels to forecast; decoders are made for these only

        Raises
        ------
        NotFoundError : a channel the windows do not have
        DataError : no window with a known future
        """
        check_batch(batch)
        picked = _indices(channels, batch.windows.channels)
        if not picked:
            raise DataError("Name at least one channel to forecast.")
        if batch.future is None or batch.future_mask is None:
            raise DataError("fit() needs windows with a known future. Use make_forecast_batch.")
        known = batch.future_mask[:, picked]
        rows = np.flatnonzero(known.any(axis=(1, 2)) & _seen(batch.windows, picked))
        if not len(rows):
            raise DataError(
                "No window has a known future of channels it has samples of. Use a shorter "
                "window_s, or longer sessions."
            )
        self.channels_ = tuple(batch.windows.channels[i] for i in picked)
        self.window_channels_ = tuple(batch.windows.channels)
        self.rate_hz_ = float(batch.windows.rate_hz)
        self.n_samples_ = int(batch.windows.values.shape[2])
        self.max_steps_ = int(np.flatnonzero(known.any(axis=(0, 1))).max()) + 1
        self._fit(batch.select(rows))
        self._seal()
        return self

    @property
    def max_horizon_s(self) -> float:
        """The longest horizon this fitted head can be asked for, in seconds."""
        self._require_fitted()
        return self.max_steps_ / self.rate_hz_

    def predict(self, batch: ForecastBatch, horizon_s: float) -> Forecast:
        """Forecast the fitted channels for `horizon_s` seconds after each window.

        Raises
        ------
        NotFittedError : before fit()
        DataError : other channels, rate or window length than fitted on; a horizon too long
        """
        self._require_fitted()
        check_batch(batch)
        self._check_same_form(batch.windows)
        self._check_seen(batch.windows)
        n_steps = self._steps(horizon_s)
        quantiles = np.sort(self._predict(batch, n_steps), axis=-1)
        windows = batch.windows
        by_name = dict(zip(windows.channels, windows.units, strict=True))
        return Forecast(
            channels=self.channels_,
            units=tuple(by_name[c] for c in self.channels_),
            levels=LEVELS,
            time_s=(1 + np.arange(n_steps)) / self.rate_hz_,
            quantiles=quantiles,
            session_ids=tuple(windows.session_ids),
            start_s=np.asarray(windows.end_s, dtype=np.float64),
        )

    @abstractmethod
    def _fit(self, batch: ForecastBatch) -> None:
        """Fit on a checked batch whose every window has some known future."""

    @abstractmethod
    def _predict(self, batch: ForecastBatch, n_steps: int) -> Array:
        """Return (B, C, n_steps, len(LEVELS)) quantiles for `channels_`."""

    def _steps(self, horizon_s: float) -> int:
        longest = self.max_horizon_s
        if not 0.0 < horizon_s <= longest + 1e-9:
            raise DataError(
                f"`horizon_s` must be in (0, {longest:g}], got {horizon_s:g}: no fitted window has "
                "a longer known future. Shorten it, or fit with a shorter window_s or longer "
                "sessions."
            )
        return max(1, round(horizon_s * self.rate_hz_))

    def _check_seen(self, windows: WindowBatch) -> None:
        blind = ~_seen(windows, self._columns())
        if blind.any():
            raise DataError(
                f"{int(blind.sum())} window(s) hold no sample of {', '.join(self.channels_)} to "
                f"go on from (first in session {windows.session_ids[int(blind.argmax())]!r}). "
                "Leave them out, or choose a longer window_s."
            )

    def _check_same_form(self, windows: WindowBatch) -> None:
        got = (tuple(windows.channels), float(windows.rate_hz), int(windows.values.shape[2]))
        want = (self.window_channels_, self.rate_hz_, self.n_samples_)
        if got != want:
            raise DataError(
                f"Fitted on windows of {want[2]} samples at {want[1]:g} Hz of "
                f"{', '.join(want[0])}; got {got[2]} at {got[1]:g} Hz of {', '.join(got[0])}. "
                "Cut the same windows, or fit again."
            )

    def _columns(self) -> list[int]:
        return [self.window_channels_.index(c) for c in self.channels_]


def make_forecast_batch(
    windows: WindowBatch,
    tokens: Tokens,
    *,
    horizon_s: float,
    sessions: WindowBatch | None = None,
) -> ForecastBatch:
    """Find what came after each window in `sessions`, or else in the other windows.

    All windows of a session lie on one sample grid; what follows a window is read from it. Windows
    near the session's end have a shorter known future, or none: `future_mask` says so.

    Parameters
    ----------
    windows, tokens : the same B windows
    horizon_s : how far the future is wanted, seconds
    sessions : the sessions as a whole (see `whole_sessions`), same channels and rate; without them
        the samples after the last whole stride of a session are not known

    Raises
    ------
    DataError : other windows than tokens, other channels, a horizon shorter than one sample
    """
    n_steps = round(horizon_s * windows.rate_hz)
    if n_steps < 1:
        raise DataError(
            f"`horizon_s` must be at least one sample ({1 / windows.rate_hz:g} s), got {horizon_s}."
        )
    batch = ForecastBatch(windows=windows, tokens=tokens)
    check_batch(batch)
    source = windows if sessions is None else sessions
    if (source.channels, source.rate_hz) != (windows.channels, windows.rate_hz):
        raise DataError("`sessions` must hold the same channels at the same rate as `windows`.")
    n_samples = windows.values.shape[2]
    future = np.zeros((*windows.values.shape[:2], n_steps), dtype=np.float32)
    future_mask = np.zeros(future.shape, dtype=bool)
    first = _first_samples(windows)
    for name in dict.fromkeys(windows.session_ids):
        grid, known = _session_grid(source, name)
        for row in np.flatnonzero(np.array(windows.session_ids, dtype=object) == name):
            at = int(first[row]) + n_samples
            there = grid[:, at : at + n_steps]
            future[row, :, : there.shape[1]] = there
            future_mask[row, :, : there.shape[1]] = known[:, at : at + n_steps]
    return replace(batch, future=future, future_mask=future_mask)


def whole_sessions(
    dataset: DataSet, session_ids: Sequence[str], channels: Sequence[str], config: TokenizerConfig
) -> WindowBatch:
    """Return each session as one padded window at the rate of `config`, to read futures from."""
    from tool_use_om.tokenizers.windows.windows import cut_windows

    longest = max(float(dataset.duration_of(s)) for s in session_ids)
    whole = config.model_copy(update={"window_s": longest, "stride_s": longest})
    return cut_windows(dataset, session_ids, channels, whole)


def _first_samples(windows: WindowBatch) -> Array:
    first: Array = np.rint(windows.start_s * windows.rate_hz).astype(np.int64)
    return first


def _session_grid(source: WindowBatch, name: str) -> tuple[Array, Array]:
    """Return what `source` holds of one session, (C, n) from second 0, and where it is known."""
    rows = np.flatnonzero(np.array(source.session_ids, dtype=object) == name)
    first = _first_samples(source)[rows]
    _, n_channels, n_samples = source.values.shape
    length = int(first.max(initial=-n_samples)) + n_samples
    grid = np.zeros((n_channels, length), dtype=np.float32)
    known = np.zeros(grid.shape, dtype=bool)
    for row, at in zip(rows, first, strict=True):
        valid = source.mask[row]
        grid[:, at : at + n_samples][valid] = source.values[row][valid]
        known[:, at : at + n_samples] |= valid
    return grid, known


def check_batch(batch: ForecastBatch) -> None:
    """Raise DataError where windows and tokens do not belong together."""
    check_tokens(batch.tokens)
    windows, tokens = batch.windows, batch.tokens
    same = (
        tuple(windows.session_ids) == tuple(tokens.session_ids)
        and tuple(windows.channels) == tuple(tokens.channels)
        and np.allclose(windows.start_s, tokens.window_start_s)
    )
    if not same:
        raise DataError("windows and tokens are not of the same windows. Encode these windows.")
    if not np.isfinite(windows.values[windows.mask]).all():
        raise DataError("windows.values holds NaN or Inf where the mask says valid.")


def normalisation(windows: WindowBatch, columns: Sequence[int]) -> tuple[Array, Array]:
    """Return the mean and scale (B, C) of each window over its valid samples.

    A constant window gets a scale of 1 (its forecast is then in channel units around its value).
    """
    mask = windows.mask[:, columns]
    values = np.where(mask, windows.values[:, columns], 0.0).astype(np.float64)
    count = np.maximum(mask.sum(axis=2), 1)
    mean = values.sum(axis=2) / count
    square = np.where(mask, (values - mean[..., None]) ** 2, 0.0).sum(axis=2) / count
    scale = np.sqrt(square)
    return mean, np.where(scale > 1e-6 * (1.0 + np.abs(mean)), scale, 1.0)


def normalised_context(windows: WindowBatch, columns: Sequence[int]) -> Array:
    """Return (B, C, T) windows in their own mean and scale; 0 where nothing is valid."""
    mean, scale = normalisation(windows, columns)
    mask = windows.mask[:, columns]
    scaled = (windows.values[:, columns] - mean[..., None]) / scale[..., None]
    return np.where(mask, scaled, 0.0)


def _seen(windows: WindowBatch, columns: Sequence[int]) -> Array:
    """Return (B,) whether each of the channels has a sample in the window."""
    sampled = np.asarray(windows.mask[:, columns].any(axis=2))
    return np.asarray(sampled.all(axis=1))


def _indices(channels: Sequence[str], valid: Sequence[str]) -> list[int]:
    for name in channels:
        if name not in valid:
            raise unknown("channel", name, valid)
    return [list(valid).index(name) for name in dict.fromkeys(channels)]
