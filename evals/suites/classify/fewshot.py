"""How accuracy grows with labels: 1, 5, 10 and 20 labelled sessions a class, drawn several times.

All methods see the same draws and the same test windows (`labelled_windows`). A label is a labelled
session, as everywhere in the tools; a class with fewer gives all it has, and the table says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table, of_data, with_interval
from tool_use_om.evals.suites.classify.methods import by_head
from tool_use_om.evals.suites.classify.peers import peer
from tool_use_om.evals.suites.classify.tables import how
from tool_use_om.evals.suites.classify.windows import (
    LabelledWindows,
    draw_sessions,
    labelled_windows,
    open_named,
)
from tool_use_om.heads.numeric.metrics import accuracy, macro_f1
from tool_use_om.heads.registry import head_specs
from tool_use_om.tools.run.figures import COLOURS, drawing

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

LABELS = (1, 5, 10, 20)
PEERS = ("minirocket", "catch22", "nn_euclidean")


class FewShotSuite:
    """Heads and peers × data sets × labels a class.

    Parameters
    ----------
    data : data set names, each "NAME" or "NAME:LABEL_SET"
    workspace : Workspace, where they are
    tokenizer : str or None; None = the offline default
    method : names of heads and peers to measure; empty = all
    draws : int, random draws of the labels
    """

    name = "fewshot"

    def __init__(
        self,
        *,
        data: Sequence[str],
        workspace: Workspace,
        tokenizer: str | None = None,
        method: Sequence[str] = (),
        draws: int = 5,
        seed: int = 0,
    ) -> None:
        from tool_use_om.tokenizers.registry import DEFAULT_TOKENIZER, load_tokenizer

        self._workspace = workspace
        self._tokenizer = tokenizer or DEFAULT_TOKENIZER
        self._only = tuple(method)
        self._draws = draws
        self._seed = seed
        self._sets = {name: open_named(name, workspace)[0] for name in data}
        self._mark = load_tokenizer(self._tokenizer).weights_hash[:8]
        self._windows = lru_cache(maxsize=1)(self._cut)
        self.settings = {
            "data": {name: found.content_hash for name, found in self._sets.items()},
            "tokenizer": self._tokenizer,
            "labels": list(LABELS),
            "draws": draws,
            "seed": seed,
        }

    def items(self) -> Sequence[str]:
        """Return "<data set>/<labels a class>/<kind>/<method>"."""
        heads = [f"head/{s.name}@{self._mark}" for s in head_specs("classify")]
        found = [*heads, *(f"peer/{name}" for name in PEERS)]
        kept = [m for m in found if not self._only or m[5:].partition("@")[0] in self._only]
        return [f"{name}/{n}/{m}" for name in self._sets for n in LABELS for m in kept]

    def run(self, item: str) -> Row:
        """Measure one method at one number of labels; what cannot be measured says why."""
        name, labels, kind, method = item.split("/")
        method = method.partition("@")[0]
        row: Row = {"data": name, "kind": kind, "method": method, "labels": int(labels)}
        try:
            data = self._windows(name)
            return row | {"error": None} | data.about() | self._measured(data, int(labels), row)
        except DataError as error:
            return row | {"error": str(error)}

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return for each data set the accuracies by number of labels."""
        tables = []
        for name, dataset in self._sets.items():
            own = of_data(rows, name)
            fine = next((r for r in own if not r["error"]), None)
            about = "Nothing could be measured." if fine is None else how(fine)
            note = (
                f"{about} Accuracy, mean over {self._draws} draws [least, greatest]; a label is a "
                "labelled session; in brackets behind the number of labels: how many classes have "
                f"fewer and give all they have. Data content hash: {dataset.content_hash[:16]}…"
            )
            shown = tuple(_by_method(own))
            tables.append(Table(title=f"{name}: accuracy by labels a class", note=note, rows=shown))
        return tables

    def figures(self, rows: Sequence[Row]) -> Mapping[str, Callable[[Path], None]]:
        """Return one figure: a panel a data set, a curve a method."""
        fine = [r for r in rows if not r["error"]]
        return {"fewshot.png": _curves(fine)} if fine else {}

    def _measured(self, data: LabelledWindows, labels: int, row: Row) -> dict[str, Any]:
        scores = []
        for draw in range(self._draws):
            fit = draw_sessions(data.fit, labels, (self._seed, labels, draw))
            if row["kind"] == "head":
                said = by_head(row["method"], fit, data.test)
            else:
                said = peer(row["method"])(fit.raw, fit.y, data.test.raw, self._seed)
            scores.append((accuracy(data.test.y, said), macro_f1(data.test.y, said)))
        shares = np.array(scores)
        there = [len(np.unique(data.fit.sessions[data.fit.y == c])) for c in np.unique(data.fit.y)]
        return {
            "accuracy": shares[:, 0].tolist(),
            "macro_f1": shares[:, 1].tolist(),
            "n_short_classes": int(np.sum(np.array(there) < labels)),
            "chance": float(np.unique(data.test.y, return_counts=True)[1].max() / len(data.test)),
        }

    def _cut(self, name: str) -> LabelledWindows:
        return labelled_windows(name, self._workspace, tokenizer=self._tokenizer, seed=self._seed)


def _by_method(rows: Sequence[Row]) -> list[dict[str, str]]:
    shown = []
    for kind, method in dict.fromkeys((r["kind"], r["method"]) for r in rows):
        cells = {"method": method, "kind": "ours" if kind == "head" else "peer"}
        for r in (r for r in rows if (r["kind"], r["method"]) == (kind, method)):
            cells[_column(r, rows)] = _cell(r)
        shown.append(cells)
    return shown


def _column(row: Row, rows: Sequence[Row]) -> str:
    same = (r for r in rows if r["labels"] == row["labels"] and not r["error"])
    short = next((r["n_short_classes"] for r in same), 0)
    return f"{row['labels']}" + (f" ({short})" if short else "")


def _cell(row: Row) -> str:
    if row["error"]:
        return str(row["error"])
    values = row["accuracy"]
    return with_interval(float(np.mean(values)), min(values), max(values))


def _curves(rows: Sequence[Row]) -> Callable[[Path], None]:
    names = list(dict.fromkeys(r["data"] for r in rows))
    methods = list(dict.fromkeys((r["kind"], r["method"]) for r in rows))

    def paint(figure: Figure) -> None:
        panels = figure.subplots(1, len(names), squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            for i, (kind, method) in enumerate(methods):
                own = [r for r in of_data(rows, name) if (r["kind"], r["method"]) == (kind, method)]
                style = "-o" if kind == "head" else "--s"
                label = method if kind == "head" else f"{method} (peer)"
                means = [float(np.mean(r["accuracy"])) for r in own]
                colour = COLOURS[i % len(COLOURS)]
                axes.plot([r["labels"] for r in own], means, style, label=label, color=colour, ms=3)
            axes.set_title(name)
            axes.set_xlabel("labelled sessions a class")
            axes.set_xticks(LABELS)
        panels[0].set_ylabel("accuracy")
        panels[-1].legend()

    return drawing(paint, width=max(4.0, 2.7 * len(names)), height=3.2)
