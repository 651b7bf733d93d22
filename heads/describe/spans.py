"""Continuations of a causal language model from places whose keys and values are kept.

A place is read once; whatever goes on from it, one text or many at a time, shares what was read.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tool_use_om.data.values import Untyped


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a text may go on: its tokens, what was read of them, logits of the next (V,)."""

    ids: tuple[int, ...]
    cache: Untyped
    logits: Tensor


@dataclass(frozen=True, kw_only=True)
class Continuation:
    """Tokens behind a place, each one's log-probability under the model, and the text of them."""

    ids: tuple[int, ...]
    log_probs: tuple[float, ...]
    text: str

    @property
    def log_prob(self) -> float:
        """Of the whole continuation."""
        return float(sum(self.log_probs))


class Spans:
    """A causal language model as search uses it; counts the tokens it writes.

    Parameters
    ----------
    network, tokenizer : as transformers loads them
    top_p : float, tokens are drawn from the likeliest that hold so much probability
    end : text that ends a continuation
    seed : int, of all draws
    """

    def __init__(
        self, network: Untyped, tokenizer: Untyped, *, top_p: float = 0.95, end: str = "\n",
        seed: int = 0,
    ) -> None:  # fmt: skip
        self.network, self.tokenizer = network.eval(), tokenizer
        self.top_p, self.end = top_p, end
        self.written = 0
        self._random = torch.Generator().manual_seed(seed)

    def start(self, text: str) -> Place:
        """Return the place behind a prompt."""
        begin = self.tokenizer.bos_token_id
        ids = ([begin] if begin is not None else []) + self.ids_of(text)
        return self._read((), None, ids)

    def go_on(self, place: Place, ids: Sequence[int]) -> Place:
        """Return the place behind some tokens; only these are read."""
        return self._read(place.ids, copy.deepcopy(place.cache), ids)

    def ids_of(self, text: str) -> list[int]:
        """Return the tokens of a text."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def draw(self, place: Place, n: int, most: int) -> list[Continuation]:
        """Return `n` continuations drawn at once, each up to its end or `most` tokens."""
        return self._write(place, n, most, drawn=True)

    def greedy(self, place: Place, most: int) -> Continuation:
        """Return the continuation of likeliest tokens."""
        return self._write(place, 1, most, drawn=False)[0]

    def beam(self, place: Place, width: int, most: int) -> Continuation:
        """Return the likeliest of the continuations that a beam of some width keeps."""
        with torch.inference_mode():
            cache = _repeated(place.cache, width)
            scores = torch.full((width,), -torch.inf)
            scores[0] = 0.0
            logits = place.logits.expand(width, -1)
            rows: list[list[tuple[int, float]]] = [[] for _ in range(width)]
            ended: list[tuple[float, list[tuple[int, float]]]] = []
            for _ in range(most):
                logs = torch.log_softmax(logits.float(), dim=-1)
                best, at = (scores[:, None] + logs).flatten().topk(width)
                source = torch.div(at, logs.shape[1], rounding_mode="floor")
                chosen = at % logs.shape[1]
                rows = [
                    [*rows[int(s)], (int(c), float(logs[int(s), int(c)]))]
                    for s, c in zip(source, chosen, strict=True)
                ]
                self.written += width
                scores = best.clone()
                for i, row in enumerate(rows):
                    if self._ends(row[-1][0]):
                        ended.append((float(scores[i]), row))
                        scores[i] = -torch.inf
                if not torch.isfinite(scores).any():
                    break
                cache.reorder_cache(source)
                logits = self._next(chosen[:, None], cache)
            left = [(float(s), row) for s, row in zip(scores, rows, strict=True)]
        _, found = max([*ended, *left], key=lambda pair: pair[0])
        return self._continuation(found)

    def log_likelihoods(self, place: Place, texts: Sequence[str]) -> list[float]:
        """Return how likely the first token of each text is at a place, as log-probabilities."""
        logs = torch.log_softmax(place.logits.float(), dim=-1)
        return [float(logs[self.ids_of(text)[0]]) for text in texts]

    def _read(self, before: tuple[int, ...], cache: Untyped, ids: Sequence[int]) -> Place:
        from transformers import DynamicCache

        held = DynamicCache(config=self.network.config) if cache is None else cache
        with torch.inference_mode():
            logits = self._next(torch.tensor([list(ids)]), held)[0]
        return Place(ids=(*before, *ids), cache=held, logits=logits)

    def _next(self, ids: Tensor, cache: Untyped) -> Tensor:
        """Read tokens (B, n); return the logits behind the last (B, V)."""
        out = self.network.base_model(input_ids=ids, past_key_values=cache, use_cache=True)
        weight = self.network.get_output_embeddings().weight
        logits: Tensor = out.last_hidden_state[:, -1] @ weight.T
        return logits

    def _write(self, place: Place, n: int, most: int, *, drawn: bool) -> list[Continuation]:
        with torch.inference_mode():
            cache, logits = _repeated(place.cache, n), place.logits.expand(n, -1)
            rows: list[list[tuple[int, float]]] = [[] for _ in range(n)]
            going = list(range(n))
            for _ in range(most):
                logs = torch.log_softmax(logits.float(), dim=-1)
                chosen = self._chosen(logs) if drawn else logs.argmax(dim=-1)
                for i in going:
                    rows[i].append((int(chosen[i]), float(logs[i, int(chosen[i])])))
                self.written += len(going)
                going = [i for i in going if not self._ends(rows[i][-1][0])]
                if not going:
                    break
                logits = self._next(chosen[:, None], cache)
        return [self._continuation(row) for row in rows]

    def _chosen(self, logs: Tensor) -> Tensor:
        """Draw a token a row (B,) from the likeliest that hold `top_p` of the probability."""
        likeliest, order = logs.topk(min(_MOST_TOKENS, logs.shape[1]), dim=-1)
        p = likeliest.exp()
        kept = p * ((p.cumsum(dim=-1) - p) < self.top_p)
        picked = torch.multinomial(kept, 1, generator=self._random)
        return order.gather(1, picked)[:, 0]

    def _ends(self, token: int) -> bool:
        return token == self.tokenizer.eos_token_id or self.end in self.tokenizer.decode([token])

    def _continuation(self, row: Sequence[tuple[int, float]]) -> Continuation:
        ids = tuple(token for token, _ in row)
        text = str(self.tokenizer.decode(list(ids), skip_special_tokens=True))
        return Continuation(ids=ids, log_probs=tuple(p for _, p in row), text=text)


_MOST_TOKENS = 512  # that are drawn from, however flat the distribution is


def _repeated(cache: Untyped, n: int) -> Untyped:
    """Return a copy of a cache for `n` rows that begin alike."""
    held = copy.deepcopy(cache)
    held.batch_repeat_interleave(n)
    return held
