"""TimeSeriesExam by a reader, beside the same language model without the signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tool_use_om.data.progress import Progress, track
from tool_use_om.evals.report import Table
from tool_use_om.heads.describe.exam import Item, exam_prompt
from tool_use_om.heads.describe.prompts import Prompt, without_signal
from tool_use_om.heads.describe.reader import Reader
from tool_use_om.heads.numeric.metrics import wilson

_AT_ONCE = 16


def drawn(items: Sequence[Item], n: int, seed: int) -> list[Item]:
    """Return `n` questions drawn without replacement; all of them where there are fewer."""
    order = np.random.default_rng(seed).permutation(len(items))[:n]
    return [items[i] for i in sorted(order)]


def sit_exam(reader: Reader, items: Sequence[Item], progress: Progress | None = None) -> Table:
    """Return accuracy by category: of the reader, of both texts alone, and of chance."""
    prompts = [exam_prompt(item) for item in items]
    asked: dict[str, list[Prompt]] = {
        "reader": prompts,
        "statistics in text": [without_signal(p, scale=True) for p in prompts],
        "text only": [without_signal(p, scale=False) for p in prompts],
    }
    right: dict[str, list[float]] = {}
    for name in track(tuple(asked), progress, phase="exam", unit="ways", total=len(asked)):
        answers = _answers(reader, asked[name])
        right[name] = [float(a == i.letter) for a, i in zip(answers, items, strict=True)]
    right["chance"] = [1 / len(item.options) for item in items]
    kinds = [*sorted({i.category for i in items}), "all"]
    rows = tuple(_row(kind, items, right) for kind in kinds)
    note = "Answers are the likeliest letters. Wilson's 95 % intervals."
    return Table(title="TimeSeriesExam", note=note, rows=rows)


def _answers(reader: Reader, prompts: Sequence[Prompt]) -> list[str]:
    """Return the letter of each, questions of like length read together."""
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i].text))
    found = [""] * len(prompts)
    for first in range(0, len(order), _AT_ONCE):
        some = order[first : first + _AT_ONCE]
        for i, answer in zip(some, reader.choose([prompts[i] for i in some]), strict=True):
            found[i] = answer
    return found


def _row(kind: str, items: Sequence[Item], right: Mapping[str, Sequence[float]]) -> dict[str, str]:
    here = [i for i, item in enumerate(items) if kind in ("all", item.category)]
    row = {"category": kind, "questions": str(len(here))}
    for name, values in right.items():
        share = float(np.mean([values[i] for i in here]))
        low, high = wilson(share, len(here))
        row[name] = f"{share:.3f}" if name == "chance" else f"{share:.3f} [{low:.3f}, {high:.3f}]"
    return row
