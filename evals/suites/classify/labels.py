"""How many labels does asking for the right windows save? Against asking for random ones.

All training labels are hidden; a person who knows them answers. Each seed draws two thirds of the
training sessions, so that the chosen windows vary as well as the random ones. After each round the
default head is fitted on the answers so far and judged on the test split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from tool_use_om.evals.report import Row, Table, with_interval
from tool_use_om.evals.suites.base import CellSuite, DataSettings
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.run.classify.labelled import Labelled
from tool_use_om.tools.run.classify.study import prepare

if TYPE_CHECKING:
    import numpy as np

HEAD = "prototypes"
ROUNDS = (4, 8, 12, 16, 24, 32, 48, 64)
SHARE = 2 / 3
METRICS = ("accuracy", "macro_f1")


class LabelsSettings(DataSettings):
    """Settings of the labels suite."""

    seeds: int = Field(12, ge=2, description="Random pools.")


class LabelsSuite(CellSuite):
    """Data sets × ways to choose × seeds."""

    name = "labels"
    takes = LabelsSettings
    asked: LabelsSettings
    fields = ("data", "way")
    fixed: ClassVar[Mapping[str, object]] = {"rounds": list(ROUNDS)}

    @property
    def _seeds(self) -> Sequence[int]:
        return range(self.seed, self.seed + self.asked.seeds)

    def cells(self, name: str) -> Iterator[tuple[str]]:
        """Yield the ways to choose."""
        del name
        return ((way,) for way in WAYS)

    def measure(self, row: Row) -> Row:
        """Return the learning curve of each seed."""
        context = ToolContext(workspace=self.workspace)
        study = prepare(context, WorkingSet().but(dataset=row["data"]), Stopwatch())
        test = study.test.known()
        curves = [curve(study.train, test, WAYS[row["way"]], seed) for seed in self._seeds]
        return {"curves": curves, "n_pool": len(study.train), "n_test": len(test)}

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return a table a data set and measure: a row for each number of labels."""
        tables = []
        for data in self.sets:
            own = {r["way"]: r for r in rows if r["data"] == data and not r["error"]}
            for metric in METRICS if len(own) == len(WAYS) else ():
                note = (
                    f"{metric} on {own['random']['n_test']} test windows, {HEAD}, mean over "
                    f"{len(self._seeds)} seeds with its 95 % interval; gain: paired by seed, over "
                    "random windows."
                )
                lines = tuple(_line(own, metric, i) for i in range(len(ROUNDS)))
                shown = tuple(line for line in lines if line)
                tables.append(Table(title=f"{data}: {metric}", note=note, rows=shown))
        return tables


Choose = Callable[[Labelled, "np.ndarray", int, int], "Sequence[int]"]


def curve(train: Labelled, test: Labelled, choose: Choose, seed: int) -> dict[str, list[float]]:
    """Return the measures after each round of one run."""
    import numpy as np

    from tool_use_om.heads.classify.prototypes import Prototypes
    from tool_use_om.heads.numeric import metrics

    rng = np.random.default_rng(seed)
    names = np.unique(train.sessions)
    drawn = rng.choice(names, max(2, round(SHARE * len(names))), replace=False)
    pool = train.select(np.flatnonzero(np.isin(train.sessions, drawn)))
    asked = np.zeros(len(pool), dtype=bool)
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    truth = test.y.astype(np.str_)
    for n_labels in ROUNDS:
        if n_labels > len(pool):
            break
        free = np.flatnonzero(~asked)
        picked = choose(pool, asked, n_labels - int(asked.sum()), seed)
        asked[free[np.asarray(picked, dtype=np.int64)]] = True
        known = pool.select(np.flatnonzero(asked))
        if len(set(known.y)) < 2:
            said = np.full(len(truth), str(known.y[0]))
        else:
            said = Prototypes().fit(known.tokens, list(known.y)).predict(test.tokens)
        for name in METRICS:
            found[name].append(getattr(metrics, name)(truth, said))
    return found


def at_random(_pool: Labelled, asked: np.ndarray, n: int, seed: int) -> Sequence[int]:
    """Choose any windows without a label."""
    import numpy as np

    rng = np.random.default_rng([seed, int(asked.sum())])
    picked: list[int] = rng.choice(int((~asked).sum()), n, replace=False).tolist()
    return picked


def worth_most(pool: Labelled, asked: np.ndarray, n: int, seed: int) -> Sequence[int]:
    """Choose as `request_labels` does."""
    import numpy as np

    from tool_use_om.heads.classify.prototypes import Prototypes
    from tool_use_om.heads.trust.active import one_a_session, pick_windows

    free = pool.select(np.flatnonzero(~asked))
    known = pool.select(np.flatnonzero(asked))
    proba = None
    if len(set(known.y)) > 1:
        head = Prototypes().fit(known.tokens, list(known.y))
        proba = head.predict_proba(free.tokens)
    picks = pick_windows(free.tokens, 2 * n, labelled=known.tokens, proba=proba, seed=seed)
    return [p.index for p in one_a_session(picks, free.tokens.session_ids, n)]


def least_margin(pool: Labelled, asked: np.ndarray, n: int, seed: int) -> Sequence[int]:
    """Choose the windows the head is least sure of; at random before the first labels."""
    import numpy as np

    from tool_use_om.heads.classify.prototypes import Prototypes
    from tool_use_om.heads.trust.active import margins

    known = pool.select(np.flatnonzero(asked))
    if len(set(known.y)) < 2:
        return at_random(pool, asked, n, seed)
    head = Prototypes().fit(known.tokens, list(known.y))
    gap = margins(head.predict_proba(pool.select(np.flatnonzero(~asked)).tokens))
    picked: list[int] = np.argsort(gap, kind="stable")[:n].tolist()
    return picked


WAYS: Mapping[str, Choose] = {
    "random": at_random,
    "request_labels": worth_most,
    "margin": least_margin,
}


def _line(own: Mapping[str, Row], metric: str, place: int) -> dict[str, str]:
    """One number of labels: each way's mean, and the gain over random windows."""
    import numpy as np

    from tool_use_om.heads.numeric.metrics import bootstrap_interval

    values = {w: [c[metric][place] for c in r["curves"] if place < len(c[metric])]
              for w, r in own.items()}  # fmt: skip
    if not all(values.values()):
        return {}
    line = {"labels": str(ROUNDS[place])}
    for way, each in values.items():
        mean = bootstrap_interval(np.array(each))
        line[way] = with_interval(mean.value, mean.lower, mean.upper)
    for way in own:
        if way != "random":
            gain = bootstrap_interval(np.array(values[way]) - np.array(values["random"]))
            line[f"gain of {way}"] = with_interval(gain.value, gain.lower, gain.upper)
    return line
