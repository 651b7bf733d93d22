"""How well forecasts do under published protocols, beside the forecasters users would pick instead.

The protocol follows from how the data set is built (`forecast_protocols`). Our heads read tokens of
the very windows that the linear peers read; Theta, ETS and the naive ones read each series alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table, by_group
from tool_use_om.evals.suites.base import PICKS, TokenSettings, TokenSuite
from tool_use_om.evals.suites.forecast import protocols
from tool_use_om.evals.suites.forecast.methods import (
    Predicted,
    TokenStore,
    forecast_with_head,
    forecast_with_vote,
)
from tool_use_om.evals.suites.forecast.scores import absolute, mase, smape, squared
from tool_use_om.evals.suites.forecast.tables import forecast_figures, forecast_tables
from tool_use_om.heads.registry import head_specs
from tool_use_om.heads.samples.base import raw_forecaster
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import plan_encoding
from tool_use_om.tools.run.forecast.windows import fit_window, split_segments

if TYPE_CHECKING:
    from pathlib import Path

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.samples.problem import Fold, Problem

Array = np.ndarray
# per protocol: the peers that see one series at a time
LOCAL_PEERS: Mapping[str, tuple[str, ...]] = {
    "rolling": ("naive", "seasonal_naive"),
    "horizon": ("naive", "seasonal_naive", "naive2", "theta", "ets"),
    "walk": ("naive", "theta", "ets"),
    "sessions": ("naive", "theta"),
}
VOTE = "vote"  # what a plain question gets
LINEAR_PEERS = ("rlinear", "dlinear")


class ForecastSettings(TokenSettings):
    """Settings of the forecast suite."""

    horizon_s: float | None = Field(
        None,
        ge=0.1,
        description="Seconds, for sets without horizons of their own; default: the tools' window.",
        json_schema_extra=PICKS,
    )
    every: int = Field(1, ge=1, description="Judge one window in so many; 1: as published.")

    @property
    def label(self) -> str:
        """The data sets, and how many windows are left out."""
        return super().label + (f"-every-{self.every}" if self.every > 1 else "")


class ForecastSuite(TokenSuite):
    """Forecasters × data sets × contexts × horizons."""

    name = "forecast"
    takes = ForecastSettings
    asked: ForecastSettings
    fields = ("data", "context", "horizon", "kind", "method")

    def __init__(self, *, workspace: Workspace, **given: Json) -> None:
        super().__init__(workspace=workspace, **given)
        self._store = TokenStore(self.tokenizer)
        self._problem = lru_cache(maxsize=1)(self._made)
        self._protocols = {name: protocols.protocol_of(found) for name, found in self.sets.items()}
        self._sizes = {name: self._sizes_of(found) for name, found in self.sets.items()}
        samples = {name: list(map(list, pairs)) for name, pairs in self._sizes.items()}
        self.settings |= {"protocol": self._protocols, "samples": samples}

    def cells(self, name: str) -> Iterator[tuple[str, str, str, str]]:
        """Yield (context, horizon, kind, method)."""
        protocol = self._protocols[name]
        # elsewhere the peer of that name is told the season, and is the harder to beat
        left_out = () if protocol == "sessions" else ("seasonal_naive",)
        heads = [s.name for s in head_specs("forecast") if s.name not in left_out]
        kept = self.kept(heads, (*LOCAL_PEERS[protocol], *LINEAR_PEERS))
        if self.wanted(VOTE):
            kept = [("agent", self.marked("agent", VOTE)), *kept]
        return ((str(c), str(h), *one) for c, h in self._sizes[name] for one in kept)

    def about(self, row: Row) -> Row:
        """Return the protocol, and context and horizon as numbers of samples."""
        sizes = {k: int(row[k]) for k in ("context", "horizon")}
        return {"protocol": self._protocols[row["data"]], **sizes}

    def measure(self, row: Row) -> Row:
        """Measure one forecaster on every fold of a set's problem."""
        problem = self._problem(row["data"], row["context"], row["horizon"])
        started = time.process_time()
        parts = [self._forecast(problem, f, row["kind"], row["method"]) for f in problem.folds]
        seconds = time.process_time() - started
        return _scored(problem, parts, row["protocol"]) | {"seconds": seconds}

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return the aims, and a table for each data set and context."""
        notes = {n: f"{self.split_note(n)} {self.content_note(n)}" for n in self.sets}
        return forecast_tables(rows, notes, {n: d.manifest.title for n, d in self.sets.items()})

    def figures(self, rows: Sequence[Row]) -> Mapping[str, Callable[[Path], None]]:
        """Return a curve over horizons for each data set that has several."""
        return forecast_figures(rows)

    def _forecast(self, problem: Problem, fold: Fold, kind: str, method: str) -> Predicted:
        if kind == "agent":
            return forecast_with_vote(problem, fold, self._store, self.seed)
        if kind == "head":
            return forecast_with_head(method, problem, fold, self._store)
        return Predicted(points=raw_forecaster(method).fit(problem, fold).points(fold.judge))

    def _made(self, name: str, context: int, horizon: int) -> Problem:
        dataset = self.sets[name]
        makers: Mapping[str, Callable[[DataSet, int, int], Problem]] = {
            "rolling": protocols.rolling,
            "horizon": protocols.horizons,
            "walk": protocols.walk,
        }
        kind, every = self._protocols[name], self.asked.every
        if kind in makers:
            return makers[kind](dataset, context, horizon).thinned(every)
        channels = dataset.manifest.modalities[0].channel_ids
        return protocols.sessions(dataset, context, horizon, channels).thinned(every)

    def _sizes_of(self, dataset: DataSet) -> list[tuple[int, int]]:
        if protocols.protocol_of(dataset) != "sessions":
            return protocols.sizes(dataset)
        modality = dataset.manifest.modalities[0]
        given = WorkingSet().but(dataset=dataset.name, channels=modality.channel_ids)
        plan = plan_encoding(ToolContext(workspace=self.workspace, seed=self.seed), given)
        ahead_s = self.asked.horizon_s or plan.config.window_s
        plan = fit_window(plan, split_segments(plan, given, "train", None), ahead_s)
        rate = modality.rate_hz
        return [(round(plan.config.window_s * rate), max(1, round(ahead_s * rate)))]


def _scored(problem: Problem, parts: Sequence[Predicted], protocol: str) -> dict[str, Any]:
    judged = problem.judged
    points = np.concatenate([p.points for p in parts])
    truth = problem.futures(judged)
    if protocol == "horizon":
        history = [problem.history(o) for o in judged]
        values = {
            "smape": smape(truth, points),
            "mase": mase(truth, points, history, problem.season),
        }
    else:
        values = {"mse": squared(truth, points), "mae": absolute(truth, points)}
    values |= _coverage(truth, parts)
    return {
        "n_windows": len(judged),
        "n_groups": len(np.unique(problem.groups)),
        "rule": problem.rule,
        "kept": by_group(values, problem.groups),
    }


def _coverage(truth: Array, parts: Sequence[Predicted]) -> dict[str, Array]:
    ends = [(p.lower, p.upper) for p in parts if p.lower is not None and p.upper is not None]
    if len(ends) != len(parts):
        return {}
    lower, upper = (np.concatenate(e) for e in zip(*ends, strict=True))
    inside = np.where(np.isfinite(truth), (truth >= lower) & (truth <= upper), np.nan)
    return {"covered": np.nanmean(inside.reshape(len(inside), -1), axis=1)}
