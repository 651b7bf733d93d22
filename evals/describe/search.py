"""Tree search against greedy, beam, best-of-N and self-consistency, each at the same token budget.

Questions of TimeSeriesExam with the statistics of their series as text; the language model writes a
reasoning, then the letters are compared. The reward is how far the likeliest letter is before the
next: never the truth. Reading a reasoning to judge it costs every method alike and is not counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tool_use_om.data.progress import Progress, track
from tool_use_om.evals.report import Table
from tool_use_om.heads.describe.exam import Item, exam_prompt
from tool_use_om.heads.describe.prompts import Prompt, without_signal
from tool_use_om.heads.describe.spans import Continuation, Spans
from tool_use_om.heads.describe.tree import Found, SearchSettings, search
from tool_use_om.heads.numeric.metrics import wilson

_ANSWER = "\nAnswer:"


def compare(
    model: Spans, items: Sequence[Item], settings: SearchSettings, progress: Progress | None = None
) -> Table:
    """Return a row a method: right answers, tokens, nodes, distinct answers, entropy, seconds."""
    ways: dict[str, Callable[[Asked], Found]] = {
        "greedy": lambda asked: asked.alone(asked.greedy()),
        "beam": lambda asked: asked.alone(asked.beam()),
        "best of N": lambda asked: asked.best(),
        "self-consistency": lambda asked: asked.majority(),
        "tree, p·exp(λV)": lambda asked: asked.tree("boltzmann"),
        "tree, UCT": lambda asked: asked.tree("uct"),
    }
    found: dict[str, list[tuple[bool, Found, float]]] = {name: [] for name in ways}
    steps = track(items, progress, phase="search", unit="questions", total=len(items))
    for number, item in enumerate(steps):
        asked = Asked(model, item, replace(settings, seed=settings.seed + number))
        for name, way in ways.items():
            began = time.perf_counter()
            one = way(asked)
            seconds = time.perf_counter() - began
            found[name].append((one.answer == item.letter, one, seconds))
    note = (
        f"{len(items)} questions of TimeSeriesExam, {settings.budget} tokens each, reasonings of "
        f"{settings.most}; λ = {settings.scale:g}. Greedy has one reasoning to write and no use "
        "for more. Wilson's 95 % intervals."
    )
    return Table(title="Search", note=note, rows=tuple(_row(n, r) for n, r in found.items()))


class Asked:
    """One question, and the ways to reason about it within a budget."""

    def __init__(self, model: Spans, item: Item, settings: SearchSettings) -> None:
        bare = without_signal(exam_prompt(item), scale=True)
        self.model, self.settings = model, settings
        self.prompt: Prompt = replace(bare, text=bare.text.removesuffix(_ANSWER[1:]) + "Reasoning:")
        self.place = model.start(self.prompt.text)
        self.n = max(1, settings.budget // settings.most)
        self.begun = model.written

    def reward(self, text: str) -> tuple[float, str]:
        """Return how far the likeliest letter is before the next, and that letter."""
        said = self.model.ids_of(text.partition("\n")[0] + _ANSWER)
        place = self.model.go_on(self.place, said)
        logs = self.model.log_likelihoods(place, [f" {o}" for o in self.prompt.options])
        p = np.exp(np.array(logs) - max(logs))
        p = np.sort(p / p.sum())
        return float(p[-1] - p[-2]), self.prompt.options[int(np.argmax(logs))]

    def greedy(self) -> Continuation:
        """Return the reasoning of likeliest tokens."""
        self.begun = self.model.written
        return self.model.greedy(self.place, self.settings.most)

    def beam(self) -> Continuation:
        """Return the reasoning a beam as wide as the budget finds."""
        self.begun = self.model.written
        return self.model.beam(self.place, self.n, self.settings.most)

    def alone(self, one: Continuation) -> Found:
        """Return one reasoning as what was found."""
        return self._found([one])

    def best(self) -> Found:
        """Return the reasoning of highest reward among independent ones."""
        return self._found(self._drawn())

    def majority(self) -> Found:
        """Return the commonest answer among independent reasonings."""
        found = self._found(self._drawn())
        return replace(found, answer=Counter(found.answers).most_common(1)[0][0])

    def tree(self, select: str) -> Found:
        """Return what a tree search finds."""
        chosen = replace(self.settings, select="uct" if select == "uct" else "boltzmann")
        return search(self.model, self.place, self.reward, chosen)

    def _drawn(self) -> list[Continuation]:
        self.begun = self.model.written
        return self.model.draw(self.place, self.n, self.settings.most)

    def _found(self, texts: Sequence[Continuation]) -> Found:
        judged = [(*self.reward(one.text), one.text) for one in texts]
        reward, answer, text = max(judged)
        return Found(
            text=text, answer=answer, reward=reward, answers=tuple(a for _, a, _ in judged),
            n_nodes=len(texts), written=self.model.written - self.begun,
        )  # fmt: skip


def _row(name: str, found: Sequence[tuple[bool, Found, float]]) -> dict[str, str]:
    n = len(found)
    share = sum(right for right, _, _ in found) / n
    low, high = wilson(share, n)

    def mean(of: Callable[[Found], float]) -> float:
        return float(np.mean([of(one) for _, one, _ in found]))

    return {
        "method": name,
        "right": f"{share:.3f} [{low:.3f}, {high:.3f}]",
        "tokens": f"{mean(lambda f: f.written):.0f}",
        "nodes": f"{mean(lambda f: f.n_nodes):.1f}",
        "distinct answers": f"{mean(lambda f: len(set(f.answers))):.2f}",
        "entropy, bits": f"{mean(lambda f: f.entropy):.2f}",
        "reward": f"{mean(lambda f: f.reward):.3f}",
        "s": f"{np.mean([s for _, _, s in found]):.1f}",
    }
