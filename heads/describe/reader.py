"""A frozen language model that reads signals: soft tokens spliced into its words.

Loss over the answer's positions and over the corpus's words only. Only `SignalEncoder` trains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped
from tool_use_om.heads.describe.encoder import N_SOFT, SignalEncoder, features_of
from tool_use_om.heads.describe.prompts import Prompt
from tool_use_om.tokenizers.moment.checkpoint import weights_hash

END = "\n"  # an answer ends where its line does
_AT_ONCE = 16  # prompts read together


def loss_over_words(
    hidden: Tensor, weight: Tensor, target: Tensor, words: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Return (mean negative log-likelihood, logits) of tokens among `words` only.

    Parameters
    ----------
    hidden : (N, D) last hidden states before each token
    weight : (V, D) of the output layer
    target : (N,) the tokens, all of `words`
    words : sorted token ids

    It is the loss of the whole vocabulary with all other logits at minus infinity; a short list
    saves what the 262 144-word output layer of a small model costs.
    """
    kept = torch.as_tensor(list(words), device=target.device)
    place = torch.searchsorted(kept, target).clamp(max=len(kept) - 1)
    if not torch.equal(kept[place], target):
        strange = sorted(set(target.tolist()) - set(words))
        raise DataError(f"Answers have tokens that are not chosen between: {strange[:5]}.")
    logits = (hidden @ weight[kept].T).float()
    return nn.functional.cross_entropy(logits, place), logits


@dataclass(frozen=True)
class Batch:
    """Rows padded on the right: ids (B, L), where soft tokens stand (B, L), which are taught."""

    ids: Tensor
    soft: Tensor
    attention: Tensor
    taught: Tensor
    features: Tensor | None


class Reader:
    """A frozen causal language model with a signal encoder before it.

    Parameters
    ----------
    network, tokenizer : as transformers loads them; the network's weights are never changed
    source : "curves" or a registered tokenizer's name
    seed : of the encoder's first weights
    """

    def __init__(
        self, network: Untyped, tokenizer: Untyped, source: str = "curves", seed: int = 0
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        table = network.get_input_embeddings()
        width = int(table.weight.shape[1])
        some = torch.arange(0, table.weight.shape[0], max(1, table.weight.shape[0] // 2000))
        with torch.inference_mode():
            size = float(table(some).float().pow(2).mean().sqrt())
        self.encoder = SignalEncoder(source, width, size, seed)

    def frozen_hash(self) -> str:
        """Return the SHA-256 of the language model's weights as they are now."""
        return weights_hash(self.network)

    def ids_of(self, text: str) -> list[int]:
        """Return the tokens of a text, without marks of begin or end."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def answer_ids(self, answer: str) -> list[int]:
        """Return the tokens an answer is made of, its end included."""
        return self.ids_of(f" {answer}{END}")

    def batch(self, prompts: Sequence[Prompt], answers: Sequence[str] | None) -> Batch:
        """Return prompts as one batch, with these answers behind them; None = with no answer.

        Raises
        ------
        DataError : a prompt without its `<signal>`
        """
        said = [self.answer_ids(a) for a in answers] if answers is not None else None
        rows = [self._row(p, said[i] if said else []) for i, p in enumerate(prompts)]
        longest = max(len(ids) for ids, _, _ in rows)
        shape = (len(rows), longest)
        ids, soft, attention, taught = (torch.zeros(shape, dtype=torch.long) for _ in range(4))
        for i, (tokens, softs, first) in enumerate(rows):
            n = len(tokens)
            ids[i, :n] = torch.tensor(tokens)
            soft[i, softs] = 1
            attention[i, :n] = 1
            taught[i, first:n] = 1
        channels = [row for p in prompts for row in p.rows]
        features = None
        if channels:
            features = torch.from_numpy(features_of(channels, self.encoder.source))
        return Batch(ids, soft.bool(), attention, taught.bool(), features)

    def _row(self, prompt: Prompt, said: list[int]) -> tuple[list[int], list[int], int]:
        """Return tokens, the places of soft ones among them, and where the answer begins."""
        begin = self.tokenizer.bos_token_id
        ids = [begin] if begin is not None else []
        soft: list[int] = []
        first, *others = prompt.parts()
        ids += self.ids_of(first)
        for part in others:
            soft += range(len(ids), len(ids) + N_SOFT)
            ids += [0] * N_SOFT + self.ids_of(part)
        return ids + said, soft, len(ids)

    def embedded(self, batch: Batch) -> Tensor:
        """Return the words' embeddings with the soft tokens in their places (B, L, D)."""
        words: Tensor = self.network.get_input_embeddings()(batch.ids)
        if batch.features is None:
            return words
        soft = self.encoder(batch.features).reshape(-1, words.shape[-1])
        return words.masked_scatter(batch.soft[..., None], soft.to(words.dtype))

    def hidden(self, batch: Batch) -> Tensor:
        """Return the last hidden states (B, L, D)."""
        found: Tensor = self.network.base_model(
            inputs_embeds=self.embedded(batch), attention_mask=batch.attention, use_cache=False
        ).last_hidden_state
        return found

    def loss(self, batch: Batch, words: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Return (mean loss of the answers' tokens, which were likeliest (N,) bool, each loss)."""
        taught = batch.taught[:, 1:]
        hidden, target = self.hidden(batch)[:, :-1][taught], batch.ids[:, 1:][taught]
        weight = self.network.get_output_embeddings().weight
        loss, logits = loss_over_words(hidden, weight, target, words)
        kept = torch.as_tensor(list(words))
        right = kept[logits.argmax(-1)] == target
        each = nn.functional.cross_entropy(
            logits, torch.searchsorted(kept, target), reduction="none"
        )
        return loss, right, each.detach()

    def last_states(self, prompts: Sequence[Prompt]) -> np.ndarray:
        """Return the last hidden state behind each prompt (N, D) float32, before any answer."""
        found = []
        with torch.inference_mode():
            for first in range(0, len(prompts), _AT_ONCE):
                batch = self.batch(prompts[first : first + _AT_ONCE], None)
                last = batch.attention.sum(dim=1) - 1
                hidden = self.hidden(batch)[torch.arange(len(last)), last]
                found.append(hidden.float().numpy())
        return np.concatenate(found)

    def choose(self, prompts: Sequence[Prompt], states: np.ndarray | None = None) -> list[str]:
        """Return the likeliest option of each prompt.

        Options that differ in their first token are told by it; others are read to their ends.

        Parameters
        ----------
        states : what `last_states` gave for these prompts; None = they are read
        """
        states = self.last_states(prompts) if states is None else states
        weight = self.network.get_output_embeddings().weight
        found = []
        for prompt, state in zip(prompts, states, strict=True):
            first = [self.answer_ids(option)[0] for option in prompt.options]
            if prompt.options and len(set(first)) == len(first):
                with torch.inference_mode():
                    scores = (weight[first].float() @ torch.from_numpy(state)).numpy()
            else:
                scores = self.option_scores(prompt)
            found.append(prompt.options[int(np.argmax(scores))])
        return found

    def write(self, prompt: Prompt, words: Sequence[int], most: int = 48) -> str:
        """Return the likeliest answer, token by token, up to the end of its line.

        Parameters
        ----------
        words : the tokens that may be said; what was trained chooses between these alone
        """
        batch, said = self.batch([prompt], None), []
        weight = self.network.get_output_embeddings().weight[list(words)]
        with torch.inference_mode():
            step: dict[str, Untyped] = {"inputs_embeds": self.embedded(batch)}
            cache = None
            for _ in range(most):
                out = self.network.base_model(**step, past_key_values=cache, use_cache=True)
                cache = out.past_key_values
                said.append(int(words[int((weight @ out.last_hidden_state[0, -1]).argmax())]))
                if END in self.tokenizer.decode(said) or said[-1] == self.tokenizer.eos_token_id:
                    break
                step = {"input_ids": torch.tensor([said[-1:]])}
        text: str = self.tokenizer.decode(said, skip_special_tokens=True)
        return text.partition(END)[0].strip()

    def option_scores(self, prompt: Prompt) -> np.ndarray:
        """Return the log-likelihood of each option (n_options,), its end included.

        Raises
        ------
        DataError : the prompt has no options
        """
        if not prompt.options:
            raise DataError("This question has no options to choose between.")
        batch = self.batch([prompt] * len(prompt.options), prompt.options)
        words = sorted({i for o in prompt.options for i in self.answer_ids(o)})
        _, _, each = self.loss(batch, words)
        counts = batch.taught[:, 1:].sum(dim=1)
        parts = np.split(each.numpy(), np.cumsum(counts.numpy())[:-1])
        return -np.array([part.sum() for part in parts])
