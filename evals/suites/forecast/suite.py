"""How well forecasts do under published protocols, beside the forecasters users would pick instead.

The protocol follows from how the data set is built (`forecast_protocols`). Our heads read tokens of
the very windows that the linear peers read; Theta, ETS and the naive ones read each series alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table, by_group
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
VOTE = "vote"
LINEAR_PEERS = ("rlinear", "dlinear")


class ForecastSuite:
    """Forecasters × data sets × contexts × horizons.

    Parameters
    ----------
    data : data set names
    workspace : Workspace, where they are
    tokenizer : str or None; None = the offline default
    horizon_s : float or None, seconds forecast in sets without horizons of their own; None = the
        length of the tools' window
    method : names of heads and peers to measure; empty = all
    every : int, judge one window in so many; 1 = the published protocol
    """

    name = "forecast"

    def __init__(
        self,
        *,
        data: Sequence[str],
        workspace: Workspace,
        tokenizer: str | None = None,
        horizon_s: float | None = None,
        method: Sequence[str] = (),
        every: int = 1,
        seed: int = 0,
    ) -> None:
        from tool_use_om.data.catalog import open_dataset
        from tool_use_om.tokenizers.registry import DEFAULT_TOKENIZER, load_tokenizer

        self._workspace = workspace
        self._horizon_s = horizon_s
        self._seed = seed
        self._sets = {name: open_dataset(name, workspace) for name in data}
        self._store = TokenStore(load_tokenizer(tokenizer or DEFAULT_TOKENIZER))
        self._sizes = {name: self._sizes_of(found) for name, found in self._sets.items()}
        self._only = tuple(method)
        self._every = every
        self._problem = lru_cache(maxsize=1)(self._made)
        self.settings = {
            "data": {name: found.content_hash for name, found in self._sets.items()},
            "protocol": {n: protocols.protocol_of(d) for n, d in self._sets.items()},
            "samples": {name: list(map(list, pairs)) for name, pairs in self._sizes.items()},
            "tokenizer": self._store.tokenizer.spec.name,
            "every": every,
            "seed": seed,
        }

    def items(self) -> Sequence[str]:
        """Return "<data set>/<context>/<horizon>/<kind>/<method>".

        The name of a head ends in a few letters of the weights' hash: a run with other weights
        measures the heads again and keeps the peers.
        """
        mark = self._store.tokenizer.weights_hash[:8]
        found = []
        for name, pairs in self._sizes.items():
            protocol = protocols.protocol_of(self._sets[name])
            local = LOCAL_PEERS[protocol]
            # elsewhere the peer of that name is told the season, and is the harder to beat
            left_out = () if protocol == "sessions" else ("seasonal_naive",)
            heads = [s.name for s in head_specs("forecast") if s.name not in left_out]
            methods = [
                f"agent/{VOTE}@{mark}",
                *(f"head/{head}@{mark}" for head in heads),
                *(f"peer/{p}" for p in (*local, *LINEAR_PEERS)),
            ]
            kept = [m for m in methods if not self._only or _plain(m) in self._only]
            found += [f"{name}/{c}/{h}/{m}" for c, h in pairs for m in kept]
        return found

    def run(self, item: str) -> Row:
        """Measure one forecaster; what cannot be measured says why under "error"."""
        name, context, horizon, kind, method = item.split("/")
        method = method.partition("@")[0]
        row: Row = {"data": name, "kind": kind, "method": method, "error": None}
        row |= {"protocol": protocols.protocol_of(self._sets[name])}
        row |= {"context": int(context), "horizon": int(horizon)}
        try:
            problem = self._problem(name, int(context), int(horizon))
            started = time.process_time()
            parts = [self._forecast(problem, fold, kind, method) for fold in problem.folds]
            seconds = time.process_time() - started
            return row | _scored(problem, parts, row["protocol"]) | {"seconds": seconds}
        except DataError as error:
            return row | {"error": str(error)}

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return the aims, and a table for each data set and context."""
        notes = {
            name: f"{_split_note(dataset)} Data content hash: {dataset.content_hash[:16]}…"
            for name, dataset in self._sets.items()
        }
        return forecast_tables(rows, notes, {n: d.manifest.title for n, d in self._sets.items()})

    def figures(self, rows: Sequence[Row]) -> Mapping[str, Callable[[Path], None]]:
        """Return a curve over horizons for each data set that has several."""
        return forecast_figures(rows)

    def _forecast(self, problem: Problem, fold: Fold, kind: str, method: str) -> Predicted:
        if kind == "agent":
            return forecast_with_vote(problem, fold, self._store, self._seed)
        if kind == "head":
            return forecast_with_head(method, problem, fold, self._store)
        return Predicted(points=raw_forecaster(method).fit(problem, fold).points(fold.judge))

    def _made(self, name: str, context: int, horizon: int) -> Problem:
        dataset = self._sets[name]
        makers: Mapping[str, Callable[[DataSet, int, int], Problem]] = {
            "rolling": protocols.rolling,
            "horizon": protocols.horizons,
            "walk": protocols.walk,
        }
        kind = protocols.protocol_of(dataset)
        if kind in makers:
            return makers[kind](dataset, context, horizon).thinned(self._every)
        channels = dataset.manifest.modalities[0].channel_ids
        return protocols.sessions(dataset, context, horizon, channels).thinned(self._every)

    def _sizes_of(self, dataset: DataSet) -> list[tuple[int, int]]:
        if protocols.protocol_of(dataset) != "sessions":
            return protocols.sizes(dataset)
        modality = dataset.manifest.modalities[0]
        given = WorkingSet().but(dataset=dataset.name, channels=modality.channel_ids)
        plan = plan_encoding(ToolContext(workspace=self._workspace, seed=self._seed), given)
        ahead_s = self._horizon_s or plan.config.window_s
        plan = fit_window(plan, split_segments(plan, given, "train", None), ahead_s)
        rate = modality.rate_hz
        return [(round(plan.config.window_s * rate), max(1, round(ahead_s * rate)))]


def _plain(method: str) -> str:
    return method.partition("/")[2].partition("@")[0]


def _split_note(dataset: DataSet) -> str:
    return f"Split: {dataset.manifest.split_rule.rstrip('.')}."


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
