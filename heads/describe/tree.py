"""Search over a language model's reasoning: a tree of spans, rewards that never see the truth.

Values go up by the weighted soft Bellman form, V(s) = (1/λ) log E_p(s'|s)[exp(λ V(s'))]: without
the weights p, siblings would add to a value merely by being many. A spectrum's distance serves
continuations that are numbers.

Source: S-ADT; the weights as its equation has them, which its public code leaves out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.describe.spans import Continuation, Place, Spans

Array = np.ndarray
Reward = Callable[[str], tuple[float, str]]
"""Text of a reasoning → (reward, the answer it leads to)."""
_LEAST = 1e-12


def soft_value(shares: Sequence[float], values: Sequence[float], scale: float) -> float:
    """Return (1/λ) log Σ p exp(λ V), the shares p brought to a sum of one.

    Between the mean (λ → 0) and the maximum (λ → ∞) of the values, never outside of them.

    Raises
    ------
    DataError : λ is not above zero, or there is nothing to average
    """
    if scale <= 0 or not values or len(values) != len(shares) or sum(shares) <= 0:
        raise DataError(
            f"A soft value needs λ above 0 and a share for each value, got λ={scale:g}, "
            f"{len(shares)} shares and {len(values)} values."
        )
    p = np.asarray(shares, dtype=np.float64) / sum(shares)
    v = np.asarray(values, dtype=np.float64)
    top = float(v.max())
    return top + float(np.log(np.sum(p * np.exp(scale * (v - top))))) / scale


def spectral_distance(series: Array, context: Array) -> float:
    """Return ∫ |log S_x − log S_c| over frequency, 0 to half a cycle a sample, of two series.

    Each spectrum is of the series without its mean, at unit power; of the context, it is the mean
    over halves of it as long as the continuation where there are several.
    """
    n = len(series)
    parts = [context[i : i + n] for i in range(0, max(1, len(context) - n + 1), max(1, n // 2))]
    own = _spectrum(series, n)
    usual = np.mean([_spectrum(part, n) for part in parts], axis=0)
    apart = np.abs(np.log(own + _FLOOR) - np.log(usual + _FLOOR))
    return float(apart.mean() / 2)


_FLOOR = 1e-6


def _spectrum(series: Array, n: int) -> Array:
    centred = series - series.mean()
    power: Array = np.abs(np.fft.rfft(centred, n))[1:] ** 2
    return power / max(float(power.sum()), _LEAST)


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """How to search.

    Parameters
    ----------
    budget : int, tokens that may be written
    scale : λ of soft values and of the choice of a child
    branches : children drawn at once, and rolled out together
    span : tokens of a node
    most : tokens of a whole reasoning
    select : "boltzmann" draws a child by p·exp(λV), "uct" takes the best of V + c √(ln N / n)
    """

    budget: int = 256
    scale: float = 5.0
    branches: int = 4
    span: int = 8
    most: int = 32
    select: Literal["boltzmann", "uct"] = "boltzmann"
    explore: float = 0.5
    seed: int = 0


@dataclass(kw_only=True)
class Node:
    """A span of reasoning; `share` is its probability among its siblings."""

    text: str
    share: float = 1.0
    value: float = 0.0
    visits: int = 0
    ended: bool = False
    depth: int = 0
    parent: Node | None = None
    ids: tuple[int, ...] = ()
    children: list[Node] = field(default_factory=list)
    place: Place | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """The best reasoning, its answer and reward, and what the search did.

    `answers` are those of all reasonings in their order; `written` the tokens that were written.
    """

    text: str
    answer: str
    reward: float
    answers: tuple[str, ...]
    n_nodes: int
    written: int

    @property
    def entropy(self) -> float:
        """Of the answers, in bits."""
        counts = [self.answers.count(a) for a in dict.fromkeys(self.answers)]
        p = np.array(counts) / sum(counts)
        return float(-(p * np.log2(p)).sum())


def search(model: Spans, place: Place, reward: Reward, settings: SearchSettings) -> Found:
    """Search for the reasoning of highest reward within a budget of tokens.

    Parameters
    ----------
    place : behind the prompt
    reward : judges a whole reasoning by what is there without the truth
    """
    rng = np.random.default_rng(settings.seed)
    root = Node(text="", place=place)
    begun = model.written
    done: list[tuple[float, str, str]] = []
    n_nodes = 1
    while settings.budget - (model.written - begun) >= settings.most:
        node = _selected(root, settings, rng)
        if node is None:
            break
        left = settings.budget - (model.written - begun)
        n = max(
            1, min(settings.branches, left // max(1, settings.most - settings.span * node.depth))
        )
        made = _expand(model, node, n, settings)
        n_nodes += len(made)
        for child, whole in made:
            gained, answer = reward(whole)
            done.append((gained, whole, answer))
            _back_up(child, gained, settings.scale)
    if not done:
        raise DataError(
            f"A budget of {settings.budget} tokens is less than one reasoning of {settings.most}. "
            "Give more, or shorter reasonings."
        )
    best = max(done, key=lambda d: d[0])
    return Found(
        text=best[1], answer=best[2], reward=best[0], answers=tuple(d[2] for d in done),
        n_nodes=n_nodes, written=model.written - begun,
    )  # fmt: skip


def _selected(root: Node, settings: SearchSettings, rng: np.random.Generator) -> Node | None:
    """Return the node to expand: down by choice to one without children; None if all have ended."""
    node = root
    while node.children:
        open_ = [c for c in node.children if not _closed(c, settings)]
        if not open_:
            return None if node is root else root if not _closed(root, settings) else None
        node = _child(open_, node, settings, rng)
    return node


def _closed(node: Node, settings: SearchSettings) -> bool:
    """Say whether nothing can be added below a node."""
    if node.ended or settings.span * node.depth >= settings.most:
        return True
    return bool(node.children) and all(_closed(c, settings) for c in node.children)


def _child(
    open_: Sequence[Node], node: Node, settings: SearchSettings, rng: np.random.Generator
) -> Node:
    if settings.select == "uct":

        def upper(c: Node) -> float:
            return c.value + settings.explore * math.sqrt(
                math.log(max(node.visits, 1) + 1) / max(c.visits, 1)
            )

        return max(open_, key=upper)
    weight = np.array([c.share * math.exp(settings.scale * c.value) for c in open_])
    return open_[int(rng.choice(len(open_), p=weight / weight.sum()))]


def _expand(model: Spans, node: Node, n: int, settings: SearchSettings) -> list[tuple[Node, str]]:
    """Draw continuations of a node; their first spans become children, once each."""
    if node.place is None and node.parent is not None and node.parent.place is not None:
        node.place = model.go_on(node.parent.place, node.ids)
    if node.place is None:
        raise DataError("A node without a parent must be read before it is expanded.")
    drawn = model.draw(node.place, n, settings.most - settings.span * node.depth)
    made: list[tuple[Node, str]] = []
    for one in drawn:
        ids = one.ids[: settings.span]
        child = next((c for c in node.children if c.ids == ids), None)
        if child is None:
            child = _node(model, node, one, settings)
            node.children.append(child)
        made.append((child, _text(node) + one.text))
    return made


def _node(model: Spans, parent: Node, one: Continuation, settings: SearchSettings) -> Node:
    ids = one.ids[: settings.span]
    text = str(model.tokenizer.decode(list(ids), skip_special_tokens=True))
    return Node(
        text=text, ids=ids, parent=parent, depth=parent.depth + 1,
        share=math.exp(sum(one.log_probs[: settings.span])),
        ended=len(one.ids) <= settings.span,
    )  # fmt: skip


def _text(node: Node) -> str:
    return (_text(node.parent) + node.text) if node.parent is not None else ""


def _back_up(leaf: Node, reward: float, scale: float) -> None:
    """Take a reward into a leaf's mean, and soft values of all above it."""
    leaf.visits += 1
    if not leaf.children:
        leaf.value += (reward - leaf.value) / leaf.visits
    node = leaf.parent
    while node is not None:
        node.visits += 1
        shares = [max(c.share, _LEAST) for c in node.children]
        node.value = soft_value(shares, [c.value for c in node.children], scale)
        node = node.parent
