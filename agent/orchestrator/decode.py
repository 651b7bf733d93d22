"""Greedy decoding held to a grammar: the prompt's keys and values are kept from turn to turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tool_use_om.agent.orchestrator.grammar import grammar
from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped

MAX_TOKENS = 320
"""Tokens a plan may have; the longest plan learnt from has 111."""


class Decoder:
    """A causal language model that writes only what a JSON schema allows.

    Parameters
    ----------
    network, tokenizer : as transformers loads them
    """

    def __init__(self, network: Untyped, tokenizer: Untyped) -> None:
        self.network = network.eval()
        self.tokenizer = tokenizer
        self.tokens_in = 0
        self.tokens_out = 0
        self.forced = 0
        self._matching = _matching(tokenizer, int(network.config.vocab_size))
        self._cache: Any = None
        self._held: list[int] = []

    def write(self, prompt: str, schema: Mapping[str, Any] | None) -> Iterator[str]:
        """Yield the answer piece by piece.

        Parameters
        ----------
        schema : what may be written; None = anything, till the end token

        Raises
        ------
        DataError : the grammar cannot be made, or the answer does not end
        """
        import torch

        begin = self.tokenizer.bos_token_id
        ids = [begin] if begin is not None else []
        ids += self.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        self.tokens_in, self.tokens_out, self.forced = len(ids), 0, 0
        matcher = self._matcher(schema)
        told = _Pieces(self.tokenizer)
        with torch.inference_mode():
            hidden = self._read(ids)
            while self.tokens_out < MAX_TOKENS:
                chosen = matcher.forced()
                self.forced += len(chosen)
                chosen = chosen or [matcher.choose(hidden, self._head())]
                if chosen[-1] == self.tokenizer.eos_token_id or not matcher.take(chosen):
                    return
                self.tokens_out += len(chosen)
                yield told.next(chosen)
                if matcher.done():
                    return
                hidden = self._step(chosen)
        raise DataError(f"The plan has more than {MAX_TOKENS} tokens; it was cut off.")

    def _head(self) -> Untyped:
        return self.network.get_output_embeddings().weight

    def _matcher(self, schema: Mapping[str, Any] | None) -> _Matcher:
        return _Matcher(self._matching, grammar(schema) if schema is not None else None)

    def _read(self, ids: list[int]) -> Untyped:
        """Return the last hidden state (D,) after `ids`; what was read last time is not again."""
        from transformers import DynamicCache

        same = _common(self._held, ids[:-1])
        if self._cache is None or not self._cut(same):
            self._cache, self._held, same = DynamicCache(config=self.network.config), [], 0
        return self._step(ids[same:])

    def _cut(self, length: int) -> bool:
        """Cut the cache to `length` tokens; return whether it could be."""
        if length == 0:
            return False
        try:
            self._cache.crop(length)
        except (ValueError, RuntimeError):  # a window that has moved on cannot be cut back
            return False
        self._held = self._held[:length]
        return True

    def _step(self, ids: list[int]) -> Untyped:
        import torch

        out = self.network.base_model(
            input_ids=torch.tensor([ids], device=self.network.device),
            past_key_values=self._cache,
            use_cache=True,
        )
        self._held += ids
        return out.last_hidden_state[0, -1]


def _common(one: list[int], other: list[int]) -> int:
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _matching(tokenizer: Untyped, vocabulary: int) -> Untyped:
    try:
        import llguidance.hf
    except ImportError as error:
        raise DataError(
            "Plans are held to the tools by llguidance: pip install 'tool-use-om[orchestrator]'."
        ) from error
    return llguidance.hf.from_tokenizer(tokenizer, n_vocab=max(vocabulary, len(tokenizer)))


class _Matcher:
    """What may come next."""

    def __init__(self, matching: Untyped, rules: str | None) -> None:
        from llguidance import LLMatcher

        self._found = LLMatcher(matching, rules) if rules is not None else None
        if self._found is not None and self._found.is_error():
            raise DataError(f"No grammar can be made of the tools: {self._found.get_error()[:300]}")

    def forced(self) -> list[int]:
        """Return the tokens that must come next, where there is no choice."""
        return list(self._found.compute_ff_tokens()) if self._found is not None else []

    def choose(self, hidden: Untyped, head: Untyped) -> int:
        """Return the likeliest token that may come; only the rows of those are multiplied."""
        import torch

        if self._found is None:
            return int((head @ hidden).argmax())
        mask = torch.frombuffer(bytearray(self._found.compute_bitmask()), dtype=torch.uint8)
        bits = (mask[:, None] >> torch.arange(8, dtype=torch.uint8)) & 1
        allowed = bits.flatten().nonzero()[:, 0].to(head.device)
        allowed = allowed[allowed < head.shape[0]]
        return int(allowed[(head[allowed] @ hidden).argmax()])

    def take(self, ids: list[int]) -> bool:
        """Say whether these were allowed, and go on behind them."""
        return self._found is None or bool(self._found.consume_tokens(ids))

    def done(self) -> bool:
        """Say whether nothing may follow."""
        return self._found is not None and bool(self._found.is_stopped())


class _Pieces:
    """Turns tokens into text as they come; a letter of several tokens waits until it is whole."""

    def __init__(self, tokenizer: Untyped) -> None:
        self._decode: Callable[[list[int]], str] = tokenizer.decode
        self._ids: list[int] = []
        self._told = ""

    def next(self, ids: list[int]) -> str:
        """Return the text these tokens add."""
        self._ids += ids
        whole = self._decode(self._ids).rstrip("�")
        piece, self._told = whole[len(self._told) :], whole
        return piece
