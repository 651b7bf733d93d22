"""From phrasings to what the reader learns from: filled from drawn sets, read as at run time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.reader.encoder import identity
from tool_use_om.agent.offline.reader.probe import Example
from tool_use_om.agent.offline.reader.slots import read_slots
from tool_use_om.data.synthetic.sets.drawn import draw_set
from tool_use_om.data.workspace import Workspace, atomic_file
from tool_use_om.evals.suites.questions.fill import card_of, fill
from tool_use_om.evals.suites.questions.written import Phrasing

LEARNT_SEEDS = range(40)
"""Drawn sets that fill the phrasings to learn from."""
HELDOUT_SEEDS = range(1000, 1040)
"""Drawn sets that fill the held-out phrasings; they never meet training."""

_BATCH = 256


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


def vectors_of(
    texts: Sequence[str],
    encode: Callable[[Sequence[str]], np.ndarray],
    workspace: Workspace,
    on_batch: Callable[[int, int], None] = lambda _done, _total: None,
) -> np.ndarray:
    """Return the vectors (B, D) of texts; those of the same texts and encoder are kept on disk.

    Parameters
    ----------
    encode : of the encoder in use
    workspace : where they are kept
    on_batch : called with (done, total) before each batch
    """
    key = hashlib.sha256("\n".join([identity(), *texts]).encode()).hexdigest()[:24]
    kept: Path = workspace.folder("reader-vectors") / f"{key}.npy"
    if kept.is_file():
        return np.asarray(np.load(kept), np.float32)
    parts = []
    for start in range(0, len(texts), _BATCH):
        on_batch(start, len(texts))
        parts.append(encode(texts[start : start + _BATCH]))
    found: np.ndarray = np.concatenate(parts)
    with atomic_file(kept) as partial, partial.open("wb") as written:
        np.save(written, found)
    return found
