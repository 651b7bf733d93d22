"""A model of samples as a forecast head: the windows of a batch are its problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tool_use_om.heads.forecast.base import ForecastHead
from tool_use_om.heads.forecast.usual import Usual
from tool_use_om.heads.numeric.folds import plain_folds
from tool_use_om.heads.samples import local
from tool_use_om.heads.samples.base import raw_class
from tool_use_om.heads.samples.forecaster import RawForecaster
from tool_use_om.heads.samples.problem import Fold, Problem

if TYPE_CHECKING:
    from tool_use_om.heads.forecast.batch import ForecastBatch

Array = np.ndarray
_CHECKED = 3  # one session in so many chooses settings and measures errors


class SampleHead(ForecastHead):
    """Any registered model of samples, given and asked windows as heads are.

    One session in three (the last third of a single one) is held out to choose settings and to
    measure errors; the model then learns from it, too.
    """

    model: ClassVar[type[RawForecaster]]
    usual_: Array  # (2, C) mean and deviation of a session that was not fitted on
    usual_sessions_: Array  # (S,) sessions that have their own
    usual_own_: Array  # (S, 2, C)
    learnt_: tuple[str, ...]  # the model's own arrays, kept as attributes of the head

    @property
    def memory_mb(self) -> float:
        """Megabytes of what was fitted."""
        return self._loaded().memory_mb

    def _fit(self, batch: ForecastBatch) -> None:
        usual = Usual.of(batch.windows, self._columns())
        self.usual_, self.usual_sessions_, self.usual_own_ = vars(usual).values()
        fold = held_out_third(batch)
        self.fitted = self.model(**self.params)
        self.fitted.fit(self._problem(batch, self.max_steps_), fold).measure()
        self.fitted.problem = None  # the windows are not kept
        arrays = self.fitted.arrays()
        self.learnt_ = tuple(arrays)
        for name, array in arrays.items():
            setattr(self, name, array)

    def _predict(self, batch: ForecastBatch, n_steps: int) -> Array:
        problem = self._problem(batch, self.max_steps_)
        quantiles = self._loaded().predict(_origins(batch), problem)
        return quantiles[:, :, :n_steps]

    def _loaded(self) -> RawForecaster:
        if not hasattr(self, "fitted"):
            self.fitted = self.model(**self.params)
            for name in self.learnt_:
                setattr(self.fitted, name, getattr(self, name))
        return self.fitted

    def _problem(self, batch: ForecastBatch, horizon: int) -> Problem:
        usual = Usual(unseen=self.usual_, sessions=self.usual_sessions_, own=self.usual_own_)
        return problem_of(batch, self._columns(), horizon, usual)


class SeasonalNaive(SampleHead):
    """The honesty check of every forecast: what was a season ago comes again."""

    spec = local.SeasonalNaive.spec
    model = local.SeasonalNaive


def sample_head(name: str, **params: object) -> SampleHead:
    """Return an unfitted head around a registered model; NotFoundError names the nearest ones."""
    model = raw_class("forecast", name)
    made: SampleHead = type(model.__name__, (SampleHead,), {"spec": model.spec, "model": model})(
        **params
    )
    return made


def problem_of(batch: ForecastBatch, columns: list[int], horizon: int, usual: Usual) -> Problem:
    """Return a batch's windows as a problem: a series each, forecast from its window's end.

    What a padded window lacks at its end stands, missing, at its beginning: a forecast goes on from
    the last measured sample.

    Parameters
    ----------
    usual : mean and deviation of what was learned from
    """
    mask = batch.windows.mask[:, columns]
    values = np.where(mask, batch.windows.values[:, columns], np.nan).astype(np.float64)
    future = np.full((*values.shape[:2], horizon), np.nan)
    if batch.future is not None and batch.future_mask is not None:
        known = batch.future_mask[:, columns, :horizon]
        future[..., : known.shape[2]] = np.where(known, batch.future[:, columns, :horizon], np.nan)
    ends = [int(np.flatnonzero(m.any(axis=0)).max(initial=-1)) + 1 for m in mask]
    rows = [np.roll(v, v.shape[1] - end, axis=1) for v, end in zip(values, ends, strict=True)]
    return Problem(
        name="windows",
        series=tuple(np.concatenate(pair, axis=1) for pair in zip(rows, future, strict=True)),
        session_ids=tuple(batch.windows.session_ids),
        channels=tuple(batch.windows.channels[c] for c in columns),
        rate_hz=float(batch.windows.rate_hz),
        context=values.shape[2],
        horizon=horizon,
        season=0,
        folds=(),
        groups=np.asarray(batch.windows.session_ids, dtype=np.str_),
        rule="one window a series",
        usual_scale=tuple(usual.rows(batch.windows.session_ids)),
    )


def held_out_third(batch: ForecastBatch) -> Fold:
    """Return which windows to fit on and which to check; of a single session, what comes last."""
    sessions = np.asarray(batch.windows.session_ids, dtype=np.str_)
    origins = _origins(batch)
    none = origins[:0]
    folds = plain_folds(sessions, _CHECKED)
    if not folds:
        return Fold(fit=origins, check=none, judge=none)
    fit, check = folds[-1] if len(np.unique(sessions)) == 1 else folds[0]
    if len(np.unique(sessions)) == 1:
        fit = _clear_of(batch, fit, check)
    if not len(fit):
        return Fold(fit=origins, check=none, judge=none)
    return Fold(fit=origins[fit], check=origins[check], judge=none)


def _clear_of(batch: ForecastBatch, fit: Array, check: Array) -> Array:
    """Return the windows whose future ends before the first future of `check` begins."""
    windows = batch.windows
    steps = 0 if batch.future is None else batch.future.shape[2]
    end = np.asarray(windows.start_s) + (windows.values.shape[2] + steps) / windows.rate_hz
    first = np.asarray(windows.start_s)[check].min() + windows.values.shape[2] / windows.rate_hz
    kept: Array = fit[end[fit] <= first + 1e-9]
    return kept


def _origins(batch: ForecastBatch) -> Array:
    n = len(batch)
    return np.column_stack([np.arange(n), np.full(n, batch.windows.values.shape[2])])
