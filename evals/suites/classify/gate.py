"""When the gate lets a raw-space fallback answer, whether it was right, and what it cost.

For each data set and head: the decision on held-out folds of the training split, and then, on the
test windows, the head, the best fallback, and what the gate answered with. "frozen, as published"
is the head as the literature measured frozen MOMENT: mean-pooled tokens, without the features of
location and scale that the encoder's normalisation removes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from tool_use_om.data.errors import DataError
from tool_use_om.evals.report import Row, Table, with_interval
from tool_use_om.evals.suites.base import CellSuite, DataSettings
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool

PUBLISHED: Mapping[str, Any] = {"pooling": "mean", "context": False}
SETUPS: Mapping[str, Mapping[str, Any]] = {"as shipped": {}, "frozen, as published": PUBLISHED}


class GateSettings(DataSettings):
    """Settings of the gate suite."""

    heads: tuple[str, ...] = Field(
        ("linear_probe",), min_length=1, description="Heads on tokens that are gated; repeatable."
    )


class GateSuite(CellSuite):
    """Data sets × heads × setups."""

    name = "gate"
    takes = GateSettings
    asked: GateSettings
    fields = ("data", "head", "setup")

    def cells(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield (head, setup)."""
        del name
        return ((head, setup) for setup in SETUPS for head in self.asked.heads)

    def measure(self, row: Row) -> Row:
        """Run one gated classification."""
        given = WorkingSet().but(
            dataset=row["data"],
            task="classify",
            head=row["head"],
            head_params=dict(SETUPS[row["setup"]]),
        )
        context = ToolContext(workspace=self.workspace, seed=self.seed)
        found = run_tool("run_task", {"allow_raw": True}, context, given).content
        if "rows" not in found["gate"]:
            raise DataError(found["gate"]["why_not"])
        return {k: found[k] for k in ("gate", "metrics", "timing", "coverage")}

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return a table of decisions and, over the data sets, one of means."""
        note = (
            "Folds: accuracy on held-out groups of the training split, on which alone the gate "
            "decides: a fallback answers if the 95 % interval of its paired difference is above 0."
        )
        decided = Table(title="Decisions", note=note, rows=tuple(_cells(r) for r in rows))
        means = Table(
            title="Mean test accuracy over the data sets",
            note="Head: tokens alone. Fallback: the best one on the folds, alone.",
            rows=tuple(_means(rows, setup, head) for setup in SETUPS for head in self.asked.heads),
        )
        return [decided, means]


def _of(row: Row, kind: str) -> Mapping[str, Any]:
    """Return the finalist of one kind: the head, or the best fallback."""
    finalists = (r for r in row["gate"]["rows"] if r["kind"] == kind and "test" in r)
    found: Mapping[str, Any] = next(finalists)
    return found


def _cells(row: Row) -> dict[str, str]:
    head = {"data": str(row["data"]), "head": str(row["head"]), "setup": str(row["setup"])}
    if row["error"]:
        return head | {"answered by": str(row["error"])}
    own, raw, gap = _of(row, "tokens"), _of(row, "raw"), row["gate"]["difference"]
    seconds = row["timing"]
    return head | {
        "answered by": str(row["gate"]["answered_by"]),
        "folds, head": f"{own['folds']['value']:.3f}",
        "folds, fallback": f"{raw['folds']['value']:.3f} ({raw['model']})",
        "difference": with_interval(gap["value"], gap["lower"], gap["upper"]),
        "test, head": f"{own['test']['value']:.3f}",
        "test, fallback": f"{raw['test']['value']:.3f}",
        "test, gated": f"{row['metrics']['accuracy']['value']:.3f}",
        "head: encode + fit, s": f"{seconds['encode_s'] + seconds['fit_s']:.1f}",
        "fallback: fit, s": f"{seconds[raw['model'] + '_fit_s']:.1f}",
        "MB": f"{own['memory_mb']:.1f} / {raw['memory_mb']:.1f}",
    }


def _means(rows: Sequence[Row], setup: str, head: str) -> dict[str, str]:
    own = [r for r in rows if r["setup"] == setup and r["head"] == head and not r["error"]]
    label = {"setup": setup, "head": head, "data sets": str(len(own))}
    if not own:
        return label | dict.fromkeys(("head alone", "fallback alone", "gated", "escalated"), "–")
    count = len(own)
    return label | {
        "head alone": f"{sum(_of(r, 'tokens')['test']['value'] for r in own) / count:.3f}",
        "fallback alone": f"{sum(_of(r, 'raw')['test']['value'] for r in own) / count:.3f}",
        "gated": f"{sum(r['metrics']['accuracy']['value'] for r in own) / count:.3f}",
        "escalated": str(sum(bool(r["gate"]["escalated"]) for r in own)),
    }
