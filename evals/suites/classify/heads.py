"""How well windows are classified: every head, the agent's own answer, and the peers.

The agent's row is what a plain question gets: the head by rule and a model of samples in a vote
weighed on folds of what may be learned from, the test split not seen, the windows the tools' own
and all that there are. Windows and splits of the others: `labelled_windows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from tool_use_om.evals.report import Row, Table, by_group
from tool_use_om.evals.suites.base import PICKS
from tool_use_om.evals.suites.classify.base import WindowSettings, WindowSuite
from tool_use_om.evals.suites.classify.methods import classified, methods
from tool_use_om.evals.suites.classify.tables import head_tables
from tool_use_om.evals.suites.classify.windows import MOST_FIT, LabelledWindows

Array = np.ndarray


class HeadSettings(WindowSettings):
    """Settings of the heads suite."""

    peers: bool = Field(True, description="MiniRocket, catch22, 1-NN too.", json_schema_extra=PICKS)
    most: int = Field(MOST_FIT, ge=10, description="Windows learned from at most.")


class HeadSuite(WindowSuite):
    """Classifiers × data sets."""

    name = "heads"
    takes = HeadSettings
    asked: HeadSettings

    @property
    def most(self) -> int:
        """Windows learned from at most, evenly thinned."""
        return self.asked.most

    def cells(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield (kind, method) of the agent's choice, the heads and the peers."""
        del name
        for kind, method in methods():
            if self.wanted(method) and (self.asked.peers or kind != "peer"):
                how = "-vote" if kind == "agent" else ""  # rows of an older gate are no such rows
                yield kind, self.marked(kind, method) + how

    def measure(self, row: Row) -> Row:
        """Measure one classifier on one set's held-out windows."""
        data = self.windows(row["data"])
        said, more = classified(row["kind"], row["method"], data, self.seed, self.workspace)
        return {**data.about(), **more, **scored(data, said, self.seed)}

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return aims, a summary over sets, what the gate did, and a table a data set."""
        notes = {n: f"{self.split_note(n)} {self.content_note(n)}" for n in self.sets}
        return head_tables(rows, notes)


def scored(data: LabelledWindows, said: Array, seed: int) -> dict[str, Any]:
    """Return accuracy, macro-F1 and kappa with intervals, chance, and the hits by group."""
    from tool_use_om.heads.numeric.metrics import accuracy, bootstrap_interval, kappa, macro_f1

    truth, groups = data.test.y, data.test.groups
    found = {}
    for name, measure in (("accuracy", accuracy), ("macro_f1", macro_f1), ("kappa", kappa)):
        i = bootstrap_interval(
            truth, said, groups=groups, statistic=measure, seed=seed, share=name != "kappa"
        )
        found[name] = {"value": i.value, "lower": i.lower, "upper": i.upper}
    counts = np.unique(truth, return_counts=True)[1]
    return {
        "metrics": found,
        "chance": float(counts.max() / counts.sum()),
        "kept": by_group({"hit": (truth == said).astype(float)}, groups),
    }
