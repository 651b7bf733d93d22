"""Plans for held-out phrasings about held-out data: rules, reader, base model, orchestrator.

No tool is run: the calls a system would make are scored against the expected ones, and what it says
where no call is right against that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import Field

from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.reader.forms import REFUSED
from tool_use_om.agent.offline.reader.understand import the_reader
from tool_use_om.agent.orchestrator import base
from tool_use_om.agent.orchestrator.decode import Decoder
from tool_use_om.agent.orchestrator.grammar import plan_schema
from tool_use_om.agent.orchestrator.protocol import Plan, prompt_of, read_plan
from tool_use_om.agent.orchestrator.steps import complete
from tool_use_om.agent.training.compact import load_base
from tool_use_om.data.errors import DataError, TuomError
from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table, with_interval
from tool_use_om.evals.suites.base import BaseSuite, Settings
from tool_use_om.evals.suites.questions.examples import HELDOUT_SEEDS, Filled, filled
from tool_use_om.evals.suites.questions.expected import expected
from tool_use_om.evals.suites.questions.scoring import score_calls, tools_right
from tool_use_om.evals.suites.questions.written import held_out
from tool_use_om.evals.teach.negatives import ambiguous, lacking, pointing
from tool_use_om.evals.teach.rows import Maker
from tool_use_om.evals.teach.teacher import planned
from tool_use_om.tools.registry import TOOLS

SYSTEMS = ("rules", "reader", "base", "orchestrator", "auto")
OUTCOMES = ("right", "asked back", "not understood", "wrong")
_SHOWN = 6  # rows the base model is shown before the question
_WITHOUT = (lacking, pointing, ambiguous)
Planner = Callable[[Filled], Plan]


class PlanSettings(Settings):
    """Settings of the suite of plans."""

    system: tuple[str, ...] = Field(
        SYSTEMS,
        min_length=1,
        description="Only this system: rules, reader, base, orchestrator or auto; repeatable.",
    )
    limit: int | None = Field(None, ge=1, description="Questions at most, evenly spread.")

    @property
    def label(self) -> str:
        """The systems, and how many questions where not all."""
        return "-".join([*self.system, *([] if self.limit is None else [str(self.limit)])])


class OrchestratorSuite(BaseSuite):
    """Held-out phrasings about held-out data sets, planned by several systems."""

    name = "orchestrator"
    takes = PlanSettings
    asked: PlanSettings

    def __init__(self, *, workspace: Workspace, **given: Json) -> None:
        super().__init__(workspace=workspace, **given)
        if unknown := sorted(set(self.asked.system) - set(SYSTEMS)):
            raise DataError(f"No system {unknown[0]!r}; there are {', '.join(SYSTEMS)}.")
        rows, limit = list(_asked(self.seed)), self.asked.limit
        step = max(1, len(rows) // limit) if limit else 1
        self._rows = {f"{i:04d}": row for i, row in enumerate(rows) if i % step == 0}

    def items(self) -> Sequence[str]:
        """Return the numbers of the questions."""
        return list(self._rows)

    @cached_property
    def _planners(self) -> Mapping[str, Planner]:
        made: dict[str, Planner] = {}
        for system in self.asked.system:
            if system == "rules":
                made[system] = lambda one: as_plan(parse(one.question, [one.card]), one)
            elif system == "reader":
                made[system] = _read
            elif system == "base":
                decoder = Decoder(*load_base(base.base_folder(self.workspace)))
                made[system] = _written(decoder, _examples())
            elif system == "orchestrator":
                made[system] = _written(Decoder(*base.load(self.workspace)), "")
            else:
                made[system] = _reader_first(
                    made.get("orchestrator") or _written(Decoder(*base.load(self.workspace)), "")
                )
        return made

    def run(self, item: str) -> Row:
        """Have one question planned by every system."""
        one, want = self._rows[item]
        row: Row = {
            "template": one.phrasing.template,
            "language": one.phrasing.language,
            "kind": want.refuse or ("lacks" if want.lacks else "ask" if want.ask else "calls"),
            "question": one.question,
        }
        for system, plan_of in self._planners.items():
            started = time.perf_counter()
            try:
                plan = plan_of(one)
            except TuomError as error:
                plan, row[f"{system} error"] = Plan(ask="dataset"), str(error)[:200]
            row[system] = {
                "seconds": round(time.perf_counter() - started, 3),
                "outcome": outcome(one, want, plan),
                "tools_right": _tools_right(one, plan),
                "plan": plan.model_dump(exclude_defaults=True),
            }
        return row

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return outcomes by system and language, and what was planned wrong."""
        languages = ["all", *sorted({r["language"] for r in rows})]
        found = tuple(
            _outcomes(name, system, [r for r in rows if name in {"all", r["language"]}])
            for name in languages
            for system in self.asked.system
        )
        wrong = tuple(
            {"system": s, "template": r["template"], "question": r["question"],
             "planned": str(r[s]["plan"])[:200]}
            for s in self.asked.system for r in rows if r[s]["outcome"] == "wrong"
        )  # fmt: skip
        note = "Groups of the bootstrap: templates. Tools: the right tools, of what has calls."
        return [
            Table(title="What is planned", note=note, rows=found),
            Table(title="Planned wrong", note="What was planned.", rows=wrong),
        ]


def _asked(seed: int) -> list[tuple[Filled, Plan]]:
    """Return the questions and what kind of reply is right: of calls, only that there are some."""
    rows = [(one, _kind_of(one)) for one in filled(held_out(), HELDOUT_SEEDS)]
    rng = np.random.default_rng([seed, 79])
    for number, phrasing in enumerate(held_out()):
        made = _WITHOUT[number % len(_WITHOUT)](phrasing, HELDOUT_SEEDS, rng)
        if made is not None and number % 4 == 0:
            rows.append(made)
    return rows


def _kind_of(one: Filled) -> Plan:
    form = one.phrasing.template
    return Plan(refuse=form) if form in REFUSED else Plan()  # type: ignore[arg-type]


def as_plan(query: Query, one: Filled) -> Plan:
    """Return what rules or reader make of a question, in the protocol's form."""
    calls = () if query.refused else planned(query, one.card)
    if calls:
        return Plan(calls=calls)
    if query.choices:
        return Plan(ask="label", options=query.choices)
    said = [form for form, text in REFUSED.items() if text in query.refused]
    if said:
        return Plan(refuse=said[0])  # type: ignore[arg-type]
    return Plan(lacks=query.refused[0]) if query.refused else Plan()


def outcome(one: Filled, want: Plan, plan: Plan) -> str:
    """Return what comes of a plan: one of `OUTCOMES`.

    Calls are right where the expected ones are met. Where no call is right, calls are wrong, a
    refusal or "the data lack it" is right for what is refused or lacking, a question back for what
    is open. To refuse what can be answered is wrong.
    """
    open_or_not = want.refuse or want.lacks or want.ask
    if plan.calls:
        expect = None if open_or_not else expected(one)
        made = [{"tool": c.tool, "args": c.args} for c in complete(plan.calls)]
        return "right" if expect and score_calls(expect, made) else "wrong"
    if plan.ask:
        return "right" if want.ask else "asked back"
    if plan.refuse or plan.lacks:
        if want.refuse or want.lacks or (not want.ask and expected(one) is None):
            return "right"
        return "not understood" if want.ask else "wrong"
    return "not understood"


def _tools_right(one: Filled, plan: Plan) -> bool | None:
    expect = expected(one)
    if not expect:
        return None
    made = [{"tool": c.tool, "args": c.args} for c in complete(plan.calls)]
    return bool(made) and tools_right(expect, made)


def _read(one: Filled) -> Plan:
    reader = the_reader()
    if reader is None:
        raise DataError("The reader needs an extra: pip install 'tool-use-om[language]'.")
    return as_plan(reader.understand(one.question, [one.card]), one)


def _reader_first(write: Planner) -> Planner:
    """Return the reader, and what is written where it asks back, as `--model auto` has it."""

    def plan(one: Filled) -> Plan:
        read = _read(one)
        if read.calls or read.refuse or read.lacks:
            return read
        written = write(one)
        return written if written.calls else read

    return plan


def _written(decoder: Decoder, before: str) -> Planner:
    def plan(one: Filled) -> Plan:
        schema = plan_schema(one.question, [one.card], list(TOOLS))
        prompt = before + prompt_of(one.question, one.card)
        return read_plan("".join(decoder.write(prompt, schema)))

    return plan


def _examples() -> str:
    """Return rows of different templates as a base model is shown them; none is held out."""
    maker = Maker()
    places = [int(i) for i in np.linspace(0, len(maker.phrasings) - 1, _SHOWN)]
    rows = [row for at in places for row in maker.rows(at).kept[:1]]
    return "".join(f"{row['prompt']}{row['completion']}\n\n" for row in rows)


def _outcomes(language: str, system: str, rows: Sequence[Row]) -> dict[str, str]:
    cells = {"language": language, "system": system, "questions": str(len(rows))}
    called = [r for r in rows if r[system]["tools_right"] is not None]
    cells["right tools"] = _share(called, lambda r: r[system]["tools_right"]) if called else "–"
    for kind in OUTCOMES:
        cells[kind] = _share(rows, lambda r, kind=kind: r[system]["outcome"] == kind)  # type: ignore[misc]
    times = sorted(float(r[system]["seconds"]) for r in rows)
    return {**cells, "median seconds": f"{times[len(times) // 2]:.2f}"}


def _share(rows: Sequence[Row], holds: Callable[[Any], bool]) -> str:
    from tool_use_om.heads.numeric.metrics import bootstrap_interval

    groups = [str(r["template"]) for r in rows]
    found = bootstrap_interval([float(holds(r)) for r in rows], groups=groups, share=True)
    return with_interval(found.value, found.lower, found.upper)
