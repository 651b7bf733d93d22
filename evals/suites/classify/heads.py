"""How well windows are classified: every head, the agent's gated choice, and the peers.

The agent's row is the product's own gate: the head by rule against raw-space fallbacks on folds of
what may be learned from, the test split not seen. Windows and splits: `labelled_windows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table, by_group
from tool_use_om.evals.suites.classify.base import WindowSuite
from tool_use_om.evals.suites.classify.methods import classified, methods
from tool_use_om.evals.suites.classify.tables import head_tables
from tool_use_om.evals.suites.classify.windows import MOST_FIT, LabelledWindows

Array = np.ndarray


class HeadSuite(WindowSuite):
    """Classifiers × data sets.

    Parameters
    ----------
    data : data set names, each "NAME" or "NAME:LABEL_SET"
    workspace : Workspace, where they are
    tokenizer : str or None; None = the offline default
    method : names of heads and peers to measure; empty = all
    peers : bool, measure the peers as well
    most : int, windows learned from at most, evenly thinned
    """

    name = "heads"

    def __init__(
        self,
        *,
        data: Sequence[str],
        workspace: Workspace,
        tokenizer: str | None = None,
        method: Sequence[str] = (),
        peers: bool = True,
        most: int = MOST_FIT,
        seed: int = 0,
    ) -> None:
        super().__init__(
            data=data,
            workspace=workspace,
            tokenizer=tokenizer,
            method=method,
            most=most,
            seed=seed,
        )
        self.settings["most"] = most
        self._peers = peers

    def cells(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield (kind, method) of the agent's choice, the heads and the peers."""
        del name
        for one in methods(self.tokenizer.weights_hash[:8]):
            kind, _, method = one.partition("/")
            wanted = self._peers or kind != "peer"
            if wanted and (not self.only or method.partition("@")[0] in self.only):
                yield kind, method

    def measure(self, row: Row) -> Row:
        """Measure one classifier on one set's held-out windows."""
        data = self.windows(row["data"])
        said, more = classified(row["kind"], row["method"], data, self.seed)
        return {**data.about(), **more, **scored(data, said, self.seed)}

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return aims, a summary over sets, what the gate did, and a table a data set."""
        notes = {
            name: f"Split: {found.manifest.split_rule.rstrip('.')}. {self.content_note(name)}"
            for name, found in self.sets.items()
        }
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
