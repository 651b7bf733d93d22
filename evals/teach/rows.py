"""Rows to learn the compact protocol from: phrasings filled from drawn sets, and their plans.

Each row depends on its place alone, so rows can be made side by side, and an interrupted run goes
on where it stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.orchestrator.protocol import Plan, prompt_of, write_plan
from tool_use_om.agent.orchestrator.steps import bare
from tool_use_om.data.errors import DataError, TuomError
from tool_use_om.data.synthetic.sets.drawn import draw_set
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.questions.examples import HELDOUT_SEEDS, Filled
from tool_use_om.evals.suites.questions.fill import card_of, fill
from tool_use_om.evals.suites.questions.written import Phrasing, held_out, learnt, overlap
from tool_use_om.evals.teach.negatives import ambiguous, lacking, pointing, refused
from tool_use_om.evals.teach.teacher import planned, taught
from tool_use_om.evals.teach.verify import problem

TEACH_SEEDS = range(80)
"""Drawn sets that fill the rows; none of them is among the held-out ones."""
_SHARES = ((lacking, 0.22), (pointing, 0.12), (ambiguous, 0.12))
"""What no call answers → how many rows of it a phrasing brings."""


@dataclass
class Rows:
    """Rows kept; those that are not, with the reason; pairs of a right and a wrong plan."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[dict[str, Any]] = field(default_factory=list)

    def share_without_calls(self) -> float:
        """Return the share of kept rows that ask back, say what is lacking, or refuse."""
        without = sum(r["meta"]["kind"] != "calls" for r in self.kept)
        return float(without) / max(1, len(self.kept))

    def reasons(self) -> Counter[str]:
        """Return reason → how many rows were rejected for it."""
        return Counter(str(r["reason"]).partition(":")[0] for r in self.rejected)


@dataclass(frozen=True, kw_only=True)
class Maker:
    """Makes the rows of any place.

    Parameters
    ----------
    passes : how often each phrasing is filled
    seeds : of the drawn sets that fill them
    place : workspace to run the calls in; None = they are judged by the template alone

    Raises
    ------
    DataError : a phrasing or a data set is among the held-out ones
    """

    passes: int = 1
    seed: int = 0
    seeds: range = TEACH_SEEDS
    phrasings: tuple[Phrasing, ...] = field(default_factory=lambda: tuple(learnt()))
    place: Workspace | None = None

    def __post_init__(self) -> None:
        check_apart(self.phrasings, self.seeds)

    def __len__(self) -> int:
        return self.passes * len(self.phrasings)

    def order(self) -> list[int]:
        """Return every place once, mixed: any beginning of it is like the whole."""
        rng = np.random.default_rng([self.seed, 77])
        return [int(i) for i in rng.permutation(len(self))]

    def rows(self, at: int) -> Rows:
        """Return what the phrasing at a place brings: its row, and at times ones without calls."""
        phrasing = self.phrasings[at % len(self.phrasings)]
        rng = np.random.default_rng([self.seed, 78, at])
        card = card_of(draw_set(int(rng.choice(self.seeds))))
        question, meant = fill(phrasing.text, card, phrasing.language, rng)
        out = Rows()
        self._add(out, Filled(phrasing=phrasing, question=question, meant=meant, card=card))
        for make, share in _SHARES:
            if rng.random() < share and (made := make(phrasing, self.seeds, rng)):
                _keep(out, made[0], made[1], kind=make.__name__)
        return out

    def _add(self, out: Rows, one: Filled) -> None:
        if plan := refused(one):
            _keep(out, one, plan, kind="refused")
            return
        lesson = taught(one)
        reason = lesson.reason
        if lesson.calls and self.place is not None:
            reason = problem(one, lesson.calls, lesson.understood.to_json(), self.place)
        if reason:
            wrong = write_plan(Plan(calls=lesson.calls)) if lesson.calls else ""
            out.rejected.append(
                {"reason": reason, "question": one.question, "plan": wrong, **_meta(one)}
            )
        else:
            _keep(out, one, Plan(calls=bare(lesson.calls, str(one.card["name"]))), kind="calls")


def check_apart(phrasings: Sequence[Phrasing], seeds: range) -> None:
    """Raise DataError where what is learnt from meets what is held out: phrasings or data sets."""
    if shared := sorted(set(seeds) & set(HELDOUT_SEEDS)):
        raise DataError(f"Drawn sets {shared[:5]} are held out; choose other seeds.")
    if same := overlap(phrasings, held_out()):
        raise DataError(f"{len(same)} phrasings are held out, such as {same[0]!r}; drop them.")


def _keep(out: Rows, one: Filled, plan: Plan, *, kind: str) -> None:
    row = row_of(one, plan, kind=kind)
    out.kept.append(row)
    for reason, wrong in _wrong_plans(one, row["completion"]):
        pair = {"prompt": row["prompt"], "chosen": row["completion"], "rejected": wrong}
        out.pairs.append({**pair, "meta": {**row["meta"], "reason": reason}})


def _wrong_plans(one: Filled, right: str) -> Iterator[tuple[str, str]]:
    """Yield what the rules alone plan for the question where that is another plan."""
    try:
        calls = planned(parse(one.question, [one.card]), one.card)
    except TuomError:
        return
    wrong = write_plan(Plan(calls=bare(calls, str(one.card["name"])))) if calls else ""
    if wrong and wrong != right:
        yield "the rules plan other calls", wrong


def row_of(one: Filled, plan: Plan, *, kind: str) -> dict[str, Any]:
    """Return a row: `prompt`, `completion`, and `meta` that says where it is from."""
    return {
        "prompt": prompt_of(one.question, one.card),
        "completion": write_plan(plan),
        "meta": {"kind": kind, **_meta(one)},
    }


def _meta(one: Filled) -> dict[str, Any]:
    return {
        "template": one.phrasing.template,
        "language": one.phrasing.language,
        "voice": one.phrasing.voice,
        "dataset": one.card["name"],
    }
