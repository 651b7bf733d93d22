"""What forecasts are made from and of: windows with their future, quantiles over seconds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.contract.base import Head
from tool_use_om.heads.forecast.batch import (
    LEVELS,
    Array,
    Forecast,
    ForecastBatch,
    _indices,
    _seen,
    check_batch,
)

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch


class ForecastHead(Head):
    """A head that says how the asked channels go on after a window."""

    reads_tokens: bool = True  # False: of windows that cannot be encoded, too
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
        check_batch(batch, reads_tokens=self.reads_tokens)
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
        check_batch(batch, reads_tokens=self.reads_tokens)
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
        if not 0.0 < horizon_s <= longest * (1 + 1e-9):  # relative: months in seconds are large
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
