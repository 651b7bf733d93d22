"""What a plain question gets: the plan, the tools and the defaults of one asked in so many words.

"Classify the labels" is planned and run as for anybody; what answered, and each of its members
alone (MiniRocket among them), are scored on the same held-out cases of the same run.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.evals.report import (
    N_RESAMPLES,
    Row,
    Table,
    by_group,
    gap_cell,
    mean_cell,
    mean_of,
    with_interval,
)
from tool_use_om.evals.suites.base import CellSuite

QUESTION = "Classify the labels"
RIVAL = "minirocket"
ANSWER = "answer"


class PlainSuite(CellSuite):
    """Data sets × the plain question."""

    name = "plain"
    fields: ClassVar[tuple[str, ...]] = ("data", "task")

    def cells(self, name: str) -> list[tuple[str]]:
        """Return the question."""
        del name
        return [("classify",)]

    def measure(self, row: Row) -> Row:
        """Ask, run what is planned, and keep who was right on which case."""
        started, worked = time.perf_counter(), time.process_time()
        content, detail = self._asked(row["data"])
        judged = detail.get("judged")
        if judged is None:
            raise DataError(f"{row['data']}: no case was judged.")
        truth, groups = np.array(judged["truth"]), np.array(judged["groups"])
        hits = {name: (np.array(said) == truth) * 1.0 for name, said in judged["said"].items()}
        coverage, abstention = content.get("coverage"), content.get("abstention")
        return {
            "answered_by": content["answered_by"],
            "head": content["head"],
            "unit": judged["unit"],
            "n_cases": len(truth),
            "n_groups": len(np.unique(groups)),
            "coverage": coverage and coverage["empirical"],
            "left_open": abstention and abstention["abstained_frac"],
            "notes": content.get("notes", []),
            "kept": by_group(hits, groups),
            "wall_s": time.perf_counter() - started,
            "seconds": time.process_time() - worked,
        }

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return what was answered beside the rival, set by set and over sets."""
        note = (
            f'What "{QUESTION}" answers on each set\'s own test split, and its members alone in '
            "the same run. Intervals: 95 %, bootstrap over whole groups (subjects, else cases), "
            "paired for the difference. Left open: sets that hold none or several labels. "
            "Seconds: of the processor, all of it."
        )
        fine = [r for r in rows if not r["error"]]
        tables = [
            Table(title="What a plain question gets", note=note, rows=tuple(map(_cells, rows)))
        ]
        both = [r for r in fine if RIVAL in r["kept"]["n"]]
        archive = [r for r in both if str(r["data"]).startswith("ucr-")]
        means = [
            _mean_row(text, part)
            for text, part in (("sets", both), ("UCR sets", archive))
            if len(part) > 1
        ]
        if means:
            about = (
                f"Each set counts alike; the interval resamples groups within each. {_ranks(both)}"
            )
            tables.append(Table(title="Means over sets", note=about, rows=tuple(means)))
        return tables

    def _asked(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the content and the detail of the run that the question's plan makes."""
        from tool_use_om.agent.cards import dataset_cards
        from tool_use_om.agent.context import AgentContext
        from tool_use_om.agent.offline.model import plan_of
        from tool_use_om.tools.call.context import ToolContext
        from tool_use_om.tools.call.working_set import WorkingSet
        from tool_use_om.tools.registry import run_tool

        ctx = ToolContext(workspace=self.workspace, seed=self.seed, dataset=name)
        asked = AgentContext(dataset=name, workspace=str(self.workspace.root), seed=self.seed)
        _, steps = plan_of(QUESTION, dataset_cards(asked, QUESTION))
        working_set = WorkingSet()
        for step in steps:
            outcome = run_tool(step.tool, step.args, ctx, working_set)
            working_set = outcome.working_set
            if step.tool == "run_task":
                return outcome.content, ctx.results.get(outcome.result.id).data["detail"]
        raise DataError(f"{QUESTION!r} plans no run on {name}.")


def _cells(row: Row) -> dict[str, str]:
    if row["error"]:
        return {"data": row["data"], "answer": str(row["error"])}
    kept = row["kept"]
    token = row["head"] if row["head"] in kept["n"] else ""
    cells = {
        "data": f"{row['data']} ({row['n_cases']} {row['unit']}, {row['n_groups']} groups)",
        "answered by": row["answered_by"],
        "answer": mean_cell(kept, ANSWER),
        "token head": f"{token} {mean_of(kept, token):.3f}" if token else "–",
        "MiniRocket": "–",
        "answer less MiniRocket": "–",
    }
    if RIVAL in kept["n"]:
        cells["MiniRocket"] = f"{mean_of(kept, RIVAL):.3f}"
        cells["answer less MiniRocket"] = _gap(kept)
    coverage, left = row["coverage"], row["left_open"]
    cells["coverage at 90 %"] = "–" if coverage is None else f"{100 * coverage:.0f} %"
    cells["left open"] = "–" if left is None else f"{100 * left:.0f} %"
    return cells | {"seconds": f"{row['seconds']:.0f}"}


def _gap(kept: dict[str, Any]) -> str:
    one, other = (
        {part: {"hit": kept[part][name]} for part in ("n", "sum")} for name in (ANSWER, RIVAL)
    )
    return gap_cell(one, other, "hit")


def _mean_row(text: str, rows: Sequence[Row], seed: int = 0) -> dict[str, str]:
    rng = np.random.default_rng(seed)
    gaps = [float(np.mean([_drawn(r, rng) for r in rows])) for _ in range(N_RESAMPLES)]
    ours, theirs = (float(np.mean([mean_of(r["kept"], n) for r in rows])) for n in (ANSWER, RIVAL))
    low, high = np.quantile(gaps, [0.025, 0.975])
    return {
        "over": f"{len(rows)} {text}",
        "answer": f"{ours:.3f}",
        "MiniRocket": f"{theirs:.3f}",
        "difference": with_interval(ours - theirs, float(low), float(high)),
    }


def _drawn(row: Row, rng: np.random.Generator) -> float:
    """Return the difference on one draw of a set's groups."""
    pick = np.asarray(rng.integers(0, row["n_groups"], row["n_groups"]))
    return mean_of(row["kept"], ANSWER, pick) - mean_of(row["kept"], RIVAL, pick)


def _ranks(rows: Sequence[Row]) -> str:
    """Return how often the answer is above, level with and below the rival."""
    gaps = np.array([mean_of(r["kept"], ANSWER) - mean_of(r["kept"], RIVAL) for r in rows])
    above, below = int((gaps > 1e-9).sum()), int((gaps < -1e-9).sum())
    return f"Above MiniRocket on {above}, level on {len(gaps) - above - below}, below on {below}."
