"""How well a reader answers on held-out seeds, beside what needs no reader.

The frozen language model is asked the same without the signal and with its statistics as text, both
as it is and by a linear readout of its last state; and a linear probe reads the very tokens that
the projector gets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tool_use_om.data.progress import Progress, track
from tool_use_om.evals.report import Table
from tool_use_om.heads.describe.encoder import features_of
from tool_use_om.heads.describe.prompts import prompt_of, without_signal
from tool_use_om.heads.describe.reader import Reader
from tool_use_om.heads.describe.rereading import read_back, same
from tool_use_om.heads.describe.tasks import Sample, Task, Tasks
from tool_use_om.heads.numeric.metrics import wilson

Array = np.ndarray
HELD_OUT = 1_000_003  # added to the seed of training: none of its curves is seen there
_WRITTEN = 40  # descriptions that are written out
_ENCODED = 64


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many samples a task: held-out ones, ones for readouts of texts, ones for the probe."""

    test: int = 150
    fit: int = 200
    probe: int = 1000
    seed: int = 0


def judge(
    reader: Reader, words: Sequence[int], sizes: Sizes, progress: Progress | None = None
) -> list[Table]:
    """Return the tables of a reader: answers to B and C, and how it describes (A)."""
    order: tuple[Task, ...] = ("B", "C", "A")
    done = track(order, progress, phase="judge", unit="tasks", total=3)
    rows: list[dict[str, str]] = []
    told: list[dict[str, str]] = []
    for task in done:
        if task == "A":
            told = [_described(reader, words, sizes)]
        else:
            rows += _answered(reader, task, sizes)
    note = (
        f"{sizes.test} held-out questions a task, seed {sizes.seed + HELD_OUT}; readouts are "
        f"fitted on {sizes.fit} of seed {sizes.seed}, the probe on {sizes.probe}. Wilson's 95 % "
        "intervals."
    )
    about = (
        "Perplexity and token accuracy are over the corpus's words. A written description holds if "
        f"each of its sentences, read back, is what was planted ({_WRITTEN} are written)."
    )
    return [
        Table(title="Answers to B and C", note=note, rows=tuple(rows)),
        Table(title="Descriptions (A)", note=about, rows=tuple(told)),
    ]


def _answered(reader: Reader, task: Task, sizes: Sizes) -> list[dict[str, str]]:
    held, fit = Tasks(sizes.seed + HELD_OUT), Tasks(sizes.seed)
    test = [held.sample(i, task) for i in range(sizes.test)]
    every = [fit.sample(i, task) for i in range(max(sizes.fit, sizes.probe))]
    train, shown = every[: sizes.fit], every[: sizes.probe]
    prompts, lessons = ([prompt_of(s) for s in some] for some in (test, train))
    truth, taught = ([s.answer for s in some] for some in (test, train))
    common = Counter(taught).most_common(1)[0][0]
    found: dict[str, list[str]] = {
        "the commonest answer": [common] * len(test),
        "reader": reader.choose(prompts),
        "linear probe on the same tokens": _probed(
            _tokens(reader, shown), [s.answer for s in shown], _tokens(reader, test)
        ),
    }
    for name, scale in (("text only", False), ("statistics in text", True)):
        bare, learnt = (
            [without_signal(p, scale=scale) for p in some] for some in (prompts, lessons)
        )
        states = reader.last_states(bare)
        found[f"{name}, as it is"] = reader.choose(bare, states)
        found[f"{name}, linear readout"] = _probed(reader.last_states(learnt), taught, states)
    return [_row(task, name, answers, truth) for name, answers in found.items()]


def _row(task: str, name: str, answers: Sequence[str], truth: Sequence[str]) -> dict[str, str]:
    right = [a == t for a, t in zip(answers, truth, strict=True)]
    share = sum(right) / len(right)
    low, high = wilson(share, len(right))
    return {"task": task, "by": name, "right": f"{share:.3f} [{low:.3f}, {high:.3f}]"}


def _tokens(reader: Reader, samples: Sequence[Sample]) -> Array:
    """Return what the projector reads of each sample, flat, and the question's own numbers."""
    import torch

    rows = []
    for first in range(0, len(samples), _ENCODED):
        some = samples[first : first + _ENCODED]
        curves = [row for s in some for row in prompt_of(s).rows]
        with torch.inference_mode():
            read = torch.from_numpy(features_of(curves, reader.encoder.source))
            tokens = reader.encoder.encoder(read).flatten(1).numpy()
        rows.append(tokens.reshape(len(some), -1))
    numbers = np.array([s.numbers for s in samples], dtype=np.float32)
    return np.concatenate([np.concatenate(rows), numbers], axis=1)


def _probed(train: Array, taught: Sequence[str], test: Array) -> list[str]:
    """Return what a logistic regression answers; its strength is chosen by folds of `train`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def made(c: float) -> Any:  # noqa: ANN401 - sklearn is untyped
        return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=500))

    def scored(c: float) -> float:
        return float(cross_val_score(made(c), train, taught, cv=3).mean())

    best = max((0.001, 0.01, 0.1), key=scored)
    answers: list[str] = made(best).fit(train, taught).predict(test).tolist()
    return answers


def _described(reader: Reader, words: Sequence[int], sizes: Sizes) -> dict[str, str]:
    """Return perplexity and token accuracy, and how many written descriptions hold."""
    import torch

    held = Tasks(sizes.seed + HELD_OUT)
    samples = [held.sample(i, "A") for i in range(sizes.test)]
    prompts = [prompt_of(s) for s in samples]
    losses, rights = [], []
    for first in range(0, len(prompts), 8):
        some = prompts[first : first + 8]
        with torch.inference_mode():
            _, right, each = reader.loss(reader.batch(some, [p.answer for p in some]), words)
        losses.append(each.numpy())
        rights.append(right.numpy())
    texts = [reader.write(p, words) for p in prompts[:_WRITTEN]]
    verdicts = [_judged(t, s) for t, s in zip(texts, samples, strict=False)]
    kinds, holds = zip(*verdicts, strict=True)
    n = len(texts)
    return {
        "perplexity": f"{np.exp(np.concatenate(losses).mean()):.2f}",
        "token accuracy": f"{np.concatenate(rights).mean():.3f}",
        "right kind": _share(sum(kinds), n),
        "all numbers hold": _share(sum(holds), n),
    }


def _judged(text: str, sample: Sample) -> tuple[bool, bool]:
    """Return whether a text names the right kind of fact, and whether its numbers hold, too."""
    units = {c.channel: c.unit for c in sample.curves.curves}
    found = read_back(text, units)
    if not found or any(f is None for f in found):
        return False, False
    truth = sample.facts[0]
    said = [f for f in found if f is not None]
    return all(f.kind == truth.kind for f in said), all(same(f, truth) for f in said)


def _share(right: int, n: int) -> str:
    low, high = wilson(right / n, n)
    return f"{right / n:.3f} [{low:.3f}, {high:.3f}]"
