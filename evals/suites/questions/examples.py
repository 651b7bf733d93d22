"""From phrasings to what the reader learns from: filled from drawn sets, read as at run time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.reader.probe import Example
from tool_use_om.agent.offline.reader.slots import read_slots
from tool_use_om.data.synthetic.sets.drawn import draw_set
from tool_use_om.evals.suites.questions.fill import card_of, fill
from tool_use_om.evals.suites.questions.written import Phrasing

LEARNT_SEEDS = range(40)
"""Drawn sets that fill the phrasings to learn from."""
HELDOUT_SEEDS = range(1000, 1040)
"""Drawn sets that fill the held-out phrasings; they never meet training."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A phrasing about one set: the question, what its places mean, and the set's card."""

    phrasing: Phrasing
    question: str
    meant: dict[str, Any]
    card: dict[str, Any]


def filled(phrasings: Sequence[Phrasing], seeds: range) -> list[Filled]:
    """Return each phrasing filled from one of the drawn sets, the same for the same arguments."""
    rng = np.random.default_rng([seeds.start, seeds.stop])
    cards = [card_of(draw_set(seed)) for seed in seeds]
    found = []
    for one in phrasings:
        card = cards[int(rng.integers(len(cards)))]
        question, meant = fill(one.text, card, one.language, rng)
        found.append(Filled(phrasing=one, question=question, meant=meant, card=card))
    return found


def example(one: Filled) -> Example:
    """Return a filled phrasing as the reader sees it."""
    return Example(
        slots=read_slots(one.question, Names.of([one.card])),
        form=one.phrasing.template,
        language=one.phrasing.language,
        voice=one.phrasing.voice,
    )
