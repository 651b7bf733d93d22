"""How well windows are classified: every head, the agent's gated choice, and the peers.

The agent's row is the product's own gate: the head by rule against raw-space fallbacks on folds of
what may be learned from, the test split not seen. Windows and splits: `labelled_windows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table, by_group
from tool_use_om.evals.suites.classify.methods import classified, methods
from tool_use_om.evals.suites.classify.tables import head_tables
from tool_use_om.evals.suites.classify.windows import (
    MOST_FIT,
    LabelledWindows,
    labelled_windows,
    open_named,
)

Array = np.ndarray


class HeadSuite:
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
        from tool_use_om.tokenizers.registry import DEFAULT_TOKENIZER, load_tokenizer

        self._workspace = workspace
        self._tokenizer = tokenizer or DEFAULT_TOKENIZER
        self._seed = seed
        self._only = tuple(method)
        self._peers = peers
        self._most = most
        self._sets = {name: open_named(name, workspace) for name in data}
        self._mark = load_tokenizer(self._tokenizer).weights_hash[:8]
        self._windows = lru_cache(maxsize=1)(self._cut)
        self.settings = {
            "data": {name: found.content_hash for name, (found, _) in self._sets.items()},
            "tokenizer": self._tokenizer,
            "most": most,
            "seed": seed,
        }

    def items(self) -> Sequence[str]:
        """Return "<data set>/<kind>/<method>"; tokens' readers end in the weights' hash."""
        kept = [m for m in methods(self._mark) if self._peers or not m.startswith("peer/")]
        kept = [m for m in kept if not self._only or _plain(m) in self._only]
        return [f"{name}/{m}" for name in self._sets for m in kept]

    def run(self, item: str) -> Row:
        """Measure one classifier; what cannot be measured says why under "error"."""
        name, kind, method = item.split("/")
        method = method.partition("@")[0]
        row: Row = {"data": name, "kind": kind, "method": method, "error": None}
        try:
            data = self._windows(name)
            said, more = classified(kind, method, data, self._seed)
        except DataError as error:
            return row | {"error": str(error)}
        row |= data.about() | more
        return row | scored(data, said, self._seed)

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return aims, a summary over sets, what the gate did, and a table a data set."""
        notes = {
            name: f"Split: {found.manifest.split_rule.rstrip('.')}. "
            f"Data content hash: {found.content_hash[:16]}…"
            for name, (found, _) in self._sets.items()
        }
        return head_tables(rows, notes)

    def _cut(self, name: str) -> LabelledWindows:
        return labelled_windows(
            name, self._workspace, tokenizer=self._tokenizer, most=self._most, seed=self._seed
        )


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


def _plain(method: str) -> str:
    return method.partition("/")[2].partition("@")[0]
