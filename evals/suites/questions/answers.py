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
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table, with_interval
from tool_use_om.evals.suites.base import BaseSuite
from tool_use_om.evals.suites.questions.examples import HELDOUT_SEEDS, Filled, filled
from tool_use_om.evals.suites.questions.expected import statistic_of, word_of
from tool_use_om.evals.suites.questions.reader import ReaderSettings, outcome
from tool_use_om.evals.suites.questions.truth import TRUE_TEMPLATES, Truth, truth_of
from tool_use_om.evals.suites.questions.written import held_out

OUTCOMES = ("right", "partly", "asked back", "not answered", "wrong")
SYSTEMS = ("reader and rules", "rules alone")
_HOW = {"truth": "against numpy", "refusal": "must be refused", "calls": "by planned calls"}
_LOW = re.compile(
    r"\b(?:lowest|least|minimum|minimal\w*|min|smallest|bottom\w*|trough|fewest|weakest|"
    r"niedrig\w*|kleinst\w*|tiefst\w*|geringst\w*|basse?s?|faibles?|petite?s?|moins)\b|最低|最小",
    re.IGNORECASE,
)

_HEAD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_TABLE = 12  # rows of a table that an answer shows
_SOME = 0.5  # share of the parts from which on an answer is partly right


class AnswersSuite(BaseSuite):
    """Held-out phrasings about held-out data sets, answered with the reader and without.

    The drawn sets are simulated once, in the workspace.
    """

    name = "answers"
    takes = ReaderSettings
    asked: ReaderSettings

    def __init__(self, *, workspace: Workspace, **given: Json) -> None:
        super().__init__(workspace=workspace, **given)
        rows, limit = filled(held_out(), HELDOUT_SEEDS), self.asked.limit
        step = max(1, len(rows) // limit) if limit else 1
        self._rows = {f"{i:04d}": row for i, row in enumerate(rows) if i % step == 0}
        self._drawn = Workspace.at(workspace.folder("drawn-sets"))
        if the_reader() is None:
            raise DataError("The reader is turned off: unset TUOM_READER.")

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
            dataset=str(one.card["name"]), workspace=str(self._drawn.root), seed=self.asked.seed
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
        folder = datasets_folder(self._drawn) / name
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


def judged(truth: Truth, state: Mapping[str, Any]) -> str:
    """Return "right", "partly" or "wrong": what an answer says, beside what is true.

    One number or name must be in the answer's first sentence (0 may be told as "none"); a number
    behind it is partly right. Of several names all must be in the answer, and none that are not
    true in its first sentence (their number alone is partly right); of the numbers of groups all
    must be among the values it shows, of more than a table holds the highest and the lowest.
    Numbers agree within the truth's tolerance, in its unit.

    Parameters
    ----------
    state : of a finished run, with "answer" and "findings"
    """
    answer = str(state.get("answer") or "")
    found = _HEAD.search(answer)
    head = found[1] if found else answer
    value = truth.value
    if isinstance(value, Mapping):
        return _of_groups(truth, value, state.get("findings") or ())
    if isinstance(value, tuple):
        return _of_names(truth, value, answer, head)
    if isinstance(value, str):
        return "right" if _said(value, head) else "wrong"
    return _of_number(truth, value, answer, head, state.get("findings") or ())


def _of_number(
    truth: Truth, value: float, answer: str, head: str, findings: Sequence[Mapping[str, Any]]
) -> str:
    none = value == 0 and re.search(r"\b(?:none|no)\b", head, re.IGNORECASE) is not None
    if none or _number(truth, value, _shown_in(head, findings)):
        return "right"
    return "partly" if _number(truth, value, _shown_in(answer, findings)) else "wrong"


def _shown_in(head: str, findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the findings whose value stands in the first sentence as it is written."""
    return [f for f in findings if _said(str(f.get("statement", "")).rpartition(": ")[2], head)]


def _number(truth: Truth, value: float, findings: Iterable[Mapping[str, Any]]) -> bool:
    return any(_equal(truth, value, one) for one in findings)


def _equal(truth: Truth, value: float, finding: Mapping[str, Any]) -> bool:
    got, unit = finding.get("value"), finding.get("unit")
    if isinstance(got, bool) or not isinstance(got, int | float):
        return False
    if truth.unit == "%" and unit == "frac":
        got, unit = 100 * got, "%"
    if truth.unit and unit != truth.unit:
        return False
    return abs(got - value) <= max(truth.tolerance * abs(value), 1e-5 * abs(value), 1e-9)


def _of_groups(
    truth: Truth, groups: Mapping[str, float], findings: Sequence[Mapping[str, Any]]
) -> str:
    met = sum(_number(truth, value, findings) for value in groups.values())
    ends = all(_number(truth, v, findings) for v in (min(groups.values()), max(groups.values())))
    if met == len(groups) or (ends and len(groups) > _TABLE):
        return "right"
    return "partly" if met >= _SOME * len(groups) else "wrong"


def _of_names(truth: Truth, names: Sequence[str], answer: str, head: str) -> str:
    if any(_said(name, head) for name in truth.others):
        return "wrong"
    if not names:
        return "right" if re.search(r"\bno\b|\bnone\b", head, re.IGNORECASE) else "wrong"
    met = sum(_said(name, answer) for name in names)
    if not met and _said(str(len(names)), head):
        return "partly"
    if met == len(names) or (met >= min(len(names), 10) and "and others" in head):
        return "right"
    return "partly" if met >= _SOME * len(names) else "wrong"


def _said(name: str, text: str) -> bool:
    pattern = rf"(?<![\w.-]){re.escape(name)}(?![\w-])"
    return bool(name) and re.search(pattern, text, re.IGNORECASE) is not None
