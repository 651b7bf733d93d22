"""Our forecasting heads on a forecasting problem: windows as tokens, encoded once a context."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.tokenizers.windows.windows import WindowBatch

if TYPE_CHECKING:
    from tool_use_om.heads.forecast.base import ForecastHead
    from tool_use_om.heads.forecast.batch import ForecastBatch
    from tool_use_om.heads.samples.problem import Fold, Problem
    from tool_use_om.tokenizers.tokenizer import Tokenizer
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray
MOST_ROWS = 15_000  # channels x windows a head is fitted on; more are thinned evenly
_WINDOWS_AT_ONCE = 256
_LEVELS = (0.05, 0.95)
_UNIT = "a.u."  # series are standardised, or logs


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """Forecasts of a fold's judged windows, (k, C, H) each; no ends where none are given."""

    points: Array
    lower: Array | None = None
    upper: Array | None = None


@dataclass
class TokenStore:
    """Tokens of windows seen before, so that heads and horizons of one context share them."""

    tokenizer: Tokenizer
    key: tuple[object, ...] = ()
    parts: list[Tokens] = field(default_factory=list)
    place: dict[tuple[int, int], int] = field(default_factory=dict)

    def tokens(self, problem: Problem, origins: Array) -> Tokens:
        """Return the tokens of the windows before the origins, in their order."""
        from tool_use_om.tokenizers.tokens import concatenate

        key = (problem.name, problem.context, problem.channels)
        if key != self.key:
            self.key, self.parts, self.place = key, [], {}
        rows = [tuple(o) for o in origins.tolist()]
        missing = list(dict.fromkeys(r for r in rows if r not in self.place))
        for at in range(0, len(missing), _WINDOWS_AT_ONCE):
            part = np.array(missing[at : at + _WINDOWS_AT_ONCE], dtype=np.int64)
            self.parts.append(self.tokenizer.encode(window_batch(problem, part)))
        first = len(self.place)
        self.place |= {row: first + i for i, row in enumerate(missing)}
        if len(self.parts) > 1:
            self.parts = [concatenate(self.parts)]
        return self.parts[0].select(np.array([self.place[r] for r in rows], dtype=np.int64))


def window_batch(problem: Problem, origins: Array) -> WindowBatch:
    """Return what comes before each origin as windows."""
    values = problem.measured(origins)
    mask = np.isfinite(values)
    starts = (origins[:, 1] - problem.context) / problem.rate_hz
    return WindowBatch(
        values=np.where(mask, values, 0.0).astype(np.float32),
        mask=mask,
        rate_hz=problem.rate_hz,
        start_s=starts.astype(np.float64),
        session_ids=tuple(problem.session_ids[at] for at in origins[:, 0].tolist()),
        channels=problem.channels,
        units=(_UNIT,) * len(problem.channels),
    )


def forecast_batch(problem: Problem, origins: Array, store: TokenStore) -> ForecastBatch:
    """Return windows, tokens and futures of the origins, as heads take them."""
    from tool_use_om.heads.forecast.batch import ForecastBatch

    future = problem.futures(origins)
    known = np.isfinite(future)
    return ForecastBatch(
        windows=window_batch(problem, origins),
        tokens=store.tokens(problem, origins),
        future=np.where(known, future, 0.0).astype(np.float32),
        future_mask=known,
    )


def forecast_with_head(name: str, problem: Problem, fold: Fold, store: TokenStore) -> Predicted:
    """Fit one registered head on a fold's windows and forecast the judged ones.

    Check windows are fitted on as well: heads choose their settings by cross-validation.
    """
    return _forecast(_fitted(name, _learnt(problem, fold, store), problem), problem, fold, store)


def forecast_with_vote(problem: Problem, fold: Fold, store: TokenStore, seed: int) -> Predicted:
    """Forecast as a plain question is answered: the head by rule and models of samples, weighed.

    The weights come from backtests inside what is learned from; nothing judged is seen.
    """
    from tool_use_om.heads.registry import choose_head
    from tool_use_om.tools.encode.plan import Stopwatch
    from tool_use_om.tools.run.forecast.blend import blended

    name, batch = choose_head("forecast").name, _learnt(problem, fold, store)
    head = _fitted(name, batch, problem)
    shown = forecast_batch(problem, fold.judge[:1], store)
    made, _ = blended(
        head,
        (batch, shown),
        problem.horizon / problem.rate_hz,
        lambda part: _fitted(name, part, problem),
        Stopwatch(),
        seed=seed,
    )
    return _forecast(made, problem, fold, store)


def _learnt(problem: Problem, fold: Fold, store: TokenStore) -> ForecastBatch:
    learn = thinned(np.concatenate([fold.fit, fold.check]), len(problem.channels))
    return forecast_batch(problem, learn, store)


def _fitted(name: str, batch: ForecastBatch, problem: Problem) -> ForecastHead:
    from tool_use_om.heads.forecast.base import ForecastHead
    from tool_use_om.heads.registry import make_head

    head = make_head(name)
    if not isinstance(head, ForecastHead):
        raise TypeError(f"{name} is no forecasting head")
    return head.fit(batch, channels=problem.channels)


def _forecast(head: ForecastHead, problem: Problem, fold: Fold, store: TokenStore) -> Predicted:
    parts = []
    for at in range(0, len(fold.judge), _WINDOWS_AT_ONCE):
        batch = forecast_batch(problem, fold.judge[at : at + _WINDOWS_AT_ONCE], store)
        found = head.predict(batch, problem.horizon / problem.rate_hz)
        parts.append((found.median, *(found.at(level) for level in _LEVELS)))
    points, lower, upper = (np.concatenate(p) for p in zip(*parts, strict=True))
    return Predicted(points=points, lower=lower, upper=upper)


def thinned(origins: Array, n_channels: int) -> Array:
    """Return evenly spaced origins, so many that rows stay within `MOST_ROWS`."""
    step = -(-len(origins) * n_channels // MOST_ROWS)
    kept: Array = origins[:: max(step, 1)]
    return kept
