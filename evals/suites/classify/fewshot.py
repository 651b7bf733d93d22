"""How accuracy grows with labels: 1, 5, 10 and 20 labelled sessions a class, drawn several times.

All methods see the same draws and the same test windows (`labelled_windows`). A label is a labelled
session, as everywhere in the tools; a class with fewer gives all it has, and the table says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from tool_use_om.evals.report import Row, Table, how_measured, of_data, with_interval
from tool_use_om.evals.suites.charts import COLOURS, drawing
from tool_use_om.evals.suites.classify.base import WindowSettings, WindowSuite
from tool_use_om.evals.suites.classify.methods import by_head
from tool_use_om.evals.suites.classify.peers import peer
from tool_use_om.evals.suites.classify.tables import how
from tool_use_om.evals.suites.classify.windows import LabelledWindows, draw_sessions
from tool_use_om.heads.numeric.metrics import accuracy, macro_f1
from tool_use_om.heads.registry import head_specs

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

LABELS = (1, 5, 10, 20)
PEERS = ("minirocket", "catch22", "nn_euclidean")


class FewShotSettings(WindowSettings):
    """Settings of the fewshot suite."""

    draws: int = Field(5, ge=1, description="Random draws of the labels.")


class FewShotSuite(WindowSuite):
    """Heads and peers × data sets × labels a class."""

    name = "fewshot"
    takes = FewShotSettings
    asked: FewShotSettings
    fields = ("data", "labels", "kind", "method")
    fixed: ClassVar[Mapping[str, object]] = {"labels": list(LABELS)}

    def cells(self, name: str) -> Iterator[tuple[str, ...]]:
        """Yield (labels a class, kind, method)."""
        del name
        kept = self.kept([s.name for s in head_specs("classify")], PEERS)
        return ((str(n), kind, method) for n in LABELS for kind, method in kept)

    def about(self, row: Row) -> Row:
        """Return the labels a class as a number."""
        return {"labels": int(row["labels"])}

    def measure(self, row: Row) -> Row:
        """Measure one method at one number of labels, over all draws."""
        data = self.windows(row["data"])
        return data.about() | self._measured(data, row["labels"], row)

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return for each data set the accuracies by number of labels."""
        tables = []
        for name in self.sets:
            own = of_data(rows, name)
            about = how_measured(own, how)
            note = (
                f"{about} Accuracy, mean over {self.asked.draws} draws [least, greatest]; a label "
                "is a labelled session; in brackets behind the number of labels: how many classes "
                f"have fewer and give all they have. {self.content_note(name)}"
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
        for draw in range(self.asked.draws):
            fit = draw_sessions(data.fit, labels, (self.seed, labels, draw))
            if row["kind"] == "head":
                said = by_head(row["method"], fit, data.test)
            else:
                said = peer(row["method"])(fit.raw, fit.y, data.test.raw, self.seed)
            scores.append((accuracy(data.test.y, said), macro_f1(data.test.y, said)))
        shares = np.array(scores)
        there = [len(np.unique(data.fit.sessions[data.fit.y == c])) for c in np.unique(data.fit.y)]
        return {
            "accuracy": shares[:, 0].tolist(),
            "macro_f1": shares[:, 1].tolist(),
            "n_short_classes": int(np.sum(np.array(there) < labels)),
            "chance": float(np.unique(data.test.y, return_counts=True)[1].max() / len(data.test)),
        }


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
