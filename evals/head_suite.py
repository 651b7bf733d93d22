"""How well each head does on held-out sessions, through the same tool calls a run makes.

For each data set: every classification head on all labels and on five labelled sessions a class
(mean over five draws), MiniRocket on the raw windows as a peer of the same run, and every
forecasting head against `seasonal_naive`. Windows, channels and splits are what the tools choose by
rule; each row says which.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.runner import Row, Table, with_interval
from tool_use_om.heads.registry import head_specs
from tool_use_om.tools.classify import prepare
from tool_use_om.tools.context import ToolContext
from tool_use_om.tools.encoding import Stopwatch, cut, plan_encoding, whole
from tool_use_om.tools.labelled import split_sessions
from tool_use_om.tools.registry import run_tool
from tool_use_om.tools.working_set import WorkingSet

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.tools.classify import Study
    from tool_use_om.tools.labelled import Labelled

FEW = 5
DRAWS = 5
RAW = "minirocket"


class HeadSuite:
    """Heads × data sets.

    Parameters
    ----------
    data : data set names
    workspace : Workspace, where they are
    tokenizer : str or None; None = the one the tools choose
    horizon_s : float, seconds forecast
    coverage : float, nominal coverage of sets and intervals
    raw : bool, measure MiniRocket on the raw windows too, where aeon is installed
    """

    name = "heads"

    def __init__(
        self,
        *,
        data: Sequence[str],
        workspace: Workspace,
        tokenizer: str | None = None,
        horizon_s: float = 5.0,
        coverage: float = 0.9,
        seed: int = 0,
        raw: bool = True,
    ) -> None:
        from tool_use_om.data.catalog import open_dataset

        self._workspace = workspace
        self._tokenizer = tokenizer
        self._horizon_s = horizon_s
        self._coverage = coverage
        self._seed = seed
        self._raw_peer = raw and find_spec("aeon") is not None
        self._sets = {name: open_dataset(name, workspace) for name in data}
        self.settings = {
            "data": {name: found.content_hash for name, found in self._sets.items()},
            # a run is not gone on with when the rules by which windows are cut have changed
            "encoding": {name: self._encoding(name) for name in self._sets},
            "tokenizer": tokenizer,
            "horizon_s": horizon_s,
            "coverage": coverage,
            "seed": seed,
            "raw": self._raw_peer,
        }

    def items(self) -> Sequence[str]:
        """Return "<data set>/<kind>/<head>" for everything to measure."""
        classify = [s.name for s in head_specs("classify")]
        forecast = [s.name for s in head_specs("forecast")]
        own = [
            *(f"classify/{h}" for h in classify),
            *([f"classify/{RAW}"] if self._raw_peer else []),
            *(f"few/{h}" for h in classify),
            *(f"forecast/{h}" for h in forecast),
        ]
        return [f"{name}/{item}" for name in self._sets for item in own]

    def run(self, item: str) -> Row:
        """Measure one head on one data set; what cannot be measured says why under "error"."""
        dataset, kind, head = item.split("/")
        kinds: Mapping[str, Callable[[str, str], Row]] = {
            "classify": self._raw if head == RAW else self._classify,
            "few": self._few,
            "forecast": self._forecast,
        }
        row: Row = {"data": dataset, "kind": kind, "head": head, "error": None}
        try:
            return row | kinds[kind](dataset, head)
        except DataError as error:
            return row | {"error": str(error)}

    def _encoding(self, dataset: str) -> dict[str, object]:
        context = ToolContext(workspace=self._workspace, seed=self._seed)
        return plan_encoding(context, self._working_set(dataset)).to_json()

    def _working_set(self, dataset: str, **fields: object) -> WorkingSet:
        return WorkingSet().but(dataset=dataset, tokenizer=self._tokenizer, **fields)

    def _task(self, dataset: str, task: str, head: str, seed: int, **args: Any) -> Row:  # noqa: ANN401 - tool arguments
        context = ToolContext(workspace=self._workspace, seed=seed)
        given = self._working_set(dataset, task=task, head=head)
        outcome = run_tool("run_task", {"coverage": self._coverage, **args}, context, given)
        data = outcome.result.data
        return {**outcome.content, "encoding": data["detail"]["encoding"]}

    def _classify(self, dataset: str, head: str) -> Row:
        found = self._task(dataset, "classify", head, self._seed)
        kept = ("metrics", "chance", "coverage", "trained_on", "judged_on", "encoding", "timing")
        return {k: found[k] for k in kept}

    def _few(self, dataset: str, head: str) -> Row:
        draws = [
            self._task(dataset, "classify", head, seed, labels_per_class=FEW)
            for seed in range(self._seed, self._seed + DRAWS)
        ]
        metrics = {name: _over_draws([d["metrics"][name] for d in draws]) for name in _SHARES}
        return {"metrics": metrics, "draws": DRAWS, "encoding": draws[0]["encoding"]}

    def _forecast(self, dataset: str, head: str) -> Row:
        channels = [self._sets[dataset].manifest.modalities[0].name]
        found = self._task(
            dataset,
            "forecast",
            head,
            self._seed,
            horizon_s=self._horizon_s,
            target_channels=channels,
        )
        kept = ("metrics", "difference", "beats_baseline", "coverage", "context_s", "judged_on")
        return {k: found[k] for k in kept} | {"encoding": found["encoding"]}

    def _raw(self, dataset: str, _head: str) -> Row:
        """Fit MiniRocket on the raw windows of the very windows the heads are judged on."""
        context = ToolContext(workspace=self._workspace, seed=self._seed)
        given = self._working_set(dataset)
        study = prepare(context, given, Stopwatch())
        test = study.test.known()
        started = time.perf_counter()
        said = _minirocket(
            _windows(study, given, "train", study.train),
            study.train.y,
            _windows(study, given, "test", test),
            self._seed,
        )
        seconds = time.perf_counter() - started
        return {
            "metrics": _scored(test, said, self._seed),
            "encoding": {**study.plan.to_json(), "tokenizer": "none (raw windows)"},
            "timing": {"fit_and_predict_s": seconds},
        }

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return a classification, a few-label and a forecasting table a data set."""
        tables = []
        for name, dataset in self._sets.items():
            own = [r for r in rows if r["data"] == name]
            rule = dataset.manifest.split_rule.rstrip(".")
            split = f"Split: {rule}. Data content hash: {dataset.content_hash[:16]}…"
            for kind, (title, cells) in _TABLES.items():
                part = [r for r in own if r["kind"] == kind]
                note = f"{_NOTES[kind]} {_how(part)} {split}"
                shown = tuple(_cells(r, cells) for r in part)
                tables.append(Table(title=f"{name}: {title}", note=note, rows=shown))
        return tables


_SHARES = ("accuracy", "macro_f1")


def _over_draws(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean over draws, with the least and the greatest of them."""
    values = [m["value"] for m in metrics]
    return {"value": sum(values) / len(values), "lower": min(values), "upper": max(values)}


def _windows(study: Study, given: WorkingSet, split: str, known: Labelled) -> np.ndarray:
    """Return the raw windows (n, C, T) of `known`, which are the labelled ones of a split."""
    import numpy as np

    sessions = split_sessions(study.plan.dataset, given, split)["session_id"].tolist()
    batch = cut(study.plan, whole(study.plan.dataset, sessions))
    at = {
        (s, round(float(t), 6)): i
        for i, (s, t) in enumerate(zip(batch.session_ids, batch.start_s, strict=True))
    }
    starts = known.tokens.window_start_s
    keys = zip(known.tokens.session_ids, starts, strict=True)
    return np.asarray(batch.values[[at[s, round(float(t), 6)] for s, t in keys]])


def _minirocket(train: np.ndarray, y: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    import numpy as np
    from aeon.classification.convolution_based import MiniRocketClassifier

    peer = MiniRocketClassifier(random_state=seed)
    peer.fit(train.astype(np.float64), y.astype(np.str_))
    return np.asarray(peer.predict(test.astype(np.float64)))


def _scored(test: Labelled, said: np.ndarray, seed: int) -> dict[str, Any]:
    from tool_use_om.heads.metrics import accuracy, bootstrap_interval, macro_f1

    measures = zip(_SHARES, (accuracy, macro_f1), strict=True)
    found = {}
    for name, measure in measures:
        i = bootstrap_interval(
            test.y.astype(str), said, groups=test.groups, statistic=measure, seed=seed, share=True
        )
        found[name] = {"value": i.value, "lower": i.lower, "upper": i.upper, "n": i.n}
    return found


def _how(rows: Sequence[Row]) -> str:
    coded = next((r["encoding"] for r in rows if not r["error"]), None)
    if coded is None:
        return "Nothing could be measured."
    return (
        f"Windows of {coded['window_s']:g} s every {coded['stride_s']:g} s at "
        f"{coded['rate_hz']:g} Hz, {len(coded['channels'])} channels, {coded['tokenizer']}."
    )


def _cells(row: Row, cells: Callable[[Row], dict[str, str]]) -> dict[str, str]:
    head = {"head": str(row["head"])}
    if row["error"]:
        first = next(iter(cells(_EMPTY)))
        return head | dict.fromkeys(cells(_EMPTY), "–") | {first: str(row["error"])}
    return head | cells(row)


def _measured(metric: Mapping[str, float]) -> str:
    return with_interval(metric["value"], metric["lower"], metric["upper"])


def _covered(row: Row) -> str:
    c = row.get("coverage")
    return f"{c['empirical']:.3f} (nominal {c['nominal']:g})" if c else "–"


def _classify_cells(row: Row) -> dict[str, str]:
    spent = row.get("timing") or {}
    fit = spent.get("fit_s", spent.get("fit_and_predict_s"))
    return {
        "accuracy": _measured(row["metrics"]["accuracy"]),
        "macro-F1": _measured(row["metrics"]["macro_f1"]),
        "coverage of sets": _covered(row),
        "fit, s": "–" if fit is None else f"{fit:.2f}",
    }


def _few_cells(row: Row) -> dict[str, str]:
    return {
        "accuracy, mean [min, max] of draws": _measured(row["metrics"]["accuracy"]),
        "macro-F1, mean [min, max] of draws": _measured(row["metrics"]["macro_f1"]),
    }


def _forecast_cells(row: Row) -> dict[str, str]:
    shown = {}
    for name in ("mase", "crps"):
        metric = row["metrics"].get(name)
        unit = f" {metric['unit']}" if metric and metric["unit"] != "1" else ""
        text = f"{_measured(metric)}{unit}; {metric['baseline']:.3f}" if metric else "–"
        shown[f"{name.upper()}; seasonal_naive's"] = text
    beats = "yes" if row["beats_baseline"] else "no"
    return {**shown, "beats it clearly": beats, "coverage of intervals": _covered(row)}


_NOTES: Mapping[str, str] = {
    "classify": "Judged window by window; groups of the bootstrap are subjects, or sessions where "
    "subjects are unknown. The first head's seconds include loading libraries, MiniRocket's "
    "compiling itself.",
    "few": "The same windows and test sessions.",
    "forecast": "Season of MASE: one sample. Groups of the bootstrap: sessions.",
}
_NOTHING = {"value": 0.0, "lower": 0.0, "upper": 0.0, "baseline": 0.0, "unit": "1"}
# For the column names of a row that could not be measured.
_EMPTY: Row = {
    "metrics": dict.fromkeys(("accuracy", "macro_f1", "mase", "crps"), _NOTHING),
    "beats_baseline": False,
}
_TABLES: Mapping[str, tuple[str, Callable[[Row], dict[str, str]]]] = {
    "classify": ("classification of held-out sessions", _classify_cells),
    "few": (f"classification from {FEW} labelled sessions a class, {DRAWS} draws", _few_cells),
    "forecast": ("forecasts of held-out sessions", _forecast_cells),
}
