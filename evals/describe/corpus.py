"""Whether the describing corpus is what it says: balance, lengths, no text against truth."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tool_use_om.data.progress import Progress, track
from tool_use_om.data.show import page
from tool_use_om.heads.describe.rereading import contradictions
from tool_use_om.heads.describe.tasks import Sample, Task, Tasks

_TASKS: dict[Task, str] = {
    "A": "Describe a trend",
    "B": "Spot the bottleneck",
    "C": "Say whether a job fits",
}
_SHOWN = 4  # samples a task that the page draws


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a look at samples `0 … n-1` of a seed found.

    Parameters
    ----------
    counts : (task, answer) → samples; for A the answer is the kind of its main fact
    words : words of each answer to A
    wrong : each contradiction, in words
    """

    seed: int
    n: int
    counts: Counter[tuple[Task, str]]
    words: Sequence[int]
    wrong: Sequence[str]
    shown: Sequence[Sample]

    def balance(self, task: Task) -> list[dict[str, str]]:
        """Return a row for each answer of a task: how often, and its share."""
        rows = {k: v for (t, k), v in sorted(self.counts.items()) if t == task}
        whole = sum(rows.values())
        return [
            {"answer": k, "samples": str(v), "share": f"{100 * v / whole:.1f} %"}
            for k, v in rows.items()
        ]


def check_corpus(seed: int, n: int, progress: Progress | None = None) -> Checked:
    """Read `n` samples of the corpus and every text of them back."""
    tasks = Tasks(seed)
    counts: Counter[tuple[Task, str]] = Counter()
    words: list[int] = []
    wrong: list[str] = []
    shown: list[Sample] = []
    for number in track(range(n), progress, phase="check", unit="samples", total=n):
        sample = tasks.sample(number)
        counts[sample.task, sample.answer if sample.options else sample.facts[0].kind] += 1
        if not sample.options:
            words.append(len(sample.answer.split()))
            units = {c.channel: c.unit for c in sample.curves.curves}
            wrong += contradictions(sample.answer, sample.facts, units)
        if sum(s.task == sample.task for s in shown) < _SHOWN:
            shown.append(sample)
    return Checked(seed=seed, n=n, counts=counts, words=words, wrong=wrong, shown=shown)


def write_page(checked: Checked, target: Path) -> None:
    """Write the check as one HTML page with its figures inside."""
    words = np.array(checked.words or [0])
    values: dict[str, Any] = {
        "title": f"The describing corpus, seed {checked.seed}",
        "eyebrow": "tool-use-om · synthetic: no machine was measured",
        "n": checked.n,
        "wrong": list(checked.wrong),
        "tasks": [
            {"name": f"{task}: {name}", "rows": checked.balance(task)}
            for task, name in _TASKS.items()
        ],
        "lengths": f"{words.min()} to {words.max()} words, median {np.median(words):.0f}",
        "samples": [_shown(s) for s in sorted(checked.shown, key=lambda s: s.task)],
        "command": f"tuom describe validate --samples {checked.n} --seed {checked.seed}",
    }
    target.write_text(page.render(Path(__file__).parent / "corpus.html.j2", values), "utf-8")


def _shown(sample: Sample) -> dict[str, str]:
    return {
        "task": sample.task,
        "question": sample.question,
        "answer": sample.answer,
        "picture": page.inlined(_picture(sample)),
    }


def _picture(sample: Sample) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 2.2), layout="constrained")
    axes = figure.subplots()
    for curve in sample.curves.curves:
        share = 100 * curve.values / curve.limit
        axes.plot(sample.curves.time_s / 60, share, label=curve.channel, linewidth=1)
    axes.set(xlabel="min", ylabel="% of the limit", ylim=(0, 104))
    axes.legend(loc="upper right", fontsize=7)
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=110, metadata={"Software": None})
    return held.getvalue()
