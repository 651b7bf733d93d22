"""What the raw-space forecasters share: points in each window's own scale, errors held out."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from tool_use_om.heads.forecast.base import ForecastHead
from tool_use_om.heads.forecast.batch import (
    ForecastBatch,
    error_quantiles,
    normalisation,
    normalised_context,
)
from tool_use_om.heads.numeric.folds import plain_folds

Array = np.ndarray


class RawForecaster(ForecastHead):
    """A forecaster of samples; quantiles add the errors it made on held-out sessions.

    Each window and channel is brought to mean 0 and deviation 1 (RevIN without its affine part), so
    one model serves all channels.
    """

    n_folds = 3
    errors_: Array  # (H, len(LEVELS)) quantiles of the normalised errors

    @property
    def memory_mb(self) -> float:
        """Megabytes of the fitted arrays."""
        arrays = [v for v in vars(self).values() if isinstance(v, np.ndarray)]
        return sum(a.nbytes for a in arrays) / 1e6

    def _fit(self, batch: ForecastBatch) -> None:
        context = normalised_context(batch.windows, self._columns())
        mean, scale = normalisation(batch.windows, self._columns())
        truth = batch.truth(self.channels_, self.max_steps_)
        wanted = (truth - mean[..., None]) / scale[..., None]
        groups = np.asarray(batch.windows.session_ids, dtype=np.str_)
        errors = []
        for train, held_out in plain_folds(groups, 3)[: self.n_folds]:
            self._learn(context[train], wanted[train])
            said = self._points(context[held_out], self.max_steps_)
            errors.append(wanted[held_out] - said)
        self._learn(context, wanted)
        if not errors:
            errors.append(wanted - self._points(context, self.max_steps_))
        self.errors_ = error_quantiles(np.concatenate(errors))

    def _predict(self, batch: ForecastBatch, n_steps: int) -> Array:
        mean, scale = normalisation(batch.windows, self._columns())
        points = self._points(normalised_context(batch.windows, self._columns()), n_steps)
        spread = points[..., None] + self.errors_[:n_steps]
        quantiles: Array = mean[..., None, None] + scale[..., None, None] * spread
        return quantiles

    @abstractmethod
    def _learn(self, context: Array, wanted: Array) -> None:
        """Fit on (n, C, T) contexts and (n, C, H) futures, normalised; NaN = unknown."""

    @abstractmethod
    def _points(self, context: Array, n_steps: int) -> Array:
        """Return (n, C, n_steps) normalised point forecasts."""
