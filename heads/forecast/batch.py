"""What a forecasting head is given and gives: contexts, horizons, quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.errors import DataError, unknown
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


def normalisation(
    windows: WindowBatch, columns: Sequence[int], usual: Array | None = None, floor: float = 0.0
) -> tuple[Array, Array]:
    """Return the mean and scale (B, C) of each window over its valid samples.

    A constant window gets a scale of 1 (its forecast is then in channel units around its value),
    or, where the channels' usual deviations are given, a share of these.

    Parameters
    ----------
    usual : (C,) or (B, C) usual deviations of the channels, see `heads/forecast/usual.py`
    floor : share of it that is added, squared, to each window's own: no window is scaled by less
    """
    mask = windows.mask[:, columns]
    values = np.where(mask, windows.values[:, columns], 0.0).astype(np.float64)
    count = np.maximum(mask.sum(axis=2), 1)
    mean = values.sum(axis=2) / count
    square = np.where(mask, (values - mean[..., None]) ** 2, 0.0).sum(axis=2) / count
    if usual is not None:
        return mean, np.sqrt(square + (floor * usual) ** 2)
    scale = np.sqrt(square)
    return mean, np.where(scale > 1e-6 * (1.0 + np.abs(mean)), scale, 1.0)


def normalised_context(
    windows: WindowBatch,
    columns: Sequence[int],
    usual: Array | None = None,
    floor: float = 0.0,
) -> Array:
    """Return (B, C, T) windows in their mean and scale; 0 where nothing is valid."""
    mean, scale = normalisation(windows, columns, usual, floor)
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


def error_quantiles(errors: Array) -> Array:
    """Return (H, len(LEVELS)) quantiles of (B, C, H) errors; NaN = unknown.

    A step with fewer than 20 known errors borrows those of the steps before it; quantiles never
    narrow again, for what is further ahead is not better known.
    """
    n_steps = errors.shape[2]
    table = np.zeros((n_steps, len(LEVELS)))
    for step in range(n_steps):
        first = step
        pooled = errors[:, :, first : step + 1]
        while np.isfinite(pooled).sum() < 20 and first > 0:
            first -= 1
            pooled = errors[:, :, first : step + 1]
        known = pooled[np.isfinite(pooled)]
        table[step] = np.quantile(known, LEVELS) if len(known) else table[max(step - 1, 0)]
    return table
