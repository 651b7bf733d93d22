"""How well questions are read: the form, the calls, what is asked back, and what comes out wrong.

Each held-out phrasing is filled from a drawn data set that training never met, read by each
system, and the calls it would plan are scored against the expected ones. No tool is run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from pydantic import Field

from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.model import steps_of
from tool_use_om.agent.offline.reader.agreement import Part
from tool_use_om.agent.offline.reader.forms import REFUSED
from tool_use_om.agent.offline.reader.probe import Sorted
from tool_use_om.agent.offline.reader.slots import Slots, read_slots
from tool_use_om.agent.offline.reader.understand import Reader, decide, the_reader
from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table, with_interval
from tool_use_om.evals.suites.base import BaseSuite, Settings
from tool_use_om.evals.suites.questions.examples import (
    HELDOUT_SEEDS,
    LEARNT_SEEDS,
    Filled,
    example,
    filled,
    vectors_of,
)
from tool_use_om.evals.suites.questions.expected import expected
from tool_use_om.evals.suites.questions.scoring import score_calls
from tool_use_om.evals.suites.questions.written import held_out, learnt

OUTCOMES = ("right", "asked back", "not understood", "wrong")
SYSTEMS = ("reader and rules", "reader alone", "rules alone", "nearest phrasing", "letters")


class ReaderSettings(Settings):
    """Settings of the reader suite."""

    limit: int | None = Field(None, ge=1, description="Phrasings at most, evenly spread.")

    @property
    def label(self) -> str:
        """How many phrasings, where not all."""
        return "" if self.limit is None else str(self.limit)


class ReaderSuite(BaseSuite):
    """Held-out phrasings about held-out data sets, read by the reader and by what stands beside it.

    Cards are drawn and no tool runs; the workspace keeps the vectors of the phrasings learnt.
    """

    name = "reader"
    takes = ReaderSettings
    asked: ReaderSettings

    def __init__(self, *, workspace: Workspace, **given: Json) -> None:
        super().__init__(workspace=workspace, **given)
        rows, limit = filled(held_out(), HELDOUT_SEEDS), self.asked.limit
        step = max(1, len(rows) // limit) if limit else 1
        self._rows = {f"{i:04d}": row for i, row in enumerate(rows) if i % step == 0}

    def items(self) -> Sequence[str]:
        """Return the numbers of the phrasings."""
        return list(self._rows)

    @cached_property
    def _reader(self) -> Reader:
        reader = the_reader()
        if reader is None:
            raise DataError("The reader needs an extra: pip install 'tool-use-om[language]'.")
        return reader

    @cached_property
    def _beside(self) -> Beside:
        return Beside(self._reader, self.workspace)

    def run(self, item: str) -> Row:
        """Read one phrasing by every system."""
        one = self._rows[item]
        names = Names.of([one.card])
        started = time.perf_counter()
        query = self._reader.understand(one.question, [one.card])
        seconds = time.perf_counter() - started
        rules = parse(one.question, [one.card])
        slots = read_slots(one.question, names)
        found = self._reader.sort(slots)
        queries = {"reader and rules": query, "rules alone": rules}
        nothing = Query(dataset=rules.dataset)
        forms = {"reader alone": found.forms, **self._beside.forms(slots)}
        for system, named in forms.items():
            alone = system != "reader alone"
            own = Sorted(
                forms=named, shares=dict.fromkeys(named, 1.0) if alone else found.shares,
                decided=alone or found.decided,
            )  # fmt: skip
            part = Part(slots=slots, found=own, rules=nothing)
            queries[system] = decide(part, (), names, [one.card])
        truth = one.phrasing.template
        outcomes = {system: outcome(one, query) for system, query in queries.items()}
        top = next(iter(found.shares))
        return {
            "template": truth,
            "language": one.phrasing.language,
            "voice": one.phrasing.voice,
            "top": top,
            "form_right": top == truth,
            "beside_right": {s: f[:1] == (truth,) for s, f in forms.items() if s != "reader alone"},
            "set_size": len(found.forms),
            "covered": truth in found.forms,
            "decided": found.decided,
            "outcomes": outcomes,
            "milliseconds": round(1000 * seconds, 1),
        }

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return forms and sets by language, and outcomes by system."""
        languages = ["all", *sorted({r["language"] for r in rows})]
        parts = {name: [r for r in rows if name in {"all", r["language"]}] for name in languages}
        return [
            Table(
                title="Forms of question",
                note="Groups of the bootstrap: templates. The set is the split-conformal one.",
                rows=tuple(_forms(name, part) for name, part in parts.items()),
            ),
            Table(
                title="What comes of it",
                note="Right: the expected calls with their arguments, or a refusal where none is "
                "right. Asked back: nothing is run, the choices are shown.",
                rows=tuple(
                    _outcomes(name, system, part)
                    for name, part in parts.items()
                    for system in SYSTEMS
                ),
            ),
        ]


class Beside:
    """What the reader is compared with: the nearest phrasing, and letters alone."""

    def __init__(self, reader: Reader, workspace: Workspace) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        examples = [example(one) for one in filled(learnt(), LEARNT_SEEDS)]
        texts = [e.slots.masked for e in examples]
        self._forms = [e.form for e in examples]
        self._encode: Callable[[Sequence[str]], Any] = reader.encode
        self._vectors = vectors_of(texts, self._encode, workspace)
        self._letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
        self._table = self._letters.fit_transform(texts)

    def forms(self, slots: Slots) -> dict[str, tuple[str, ...]]:
        """Return system → the one form it names."""
        near = self._vectors @ self._encode([slots.masked])[0]
        alike = (self._table @ self._letters.transform([slots.masked]).T).toarray()[:, 0]
        return {
            "nearest phrasing": (self._forms[int(near.argmax())],),
            "letters": (self._forms[int(alike.argmax())],),
        }


def outcome(one: Filled, query: Query) -> str:
    """Return what comes of a query: one of `OUTCOMES`."""
    want = expected(one)
    steps = steps_of(query, [one.card])
    if steps:
        made = [{"tool": s.tool, "args": dict(s.args)} for s in steps]
        return "right" if want and score_calls(want, made) else "wrong"
    if want == [] and one.phrasing.template in REFUSED:
        return "right"
    if query.choices:
        return "asked back"
    refused = bool(query.refused) and query.by == "reader"
    if want is None:
        return "right"
    wrongly = refused and any(text in query.refused for text in REFUSED.values())
    return "wrong" if wrongly else "not understood"


def _forms(name: str, rows: Sequence[Row]) -> dict[str, str]:
    cells = {"language": name, "phrasings": str(len(rows))}
    cells["form right"] = _share(rows, lambda r: r["form_right"])
    for system in ("nearest phrasing", "letters"):
        cells[system] = _share(rows, _reads("beside_right", system, True))
    cells["set holds it"] = _share(rows, lambda r: r["covered"])
    cells["mean set"] = f"{sum(r['set_size'] for r in rows) / len(rows):.2f}"
    cells["decided"] = _share(rows, lambda r: r["decided"])
    times = sorted(float(r["milliseconds"]) for r in rows)
    return {**cells, "median ms": f"{times[len(times) // 2]:.0f}"}


def _outcomes(name: str, system: str, rows: Sequence[Row]) -> dict[str, str]:
    cells = {"language": name, "system": system}
    for kind in OUTCOMES:
        cells[kind] = _share(rows, _reads("outcomes", system, kind))
    return cells


def _reads(column: str, system: str, value: object) -> Callable[[Row], bool]:
    """Return what says whether a system's cell of a column has this value."""
    return lambda row: bool(row[column][system] == value)


def _share(rows: Sequence[Row], holds: Callable[[Row], bool]) -> str:
    from tool_use_om.heads.numeric.metrics import bootstrap_interval

    groups = [str(r["template"]) for r in rows]
    found = bootstrap_interval([float(holds(r)) for r in rows], groups=groups, share=True)
    return with_interval(found.value, found.lower, found.upper)
