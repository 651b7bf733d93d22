"""Three tasks over resource curves: describe a trend (A), spot the bottleneck (B), feasibility (C).

Answers to B and C are balanced so that the question's words alone tell nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tool_use_om.heads.describe.facts import Fact, Kind
from tool_use_om.heads.describe.resources import (
    CHANNELS,
    PATTERNS,
    Curve,
    Curves,
    ResourceCurveSynthesizer,
)
from tool_use_om.heads.describe.sentences import TextDescriptionGenerator, two_digits

Task = Literal["A", "B", "C"]
SHARES: tuple[tuple[Task, float], ...] = (("A", 0.4), ("B", 0.3), ("C", 0.3))
SIGNAL = "<signal>"
_NEEDS = np.arange(0.2, 0.61, 0.05)  # of the capacity
_MINUTES = (5, 10, 20, 30)
_MOST = 10_000  # curves tried
_CLEAR = 0.08  # of the capacity: how far from the edge a question is
_AT_ONCE: tuple[Kind, ...] = ("steady", "rise", "fall", "leak", "plateau", "saw")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A question over curves, with its answer.

    Parameters
    ----------
    question : what is asked, without the signal's block
    answer : what is right
    options : the answers there are; () where the answer is free text
    facts : what holds of the curves asked about
    numbers : what the question itself says, as a probe may use it
    """

    task: Task
    curves: Curves
    question: str
    answer: str
    options: tuple[str, ...]
    facts: tuple[Fact, ...]
    numbers: tuple[float, ...] = ()


class Tasks:
    """The corpus: sample `i` of a seed is always the same, and there is no last one."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._curves = ResourceCurveSynthesizer(seed)
        self._text = TextDescriptionGenerator(seed)

    def sample(self, number: int, task: Task | None = None) -> Sample:
        """Return a sample, of a task drawn by `SHARES` unless it is given."""
        rng = np.random.default_rng([self.seed, number, 1])
        names, shares = zip(*SHARES, strict=True)
        drawn: Task = names[int(rng.choice(len(names), p=shares))]
        return {"A": self._trend, "B": self._bottleneck, "C": self._feasible}[task or drawn](
            number, rng
        )

    def _trend(self, number: int, rng: np.random.Generator) -> Sample:
        kinds = list(PATTERNS)
        kind = kinds[int(rng.integers(len(kinds)))]
        channel = "memory" if kind == "leak" else CHANNELS[int(rng.integers(len(CHANNELS)))]
        curves = self._curves.draw_pattern(number, channel, kind)
        facts = curves.curves[0].facts
        return Sample(
            task="A", curves=curves, question=f"What does {channel} do?",
            answer=self._text.text(facts, number), options=(), facts=facts,
        )  # fmt: skip

    def _bottleneck(self, number: int, rng: np.random.Generator) -> Sample:
        options = (*CHANNELS, "none")
        answer = options[int(rng.integers(len(options)))]
        curves = self._curves.draw(number, CHANNELS, None if answer == "none" else answer)
        facts = tuple(f for c in curves.curves for f in c.facts)
        return Sample(
            task="B", curves=curves, question="Which resource is the bottleneck?", answer=answer,
            options=options, facts=facts,
        )  # fmt: skip

    def _feasible(self, number: int, rng: np.random.Generator) -> Sample:
        """Draw the need, then the answer, then curves until one fits: no one tells another."""
        need = float(rng.choice(_NEEDS))
        minutes = int(rng.choice(_MINUTES))
        wanted = bool(rng.integers(2))
        curves = next(
            found
            for attempt in range(_MOST)
            if self._fits(found := self._memory(rng, number, attempt), need, minutes, wanted)
        )
        curve = curves.curves[0]
        asked = f"{two_digits(need * curve.limit)} GB"
        limit = two_digits(curve.limit)
        question = f"Can a job needing {asked} of {limit} GB for {minutes} min start now?"
        return Sample(
            task="C", curves=curves, question=question, answer="yes" if wanted else "no",
            options=("yes", "no"), facts=curve.facts, numbers=(need, minutes / 30),
        )  # fmt: skip

    def _memory(self, rng: np.random.Generator, number: int, attempt: int) -> Curves:
        kind = _AT_ONCE[int(rng.integers(len(_AT_ONCE)))]
        return self._curves.draw_pattern(_MOST * number + attempt, "memory", kind)

    @staticmethod
    def _fits(curves: Curves, need: float, minutes: int, wanted: bool) -> bool:  # noqa: FBT001
        """Say whether these curves clearly give the answer that is wanted."""
        curve = curves.curves[0]
        rest = 1.0 - ahead(curve, 60.0 * minutes) / curve.limit - need
        return (rest > 0) == wanted and abs(rest) > _CLEAR


def ahead(curve: Curve, seconds: float) -> float:
    """Return the most a memory curve will use within the next seconds, as its pattern goes on."""
    now = float(np.median(curve.values[-5:]))
    if curve.pattern == "saw":
        return float(curve.facts[0].values["high"])
    return min(curve.limit, now + max(0.0, curve.slope) * seconds)
