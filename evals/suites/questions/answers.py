"""Whether answers are true: questions put to the whole agent, beside numpy's truth.

Each held-out phrasing is filled from a drawn data set that training never met. Where its template
has a truth (`truth.py`) the set is simulated, the agent runs, and what it says is compared with the
samples; what no tool answers must be refused; of the rest, which have no single true value, the
calls that are planned are compared with the expected ones, and no tool is run.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.reader.forms import REFUSED
from tool_use_om.agent.offline.reader.understand import VARIABLE, the_reader, understand
from tool_use_om.data.errors import DataError, TuomError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table, with_interval
from tool_use_om.evals.suites.questions.examples import HELDOUT_SEEDS, Filled, filled
from tool_use_om.evals.suites.questions.expected import statistic_of, word_of
from tool_use_om.evals.suites.questions.reader import outcome
from tool_use_om.evals.suites.questions.told import judged
from tool_use_om.evals.suites.questions.truth import TRUE_TEMPLATES, Truth, truth_of
from tool_use_om.evals.suites.questions.written import HELDOUT_SHA256, held_out

OUTCOMES = ("right", "partly", "asked back", "not answered", "wrong")
SYSTEMS = ("reader and rules", "rules alone")
_HOW = {"truth": "against numpy", "refusal": "must be refused", "calls": "by planned calls"}
_LOW = re.compile(
    r"\b(?:lowest|least|minimum|minimal\w*|min|smallest|bottom\w*|trough|fewest|weakest|"
    r"niedrig\w*|kleinst\w*|tiefst\w*|geringst\w*|basse?s?|faibles?|petite?s?|moins)\b|最低|最小",
    re.IGNORECASE,
)


class AnswersSuite:
    """Held-out phrasings about held-out data sets, answered with the reader and without.

    Parameters
    ----------
    workspace : where the drawn sets are simulated, once
    limit : int, phrasings at most (every n-th); None = all
    """

    name = "answers"

    def __init__(self, *, workspace: Workspace, limit: int | None = None, seed: int = 0) -> None:
        rows = filled(held_out(), HELDOUT_SEEDS)
        step = max(1, len(rows) // limit) if limit else 1
        self._rows = {f"{i:04d}": row for i, row in enumerate(rows) if i % step == 0}
        self._workspace = Workspace.at(workspace.folder("drawn-sets"))
        self._seed = seed
        self.settings = {"phrasings": HELDOUT_SHA256, "limit": limit, "seed": seed}
        if the_reader() is None:
            raise DataError("The reader needs an extra: pip install 'tool-use-om[language]'.")

    def items(self) -> Sequence[str]:
        """Return the numbers of the phrasings."""
        return list(self._rows)

    @cached_property
    def _agent(self) -> Any:  # noqa: ANN401 - a graph
        return build_graph()

    def run(self, item: str) -> Row:
        """Answer one phrasing by each system, and judge what came out."""
        one = self._rows[item]
        template = one.phrasing.template
        truth = self._truth(one) if template in TRUE_TEMPLATES else None
        how = "truth" if truth else "refusal" if template in REFUSED else "calls"
        row: Row = {
            "template": template,
            "language": one.phrasing.language,
            "question": one.question,
            "judged": how,
            "outcomes": {},
            "seconds": {},
            "answers": {},
        }
        for system in SYSTEMS:
            started = time.perf_counter()
            with _rules_alone(system == "rules alone"):
                row["outcomes"][system], row["answers"][system] = self._outcome(one, truth, how)
            row["seconds"][system] = round(time.perf_counter() - started, 3)
        return row

    def _outcome(self, one: Filled, truth: Truth | None, how: str) -> tuple[str, str]:
        if how == "calls":
            understood = parse if os.environ.get(VARIABLE) == "off" else understand
            planned = outcome(one, understood(one.question, [one.card]))
            return planned if planned in OUTCOMES else "not answered", ""
        state = self._run(one)
        answer, kind = str(state.get("answer") or ""), state.get("outcome")
        if kind == "answer" or state.get("findings"):
            return judged(truth, state) if truth else "wrong", answer
        if how == "refusal":
            return "right", answer
        asked = bool((state.get("understood") or {}).get("choices"))
        return "asked back" if asked else "not answered", answer

    def _run(self, one: Filled) -> dict[str, Any]:
        self._dataset(one)
        context = AgentContext(
            dataset=str(one.card["name"]), workspace=str(self._workspace.root), seed=self._seed
        )
        state: dict[str, Any] = {}
        try:
            for value in self._agent.stream(
                {"question": one.question}, context=context, stream_mode="values"
            ):
                state = value if isinstance(value, dict) else state
        except TuomError as error:
            return {"answer": str(error), "outcome": "error"}
        return state

    def _dataset(self, one: Filled) -> DataSet:
        from tool_use_om.data.catalog import datasets_folder
        from tool_use_om.data.synthetic.sets.drawn import convert

        name = str(one.card["name"])
        folder = datasets_folder(self._workspace) / name
        if not (folder / "manifest.json").is_file():
            convert(folder, seed=int(name.rpartition("-")[2]))
        return DataSet.open(folder)

    def _truth(self, one: Filled) -> Truth | None:
        statistic = statistic_of(one)
        if statistic is None and one.phrasing.template.startswith(("stat-", "exclude")):
            return None
        text = one.phrasing.text
        meant = {**one.meant, "split": word_of("split", text), "low": bool(_LOW.search(text))}
        return truth_of(one.phrasing.template, self._dataset(one), meant, statistic or "mean")

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return the outcomes by language, by how they were judged, and the wrong answers."""
        languages = ["all", *sorted({r["language"] for r in rows})]
        parts = {name: [r for r in rows if name in {"all", r["language"]}] for name in languages}
        ways = {how: [r for r in rows if r["judged"] == how] for how in _HOW}
        wrong = [(s, r) for s in SYSTEMS for r in rows if r["outcomes"][s] == "wrong"]
        return [
            Table(
                title="Answers",
                note="Not answered: not understood, or said to be out of reach. Groups of the "
                "bootstrap: templates.",
                rows=tuple(_shares("language", n, s, p) for n, p in parts.items() for s in SYSTEMS),
            ),
            Table(
                title="By how they were judged",
                note="Against numpy: run and compared with the samples. By planned calls: no "
                "single true value.",
                rows=tuple(
                    _shares("judged", _HOW[n], s, p) for n, p in ways.items() if p for s in SYSTEMS
                ),
            ),
            Table(
                title="Wrong answers",
                note="What was said.",
                rows=tuple(
                    {"system": s, "template": r["template"], "question": r["question"],
                     "answer": " ".join(r["answers"][s].split())[:160]}
                    for s, r in wrong
                ),
            ),
        ]  # fmt: skip


@contextmanager
def _rules_alone(alone: bool) -> Iterator[None]:  # noqa: FBT001 - one switch
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = "off" if alone else ""
    try:
        yield
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before


def _shares(title: str, name: str, system: str, rows: Sequence[Row]) -> dict[str, str]:
    from tool_use_om.heads.numeric.metrics import bootstrap_interval

    cells = {title: f"{name} ({len(rows)})", "system": system}
    groups = [str(r["template"]) for r in rows]
    for kind in OUTCOMES:
        hits = [float(r["outcomes"][system] == kind) for r in rows]
        found = bootstrap_interval(hits, groups=groups, share=True)
        cells[kind] = with_interval(found.value, found.lower, found.upper)
    times = sorted(float(r["seconds"][system]) for r in rows)
    return {**cells, "median s": f"{times[len(times) // 2]:.2f}"}
